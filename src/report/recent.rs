//! The conversations of one contact, newest first.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde_json::Value;

use super::error::Error;
use crate::mirror::{Store, plain};

/// A contact and what there is to say about it. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recent {
    pub contact: Contact,
    pub conversations: Vec<Conversation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversation {
    pub id: String,
    pub state: Option<String>,
    /// Name of the team, or its id when it has no name.
    pub team: Option<String>,
    /// Name of the teammate, or the id.
    pub assignee: Option<String>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
    /// First line of the opening message, as plain text.
    pub first_line: String,
}

/// The newest conversations of the contact with this id or email address.
///
/// # Errors
/// [`Error::NoContact`], and when the store cannot be read.
pub fn recent(store: &Store, wanted: &str, limit: usize) -> Result<Recent, Error> {
    let contact = contact(store, wanted)?.ok_or_else(|| Error::NoContact { wanted: wanted.to_owned() })?;
    let mut statement = store.connection().prepare_cached(
        "SELECT c.id, c.state, coalesce(t.name, c.team_assignee_id), coalesce(a.name, c.admin_assignee_id),
                c.created_at, c.updated_at, c.raw
         FROM conversation_contacts link
         JOIN conversations c ON c.id = link.conversation_id
         LEFT JOIN teams t ON t.id = c.team_assignee_id
         LEFT JOIN admins a ON a.id = c.admin_assignee_id
         WHERE link.contact_id = ?1
         ORDER BY c.created_at DESC, length(c.id) DESC, c.id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let conversations = statement.query_map(params![contact.id, limit], |row| {
        Ok(Conversation {
            id: row.get(0)?,
            state: row.get(1)?,
            team: row.get(2)?,
            assignee: row.get(3)?,
            created_at: row.get(4)?,
            updated_at: row.get(5)?,
            first_line: first_line(row.get_ref(6)?.as_str().unwrap_or_default()),
        })
    })?;
    let conversations = conversations.collect::<Result<_, _>>()?;
    Ok(Recent { contact, conversations })
}

/// An address can belong to several contacts: users come before leads, then who changed last.
fn contact(store: &Store, wanted: &str) -> Result<Option<Contact>, Error> {
    let sql = "SELECT id, name, email FROM contacts WHERE id = ?1 OR email = ?1
               ORDER BY id = ?1 DESC, role = 'user' DESC, updated_at DESC LIMIT 1";
    let row = store.connection().prepare_cached(sql)?.query_row([wanted.trim()], |row| {
        Ok(Contact { id: row.get(0)?, name: row.get(1)?, email: row.get(2)? })
    });
    Ok(row.optional()?)
}

fn first_line(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let body = document["source"]["body"].as_str().unwrap_or_default();
    plain::text(body).lines().next().unwrap_or_default().to_owned()
}
