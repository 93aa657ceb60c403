//! Series, tickets and tables in the words of Arrow Flight.

use std::fmt::Write as _;

use arrow_array::{Array, Float64Array, RecordBatch, TimestampMicrosecondArray, cast::AsArray, types::Float64Type};
use arrow_cast::cast;
use arrow_flight::{
    FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, PutResult, SchemaAsIpc, SchemaResult, Ticket,
    flight_descriptor::DescriptorType,
};
use arrow_ipc::{MessageHeader, root_as_message, writer::IpcWriteOptions};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::{convert, status};
use crate::{
    market_data::Window,
    model::{Basis, Nanos, SeriesKey},
    operations::Operation,
    store::{self, SeriesState},
};

/// What a descriptor or a ticket asks for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) key: SeriesKey,
    pub(super) start: Option<Nanos>,
    pub(super) end: Option<Nanos>,
    pub(super) window: Window,
}

impl Wanted {
    pub(super) fn all_of(key: SeriesKey) -> Self {
        Self { key, start: None, end: None, window: Window::All }
    }
}

/// A ticket, and the command of a descriptor: JSON that people may write.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    symbol: String,
    timeframe: String,
    /// An instant with its offset, or a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    /// Not part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    /// The last ones only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tail: Option<u64>,
}

const HOW: &str = r#"write {"symbol": "AAPL", "timeframe": "1h", "start": "2024-01-01T00:00:00Z", "end": …, "tail": 100}; the last three may be left out"#;

impl Words {
    fn wanted(&self) -> Result<Wanted, Status> {
        let instant = |text: &Option<String>| text.as_deref().map(instant).transpose();
        Ok(Wanted {
            key: SeriesKey { symbol: convert::symbol(&self.symbol)?, timeframe: convert::spelt(&self.timeframe)? },
            start: instant(&self.start)?,
            end: instant(&self.end)?,
            window: self.tail.map_or(Window::All, Window::Tail),
        })
    }

    fn of(wanted: &Wanted) -> Self {
        let text = |at: Option<Nanos>| Timestamp::from_nanosecond(at?.into()).ok().map(|at| at.to_string());
        Self {
            symbol: wanted.key.symbol.to_string(),
            timeframe: wanted.key.timeframe.to_string(),
            start: text(wanted.start),
            end: text(wanted.end),
            tail: match wanted.window {
                Window::Tail(rows) => Some(rows),
                Window::All | Window::Head(_) => None,
            },
        }
    }
}

fn instant(text: &str) -> Result<Nanos, Status> {
    let date = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    let at = text.parse::<Timestamp>().ok().or_else(date);
    let nanos = at.and_then(|at| Nanos::try_from(at.as_nanosecond()).ok());
    nanos.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        status::invalid(format!("{shown:?} is no instant: write 2024-01-02T15:30:00Z, with its offset, or 2024-01-02"))
    })
}

/// By path, `[AAPL, 1h]`, or by command.
pub(super) fn described(descriptor: &FlightDescriptor) -> Result<Wanted, Status> {
    if descriptor.r#type() == DescriptorType::Cmd {
        return words(&descriptor.cmd)?.wanted();
    }
    let [symbol, timeframe] = descriptor.path.as_slice() else {
        return Err(status::invalid("a path is a symbol and a timeframe, such as AAPL and 1h"));
    };
    Words { symbol: symbol.clone(), timeframe: timeframe.clone(), ..Words::default() }.wanted()
}

pub(super) fn ticket(ticket: &Ticket) -> Result<Wanted, Status> {
    words(&ticket.ticket)?.wanted()
}

fn words(bytes: &[u8]) -> Result<Words, Status> {
    serde_json::from_slice(bytes).map_err(|error| status::invalid(format!("this asks for nothing: {error}; {HOW}")))
}

pub(super) fn info(wanted: &Wanted, state: &SeriesState) -> Result<FlightInfo, Status> {
    let ticket = serde_json::to_vec(&Words::of(wanted)).map_err(super::defect)?;
    let path = vec![wanted.key.symbol.to_string(), wanted.key.timeframe.to_string()];
    let whole = wanted.start.is_none() && wanted.end.is_none() && matches!(wanted.window, Window::All);
    // what a part holds is known when it is read
    let (rows, bytes) = if whole { (state.bars(), state.size_bytes()) } else { (u64::MAX, u64::MAX) };
    let schema = store::arrow_schema(&wanted.key, state.basis);
    let info = FlightInfo::new().try_with_schema(&schema).map_err(super::defect)?;
    Ok(info
        .with_descriptor(FlightDescriptor::new_path(path))
        .with_endpoint(FlightEndpoint::new().with_ticket(Ticket::new(ticket)))
        .with_total_records(i64::try_from(rows).unwrap_or(-1))
        .with_total_bytes(i64::try_from(bytes).unwrap_or(-1))
        .with_ordered(true))
}

pub(super) fn schema(key: &SeriesKey, basis: Basis) -> Result<SchemaResult, Status> {
    let (schema, options) = (store::arrow_schema(key, basis), IpcWriteOptions::default());
    let IpcMessage(bytes) = SchemaAsIpc::new(&schema, &options).try_into().map_err(super::defect)?;
    Ok(SchemaResult { schema: bytes })
}

/// The first message of a table, without the frame that a schema of its own has.
pub(super) fn schema_header(key: &SeriesKey, basis: Basis) -> Bytes {
    FlightData::from(SchemaAsIpc::new(&store::arrow_schema(key, basis), &IpcWriteOptions::default())).data_header
}

/// What became of a table: the import's document.
pub(super) fn put(ended: &Operation) -> Result<PutResult, Status> {
    if let Some(failure) = &ended.failure {
        return Err(status::of_failure(failure));
    }
    let result: Option<serde_json::Value> = ended.result.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let document = serde_json::json!({ "operation_id": ended.id, "result": result });
    Ok(PutResult { app_metadata: document.to_string().into() })
}

/// Rows that are text at a time, less than a MiB: each piece is counted before the next is written.
const ROWS_AT_A_TIME: usize = 5_000;

/// A part of a table, unless it is of a dictionary: those may grow with each message, and nobody would count them.
pub(super) fn without_dictionary(part: FlightData) -> Result<FlightData, Status> {
    let message = root_as_message(&part.data_header);
    if message.is_ok_and(|message| message.header_type() == MessageHeader::DictionaryBatch) {
        return Err(status::invalid("the table has a column with a dictionary: numbers are wanted"));
    }
    Ok(part)
}

/// Rows of a file, piece by piece, with its header before the first ones; the first piece that is refused is the last.
pub(super) fn pieces(
    batch: &RecordBatch,
    mut head: bool,
    mut take: impl FnMut(&str) -> Result<(), Status>,
) -> Result<(), Status> {
    let mut at = 0;
    loop {
        let length = ROWS_AT_A_TIME.min(batch.num_rows() - at);
        // also of none: its columns are looked at
        take(&rows(&batch.slice(at, length), std::mem::take(&mut head))?)?;
        at += length;
        if at >= batch.num_rows() {
            return Ok(());
        }
    }
}

fn rows(batch: &RecordBatch, head: bool) -> Result<String, Status> {
    let stamps = stamps(batch)?;
    let prices: Vec<Float64Array> = ["open", "high", "low", "close"]
        .into_iter()
        .map(|name| numbers(batch, name)?.ok_or_else(|| status::invalid(format!("the table has no column {name}"))))
        .collect::<Result<_, _>>()?;
    let volume = numbers(batch, "volume")?;
    let mut text = String::with_capacity(batch.num_rows() * 80);
    if head {
        text.push_str("timestamp,open,high,low,close,volume\n");
    }
    for row in 0..batch.num_rows() {
        let at = stamps.is_valid(row).then(|| Timestamp::from_microsecond(stamps.value(row)).ok()).flatten();
        // writing to a String cannot fail; an empty field is rejected with its row
        at.map(|at| write!(text, "{at}").ok());
        for column in prices.iter().map(Some).chain([volume.as_ref()]) {
            text.push(',');
            if let Some(column) = column.filter(|column| column.is_valid(row)) {
                number(&mut text, column.value(row));
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// The shortest text that reads back as the same bits. Without an exponent, 1e300 would have all of its zeros.
fn number(text: &mut String, value: f64) {
    let size = value.abs();
    let extreme = size > 0.0 && size.is_finite() && !(1e-7..1e17).contains(&size);
    // writing to a String cannot fail
    if extreme { write!(text, "{value:e}") } else { write!(text, "{value}") }.unwrap_or_default();
}

/// Instants: a column of timestamps that say their zone.
fn stamps(batch: &RecordBatch) -> Result<TimestampMicrosecondArray, Status> {
    let column = batch.column_by_name("timestamp");
    let column = column.ok_or_else(|| status::invalid("the table has no column timestamp"))?;
    if !matches!(column.data_type(), DataType::Timestamp(_, Some(_))) {
        let kind = column.data_type();
        return Err(status::invalid(format!(
            "the column timestamp is {kind}: timestamps with a zone are wanted, UTC as a rule"
        )));
    }
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let micros = cast(column, &wanted).map_err(|error| status::invalid(format!("the column timestamp: {error}")))?;
    Ok(micros.as_primitive().clone())
}

fn numbers(batch: &RecordBatch, name: &str) -> Result<Option<Float64Array>, Status> {
    let Some(column) = batch.column_by_name(name) else { return Ok(None) };
    let kind = column.data_type();
    // texts may share their bytes: a small message would be hours of reading
    if !kind.is_numeric() && !kind.is_null() {
        return Err(status::invalid(format!("the column {name} is {kind}: numbers are wanted")));
    }
    let numbers =
        cast(column, &DataType::Float64).map_err(|error| status::invalid(format!("the column {name}: {error}")))?;
    Ok(Some(numbers.as_primitive::<Float64Type>().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_short_and_reads_back_as_it_was() {
        let some = [0.0, -0.0, 1.0, -1.0, 0.1, 1e-7, 1e17, 1e300, 5e-324, f64::MIN, f64::MAX, -f64::MIN_POSITIVE];
        for value in some {
            let mut text = String::new();
            number(&mut text, value);
            assert!(text.len() <= 26, "{text}");
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
    }
}
