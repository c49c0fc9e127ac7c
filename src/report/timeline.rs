//! The moments of one conversation from which response times are computed.
//!
//! Reads the parts in order and keeps the facts that all definitions need. Must never use the API's own
//! `time_to_*` values, which exclude the time outside office hours.

use crate::mirror::author;

/// Who wrote a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Contact,
    /// A person of the team.
    Teammate,
    /// A bot, a workflow, the AI agent, or unknown.
    Machine,
}

impl Speaker {
    /// From the mirror's `written_by`; see [`crate::mirror::author`].
    pub fn of(written_by: Option<&str>) -> Self {
        match written_by {
            Some(author::CONTACT) => Speaker::Contact,
            Some(author::TEAMMATE) => Speaker::Teammate,
            _ => Speaker::Machine,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Speaker::Contact => author::CONTACT,
            Speaker::Teammate => author::TEAMMATE,
            Speaker::Machine => author::BOT,
        }
    }
}

/// What a part does, as far as it matters for response times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    Comment,
    /// A reply button.
    QuickReply,
    Note,
    Assignment,
    /// Opens the conversation, and may do something else.
    Open,
    Close,
    Snooze,
    /// The snooze has expired or was ended.
    Unsnooze,
    Other,
}

impl PartKind {
    pub fn of(part_type: &str) -> Self {
        match part_type {
            "comment" => PartKind::Comment,
            "quick_reply" => PartKind::QuickReply,
            "note" => PartKind::Note,
            "assignment" | "default_assignment" | "away_mode_assignment" => PartKind::Assignment,
            "open" | "assign_and_reopen" | "note_and_reopen" => PartKind::Open,
            "close" => PartKind::Close,
            "snoozed" => PartKind::Snooze,
            "timer_unsnooze" | "unsnoozed" | "assign_and_unsnooze" => PartKind::Unsnooze,
            _ => PartKind::Other,
        }
    }
}

/// The state of the conversation, if a part contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Closed,
    Snoozed,
}

impl State {
    pub fn of(state: Option<&str>) -> Option<Self> {
        match state? {
            "open" => Some(State::Open),
            "closed" => Some(State::Closed),
            "snoozed" => Some(State::Snoozed),
            _ => None,
        }
    }
}

/// One part of a conversation. `at` is epoch seconds.
#[derive(Debug, Clone, Copy)]
pub struct TimelinePart {
    pub kind: PartKind,
    pub by: Speaker,
    /// Whether it has visible content.
    pub has_text: bool,
    pub state: Option<State>,
    /// Whether it assigned the conversation to a teammate (`true`) or unassigned it (`false`).
    pub assigns: Option<bool>,
    pub at: i64,
}

impl TimelinePart {
    /// Whether the other side can read it: a comment, or an action with text.
    pub fn is_message(&self) -> bool {
        match self.kind {
            PartKind::Comment => true,
            PartKind::QuickReply
            | PartKind::Assignment
            | PartKind::Open
            | PartKind::Close
            | PartKind::Snooze
            | PartKind::Unsnooze => self.has_text,
            PartKind::Note | PartKind::Other => false,
        }
    }

    fn is_closed(&self) -> bool {
        self.kind == PartKind::Close || self.state == Some(State::Closed)
    }

    /// Whether it opens a closed conversation.
    fn reopens(&self) -> bool {
        match (self.kind, self.state) {
            (PartKind::Open, _) | (_, Some(State::Open | State::Snoozed)) => self.kind != PartKind::Close,
            (PartKind::Comment, None) => self.by == Speaker::Contact,
            _ => false,
        }
    }

    /// Whether it ends a snooze.
    fn ends_snooze(&self) -> bool {
        match (self.kind, self.state) {
            (PartKind::Snooze, _) => false,
            (PartKind::Unsnooze | PartKind::Open | PartKind::Close, _)
            | (_, Some(State::Open | State::Closed)) => true,
            (PartKind::Comment | PartKind::QuickReply, None) => self.by == Speaker::Contact,
            _ => false,
        }
    }
}

/// Start and end in epoch seconds; `None` means not ended yet.
pub type Span = (i64, Option<i64>);

/// The facts after the parts so far. Times are epoch seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The first message of a contact, including the opening message.
    pub first_contact_at: Option<i64>,
    /// The first message of a teammate after that.
    pub first_response_at: Option<i64>,
    /// The first close after the first message of a contact, or any close if no contact wrote.
    pub first_close_at: Option<i64>,
    pub last_close_at: Option<i64>,
    /// Number of times it was reopened.
    pub reopened: u32,
    /// The oldest message of a contact that no teammate has answered yet.
    pub waiting_since: Option<i64>,
    /// After the first response: from the oldest unanswered contact message to the teammate's answer.
    pub next_responses: Vec<Span>,
    pub snoozes: Vec<Span>,
    /// While it was open, not snoozed, and assigned to a teammate.
    pub handled: Vec<Span>,
    pub closed: bool,
    has_owner: bool,
}

impl Timeline {
    /// A conversation with only its opening message. The customer is not waiting unless a contact wrote it.
    pub fn opened(by: Speaker, at: Option<i64>) -> Self {
        let first_contact_at = at.filter(|_| by == Speaker::Contact);
        Timeline { first_contact_at, waiting_since: first_contact_at, ..Timeline::default() }
    }

    /// Adds the next part. Parts must be in order of time.
    pub fn add(&mut self, part: &TimelinePart) {
        match part.by {
            Speaker::Contact if part.is_message() => self.contact_wrote(part.at),
            Speaker::Teammate if part.is_message() && self.contact_has_written(part.at) => {
                self.teammate_answered(part.at)
            }
            _ => {}
        }
        if self.closed && part.reopens() {
            self.reopened += 1;
            self.closed = false;
        } else if part.is_closed() {
            self.closed = true;
        }
        if part.kind == PartKind::Close {
            self.close(part.at);
        }
        self.update_snoozes(part);
        self.update_handled(part);
    }

    fn contact_wrote(&mut self, at: i64) {
        if self.first_contact_at.is_none() {
            self.first_contact_at = Some(at);
            // A close before a contact wrote resolved nothing.
            (self.first_close_at, self.last_close_at) = (None, None);
        }
        self.waiting_since.get_or_insert(at);
    }

    fn teammate_answered(&mut self, at: i64) {
        match (self.first_response_at, self.waiting_since) {
            (None, _) => self.first_response_at = Some(at),
            (Some(_), Some(since)) => self.next_responses.push((since, Some(at))),
            (Some(_), None) => {}
        }
        self.waiting_since = None;
    }

    fn close(&mut self, at: i64) {
        if self.first_contact_at.is_none_or(|first| first <= at) {
            self.first_close_at.get_or_insert(at);
            self.last_close_at = Some(at);
        }
    }

    fn update_snoozes(&mut self, part: &TimelinePart) {
        let snoozed = self.snoozed();
        if part.kind == PartKind::Snooze && !snoozed {
            self.snoozes.push((part.at, None));
        } else if snoozed && part.ends_snooze() {
            end(&mut self.snoozes, part.at);
        }
    }

    fn update_handled(&mut self, part: &TimelinePart) {
        let writes = part.by == Speaker::Teammate && part.is_message();
        self.has_owner = part.assigns.unwrap_or(self.has_owner || writes);
        let was_handled = self.handled.last().is_some_and(|span| span.1.is_none());
        let is_handled =
            self.has_owner && !self.closed && !self.snoozed() && self.contact_has_written(part.at);
        match (was_handled, is_handled) {
            (false, true) => self.handled.push((part.at, None)),
            (true, false) => end(&mut self.handled, part.at),
            _ => {}
        }
    }

    /// Whether it is currently snoozed.
    pub fn snoozed(&self) -> bool {
        self.snoozes.last().is_some_and(|span| span.1.is_none())
    }

    fn contact_has_written(&self, at: i64) -> bool {
        self.first_contact_at.is_some_and(|first| first <= at)
    }
}

/// Ends the current span.
fn end(spans: &mut [Span], at: i64) {
    if let Some(span) = spans.last_mut() {
        span.1 = span.1.or(Some(at));
    }
}

#[cfg(test)]
mod tests;
