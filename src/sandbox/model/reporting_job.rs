//! Exports of reporting data.

/// An export, and what it contains.
#[derive(Debug, Clone)]
pub struct ReportingJob {
    pub id: String,
    pub dataset: &'static str,
    /// Ids of the exported attributes, without the name of the dataset.
    pub attributes: Vec<&'static str>,
    /// The exported period, in epoch seconds.
    pub from: i64,
    pub until: i64,
    /// When its file will be deleted, in epoch seconds; `None` while it is running.
    pub expires_at: Option<i64>,
}
