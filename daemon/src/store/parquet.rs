//! Bars as a Parquet file in memory, both ways. No file is touched here.
//!
//! Columns `timestamp` (µs, UTC: Spark refuses ns), `open`, `high`, `low`, `close`, `volume` (nullable). zstd 1 with
//! dictionaries for prices; stamps as `DELTA_BINARY_PACKED`, which halves the file. The same bars give the same bytes.

use std::{
    io::Write,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::reader::ColumnReader,
    data_type::{DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties},
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::{
        parser::parse_message_type,
        types::{ColumnPath, TypePtr},
    },
};

use super::{StoreError, growing, growing::Taken};
use crate::model::{Bars, Basis, Nanos, SeriesKey, Session, WhatToShow};

pub(super) const NANOS_PER_MICRO: Nanos = 1_000;

const SCHEMA_TEXT: &str = "message bars {
    required int64 timestamp (TIMESTAMP(MICROS,true));
    required double open;
    required double high;
    required double low;
    required double close;
    optional double volume;
}";

pub(super) const COLUMNS: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

/// A year of minutes; a file that claims more does not make us reserve more, but grow with what comes.
const ROWS_RESERVED_MAX: usize = 600_000;

/// Written into every file; a file of a newer one is refused.
const SCHEMA_VERSION: &str = "1";

#[expect(clippy::expect_used, reason = "a constant, parsed by a test")]
static SCHEMA: LazyLock<TypePtr> = LazyLock::new(|| Arc::new(parse_message_type(SCHEMA_TEXT).expect("a valid schema")));

/// Encodes sorted bars.
pub(super) fn encode(bars: &Bars, key: &SeriesKey, basis: Basis) -> Result<Vec<u8>, ParquetError> {
    let mut file = SerializedFileWriter::new(Vec::new(), SCHEMA.clone(), Arc::new(properties(key, basis)?))?;
    write_group(&mut file, bars)?;
    file.into_inner()
}

/// One row group for what is added at once.
pub(super) struct Growing {
    file: SerializedFileWriter<Taken>,
    bytes: Taken,
}

impl Growing {
    pub(super) fn new(key: &SeriesKey, basis: Basis) -> Result<Self, ParquetError> {
        let bytes = Taken::default();
        let file = SerializedFileWriter::new(bytes.clone(), SCHEMA.clone(), Arc::new(properties(key, basis)?))?;
        Ok(Self { file, bytes })
    }
}

impl growing::Growing for Growing {
    fn add(&mut self, bars: &Bars) -> Result<Vec<u8>, StoreError> {
        write_group(&mut self.file, bars).map_err(StoreError::encode)?;
        Ok(self.bytes.take())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, StoreError> {
        self.file.close().map_err(StoreError::encode)?;
        Ok(self.bytes.take())
    }
}

fn write_group<W: Write + Send>(file: &mut SerializedFileWriter<W>, bars: &Bars) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;

    let stamps: Vec<i64> = bars.start.iter().map(|start| start.div_euclid(NANOS_PER_MICRO)).collect();
    write_column::<Int64Type, W>(&mut group, &stamps, None)?;
    for prices in [&bars.open, &bars.high, &bars.low, &bars.close] {
        write_column::<DoubleType, W>(&mut group, prices, None)?;
    }
    let known: Vec<f64> = bars.volume.iter().flatten().copied().collect();
    let levels: Vec<i16> = bars.volume.iter().map(|volume| i16::from(volume.is_some())).collect();
    write_column::<DoubleType, W>(&mut group, &known, Some(&levels))?;

    group.close().map(drop)
}

fn write_column<T: parquet::data_type::DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("the schema has too few columns".into()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// What a file says of its bars.
pub(super) fn facts(key: &SeriesKey, basis: Basis) -> [(&'static str, &str); 5] {
    [
        ("ktrdr.schema", SCHEMA_VERSION),
        ("ktrdr.symbol", key.symbol.as_str()),
        ("ktrdr.timeframe", key.timeframe.name()),
        ("ktrdr.session", basis.session.name()),
        ("ktrdr.what_to_show", basis.what.name()),
    ]
}

fn properties(key: &SeriesKey, basis: Basis) -> Result<WriterProperties, ParquetError> {
    let stamp = ColumnPath::from(COLUMNS[0]);
    Ok(WriterProperties::builder()
        .set_created_by(format!("ktrdrd version {}", ktrdr_proto::BUILD))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_dictionary_enabled(stamp.clone(), false)
        .set_column_encoding(stamp, Encoding::DELTA_BINARY_PACKED)
        .set_sorting_columns(Some(vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]))
        .set_key_value_metadata(Some(
            facts(key, basis).map(|(key, value)| KeyValue { key: key.into(), value: Some(value.into()) }).to_vec(),
        ))
        .build())
}

/// The crate panics over some damage, which is then damage like any other.
fn contained<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let panicked = |_| Err(ParquetError::General("its parts contradict each other".into()));
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked)
}

/// What the bars of a file are, as it says of itself.
pub(super) fn basis_of(bytes: &Bytes) -> Option<Basis> {
    let file = contained(|| SerializedFileReader::new(bytes.clone())).ok()?;
    let facts = file.metadata().file_metadata().key_value_metadata()?;
    let fact = |name: &str| facts.iter().find(|fact| fact.key == name)?.value.as_deref();
    Some(Basis {
        session: Session::parse(fact("ktrdr.session")?)?,
        what: WhatToShow::parse(fact("ktrdr.what_to_show")?)?,
    })
}

/// Decodes a whole file. The bytes may be hostile.
pub(super) fn decode(bytes: Bytes) -> Result<Bars, ParquetError> {
    contained(|| decode_file(&SerializedFileReader::new(bytes)?, &(0..usize::MAX)))
}

/// Decodes the starts of all bars alone, to find rows by.
pub(super) fn decode_starts(bytes: Bytes) -> Result<Vec<Nanos>, ParquetError> {
    contained(|| starts_of(bytes))
}

fn starts_of(bytes: Bytes) -> Result<Vec<Nanos>, ParquetError> {
    let file = SerializedFileReader::new(bytes)?;
    has_our_columns(&file)?;
    let mut starts = Vec::new();
    for index in 0..file.num_row_groups() {
        let group = file.get_row_group(index)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        // as for whole bars: what a group without rows says of its columns is nobody's business
        if rows > 0 {
            read_starts(group.as_ref(), &(0..rows), &mut starts)?;
        }
    }
    if starts.is_sorted_by(|a, b| a < b) { Ok(starts) } else { Err(ParquetError::General("unsorted bars".into())) }
}

/// Decodes some rows of a file: only the pages that hold them.
pub(super) fn decode_rows(bytes: Bytes, rows: &Range<usize>) -> Result<Bars, ParquetError> {
    let pages = ReadOptionsBuilder::new().with_page_index().build();
    contained(|| decode_file(&SerializedFileReader::new_with_options(bytes, pages)?, rows))
}

fn has_our_columns(file: &SerializedFileReader<Bytes>) -> Result<(), ParquetError> {
    let schema = file.metadata().file_metadata().schema_descr();
    let names: Vec<_> = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    if names == COLUMNS { Ok(()) } else { Err(ParquetError::General(format!("unexpected columns {names:?}"))) }
}

fn decode_file(file: &SerializedFileReader<Bytes>, wanted: &Range<usize>) -> Result<Bars, ParquetError> {
    has_our_columns(file)?;
    // reserved once: a year of minutes grown by doubling would touch twice the memory
    let rows_told = usize::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0);
    let wanted = wanted.start.min(rows_told)..wanted.end.min(rows_told);
    let mut bars = Bars::with_capacity(wanted.len().min(ROWS_RESERVED_MAX));
    let mut first = 0_usize;
    for index in 0..file.num_row_groups() {
        let group = file.get_row_group(index)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let own = first..first.saturating_add(rows);
        first = own.end;
        let (from, to) = (wanted.start.max(own.start), wanted.end.min(own.end));
        if from < to {
            read_group(group.as_ref(), &(from - own.start..to - own.start), &mut bars)?;
        }
    }
    if first != rows_told {
        return Err(ParquetError::General(format!("its groups have {first} rows, not {rows_told}")));
    }
    let rows = bars.start.len();
    let lengths = [bars.open.len(), bars.high.len(), bars.low.len(), bars.close.len(), bars.volume.len()];
    if lengths.iter().any(|length| *length != rows) || !bars.is_sorted() {
        return Err(ParquetError::General("the columns do not make sorted bars".into()));
    }
    Ok(bars)
}

fn read_group(group: &dyn RowGroupReader, rows: &Range<usize>, bars: &mut Bars) -> Result<(), ParquetError> {
    read_starts(group, rows, &mut bars.start)?;
    for (column, prices) in [(1, &mut bars.open), (2, &mut bars.high), (3, &mut bars.low), (4, &mut bars.close)] {
        read_doubles(group, column, rows, prices)?;
    }
    read_volumes(group, rows, &mut bars.volume)
}

fn read_starts(group: &dyn RowGroupReader, rows: &Range<usize>, into: &mut Vec<Nanos>) -> Result<(), ParquetError> {
    let mut stamps = Vec::with_capacity(rows.len().min(ROWS_RESERVED_MAX));
    read_longs(group, 0, rows, &mut stamps)?;
    into.extend(stamps.into_iter().map(|micros: i64| micros.saturating_mul(NANOS_PER_MICRO)));
    Ok(())
}

fn wrong_type(column: usize) -> ParquetError {
    ParquetError::General(format!("column {} has another type", COLUMNS[column]))
}

fn read_longs(
    group: &dyn RowGroupReader,
    column: usize,
    rows: &Range<usize>,
    into: &mut Vec<i64>,
) -> Result<(), ParquetError> {
    let ColumnReader::Int64ColumnReader(mut reader) = group.get_column_reader(column)? else {
        return Err(wrong_type(column));
    };
    read_all(rows.start, |left| reader.skip_records(left))?;
    read_all(rows.len(), |left| reader.read_records(left, None, None, into).map(|(records, ..)| records))
}

fn read_doubles(
    group: &dyn RowGroupReader,
    column: usize,
    rows: &Range<usize>,
    into: &mut Vec<f64>,
) -> Result<(), ParquetError> {
    let ColumnReader::DoubleColumnReader(mut reader) = group.get_column_reader(column)? else {
        return Err(wrong_type(column));
    };
    read_all(rows.start, |left| reader.skip_records(left))?;
    read_all(rows.len(), |left| reader.read_records(left, None, None, into).map(|(records, ..)| records))
}

fn read_volumes(
    group: &dyn RowGroupReader,
    rows: &Range<usize>,
    into: &mut Vec<Option<f64>>,
) -> Result<(), ParquetError> {
    let ColumnReader::DoubleColumnReader(mut reader) = group.get_column_reader(5)? else {
        return Err(wrong_type(5));
    };
    read_all(rows.start, |left| reader.skip_records(left))?;
    let reserved = rows.len().min(ROWS_RESERVED_MAX);
    let (mut levels, mut known) = (Vec::with_capacity(reserved), Vec::with_capacity(reserved));
    read_all(rows.len(), |left| {
        reader.read_records(left, Some(&mut levels), None, &mut known).map(|(records, ..)| records)
    })?;
    let mut known = known.into_iter();
    into.extend(levels.into_iter().map(|level| if level == 0 { None } else { known.next() }));
    Ok(())
}

/// Readers may return fewer records than asked for.
fn read_all(rows: usize, mut read: impl FnMut(usize) -> Result<usize, ParquetError>) -> Result<(), ParquetError> {
    let mut left = rows;
    while left > 0 {
        match read(left)? {
            0 => return Err(ParquetError::General("the file ends early".into())),
            records => left = left.saturating_sub(records),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bar, Session, Symbol, Timeframe, WhatToShow};
    use proptest::prelude::*;

    fn key() -> SeriesKey {
        SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Hours1 }
    }

    const BASIS: Basis = Basis { session: Session::AllHours, what: WhatToShow::Trades };

    fn any_bars() -> impl Strategy<Value = Bars> {
        let price = prop_oneof![any::<f64>().prop_filter("finite", |price| price.is_finite()), Just(0.1), Just(-0.0)];
        let row = (1_i64..1_000_000, prop::array::uniform4(price), prop::option::of(0.0..1e12));
        prop::collection::vec(row, 0..200).prop_map(|rows| {
            let mut start = -1_000_000_000_000;
            rows.into_iter()
                .map(|(gap, [open, high, low, close], volume)| {
                    start += gap * NANOS_PER_MICRO;
                    Bar { start, open, high, low, close, volume }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn bars_read_back_to_the_last_digit_and_the_same_bars_give_the_same_bytes(bars in any_bars()) {
            let bytes = encode(&bars, &key(), BASIS).unwrap();
            prop_assert_eq!(&bytes, &encode(&bars, &key(), BASIS).unwrap());
            prop_assert_eq!(decode(bytes.into()).unwrap(), bars);
        }
    }

    #[test]
    fn some_rows_are_those_of_the_whole() {
        let bar = |n: i32| Bar {
            start: i64::from(n) * 60_000_000,
            open: 1.0 + f64::from(n % 700),
            high: 900.0,
            low: 0.5,
            close: f64::from(n % 13),
            volume: (n % 5 > 0).then_some(f64::from(n)),
        };
        // several pages
        let bars: Bars = (0..70_000).map(bar).collect();
        let bytes: Bytes = encode(&bars, &key(), BASIS).unwrap().into();
        for rows in [0..1, 0..70_000, 69_980..70_000, 19_990..20_010, 35_000..35_001, 5..5, 69_999..90_000] {
            let wanted = bars.slice(rows.start.min(70_000)..rows.end.min(70_000));
            assert_eq!(decode_rows(bytes.clone(), &rows).unwrap(), wanted, "{rows:?}");
        }
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        let bars: Bars = (0..50)
            .map(|n| Bar { start: n * 1_000, open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: None })
            .collect();
        let bytes = encode(&bars, &key(), BASIS).unwrap();
        for length in (0..bytes.len()).step_by(7) {
            assert!(decode(Bytes::copy_from_slice(&bytes[..length])).is_err(), "{length}");
        }
    }

    /// A whole file. Where it is looked at without its checksum, this is all that stands between it and the daemon.
    /// Room is made for who claims to have a year of minutes, or a page that is large when it is unpacked; it is not touched.
    #[test]
    fn foreign_bytes() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "parquet").memory(64, 256 << 20).check(|bytes| {
            let bytes = Bytes::copy_from_slice(bytes);
            let even = |bars: &Bars| {
                let lengths = [&bars.open, &bars.high, &bars.low, &bars.close].map(Vec::len);
                assert!(bars.is_sorted() && lengths == [bars.len(); 4] && bars.volume.len() == bars.len());
            };
            let named = if basis_of(&bytes).is_some() { "ours" } else { "nameless" };
            for rows in [0..2, 1..usize::MAX] {
                decode_rows(bytes.clone(), &rows).iter().for_each(even);
            }
            let starts = decode_starts(bytes.clone());
            let bars = decode(bytes).map_err(|error| crate::error::in_line(&error))?;
            even(&bars);
            assert_eq!(starts.unwrap(), bars.start);
            Ok(format!("{named} {}", bars.len().min(2)))
        });
    }
}
