//! Finds the contacts of the workspace that an id, email address, external id or phone number belongs to.
//!
//! Returns every match, so that a caller never guesses between several. A contact that was created minutes ago may not be
//! in the server's search yet.

use futures::TryStreamExt;
use serde_json::Value;

use crate::api;
use crate::api::client::Client;
use crate::api::request_builder::operation;
use crate::data::lenient;
use crate::filter::contact_lookup;
use crate::mirror::{ContactSummary, contact_search};

/// # Errors
/// Those of the API.
pub async fn find_contacts(client: &Client, query: &str) -> Result<Vec<ContactSummary>, api::Error> {
    let search = operation("SearchContacts")?;
    let pages: Vec<_> = client.pages(search, contact_search(query), None).try_collect().await?;
    let mut found = Vec::new();
    for record in pages.iter().flat_map(|page| &page.items) {
        let Ok(contact) = serde_json::from_str::<Value>(record.get()) else { continue };
        // The search covers spellings that differ from the query.
        if contact_lookup::is_match(query, &contact) {
            found.extend(summary(&contact));
        }
    }
    Ok(found)
}

fn summary(contact: &Value) -> Option<ContactSummary> {
    let text = |field: &str| lenient::text(&contact[field]).filter(|text| !text.is_empty());
    Some(ContactSummary {
        id: lenient::id(&contact["id"])?,
        role: text("role"),
        name: text("name"),
        email: text("email"),
        phone: text("phone"),
        external_id: text("external_id"),
        created_at: lenient::moment(&contact["created_at"]),
        last_seen_at: lenient::moment(&contact["last_seen_at"]),
    })
}
