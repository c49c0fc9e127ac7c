//! What an import has done, line by line, on disk before and after every request.
//!
//! A record is known by a hash of its line and by how many equal lines stand before it, so the file may
//! be sorted or extended between runs. The journal belongs to one workspace and one resource.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::error::Error;
use crate::bulk::log::Log;

/// One line of the input.
pub struct Line {
    /// From 1.
    pub number: u64,
    pub key: String,
    /// The object, or why it is none.
    pub body: Result<Map<String, Value>, String>,
}

impl Line {
    /// `before` counts the equal lines already read.
    pub fn new(number: u64, text: &[u8], before: &mut HashMap<String, u64>) -> Self {
        let digest = Sha256::digest(text);
        let hash = digest.iter().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let equal = before.entry(hash.clone()).or_default();
        let key = format!("{hash}.{equal}");
        *equal += 1;
        let body = serde_json::from_slice(text).map_err(|error| format!("this is no JSON object: {error}"));
        Line { number, key, body }
    }
}

/// What is known of a record from earlier runs.
pub enum Known {
    Nothing,
    /// It was sent, and no answer was seen.
    Sent,
    /// With its id, when the answer told one.
    Created(Option<String>),
}

/// An open journal.
pub struct Journal {
    log: Log,
    entries: HashMap<String, Entry>,
}

enum Entry {
    Sent,
    Created(Option<String>),
    Failed,
}

impl Journal {
    /// Opens or begins a journal. `purpose` names workspace and resource.
    ///
    /// # Errors
    /// [`Error::Usage`] when it was begun for another purpose, or another run is using it.
    pub fn open(path: &Path, purpose: &str) -> Result<Self, Error> {
        let (log, lines) = Log::open(path).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => {
                Error::usage(format!("another import is using the journal {}", path.display()))
            }
            _ => Error::usage(format!("cannot use the journal {}: {error}", path.display())),
        })?;
        let mut journal = Journal { log, entries: HashMap::new() };
        let mut lines = lines.iter().filter(|line| !line.trim().is_empty());
        match lines.next().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default()) {
            None => journal.append(&json!({ "journal": purpose }))?,
            Some(first) if first["journal"] == purpose => {}
            Some(Value::Object(first)) if first.contains_key("journal") => {
                return Err(Error::usage_with_hint(
                    format!("the journal {} is of {}, not of {purpose}", path.display(), first["journal"]),
                    "name another one with --journal",
                ));
            }
            _ => return Err(Error::usage(format!("{} is no journal of an import", path.display()))),
        }
        // A line that breaks off was being written when the machine stopped. What it was about has been
        // noted as sent before.
        for entry in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            journal.take(&entry);
        }
        Ok(journal)
    }

    fn take(&mut self, entry: &Value) {
        let Some(key) = entry["key"].as_str() else { return };
        let entry = match entry["status"].as_str() {
            Some("sending") => Entry::Sent,
            Some("created") => Entry::Created(entry["id"].as_str().map(str::to_owned)),
            Some("failed") => Entry::Failed,
            _ => return,
        };
        self.entries.insert(key.to_owned(), entry);
    }

    pub fn known(&self, key: &str) -> Known {
        match self.entries.get(key) {
            None | Some(Entry::Failed) => Known::Nothing,
            Some(Entry::Sent) => Known::Sent,
            Some(Entry::Created(id)) => Known::Created(id.clone()),
        }
    }

    /// Notes that a record is about to be sent. Returns once that is on disk.
    ///
    /// # Errors
    /// When it cannot be written: then the record must not be sent.
    pub fn sending(&mut self, key: &str) -> Result<(), Error> {
        self.append(&json!({ "key": key, "status": "sending" }))?;
        Ok(self.log.sync()?)
    }

    /// # Errors
    /// When it cannot be written.
    pub fn created(&mut self, key: &str, id: Option<&str>) -> Result<(), Error> {
        self.append(&json!({ "key": key, "status": "created", "id": id }))
    }

    /// Notes that the server did not create it: another run may try again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn failed(&mut self, key: &str) -> Result<(), Error> {
        self.append(&json!({ "key": key, "status": "failed" }))
    }

    fn append(&mut self, entry: &Value) -> Result<(), Error> {
        self.take(entry);
        Ok(self.log.append([entry])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_are_different_records() {
        let mut before = HashMap::new();
        let mut line = |text: &str| Line::new(1, text.as_bytes(), &mut before);
        let (first, other, second) = (line("{}"), line("{\"a\":1}"), line("{}"));
        assert!(first.key != second.key && first.key != other.key);
        assert!(line("[1]").body.is_err());
    }

    #[test]
    fn what_was_sent_and_never_answered_stays_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, "w contacts").unwrap();
        journal.sending("a").unwrap();
        journal.sending("b").unwrap();
        journal.created("b", Some("7")).unwrap();
        journal.sending("c").unwrap();
        journal.failed("c").unwrap();
        drop(journal);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"key\":\"a\",\"sta").unwrap();
        let mut journal = Journal::open(&path, "w contacts").unwrap();
        assert!(matches!(journal.known("a"), Known::Sent));
        assert!(matches!(journal.known("b"), Known::Created(Some(id)) if id == "7"));
        assert!(matches!(journal.known("c"), Known::Nothing));
        journal.created("a", None).unwrap();
        drop(journal);
        let journal = Journal::open(&path, "w contacts").unwrap();
        assert!(matches!(journal.known("a"), Known::Created(None)));
        drop(journal);
        assert!(Journal::open(&path, "w companies").is_err());
    }
}
