//! Statistics of a conversation, always computed from its parts.
//!
//! The `time_to_*` values count office hours only, while the `*_at` values are plain timestamps. The two do not
//! match, just as in the real API.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::conversation::{Author, Conversation, ConversationPart, ConversationState};
use crate::sandbox::calendar::office_seconds;

/// `*_at` values are epoch seconds; `time_to_*` values are durations in seconds. Serialized in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "conversation_statistics")]
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
        let mut statistics = Statistics {
            first_contact_reply_at: conversation.first_contact_reply_at(),
            last_contact_reply_at: conversation.first_contact_reply_at(),
            count_conversation_parts: conversation.parts.len() as i64,
            ..Statistics::default()
        };
        let mut previous_state = ConversationState::Open;
        for part in &conversation.parts {
            statistics.add(part, previous_state);
            previous_state = part.state;
        }
        let office_time = |to: Option<i64>| to.map(|to| office_seconds(zone, conversation.created_at, to));
        statistics.time_to_assignment = office_time(statistics.first_assignment_at);
        statistics.time_to_admin_reply = office_time(statistics.first_admin_reply_at);
        statistics.time_to_first_close = office_time(statistics.first_close_at);
        statistics.time_to_last_close = office_time(statistics.last_close_at);
        statistics.median_time_to_reply = median_time_to_reply(conversation, zone);
        statistics
    }

    fn add(&mut self, part: &ConversationPart, previous_state: ConversationState) {
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
        if part.state == ConversationState::Closed && previous_state != ConversationState::Closed {
            self.first_close_at.get_or_insert(at);
            self.last_close_at = Some(at);
            self.last_closed_by_id = match part.author {
                Author::Admin(id) => Some(id.to_string()),
                _ => None,
            };
        }
        if part.state == ConversationState::Open && previous_state == ConversationState::Closed {
            self.count_reopens += 1;
        }
    }

    pub fn document(&self) -> Value {
        let mut document = json!(self);
        for list in ["", "_in_office_hours"].map(|hours| format!("assigned_team_first_response_time{hours}"))
        {
            document[list] = json!([]);
        }
        for unknown in ["handling_time", "adjusted_handling_time"] {
            document[unknown] = Value::Null;
        }
        document
    }
}

/// The median time, in office hours, between a contact's message and the reply to it.
fn median_time_to_reply(conversation: &Conversation, zone: &TimeZone) -> Option<i64> {
    let mut waiting_since =
        matches!(conversation.source.author, Author::Contact(_)).then_some(conversation.created_at);
    let mut times = Vec::new();
    for part in &conversation.parts {
        if part.is_contact_reply() {
            waiting_since.get_or_insert(part.created_at);
        } else if part.is_admin_reply()
            && let Some(since) = waiting_since.take()
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
    use crate::sandbox::model::conversation::{AssigneeChange, ConversationEvent, SourceMessage};

    const MONDAY_TEN: i64 = 1_704_708_000; // 2024-01-08T10:00Z

    fn conversation() -> Conversation {
        let source = SourceMessage {
            kind: "email",
            id: "1".into(),
            delivered_as: "customer_initiated",
            body: "<p>Help</p>".into(),
            author: Author::Contact("c".into()),
            ..SourceMessage::default()
        };
        Conversation::new("1".into(), "c".into(), source, MONDAY_TEN)
    }

    fn append_after(conversation: &mut Conversation, minutes: i64, event: ConversationEvent) {
        let at = MONDAY_TEN + minutes * 60;
        conversation.append(minutes.to_string(), ConversationEvent { at, ..event }, at);
    }

    #[test]
    fn only_a_visible_reply_by_a_human_is_an_admin_reply() {
        let mut conversation = conversation();
        let by = |kind, author| ConversationEvent::new(kind, author, 0);
        append_after(&mut conversation, 1, by("comment", Author::AiAgent).with_body("<p>Try this</p>"));
        append_after(&mut conversation, 2, by("note", Author::Admin(7)).with_body("<p>Hm</p>"));
        append_after(
            &mut conversation,
            3,
            by("assignment", Author::Admin(7)).with_assignee(AssigneeChange::Admin(Some(7))),
        );
        assert_eq!(Statistics::of(&conversation, &TimeZone::UTC).first_admin_reply_at, None);
        assert_eq!(conversation.waiting_since, Some(MONDAY_TEN));

        append_after(&mut conversation, 4, by("comment", Author::Admin(7)).with_body("<p>Hello</p>"));
        let statistics = Statistics::of(&conversation, &TimeZone::UTC);
        assert_eq!(statistics.first_admin_reply_at, Some(MONDAY_TEN + 240));
        assert_eq!(statistics.time_to_admin_reply, Some(240));
        assert_eq!(statistics.first_assignment_at, Some(MONDAY_TEN + 180));
        assert_eq!(statistics.count_conversation_parts, 4);
        assert_eq!(conversation.waiting_since, None);
    }

    #[test]
    fn a_contact_reply_reopens_a_closed_conversation() {
        let mut conversation = conversation();
        append_after(&mut conversation, 5, ConversationEvent::new("close", Author::Admin(7), 0));
        append_after(
            &mut conversation,
            9,
            ConversationEvent::new("comment", Author::Contact("c".into()), 0).with_body("Again"),
        );
        append_after(&mut conversation, 11, ConversationEvent::new("close", Author::Admin(8), 0));
        let statistics = Statistics::of(&conversation, &TimeZone::UTC);
        assert_eq!(statistics.count_reopens, 1);
        assert_eq!(statistics.first_close_at, Some(MONDAY_TEN + 300));
        assert_eq!(statistics.last_close_at, Some(MONDAY_TEN + 660));
        assert_eq!(statistics.last_closed_by_id.as_deref(), Some("8"));
        assert_eq!(conversation.parts[1].part_type, "open");
    }
}
