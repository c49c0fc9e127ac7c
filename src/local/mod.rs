//! The workspace on this machine: a local copy in SQLite that syncs, searches, answers SQL and reports.
//!
//! *Less stable than the client:* what is here may change in any minor version. The tables are described in
//! `docs/mirror-schema.md`.
//!
//! ```no_run
//! use intercom::Client;
//! use intercom::local::{GroupBy, Metric, Mirror, SlaOptions, SyncOptions};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! let mut mirror = Mirror::open("acme.db")?;
//! let report = mirror.sync(&client, SyncOptions::new()).await?;
//! assert!(report.is_complete());
//!
//! let sla = mirror.sla(SlaOptions::new().group_by(GroupBy::Team))?;
//! for row in &sla.rows {
//!     let median = row.figures.of(Metric::FirstResponse).and_then(|figures| figures.median());
//!     println!("{}: first response after {median:?}", row.name);
//! }
//! for hit in mirror.search("refund")?.hits {
//!     println!("{} {}: {}", hit.kind, hit.id, hit.snippet);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! This module passes everything on to the modules of the program, and must never decide anything itself.

#![deny(missing_docs)]

mod error;
mod mirror;
mod refresh;
mod rows;
mod sla;
mod stored;
mod sync;

pub use crate::mirror::ResourceName;
pub use crate::mirror::search::{Hit, SearchOptions, SearchResults, SearchType};
pub use crate::mirror::sql::{SqlEnd, SqlLimits};
pub use crate::report::sla::{
    Figures, GroupBy, Metric, MetricFigures, MissingData, PeriodAnchor, Resolution, SlaReport, SlaRow,
};
pub use error::{Error, ErrorKind};
pub use mirror::Mirror;
pub use refresh::Refreshed;
pub use rows::Rows;
pub use sla::SlaOptions;
pub use stored::Stored;
pub use sync::{Problem, ResourceReport, SyncOptions, SyncProgress, SyncReport};
