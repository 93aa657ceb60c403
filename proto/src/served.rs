//! Answers as a server sends them, where it has them ready: a message and its bytes are the same on the wire.

use std::marker::PhantomData;

use prost::{
    DecodeError, Message,
    bytes::{Buf, BufMut, Bytes},
    encoding::{DecodeContext, WireType},
};

use crate::v1;

/// `ListOperationsResponse` of the contract.
pub type ListOperationsResponse = Ready<v1::ListOperationsResponse>;

/// The bytes of a message `M`, made once however often they are sent.
#[derive(Debug, Clone)]
pub struct Ready<M> {
    bytes: Bytes,
    of: PhantomData<M>,
}

impl<M> Default for Ready<M> {
    fn default() -> Self {
        Self { bytes: Bytes::new(), of: PhantomData }
    }
}

impl<M: Message> From<M> for Ready<M> {
    fn from(message: M) -> Self {
        Self { bytes: message.encode_to_vec().into(), of: PhantomData }
    }
}

impl<M: Message + Default> Message for Ready<M> {
    fn encode_raw(&self, to: &mut impl BufMut) {
        to.put_slice(&self.bytes);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        from: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let mut field = M::default();
        field.merge_field(tag, wire_type, from, context)?;
        // one message after the other is both of them
        self.bytes = [&self.bytes, &*field.encode_to_vec()].concat().into();
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_served_is_what_the_contract_says() {
        let operation = |id: &str| v1::Operation { id: id.to_owned(), kind: "load".to_owned(), ..Default::default() };
        let operations = vec![operation("op_load_1"), v1::Operation::default(), operation("op_load_2")];
        let answer = v1::ListOperationsResponse { operations, next_page_token: "op_load_2".to_owned(), total: 9 };
        let served = ListOperationsResponse::from(answer.clone()).encode_to_vec();
        assert_eq!(served, answer.encode_to_vec());
        let read = ListOperationsResponse::decode(&*served).unwrap();
        assert_eq!(read.encode_to_vec(), served);
        assert_eq!(read.encoded_len(), served.len());
    }
}
