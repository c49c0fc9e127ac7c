//! The outcome of a command for one article or file, as records for scripts and as a diff for people.

use serde_json::{Map, Value, json};
use similar::DiffTag;

use super::error::Error;
use super::finding::{Finding, Rule};
use crate::articles::convert::merge::{BlockChange, MergeConflict};
use crate::articles::convert::sequence::differences;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArticleStatus {
    Unchanged,
    /// An article or a file was created.
    Created,
    /// The article or the file was updated.
    Updated,
    /// Both sides had changed, in different places.
    Merged,
    /// The file has local edits, and the server's version did not change.
    Kept,
    Restored,
    Moved,
    Deleted,
    /// The article was deleted on the server; its file still exists.
    DeletedUpstream,
    /// The files were deleted; the article still exists on the server.
    Missing,
    Conflict,
    /// A conflict was resolved in favour of the file.
    Resolved,
    Failed,
    /// The selection names it, but it does not exist.
    NotFound,
    /// A new file that was left alone, or a Markdown file that is not an article.
    Skipped,
    /// Used in plans: nothing was sent.
    WouldCreate,
    WouldUpdate,
    WouldDelete,
    /// Used by `articles status`.
    Modified,
    New,
    RemoteChanged,
}

impl ArticleStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            ArticleStatus::Unchanged => "unchanged",
            ArticleStatus::Created => "created",
            ArticleStatus::Updated => "updated",
            ArticleStatus::Merged => "merged",
            ArticleStatus::Kept => "kept",
            ArticleStatus::Restored => "restored",
            ArticleStatus::Moved => "moved",
            ArticleStatus::Deleted => "deleted",
            ArticleStatus::DeletedUpstream => "deleted_upstream",
            ArticleStatus::Missing => "missing",
            ArticleStatus::Conflict => "conflict",
            ArticleStatus::Resolved => "resolved",
            ArticleStatus::Failed => "failed",
            ArticleStatus::NotFound => "not_found",
            ArticleStatus::Skipped => "skipped",
            ArticleStatus::WouldCreate => "would_create",
            ArticleStatus::WouldUpdate => "would_update",
            ArticleStatus::WouldDelete => "would_delete",
            ArticleStatus::Modified => "modified",
            ArticleStatus::New => "new",
            ArticleStatus::RemoteChanged => "remote_changed",
        }
    }
}

#[derive(Debug)]
pub struct ArticleOutcome {
    pub id: Option<String>,
    pub locale: Option<String>,
    pub path: Option<String>,
    pub status: ArticleStatus,
    /// Changed fields, as `locale.field`.
    pub fields: Vec<String>,
    /// Changed blocks by locale.
    pub changes: Vec<(String, BlockChange)>,
    pub conflicts: Vec<(String, MergeConflict)>,
    /// Problems in the article's files.
    pub findings: Vec<Finding>,
    /// Information that is not an error.
    pub note: Option<String>,
    pub error: Option<Error>,
}

impl ArticleOutcome {
    pub fn new(status: ArticleStatus, id: Option<&str>, locale: Option<&str>, path: Option<&str>) -> Self {
        ArticleOutcome {
            id: id.map(str::to_owned),
            locale: locale.map(str::to_owned),
            path: path.map(str::to_owned),
            status,
            fields: Vec::new(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            findings: Vec::new(),
            note: None,
            error: None,
        }
    }

    pub fn failed(error: Error, id: Option<&str>, path: Option<&str>) -> Self {
        ArticleOutcome { error: Some(error), ..ArticleOutcome::new(ArticleStatus::Failed, id, None, path) }
    }

    /// An article that is not sent because of problems in its files.
    pub fn blocked(findings: Vec<Finding>, id: Option<&str>, path: Option<&str>) -> Self {
        ArticleOutcome { findings, ..ArticleOutcome::new(ArticleStatus::Failed, id, None, path) }
    }

    /// Whether the text of an article blocks its push. Files that do not form an article at all count as
    /// failed, like unreadable ones.
    pub fn is_blocked_by_text(&self) -> bool {
        let is_text = |rule| !matches!(rule, Rule::Placement | Rule::MissingTitle);
        self.findings.iter().any(|finding| finding.blocks_push && is_text(finding.rule))
    }

    /// Something that the selection names but that does not exist.
    pub fn not_found(id: Option<&str>, locale: Option<&str>, reason: String) -> Self {
        ArticleOutcome {
            error: Some(Error::Unusable(reason)),
            ..ArticleOutcome::new(ArticleStatus::NotFound, id, locale, None)
        }
    }

    /// The record that scripts read.
    pub fn record(&self) -> Value {
        let mut record = Map::from_iter([("id".to_owned(), json!(self.id))]);
        let mut add = |name: &str, value: Option<Value>| {
            record.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("locale", self.locale.as_ref().map(|locale| json!(locale)));
        add("path", self.path.as_ref().map(|path| json!(path)));
        add("status", Some(json!(self.status.as_str())));
        add("fields", (!self.fields.is_empty()).then(|| json!(self.fields)));
        add("diff", (!self.changes.is_empty()).then(|| json!(self.diff())));
        let conflicts = self.conflicts.iter().map(|(locale, conflict)| {
            json!({
                "locale": locale, "base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs,
            })
        });
        add("conflicts", (!self.conflicts.is_empty()).then(|| conflicts.collect()));
        let findings = self.findings.iter().map(Finding::record);
        add("findings", (!self.findings.is_empty()).then(|| findings.collect()));
        add("note", self.note.as_ref().map(|note| json!(note)));
        let blocker = || self.findings.iter().find(|finding| finding.blocks_push).map(ToString::to_string);
        let error = self.error.as_ref().map(ToString::to_string).or_else(blocker);
        add("error", error.map(Value::from));
        Value::Object(record)
    }

    /// The changed blocks as a line diff.
    pub fn diff(&self) -> String {
        let mut text = String::new();
        for (locale, change) in &self.changes {
            text.push_str(&format!("@@ {locale} @@\n"));
            let [before, after] =
                [&change.before, &change.after].map(|side| side.split_inclusive('\n').collect::<Vec<&str>>());
            let mut add = |sign: char, lines: &[&str]| {
                for line in lines {
                    text.push_str(&format!("{sign}{}\n", line.trim_end_matches('\n')));
                }
            };
            for operation in differences(&before, &after) {
                if operation.tag() == DiffTag::Equal {
                    add(' ', &before[operation.old_range()]);
                } else {
                    add('-', &before[operation.old_range()]);
                    add('+', &after[operation.new_range()]);
                }
            }
        }
        text
    }
}
