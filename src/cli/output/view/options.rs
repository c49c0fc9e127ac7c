//! How to show a single record, and what to show beside it. Filled by the commands that look at records; the flags of
//! the output only carry it.

use serde_json::Value;

/// How to show a record.
#[derive(Debug, Clone, Default)]
pub struct ViewOptions {
    /// As Markdown, for tickets and language models.
    pub markdown: bool,
    /// Show only this many messages, the last ones.
    pub last: Option<usize>,
    pub surroundings: Surroundings,
}

/// What a view shows beside the record. Everything is optional.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The address of the record in the Intercom app.
    pub address: Option<String>,
    /// The document of the contact that a conversation or ticket is with.
    pub contact: Option<Value>,
    /// Names of the contact's companies, tags and segments.
    pub companies: Vec<String>,
    pub tags: Vec<String>,
    pub segments: Vec<String>,
    /// Documents that have names for ids in the record.
    pub named: Vec<Value>,
}
