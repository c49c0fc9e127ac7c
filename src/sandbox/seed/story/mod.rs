//! Prepared cases for people who try the tool: an incident in the last day, duplicate leads, a second language.
//!
//! Runs after the generated data and draws no random numbers, so that the rest of the workspace stays as it is without
//! it. Every command in the README and in `docs/` must find something here. Ids are fixed, so that the documents can
//! name them; times are relative to the workspace's clock.

mod articles;
mod incident;
mod knowledge;
mod people;

use serde_json::json;

use self::people::Cast;
use crate::sandbox::calendar::{DAY, HOUR, MINUTE};
use crate::sandbox::model::conversation::{
    Author, Conversation, ConversationEvent, ConversationPart, ConversationState, SourceMessage,
};
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::model::ticket::TicketPart;
use crate::sandbox::options::Options;
use crate::sandbox::workspace::{DeletedConversation, IdSequence, SideConversation, Workspace};

/// The customer of the conversation that the documents show.
pub const CUSTOMER: &str = "nadia@kestrel-coffee.example";
/// The conversation that the documents show.
pub const CONVERSATION: u64 = 215_460_000_000_001;
/// The side conversation of that conversation, and the id of its first message.
const SIDE_CONVERSATION: u64 = 6_600_001;
const FIRST_SIDE_PART: u64 = 28_390_000_001;
/// The ticket of the incident.
pub const TICKET: u64 = 7_200_001;

/// Adds the cases of every kind of record that the workspace has at all.
pub fn fill(workspace: &mut Workspace, options: &Options) {
    if options.articles > 0 {
        articles::fill(workspace, options);
        knowledge::fill(workspace, options.now);
    }
    if options.contacts == 0 || options.conversations == 0 {
        return;
    }
    let cast = people::fill(workspace, options);
    let has_tickets = options.tickets > 0;
    incident::fill(workspace, &cast, options.now, has_tickets);
    if has_tickets {
        ticket(workspace, &cast, options.now);
    }
    side_conversation(workspace, &cast, options.now);
    people::merge_earlier_lead(workspace, options.now);
    workspace.deleted_conversations.push(DeletedConversation {
        id: (CONVERSATION + 98).to_string(),
        deleted_at: options.now - 3 * DAY,
        metrics_retained: true,
    });
}

/// What support and engineering write to each other about the conversation that the documents show.
fn side_conversation(workspace: &mut Workspace, cast: &Cast, now: i64) {
    let messages = [
        (230, cast.lead, "<p>Can you see failed payments in the logs?</p>"),
        (221, cast.engineer, "<p>Yes, 3-D Secure callbacks are dropped since the release.</p>"),
    ];
    let part = |(number, (minutes, admin, body)): (u64, (i64, i64, &str))| ConversationPart {
        id: (FIRST_SIDE_PART + number).to_string(),
        part_type: "comment",
        body: Some(body.to_owned()),
        created_at: now - minutes * MINUTE,
        updated_at: now - minutes * MINUTE,
        author: Author::Admin(admin),
        assigned_to: None,
        state: ConversationState::Open,
        redacted: false,
    };
    let parts = (0..).zip(messages).map(part).collect();
    let thread = SideConversation { id: SIDE_CONVERSATION.to_string(), parts };
    workspace.side_conversations.insert(CONVERSATION.to_string(), vec![thread]);
}

/// A conversation, written from its start. Times are seconds before the present of the workspace.
struct Thread<'a> {
    workspace: &'a mut Workspace,
    conversation: Conversation,
    now: i64,
}

impl<'a> Thread<'a> {
    /// Starts with a message of a contact.
    fn start(
        workspace: &'a mut Workspace,
        number: u64,
        now: i64,
        [contact, channel, subject, body]: [&'static str; 4],
        ago: i64,
    ) -> Self {
        let contact = people::id(contact);
        let source = SourceMessage {
            kind: channel,
            id: workspace.next_id(IdSequence::Message),
            delivered_as: "customer_initiated",
            subject: if channel == "email" { subject.to_owned() } else { String::new() },
            body: body.to_owned(),
            author: Author::Contact(contact.clone()),
            url: (channel == "conversation").then(|| "https://app.sandbox.test/checkout".to_owned()),
            ..SourceMessage::default()
        };
        let id = (CONVERSATION - 1 + number).to_string();
        let mut conversation = Conversation::new(id, contact, source, now - ago);
        conversation.title = (!subject.is_empty()).then(|| subject.to_owned());
        Thread { workspace, conversation, now }
    }

    fn event(mut self, ago: i64, event: ConversationEvent) -> Self {
        let at = self.now - ago;
        let part_id = self.workspace.next_id(IdSequence::Part);
        self.conversation.append(part_id, ConversationEvent { at, ..event }, at);
        self
    }

    fn says(self, ago: i64, author: Author, text: &str) -> Self {
        self.event(ago, ConversationEvent::new("comment", author, 0).with_body(format!("<p>{text}</p>")))
    }

    fn customer_says(self, ago: i64, text: &str) -> Self {
        let author = self.conversation.source.author.clone();
        self.says(ago, author, text)
    }

    fn note(self, ago: i64, admin: i64, text: &str) -> Self {
        let note = ConversationEvent::new("note", Author::Admin(admin), 0);
        self.event(ago, note.with_body(format!("<p>{text}</p>")))
    }

    fn tagged(mut self, name: &str, admin_id: i64, ago: i64) -> Self {
        let tag = self.workspace.tags.iter().find(|tag| tag.text("name") == name);
        if let Some(tag_id) = tag.map(|tag| tag.id.clone()) {
            let applied_at = self.now - ago;
            self.conversation.tags.push(AppliedTag { tag_id, applied_at, admin_id });
        }
        self
    }

    fn rated(mut self, rating: i64, remark: &str, admin: i64, ago: i64) -> Self {
        self.conversation.rating = json!({
            "rating": rating,
            "remark": remark,
            "created_at": self.now - ago,
            "contact": {"type": "contact", "id": self.conversation.contacts.first()},
            "teammate": {"type": "admin", "id": admin.to_string()},
        });
        self
    }

    fn finish(mut self) {
        let contact = self.conversation.contacts.first().cloned().unwrap_or_default();
        if let Some(contact) = self.workspace.contacts.get_mut(&contact) {
            let last_reply = self.conversation.parts.iter().rfind(|part| part.is_contact_reply());
            let last_replied_at = last_reply.map_or(self.conversation.created_at, |part| part.created_at);
            contact.last_replied_at = contact.last_replied_at.max(Some(last_replied_at));
            contact.last_contacted_at = contact.last_contacted_at.max(Some(self.conversation.updated_at));
        }
        self.conversation.read = self.conversation.waiting_since.is_none();
        self.workspace.conversations.insert(self.conversation);
    }
}

/// The ticket that engineering works on, created from the conversation.
fn ticket(workspace: &mut Workspace, cast: &Cast, now: i64) {
    let incident_type = workspace.ticket_types.iter().find(|kind| kind.text("name") == "Server incident");
    let Some(type_id) = incident_type.map(|kind| kind.id.clone()) else { return };
    let in_progress = workspace.ticket_states.iter().find(|state| state.text("category") == "in_progress");
    let state_id = in_progress.map(|state| state.id.clone());
    let created_at = now - 4 * HOUR - 20 * MINUTE;
    let mut ticket = workspace.new_ticket(&type_id, created_at);
    ticket.id = TICKET.to_string();
    ticket.state_id = state_id.unwrap_or(ticket.state_id);
    ticket.contacts.push(people::id("nadia"));
    ticket.company_id = Some(people::company_id(0));
    ticket.conversation_id = Some(CONVERSATION.to_string());
    ticket.admin_assignee_id = Some(cast.engineer);
    ticket.attributes.insert("_default_title_".to_owned(), json!("Checkout fails for Visa cards"));
    let description = "Since the release of this morning, 3-D Secure callbacks of Visa cards are dropped.";
    ticket.attributes.insert("_default_description_".to_owned(), json!(description));
    let started = TicketPart {
        id: workspace.next_id(IdSequence::Part),
        part_type: "ticket_state_updated_by_admin",
        body: None,
        created_at: now - 4 * HOUR,
        author: Author::Admin(cast.engineer),
        states: Some(["submitted", "in_progress"].map(str::to_owned)),
    };
    let note = TicketPart {
        id: workspace.next_id(IdSequence::Part),
        part_type: "note",
        body: Some("<p>The rollback is in review. Next update in one hour.</p>".to_owned()),
        created_at: now - 50 * MINUTE,
        author: Author::Admin(cast.engineer),
        states: None,
    };
    ticket.updated_at = note.created_at;
    ticket.parts.extend([started, note]);
    workspace.tickets.insert(ticket);
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    const NOW: i64 = 1_764_000_000;

    fn seeded(story: bool) -> Workspace {
        let options = Options { now: NOW, ..Options::default() };
        let options = if story { options.with_story() } else { options };
        super::super::workspace(&options, TimeZone::UTC)
    }

    #[test]
    fn the_generated_conversations_are_the_same_with_and_without_the_story() {
        let (plain, full) = (seeded(false), seeded(true));
        assert!(full.conversations.len() > plain.conversations.len() + 10);
        for conversation in plain.conversations.iter() {
            let document = full.conversation_document(full.conversations.get(&conversation.id).unwrap());
            assert_eq!(plain.conversation_document(conversation).to_string(), document.to_string());
        }
    }

    #[test]
    fn the_story_has_every_case_that_the_documents_need() {
        let workspace = seeded(true);
        let mentions = |text: &str| text.to_lowercase().contains("checkout fails");
        let recent = workspace.conversations.iter().filter(|row| row.created_at > NOW - DAY);
        let affected = recent
            .filter(|row| {
                mentions(&row.source.body)
                    || row.parts.iter().any(|part| part.body.as_deref().is_some_and(mentions))
            })
            .count();
        assert!(affected >= 10, "{affected}");
        let shown = workspace.conversations.get(&CONVERSATION.to_string()).unwrap();
        assert!(shown.waiting_since.is_some() && shown.tickets == [TICKET.to_string()]);
        assert!(shown.parts.iter().any(|part| part.part_type == "note"));
        assert!(workspace.tickets.get(&TICKET.to_string()).is_some());
        assert!(workspace.contact_by_email(CUSTOMER).is_some_and(|contact| contact.is_user));
        let leads = workspace.contacts.iter().filter(|row| !row.is_user && row.id.starts_with("507a1e"));
        assert!(leads.count() >= 4);
    }

    #[test]
    fn the_story_is_never_in_the_future_and_in_order() {
        let workspace = seeded(true);
        for conversation in workspace.conversations.iter() {
            assert!(conversation.updated_at <= NOW, "{}", conversation.id);
            let times: Vec<_> = conversation.parts.iter().map(|part| part.created_at).collect();
            assert!(times.iter().all(|at| *at >= conversation.created_at), "{}", conversation.id);
        }
    }

    #[test]
    fn translations_are_current_missing_outdated_and_drafts() {
        let workspace = seeded(true);
        let french = |id: &str| {
            let article = workspace.articles.get(id).unwrap();
            let content = article.translations.as_ref().unwrap().get("fr").cloned();
            (article.updated_at, content)
        };
        let (updated_at, current) = french("9100001");
        assert!(current.unwrap()["updated_at"].as_i64().unwrap() >= updated_at);
        let (updated_at, outdated) = french("9100002");
        assert!(outdated.unwrap()["updated_at"].as_i64().unwrap() < updated_at);
        assert_eq!(french("9100004").1.unwrap()["state"], "draft");
        assert!(french("9100005").1.is_none());
        assert!(!workspace.articles.get("9100003").unwrap().published);
    }

    #[test]
    fn an_empty_workspace_stays_empty() {
        let (contacts, companies, conversations, tickets, articles) = (0, 0, 0, 0, 0);
        let empty = Options { contacts, companies, conversations, tickets, articles, ..Options::default() }
            .with_story();
        let workspace = super::super::workspace(&empty, TimeZone::UTC);
        assert!(workspace.contacts.is_empty() && workspace.conversations.is_empty());
        assert!(workspace.articles.is_empty() && workspace.companies.is_empty());
    }
}
