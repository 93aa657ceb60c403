//! Bars as they travel: columns of 8-byte values, kept as the bytes that they are on the wire.
//!
//! On the wire a packed `repeated double` and a `bytes` field are the same. The contract says the first, for every other language;
//! our two ends take the second, so that nothing is copied value by value. Columns are packed in one piece, as every encoder of
//! proto3 writes them.

use prost::{Message, bytes::Bytes};

/// A chunk of bars. Columns have equal length, unless a peer is broken: see [`is_even`](Self::is_even).
#[derive(Clone, PartialEq, Message)]
pub struct BarColumns {
    #[prost(bytes = "bytes", tag = "1")]
    start_ns: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    open: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    high: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    low: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    close: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    volume: Bytes,
}

const WIDTH: usize = 8;

impl BarColumns {
    /// Starts in nanoseconds since the epoch, UTC; open, high, low, close; volumes, NaN where the source has none.
    pub fn new(start_ns: &[i64], prices: [&[f64]; 4], volume: impl ExactSizeIterator<Item = f64>) -> Self {
        let [open, high, low, close] = prices.map(|column| packed(column.iter().map(|price| price.to_le_bytes())));
        let start_ns = packed(start_ns.iter().map(|start| start.to_le_bytes()));
        Self { start_ns, open, high, low, close, volume: packed(volume.map(f64::to_le_bytes)) }
    }

    /// Number of bars.
    pub fn len(&self) -> usize {
        self.start_ns.len() / WIDTH
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All columns have equally many values. One that has not is no answer that can be used.
    pub fn is_even(&self) -> bool {
        let columns = [&self.open, &self.high, &self.low, &self.close, &self.volume];
        self.start_ns.len().is_multiple_of(WIDTH) && columns.iter().all(|column| column.len() == self.start_ns.len())
    }

    /// Starts, nanoseconds since the epoch, UTC.
    pub fn start_ns(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        values(&self.start_ns).map(|value| i64::from_le_bytes(*value))
    }

    /// First prices.
    pub fn open(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        prices(&self.open)
    }

    /// Highest prices.
    pub fn high(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        prices(&self.high)
    }

    /// Lowest prices.
    pub fn low(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        prices(&self.low)
    }

    /// Last prices.
    pub fn close(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        prices(&self.close)
    }

    /// Volumes; NaN where the source has none.
    pub fn volume(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        prices(&self.volume)
    }
}

fn packed(values: impl ExactSizeIterator<Item = [u8; WIDTH]>) -> Bytes {
    let mut bytes = vec![0; values.len() * WIDTH];
    let (places, _) = bytes.as_chunks_mut::<WIDTH>();
    places.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    bytes.into()
}

fn values(column: &Bytes) -> std::slice::Iter<'_, [u8; WIDTH]> {
    column.as_chunks::<WIDTH>().0.iter()
}

fn prices(column: &Bytes) -> impl ExactSizeIterator<Item = f64> + '_ {
    values(column).map(|value| f64::from_le_bytes(*value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As other languages have it.
    #[derive(Clone, PartialEq, Message)]
    struct Typed {
        #[prost(sfixed64, repeated, tag = "1")]
        start_ns: Vec<i64>,
        #[prost(double, repeated, tag = "2")]
        open: Vec<f64>,
        #[prost(double, repeated, tag = "3")]
        high: Vec<f64>,
        #[prost(double, repeated, tag = "4")]
        low: Vec<f64>,
        #[prost(double, repeated, tag = "5")]
        close: Vec<f64>,
        #[prost(double, repeated, tag = "6")]
        volume: Vec<f64>,
    }

    impl Typed {
        fn of(columns: &BarColumns) -> Self {
            Self {
                start_ns: columns.start_ns().collect(),
                open: columns.open().collect(),
                high: columns.high().collect(),
                low: columns.low().collect(),
                close: columns.close().collect(),
                volume: columns.volume().collect(),
            }
        }

        fn kept(&self) -> BarColumns {
            let prices = [&self.open[..], &self.high, &self.low, &self.close];
            BarColumns::new(&self.start_ns, prices, self.volume.iter().copied())
        }
    }

    proptest! {
        #[test]
        fn typed_columns_and_kept_ones_are_the_same_bytes(rows in prop::collection::vec(any::<(i64, [f64; 5])>(), 0..50)) {
            let column = |nth: usize| rows.iter().map(|(_, values)| values[nth]).collect::<Vec<f64>>();
            let typed = Typed {
                start_ns: rows.iter().map(|(start, _)| *start).collect(),
                open: column(0), high: column(1), low: column(2), close: column(3), volume: column(4),
            };
            let bytes = typed.encode_to_vec();
            let kept = BarColumns::decode(&*bytes).unwrap();
            prop_assert_eq!(kept.len(), rows.len());
            prop_assert!(kept.is_even());
            prop_assert_eq!(kept.encode_to_vec(), &*bytes);
            prop_assert_eq!(typed.kept().encode_to_vec(), &*bytes);
            // NaN is no number to compare by
            prop_assert_eq!(Typed::of(&kept).encode_to_vec(), bytes);
        }
    }

    #[test]
    fn columns_that_differ_are_seen() {
        let uneven = |typed: Typed| !BarColumns::decode(&*typed.encode_to_vec()).unwrap().is_even();
        assert!(uneven(Typed { start_ns: vec![1], ..Typed::default() }));
        assert!(uneven(Typed { volume: vec![1.0], ..Typed::default() }));
        let cut = BarColumns { start_ns: vec![0; 9].into(), ..BarColumns::default() };
        assert!(!cut.is_even());
        assert!(BarColumns::default().is_even() && BarColumns::default().is_empty());
    }
}
