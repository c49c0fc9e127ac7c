//! Seed data: conversations of the last four weeks, and phone calls.

use serde_json::json;

use super::words::*;
use crate::sandbox::calendar::{DAY, HOUR, MINUTE};
use crate::sandbox::model::conversation::{
    AssigneeChange, Author, Conversation, ConversationEvent, ConversationPriority, ConversationState,
    SourceMessage,
};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::options::Options;
use crate::sandbox::random::Random;
use crate::sandbox::workspace::{IdSequence, Workspace};

/// Channels, repeated according to their frequency.
#[rustfmt::skip]
const CHANNELS: &[&str] = &[
    "conversation", "conversation", "conversation", "conversation", "email", "email", "email", "whatsapp",
    "instagram", "facebook", "sms", "phone_call",
];

const AREAS: &[&str] = &["billing", "export", "login", "mobile"];

pub fn fill(workspace: &mut Workspace, options: &Options) {
    let people: Vec<_> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
    if people.is_empty() {
        return;
    }
    let step = 28 * DAY / options.conversations.max(1) as i64;
    for number in 0..options.conversations {
        let slot = options.now - 28 * DAY + number as i64 * step;
        let at = (slot + workspace.random.between(0, step.max(1))).min(options.now - 1);
        let contact = workspace.random.pick(&people).clone();
        let mut builder = ConversationBuilder::new(workspace, contact, at, options);
        builder.add_parts(options.parts_per_conversation);
        builder.finish();
    }
}

/// A grade that follows from the id, so that it leaves the random sequence as it is.
fn priority(is_priority: bool, id: &str) -> ConversationPriority {
    match (is_priority, id.bytes().last()) {
        (true, Some(b'0'..=b'3')) => ConversationPriority::Urgent,
        (true, _) => ConversationPriority::High,
        (false, Some(b'0')) => ConversationPriority::Medium,
        (false, Some(b'1')) => ConversationPriority::Low,
        (false, _) => ConversationPriority::None,
    }
}

/// Phone calls of people who wrote as well.
pub fn add_calls(workspace: &mut Workspace, options: &Options) {
    let admin_id = workspace.my_id().to_string();
    for number in 0..options.calls {
        let conversation = workspace.conversations.iter().cycle().nth(number);
        let (conversation_id, contact_id) = match conversation {
            Some(conversation) => (Some(conversation.id.clone()), conversation.contacts.first().cloned()),
            None => (None, None),
        };
        let created_at = options.now - (number as i64 + 2) * 10 * MINUTE;
        let ended_at = created_at + 3 * MINUTE;
        let id = workspace.next_id(IdSequence::Call);
        workspace.calls.insert(PlainRecord::new(json!({
            "type": "call",
            "id": id,
            "conversation_id": conversation_id,
            "admin_id": admin_id,
            "contact_id": contact_id,
            "state": "completed",
            "initiated_at": created_at,
            "answered_at": created_at + 5,
            "ended_at": ended_at,
            "created_at": created_at,
            "updated_at": ended_at,
            "recording_url": null,
            "call_type": "phone",
            "direction": "inbound",
            "ended_reason": "completed",
            "phone": "+15550100",
        })));
    }
}

/// Generates one conversation. `at` is the time of the latest event.
struct ConversationBuilder<'a> {
    workspace: &'a mut Workspace,
    conversation: Conversation,
    contact: String,
    admin: i64,
    topic: usize,
    at: i64,
    now: i64,
}

impl<'a> ConversationBuilder<'a> {
    fn new(workspace: &'a mut Workspace, contact: String, at: i64, options: &Options) -> Self {
        let admin = workspace.random.pick(&workspace.admins).id;
        let topic = workspace.random.below(TOPICS.len());
        let is_outbound = workspace.random.chance(12);
        let source = if is_outbound {
            outbound_source(workspace, admin)
        } else {
            inbound_source(workspace, &contact, topic)
        };
        let id = workspace.next_id(IdSequence::Conversation);
        let mut conversation = Conversation::new(id, contact.clone(), source, at);
        conversation.priority = priority(workspace.random.chance(7), &conversation.id);
        if workspace.random.chance(40) {
            conversation.title = Some(TOPICS[topic].0.to_owned());
            let area = workspace.random.pick(AREAS);
            conversation.custom_attributes.insert("product_area".to_owned(), json!(area));
        }
        ConversationBuilder { workspace, conversation, contact, admin, topic, at, now: options.now }
    }

    fn random(&mut self) -> &mut Random {
        &mut self.workspace.random
    }

    /// Appends an event after a delay in seconds. Returns false, and does nothing, if it would be in the future.
    fn append_after(&mut self, min_delay: i64, max_delay: i64, event: ConversationEvent) -> bool {
        let at = self.at + self.random().between(min_delay, max_delay);
        if at >= self.now {
            return false;
        }
        self.at = at;
        let part_id = self.workspace.next_id(IdSequence::Part);
        self.conversation.append(part_id, ConversationEvent { at, ..event }, at);
        true
    }

    fn by_admin(&self, kind: &'static str) -> ConversationEvent {
        ConversationEvent::new(kind, Author::Admin(self.admin), 0)
    }

    /// One of these texts, as a paragraph.
    fn any_of(&mut self, texts: &[&str]) -> String {
        let text = *self.random().pick(texts);
        paragraph(text)
    }

    fn by_contact(&mut self) -> ConversationEvent {
        let author = Author::Contact(self.contact.clone());
        ConversationEvent::new("comment", author, 0).with_body(self.any_of(FOLLOW_UPS))
    }

    /// Adds about `average` parts. Whether teammates reply, and how the conversation ends, is random.
    fn add_parts(&mut self, average: usize) {
        let part_count = 1 + self.random().below(2 * average.max(1) - 1);
        let is_outbound = !matches!(self.conversation.source.author, Author::Contact(_));
        if is_outbound && self.random().chance(50) {
            return;
        }
        if is_outbound {
            let reply = self.by_contact();
            self.append_after(HOUR, 30 * HOUR, reply);
        } else if self.random().chance(25) && self.ask_ai_agent() {
            return;
        }
        self.assign();
        if self.random().chance(9) {
            return;
        }
        while self.conversation.parts.len() < part_count && self.add_exchange() {}
        self.end();
    }

    /// Adds a reply by the AI agent. Returns whether it resolved the conversation.
    fn ask_ai_agent(&mut self) -> bool {
        let text = self.any_of(AI_ANSWERS);
        self.append_after(5, 40, ConversationEvent::new("comment", Author::AiAgent, 0).with_body(text));
        let is_resolved = self.random().chance(35);
        let rating = self.random().chance(30).then(|| self.random().between(1, 5));
        self.conversation.ai_agent = json!({
            "source_type": "workflow",
            "source_title": "Front desk",
            "last_answer_type": "ai_answer",
            "resolution_state": if is_resolved { "assumed_resolution" } else { "routed_to_team" },
            "rating": rating,
            "rating_remark": null,
            "content_sources": {"type": "content_source.list", "total_count": 0, "content_sources": []},
        });
        if is_resolved {
            self.append_after(HOUR, 24 * HOUR, ConversationEvent::new("close", Author::Bot, 0));
        }
        is_resolved
    }

    /// A bot may assign a team, then a teammate may take over, with or without a message.
    fn assign(&mut self) {
        if self.random().chance(70) {
            let team = self.workspace.random.pick(&self.workspace.teams).id.parse().ok();
            let assignment = ConversationEvent::new("assignment", Author::Bot, 0)
                .with_assignee(AssigneeChange::Team(team));
            self.append_after(1, 5 * MINUTE, assignment);
        }
        if self.random().chance(60) {
            let mut assignment =
                self.by_admin("assignment").with_assignee(AssigneeChange::Admin(Some(self.admin)));
            if self.random().chance(20) {
                assignment = assignment.with_body(self.any_of(TEAM_MESSAGES));
            }
            self.append_after(MINUTE, 3 * HOUR, assignment);
        }
    }

    /// Adds an optional note, a reply by the teammate and an optional reply by the contact. Returns false if the
    /// last one would be in the future.
    fn add_exchange(&mut self) -> bool {
        if self.random().chance(20) {
            let note = self.by_admin("note").with_body(self.any_of(INTERNAL));
            self.append_after(MINUTE, HOUR, note);
        }
        let is_first_reply = self.conversation.parts.iter().all(|part| !part.is_admin_reply());
        let replies: &[&str] = if is_first_reply { &TOPICS[self.topic].2 } else { ADMIN_FOLLOW_UPS };
        let text = self.any_of(replies);
        let max_delay = if self.random().chance(15) { 30 * HOUR } else { 4 * HOUR };
        let reply = self.by_admin("comment").with_body(text);
        let was_added = self.append_after(2 * MINUTE, max_delay, reply);
        if was_added && self.random().chance(70) {
            let reply = self.by_contact();
            return self.append_after(MINUTE, 20 * HOUR, reply);
        }
        was_added
    }

    fn end(&mut self) {
        match self.workspace.random.below(100) {
            0..62 => self.close(),
            62..70 => self.snooze(),
            _ => {}
        }
    }

    fn close(&mut self) {
        let mut close = self.by_admin("close");
        if self.random().chance(15) {
            close = close.with_body("<p>I am closing this for now. Just reply if you need us.</p>");
        }
        if !self.append_after(MINUTE, 12 * HOUR, close) {
            return;
        }
        if self.random().chance(15) {
            let reply = self.by_contact();
            if self.append_after(HOUR, 48 * HOUR, reply) && self.add_exchange() && self.random().chance(70) {
                let close = self.by_admin("close");
                self.append_after(MINUTE, 12 * HOUR, close);
            }
        }
    }

    fn snooze(&mut self) {
        let until = self.now + self.random().between(HOUR, 5 * DAY);
        let snooze = ConversationEvent { snoozed_until: Some(until), ..self.by_admin("snoozed") };
        if self.append_after(MINUTE, HOUR, snooze) {
            self.workspace.next_wake_at = self.workspace.next_wake_at.into_iter().chain([until]).min();
        }
    }

    fn finish(mut self) {
        self.tag();
        self.rate();
        self.conversation.read = self.random().chance(75);
        let (contact, last) = (self.contact.clone(), self.conversation.updated_at);
        let last_reply = self.conversation.parts.iter().rfind(|part| part.is_contact_reply());
        let last_replied_at = last_reply.map(|part| part.created_at);
        if let Some(contact) = self.workspace.contacts.get_mut(&contact) {
            contact.last_replied_at = contact.last_replied_at.max(last_replied_at);
            contact.last_contacted_at = contact.last_contacted_at.max(Some(last));
            contact.created_at = contact.created_at.min(self.conversation.created_at);
        }
        self.workspace.conversations.insert(self.conversation);
    }

    fn tag(&mut self) {
        for _ in 0..self.random().below(4) {
            let tag_id = self.workspace.random.pick(&self.workspace.tags).id.clone();
            if self.conversation.tags.iter().all(|tag| tag.tag_id != tag_id) {
                let applied = AppliedTag { tag_id, applied_at: self.at, admin_id: self.admin };
                self.conversation.tags.push(applied);
            }
        }
    }

    fn rate(&mut self) {
        let has_reply = self.conversation.parts.iter().any(|part| part.is_admin_reply());
        if has_reply && self.conversation.state == ConversationState::Closed && self.random().chance(30) {
            let remark = self.random().chance(30).then_some("Quick and friendly");
            self.conversation.rating = json!({
                "rating": self.workspace.random.between(1, 5),
                "remark": remark,
                "created_at": self.at,
                "contact": {"type": "contact", "id": self.contact},
                "teammate": {"type": "admin", "id": self.admin.to_string()},
            });
        }
    }
}

/// Wraps text in an HTML paragraph.
fn paragraph(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{escaped}</p>")
}

fn inbound_source(workspace: &mut Workspace, contact: &str, topic: usize) -> SourceMessage {
    let kind = *workspace.random.pick(CHANNELS);
    let (subject, question, _) = TOPICS[topic];
    SourceMessage {
        kind,
        id: workspace.next_id(IdSequence::Message),
        delivered_as: "customer_initiated",
        subject: if kind == "email" { subject.to_owned() } else { String::new() },
        body: paragraph(question),
        author: Author::Contact(contact.to_owned()),
        url: (kind == "conversation").then(|| "https://app.sandbox.test/settings".to_owned()),
        ..SourceMessage::default()
    }
}

fn outbound_source(workspace: &mut Workspace, admin: i64) -> SourceMessage {
    let is_automated = workspace.random.chance(30);
    let text = *workspace.random.pick(OUTBOUND);
    SourceMessage {
        kind: if workspace.random.chance(50) { "email" } else { "conversation" },
        id: workspace.next_id(IdSequence::Message),
        delivered_as: if is_automated { "automated" } else { "admin_initiated" },
        body: paragraph(text),
        author: Author::Admin(admin),
        ..SourceMessage::default()
    }
}
