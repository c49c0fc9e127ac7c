//! What happened in one conversation, as far as waiting customers are concerned.
//!
//! Reads the parts in order and keeps four facts. It uses plain moments only: the service's own
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

/// One part of a conversation. `at` is epoch seconds.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    pub part_type: &'a str,
    pub by: Speaker,
    /// Whether there is anything to see.
    pub has_text: bool,
    /// The conversation's state, where the part tells it.
    pub state: Option<&'a str>,
    pub at: i64,
}

impl Part<'_> {
    /// Something the other side can read: a comment, or what was said while doing something else.
    fn is_message(&self) -> bool {
        match self.part_type {
            "comment" => true,
            "open" | "close" | "assignment" | "assign_and_reopen" | "snoozed" | "quick_reply" => {
                self.has_text
            }
            _ => false,
        }
    }

    fn is_closed(&self) -> bool {
        self.part_type == "close" || self.state == Some("closed")
    }

    /// Whether a closed conversation is open after this part.
    fn reopens(&self) -> bool {
        match (self.part_type, self.state) {
            ("open" | "assign_and_reopen", _) | (_, Some("open" | "snoozed")) => self.part_type != "close",
            ("comment", None) => self.by == Speaker::Contact,
            _ => false,
        }
    }
}

/// What is known after the parts so far. Moments are epoch seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The first message of a contact, the opening one included.
    pub first_contact_at: Option<i64>,
    /// The first message of a teammate after that.
    pub first_response_at: Option<i64>,
    /// The last close after the first message of a contact.
    pub last_close_at: Option<i64>,
    /// Whether it was ever closed and open again after that.
    pub reopened: bool,
    closed: bool,
}

impl Timeline {
    /// A conversation that consists of its opening message. Unless a contact wrote that, the clock of
    /// the customer does not run yet.
    pub fn opened(by: Speaker, at: Option<i64>) -> Self {
        Timeline { first_contact_at: at.filter(|_| by == Speaker::Contact), ..Timeline::default() }
    }

    /// Goes on with the next part, in order of time.
    pub fn add(&mut self, part: &Part<'_>) {
        match part.by {
            Speaker::Contact if part.is_message() => {
                self.first_contact_at.get_or_insert(part.at);
            }
            Speaker::Teammate if part.is_message() && self.waited_for(part.at) => {
                self.first_response_at.get_or_insert(part.at);
            }
            _ => {}
        }
        if self.closed && part.reopens() {
            self.reopened = true;
            self.closed = false;
        } else if part.is_closed() {
            self.closed = true;
        }
        if part.part_type == "close" && self.waited_for(part.at) {
            self.last_close_at = Some(part.at);
        }
    }

    fn waited_for(&self, at: i64) -> bool {
        self.first_contact_at.is_some_and(|first| first <= at)
    }

    /// Seconds from the first message of a contact to the first answer of a person.
    pub fn first_response(&self) -> Option<i64> {
        Some(self.first_response_at? - self.first_contact_at?)
    }

    /// Seconds from the first message of a contact to the last close.
    pub fn resolution(&self) -> Option<i64> {
        Some(self.last_close_at? - self.first_contact_at?)
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
            timeline.add(&Part { part_type, by: *by, has_text: *has_text, state: None, at: *at });
        }
        timeline
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
        assert_eq!(timeline.first_response(), Some(60));
        assert_eq!(timeline.resolution(), None);
    }

    #[test]
    fn words_that_come_with_an_action_answer() {
        for action in ["assignment", "assign_and_reopen", "close", "snoozed", "open"] {
            assert_eq!(told(CONTACT, &[(action, ADMIN, true, 130)]).first_response(), Some(30), "{action}");
            assert_eq!(told(CONTACT, &[(action, ADMIN, false, 130)]).first_response(), None, "{action}");
        }
        // An answer may consist of an attachment that is no longer there.
        assert_eq!(told(CONTACT, &[("comment", ADMIN, false, 130)]).first_response(), Some(30));
    }

    #[test]
    fn the_opening_of_the_team_is_no_answer_and_starts_no_clock() {
        let silent = told(ADMIN, &[("comment", ADMIN, true, 150), ("close", ADMIN, false, 160)]);
        assert_eq!(silent.first_contact_at, None);
        assert_eq!((silent.first_response(), silent.resolution()), (None, None));

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
        assert_eq!(answered.first_response(), Some(30));
        assert_eq!(answered.resolution(), None);
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
        assert_eq!(timeline.resolution(), Some(300));
        assert!(timeline.reopened);
        assert!(!told(CONTACT, &parts[..1]).reopened);
    }

    #[test]
    fn reopening_follows_the_stated_state() {
        let mut timeline = Timeline::opened(CONTACT, Some(100));
        let part = |part_type, by, state| Part { part_type, by, has_text: true, state: Some(state), at: 200 };
        timeline.add(&part("close", ADMIN, "closed"));
        timeline.add(&part("comment", CONTACT, "closed"));
        timeline.add(&part("note", ADMIN, "closed"));
        assert!(!timeline.reopened, "a late thank-you that opens nothing");
        timeline.add(&part("comment", CONTACT, "open"));
        assert!(timeline.reopened);

        // Where the state is the one before the part, a close says open.
        let mut timeline = Timeline::opened(CONTACT, Some(100));
        timeline.add(&part("comment", ADMIN, "open"));
        timeline.add(&part("close", ADMIN, "open"));
        assert!(!timeline.reopened);
        timeline.add(&part("open", ADMIN, "closed"));
        assert!(timeline.reopened);
    }

    #[test]
    fn parts_from_before_the_first_message_answer_nothing() {
        assert_eq!(told(CONTACT, &[("comment", ADMIN, true, 90)]).first_response(), None);
        assert_eq!(told(CONTACT, &[("comment", ADMIN, true, 100)]).first_response(), Some(0));
    }
}
