//! The workspace that a token belongs to, as the API reports it.

use serde_json::Value;

use super::lenient;

/// Name for a workspace whose code the API did not report.
pub const UNKNOWN: &str = "unknown";

/// The workspace's short code, from the response to `/me`; [`UNKNOWN`] if it has none.
pub fn id_code(me: &Value) -> String {
    lenient::id(&me["app"]["id_code"]).unwrap_or_else(|| UNKNOWN.to_owned())
}
