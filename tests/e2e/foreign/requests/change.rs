//! Requests made of requests. What is changed by its fields is still a message, and so comes to the handler.

use fastrand::Rng;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value,
    prost::Message as _,
};

/// Longer than any name, path or note may be.
const LONG: usize = 64 << 10;
/// How often one element is repeated, unless it is long itself.
const TIMES: usize = 1_000;
const REPEATED_MAX: usize = 1 << 10;
const WORDS: [&str; 18] = [
    "",
    " ",
    "AAPL",
    "eur.usd",
    "NOPE",
    "ESZ5",
    "../../etc/passwd",
    "a\0b",
    "\u{1b}[2J\u{7}",
    "\r\n",
    "\u{202e}é\u{10ffff}",
    "2024-02-30",
    "9999-12-31",
    "-0001-01-01",
    "America/New_York",
    "op_load_",
    "%s%n{}",
    "18446744073709551616",
];
const WHOLE: [i64; 14] = [
    0,
    1,
    -1,
    2,
    7,
    300,
    301,
    1_000_001,
    i32::MAX as i64,
    i32::MIN as i64,
    1_704_067_200_000_000_000,
    1_735_689_600_000_000_000,
    i64::MIN,
    i64::MAX,
];
const BROKEN: [f64; 7] = [0.0, -0.0, 1e308, -1e308, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// The message with one or two fields changed; as it is when it cannot be read.
pub(super) fn fields(rng: &mut Rng, of: &MessageDescriptor, bytes: &[u8]) -> Vec<u8> {
    let Ok(mut message) = DynamicMessage::decode(of.clone(), bytes) else { return bytes.to_vec() };
    for _ in 0..rng.usize(1..=2) {
        change(rng, &mut message);
    }
    message.encode_to_vec()
}

fn change(rng: &mut Rng, message: &mut DynamicMessage) {
    let fields: Vec<FieldDescriptor> = message.descriptor().fields().collect();
    let Some(field) = rng.choice(&fields) else { return };
    if let Kind::Message(_) = field.kind()
        && message.has_field(field)
        && rng.u8(..) < 190
    {
        return inside(rng, message.get_field_mut(field));
    }
    if rng.u8(..) < 40 {
        return message.clear_field(field);
    }
    let value = if field.is_list() { list(rng, message, field) } else { one(rng, &field.kind()) };
    if !field.is_map() {
        message.set_field(field, value);
    }
}

/// A message that is there, or one of several.
fn inside(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::Message(inner) => change(rng, inner),
        Value::List(all) if !all.is_empty() => {
            let at = rng.usize(..all.len());
            match rng.u8(..3) {
                0 => repeat(all, at),
                _ => inside(rng, &mut all[at]),
            }
        }
        _ => {}
    }
}

fn list(rng: &mut Rng, message: &DynamicMessage, field: &FieldDescriptor) -> Value {
    let mut all = message.get_field(field).as_list().unwrap_or_default().to_vec();
    let at = rng.usize(..=all.len());
    all.insert(at, one(rng, &field.kind()));
    if rng.bool() {
        repeat(&mut all, at);
    }
    Value::List(all)
}

fn repeat(all: &mut Vec<Value>, at: usize) {
    let long = match &all[at] {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Message(message) => message.encoded_len(),
        _ => 8,
    };
    if long <= REPEATED_MAX {
        let same = all[at].clone();
        all.extend(std::iter::repeat_n(same, TIMES));
    }
}

/// A value of the field's type at which something ends.
fn one(rng: &mut Rng, kind: &Kind) -> Value {
    let whole = rng.choice(WHOLE).unwrap_or_default();
    match kind {
        Kind::Bool => Value::Bool(rng.bool()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(low(whole).cast_signed()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(whole),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(low(whole)),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(whole.cast_unsigned()),
        Kind::Float => Value::F32(rng.choice([0.0, f32::NAN, f32::INFINITY, f32::MAX]).unwrap_or_default()),
        Kind::Double => Value::F64(rng.choice(BROKEN).unwrap_or_default()),
        Kind::String => Value::String(text(rng)),
        Kind::Bytes => Value::Bytes(text(rng).into_bytes().into()),
        Kind::Enum(of) => Value::EnumNumber(number(rng, of)),
        Kind::Message(of) => {
            let mut message = DynamicMessage::new(of.clone());
            change(rng, &mut message);
            Value::Message(message)
        }
    }
}

/// Its lower half, ends included.
fn low(whole: i64) -> u32 {
    u32::try_from(whole.cast_unsigned() & u64::from(u32::MAX)).unwrap_or_default()
}

fn text(rng: &mut Rng) -> String {
    if rng.u8(..) < 24 { "x".repeat(LONG) } else { rng.choice(WORDS).unwrap_or_default().to_owned() }
}

/// One that the contract has, or one that it does not.
fn number(rng: &mut Rng, of: &EnumDescriptor) -> i32 {
    let known: Vec<i32> = of.values().map(|value| value.number()).collect();
    let unknown = rng.choice([-1, 99, i32::MAX, i32::MIN]).unwrap_or_default();
    if rng.bool() { rng.choice(known).unwrap_or_default() } else { unknown }
}

/// One of a sequence is left out, comes twice, or comes at another time.
pub(super) fn order(rng: &mut Rng, messages: &mut Vec<Vec<u8>>) {
    if messages.is_empty() {
        return;
    }
    let (from, to) = (rng.usize(..messages.len()), rng.usize(..messages.len()));
    match rng.u8(..3) {
        0 => drop(messages.remove(from)),
        1 => messages.insert(to, messages[from].clone()),
        _ => messages.swap(from, to),
    }
}

#[cfg(test)]
mod tests {
    use ktrdr_proto::v1::{LoadManyRequest, SeriesId};

    use super::*;

    #[test]
    fn what_is_changed_by_its_fields_is_still_a_message() {
        let pool = prost_reflect::DescriptorPool::decode(ktrdr_proto::DESCRIPTORS).unwrap_or_default();
        let of = pool.get_message_by_name("ktrdr.v1.LoadManyRequest").into_iter().next();
        let series = vec![SeriesId { symbol: "AAPL".into(), timeframe: 20 }];
        let seed = prost::Message::encode_to_vec(&LoadManyRequest { series, ..LoadManyRequest::default() });
        let mut rng = Rng::with_seed(3);
        let (mut others, mut many) = (0, 0);
        for of in std::iter::repeat_n(of.as_ref(), 300).flatten() {
            let bytes = fields(&mut rng, of, &seed);
            let read = <LoadManyRequest as prost::Message>::decode(bytes.as_slice());
            assert!(read.is_ok(), "{read:?} {}", bytes.escape_ascii());
            others += usize::from(bytes != seed);
            many += usize::from(read.is_ok_and(|read| read.series.len() >= TIMES));
        }
        assert!(others > 200 && many > 0, "{others} others, {many} with many series");
    }
}
