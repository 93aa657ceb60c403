//! Bars as Arrow: tables, and files of them. No file is touched here.
//!
//! Columns and types are those of `parquet`, and so are the facts that the schema carries, so that a reader can take the one for
//! the other.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{
    StoreError, growing,
    growing::Taken,
    parquet::{COLUMNS, NANOS_PER_MICRO, facts},
};
use crate::model::{Bars, Basis, SeriesKey};

pub(super) struct Growing {
    file: FileWriter<Taken>,
    schema: SchemaRef,
    bytes: Taken,
}

impl Growing {
    pub(super) fn new(key: &SeriesKey, basis: Basis) -> Result<Self, ArrowError> {
        let (bytes, schema) = (Taken::default(), schema(key, basis));
        Ok(Self { file: FileWriter::try_new(bytes.clone(), &schema)?, schema, bytes })
    }
}

impl growing::Growing for Growing {
    fn add(&mut self, bars: &Bars) -> Result<Vec<u8>, StoreError> {
        let batch = batch(&self.schema, bars.clone())?;
        self.file.write(&batch).map_err(StoreError::encode)?;
        Ok(self.bytes.take())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, StoreError> {
        self.file.finish().map_err(StoreError::encode)?;
        Ok(self.bytes.take())
    }
}

/// Columns of a series, and what they are.
pub fn schema(key: &SeriesKey, basis: Basis) -> SchemaRef {
    let [stamp, prices @ .., volume] = COLUMNS;
    let stamp = Field::new(stamp, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false);
    let mut fields = vec![stamp];
    fields.extend(prices.map(|price| Field::new(price, DataType::Float64, false)));
    fields.push(Field::new(volume, DataType::Float64, true));
    let facts = facts(key, basis).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Arc::new(Schema::new_with_metadata(fields, HashMap::from(facts)))
}

/// Bars as a table of `schema`. Prices are taken as they are.
pub(super) fn batch(schema: &SchemaRef, bars: Bars) -> Result<RecordBatch, StoreError> {
    RecordBatch::try_new(schema.clone(), columns(bars)).map_err(StoreError::encode)
}

fn columns(bars: Bars) -> Vec<ArrayRef> {
    let micros = bars.start.iter().map(|start| start.div_euclid(NANOS_PER_MICRO));
    let stamps = TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC");
    let prices = [bars.open, bars.high, bars.low, bars.close];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(stamps)];
    columns.extend(prices.map(|prices| Arc::new(Float64Array::from(prices)) as ArrayRef));
    columns.push(Arc::new(Float64Array::from(bars.volume)));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Bar, Session, Symbol, Timeframe, WhatToShow},
        store::FileFormat,
    };
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, TimestampMicrosecondType};
    use arrow_ipc::reader::FileReader;
    use std::io::Cursor;

    #[test]
    fn the_file_holds_every_bar_and_says_what_it_is() {
        let key = SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Hours1 };
        let basis = Basis { session: Session::AllHours, what: WhatToShow::Trades };
        let bar = |n: i32| Bar {
            start: i64::from(n - 3) * 60_000_000_000,
            open: 0.1,
            high: f64::from(n),
            low: -0.0,
            close: 1.5,
            volume: (n % 2 == 0).then_some(f64::from(n)),
        };
        let mut file = FileFormat::Arrow.begin(&key, basis).unwrap();
        let mut bytes = file.add(&(0..5).map(bar).collect()).unwrap();
        bytes.extend(file.add(&(5..7).map(bar).collect()).unwrap());
        bytes.extend(file.finish().unwrap());

        let reader = FileReader::try_new(Cursor::new(bytes), None).unwrap();
        assert_eq!(reader.schema().metadata()["ktrdr.symbol"], "AAPL");
        let read: Bars = reader
            .flat_map(|batch| {
                let batch = batch.unwrap();
                let double = |at: usize| batch.column(at).as_primitive::<Float64Type>().clone();
                let stamps = batch.column(0).as_primitive::<TimestampMicrosecondType>().clone();
                let (open, high, low, close, volume) = (double(1), double(2), double(3), double(4), double(5));
                let bars = (0..batch.num_rows()).map(move |row| Bar {
                    start: stamps.value(row) * NANOS_PER_MICRO,
                    open: open.value(row),
                    high: high.value(row),
                    low: low.value(row),
                    close: close.value(row),
                    volume: volume.is_valid(row).then(|| volume.value(row)),
                });
                bars.collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(read, (0..7).map(bar).collect::<Bars>());
    }
}
