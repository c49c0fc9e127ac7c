//! What happened in one conversation, as far as waiting customers are concerned.
//!
//! Reads the parts in order and keeps the few facts that every definition can be worked out from. It uses plain moments only: the service's own
//! `time_to_*` values leave out the time outside office hours and must never be mixed in.

use crate::mirror::author;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Contact,
    /// A person of the team.
    Teammate,
    /// A bot, a workflow, the AI agent, or nobody known.
    Machine,
}

impl Speaker {
    /// From what the mirror says of an author; see [`crate::mirror::author`].
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

/// What was done in a part, as far as it matters for waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Comment,
    /// An answer picked from a list of buttons.
    QuickReply,
    Note,
    Assignment,
    /// Opens it, whatever else it does.
    Open,
    Close,
    Snooze,
    /// The snooze has run out, or was ended.
    Unsnooze,
    Other,
}

impl Kind {
    pub fn of(part_type: &str) -> Self {
        match part_type {
            "comment" => Kind::Comment,
            "quick_reply" => Kind::QuickReply,
            "note" => Kind::Note,
            "assignment" | "default_assignment" | "away_mode_assignment" => Kind::Assignment,
            "open" | "assign_and_reopen" | "note_and_reopen" => Kind::Open,
            "close" => Kind::Close,
            "snoozed" => Kind::Snooze,
            "timer_unsnooze" | "unsnoozed" | "assign_and_unsnooze" => Kind::Unsnooze,
            _ => Kind::Other,
        }
    }
}

/// The conversation's state, where a part tells it.
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
pub struct Part {
    pub kind: Kind,
    pub by: Speaker,
    /// Whether there is anything to see.
    pub has_text: bool,
    pub state: Option<State>,
    /// Whether it gave the conversation to a teammate (`true`) or took it from one (`false`).
    pub gives: Option<bool>,
    pub at: i64,
}

impl Part {
    /// Something the other side can read: a comment, or what was said while doing something else.
    pub fn is_message(&self) -> bool {
        match self.kind {
            Kind::Comment => true,
            Kind::QuickReply
            | Kind::Assignment
            | Kind::Open
            | Kind::Close
            | Kind::Snooze
            | Kind::Unsnooze => self.has_text,
            Kind::Note | Kind::Other => false,
        }
    }

    fn is_closed(&self) -> bool {
        self.kind == Kind::Close || self.state == Some(State::Closed)
    }

    /// Whether a closed conversation is open after this part.
    fn reopens(&self) -> bool {
        match (self.kind, self.state) {
            (Kind::Open, _) | (_, Some(State::Open | State::Snoozed)) => self.kind != Kind::Close,
            (Kind::Comment, None) => self.by == Speaker::Contact,
            _ => false,
        }
    }

    /// Whether a snoozed conversation is no longer snoozed after this part.
    fn wakes(&self) -> bool {
        match (self.kind, self.state) {
            (Kind::Snooze, _) => false,
            (Kind::Unsnooze | Kind::Open | Kind::Close, _) | (_, Some(State::Open | State::Closed)) => true,
            (Kind::Comment | Kind::QuickReply, None) => self.by == Speaker::Contact,
            _ => false,
        }
    }
}

/// From when to when, epoch seconds. One without an end has not ended yet.
pub type Span = (i64, Option<i64>);

/// What is known after the parts so far. Moments are epoch seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The first message of a contact, the opening one included.
    pub first_contact_at: Option<i64>,
    /// The first message of a teammate after that.
    pub first_response_at: Option<i64>,
    /// The first close after the first message of a contact; any close where no contact wrote.
    pub first_close_at: Option<i64>,
    /// The last one.
    pub last_close_at: Option<i64>,
    /// How often it was open again after a close.
    pub reopened: u32,
    /// The oldest message of a contact that no teammate has answered yet.
    pub waiting_since: Option<i64>,
    /// From a contact's further message, the oldest unanswered one, to the answer of a teammate.
    pub next_responses: Vec<Span>,
    pub snoozes: Vec<Span>,
    /// While it was open, awake, and in the hands of a teammate.
    pub handled: Vec<Span>,
    pub closed: bool,
    in_hands: bool,
}

impl Timeline {
    /// A conversation that consists of its opening message. Unless a contact wrote that, the clock of
    /// the customer does not run yet.
    pub fn opened(by: Speaker, at: Option<i64>) -> Self {
        let first_contact_at = at.filter(|_| by == Speaker::Contact);
        Timeline { first_contact_at, waiting_since: first_contact_at, ..Timeline::default() }
    }

    /// Goes on with the next part, in order of time.
    pub fn add(&mut self, part: &Part) {
        match part.by {
            Speaker::Contact if part.is_message() => self.asked(part.at),
            Speaker::Teammate if part.is_message() && self.waited_for(part.at) => self.answered(part.at),
            _ => {}
        }
        if self.closed && part.reopens() {
            self.reopened += 1;
            self.closed = false;
        } else if part.is_closed() {
            self.closed = true;
        }
        if part.kind == Kind::Close {
            self.close(part.at);
        }
        self.snooze(part);
        self.handle(part);
    }

    fn asked(&mut self, at: i64) {
        if self.first_contact_at.is_none() {
            self.first_contact_at = Some(at);
            // What was closed before anybody waited resolved nothing.
            (self.first_close_at, self.last_close_at) = (None, None);
        }
        self.waiting_since.get_or_insert(at);
    }

    fn answered(&mut self, at: i64) {
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

    fn snooze(&mut self, part: &Part) {
        let snoozed = self.snoozed();
        if part.kind == Kind::Snooze && !snoozed {
            self.snoozes.push((part.at, None));
        } else if snoozed && part.wakes() {
            end(&mut self.snoozes, part.at);
        }
    }

    fn handle(&mut self, part: &Part) {
        let writes = part.by == Speaker::Teammate && part.is_message();
        self.in_hands = part.gives.unwrap_or(self.in_hands || writes);
        let handled = self.handled.last().is_some_and(|span| span.1.is_none());
        let now = self.in_hands && !self.closed && !self.snoozed() && self.waited_for(part.at);
        match (handled, now) {
            (false, true) => self.handled.push((part.at, None)),
            (true, false) => end(&mut self.handled, part.at),
            _ => {}
        }
    }

    /// Whether it is snoozed after the parts so far.
    pub fn snoozed(&self) -> bool {
        self.snoozes.last().is_some_and(|span| span.1.is_none())
    }

    fn waited_for(&self, at: i64) -> bool {
        self.first_contact_at.is_some_and(|first| first <= at)
    }
}

/// Ends the span that has not ended yet.
fn end(spans: &mut [Span], at: i64) {
    if let Some(span) = spans.last_mut() {
        span.1 = span.1.or(Some(at));
    }
}

#[cfg(test)]
mod tests;
