//! Reports about a workspace, computed from the mirror.
//!
//! Layer: above `mirror`, below `cli`. A report reads the store, apart from the [`timeline_cache`], which can always be
//! recomputed, and `contact_360` with live data, which refreshes the mirror first. It returns data, including what the data
//! lacks, and never prints.

pub mod business_hours;
pub mod contact_360;
pub mod duplicates;
pub mod error;
pub mod percentile;
pub mod sla;
pub mod stale;
pub mod timeline;
pub mod timeline_cache;
pub mod translations;
pub mod volume;
pub mod week;

pub use crate::mirror::ContactSummary;
pub use error::Error;
