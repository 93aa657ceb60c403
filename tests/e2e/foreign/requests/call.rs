//! A call whose messages are bytes, both ways: made, kept in a file, made again.

use anyhow::{Context as _, Result};
use bytes::{Buf as _, BufMut as _};
use http::uri::PathAndQuery;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// Answers of a stream that are waited for; then the caller leaves.
const ANSWERS_MAX: usize = 5;

/// What is sent to a method.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// `MarketData/Load`.
    pub(super) method: String,
    pub(super) messages: Vec<Vec<u8>>,
}

impl Call {
    /// A line with the method, then each message behind its length.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n", self.method).into_bytes();
        for message in &self.messages {
            bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
            bytes.put_slice(message);
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n').context("no line with a method")?;
        let (method, mut rest) = (String::from_utf8(bytes[..end].to_vec())?, &bytes[end + 1..]);
        let mut messages = Vec::new();
        while rest.has_remaining() {
            let length = usize::try_from(rest.try_get_u32()?)?;
            messages.push(rest.get(..length).context("a message is cut off")?.to_vec());
            rest = &rest[length..];
        }
        Ok(Self { method, messages })
    }

    /// Makes it. What came is there as it came, also when the call is given up in the middle.
    pub(super) async fn made(&self, channel: Channel, answers: &mut Vec<Vec<u8>>) -> Result<(), Status> {
        let mut client = Grpc::new(channel);
        client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let path: PathAndQuery =
            format!("/ktrdr.v1.{}", self.method).parse().map_err(|_| Status::unknown("no path"))?;
        let request = Request::new(tokio_stream::iter(self.messages.clone()));
        let mut stream = client.streaming(request, path, Raw).await?.into_inner();
        while answers.len() < ANSWERS_MAX {
            let Some(answer) = stream.message().await? else { break };
            answers.push(answer);
        }
        Ok(())
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

#[test]
fn a_call_that_was_kept_is_the_same_again() -> Result<()> {
    let call = Call { method: "MarketData/Import".into(), messages: vec![b"a\nb".to_vec(), Vec::new(), vec![0; 300]] };
    let again = Call::from_bytes(&call.to_bytes())?;
    assert_eq!((again.method, again.messages), (call.method, call.messages));
    assert!(Call::from_bytes(b"A/B\n\0\0\0\x05abc").is_err());
    Ok(())
}
