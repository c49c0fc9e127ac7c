//! Finds phrases in the messages of a conversation.
//!
//! Text is compared as readers see it: without markup, and ignoring case, white space and the style of quotation
//! marks. A match can span different formatting, but never two messages.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::data::lenient;
use crate::html::plain;

/// Characters of context on each side of a match.
const CONTEXT_LENGTH: usize = 60;

/// The phrases to find and to exclude.
#[derive(Debug, Clone, Default)]
pub struct Phrases {
    pub any: Vec<Phrase>,
    /// Requires all of `any`, each anywhere in the conversation.
    pub all: bool,
    /// Must not occur.
    pub exclude: Vec<Phrase>,
}

/// A phrase, folded for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(Vec<char>);

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText {
    /// `None` for the opening message and its subject.
    pub part_id: Option<String>,
    /// Epoch seconds.
    pub written_at: Option<i64>,
    text: VisibleText,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseHit {
    pub part_id: Option<String>,
    pub written_at: Option<i64>,
    /// Surrounding text, with the match between `**`.
    pub context: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhraseResult {
    Mentioned(Vec<PhraseHit>),
    NotMentioned,
    Excluded,
}

impl Phrase {
    /// `None` if the text has no visible characters.
    pub fn new(text: &str) -> Option<Self> {
        let folded = VisibleText::of_text(text).folded;
        (!folded.is_empty()).then_some(Phrase(folded))
    }
}

impl Phrases {
    /// Searches the messages. Hits are in the order of the messages.
    pub fn search(&self, messages: &[MessageText]) -> PhraseResult {
        let has = |phrase: &Phrase| messages.iter().any(|message| message.text.find(phrase).is_some());
        if self.exclude.iter().any(has) {
            return PhraseResult::Excluded;
        }
        if self.all && !self.any.iter().all(has) {
            return PhraseResult::NotMentioned;
        }
        let hits: Vec<PhraseHit> = messages.iter().filter_map(|message| message.hit(&self.any)).collect();
        if hits.is_empty() { PhraseResult::NotMentioned } else { PhraseResult::Mentioned(hits) }
    }
}

impl MessageText {
    /// The opening message of a conversation, with its subject.
    pub fn opening(document: &Value) -> Self {
        let source = &document["source"];
        let html = |value: &Value| value.as_str().map(plain::text).unwrap_or_default();
        let text = format!("{}\n{}", html(&source["subject"]), html(&source["body"]));
        let text = VisibleText::of_text(&text);
        MessageText { part_id: None, written_at: lenient::time(&document["created_at"]), text }
    }

    /// A part of a conversation.
    pub fn part(document: &Value) -> Self {
        let text = document["body"].as_str().map(plain::text).unwrap_or_default();
        MessageText {
            part_id: lenient::id(&document["id"]),
            written_at: lenient::time(&document["created_at"])
                .or_else(|| lenient::time(&document["updated_at"])),
            text: VisibleText::of_text(&text),
        }
    }

    fn hit(&self, phrases: &[Phrase]) -> Option<PhraseHit> {
        let (at, phrase) = phrases
            .iter()
            .filter_map(|phrase| Some((self.text.find(phrase)?, phrase)))
            .min_by_key(|(at, _)| *at)?;
        let context = self.text.context(at, phrase.0.len());
        Some(PhraseHit { part_id: self.part_id.clone(), written_at: self.written_at, context })
    }
}

/// A text on one line, and the same text folded for comparison, with the index of the original of each character.
#[derive(Debug, Clone, PartialEq, Eq)]
struct VisibleText {
    original: Vec<char>,
    folded: Vec<char>,
    indices: Vec<usize>,
}

impl VisibleText {
    fn of_text(text: &str) -> Self {
        let visible: String = text.nfc().filter(|character| !is_invisible(*character)).collect();
        let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        let original: Vec<char> = line.chars().collect();
        let (mut folded, mut indices) =
            (Vec::with_capacity(original.len()), Vec::with_capacity(original.len()));
        for (index, character) in original.iter().enumerate() {
            // Upper case first, so that ß becomes SS and a final sigma a sigma. Drop the combining dot of İ.
            let capitals = fold(*character).to_uppercase();
            for lower in capitals.flat_map(char::to_lowercase).filter(|lower| *lower != '\u{307}') {
                folded.push(lower);
                indices.push(index);
            }
        }
        VisibleText { original, folded, indices }
    }

    fn find(&self, phrase: &Phrase) -> Option<usize> {
        let first = phrase.0.first()?;
        let last_start = self.folded.len().checked_sub(phrase.0.len())?;
        (0..=last_start)
            .filter(|at| self.folded[*at] == *first)
            .find(|at| self.folded[*at..].starts_with(&phrase.0))
    }

    fn context(&self, at: usize, length: usize) -> String {
        let (begin, end) = (self.indices[at], self.indices[at + length - 1] + 1);
        let (from, to) =
            (begin.saturating_sub(CONTEXT_LENGTH), (end + CONTEXT_LENGTH).min(self.original.len()));
        let text = |range: std::ops::Range<usize>| self.original[range].iter().collect::<String>();
        format!(
            "{}{}**{}**{}{}",
            if from > 0 { "…" } else { "" },
            text(from..begin),
            text(begin..end),
            text(end..to),
            if to < self.original.len() { "…" } else { "" }
        )
    }
}

/// Whether a character has no visible width.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Maps typographic quotation marks and dashes to their ASCII forms.
fn fold(character: char) -> char {
    match character {
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
        Phrases { any: any.iter().map(|text| Phrase::new(text).unwrap()).collect(), ..Phrases::default() }
    }

    fn part(body: &str) -> MessageText {
        MessageText::part(&json!({ "id": "7", "created_at": "1700000000", "body": body }))
    }

    fn context(body: &str, phrase: &str) -> Option<String> {
        match phrases(&[phrase]).search(&[part(body)]) {
            PhraseResult::Mentioned(hits) => Some(hits[0].context.clone()),
            _ => None,
        }
    }

    #[test]
    fn text_is_compared_as_readers_see_it() {
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
        // A combining accent, as some systems write it.
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
        let mut query = phrases(&["checkout fails", "card"]);
        query.all = true;
        assert!(matches!(query.search(&messages), PhraseResult::Mentioned(hits) if hits.len() == 2));
        assert_eq!(query.search(&messages[..1]), PhraseResult::NotMentioned);
        query.all = false;
        assert!(matches!(query.search(&messages[..1]), PhraseResult::Mentioned(_)));
        query.exclude = vec![Phrase::new("declined").unwrap()];
        assert_eq!(query.search(&messages), PhraseResult::Excluded);
        assert_eq!(Phrase::new(" \n"), None);
    }

    #[test]
    fn the_subject_belongs_to_the_opening_message() {
        let document =
            json!({ "created_at": 5, "source": { "subject": "<p>Checkout fails</p>", "body": null } });
        let opening = MessageText::opening(&document);
        assert!(matches!(phrases(&["checkout fails"]).search(&[opening]), PhraseResult::Mentioned(hits)
            if hits[0].part_id.is_none() && hits[0].written_at == Some(5)));
    }
}
