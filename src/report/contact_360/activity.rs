//! What one contact did: figures, and events in order of time.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;
use serde_json::Value;

use super::records::{ContactNote, TicketSummary};
use super::threads::{OWN, STATE};
use crate::data::lenient;
use crate::report::error::Error;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactEvent {
    pub at: i64,
    /// `signed_up`, `last_seen`, `conversation_started`, `contact_message`, `teammate_message`,
    /// `bot_message`, `conversation_closed`, `ticket_created`, `note_added`, `contact_created`.
    pub kind: &'static str,
    /// The id of the conversation, ticket or note.
    pub id: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ContactStats {
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

/// The figures; `document` is the contact.
pub fn stats(connection: &Connection, contact: &str, document: &Value) -> Result<ContactStats, Error> {
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE {STATE} <> 'closed'), count(*) FILTER (WHERE {STATE} = 'snoozed'),
                min(c.created_at), max(c.created_at), max(c.updated_at), avg(c.rating)
         FROM conversations AS c WHERE c.id IN ({OWN})"
    );
    let created_at = lenient::time(&document["created_at"]);
    let mut stats = connection.prepare_cached(&sql)?.query_row([contact], |row| {
        let (all, open): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(ContactStats {
            conversations: all.unsigned_abs(),
            open_conversations: open.unsigned_abs(),
            closed_conversations: (all - open).unsigned_abs(),
            snoozed_conversations: row.get::<_, i64>(2)?.unsigned_abs(),
            first_conversation_at: row.get(3)?,
            last_conversation_at: row.get(4)?,
            last_activity_at: row.get(5)?,
            average_rating: row.get::<_, Option<f64>>(6)?.map(|rating| (rating * 100.0).round() / 100.0),
            ..ContactStats::default()
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

/// The newest events, at most five times `limit`.
pub fn timeline(
    connection: &Connection,
    contact: &str,
    document: &Value,
    tickets: &[TicketSummary],
    notes: &[ContactNote],
    limit: usize,
) -> Result<Vec<ContactEvent>, Error> {
    let most = limit.saturating_mul(5);
    let mut events = Vec::new();
    for (key, kind) in
        [("created_at", "contact_created"), ("signed_up_at", "signed_up"), ("last_seen_at", "last_seen")]
    {
        events.extend(lenient::time(&document[key]).map(|at| ContactEvent { at, kind, id: None }));
    }
    let ticket = |ticket: &TicketSummary| {
        Some(ContactEvent { at: ticket.created_at?, kind: "ticket_created", id: Some(ticket.id.clone()) })
    };
    let note = |note: &ContactNote| {
        Some(ContactEvent { at: note.created_at?, kind: "note_added", id: Some(note.id.clone()) })
    };
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
        let kind = match row.get_ref(1)?.as_str()? {
            "conversation_started" => "conversation_started",
            "conversation_closed" => "conversation_closed",
            "teammate_message" => "teammate_message",
            "contact_message" => "contact_message",
            _ => "bot_message",
        };
        Ok(ContactEvent { at: row.get(0)?, kind, id: row.get(2)? })
    })?;
    for row in rows {
        events.push(row?);
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(most);
    Ok(events)
}
