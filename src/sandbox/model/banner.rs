//! Banners, and how contacts saw them.

use serde_json::{Value, json};

use super::plain::PlainRecord;

/// What one contact did with one banner.
#[derive(Debug, Clone, Copy, Default)]
pub struct BannerView {
    /// When the API first returned the banner for the contact; `None` before.
    pub shown_at: Option<i64>,
    pub dismissed: bool,
}

/// The id of a contact's view of a banner.
pub fn view_id(banner_id: &str, contact_id: &str) -> String {
    format!("{banner_id}-{contact_id}")
}

/// The banner as shown to a contact.
pub fn document(banner: &PlainRecord, view_id: &str, shown_at: i64) -> Value {
    let mut document = json!({"type": "banner", "id": banner.id, "view_id": view_id});
    for field in ["title", "body", "style", "position", "show_dismiss_button", "action"] {
        document[field] = banner.document[field].clone();
    }
    document["client_targeting"] = Value::Null;
    document["created_at"] = json!(shown_at);
    document
}
