//! Problems in files, as push, status and lint report them.
//!
//! A finding either blocks the push of its article or is a warning. The check that finds it decides which,
//! and no command may override that.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

/// The name of a rule in records is its name here, in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Unreadable,
    /// A conflict marker of git.
    MergeMarker,
    /// The article has a text in the help center, but its file is empty.
    Emptied,
    MissingTitle,
    /// Language, collection or file name are invalid for an article.
    Placement,
    BrokenLink,
    BrokenAnchor,
    LocalImage,
    /// Markdown syntax that readers would see as raw text.
    Unsupported,
    /// Formatting that the help center removes.
    NotKept,
    /// A read-only field of the front matter was edited.
    NotSent,
    MissingTranslation,
    #[serde(rename = "missing_alt")]
    MissingAlternative,
    HeadingJump,
    RepeatedTitle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    pub line: Option<usize>,
    pub rule: Rule,
    pub message: String,
    /// The article is not sent until this is fixed.
    pub blocks_push: bool,
}

impl Finding {
    pub fn error(path: &str, line: Option<usize>, rule: Rule, message: impl Into<String>) -> Self {
        Finding { path: path.to_owned(), line, rule, message: message.into(), blocks_push: true }
    }

    pub fn warning(path: &str, line: Option<usize>, rule: Rule, message: impl Into<String>) -> Self {
        Finding { blocks_push: false, ..Finding::error(path, line, rule, message) }
    }

    /// The record that scripts read.
    pub fn record(&self) -> Value {
        json!({
            "path": self.path, "line": self.line, "rule": self.rule, "severity": self.severity(),
            "message": self.message,
        })
    }

    pub fn severity(&self) -> &'static str {
        if self.blocks_push { "error" } else { "warning" }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        write!(formatter, "{}{line}: {}", self.path, self.message)
    }
}
