//! The tags, segments, notes and tickets of one contact.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde_json::Value;

use crate::html::plain;
use crate::mirror::read::json_cell;
use crate::report::error::Error;

/// A tag or a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactLabel {
    pub id: String,
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactNote {
    pub id: String,
    pub author: Option<String>,
    pub author_id: Option<String>,
    pub created_at: Option<i64>,
    pub written_by: &'static str,
    pub untrusted: bool,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketSummary {
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

pub fn linked_records(
    connection: &Connection,
    table: &str,
    links: &str,
    column: &str,
    contact: &str,
) -> Result<Vec<ContactLabel>, Error> {
    let sql = format!(
        "SELECT link.{column}, own.name FROM {links} AS link LEFT JOIN {table} AS own ON own.id = link.{column}
         WHERE link.contact_id = ?1 ORDER BY own.name IS NULL, own.name, link.{column}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows =
        statement.query_map([contact], |row| Ok(ContactLabel { id: row.get(0)?, name: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn notes(connection: &Connection, contact: &str) -> Result<Vec<ContactNote>, Error> {
    let sql =
        "SELECT note.id, note.author_id, note.created_at, note.raw, admin.name FROM contact_notes AS note
               LEFT JOIN admins AS admin ON admin.id = note.author_id
               WHERE note.contact_id = ?1 ORDER BY note.created_at DESC, note.id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([contact], |row| {
        let document: Value = json_cell(row.get_ref(3)?)?;
        let name: Option<String> = row.get(4)?;
        Ok(ContactNote {
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

pub fn tickets(connection: &Connection, contact: &str, limit: usize) -> Result<Vec<TicketSummary>, Error> {
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
        let document: Value = json_cell(row.get_ref(12)?)?;
        let description = document["ticket_attributes"]["_default_description_"].as_str().map(plain::text);
        Ok(TicketSummary {
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
