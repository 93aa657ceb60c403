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
    columns.is_even().then(|| {
        let prices = columns.open().zip(columns.high()).zip(columns.low().zip(columns.close()));
        let rows = columns.start_ns().zip(prices).zip(columns.volume());
        rows.map(|((start_ns, ((open, high), (low, close))), volume)| Bar {
            start_ns,
            open,
            high,
            low,
            close,
            volume: Some(volume).filter(|volume| !volume.is_nan()),
        })
    })
}
