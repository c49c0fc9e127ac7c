//! What a run did with one article or file, for whoever shows it.

use serde_json::{Map, Value, json};

use super::error::Error;
use super::merge::{Change, Conflict};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Unchanged,
    /// A file that was not there.
    Created,
    /// The server's text, or the file, was brought up to date.
    Updated,
    /// Both had changed, in different places.
    Merged,
    /// Local changes that the server's did not touch.
    Kept,
    Restored,
    Moved,
    Deleted,
    /// It is gone from the server, and the file is still here.
    DeletedUpstream,
    /// Its files are gone from here, and the article is still on the server.
    Missing,
    Conflict,
    Failed,
    /// It was asked for and does not exist.
    NotFound,
    /// A file that is no article.
    Skipped,
    /// A plan: nothing was sent.
    WouldCreate,
    WouldUpdate,
    WouldDelete,
    /// For `status`.
    Modified,
    New,
    RemoteChanged,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Unchanged => "unchanged",
            Status::Created => "created",
            Status::Updated => "updated",
            Status::Merged => "merged",
            Status::Kept => "kept",
            Status::Restored => "restored",
            Status::Moved => "moved",
            Status::Deleted => "deleted",
            Status::DeletedUpstream => "deleted_upstream",
            Status::Missing => "missing",
            Status::Conflict => "conflict",
            Status::Failed => "failed",
            Status::NotFound => "not_found",
            Status::Skipped => "skipped",
            Status::WouldCreate => "would_create",
            Status::WouldUpdate => "would_update",
            Status::WouldDelete => "would_delete",
            Status::Modified => "modified",
            Status::New => "new",
            Status::RemoteChanged => "remote_changed",
        }
    }
}

#[derive(Debug)]
pub struct Outcome {
    pub id: Option<String>,
    pub locale: Option<String>,
    pub path: Option<String>,
    pub status: Status,
    /// Fields that change, as `locale.field`.
    pub fields: Vec<String>,
    /// Changed blocks by locale.
    pub changes: Vec<(String, Change)>,
    pub conflicts: Vec<(String, Conflict)>,
    pub error: Option<Error>,
}

impl Outcome {
    pub fn new(status: Status, id: Option<&str>, locale: Option<&str>, path: Option<&str>) -> Self {
        Outcome {
            id: id.map(str::to_owned),
            locale: locale.map(str::to_owned),
            path: path.map(str::to_owned),
            status,
            fields: Vec::new(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            error: None,
        }
    }

    pub fn failed(error: Error, id: Option<&str>, path: Option<&str>) -> Self {
        Outcome { error: Some(error), ..Outcome::new(Status::Failed, id, None, path) }
    }

    /// Something that was asked for and does not exist.
    pub fn not_found(id: Option<&str>, locale: Option<&str>, reason: String) -> Self {
        Outcome { error: Some(Error::Unusable(reason)), ..Outcome::new(Status::NotFound, id, locale, None) }
    }

    /// The record that scripts read.
    pub fn record(&self) -> Value {
        let mut record = Map::new();
        record.insert("id".to_owned(), json!(self.id));
        for (name, value) in [("locale", &self.locale), ("path", &self.path)] {
            if let Some(value) = value {
                record.insert(name.to_owned(), json!(value));
            }
        }
        record.insert("status".to_owned(), json!(self.status.as_str()));
        if !self.fields.is_empty() {
            record.insert("fields".to_owned(), json!(self.fields));
        }
        if !self.changes.is_empty() {
            record.insert("diff".to_owned(), json!(self.diff()));
        }
        if !self.conflicts.is_empty() {
            let conflicts: Vec<Value> = self.conflicts.iter().map(|(locale, it)| {
                json!({ "locale": locale, "base": it.base, "ours": it.ours, "theirs": it.theirs })
            }).collect();
            record.insert("conflicts".to_owned(), json!(conflicts));
        }
        if let Some(error) = &self.error {
            record.insert("error".to_owned(), json!(error.to_string()));
        }
        Value::Object(record)
    }

    /// The changed blocks as people read a diff.
    pub fn diff(&self) -> String {
        let mut text = String::new();
        for (locale, change) in &self.changes {
            text.push_str(&format!("@@ {locale} @@\n"));
            for diff in similar::TextDiff::from_lines(&change.before, &change.after).iter_all_changes() {
                let sign = match diff.tag() {
                    similar::ChangeTag::Delete => '-',
                    similar::ChangeTag::Insert => '+',
                    similar::ChangeTag::Equal => ' ',
                };
                text.push_str(&format!("{sign}{}\n", diff.value().trim_end_matches('\n')));
            }
        }
        text
    }
}
