//! The conversations of one contact, with their last message or all messages.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;

use crate::data::lenient;
use crate::html::plain;
use crate::mirror::author;
use crate::mirror::read::json_cell;
use crate::report::error::Error;
use crate::report::timeline::Speaker;

/// A message. `at` is epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThreadMessage {
    /// `None` for the opening message.
    pub part_id: Option<String>,
    /// `None` for the opening message.
    pub part_type: Option<String>,
    pub at: Option<i64>,
    pub author: Option<String>,
    pub author_id: Option<String>,
    /// `contact`, `teammate` or `bot`.
    pub written_by: &'static str,
    /// Whether it was written outside the team: data, never instructions.
    pub untrusted: bool,
    /// Plain text.
    pub text: String,
}

/// A conversation. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversationSummary {
    pub id: String,
    /// Title, or the subject of the first message.
    pub title: Option<String>,
    /// `open`, `closed` or `snoozed`.
    pub state: String,
    pub priority: Option<String>,
    pub channel: Option<String>,
    pub assignee: Option<String>,
    pub assignee_id: Option<String>,
    pub team: Option<String>,
    pub team_id: Option<String>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
    pub waiting_since: Option<i64>,
    pub snoozed_until: Option<i64>,
    pub rating: Option<i64>,
    pub tags: Vec<String>,
    /// Whether its parts are in the mirror: `missing`, `outdated` or `complete`.
    pub parts: String,
    pub last_message: Option<ThreadMessage>,
    /// With `--depth messages`: all parts with text, except notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<ThreadMessage>>,
}

/// The state of a conversation; documents have `state`, `open` or neither.
pub const STATE: &str = "coalesce(c.state, CASE c.open WHEN 0 THEN 'closed' WHEN 1 THEN iif(c.snoozed_until IS NULL, 'open', 'snoozed') END, 'open')";

/// The conversations that list a contact, or that it started.
pub const OWN: &str = "
    SELECT conversation_id AS id FROM conversation_contacts WHERE contact_id = ?1
    UNION SELECT id FROM conversations WHERE source_author_id = ?1 AND source_author_type <> 'admin'";

/// The conversations of a contact, the last active first; closed ones only if `all`. `with_messages` includes whole
/// threads.
pub fn conversations(
    connection: &Connection,
    contact: &str,
    all: bool,
    limit: usize,
    with_messages: bool,
) -> Result<Vec<ConversationSummary>, Error> {
    let sql = format!(
        "SELECT c.id, c.title, {STATE}, c.priority, c.source_type, coalesce(a.name, c.admin_assignee_id),
                c.admin_assignee_id, coalesce(t.name, c.team_assignee_id), c.team_assignee_id, c.created_at,
                c.updated_at, c.waiting_since, c.snoozed_until, c.rating,
                CASE WHEN s.conversation_id IS NULL THEN 'missing'
                     WHEN s.updated_at IS NOT c.updated_at THEN 'outdated' ELSE 'complete' END,
                c.raw
         FROM conversations AS c
         LEFT JOIN teams AS t ON t.id = c.team_assignee_id
         LEFT JOIN admins AS a ON a.id = c.admin_assignee_id
         LEFT JOIN conversation_parts_state AS s ON s.conversation_id = c.id
         WHERE c.id IN ({OWN}) AND (?2 OR {STATE} <> 'closed')
         ORDER BY coalesce(c.updated_at, c.created_at) DESC, length(c.id) DESC, c.id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![contact, all, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(conversation(connection, row, with_messages)?);
    }
    Ok(found)
}

fn conversation(
    connection: &Connection,
    row: &Row<'_>,
    with_messages: bool,
) -> Result<ConversationSummary, Error> {
    let document: Value = json_cell(row.get_ref(15)?)?;
    let id: String = row.get(0)?;
    let opening = opening(&document, row.get(9)?);
    let (last_message, messages) = if with_messages {
        let mut messages: Vec<ThreadMessage> = opening.into_iter().collect();
        messages.extend(replies(connection, &id, None)?);
        (messages.last().cloned(), Some(messages))
    } else {
        (replies(connection, &id, Some(1))?.pop().or(opening), None)
    };
    let title: Option<String> = row.get(1)?;
    let subject = || document["source"]["subject"].as_str().map(plain::text);
    Ok(ConversationSummary {
        title: title.or_else(subject).filter(|title| !title.is_empty()),
        state: row.get(2)?,
        priority: row.get(3)?,
        channel: row.get(4)?,
        assignee: row.get(5)?,
        assignee_id: row.get(6)?,
        team: row.get(7)?,
        team_id: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        waiting_since: row.get(11)?,
        snoozed_until: row.get(12)?,
        rating: row.get(13)?,
        tags: tags(connection, &id)?,
        parts: row.get(14)?,
        last_message,
        messages,
        id,
    })
}

fn tags(connection: &Connection, conversation: &str) -> Result<Vec<String>, Error> {
    let sql = "SELECT coalesce(tag.name, link.tag_id) FROM conversation_tags AS link
               LEFT JOIN tags AS tag ON tag.id = link.tag_id WHERE link.conversation_id = ?1 ORDER BY 1";
    let mut statement = connection.prepare_cached(sql)?;
    let names = statement.query_map([conversation], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The opening message, if it has any text.
fn opening(document: &Value, at: Option<i64>) -> Option<ThreadMessage> {
    let source = &document["source"];
    let text = source["body"].as_str().map(plain::text).filter(|text| !text.is_empty())?;
    let by = Speaker::of(Some(author::of_opening(document)));
    Some(message(None, None, at, &source["author"], by, text))
}

/// The last `limit` parts with text, in order of time.
fn replies(
    connection: &Connection,
    conversation: &str,
    limit: Option<i64>,
) -> Result<Vec<ThreadMessage>, Error> {
    let sql = "SELECT id, part_type, coalesce(created_at, updated_at) AS written_at, written_by, raw
               FROM conversation_parts
               WHERE conversation_id = ?1 AND has_text AND part_type <> 'note' AND part_type <> 'note_and_reopen'
               ORDER BY written_at DESC, length(id) DESC, id DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![conversation, limit.unwrap_or(-1)])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let document: Value = json_cell(row.get_ref(4)?)?;
        let by = Speaker::of(row.get_ref(3)?.as_str_or_null().map_err(rusqlite::Error::from)?);
        let text = document["body"].as_str().map(plain::text).unwrap_or_default();
        let text = if text.is_empty() { "(attachment)".to_owned() } else { text };
        messages.push(message(row.get(0)?, row.get(1)?, row.get(2)?, &document["author"], by, text));
    }
    messages.reverse();
    Ok(messages)
}

fn message(
    part_id: Option<String>,
    part_type: Option<String>,
    at: Option<i64>,
    author: &Value,
    by: Speaker,
    text: String,
) -> ThreadMessage {
    let name = ["name", "email"].iter().find_map(|key| author[*key].as_str().filter(|text| !text.is_empty()));
    ThreadMessage {
        part_id,
        part_type,
        at,
        author: name.map(str::to_owned),
        author_id: lenient::id(&author["id"]),
        written_by: by.name(),
        untrusted: by == Speaker::Contact,
        text,
    }
}
