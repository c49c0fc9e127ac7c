//! Full-text search.
//!
//! Returns the records that a reader would open (a conversation rather than a message), each with its best match.
//! Never writes: `search_index` maintains the index.

#![deny(missing_docs)]

use std::collections::HashSet;

use rusqlite::types::Value as Cell;
use rusqlite::{OptionalExtension, params_from_iter};
use serde::Serialize;

use super::Store;
use super::search_index::SOURCES;
pub use super::search_type::SearchType;
use super::{fts_query, grams};
use crate::mirror::error::Error;

/// Words per snippet.
const SNIPPET: u32 = 24;
/// Characters around a match, for scripts without spaces between words.
const AROUND: usize = 60;
/// Minimum length for matches within longer words.
const PART_OF_A_WORD: usize = 4;
/// Maximum number of longer words per search word, most common first.
const MOST_WORDS: u32 = 100;

/// Filters and limit of a search.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// All types if empty.
    pub types: Vec<SearchType>,
    /// The most hits.
    pub limit: usize,
    /// Only what was written since this time (contacts, companies and articles: changed), in epoch seconds.
    pub since: Option<i64>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { types: Vec::new(), limit: 20, since: None }
    }
}

/// A search result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The type of the record.
    #[serde(rename = "type")]
    pub kind: SearchType,
    /// Id of the conversation, contact, article, company or ticket.
    pub id: String,
    /// The same as `id`, for conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The part that matches; `None` if the opening message or the title does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_id: Option<String>,
    /// The subject, name or title.
    pub title: Option<String>,
    /// Text around the match, with the search words between `**`.
    pub snippet: String,
    /// When it was written (contacts, companies and articles: changed), in epoch seconds.
    pub written_at: Option<i64>,
    /// Higher is better.
    pub score: f64,
}

/// Results, best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResults {
    /// The records found.
    pub hits: Vec<Hit>,
    /// Whether there are more than `limit`.
    pub more: bool,
    /// Whether the words themselves had no match, so that longer words which contain them were used.
    pub widened: bool,
}

impl Store {
    /// Searches for what a person types: words, `"phrases"`, `prefix*`, `AND`, `OR`, `NOT`.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] if the text is too long, or has no letter or digit.
    pub fn search(&self, text: &str, options: &SearchOptions) -> Result<SearchResults, Error> {
        if !fts_query::is_bounded(text) {
            return Err(Error::InvalidQuery(format!(
                "the search text is too long: expected at most {} words, and {} parentheses or NOT",
                fts_query::MAX_TOKENS,
                fts_query::MAX_NESTING
            )));
        }
        let expression = fts_query::expression(text).ok_or_else(|| {
            Error::InvalidQuery(format!("nothing to search for in {text:?}: expected a letter or digit"))
        })?;
        let results = self.matches(text, &expression, options)?;
        if !results.hits.is_empty() {
            return Ok(results);
        }
        let longer = |word: &str| self.longer_words(word).ok().flatten();
        match fts_query::expression_with(text, &longer).filter(|wider| *wider != expression) {
            Some(wider) => Ok(SearchResults { widened: true, ..self.matches(text, &wider, options)? }),
            None => Ok(results),
        }
    }

    /// An expression for longer words that contain a word, such as compounds.
    fn longer_words(&self, word: &str) -> Result<Option<String>, Error> {
        if word.chars().count() < PART_OF_A_WORD {
            return Ok(None);
        }
        let sql = format!(
            "SELECT term FROM texts_words WHERE instr(term, ?1) > 0 OR instr(term, ?2) > 0
             ORDER BY doc DESC, term LIMIT {MOST_WORDS}"
        );
        let terms = self.texts(&sql, grams::index_terms(word))?;
        let quoted: Vec<String> = terms.iter().map(|term| grams::quoted(term)).collect();
        Ok((!quoted.is_empty()).then(|| format!("({})", quoted.join(" OR "))))
    }

    fn matches(&self, text: &str, expression: &str, options: &SearchOptions) -> Result<SearchResults, Error> {
        let is_selected = |kind: SearchType| options.types.is_empty() || options.types.contains(&kind);
        let sources: Vec<_> = SOURCES.iter().filter(|source| is_selected(source.kind)).collect();
        let mut sql = format!(
            "SELECT t.resource, t.owner_id, t.record_id, t.title, t.written_at,
                    CASE WHEN t.grams IS NULL THEN snippet(texts_index, -1, '**', '**', '…', {SNIPPET})
                         ELSE snippet(texts_index, 1, '**', '**', '…', {SNIPPET}) END,
                    texts_index.rank, CASE WHEN t.grams IS NOT NULL THEN t.body END
             FROM texts_index JOIN texts AS t ON t.id = texts_index.rowid
             WHERE texts_index MATCH ?1"
        );
        let mut values: Vec<Cell> = vec![expression.to_owned().into()];
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
        let mut results = SearchResults { hits: Vec::new(), more: false, widened: false };
        let words = fts_query::words(text);
        let mut seen = HashSet::new();
        while let Some(row) = rows.next()? {
            let (table, owner): (String, String) = (row.get(0)?, row.get(1)?);
            let Some(source) = sources.iter().find(|source| source.table == table) else { continue };
            if !seen.insert((source.kind, owner.clone())) {
                continue;
            }
            if results.hits.len() == options.limit {
                results.more = true;
                break;
            }
            let record: String = row.get(2)?;
            let title: Option<String> = row.get(3)?;
            let conversation = source.kind == SearchType::Conversations;
            let mut snippet: String = row.get(5)?;
            if let Some(body) = row.get::<_, Option<String>>(7)?.filter(|_| !snippet.contains("**")) {
                let title = || excerpt(title.as_deref().unwrap_or_default(), &words);
                snippet = excerpt(&body, &words).or_else(title).unwrap_or(snippet);
            }
            results.hits.push(Hit {
                kind: source.kind,
                conversation_id: conversation.then(|| owner.clone()),
                part_id: (record != owner).then_some(record),
                title: match title.filter(|title| !title.is_empty()) {
                    Some(title) => Some(title),
                    None => self.title(source.kind, &owner)?,
                },
                id: owner,
                snippet: snippet.replace('\n', " "),
                written_at: row.get(4)?,
                score: -row.get::<_, f64>(6)?,
            });
        }
        Ok(results)
    }

    /// The title of the conversation or ticket that a part belongs to.
    fn title(&self, kind: SearchType, id: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT nullif(title, '') FROM texts WHERE resource = ?1 AND record_id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let title = statement.query_row((kind.as_str(), id), |row| row.get(0)).optional()?;
        Ok(title.flatten())
    }
}

/// The text around the first of these words, with each of them between `**`. Also matches within longer words.
fn excerpt(text: &str, words: &[String]) -> Option<String> {
    // Lower-case character by character, so that positions are the same in both.
    let lower: Vec<char> =
        text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect();
    let original: Vec<char> = text.chars().collect();
    let patterns: Vec<Vec<char>> = words
        .iter()
        .map(|word| word.to_lowercase().chars().collect())
        .filter(|word: &Vec<_>| !word.is_empty())
        .collect();
    let length_at =
        |at: usize| patterns.iter().filter(|word| lower[at..].starts_with(word)).map(Vec::len).max();
    let first = (0..lower.len()).find(|at| length_at(*at).is_some())?;
    let (from, to) = (first.saturating_sub(AROUND), (first + AROUND).min(original.len()));
    let mut snippet = String::from(if from > 0 { "…" } else { "" });
    let mut at = from;
    while at < to {
        let length = length_at(at).map_or(0, |length| length.min(original.len() - at));
        let end = at + length.max(1);
        let mark = if length > 0 { "**" } else { "" };
        snippet.push_str(mark);
        snippet.extend(&original[at..end]);
        snippet.push_str(mark);
        at = end;
    }
    snippet.push_str(if at < original.len() { "…" } else { "" });
    Some(snippet)
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_marks_the_match() {
        let words = |text: &str| vec![text.to_owned()];
        assert_eq!(excerpt("パスワードをリセット", &words("リセット")).unwrap(), "パスワードを**リセット**");
        assert_eq!(excerpt(&"長".repeat(200), &words("退款")), None);
        let long = format!("{}退款{}", "请".repeat(100), "请".repeat(100));
        let snippet = excerpt(&long, &words("退款")).unwrap();
        assert!(
            snippet.starts_with("…请") && snippet.contains("**退款**") && snippet.ends_with("请…"),
            "{snippet}"
        );
    }
}
