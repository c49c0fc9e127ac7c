//! How much of what there is a list shows.
//!
//! Every list ends with one of these, so that no reader takes a part for the whole: `meta` carries the
//! counts for programs, and a line on stderr tells people. Nothing here decides how much is shown.

use std::borrow::Cow;

use serde_json::{Value, json};

/// What there is besides the records of a list.
#[derive(Debug, Clone)]
pub struct Extent {
    /// What the records are, in the plural.
    what: Cow<'static, str>,
    /// How many there are in all, as far as that is known.
    total: Option<u64>,
    has_more: bool,
    /// What to type for the rest.
    advice: Cow<'static, str>,
    /// The line for a list without records.
    nothing: Option<String>,
    /// The line for a part, instead of the counts.
    partly: Option<String>,
    /// Whether an error says already that this is a part.
    has_error: bool,
    /// What leads to the records after these.
    next: Option<NextPage>,
}

/// The flag, and its value, that the same command shows the next page with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage {
    pub flag: String,
    pub cursor: String,
}

impl Extent {
    /// A list that holds all there is.
    pub fn whole(what: impl Into<Cow<'static, str>>) -> Self {
        Extent {
            what: what.into(),
            total: None,
            has_more: false,
            advice: "".into(),
            nothing: None,
            partly: None,
            has_error: false,
            next: None,
        }
    }

    /// A list that may hold a part. Without `total` nobody knows how many records there are.
    pub fn part(
        what: impl Into<Cow<'static, str>>,
        total: Option<u64>,
        has_more: bool,
        advice: impl Into<Cow<'static, str>>,
    ) -> Self {
        Extent { total, has_more, advice: advice.into(), ..Extent::whole(what) }
    }

    /// The list, with its own line for when it is empty.
    pub fn or(self, nothing: impl Into<String>) -> Self {
        Extent { nothing: Some(nothing.into()), ..self }
    }

    /// The list, with its own line for when it is a part.
    pub fn or_part(self, partly: impl Into<String>) -> Self {
        Extent { partly: Some(partly.into()), ..self }
    }

    /// The list, when the command ends with an error that says how it was cut.
    pub fn with_error(self, has_error: bool) -> Self {
        Extent { has_error, ..self }
    }

    /// The list, with the way to the records after these.
    pub fn followed_by(self, next: Option<NextPage>) -> Self {
        Extent { next, ..self }
    }

    /// Puts the counts of a list with `shown` records into its `meta`; what is there already stays.
    pub fn describe(&self, meta: &mut Value, shown: u64) {
        let Value::Object(meta) = meta else { return };
        meta.entry("has_more").or_insert(json!(self.has_more));
        meta.entry("total_count").or_insert(json!(self.all(shown)));
        if let Some(NextPage { flag, cursor }) = &self.next {
            meta.entry("next_cursor").or_insert(json!(cursor));
            meta.entry("next_flag").or_insert(json!(flag));
        }
    }

    /// How many records there are, where that is known.
    fn all(&self, shown: u64) -> Option<u64> {
        self.total.or_else(|| (!self.has_more).then_some(shown))
    }

    /// The line for people; `None` when all there is was shown.
    pub fn note(&self, shown: u64) -> Option<String> {
        let what = &self.what;
        match (self.has_more, self.total) {
            (false, _) if shown == 0 => {
                Some(self.nothing.clone().unwrap_or_else(|| format!("no {what} found")))
            }
            (false, _) => None,
            (true, _) if self.has_error => None,
            (true, _) if self.partly.is_some() => self.partly.clone(),
            (true, Some(total)) => {
                Some(format!("showing {} of {}; {}", grouped(shown), grouped(total), self.advice))
            }
            (true, None) => {
                Some(format!("showing {} {what}, and there are more; {}", grouped(shown), self.advice))
            }
        }
    }
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

    #[test]
    fn a_part_names_the_whole_and_the_way_to_it() {
        let part = Extent::part("contacts", Some(1_002), true, "--all or --limit N for more");
        assert_eq!(part.note(50).as_deref(), Some("showing 50 of 1,002; --all or --limit N for more"));
        let unknown = Extent::part("rows", None, true, "--limit N for more");
        assert_eq!(
            unknown.note(3).as_deref(),
            Some("showing 3 rows, and there are more; --limit N for more")
        );
        let mut meta = json!({ "source": "live" });
        unknown.describe(&mut meta, 3);
        assert_eq!(meta, json!({ "source": "live", "has_more": true, "total_count": null }));
    }

    #[test]
    fn a_whole_list_says_nothing_unless_it_is_empty() {
        let whole = Extent::whole("tags");
        assert_eq!((whole.note(2), whole.note(0).as_deref()), (None, Some("no tags found")));
        assert_eq!(whole.or("no contacts match").note(0).as_deref(), Some("no contacts match"));
    }

    #[test]
    fn digits_are_grouped() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
