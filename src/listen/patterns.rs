//! Chooses notifications by topic, as `--events` does: `conversation.*,contact.deleted`.
//!
//! A new topic of Intercom must need no new version: known topics serve suggestions only.

use std::str::FromStr;

use crate::data::{spelling, wildcard};
use crate::webhooks::TOPICS;

/// The topic of tests, which are wanted only by name.
const PING: &str = "ping";

/// A topic, in which `*` means any characters, dots included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern(String);

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid topic {0:?}: expected lower-case letters, digits, \"_\", \".\" and \"*\", for example conversation.*"
)]
pub struct InvalidPattern(String);

impl FromStr for TopicPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let text = text.trim();
        let is_allowed =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_.*".contains(letter);
        if text.is_empty() || !text.chars().all(is_allowed) {
            return Err(InvalidPattern(text.to_owned()));
        }
        Ok(TopicPattern(text.to_owned()))
    }
}

impl TopicPattern {
    /// Whether a topic has this form.
    pub fn matches(&self, topic: &str) -> bool {
        wildcard::matches(&self.0, topic)
    }

    /// The pattern as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For a pattern that matches no known topic: the one that it may mean, empty if none is close.
    pub fn doubt(&self) -> Option<String> {
        if TOPICS.iter().any(|topic| self.matches(topic)) {
            return None;
        }
        let group = |topic: &'static str| topic.split('.').next().unwrap_or(topic);
        let (typed, rest) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let mut groups: Vec<&str> = TOPICS.iter().map(|topic| group(topic)).collect();
        groups.dedup();
        let close = spelling::nearest(typed, &groups).filter(|found| *found != typed);
        let corrected = close.map(|group| format!("{group}.{rest}"));
        let is_known = |text: &String| TOPICS.iter().any(|topic| TopicPattern(text.clone()).matches(topic));
        let whole = || spelling::nearest(&self.0, TOPICS).map(str::to_owned);
        Some(corrected.filter(is_known).or_else(whole).unwrap_or_default())
    }
}

/// The notifications that somebody wants; all if no pattern is given.
#[derive(Debug, Clone, Default)]
pub struct TopicPatterns(Vec<TopicPattern>);

impl TopicPatterns {
    pub fn new(patterns: Vec<TopicPattern>) -> Self {
        TopicPatterns(patterns)
    }

    /// Whether a topic is wanted. Pings are wanted only by name.
    pub fn wants(&self, topic: &str) -> bool {
        if topic == PING {
            return self.0.iter().any(|pattern| pattern.as_str() == PING);
        }
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.matches(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> TopicPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_matches_any_depth() {
        for (typed, topic, is_match) in [
            ("conversation.*", "conversation.deleted", true),
            ("conversation.*", "conversation.admin.open.assigned", true),
            ("conversation.*", "conversation_part.redacted", false),
            ("conversation.*", "conversation", false),
            ("*", "anything.at.all", true),
            ("*.deleted", "contact.deleted", true),
            ("*.deleted", "contact.deleted.again", false),
            ("contact.*.created", "contact.user.created", true),
            ("contact.*.created", "contact.created", false),
            ("c*n*d", "conversation.deleted", true),
            ("contact.deleted", "contact.deleted", true),
            ("contact.deleted", "contact.deleted.x", false),
            ("a*a", "a", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(pattern(typed).matches(topic), is_match, "{typed} {topic}");
        }
    }

    #[test]
    fn what_no_topic_can_contain_is_refused() {
        for text in ["", " ", "Conversation.*", "contact deleted", "contact/deleted"] {
            assert!(text.parse::<TopicPattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_unknown_topic_is_doubted_with_the_closest_one() {
        assert_eq!(pattern("conversation.*").doubt(), None);
        assert_eq!(pattern("ping").doubt(), None);
        assert_eq!(pattern("conversations.*").doubt().as_deref(), Some("conversation.*"));
        assert_eq!(pattern("contact.delted").doubt().as_deref(), Some("contact.deleted"));
        assert_eq!(pattern("zebra.*").doubt().as_deref(), Some(""));
    }

    #[test]
    fn pings_are_wanted_only_by_name() {
        let patterns = |texts: &[&str]| TopicPatterns::new(texts.iter().map(|text| pattern(text)).collect());
        assert!(patterns(&[]).wants("ticket.created") && !patterns(&[]).wants("ping"));
        assert!(!patterns(&["*"]).wants("ping") && patterns(&["*"]).wants("ticket.created"));
        assert!(patterns(&["ping"]).wants("ping") && !patterns(&["ping"]).wants("ticket.created"));
    }
}
