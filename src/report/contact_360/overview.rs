//! Builds the report from its sections.

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde_json::{Value, json};

use super::activity::{ContactEvent, ContactStats, stats, timeline};
use super::find::{ContactMatch, find_contact};
use super::records::{ContactLabel, ContactNote, TicketSummary, linked_records, notes, tickets};
use super::threads::{self, ConversationSummary};
use crate::data::lenient;
use crate::mirror::read::json_cell;
use crate::mirror::{ResourceName, Store};
use crate::report::error::{Error, was_synced};

/// The resources that the report reads.
const RESOURCES: [ResourceName; 10] = [
    ResourceName::Contacts,
    ResourceName::Companies,
    ResourceName::Conversations,
    ResourceName::ConversationParts,
    ResourceName::Tickets,
    ResourceName::Tags,
    ResourceName::Segments,
    ResourceName::Admins,
    ResourceName::Teams,
    ResourceName::TicketStates,
];

#[derive(Debug, Clone, Copy)]
pub struct ContactOptions {
    /// Maximum number of recent conversations, and of tickets.
    pub limit: usize,
    /// Whether to include whole threads.
    pub messages: bool,
}

impl Default for ContactOptions {
    fn default() -> Self {
        ContactOptions { limit: 10, messages: false }
    }
}

/// A contact with all its records. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contact360 {
    /// The API document, or else the author of one of its conversations.
    pub contact: Value,
    /// API documents.
    pub companies: Vec<Value>,
    /// Open and snoozed, the last active first.
    pub open_conversations: Vec<ConversationSummary>,
    /// In any state, the last active first.
    pub recent_conversations: Vec<ConversationSummary>,
    pub recent_tickets: Vec<TicketSummary>,
    /// The same as `recent_tickets`.
    pub tickets: Vec<TicketSummary>,
    /// The newest first.
    pub notes: Vec<ContactNote>,
    pub tags: Vec<ContactLabel>,
    pub segments: Vec<ContactLabel>,
    /// The newest first.
    pub timeline: Vec<ContactEvent>,
    pub stats: ContactStats,
    /// Leads that were merged into this contact.
    #[serde(skip)]
    pub merged: Vec<String>,
    /// Resources that were never synced.
    #[serde(skip)]
    pub never_synced: Vec<ResourceName>,
}

/// The report about a contact; `query` is an id, an external id, an email address or a telephone number.
///
/// # Errors
/// [`Error::NothingSynced`] if neither contacts nor conversations were synced, [`Error::NoContact`],
/// [`Error::SeveralContacts`], and if the store cannot be read.
pub fn contact_360(store: &Store, query: &str, options: &ContactOptions) -> Result<Contact360, Error> {
    let transaction = store.connection().unchecked_transaction()?;
    let mut never_synced = Vec::new();
    for resource in RESOURCES {
        if !was_synced(store, resource)? {
            never_synced.push(resource);
        }
    }
    let never = |resource| never_synced.contains(&resource);
    if never(ResourceName::Contacts) && never(ResourceName::Conversations) {
        return Err(Error::NothingSynced { resource: ResourceName::Contacts });
    }
    let ContactMatch { id, merged } = find_contact(&transaction, query)?;
    let contact = document(&transaction, &id)?;
    let conversations = |all, limit| threads::conversations(&transaction, &id, all, limit, options.messages);
    let tickets = tickets(&transaction, &id, options.limit)?;
    let notes = notes(&transaction, &id)?;
    let stats = stats(&transaction, &id, &contact)?;
    Ok(Contact360 {
        companies: companies(&transaction, &id, &contact)?,
        open_conversations: conversations(false, usize::MAX)?,
        recent_conversations: conversations(true, options.limit)?,
        recent_tickets: tickets.clone(),
        timeline: timeline(&transaction, &id, &contact, &tickets, &notes, options.limit)?,
        tickets,
        notes,
        tags: linked_records(&transaction, "tags", "contact_tags", "tag_id", &id)?,
        segments: linked_records(&transaction, "segments", "contact_segments", "segment_id", &id)?,
        stats,
        contact,
        merged,
        never_synced,
    })
}

/// The contact's document, or what one of its conversations says about it.
fn document(connection: &Connection, id: &str) -> Result<Value, Error> {
    let query = |sql: &str| {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([id], |row| json_cell::<Value>(row.get_ref(0)?)).optional()
    };
    if let Some(document) = query("SELECT raw FROM contacts WHERE id = ?1")? {
        return Ok(document);
    }
    let sql = "SELECT raw -> '$.source.author' FROM conversations WHERE source_author_id = ?1 LIMIT 1";
    let author = query(sql)?.unwrap_or_default();
    Ok(json!({
        "type": "contact", "id": id, "role": author["type"], "name": author["name"], "email": author["email"],
    }))
}

fn companies(connection: &Connection, id: &str, contact: &Value) -> Result<Vec<Value>, Error> {
    let sql = "SELECT link.company_id, own.raw FROM contact_companies AS link
               LEFT JOIN companies AS own ON own.id = link.company_id
               WHERE link.contact_id = ?1 ORDER BY own.name IS NULL, own.name, link.company_id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows =
        statement.query_map([id], |row| Ok((row.get::<_, String>(0)?, json_cell(row.get_ref(1)?)?)))?;
    let mut companies = Vec::new();
    for row in rows {
        let (company, document) = row?;
        let listed = contact["companies"]["data"].as_array().into_iter().flatten();
        let mut listed = listed.filter(|document| lenient::id(&document["id"]).as_ref() == Some(&company));
        companies.push(match document {
            Value::Null => {
                listed.next().cloned().unwrap_or_else(|| json!({"type": "company", "id": company}))
            }
            document => document,
        });
    }
    Ok(companies)
}
