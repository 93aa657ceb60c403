//! Bars: loading, reading, importing.
//!
//! Plan (pure) → fetch → merge (pure) → store. A bar is on disk before anyone hears of it; what is complete is never
//! asked for again; nothing is invented.
//!
//! Not here: how the gateway is asked (`gateway`), how files change (`store`), what an operation is (`operations`).

mod calendar;
mod check;
mod checking;
mod closing;
pub mod csv;
mod error;
mod fetch;
mod handle;
mod hours;
mod import;
mod keep;
mod live;
mod load;
mod merge;
mod occupancy;
mod plan;
mod query;
mod reference;
mod result;
mod upload;
mod validate;
mod zones;

pub use calendar::{Calendar, Day};
pub use check::{Checked, Completeness, Finding, Gap, GapClass, Severity};
pub use checking::CheckedSeries;
pub use error::MarketDataError;
pub use handle::MarketData;
pub use live::{LiveEvent, LivePhase, LiveRequest, LiveState, LiveWatch};
pub use load::{LoadRequest, Mode};
pub use query::{Header, Rows, Window};
pub use result::{FindingDocument, ImportDocument, ImportedFileDocument, LoadDocument, RangeDocument};
pub use upload::{FileSpec, Upload};
pub use validate::{Head, Validated};
