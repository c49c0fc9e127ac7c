//! Keeps the plain text of records, and the index over it, in step with the records.
//!
//! Triggers note which records have changed, whoever changed them; here their text is read out, many
//! at a time, which costs a fraction of doing it record by record while pages arrive.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde_json::Value;

use super::error::Error;
use super::fields;
use super::grams::grams;
use super::plain;
use super::search_type::SearchType;
use super::store::Store;

/// Records whose text is read in one transaction: others can write in between.
const BATCH: u32 = 4000;

/// A table whose records hold text.
pub(super) struct Source {
    pub table: &'static str,
    pub kind: SearchType,
    /// Column with the id of what a reader would open.
    owner: &'static str,
    /// Column with the time that `since` looks at.
    written_at: &'static str,
    read: fn(&Value) -> Text,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Text {
    title: String,
    body: String,
}

impl Text {
    /// As the index finds it where words are not all there is.
    fn grams(&self) -> Option<String> {
        match (grams(&self.title), grams(&self.body)) {
            (Some(title), Some(body)) => Some(format!("{title}\n{body}")),
            (title, body) => title.or(body),
        }
    }
}

const fn source(
    table: &'static str,
    kind: SearchType,
    written_at: &'static str,
    read: fn(&Value) -> Text,
) -> Source {
    Source { table, kind, owner: "id", written_at, read }
}

pub(super) static SOURCES: &[Source] = &[
    source("contacts", SearchType::Contacts, "updated_at", contact),
    source("companies", SearchType::Companies, "updated_at", company),
    source("conversations", SearchType::Conversations, "created_at", conversation),
    Source {
        owner: "conversation_id",
        ..source("conversation_parts", SearchType::Conversations, "created_at", part)
    },
    source("tickets", SearchType::Tickets, "created_at", ticket),
    Source { owner: "ticket_id", ..source("ticket_parts", SearchType::Tickets, "created_at", part) },
    source("articles", SearchType::Articles, "updated_at", article),
    source("internal_articles", SearchType::Articles, "updated_at", article),
];

impl Store {
    /// Brings texts and index up to date; returns how many records had changed.
    ///
    /// # Errors
    /// When the database refuses, e.g. because another process writes for a long time.
    pub fn index(&mut self) -> Result<u64, Error> {
        let mut indexed = 0;
        while self.texts_due()? {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            indexed += batch(&transaction)?;
            transaction.commit()?;
        }
        Ok(indexed)
    }

    /// Whether records have changed since the index was last brought up to date.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn texts_due(&self) -> Result<bool, Error> {
        Ok(self.connection.query_row("SELECT EXISTS (SELECT 1 FROM texts_due)", [], |row| row.get(0))?)
    }
}

fn batch(connection: &Connection) -> Result<u64, Error> {
    let mut select =
        connection.prepare_cached("SELECT resource, record_id FROM texts_due ORDER BY 1, 2 LIMIT ?1")?;
    let due = select
        .query_map([BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    for (table, id) in &due {
        refresh(connection, table, id)?;
    }
    if let Some(last) = due.last() {
        let done = "DELETE FROM texts_due WHERE (resource, record_id) <= (?1, ?2)";
        connection.prepare_cached(done)?.execute((&last.0, &last.1))?;
    }
    Ok(due.len() as u64)
}

fn refresh(connection: &Connection, table: &str, id: &str) -> Result<(), Error> {
    let source = SOURCES.iter().find(|source| source.table == table);
    let found = source.map(|source| record(connection, source, id)).transpose()?.flatten();
    let Some((owner, written_at, text)) = found else {
        let remove = "DELETE FROM texts WHERE resource = ?1 AND record_id = ?2";
        connection.prepare_cached(remove)?.execute((table, id))?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO texts (resource, record_id, owner_id, written_at, title, body, grams)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (resource, record_id) DO UPDATE SET
                 owner_id = excluded.owner_id, written_at = excluded.written_at,
                 title = excluded.title, body = excluded.body, grams = excluded.grams",
        )?
        .execute((table, id, owner, written_at, &text.title, &text.body, text.grams()))?;
    Ok(())
}

/// Owner, time and text of a record; `None` when there is no such record, or nothing to read in it.
fn record(
    connection: &Connection,
    source: &Source,
    id: &str,
) -> Result<Option<(String, Option<i64>, Text)>, Error> {
    let Source { table, owner, written_at, .. } = source;
    let sql = format!("SELECT {owner}, {written_at}, raw FROM {table} WHERE id = ?1");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    Ok(found.and_then(|(owner, written_at, raw)| {
        let document: Value = serde_json::from_str(&raw).unwrap_or_default();
        let text = (source.read)(&document);
        (text != Text::default()).then_some((owner, written_at, text))
    }))
}

fn at(document: &Value, pointers: &[&str]) -> String {
    let values = pointers.iter().filter_map(|pointer| fields::text(fields::at(document, pointer)?));
    values.filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn html(document: &Value, pointer: &str) -> String {
    fields::at(document, pointer).and_then(Value::as_str).map(plain::text).unwrap_or_default()
}

fn contact(document: &Value) -> Text {
    Text { title: at(document, &["/name"]), body: at(document, &["/email", "/phone", "/external_id"]) }
}

fn company(document: &Value) -> Text {
    Text { title: at(document, &["/name"]), body: at(document, &["/company_id", "/website", "/industry"]) }
}

/// The subject may come as HTML, in a paragraph of its own.
fn conversation(document: &Value) -> Text {
    let title = at(document, &["/title"]);
    let title = if title.is_empty() { html(document, "/source/subject") } else { title };
    Text { title, body: html(document, "/source/body") }
}

fn part(document: &Value) -> Text {
    Text { title: String::new(), body: html(document, "/body") }
}

/// All that was filled in, whatever the ticket's type calls it.
fn ticket(document: &Value) -> Text {
    let attributes = document["ticket_attributes"].as_object();
    let written = attributes.into_iter().flatten().filter(|(name, _)| *name != "_default_title_");
    let body: Vec<String> = written.filter_map(|(_, value)| value.as_str()).map(plain::text).collect();
    Text { title: at(document, &["/ticket_attributes/_default_title_"]), body: body.join("\n") }
}

/// In every language there is.
fn article(document: &Value) -> Text {
    let translations = document["translated_content"].as_object();
    let others = translations.into_iter().flatten().map(|(_, content)| content);
    let mut text = Text { title: at(document, &["/title"]), body: String::new() };
    for content in std::iter::once(document).chain(others) {
        for piece in [at(content, &["/title"]), at(content, &["/description"]), html(content, "/body")] {
            if !piece.is_empty() && piece != text.title && !text.body.contains(&piece) {
                text.body = format!("{}\n{piece}", text.body).trim().to_owned();
            }
        }
    }
    text
}
