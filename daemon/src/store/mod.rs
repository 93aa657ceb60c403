//! Everything on disk: the Parquet dataset and the `SQLite` ledger, and the order in which they change.
//!
//! - Bars first, coverage after: a crash can only cause a fetch again, never a hole.
//! - A file that is neither what the ledger recorded nor what it announced is damage; it is never served.
//! - Readers hold no lock while they decode; a writer is alone in its series because operations see to it.
//!
//! Not here: which bars win (`market_data::merge`), what is missing (`market_data::plan`).

mod arrow;
mod arrow_batch;
mod cache;
mod catalog;
mod commit;
mod error;
mod files;
mod growing;
mod kept;
mod layout;
mod ledger;
mod mend;
mod mirrored;
mod parquet;
mod read;
mod records;
mod staging;
mod turns;

pub use arrow::schema as arrow_schema;
pub use arrow_batch::ArrowBatch;
pub use cache::CacheFacts;
pub use catalog::{SeriesState, Store};
pub use commit::{Aside, Commit, CoverageKind};
pub use error::StoreError;
pub use files::{Checksum, create_folders};
pub use growing::{FileFormat, Growing};
pub use layout::{Layout, year_of, year_range, year_start};
pub use ledger::{
    Age, ContractRow, Counted, DepartureRow, Ended, EndedRows, Forgotten, HeadRow, ImportRow, KeptRow, OperationRow,
    Place, RevisionRow, SessionRow,
};
pub use mirrored::{Difference, Part, Remote};
pub use read::{Ends, Opened, OpenedSeries};
pub use turns::Room;
