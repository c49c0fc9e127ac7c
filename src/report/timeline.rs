//! What happened in one conversation, as far as waiting customers are concerned.
//!
//! Reads the parts in order and keeps the few facts that every definition can be worked out from. It uses plain moments only: the service's own
//! `time_to_*` values leave out the time outside office hours and must never be mixed in.

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
    /// From the author's type in a document.
    pub fn of(author_type: Option<&str>, from_ai_agent: bool) -> Self {
        match author_type {
            Some("user" | "lead" | "contact" | "visitor") => Speaker::Contact,
            Some("admin") if !from_ai_agent => Speaker::Teammate,
            _ => Speaker::Machine,
        }
    }

    /// Who began a conversation. Where the author is left blank, how it was delivered tells.
    pub fn of_opening(author_type: Option<&str>, delivered_as: Option<&str>) -> Self {
        match (author_type, delivered_as) {
            (None | Some(""), Some("customer_initiated")) => Speaker::Contact,
            (author_type, _) => Speaker::of(author_type, false),
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
            "open" | "assign_and_reopen" => Kind::Open,
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
mod tests {
    use super::*;

    const CONTACT: Speaker = Speaker::Contact;
    const ADMIN: Speaker = Speaker::Teammate;
    const BOT: Speaker = Speaker::Machine;

    fn told(opening: Speaker, parts: &[(&str, Speaker, bool, i64)]) -> Timeline {
        let mut timeline = Timeline::opened(opening, Some(100));
        for (part_type, by, has_text, at) in parts {
            let kind = Kind::of(part_type);
            timeline.add(&Part { kind, by: *by, has_text: *has_text, state: None, gives: None, at: *at });
        }
        timeline
    }

    fn first_response(timeline: &Timeline) -> Option<i64> {
        Some(timeline.first_response_at? - timeline.first_contact_at?)
    }

    fn resolution(timeline: &Timeline) -> Option<i64> {
        Some(timeline.last_close_at? - timeline.first_contact_at?)
    }

    #[test]
    fn speakers() {
        assert_eq!(Speaker::of(Some("lead"), false), CONTACT);
        assert_eq!(Speaker::of(Some("admin"), false), ADMIN);
        for machine in [(Some("admin"), true), (Some("bot"), false), (Some("team"), false), (None, false)] {
            assert_eq!(Speaker::of(machine.0, machine.1), BOT, "{machine:?}");
        }
        assert_eq!(Speaker::of_opening(None, Some("customer_initiated")), CONTACT);
        assert_eq!(Speaker::of_opening(None, Some("operator_initiated")), BOT);
        assert_eq!(Speaker::of_opening(Some("admin"), Some("admin_initiated")), ADMIN);
    }

    #[test]
    fn the_first_person_answers() {
        let timeline = told(
            CONTACT,
            &[
                ("comment", BOT, true, 101),
                ("note", ADMIN, true, 110),
                ("assignment", ADMIN, false, 120),
                ("snoozed", ADMIN, false, 125),
                ("conversation_attribute_updated_by_admin", ADMIN, true, 126),
                ("comment", CONTACT, true, 130),
                ("comment", ADMIN, true, 160),
                ("comment", ADMIN, true, 170),
            ],
        );
        assert_eq!(first_response(&timeline), Some(60));
        assert_eq!(resolution(&timeline), None);
    }

    #[test]
    fn words_that_come_with_an_action_answer() {
        for action in ["assignment", "assign_and_reopen", "close", "snoozed", "open"] {
            assert_eq!(first_response(&told(CONTACT, &[(action, ADMIN, true, 130)])), Some(30), "{action}");
            assert_eq!(first_response(&told(CONTACT, &[(action, ADMIN, false, 130)])), None, "{action}");
        }
        // An answer may consist of an attachment that is no longer there.
        assert_eq!(first_response(&told(CONTACT, &[("comment", ADMIN, false, 130)])), Some(30));
    }

    #[test]
    fn the_opening_of_the_team_is_no_answer_and_starts_no_clock() {
        let silent = told(ADMIN, &[("comment", ADMIN, true, 150), ("close", ADMIN, false, 160)]);
        assert_eq!(silent.first_contact_at, None);
        assert_eq!((first_response(&silent), resolution(&silent)), (None, None));

        let answered = told(
            ADMIN,
            &[
                ("comment", ADMIN, true, 150),
                ("close", ADMIN, false, 160),
                ("comment", CONTACT, true, 200),
                ("comment", ADMIN, true, 230),
            ],
        );
        assert_eq!(answered.first_contact_at, Some(200));
        assert_eq!(first_response(&answered), Some(30));
        assert_eq!(resolution(&answered), None);
    }

    #[test]
    fn what_a_contact_does_without_words_is_no_message() {
        let rated =
            told(BOT, &[("conversation_rating_changed", CONTACT, true, 120), ("open", CONTACT, false, 130)]);
        assert_eq!(rated.first_contact_at, None);
        assert_eq!(told(BOT, &[("quick_reply", CONTACT, true, 120)]).first_contact_at, Some(120));
    }

    #[test]
    fn the_last_close_resolves() {
        let parts = [
            ("close", ADMIN, false, 200),
            ("comment", CONTACT, true, 300),
            ("close", BOT, false, 400),
            ("note", ADMIN, true, 500),
        ];
        let timeline = told(CONTACT, &parts);
        assert_eq!(resolution(&timeline), Some(300));
        assert_eq!(timeline.reopened, 1);
        assert_eq!(told(CONTACT, &parts[..1]).reopened, 0);
    }

    #[test]
    fn reopening_follows_the_stated_state() {
        let mut timeline = Timeline::opened(CONTACT, Some(100));
        let part = |part_type, by, state| Part {
            kind: Kind::of(part_type),
            by,
            has_text: true,
            state: State::of(Some(state)),
            gives: None,
            at: 200,
        };
        timeline.add(&part("close", ADMIN, "closed"));
        timeline.add(&part("comment", CONTACT, "closed"));
        timeline.add(&part("note", ADMIN, "closed"));
        assert_eq!(timeline.reopened, 0, "a late thank-you that opens nothing");
        timeline.add(&part("comment", CONTACT, "open"));
        assert_eq!(timeline.reopened, 1);

        // Where the state is the one before the part, a close says open.
        let mut timeline = Timeline::opened(CONTACT, Some(100));
        timeline.add(&part("comment", ADMIN, "open"));
        timeline.add(&part("close", ADMIN, "open"));
        assert_eq!(timeline.reopened, 0);
        timeline.add(&part("open", ADMIN, "closed"));
        assert_eq!(timeline.reopened, 1);
    }

    #[test]
    fn parts_from_before_the_first_message_answer_nothing() {
        assert_eq!(first_response(&told(CONTACT, &[("comment", ADMIN, true, 90)])), None);
        assert_eq!(first_response(&told(CONTACT, &[("comment", ADMIN, true, 100)])), Some(0));
    }

    #[test]
    fn each_further_question_waits_for_its_answer() {
        let timeline = told(
            CONTACT,
            &[
                ("comment", CONTACT, true, 110),
                ("comment", ADMIN, true, 150),
                ("comment", ADMIN, true, 160),
                ("comment", CONTACT, true, 200),
                ("comment", CONTACT, true, 210),
                ("note", ADMIN, true, 220),
                ("comment", BOT, true, 230),
                ("close", ADMIN, true, 300),
                ("comment", CONTACT, true, 400),
            ],
        );
        assert_eq!(timeline.next_responses, [(200, Some(300))]);
        assert_eq!((timeline.waiting_since, timeline.reopened), (Some(400), 1));
    }

    #[test]
    fn snoozes_end_with_what_wakes_the_conversation() {
        let timeline = told(
            CONTACT,
            &[
                ("snoozed", ADMIN, false, 200),
                ("note", ADMIN, true, 210),
                ("snoozed", ADMIN, false, 220),
                ("timer_unsnooze", BOT, false, 300),
                ("snoozed", ADMIN, false, 400),
                ("comment", CONTACT, true, 450),
                ("snoozed", ADMIN, false, 500),
            ],
        );
        assert_eq!(timeline.snoozes, [(200, Some(300)), (400, Some(450)), (500, None)]);
        assert!(timeline.snoozed());
    }

    #[test]
    fn handling_is_open_and_in_the_hands_of_a_teammate() {
        let mut timeline = Timeline::opened(CONTACT, Some(100));
        let mut happen = |part_type, by, gives, at| {
            let kind = Kind::of(part_type);
            timeline.add(&Part { kind, by, has_text: kind == Kind::Comment, state: None, gives, at });
        };
        happen("assignment", BOT, Some(true), 120);
        happen("comment", ADMIN, None, 130);
        happen("snoozed", ADMIN, None, 150);
        happen("timer_unsnooze", BOT, None, 250);
        happen("assignment", ADMIN, Some(false), 260);
        happen("comment", ADMIN, None, 300);
        happen("close", ADMIN, None, 340);
        happen("note", ADMIN, None, 400);
        assert_eq!(timeline.handled, [(120, Some(150)), (250, Some(260)), (300, Some(340))]);
    }
}
