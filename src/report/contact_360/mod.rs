//! Collects everything that the mirror knows about one contact.
//!
//! Text by customers is marked with `untrusted`, because readers must treat it as data. Resources that were never
//! synced are reported, so that an empty list is not mistaken for a complete one.

mod find;
mod threads;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Value, json};

pub use find::{ContactMatch, find_contact, matching_contacts};
pub use threads::{ConversationSummary, Message};
use threads::{OWN, STATE};

use super::error::Error;
use crate::data::lenient;
use crate::html::plain;
use crate::mirror::{ResourceName, Store};

/// The resources that the report reads.
pub const RESOURCES: [ResourceName; 10] = [
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
    pub recent_tickets: Vec<Ticket>,
    /// The same as `recent_tickets`.
    pub tickets: Vec<Ticket>,
    /// The newest first.
    pub notes: Vec<Note>,
    pub tags: Vec<NamedRecord>,
    pub segments: Vec<NamedRecord>,
    /// The newest first.
    pub timeline: Vec<Event>,
    pub stats: Stats,
    /// Leads that were merged into this contact.
    #[serde(skip)]
    pub merged: Vec<String>,
    /// Resources that were never synced.
    #[serde(skip)]
    pub never_synced: Vec<ResourceName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedRecord {
    pub id: String,
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub id: String,
    pub author: Option<String>,
    pub author_id: Option<String>,
    pub created_at: Option<i64>,
    pub written_by: &'static str,
    pub untrusted: bool,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ticket {
    pub id: String,
    /// The number shown to people.
    pub ticket_id: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub category: Option<String>,
    pub state: Option<String>,
    pub open: Option<bool>,
    pub assignee: Option<String>,
    pub assignee_id: Option<String>,
    pub team: Option<String>,
    pub team_id: Option<String>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
    /// Always true: the title and the description may be written by a customer.
    pub untrusted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub at: i64,
    /// `signed_up`, `last_seen`, `conversation_started`, `contact_message`, `teammate_message`,
    /// `bot_message`, `conversation_closed`, `ticket_created`, `note_added`, `contact_created`.
    pub kind: &'static str,
    /// The id of the conversation, ticket or note.
    pub id: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    pub conversations: u64,
    pub open_conversations: u64,
    pub snoozed_conversations: u64,
    pub closed_conversations: u64,
    pub tickets: u64,
    pub open_tickets: u64,
    pub notes: u64,
    pub companies: u64,
    /// Parts written by the contact, without opening messages.
    pub replies: u64,
    pub average_rating: Option<f64>,
    pub first_conversation_at: Option<i64>,
    pub last_conversation_at: Option<i64>,
    pub last_activity_at: Option<i64>,
    pub last_seen_at: Option<i64>,
    pub days_as_contact: Option<i64>,
}

/// The report about a contact; `query` is an id, an external id, an e-mail address or a telephone number.
///
/// # Errors
/// [`Error::NothingSynced`] if neither contacts nor conversations were synced, [`Error::NoContact`],
/// [`Error::SeveralContacts`], and if the store cannot be read.
pub fn contact_360(store: &Store, query: &str, options: &ContactOptions) -> Result<Contact360, Error> {
    let transaction = store.connection().unchecked_transaction()?;
    let mut never_synced = Vec::new();
    for resource in RESOURCES {
        if store.sync_state(resource)?.is_none_or(|state| state.watermark.is_none())
            && store.is_empty(resource)?
        {
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
        timeline: timeline(&transaction, &id, &contact, &tickets, &notes, options)?,
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

fn parsed(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(serde_json::from_str(row.get_ref(at)?.as_str().unwrap_or_default()).unwrap_or_default())
}

fn document(connection: &Connection, id: &str) -> Result<Value, Error> {
    let sql = "SELECT raw FROM contacts WHERE id = ?1";
    let document = connection.prepare_cached(sql)?.query_row([id], |row| parsed(row, 0)).optional()?;
    if let Some(document) = document {
        return Ok(document);
    }
    let sql = "SELECT raw -> '$.source.author' FROM conversations WHERE source_author_id = ?1 LIMIT 1";
    let author = connection.prepare_cached(sql)?.query_row([id], |row| parsed(row, 0)).optional()?;
    let author = author.unwrap_or_default();
    Ok(json!({
        "type": "contact", "id": id, "role": author["type"], "name": author["name"], "email": author["email"],
    }))
}

fn companies(connection: &Connection, id: &str, contact: &Value) -> Result<Vec<Value>, Error> {
    let sql = "SELECT link.company_id, own.raw FROM contact_companies AS link
               LEFT JOIN companies AS own ON own.id = link.company_id
               WHERE link.contact_id = ?1 ORDER BY own.name IS NULL, own.name, link.company_id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([id], |row| Ok((row.get::<_, String>(0)?, parsed(row, 1)?)))?;
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

fn linked_records(
    connection: &Connection,
    table: &str,
    links: &str,
    column: &str,
    contact: &str,
) -> Result<Vec<NamedRecord>, Error> {
    let sql = format!(
        "SELECT link.{column}, own.name FROM {links} AS link LEFT JOIN {table} AS own ON own.id = link.{column}
         WHERE link.contact_id = ?1 ORDER BY own.name IS NULL, own.name, link.{column}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows =
        statement.query_map([contact], |row| Ok(NamedRecord { id: row.get(0)?, name: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn notes(connection: &Connection, contact: &str) -> Result<Vec<Note>, Error> {
    let sql =
        "SELECT note.id, note.author_id, note.created_at, note.raw, admin.name FROM contact_notes AS note
               LEFT JOIN admins AS admin ON admin.id = note.author_id
               WHERE note.contact_id = ?1 ORDER BY note.created_at DESC, note.id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([contact], |row| {
        let document = parsed(row, 3)?;
        let name: Option<String> = row.get(4)?;
        Ok(Note {
            id: row.get(0)?,
            author: name.or_else(|| document["author"]["name"].as_str().map(str::to_owned)),
            author_id: row.get(1)?,
            created_at: row.get(2)?,
            written_by: "teammate",
            untrusted: false,
            text: document["body"].as_str().map(plain::text).unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn tickets(connection: &Connection, contact: &str, limit: usize) -> Result<Vec<Ticket>, Error> {
    let sql = "SELECT t.id, t.ticket_id, t.title, t.category, t.state, t.open, coalesce(a.name, t.admin_assignee_id),
                      t.admin_assignee_id, coalesce(team.name, t.team_assignee_id), t.team_assignee_id,
                      t.created_at, t.updated_at, t.raw
               FROM ticket_contacts AS link JOIN tickets AS t ON t.id = link.ticket_id
               LEFT JOIN admins AS a ON a.id = t.admin_assignee_id
               LEFT JOIN teams AS team ON team.id = t.team_assignee_id
               WHERE link.contact_id = ?1
               ORDER BY coalesce(t.updated_at, t.created_at) DESC, length(t.id) DESC, t.id DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![contact, limit], |row| {
        let document = parsed(row, 12)?;
        let description = document["ticket_attributes"]["_default_description_"].as_str().map(plain::text);
        Ok(Ticket {
            id: row.get(0)?,
            ticket_id: row.get(1)?,
            title: row.get(2)?,
            description,
            category: row.get(3)?,
            state: row.get(4)?,
            open: row.get(5)?,
            assignee: row.get(6)?,
            assignee_id: row.get(7)?,
            team: row.get(8)?,
            team_id: row.get(9)?,
            created_at: row.get(10)?,
            updated_at: row.get(11)?,
            untrusted: true,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stats(connection: &Connection, contact: &str, document: &Value) -> Result<Stats, Error> {
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE {STATE} <> 'closed'), count(*) FILTER (WHERE {STATE} = 'snoozed'),
                min(c.created_at), max(c.created_at), max(c.updated_at), avg(c.rating)
         FROM conversations AS c WHERE c.id IN ({OWN})"
    );
    let created_at = lenient::time(&document["created_at"]);
    let mut stats = connection.prepare_cached(&sql)?.query_row([contact], |row| {
        let (all, open): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(Stats {
            conversations: all.unsigned_abs(),
            open_conversations: open.unsigned_abs(),
            closed_conversations: (all - open).unsigned_abs(),
            snoozed_conversations: row.get::<_, i64>(2)?.unsigned_abs(),
            first_conversation_at: row.get(3)?,
            last_conversation_at: row.get(4)?,
            last_activity_at: row.get(5)?,
            average_rating: row.get::<_, Option<f64>>(6)?.map(|rating| (rating * 100.0).round() / 100.0),
            ..Stats::default()
        })
    })?;
    let sql = "SELECT (SELECT count(*) FROM ticket_contacts WHERE contact_id = ?1),
                      (SELECT count(*) FROM ticket_contacts AS link JOIN tickets AS t ON t.id = link.ticket_id
                        WHERE link.contact_id = ?1 AND t.open),
                      (SELECT count(*) FROM contact_notes WHERE contact_id = ?1),
                      (SELECT count(*) FROM contact_companies WHERE contact_id = ?1),
                      (SELECT count(*) FROM conversation_parts WHERE author_id = ?1 AND has_text)";
    let counts = connection.prepare_cached(sql)?.query_row([contact], |row| {
        let mut counts = [0_u64; 5];
        for (at, count) in counts.iter_mut().enumerate() {
            *count = row.get::<_, i64>(at)?.unsigned_abs();
        }
        Ok(counts)
    })?;
    [stats.tickets, stats.open_tickets, stats.notes, stats.companies, stats.replies] = counts;
    stats.last_seen_at = lenient::time(&document["last_seen_at"]);
    stats.days_as_contact = created_at.map(|at| (Timestamp::now().as_second() - at).max(0) / 86_400);
    Ok(stats)
}

fn timeline(
    connection: &Connection,
    contact: &str,
    document: &Value,
    tickets: &[Ticket],
    notes: &[Note],
    options: &ContactOptions,
) -> Result<Vec<Event>, Error> {
    let most = options.limit.saturating_mul(5);
    let mut events = Vec::new();
    for (key, kind) in
        [("created_at", "contact_created"), ("signed_up_at", "signed_up"), ("last_seen_at", "last_seen")]
    {
        events.extend(lenient::time(&document[key]).map(|at| Event { at, kind, id: None }));
    }
    let ticket = |ticket: &Ticket| {
        Some(Event { at: ticket.created_at?, kind: "ticket_created", id: Some(ticket.id.clone()) })
    };
    let note =
        |note: &Note| Some(Event { at: note.created_at?, kind: "note_added", id: Some(note.id.clone()) });
    events.extend(tickets.iter().filter_map(ticket));
    events.extend(notes.iter().filter_map(note));
    let sql = format!(
        "WITH own AS ({OWN})
         SELECT created_at, 'conversation_started', id FROM conversations WHERE id IN own AND created_at IS NOT NULL
         UNION ALL
         SELECT created_at, CASE WHEN part_type = 'close' THEN 'conversation_closed'
                                 ELSE coalesce(written_by, 'bot') || '_message' END, conversation_id
         FROM conversation_parts
         WHERE conversation_id IN own AND created_at IS NOT NULL
           AND (part_type = 'close' OR (has_text AND part_type <> 'note'))
         ORDER BY 1 DESC LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![contact, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        let kind = match row.get_ref(1)?.as_str().unwrap_or_default() {
            "conversation_started" => "conversation_started",
            "conversation_closed" => "conversation_closed",
            "teammate_message" => "teammate_message",
            "contact_message" => "contact_message",
            _ => "bot_message",
        };
        Ok(Event { at: row.get(0)?, kind, id: row.get(2)? })
    })?;
    for row in rows {
        events.push(row?);
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(most);
    Ok(events)
}
