//! Full-text search over what people wrote.
//!
//! Finds messages, and answers with what a reader would open: the conversation, the contact, the
//! article. One line each, the best place in it first. Reading only; the index is kept elsewhere.

use std::collections::HashSet;

use rusqlite::types::Value as Cell;
use rusqlite::{OptionalExtension, params_from_iter};
use serde::Serialize;

use super::error::Error;
pub use super::search_type::SearchType;
use super::store::Store;
use super::texts::SOURCES;
use super::{grams, phrase};

/// Words of a snippet.
const SNIPPET: u32 = 24;
/// Letters before and after what was found, where words are not what counts.
const AROUND: usize = 60;
/// Shorter words are in too many others.
const PART_OF_A_WORD: usize = 4;
/// Words that stand in for one that is only part of them, the most common first.
const MOST_WORDS: u32 = 100;

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
    /// Whether nothing had the words themselves, so that longer words which contain them were looked for.
    pub widened: bool,
}

impl Store {
    /// Searches with whatever a person types: words, `"phrases"`, `begin*`, `AND`, `OR`, `NOT`.
    ///
    /// # Errors
    /// [`Error::Question`] when the text holds nothing to search for.
    pub fn search(&self, text: &str, options: &SearchOptions) -> Result<Found, Error> {
        if !phrase::is_bounded(text) {
            return Err(Error::Question(format!(
                "the search text is too long: expected at most {} words, and {} parentheses or NOT",
                phrase::MOST_WORDS,
                phrase::DEEPEST
            )));
        }
        let expression = phrase::expression(text)
            .ok_or_else(|| Error::Question(format!("{text:?} holds no letter and no digit to search for")))?;
        let found = self.matching(text, &expression, options)?;
        if !found.hits.is_empty() {
            return Ok(found);
        }
        let longer = |word: &str| self.longer(word).ok().flatten();
        match phrase::expression_with(text, &longer).filter(|wider| *wider != expression) {
            Some(wider) => Ok(Found { widened: true, ..self.matching(text, &wider, options)? }),
            None => Ok(found),
        }
    }

    /// An expression for the longer words that contain a word, such as compounds.
    fn longer(&self, word: &str) -> Result<Option<String>, Error> {
        if word.chars().count() < PART_OF_A_WORD {
            return Ok(None);
        }
        let sql = format!(
            "SELECT term FROM texts_words WHERE instr(term, ?1) > 0 OR instr(term, ?2) > 0
             ORDER BY doc DESC, term LIMIT {MOST_WORDS}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let terms = statement.query_map(grams::plain(word), |row| row.get(0))?;
        let terms: Vec<String> = terms.collect::<Result<_, _>>()?;
        let quoted: Vec<String> = terms.iter().map(|term| grams::quoted(term)).collect();
        Ok((!quoted.is_empty()).then(|| format!("({})", quoted.join(" OR "))))
    }

    fn matching(&self, text: &str, expression: &str, options: &SearchOptions) -> Result<Found, Error> {
        let wanted = |kind: SearchType| options.types.is_empty() || options.types.contains(&kind);
        let sources: Vec<_> = SOURCES.iter().filter(|source| wanted(source.kind)).collect();
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
        let mut found = Found { hits: Vec::new(), more: false, widened: false };
        let words = phrase::words(text);
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
            let mut snippet: String = row.get(5)?;
            if let Some(body) = row.get::<_, Option<String>>(7)?.filter(|_| !snippet.contains("**")) {
                let title = || around(title.as_deref().unwrap_or_default(), &words);
                snippet = around(&body, &words).or_else(title).unwrap_or(snippet);
            }
            found.hits.push(Hit {
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

/// The surroundings of the first of these words in a text, with every one of them between `**`. Words are found
/// within others too.
fn around(text: &str, words: &[String]) -> Option<String> {
    // One letter for each letter, so that places are the same in both.
    let small: Vec<char> =
        text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect();
    let large: Vec<char> = text.chars().collect();
    let wanted: Vec<Vec<char>> = words
        .iter()
        .map(|word| word.to_lowercase().chars().collect())
        .filter(|word: &Vec<_>| !word.is_empty())
        .collect();
    let found = |at: usize| wanted.iter().filter(|word| small[at..].starts_with(word)).map(Vec::len).max();
    let first = (0..small.len()).find(|at| found(*at).is_some())?;
    let (from, to) = (first.saturating_sub(AROUND), (first + AROUND).min(large.len()));
    let mut snippet = String::from(if from > 0 { "…" } else { "" });
    let mut at = from;
    while at < to {
        let length = found(at).map_or(0, |length| length.min(large.len() - at));
        let end = at + length.max(1);
        let mark = if length > 0 { "**" } else { "" };
        snippet.push_str(mark);
        snippet.extend(&large[at..end]);
        snippet.push_str(mark);
        at = end;
    }
    snippet.push_str(if at < large.len() { "…" } else { "" });
    Some(snippet)
}

#[cfg(test)]
mod tests {
    use super::around;

    #[test]
    fn the_surroundings_show_what_was_found() {
        let words = |text: &str| vec![text.to_owned()];
        assert_eq!(around("パスワードをリセット", &words("リセット")).unwrap(), "パスワードを**リセット**");
        assert_eq!(around(&"長".repeat(200), &words("退款")), None);
        let long = format!("{}退款{}", "请".repeat(100), "请".repeat(100));
        let snippet = around(&long, &words("退款")).unwrap();
        assert!(
            snippet.starts_with("…请") && snippet.contains("**退款**") && snippet.ends_with("请…"),
            "{snippet}"
        );
    }
}
