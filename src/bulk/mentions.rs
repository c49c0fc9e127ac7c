//! Whether a conversation mentions something, and where.
//!
//! Texts are compared as a reader sees them: without markup, whatever their case, white space and kind of
//! quotation marks. A phrase may run across words of different formatting, not across messages.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::mirror::{fields, plain};

/// Characters shown on each side of what was found.
const AROUND: usize = 60;

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct Phrases {
    pub any: Vec<Phrase>,
    /// All of `any` must be mentioned, each anywhere in the conversation.
    pub all: bool,
    /// None of these may be.
    pub exclude: Vec<Phrase>,
}

/// Words as a reader sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(Vec<char>);

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `None` for the opening message and its subject.
    pub part_id: Option<String>,
    /// Epoch seconds.
    pub written_at: Option<i64>,
    text: Visible,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub part_id: Option<String>,
    pub written_at: Option<i64>,
    /// The words around, what was found between `**`.
    pub context: String,
}

/// What is known after some of the messages of a conversation were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Mentioned(Vec<Hit>),
    NotMentioned,
    Excluded,
}

impl Phrase {
    /// `None` when there is nothing in it to look for.
    pub fn new(text: &str) -> Option<Self> {
        let folded = Visible::of_text(text).folded;
        (!folded.is_empty()).then_some(Phrase(folded))
    }
}

impl Phrases {
    /// Looks for the phrases in these messages. Hits are in the order of the messages.
    pub fn judge(&self, messages: &[Message]) -> Verdict {
        let has = |phrase: &Phrase| messages.iter().any(|message| message.text.find(phrase).is_some());
        if self.exclude.iter().any(has) {
            return Verdict::Excluded;
        }
        if self.all && !self.any.iter().all(has) {
            return Verdict::NotMentioned;
        }
        let hits: Vec<Hit> = messages.iter().filter_map(|message| message.hit(&self.any)).collect();
        match hits.is_empty() {
            true => Verdict::NotMentioned,
            false => Verdict::Mentioned(hits),
        }
    }
}

impl Message {
    /// The opening message with its subject, as a conversation's document has it.
    pub fn opening(document: &Value) -> Self {
        let source = &document["source"];
        let html = |value: &Value| value.as_str().map(plain::text).unwrap_or_default();
        let text = format!("{}\n{}", html(&source["subject"]), html(&source["body"]));
        let text = Visible::of_text(&text);
        Message { part_id: None, written_at: fields::time(&document["created_at"]), text }
    }

    /// One part, from its document.
    pub fn part(document: &Value) -> Self {
        let text = document["body"].as_str().map(plain::text).unwrap_or_default();
        Message {
            part_id: fields::id(&document["id"]),
            written_at: fields::time(&document["created_at"])
                .or_else(|| fields::time(&document["updated_at"])),
            text: Visible::of_text(&text),
        }
    }

    fn hit(&self, phrases: &[Phrase]) -> Option<Hit> {
        let (at, phrase) = phrases
            .iter()
            .filter_map(|phrase| Some((self.text.find(phrase)?, phrase)))
            .min_by_key(|it| it.0)?;
        let context = self.text.around(at, phrase.0.len());
        Some(Hit { part_id: self.part_id.clone(), written_at: self.written_at, context })
    }
}

/// A text on one line, and the same folded for comparing, with the place of each folded letter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Visible {
    letters: Vec<char>,
    folded: Vec<char>,
    places: Vec<usize>,
}

impl Visible {
    fn of_text(text: &str) -> Self {
        let seen: String = text.nfc().filter(|letter| !is_invisible(*letter)).collect();
        let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        let letters: Vec<char> = line.chars().collect();
        let (mut folded, mut places) = (Vec::with_capacity(letters.len()), Vec::with_capacity(letters.len()));
        for (place, letter) in letters.iter().enumerate() {
            // Capitals first: ß is SS then, and a final sigma a sigma. The dot that İ keeps is not typed.
            let capitals = fold(*letter).to_uppercase();
            for lower in capitals.flat_map(char::to_lowercase).filter(|it| *it != '\u{307}') {
                folded.push(lower);
                places.push(place);
            }
        }
        Visible { letters, folded, places }
    }

    fn find(&self, phrase: &Phrase) -> Option<usize> {
        let first = phrase.0.first()?;
        let last_start = self.folded.len().checked_sub(phrase.0.len())?;
        (0..=last_start)
            .filter(|at| self.folded[*at] == *first)
            .find(|at| self.folded[*at..].starts_with(&phrase.0))
    }

    fn around(&self, at: usize, length: usize) -> String {
        let (begin, end) = (self.places[at], self.places[at + length - 1] + 1);
        let (from, to) = (begin.saturating_sub(AROUND), (end + AROUND).min(self.letters.len()));
        let text = |range: std::ops::Range<usize>| self.letters[range].iter().collect::<String>();
        format!(
            "{}{}**{}**{}{}",
            if from > 0 { "…" } else { "" },
            text(from..begin),
            text(begin..end),
            text(end..to),
            if to < self.letters.len() { "…" } else { "" }
        )
    }
}

/// Letters that take no room in print.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// What is typed in one way and set in another.
fn fold(letter: char) -> char {
    match letter {
        '‘' | '’' | '‚' | '`' | '´' => '\'',
        '“' | '”' | '„' => '"',
        '‐' | '‑' | '–' | '—' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn phrases(any: &[&str]) -> Phrases {
        Phrases { any: any.iter().map(|it| Phrase::new(it).unwrap()).collect(), ..Phrases::default() }
    }

    fn part(body: &str) -> Message {
        Message::part(&json!({ "id": "7", "created_at": "1700000000", "body": body }))
    }

    fn context(body: &str, phrase: &str) -> Option<String> {
        match phrases(&[phrase]).judge(&[part(body)]) {
            Verdict::Mentioned(hits) => Some(hits[0].context.clone()),
            _ => None,
        }
    }

    #[test]
    fn texts_are_compared_as_they_are_seen() {
        let found = |body| context(body, "Checkout  FAILS");
        assert_eq!(found("<p>My <b>check</b>out&nbsp;\n fails.</p>").unwrap(), "My **checkout fails**.");
        assert!(found("<p>checkout</p><p>fails</p>").is_some());
        assert!(found("check&shy;out fa\u{200b}ils").is_some());
        assert!(found("<a title=\"checkout fails\">here</a>").is_none());
        assert!(found("checkout never fails").is_none());
        assert!(context("It doesn’t load", "doesn't load").is_some());
        assert!(context("<p>CAF&Eacute; &amp; STRASSE</p>", "café & strasse").is_some());
        assert_eq!(context("İstanbul down", "istanbul").unwrap(), "**İstanbul** down");
        assert!(context("HAUPTSTRASSE geht nicht", "Hauptstraße geht").is_some());
        assert!(context("ΛΟΓΟΣ", "λόγος").is_none() && context("ΛΟΓΟΣ", "λογος").is_some());
        // An accent of its own, as some systems write it.
        assert!(context("re\u{301}sume\u{301} perdu", "Résumé perdu").is_some());
    }

    #[test]
    fn context_is_short() {
        let long = format!("{} checkout fails {}", "a ".repeat(90), "b ".repeat(90));
        let found = context(&long, "checkout fails").unwrap();
        assert!(found.starts_with("…") && found.ends_with('…') && found.chars().count() < 150, "{found}");
    }

    #[test]
    fn any_all_and_none() {
        let messages = [part("the card is declined"), part("checkout fails")];
        let mut wanted = phrases(&["checkout fails", "card"]);
        wanted.all = true;
        assert!(matches!(wanted.judge(&messages), Verdict::Mentioned(hits) if hits.len() == 2));
        assert_eq!(wanted.judge(&messages[..1]), Verdict::NotMentioned);
        wanted.all = false;
        assert!(matches!(wanted.judge(&messages[..1]), Verdict::Mentioned(_)));
        wanted.exclude = vec![Phrase::new("declined").unwrap()];
        assert_eq!(wanted.judge(&messages), Verdict::Excluded);
        assert_eq!(Phrase::new(" \n"), None);
    }

    #[test]
    fn the_subject_belongs_to_the_opening_message() {
        let document =
            json!({ "created_at": 5, "source": { "subject": "<p>Checkout fails</p>", "body": null } });
        let opening = Message::opening(&document);
        assert!(matches!(phrases(&["checkout fails"]).judge(&[opening]), Verdict::Mentioned(hits)
            if hits[0].part_id.is_none() && hits[0].written_at == Some(5)));
    }
}
