//! One bar as it came over the wire.

use ktrdr_proto::v1::BarColumns;

/// One bar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) start_ns: i64,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    /// Absent where the source has none.
    pub(crate) volume: Option<f64>,
}

impl Bar {
    /// Open, high, low, close.
    pub(crate) fn prices(&self) -> [f64; 4] {
        [self.open, self.high, self.low, self.close]
    }
}

/// The bars of one chunk; `None` when its columns differ in length.
pub(crate) fn of(columns: &BarColumns) -> Option<impl Iterator<Item = Bar>> {
    let BarColumns { start_ns, open, high, low, close, volume } = columns;
    let even = [open, high, low, close, volume].iter().all(|column| column.len() == start_ns.len());
    let prices = open.iter().zip(high).zip(low.iter().zip(close));
    even.then(|| {
        start_ns.iter().zip(prices).zip(volume).map(|((start_ns, ((open, high), (low, close))), volume)| Bar {
            start_ns: *start_ns,
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: Some(*volume).filter(|volume| !volume.is_nan()),
        })
    })
}
