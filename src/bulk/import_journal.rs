//! The journal of an import, written before and after every request, so that an interrupted import can resume.
//!
//! A record is identified by the hash of its line and the number of equal lines before it, so the input may be
//! reordered or extended between runs. A journal belongs to one workspace and one resource.

use std::collections::HashMap;
use std::io::{BufRead, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::append_log::AppendLog;
use super::error::Error;

/// Some editors write this at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One line of the input.
pub struct ImportLine {
    /// Starts at 1.
    pub number: u64,
    pub(super) key: String,
    /// The object, or why the line is invalid.
    pub body: Result<Map<String, Value>, String>,
}

impl ImportLine {
    /// Reads the lines of an input, without blank ones. Equal lines are separate records.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn read_all(input: impl BufRead) -> std::io::Result<Vec<Self>> {
        let (mut lines, mut before) = (Vec::new(), HashMap::new());
        for (index, bytes) in input.split(b'\n').enumerate() {
            let bytes = bytes?;
            let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| index == 0).unwrap_or(&bytes);
            if !bytes.trim_ascii().is_empty() {
                lines.push(ImportLine::new(index as u64 + 1, bytes.trim_ascii(), &mut before));
            }
        }
        Ok(lines)
    }

    /// `before` counts the equal lines read so far.
    fn new(number: u64, text: &[u8], before: &mut HashMap<String, u64>) -> Self {
        let digest = Sha256::digest(text);
        let hash = digest.iter().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let equal = before.entry(hash.clone()).or_default();
        let key = format!("{hash}.{equal}");
        *equal += 1;
        let body = serde_json::from_slice(text).map_err(|error| format!("not a JSON object: {error}"));
        ImportLine { number, key, body }
    }
}

/// The state of a record after earlier runs.
pub enum ImportState {
    /// Not sent, or refused by the server.
    New,
    /// Sent without a response: the outcome is unknown.
    Sent,
    /// With its id, if the response contained one.
    Created(Option<String>),
}

/// An open journal.
pub struct ImportJournal {
    path: PathBuf,
    log: AppendLog,
    entries: HashMap<String, Entry>,
}

enum Entry {
    Sent,
    Created(Option<String>),
    Failed,
}

impl ImportJournal {
    /// Opens or creates a journal. `purpose` is the workspace and the resource.
    ///
    /// # Errors
    /// [`Error::OtherJournal`] if the journal has another purpose, [`Error::UnusableJournal`] if another run is using
    /// it, or it cannot be opened.
    pub fn open(path: &Path, purpose: &str) -> Result<Self, Error> {
        let shown = path.display();
        let (log, lines) = AppendLog::open(path).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => {
                Error::UnusableJournal(format!("another import is using the journal {shown}"))
            }
            _ => Error::UnusableJournal(format!("cannot use the journal {shown}: {error}")),
        })?;
        let mut journal = ImportJournal { path: path.to_owned(), log, entries: HashMap::new() };
        let mut lines = lines.iter().filter(|line| !line.trim().is_empty());
        match lines.next().map(|line| serde_json::from_str::<Value>(line)) {
            None => journal.append(&json!({ "journal": purpose }))?,
            Some(Ok(first)) if first["journal"] == purpose => {}
            Some(Ok(Value::Object(mut first))) if first.contains_key("journal") => {
                let found = first["journal"].take();
                return Err(Error::OtherJournal {
                    path: path.to_owned(),
                    found,
                    purpose: purpose.to_owned(),
                });
            }
            Some(_) => return Err(Error::UnusableJournal(format!("{shown} is not an import journal"))),
        }
        // Skip a line that was cut off by a crash: its record has been journaled as sent before.
        for entry in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            journal.apply(&entry);
        }
        Ok(journal)
    }

    fn apply(&mut self, entry: &Value) {
        let Some(key) = entry["key"].as_str() else { return };
        let entry = match entry["status"].as_str() {
            Some("sending") => Entry::Sent,
            Some("created") => Entry::Created(entry["id"].as_str().map(str::to_owned)),
            Some("failed") => Entry::Failed,
            _ => return,
        };
        self.entries.insert(key.to_owned(), entry);
    }

    pub fn state(&self, key: &str) -> ImportState {
        match self.entries.get(key) {
            None | Some(Entry::Failed) => ImportState::New,
            Some(Entry::Sent) => ImportState::Sent,
            Some(Entry::Created(id)) => ImportState::Created(id.clone()),
        }
    }

    /// Journals a record as about to be sent. Returns once this is on disk.
    ///
    /// # Errors
    /// If it cannot be written: then the record must not be sent.
    pub fn sending(&mut self, key: &str) -> Result<(), Error> {
        self.append(&json!({ "key": key, "status": "sending" }))?;
        self.log.sync().map_err(Error::file(&self.path))
    }

    /// # Errors
    /// If it cannot be written.
    pub fn created(&mut self, key: &str, id: Option<&str>) -> Result<(), Error> {
        self.append(&json!({ "key": key, "status": "created", "id": id }))
    }

    /// Journals a record as refused by the server, so that another run retries it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn failed(&mut self, key: &str) -> Result<(), Error> {
        self.append(&json!({ "key": key, "status": "failed" }))
    }

    fn append(&mut self, entry: &Value) -> Result<(), Error> {
        self.apply(entry);
        self.log.append([entry]).map_err(Error::file(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_are_different_records() {
        let mut before = HashMap::new();
        let mut line = |text: &str| ImportLine::new(1, text.as_bytes(), &mut before);
        let (first, other, second) = (line("{}"), line("{\"a\":1}"), line("{}"));
        assert!(first.key != second.key && first.key != other.key);
        assert!(line("[1]").body.is_err());
    }

    #[test]
    fn blank_lines_and_a_byte_order_mark_are_skipped() {
        let lines = ImportLine::read_all(&b"\xEF\xBB\xBF{\"a\":1}\r\n \n{}"[..]).unwrap();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3]);
        assert!(lines.iter().all(|line| line.body.is_ok()));
    }

    #[test]
    fn a_record_sent_without_a_response_stays_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = ImportJournal::open(&path, "w contacts").unwrap();
        journal.sending("a").unwrap();
        journal.sending("b").unwrap();
        journal.created("b", Some("7")).unwrap();
        journal.sending("c").unwrap();
        journal.failed("c").unwrap();
        drop(journal);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"key\":\"a\",\"sta").unwrap();
        let mut journal = ImportJournal::open(&path, "w contacts").unwrap();
        assert!(matches!(journal.state("a"), ImportState::Sent));
        assert!(matches!(journal.state("b"), ImportState::Created(Some(id)) if id == "7"));
        assert!(matches!(journal.state("c"), ImportState::New));
        journal.created("a", None).unwrap();
        drop(journal);
        let journal = ImportJournal::open(&path, "w contacts").unwrap();
        assert!(matches!(journal.state("a"), ImportState::Created(None)));
        drop(journal);
        assert!(ImportJournal::open(&path, "w companies").is_err());
    }
}
