//! Bars in columns.

use super::{Nanos, TimeRange};

/// One bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Its first instant; midnight UTC of the exchange date for one day and longer.
    pub start: Nanos,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// `None` where the source has none.
    pub volume: Option<f64>,
}

impl Bar {
    /// All four prices are finite, and so is the volume if there is one.
    pub fn is_finite(&self) -> bool {
        [self.open, self.high, self.low, self.close].iter().all(|price| price.is_finite())
            && self.volume.is_none_or(f64::is_finite)
    }

    /// Its high is the highest price and its low the lowest; false for what is not finite.
    pub fn is_possible(&self) -> bool {
        let within = |price: f64| self.low <= price && price <= self.high;
        self.is_finite() && within(self.open) && within(self.close)
    }
}

/// Bars as columns of equal length. Ascending and free of duplicates wherever a function says "sorted".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bars {
    /// Starts.
    pub start: Vec<Nanos>,
    /// First prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Last prices.
    pub close: Vec<f64>,
    /// `None` where the source has none.
    pub volume: Vec<Option<f64>>,
}

impl Bars {
    /// Empty, with room for `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            start: Vec::with_capacity(rows),
            open: Vec::with_capacity(rows),
            high: Vec::with_capacity(rows),
            low: Vec::with_capacity(rows),
            close: Vec::with_capacity(rows),
            volume: Vec::with_capacity(rows),
        }
    }

    /// Number of bars.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Adds one at the end.
    pub fn push(&mut self, bar: Bar) {
        self.start.push(bar.start);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
    }

    /// The bar at `row`.
    ///
    /// # Panics
    /// When `row` is not below [`len`](Self::len), as indexing does.
    pub fn at(&self, row: usize) -> Bar {
        Bar {
            start: self.start[row],
            open: self.open[row],
            high: self.high[row],
            low: self.low[row],
            close: self.close[row],
            volume: self.volume[row],
        }
    }

    /// All bars in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bar> + '_ {
        let prices = self.open.iter().zip(&self.high).zip(self.low.iter().zip(&self.close));
        let rows = self.start.iter().zip(prices).zip(&self.volume);
        rows.map(|((start, ((open, high), (low, close))), volume)| Bar {
            start: *start,
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: *volume,
        })
    }

    /// Rows `rows`, copied.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        Self {
            start: self.start[rows.clone()].to_vec(),
            open: self.open[rows.clone()].to_vec(),
            high: self.high[rows.clone()].to_vec(),
            low: self.low[rows.clone()].to_vec(),
            close: self.close[rows.clone()].to_vec(),
            volume: self.volume[rows].to_vec(),
        }
    }

    /// Which rows of sorted bars lie in `range`.
    pub fn rows_in(&self, range: &TimeRange) -> std::ops::Range<usize> {
        let from = self.start.partition_point(|start| *start < range.start());
        let to = self.start.partition_point(|start| *start < range.end());
        from..to
    }

    /// Whether starts ascend without repetition.
    pub fn is_sorted(&self) -> bool {
        self.start.is_sorted_by(|a, b| a < b)
    }
}

impl FromIterator<Bar> for Bars {
    fn from_iter<I: IntoIterator<Item = Bar>>(bars: I) -> Self {
        let bars = bars.into_iter();
        let mut columns = Self::with_capacity(bars.size_hint().0);
        bars.for_each(|bar| columns.push(bar));
        columns
    }
}
