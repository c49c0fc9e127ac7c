//! Reports whether a list shows all records or only some of them.
//!
//! Every list ends with an extent, so that nobody mistakes a page for everything: `meta` holds the counts for
//! programs, a notice on stderr is for people. Nothing here decides how much is shown.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::cli::error::Hint;
use crate::cli::streams::Notice;

/// How many records exist beyond those in a list.
#[derive(Debug, Clone)]
pub struct Extent {
    /// Plural noun for the records.
    noun: Cow<'static, str>,
    /// Number of all records, if known.
    total: Option<u64>,
    has_more: bool,
    /// What to type for more records.
    advice: Hint,
    /// Notice for an empty list.
    empty_note: Option<String>,
    /// Notice for a partial list, instead of the counts.
    partial_note: Option<String>,
    /// Whether an error already reports that the list is partial.
    has_error: bool,
    /// How to get the next page.
    next: Option<NextPage>,
}

/// The flag that makes the same command show the next page, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage {
    pub flag: String,
    pub cursor: String,
}

impl Extent {
    /// A list of all records.
    pub fn complete(noun: impl Into<Cow<'static, str>>) -> Self {
        Extent {
            noun: noun.into(),
            total: None,
            has_more: false,
            advice: Hint::default(),
            empty_note: None,
            partial_note: None,
            has_error: false,
            next: None,
        }
    }

    /// A list that may be partial. `total` is `None` if the number of all records is unknown.
    pub fn partial(
        noun: impl Into<Cow<'static, str>>,
        total: Option<u64>,
        has_more: bool,
        advice: impl Into<Hint>,
    ) -> Self {
        Extent { total, has_more, advice: advice.into(), ..Extent::complete(noun) }
    }

    /// Replaces the notice for an empty list.
    pub fn when_empty(self, note: impl Into<String>) -> Self {
        Extent { empty_note: Some(note.into()), ..self }
    }

    /// Replaces the notice for a partial list.
    pub fn when_partial(self, note: impl Into<String>) -> Self {
        Extent { partial_note: Some(note.into()), ..self }
    }

    /// Prints no notice if the command ends with an error that reports the same.
    pub fn with_error(self, has_error: bool) -> Self {
        Extent { has_error, ..self }
    }

    /// Adds how to get the next page.
    pub fn followed_by(self, next: Option<NextPage>) -> Self {
        Extent { next, ..self }
    }

    /// Adds the counts of a list with `shown` records to its `meta`; existing keys stay.
    pub fn describe(&self, meta: &mut Value, shown: u64) {
        let Value::Object(meta) = meta else { return };
        meta.entry("has_more").or_insert(json!(self.has_more));
        meta.entry("total_count").or_insert(json!(self.total(shown)));
        if let Some(NextPage { flag, cursor }) = &self.next {
            meta.entry("next_cursor").or_insert(json!(cursor));
            meta.entry("next_flag").or_insert(json!(flag));
        }
    }

    /// Number of all records, if known.
    fn total(&self, shown: u64) -> Option<u64> {
        self.total.or_else(|| (!self.has_more).then_some(shown))
    }

    /// The notice for people; `None` if all records are shown.
    pub fn note(&self, shown: u64) -> Option<Notice> {
        let noun = &self.noun;
        match (self.has_more, self.total) {
            (false, _) if shown == 0 => {
                let note = self.empty_note.clone();
                Some(Notice::Text(note.unwrap_or_else(|| format!("no {noun} found"))))
            }
            (false, _) => None,
            (true, _) if self.has_error => None,
            (true, _) if self.partial_note.is_some() => self.partial_note.clone().map(Notice::Text),
            (true, Some(total)) => {
                let text = format!("showing {} of {}", grouped(shown), grouped(total));
                Some(Notice::Advice(text, self.advice.clone()))
            }
            (true, None) => {
                let text = match shown {
                    1 => format!("showing only the first of the {noun}"),
                    _ => format!("showing the first {} {noun}", grouped(shown)),
                };
                Some(Notice::Advice(text, self.advice.clone()))
            }
        }
    }
}

/// The advice for a list that only `--limit` extends.
pub fn limit_for_more() -> Hint {
    Hint::default().flag("limit").text(" N for more")
}

/// `1002` as `1,002`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(note: Option<Notice>) -> Option<String> {
        note.map(|note| note.to_string())
    }

    #[test]
    fn a_partial_list_reports_the_total_and_how_to_get_more() {
        let partial = Extent::partial("contacts", Some(1_002), true, Hint::new("more with ").flag("all"));
        assert_eq!(text(partial.note(50)).as_deref(), Some("showing 50 of 1,002; more with --all"));
        let unknown = Extent::partial("rows", None, true, limit_for_more());
        assert_eq!(text(unknown.note(3)).as_deref(), Some("showing the first 3 rows; --limit N for more"));
        let one = "showing only the first of the rows; --limit N for more";
        assert_eq!(text(unknown.note(1)).as_deref(), Some(one));
        let mut meta = json!({ "source": "live" });
        unknown.describe(&mut meta, 3);
        assert_eq!(meta, json!({ "source": "live", "has_more": true, "total_count": null }));
    }

    #[test]
    fn a_complete_list_prints_a_notice_only_when_it_is_empty() {
        let tags = Extent::complete("tags");
        assert_eq!((tags.note(2), text(tags.note(0)).as_deref()), (None, Some("no tags found")));
        assert_eq!(text(tags.when_empty("no contacts match").note(0)).as_deref(), Some("no contacts match"));
    }

    #[test]
    fn digits_are_grouped() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
