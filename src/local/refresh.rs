//! What became of one record that was fetched outside of a sync.

/// The result of refreshing one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refreshed {
    /// The record is stored as the workspace has it now.
    Stored {
        /// Its id. That of the surviving contact, if the requested one was merged into another.
        id: String,
    },
    /// The workspace no longer has the record. The mirror keeps its copy until the next sync, which checks and removes it.
    Gone,
}
