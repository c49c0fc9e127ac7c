//! Full-text search over what people wrote.
//!
//! Finds messages, and answers with what a reader would open: the conversation, the contact, the
//! article. One line each, the best place in it first. Reading only; the index is kept elsewhere.

use std::collections::HashSet;

use rusqlite::types::Value as Cell;
use rusqlite::{OptionalExtension, params_from_iter};
use serde::Serialize;

use super::error::Error;
use super::phrase;
pub use super::search_type::SearchType;
use super::store::Store;
use super::texts::SOURCES;

/// Words of a snippet.
const SNIPPET: u32 = 24;

/// What to look for and how much of it.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// All when empty.
    pub types: Vec<SearchType>,
    pub limit: usize,
    /// Epoch seconds: only what was written (for contacts and companies: changed) since then.
    pub since: Option<i64>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { types: Vec::new(), limit: 20, since: None }
    }
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    #[serde(rename = "type")]
    pub kind: SearchType,
    /// Id of the conversation, contact, article, company or ticket.
    pub id: String,
    /// For conversations the same as `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The part where the text was found; none when it is in the opening message or the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_id: Option<String>,
    pub title: Option<String>,
    /// The words around, those that were searched for between `**`.
    pub snippet: String,
    /// Epoch seconds.
    pub written_at: Option<i64>,
    /// The higher, the better.
    pub score: f64,
}

/// What was found, the best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// Whether there is more than `limit`.
    pub more: bool,
}

impl Store {
    /// Searches with whatever a person types: words, `"phrases"`, `begin*`, `AND`, `OR`, `NOT`.
    ///
    /// # Errors
    /// [`Error::Question`] when the text holds nothing to search for.
    pub fn search(&self, text: &str, options: &SearchOptions) -> Result<Found, Error> {
        let expression = phrase::expression(text)
            .ok_or_else(|| Error::Question(format!("{text:?} holds no letter and no digit to search for")))?;
        let wanted = |kind: SearchType| options.types.is_empty() || options.types.contains(&kind);
        let sources: Vec<_> = SOURCES.iter().filter(|source| wanted(source.kind)).collect();
        let mut sql = format!(
            "SELECT t.resource, t.owner_id, t.record_id, t.title, t.written_at,
                    snippet(texts_index, -1, '**', '**', '…', {SNIPPET}), texts_index.rank
             FROM texts_index JOIN texts AS t ON t.id = texts_index.rowid
             WHERE texts_index MATCH ?1"
        );
        let mut values: Vec<Cell> = vec![expression.into()];
        if !options.types.is_empty() {
            let tables: Vec<String> = sources.iter().map(|source| format!("'{}'", source.table)).collect();
            sql += &format!(" AND t.resource IN ({})", tables.join(", "));
        }
        if let Some(since) = options.since {
            sql += " AND t.written_at >= ?2";
            values.push(since.into());
        }
        sql += " ORDER BY texts_index.rank";
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Found { hits: Vec::new(), more: false };
        let mut seen = HashSet::new();
        while let Some(row) = rows.next()? {
            let (table, owner): (String, String) = (row.get(0)?, row.get(1)?);
            let Some(source) = sources.iter().find(|source| source.table == table) else { continue };
            if !seen.insert((source.kind, owner.clone())) {
                continue;
            }
            if found.hits.len() == options.limit {
                found.more = true;
                break;
            }
            let record: String = row.get(2)?;
            let title: Option<String> = row.get(3)?;
            let conversation = source.kind == SearchType::Conversations;
            found.hits.push(Hit {
                kind: source.kind,
                conversation_id: conversation.then(|| owner.clone()),
                part_id: (record != owner).then_some(record),
                title: match title.filter(|title| !title.is_empty()) {
                    Some(title) => Some(title),
                    None => self.title(source.kind, &owner)?,
                },
                id: owner,
                snippet: row.get::<_, String>(5)?.replace('\n', " "),
                written_at: row.get(4)?,
                score: -row.get::<_, f64>(6)?,
            });
        }
        Ok(found)
    }

    /// The title of the conversation or ticket that a part belongs to.
    fn title(&self, kind: SearchType, id: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT nullif(title, '') FROM texts WHERE resource = ?1 AND record_id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let title = statement.query_row((kind.as_str(), id), |row| row.get(0)).optional()?;
        Ok(title.flatten())
    }
}
