//! Counts records by the outcome of their write.

use serde::Serialize;

/// Number of records by the outcome of the write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WriteCounts {
    /// Records received, including repeated ones.
    pub fetched: u64,
    pub inserted: u64,
    /// Stored records that changed.
    pub updated: u64,
    /// Records that the workspace no longer has.
    pub deleted: u64,
    /// Records that have no id and could not be stored.
    pub unidentified: u64,
}

impl WriteCounts {
    pub fn add(&mut self, other: WriteCounts) {
        self.fetched += other.fetched;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.unidentified += other.unidentified;
    }

    pub(super) fn count(&mut self, upsert: Upsert) {
        self.fetched += 1;
        match upsert {
            Upsert::Inserted => self.inserted += 1,
            Upsert::Updated => self.updated += 1,
            Upsert::Unchanged | Upsert::Respelled => {}
            Upsert::Skipped => self.unidentified += 1,
        }
    }
}

/// Outcome of the write of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mirror::store) enum Upsert {
    Inserted,
    Updated,
    Unchanged,
    /// Stored again, but only written differently by another API version.
    Respelled,
    /// It has no id.
    Skipped,
}
