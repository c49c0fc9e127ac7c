//! Reports open conversations without a recent message.

use rusqlite::params;
use serde::Serialize;
use serde_json::Value;

use super::error::{Error, require_synced};
use crate::mirror::{ResourceName, Store};

/// An open conversation without a recent message. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StaleConversation {
    pub id: String,
    pub title: Option<String>,
    pub state: String,
    pub idle_days: f64,
    /// The last message, or the start of the conversation.
    pub last_message_at: i64,
    /// `contact`, `teammate` or `bot`.
    pub last_message_by: String,
    pub waiting_since: Option<i64>,
    pub assignee: Option<String>,
    pub assignee_id: Option<String>,
    pub team: Option<String>,
    pub team_id: Option<String>,
    pub contact: Option<String>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
}

#[derive(Debug, Clone, Default)]
pub struct StaleOptions {
    /// Minimum time since the last message, in seconds.
    pub idle: i64,
    /// Epoch seconds.
    pub now: i64,
    /// Name, id or email address of a teammate or team; `none` for unassigned conversations.
    pub assigned_to: Option<String>,
    /// Whether to include snoozed conversations.
    pub snoozed: bool,
}

/// The stale conversations, the longest idle first.
///
/// # Errors
/// [`Error::NothingSynced`], [`Error::NoAssignee`], and if the store cannot be read.
pub fn stale(store: &Store, options: &StaleOptions) -> Result<Vec<StaleConversation>, Error> {
    require_synced(store, ResourceName::Conversations)?;
    let assignees = options.assigned_to.as_deref().map(|name| assignee_ids(store, name)).transpose()?;
    let unassigned = assignees.as_ref().is_some_and(Vec::is_empty);
    let assignees = Value::from(assignees.unwrap_or_default()).to_string();
    let sql = "
        WITH open AS (
            SELECT c.*, coalesce(c.state, iif(c.snoozed_until IS NULL, 'open', 'snoozed')) AS how,
                   (SELECT p.id FROM conversation_parts AS p
                     WHERE p.conversation_id = c.id AND p.has_text AND p.part_type NOT LIKE 'note%'
                     ORDER BY coalesce(p.created_at, p.updated_at) DESC, length(p.id) DESC, p.id DESC LIMIT 1) AS last
            FROM conversations AS c
            WHERE coalesce(c.state, iif(c.open = 0, 'closed', 'open')) <> 'closed'
        )
        SELECT c.id, coalesce(c.title, nullif(c.raw ->> '$.source.subject', '')), c.how,
               coalesce(p.created_at, p.updated_at, c.created_at, c.updated_at) AS spoken,
               coalesce(iif(p.id IS NULL, c.source_written_by, p.written_by), 'bot'),
               c.waiting_since, coalesce(a.name, c.admin_assignee_id), c.admin_assignee_id,
               coalesce(t.name, c.team_assignee_id), c.team_assignee_id,
               (SELECT coalesce(k.name, k.email, link.contact_id) FROM conversation_contacts AS link
                 LEFT JOIN contacts AS k ON k.id = link.contact_id WHERE link.conversation_id = c.id LIMIT 1),
               c.created_at, c.updated_at
        FROM open AS c
        LEFT JOIN conversation_parts AS p ON p.id = c.last
        LEFT JOIN teams AS t ON t.id = c.team_assignee_id
        LEFT JOIN admins AS a ON a.id = c.admin_assignee_id
        WHERE spoken <= ?1 AND (?2 OR c.how <> 'snoozed')
          AND (?3 = '[]' OR c.admin_assignee_id IN (SELECT value FROM json_each(?3))
               OR c.team_assignee_id IN (SELECT value FROM json_each(?3)))
          AND (NOT ?4 OR (c.admin_assignee_id IS NULL AND c.team_assignee_id IS NULL))
        ORDER BY spoken, length(c.id), c.id";
    let mut statement = store.connection().prepare_cached(sql)?;
    let before = options.now - options.idle;
    let rows = statement.query_map(params![before, options.snoozed, assignees, unassigned], |row| {
        let last_message_at: i64 = row.get(3)?;
        Ok(StaleConversation {
            id: row.get(0)?,
            title: row.get(1)?,
            state: row.get(2)?,
            idle_days: ((options.now - last_message_at) as f64 / 8640.0).round() / 10.0,
            last_message_at,
            last_message_by: row.get(4)?,
            waiting_since: row.get(5)?,
            assignee: row.get(6)?,
            assignee_id: row.get(7)?,
            team: row.get(8)?,
            team_id: row.get(9)?,
            contact: row.get(10)?,
            created_at: row.get(11)?,
            updated_at: row.get(12)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The ids of the teammates and teams of this name; empty for `none`.
fn assignee_ids(store: &Store, name: &str) -> Result<Vec<String>, Error> {
    let name = name.trim();
    if matches!(name, "none" | "nobody" | "unassigned") {
        return Ok(Vec::new());
    }
    let sql = "SELECT id FROM admins WHERE id = ?1 OR name = ?1 COLLATE NOCASE OR email = ?1
               UNION SELECT id FROM teams WHERE id = ?1 OR name = ?1 COLLATE NOCASE
               UNION SELECT ?1 WHERE EXISTS (SELECT 1 FROM conversations
                                             WHERE ?1 IN (admin_assignee_id, team_assignee_id))";
    let mut statement = store.connection().prepare_cached(sql)?;
    let ids = statement.query_map([name], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    if ids.is_empty() {
        let known = "SELECT name FROM teams UNION SELECT name FROM admins ORDER BY 1 LIMIT 40";
        let mut statement = store.connection().prepare_cached(known)?;
        let known = statement.query_map([], |row| row.get::<_, Option<String>>(0))?;
        let known = known.filter_map(|name| name.ok().flatten()).collect();
        return Err(Error::NoAssignee { name: name.to_owned(), known });
    }
    Ok(ids)
}
