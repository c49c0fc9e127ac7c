//! Conversations of the last four weeks.

use serde_json::json;

use super::words::*;
use super::{DAY, HOUR, MINUTE};
use crate::sandbox::Options;
use crate::sandbox::model::contact::Applied;
use crate::sandbox::model::conversation::{
    AiAgent, Assignee, Author, Conversation, Happening, Rating, Source, State,
};
use crate::sandbox::random::Random;
use crate::sandbox::workspace::{Sequence, Workspace};

const CHANNELS: &[&str] = &[
    "conversation",
    "conversation",
    "conversation",
    "conversation",
    "email",
    "email",
    "email",
    "whatsapp",
    "instagram",
    "facebook",
    "sms",
    "phone_call",
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
        let mut story = Story::begin(workspace, contact, at, options);
        story.tell(options.parts_per_conversation);
        story.finish();
    }
}

/// A conversation being made up, and the time in it.
struct Story<'a> {
    workspace: &'a mut Workspace,
    conversation: Conversation,
    contact: String,
    admin: i64,
    topic: usize,
    at: i64,
    now: i64,
}

impl<'a> Story<'a> {
    fn begin(workspace: &'a mut Workspace, contact: String, at: i64, options: &Options) -> Self {
        let admin = workspace.random.pick(&workspace.admins).id;
        let topic = workspace.random.below(TOPICS.len());
        let outbound = workspace.random.chance(12);
        let source = if outbound {
            outbound_source(workspace, admin)
        } else {
            inbound_source(workspace, &contact, topic)
        };
        let id = workspace.issue(Sequence::Conversation);
        let mut conversation = Conversation::started(id, contact.clone(), source, at);
        conversation.priority = workspace.random.chance(7);
        if workspace.random.chance(40) {
            conversation.title = Some(TOPICS[topic].0.to_owned());
            let area = workspace.random.pick(AREAS);
            conversation.custom_attributes.insert("product_area".to_owned(), json!(area));
        }
        Story { workspace, conversation, contact, admin, topic, at, now: options.now }
    }

    fn random(&mut self) -> &mut Random {
        &mut self.workspace.random
    }

    /// Lets something happen after a while; nothing happens any more once that lies ahead of now.
    fn then(&mut self, shortest: i64, longest: i64, happening: Happening) -> bool {
        let at = self.at + self.random().between(shortest, longest);
        if at >= self.now {
            return false;
        }
        self.at = at;
        let part_id = self.workspace.issue(Sequence::Part);
        self.conversation.append(part_id, Happening { at, ..happening }, at);
        true
    }

    fn by_admin(&self, kind: &'static str) -> Happening {
        Happening::new(kind, Author::Admin(self.admin), 0)
    }

    fn by_contact(&mut self) -> Happening {
        let author = Author::Contact(self.contact.clone());
        let text = *self.random().pick(FOLLOW_UPS);
        Happening::new("comment", author, 0).saying(paragraph(text))
    }

    /// About `average` parts; whether anybody answers and how it ends is left to chance.
    fn tell(&mut self, average: usize) {
        let wanted = 1 + self.random().below(2 * average.max(1) - 1);
        let outbound = !matches!(self.conversation.source.author, Author::Contact(_));
        if outbound && self.random().chance(50) {
            return;
        }
        if outbound {
            let reply = self.by_contact();
            self.then(HOUR, 30 * HOUR, reply);
        } else if self.random().chance(25) && self.ask_ai_agent() {
            return;
        }
        self.hand_out();
        if self.random().chance(9) {
            return;
        }
        while self.conversation.parts.len() < wanted && self.exchange() {}
        self.end();
    }

    /// The AI agent tries first; true when that was all that was needed.
    fn ask_ai_agent(&mut self) -> bool {
        let text = *self.random().pick(AI_ANSWERS);
        self.then(5, 40, Happening::new("comment", Author::AiAgent, 0).saying(paragraph(text)));
        let solved = self.random().chance(35);
        let rating = self.random().chance(30).then(|| self.random().between(1, 5));
        self.conversation.ai_agent = Some(AiAgent {
            resolution_state: if solved { "assumed_resolution" } else { "routed_to_team" },
            last_answer_type: "ai_answer",
            rating,
        });
        if solved {
            self.then(HOUR, 24 * HOUR, Happening::new("close", Author::Bot, 0));
        }
        solved
    }

    /// A bot hands it to a team, somebody takes it, some say so and some do not.
    fn hand_out(&mut self) {
        if self.random().chance(70) {
            let team = self.workspace.random.pick(&self.workspace.teams).id;
            let handing = Happening::new("assignment", Author::Bot, 0).assigning(Assignee::Team(Some(team)));
            self.then(1, 5 * MINUTE, handing);
        }
        if self.random().chance(60) {
            let mut taking = self.by_admin("assignment").assigning(Assignee::Admin(Some(self.admin)));
            if self.random().chance(20) {
                let text = *self.random().pick(TEAM_MESSAGES);
                taking = taking.saying(paragraph(text));
            }
            self.then(MINUTE, 3 * HOUR, taking);
        }
    }

    /// One or two of: a note, an answer, a question back, a pause. False when time has run out.
    fn exchange(&mut self) -> bool {
        if self.random().chance(20) {
            let text = *self.random().pick(INTERNAL);
            let note = self.by_admin("note").saying(paragraph(text));
            self.then(MINUTE, HOUR, note);
        }
        let first = self.conversation.parts.iter().all(|part| !part.is_admin_reply());
        let answer = match first {
            true => *self.workspace.random.pick(&TOPICS[self.topic].2),
            false => *self.workspace.random.pick(ADMIN_FOLLOW_UPS),
        };
        let longest = if self.random().chance(15) { 30 * HOUR } else { 4 * HOUR };
        let answer = self.by_admin("comment").saying(paragraph(answer));
        let went_on = self.then(2 * MINUTE, longest, answer);
        if went_on && self.random().chance(70) {
            let reply = self.by_contact();
            return self.then(MINUTE, 20 * HOUR, reply);
        }
        went_on
    }

    fn end(&mut self) {
        match self.workspace.random.below(100) {
            0..62 => self.close(),
            62..70 => self.snooze(),
            _ => {}
        }
    }

    fn close(&mut self) {
        let mut closing = self.by_admin("close");
        if self.random().chance(15) {
            closing = closing.saying("<p>I close this for now, just write if you need us.</p>");
        }
        if !self.then(MINUTE, 12 * HOUR, closing) {
            return;
        }
        if self.random().chance(15) {
            let reply = self.by_contact();
            if self.then(HOUR, 48 * HOUR, reply) && self.exchange() && self.random().chance(70) {
                let closing = self.by_admin("close");
                self.then(MINUTE, 12 * HOUR, closing);
            }
        }
    }

    fn snooze(&mut self) {
        let until = self.now + self.random().between(HOUR, 5 * DAY);
        let pause = Happening { snoozed_until: Some(until), ..self.by_admin("snoozed") };
        if self.then(MINUTE, HOUR, pause) {
            self.workspace.next_wake = self.workspace.next_wake.into_iter().chain([until]).min();
        }
    }

    fn finish(mut self) {
        self.tag();
        self.rate();
        self.conversation.read = self.random().chance(75);
        let (contact, last) = (self.contact.clone(), self.conversation.updated_at);
        let replied = self.conversation.parts.iter().rfind(|part| part.is_contact_reply());
        let replied = replied.map(|part| part.created_at);
        if let Some(contact) = self.workspace.contacts.get_mut(&contact) {
            contact.last_replied_at = contact.last_replied_at.max(replied);
            contact.last_contacted_at = contact.last_contacted_at.max(Some(last));
            contact.created_at = contact.created_at.min(self.conversation.created_at);
        }
        self.workspace.conversations.insert(self.conversation);
    }

    fn tag(&mut self) {
        for _ in 0..self.random().below(4) {
            let tag_id = self.workspace.random.pick(&self.workspace.tags).id.clone();
            if self.conversation.tags.iter().all(|tag| tag.tag_id != tag_id) {
                let applied = Applied { tag_id, applied_at: self.at, admin_id: self.admin };
                self.conversation.tags.push(applied);
            }
        }
    }

    fn rate(&mut self) {
        let answered = self.conversation.parts.iter().any(|part| part.is_admin_reply());
        if answered && self.conversation.state == State::Closed && self.random().chance(30) {
            let remark = self.random().chance(30).then(|| "Quick and friendly".to_owned());
            self.conversation.rating = Some(Rating {
                score: self.workspace.random.between(1, 5),
                remark,
                created_at: self.at,
                contact_id: self.contact.clone(),
                admin_id: self.admin,
            });
        }
    }
}

/// Text as a paragraph of HTML.
fn paragraph(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{escaped}</p>")
}

fn inbound_source(workspace: &mut Workspace, contact: &str, topic: usize) -> Source {
    let kind = *workspace.random.pick(CHANNELS);
    let (subject, question, _) = TOPICS[topic];
    Source {
        kind,
        id: workspace.issue(Sequence::Message),
        delivered_as: "customer_initiated",
        subject: if kind == "email" { subject.to_owned() } else { String::new() },
        body: paragraph(question),
        author: Author::Contact(contact.to_owned()),
        url: (kind == "conversation").then(|| "https://app.sandbox.test/settings".to_owned()),
        redacted: false,
    }
}

fn outbound_source(workspace: &mut Workspace, admin: i64) -> Source {
    let automated = workspace.random.chance(30);
    let text = *workspace.random.pick(OUTBOUND);
    Source {
        kind: if workspace.random.chance(50) { "email" } else { "conversation" },
        id: workspace.issue(Sequence::Message),
        delivered_as: if automated { "automated" } else { "admin_initiated" },
        subject: String::new(),
        body: paragraph(text),
        author: Author::Admin(admin),
        url: None,
        redacted: false,
    }
}
