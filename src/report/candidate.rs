//! A person among several, with what tells them apart.

use serde::Serialize;

/// Somebody who may be meant. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub id: String,
    pub role: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub external_id: Option<String>,
    pub created_at: Option<i64>,
    pub last_seen_at: Option<i64>,
}
