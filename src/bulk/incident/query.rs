//! What to search for, and whether a conversation matches it.
//!
//! A conversation may only be ruled out without its parts if they cannot change the result.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::document::state;
use crate::bulk::phrase_match::{MessageText, PhraseHit, PhraseResult, Phrases};
use crate::data::lenient;

/// The messages to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum SearchScope {
    // The opening message and its subject.
    Source,
    // Everything after the opening message.
    Parts,
    All,
}

/// What must be in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum WindowBasis {
    // The time of a message that mentions the phrase.
    Message,
    // That, or the last change of the conversation of any kind, for example a tag or an assignment.
    Active,
}

/// The state of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InboxState {
    Open,
    Closed,
    Snoozed,
}

impl InboxState {
    const fn as_str(self) -> &'static str {
        match self {
            InboxState::Open => "open",
            InboxState::Closed => "closed",
            InboxState::Snoozed => "snoozed",
        }
    }
}

/// Times are epoch seconds.
#[derive(Debug, Clone)]
pub struct IncidentQuery {
    pub phrases: Phrases,
    pub scope: SearchScope,
    pub window: WindowBasis,
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Any of these states; empty for all.
    pub states: Vec<InboxState>,
    /// Id of a team.
    pub team: Option<String>,
}

impl IncidentQuery {
    /// Whether only opening messages are relevant.
    pub(super) fn needs_only_opening(&self) -> bool {
        self.scope == SearchScope::Source && self.window == WindowBasis::Message
    }

    /// Whether state, team and times of a conversation match.
    pub(super) fn is_match(&self, document: &Value) -> bool {
        let state = state(document);
        let in_state = self.states.is_empty()
            || self.states.iter().any(|other| state.as_deref() == Some(other.as_str()));
        let in_team = self.team.is_none() || self.team == lenient::reference(&document["team_assignee_id"]);
        let at = |field: &str| lenient::time(&document[field]);
        let recent = self.since.is_none_or(|since| at("updated_at").is_none_or(|at| at >= since));
        let begun = self.until.is_none_or(|until| at("created_at").is_none_or(|at| at < until));
        in_state && in_team && recent && begun
    }

    /// The result if the parts cannot change it; `None` if they must be searched.
    pub(super) fn result_without_parts(&self, document: &Value) -> Option<PhraseResult> {
        let opening = [MessageText::opening(document)];
        let result = self.phrases.search(&opening);
        let count = lenient::integer(&document["statistics"]["count_conversation_parts"]);
        match self.scope {
            SearchScope::Source => Some(result),
            _ if count == Some(0) && self.scope == SearchScope::Parts => Some(PhraseResult::NotMentioned),
            SearchScope::Parts => None,
            _ if count == Some(0) || result == PhraseResult::Excluded => Some(result),
            // Without a hit in the window, a later message may still be in it.
            SearchScope::All => match result {
                PhraseResult::Mentioned(hits)
                    if self.phrases.exclude.is_empty() && !self.in_window(document, &hits).is_empty() =>
                {
                    Some(PhraseResult::Mentioned(hits))
                }
                _ => None,
            },
        }
    }

    fn contains(&self, at: i64) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    /// The hits in the window; none if the conversation is not in it. Messages without a time count as in the window.
    pub(super) fn in_window(&self, document: &Value, hits: &[PhraseHit]) -> Vec<PhraseHit> {
        let is_inside = |hit: &&PhraseHit| hit.written_at.is_none_or(|at| self.contains(at));
        let inside: Vec<PhraseHit> = hits.iter().filter(is_inside).cloned().collect();
        let is_active = || lenient::time(&document["updated_at"]).is_none_or(|at| self.contains(at));
        if inside.is_empty() && self.window == WindowBasis::Active && is_active() {
            hits.to_vec()
        } else {
            inside
        }
    }
}
