//! Some bars as one batch of Arrow's stream, written straight to where it is sent from: each value is copied once. No file is
//! touched here.
//!
//! `arrow-ipc` would make arrays of the rows, gather those in a message, and leave that to be copied by who sends it.

use std::ops::Range;

use arrow_buffer::ToByteSlice;
use arrow_ipc::{Buffer, FieldNode, MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder};
use bytes::BufMut;
use flatbuffers::FlatBufferBuilder;

use super::parquet::{COLUMNS, NANOS_PER_MICRO};
use crate::model::Bars;

/// Of the values and stamps.
const WIDTH: usize = 8;
/// As Arrow wants its buffers.
const ALIGNMENT: usize = 64;
/// Values that are turned over at a time: they stay in the processor's nearest memory.
const BLOCK: usize = 512;
/// Of a header, about.
const HEADER_BYTES: usize = 512;

/// Rows of some bars, as a batch of [`arrow_schema`](super::arrow_schema).
#[derive(Debug)]
pub struct ArrowBatch<'a> {
    bars: &'a Bars,
    rows: Range<usize>,
    volumes: &'a [Option<f64>],
    unknown: usize,
}

impl<'a> ArrowBatch<'a> {
    /// The rows must be there.
    pub fn new(bars: &'a Bars, rows: Range<usize>) -> Self {
        let volumes = &bars.volume[rows.clone()];
        Self { bars, rows, volumes, unknown: volumes.iter().filter(|volume| volume.is_none()).count() }
    }

    /// Bytes of each column, and of what says which volumes are known, if any are not.
    fn lengths(&self) -> (usize, usize) {
        let validity = if self.unknown == 0 { 0 } else { self.rows.len().div_ceil(8) };
        (self.rows.len() * WIDTH, validity)
    }

    /// Bytes of the body.
    pub fn body_len(&self) -> usize {
        let (column, validity) = self.lengths();
        COLUMNS.len() * padded(column) + padded(validity)
    }

    /// What the body is.
    pub fn header(&self) -> Vec<u8> {
        let (column, validity) = self.lengths();
        let rows = wide(self.rows.len());
        let (mut nodes, mut buffers, mut at) = (Vec::new(), Vec::new(), 0);
        let mut buffer = |length: usize| {
            buffers.push(Buffer::new(wide(at), wide(length)));
            at += padded(length);
        };
        for nth in 1..=COLUMNS.len() {
            let is_volume = nth == COLUMNS.len();
            nodes.push(FieldNode::new(rows, if is_volume { wide(self.unknown) } else { 0 }));
            buffer(if is_volume { validity } else { 0 });
            buffer(column);
        }
        let mut made = FlatBufferBuilder::with_capacity(HEADER_BYTES);
        let (nodes, buffers) = (made.create_vector(&nodes), made.create_vector(&buffers));
        let mut batch = RecordBatchBuilder::new(&mut made);
        batch.add_length(rows);
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        let batch = batch.finish();
        let mut message = MessageBuilder::new(&mut made);
        message.add_version(MetadataVersion::V5);
        message.add_header_type(MessageHeader::RecordBatch);
        message.add_bodyLength(wide(self.body_len()));
        message.add_header(batch.as_union_value());
        let message = message.finish();
        made.finish(message, None);
        made.finished_data().to_vec()
    }

    /// Exactly [`body_len`](Self::body_len) bytes.
    pub fn write_body(&self, to: &mut impl BufMut) {
        let (column, validity) = self.lengths();
        let micros = self.bars.start[self.rows.clone()].iter().map(|start| start.div_euclid(NANOS_PER_MICRO));
        put(to, micros.map(i64::to_le_bytes));
        pad(to, column);
        for prices in [&self.bars.open, &self.bars.high, &self.bars.low, &self.bars.close] {
            to.put_slice(prices[self.rows.clone()].to_byte_slice());
            pad(to, column);
        }
        if validity > 0 {
            for eight in self.volumes.chunks(8) {
                let known = eight.iter().enumerate().map(|(bit, volume)| u8::from(volume.is_some()) << bit);
                to.put_u8(known.fold(0, |byte, bit| byte | bit));
            }
            pad(to, validity);
        }
        put(to, self.volumes.iter().map(|volume| volume.unwrap_or_default().to_le_bytes()));
        pad(to, column);
    }
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(ALIGNMENT)
}

fn pad(to: &mut impl BufMut, length: usize) {
    to.put_bytes(0, padded(length) - length);
}

fn put(to: &mut impl BufMut, mut values: impl ExactSizeIterator<Item = [u8; WIDTH]>) {
    let mut block = [[0; WIDTH]; BLOCK];
    while values.len() > 0 {
        let filled = values.len().min(BLOCK);
        block.iter_mut().zip(values.by_ref().take(filled)).for_each(|(place, value)| *place = value);
        to.put_slice(block[..filled].as_flattened());
    }
}

/// A length, as Arrow has it.
fn wide(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Bar, Basis, SeriesKey, Session, Symbol, Timeframe, WhatToShow},
        store::arrow,
    };
    use arrow_ipc::{reader::read_record_batch, root_as_message};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn bar(n: usize, volume: Option<u32>) -> Bar {
        let price = |nth: u32| f64::from(nth) + 0.1 * f64::from(volume.unwrap_or(7));
        // before 1970, too, and between two microseconds
        let start = (i64::try_from(n).unwrap() - 300) * 60_000_000_001;
        Bar { start, open: price(1), high: price(2), low: -price(3), close: price(4), volume: volume.map(f64::from) }
    }

    proptest! {
        /// As Arrow's own crate reads it, and would have made it.
        #[test]
        fn a_batch_holds_its_rows_and_no_other(
            volumes in prop::collection::vec(prop::option::weighted(0.9, any::<u32>()), 0..1_500),
            ends in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let bars: Bars = volumes.into_iter().enumerate().map(|(n, volume)| bar(n, volume)).collect();
            let (one, other) = (ends.0.index(bars.len() + 1), ends.1.index(bars.len() + 1));
            let rows = one.min(other)..one.max(other);
            let key = SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Hours1 };
            let schema = arrow::schema(&key, Basis { session: Session::AllHours, what: WhatToShow::Trades });

            let batch = ArrowBatch::new(&bars, rows.clone());
            let (header, mut body) = (batch.header(), Vec::new());
            batch.write_body(&mut body);
            prop_assert_eq!(body.len(), batch.body_len());
            let message = root_as_message(&header).unwrap();
            prop_assert_eq!(usize::try_from(message.bodyLength()).unwrap(), body.len());
            let columns = message.header_as_record_batch().unwrap();
            let read = read_record_batch(&body.into(), columns, schema.clone(), &HashMap::new(), None, &message.version());
            prop_assert_eq!(read.unwrap(), arrow::batch(&schema, bars.slice(rows)).unwrap());
        }
    }
}
