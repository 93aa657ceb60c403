//! Bars: loading, reading, importing.
//!
//! Plan (pure) → fetch → merge (pure) → store. A bar is on disk before anyone hears of it; what is complete is never
//! asked for again; nothing is invented.
//!
//! Not here: how the gateway is asked (`gateway`), how files change (`store`), what an operation is (`operations`).

mod calendar;
mod check;
mod checking;
mod chunk;
mod closing;
mod compacting;
pub mod csv;
mod deleting;
mod error;
mod exporting;
mod fetch;
mod handle;
mod hours;
mod import;
mod info;
mod keep;
mod live;
mod load;
mod loads;
mod merge;
mod occupancy;
mod plan;
mod query;
mod reference;
mod repair;
mod request;
mod resample;
mod restoring;
mod result;
mod revise;
mod scale;
mod upload;
mod validate;
mod view;
mod zones;

pub use calendar::{Calendar, Day};
pub use check::{Checked, Completeness, Cure, Cures, Finding, Gap, GapClass, Severity};
pub use checking::CheckedSeries;
pub use chunk::Chunk;
pub use deleting::Deleted;
pub use error::MarketDataError;
pub use exporting::{Pieces, file};
pub use handle::MarketData;
pub use info::{SeriesInfo, SymbolInfo, VerifiedFile};
pub use live::{LiveEvent, LivePhase, LiveRequest, LiveState, LiveWatch};
pub use load::{LoadRequest, Mode, OnSplit, Planned};
pub use loads::{LoadedDocument, LoadsDocument, SERIES_MAX, once_each};
pub use query::{Header, Rows, Window};
pub use repair::{Action, RepairDocument, RepairPlan, RepairStep};
pub use restoring::Restored;
pub use result::{FindingDocument, ImportDocument, ImportedFileDocument, LoadDocument, RangeDocument};
pub use upload::{FileSpec, Upload};
pub use validate::{Head, Validated};
pub use view::{Hours, View};
