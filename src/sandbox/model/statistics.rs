//! What is counted about a conversation, always worked out from its parts.
//!
//! The `time_to_*` values leave out the time outside office hours; the `*_at` values are the plain
//! moments. They never agree, and they do not with the real service.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::conversation::{Author, Conversation, Part, State};
use crate::sandbox::hours::office_seconds;

/// Moments are epoch seconds, times are seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    pub time_to_assignment: Option<i64>,
    pub time_to_admin_reply: Option<i64>,
    pub time_to_first_close: Option<i64>,
    pub time_to_last_close: Option<i64>,
    pub median_time_to_reply: Option<i64>,
    pub first_contact_reply_at: Option<i64>,
    pub first_assignment_at: Option<i64>,
    pub first_admin_reply_at: Option<i64>,
    pub first_close_at: Option<i64>,
    pub last_assignment_at: Option<i64>,
    pub last_assignment_admin_reply_at: Option<i64>,
    pub last_contact_reply_at: Option<i64>,
    pub last_admin_reply_at: Option<i64>,
    pub last_close_at: Option<i64>,
    pub last_closed_by_id: Option<String>,
    pub count_reopens: i64,
    pub count_assignments: i64,
    pub count_conversation_parts: i64,
}

impl Statistics {
    pub fn of(conversation: &Conversation, zone: &TimeZone) -> Self {
        let mut found = Statistics {
            first_contact_reply_at: conversation.first_contact_reply_at(),
            last_contact_reply_at: conversation.first_contact_reply_at(),
            count_conversation_parts: conversation.parts.len() as i64,
            ..Statistics::default()
        };
        let mut before = State::Open;
        for part in &conversation.parts {
            found.count(part, before);
            before = part.state;
        }
        let office = |to: Option<i64>| to.map(|to| office_seconds(zone, conversation.created_at, to));
        found.time_to_assignment = office(found.first_assignment_at);
        found.time_to_admin_reply = office(found.first_admin_reply_at);
        found.time_to_first_close = office(found.first_close_at);
        found.time_to_last_close = office(found.last_close_at);
        found.median_time_to_reply = median_reply(conversation, zone);
        found
    }

    fn count(&mut self, part: &Part, before: State) {
        let at = part.created_at;
        if part.assigned_to.is_some() {
            self.count_assignments += 1;
            self.first_assignment_at.get_or_insert(at);
            self.last_assignment_at = Some(at);
            self.last_assignment_admin_reply_at = None;
        }
        if part.is_admin_reply() {
            self.first_admin_reply_at.get_or_insert(at);
            self.last_admin_reply_at = Some(at);
            if self.last_assignment_at.is_some() {
                self.last_assignment_admin_reply_at.get_or_insert(at);
            }
        }
        if part.is_contact_reply() {
            self.last_contact_reply_at = Some(at);
        }
        if part.state == State::Closed && before != State::Closed {
            self.first_close_at.get_or_insert(at);
            self.last_close_at = Some(at);
            self.last_closed_by_id = match part.author {
                Author::Admin(id) => Some(id.to_string()),
                _ => None,
            };
        }
        if part.state == State::Open && before == State::Closed {
            self.count_reopens += 1;
        }
    }

    pub fn document(&self) -> Value {
        json!({
            "type": "conversation_statistics",
            "time_to_assignment": self.time_to_assignment,
            "time_to_admin_reply": self.time_to_admin_reply,
            "time_to_first_close": self.time_to_first_close,
            "time_to_last_close": self.time_to_last_close,
            "median_time_to_reply": self.median_time_to_reply,
            "first_contact_reply_at": self.first_contact_reply_at,
            "first_assignment_at": self.first_assignment_at,
            "first_admin_reply_at": self.first_admin_reply_at,
            "first_close_at": self.first_close_at,
            "last_assignment_at": self.last_assignment_at,
            "last_assignment_admin_reply_at": self.last_assignment_admin_reply_at,
            "last_contact_reply_at": self.last_contact_reply_at,
            "last_admin_reply_at": self.last_admin_reply_at,
            "last_close_at": self.last_close_at,
            "last_closed_by_id": self.last_closed_by_id,
            "count_reopens": self.count_reopens,
            "count_assignments": self.count_assignments,
            "count_conversation_parts": self.count_conversation_parts,
            "assigned_team_first_response_time": [],
            "assigned_team_first_response_time_in_office_hours": [],
            "handling_time": null,
            "adjusted_handling_time": null,
        })
    }
}

/// The median office time between a contact's message and the reply to it.
fn median_reply(conversation: &Conversation, zone: &TimeZone) -> Option<i64> {
    let mut waiting =
        matches!(conversation.source.author, Author::Contact(_)).then_some(conversation.created_at);
    let mut times = Vec::new();
    for part in &conversation.parts {
        if part.is_contact_reply() {
            waiting.get_or_insert(part.created_at);
        } else if part.is_admin_reply()
            && let Some(since) = waiting.take()
        {
            times.push(office_seconds(zone, since, part.created_at));
        }
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::model::conversation::{Assignee, Happening, Source};

    const MONDAY_TEN: i64 = 1_704_708_000; // 2024-01-08T10:00Z

    fn asked() -> Conversation {
        let source = Source {
            kind: "email",
            id: "1".into(),
            delivered_as: "customer_initiated",
            subject: String::new(),
            body: "<p>Help</p>".into(),
            author: Author::Contact("c".into()),
            url: None,
            redacted: false,
        };
        Conversation::started("1".into(), "c".into(), source, MONDAY_TEN)
    }

    fn then(conversation: &mut Conversation, minutes: i64, happening: Happening) {
        let at = MONDAY_TEN + minutes * 60;
        conversation.append(minutes.to_string(), Happening { at, ..happening }, at);
    }

    #[test]
    fn only_a_visible_human_answer_is_an_admin_reply() {
        let mut conversation = asked();
        let by = |kind, author| Happening::new(kind, author, 0);
        then(&mut conversation, 1, by("comment", Author::AiAgent).saying("<p>Try this</p>"));
        then(&mut conversation, 2, by("note", Author::Admin(7)).saying("<p>Hm</p>"));
        then(&mut conversation, 3, by("assignment", Author::Admin(7)).assigning(Assignee::Admin(Some(7))));
        assert_eq!(Statistics::of(&conversation, &TimeZone::UTC).first_admin_reply_at, None);
        assert_eq!(conversation.waiting_since, Some(MONDAY_TEN));

        then(&mut conversation, 4, by("comment", Author::Admin(7)).saying("<p>Hello</p>"));
        let found = Statistics::of(&conversation, &TimeZone::UTC);
        assert_eq!(found.first_admin_reply_at, Some(MONDAY_TEN + 240));
        assert_eq!(found.time_to_admin_reply, Some(240));
        assert_eq!(found.first_assignment_at, Some(MONDAY_TEN + 180));
        assert_eq!(found.count_conversation_parts, 4);
        assert_eq!(conversation.waiting_since, None);
    }

    #[test]
    fn a_reply_to_a_closed_conversation_opens_it_again() {
        let mut conversation = asked();
        then(&mut conversation, 5, Happening::new("close", Author::Admin(7), 0));
        then(&mut conversation, 9, Happening::new("comment", Author::Contact("c".into()), 0).saying("Again"));
        then(&mut conversation, 11, Happening::new("close", Author::Admin(8), 0));
        let found = Statistics::of(&conversation, &TimeZone::UTC);
        assert_eq!(found.count_reopens, 1);
        assert_eq!(found.first_close_at, Some(MONDAY_TEN + 300));
        assert_eq!(found.last_close_at, Some(MONDAY_TEN + 660));
        assert_eq!(found.last_closed_by_id.as_deref(), Some("8"));
        assert_eq!(conversation.parts[1].part_type, "open");
    }
}
