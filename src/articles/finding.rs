//! Problems in files, as push, status and lint report them.
//!
//! A finding either blocks the push of its article or is a warning. The check that finds it decides which,
//! and no command may override that.

use std::fmt;

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    MissingAlternative,
    HeadingJump,
    RepeatedTitle,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Unreadable => "unreadable",
            Rule::MergeMarker => "merge_marker",
            Rule::Emptied => "emptied",
            Rule::MissingTitle => "missing_title",
            Rule::Placement => "placement",
            Rule::BrokenLink => "broken_link",
            Rule::BrokenAnchor => "broken_anchor",
            Rule::LocalImage => "local_image",
            Rule::Unsupported => "unsupported",
            Rule::NotKept => "not_kept",
            Rule::NotSent => "not_sent",
            Rule::MissingTranslation => "missing_translation",
            Rule::MissingAlternative => "missing_alt",
            Rule::HeadingJump => "heading_jump",
            Rule::RepeatedTitle => "repeated_title",
        }
    }
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
            "path": self.path, "line": self.line, "rule": self.rule.as_str(), "severity": self.severity(),
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
