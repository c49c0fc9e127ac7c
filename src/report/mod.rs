//! Reports about a workspace, computed from the mirror.
//!
//! Layer: above `mirror`, below `cli`. A report only reads the store, except for the [`timeline_cache`], which
//! can always be recomputed. It returns data, including what the data lacks, and never prints.

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

pub use error::Error;

use rusqlite::Row;
use serde::Serialize;

/// A contact, with the fields that distinguish it from similar ones. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactSummary {
    pub id: String,
    pub role: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub external_id: Option<String>,
    pub created_at: Option<i64>,
    pub last_seen_at: Option<i64>,
}

impl ContactSummary {
    /// From columns in the order of the fields, the first of which is `from`.
    fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        Ok(ContactSummary {
            id: row.get(from)?,
            role: row.get(from + 1)?,
            name: row.get(from + 2)?,
            email: row.get(from + 3)?,
            phone: row.get(from + 4)?,
            external_id: row.get(from + 5)?,
            created_at: row.get(from + 6)?,
            last_seen_at: row.get(from + 7)?,
        })
    }
}
