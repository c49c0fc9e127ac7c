//! Keeps the full-text index, and the plain text of records that it covers, up to date.
//!
//! Triggers record which records changed, whatever changed them. Their text is extracted here in batches, which costs
//! a fraction of doing it record by record while pages arrive.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde_json::Value;

use super::Store;
use super::grams::grams;
use super::search_type::SearchType;
use crate::data::lenient;
use crate::html::plain;
use crate::mirror::error::Error;

/// Records per transaction. Other processes can write between two of them.
const BATCH: u32 = 4000;

/// A table with searchable text.
pub(super) struct TextSource {
    pub table: &'static str,
    pub kind: SearchType,
    /// Column with the id of the record that a reader would open.
    owner: &'static str,
    /// Column with the time for `since`.
    written_at: &'static str,
    read: fn(&Value) -> Text,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Text {
    title: String,
    body: String,
}

impl Text {
    /// Character n-grams, for scripts without spaces between words.
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
) -> TextSource {
    TextSource { table, kind, owner: "id", written_at, read }
}

pub(super) static SOURCES: &[TextSource] = &[
    source("contacts", SearchType::Contacts, "updated_at", contact),
    source("companies", SearchType::Companies, "updated_at", company),
    source("conversations", SearchType::Conversations, "created_at", conversation),
    TextSource {
        owner: "conversation_id",
        ..source("conversation_parts", SearchType::Conversations, "created_at", part)
    },
    source("tickets", SearchType::Tickets, "created_at", ticket),
    TextSource { owner: "ticket_id", ..source("ticket_parts", SearchType::Tickets, "created_at", part) },
    source("articles", SearchType::Articles, "updated_at", article),
    source("internal_articles", SearchType::Articles, "updated_at", article),
];

impl Store {
    /// Brings texts and index up to date; returns the number of changed records.
    ///
    /// # Errors
    /// If the database fails, for example because another process writes for a long time.
    pub fn index(&mut self) -> Result<u64, Error> {
        let mut indexed = 0;
        while self.texts_due()? {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            indexed += index_batch(&transaction)?;
            transaction.commit()?;
        }
        Ok(indexed)
    }

    /// Brings the index up to date through another connection, because this one may only read. Returns the reason if
    /// that failed; searches then miss the latest records.
    ///
    /// # Errors
    /// If this connection fails, or the file cannot be used at all.
    pub fn update_index(&self) -> Result<Option<Error>, Error> {
        if !self.texts_due()? {
            return Ok(None);
        }
        match Store::open(self.path()).and_then(|mut store| store.index()) {
            Ok(_) => Ok(None),
            Err(error @ (Error::Database(_) | Error::File { .. })) => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    /// Whether records have changed since the index was last updated.
    ///
    /// # Errors
    /// If the database fails.
    pub fn texts_due(&self) -> Result<bool, Error> {
        Ok(self.connection.query_row("SELECT EXISTS (SELECT 1 FROM texts_due)", [], |row| row.get(0))?)
    }
}

fn index_batch(connection: &Connection) -> Result<u64, Error> {
    let mut select =
        connection.prepare_cached("SELECT resource, record_id FROM texts_due ORDER BY 1, 2 LIMIT ?1")?;
    let due = select
        .query_map([BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    for (table, id) in &due {
        index_record(connection, table, id)?;
    }
    if let Some(last) = due.last() {
        let done = "DELETE FROM texts_due WHERE (resource, record_id) <= (?1, ?2)";
        connection.prepare_cached(done)?.execute((&last.0, &last.1))?;
    }
    Ok(due.len() as u64)
}

fn index_record(connection: &Connection, table: &str, id: &str) -> Result<(), Error> {
    let source = SOURCES.iter().find(|source| source.table == table);
    let record = source.map(|source| read(connection, source, id)).transpose()?.flatten();
    let Some((owner, written_at, text)) = record else {
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

/// Owner, time and text of a record; `None` if it does not exist or has no text.
fn read(
    connection: &Connection,
    source: &TextSource,
    id: &str,
) -> Result<Option<(String, Option<i64>, Text)>, Error> {
    let TextSource { table, owner, written_at, .. } = source;
    let sql = format!("SELECT {owner}, {written_at}, raw FROM {table} WHERE id = ?1");
    let record = connection
        .prepare_cached(&sql)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    Ok(record.and_then(|(owner, written_at, raw)| {
        // A document that is nested too deeply to parse has no searchable text.
        let document: Value = serde_json::from_str(&raw).ok()?;
        let text = (source.read)(&document);
        (text != Text::default()).then_some((owner, written_at, text))
    }))
}

fn at(document: &Value, pointers: &[&str]) -> String {
    let values = pointers.iter().filter_map(|pointer| lenient::text(lenient::at(document, pointer)?));
    values.filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn html(document: &Value, pointer: &str) -> String {
    lenient::at(document, pointer).and_then(Value::as_str).map(plain::text).unwrap_or_default()
}

fn contact(document: &Value) -> Text {
    Text { title: at(document, &["/name"]), body: at(document, &["/email", "/phone", "/external_id"]) }
}

fn company(document: &Value) -> Text {
    Text { title: at(document, &["/name"]), body: at(document, &["/company_id", "/website", "/industry"]) }
}

/// The subject may be HTML, in its own paragraph.
fn conversation(document: &Value) -> Text {
    let title = at(document, &["/title"]);
    let title = if title.is_empty() { html(document, "/source/subject") } else { title };
    Text { title, body: html(document, "/source/body") }
}

fn part(document: &Value) -> Text {
    Text { title: String::new(), body: html(document, "/body") }
}

/// All attributes with text, regardless of the ticket type.
fn ticket(document: &Value) -> Text {
    let attributes = document["ticket_attributes"].as_object();
    let others = attributes.into_iter().flatten().filter(|(name, _)| *name != "_default_title_");
    let body: Vec<String> = others.filter_map(|(_, value)| value.as_str()).map(plain::text).collect();
    Text { title: at(document, &["/ticket_attributes/_default_title_"]), body: body.join("\n") }
}

/// The texts of all translations.
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
