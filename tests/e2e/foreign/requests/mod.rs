//! Callers that send anything, to every method of the contract.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, BufMut as _};
use http::uri::PathAndQuery;
use ktrdr_foreign::mutation::Mutator;
use ktrdr_proto::DESCRIPTORS;
use ktrdr_tests::daemon::TestDaemon;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use super::{Run, is_told, is_well};
use crate::support::import;

/// Messages are bytes, both ways.
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

/// `/ktrdr.v1.MarketData/Load` and all the others.
fn methods() -> Result<Vec<String>> {
    let files = FileDescriptorSet::decode(DESCRIPTORS)?.file;
    let services = files.iter().flat_map(|file| file.service.iter().map(move |service| (file.package(), service)));
    let methods = services.flat_map(|(package, service)| {
        service.method.iter().map(move |method| format!("/{package}.{}/{}", service.name(), method.name()))
    });
    Ok(methods.collect())
}

/// What is sent was like this once.
fn corpus() -> Result<Vec<Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no root")?;
    let mut all = Vec::new();
    for folder in ["daemon/corpus/request", "proto/corpus/message"] {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder))?.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            all.push(fs::read(path)?);
        }
    }
    Ok(all)
}

/// One call, and the first few of what comes back.
async fn called(channel: Channel, path: &str, messages: Vec<Vec<u8>>) -> Result<usize, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let path: PathAndQuery = path.parse().map_err(|_| Status::unknown("no path"))?;
    let request = Request::new(tokio_stream::iter(messages));
    let mut answers = client.streaming(request, path, Raw).await?.into_inner();
    let mut count = 0;
    while count < 5 && answers.message().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_foreign_bytes_are_survived() -> Result<()> {
    const STOPS: &str = "/ktrdr.v1.Daemon/Shutdown";
    let run = Run::new(6);
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv", "EURUSD_1h.csv"])?;
    let (methods, corpus) = (methods()?, corpus()?);
    ensure!(methods.len() > 25 && methods.iter().any(|method| method == STOPS), "{methods:?}");
    let (channel, mut rng) = (daemon.channel()?, fastrand::Rng::with_seed(run.seed));
    let words = [b"AAPL".to_vec(), b"EURUSD".to_vec()];
    let mutator = Mutator { others: &corpus, words: &words, longest: 1 << 16 };
    let (mut asked, mut answered, mut waited) = (0_u64, 0_u64, 0_u64);
    while run.goes_on() {
        let calls = (0..16).map(|_| {
            let method = rng.choice(&methods).cloned().unwrap_or_default();
            let message = |rng: &mut fastrand::Rng| {
                let mut message = rng.choice(&corpus).cloned().unwrap_or_default();
                mutator.mutate(rng, &mut message);
                message
            };
            let mut messages: Vec<_> = (0..rng.usize(1..4)).map(|_| message(&mut rng)).collect();
            if method == STOPS {
                // anything that can be read is an order
                messages = vec![vec![0x0a]];
            }
            let channel = channel.clone();
            async move {
                // a stream may have nothing to say for long
                let limit = Duration::from_secs(3);
                let ended = timeout(limit, called(channel, &method, messages.clone())).await;
                (method, messages, ended)
            }
        });
        for (method, messages, ended) in futures_util::future::join_all(calls.collect::<Vec<_>>()).await {
            asked += 1;
            match ended {
                Err(_) => waited += 1,
                Ok(Ok(_)) => answered += 1,
                Ok(Err(status)) => {
                    // bytes that are no message never reach a method
                    let no_message = status.code() == Code::Internal && status.message().contains("decode");
                    let told = if no_message { Ok(()) } else { is_told(&status) };
                    told.with_context(|| format!("{method} {}", messages.concat().escape_ascii()))?;
                }
            }
        }
        is_well(&daemon)?;
    }
    run.told(&format!("requests: {asked} of {} methods, {answered} answered, {waited} not in time", methods.len()));
    ensure!(answered > 0 && answered < asked, "the run reaches what it is about");
    drop(daemon.terminate()?);
    Ok(())
}
