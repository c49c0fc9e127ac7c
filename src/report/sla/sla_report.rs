//! The report, and what its mirror lacks.

#![deny(missing_docs)]

use jiff::Timestamp;
use serde::Serialize;

use super::distribution::Distribution;
use super::groups::GroupBy;
use super::rows::SlaRow;
use crate::mirror::{ResourceName, Store};
use crate::report::error::{Error, require_synced};

/// The report. `rows` are sorted by name; the row without a group comes last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlaReport {
    /// What the rows are grouped by.
    pub group_by: GroupBy,
    /// Start of the period, in epoch seconds.
    pub since: Option<i64>,
    /// End of the period (exclusive), in epoch seconds.
    pub until: Option<i64>,
    /// One row for each group.
    pub rows: Vec<SlaRow>,
    /// All conversations. Each counts once, even if it is in several rows.
    pub total: SlaRow,
    /// What the mirror lacks.
    pub missing: MissingData,
    /// The end of the waiting times still running, in epoch seconds; see [`MissingData::as_of`].
    pub as_of: i64,
    #[doc(hidden)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
}

/// What the mirror lacks, so that readers know how far to trust the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MissingData {
    /// The last sync of conversations or of their parts is not complete.
    pub incomplete: bool,
    /// Conversations of the period without parts; not in the figures.
    pub without_parts: u64,
    /// Conversations of the period that have changed since their parts were fetched.
    pub stale_parts: u64,
    /// The oldest data in the mirror, in epoch seconds, if that is after the start of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches_back_to: Option<i64>,
    /// The watermark of the mirror, in epoch seconds.
    pub synced_until: Option<i64>,
}

impl MissingData {
    #[doc(hidden)]
    /// What the sync states of the two resources say about a period.
    ///
    /// # Errors
    /// [`Error::NothingSynced`] if conversations or their parts were never synced, and if the store cannot be read.
    pub fn read(store: &Store, since: Option<i64>) -> Result<Self, Error> {
        let mut missing = MissingData::default();
        let mut watermarks = Vec::new();
        for resource in [ResourceName::Conversations, ResourceName::ConversationParts] {
            require_synced(store, resource)?;
            let state = store.sync_state(resource)?;
            missing.incomplete |= state.as_ref().is_none_or(|state| !state.complete);
            let floor = state.as_ref().and_then(|state| state.floor);
            let too_late = floor.filter(|floor| since.is_none_or(|since| since < *floor));
            missing.reaches_back_to = missing.reaches_back_to.max(too_late);
            watermarks.push(state.and_then(|state| state.watermark));
        }
        // `None` is less than any time, so the result is known only if both watermarks are.
        missing.synced_until = watermarks.into_iter().min().flatten();
        Ok(missing)
    }

    /// The end of the waiting times still running, in epoch seconds: the last complete sync, or else now.
    pub fn as_of(&self) -> i64 {
        self.synced_until.unwrap_or_else(|| Timestamp::now().as_second())
    }
}
