//! Seed data: ticket types, ticket states, and tickets in every state.

use serde_json::json;

use super::words::{ADMIN_FOLLOW_UPS, TOPICS};
use crate::sandbox::calendar::{DAY, HOUR};
use crate::sandbox::model::conversation::Author;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::model::ticket::{TicketPart, TicketRecord};
use crate::sandbox::options::Options;
use crate::sandbox::workspace::{IdSequence, Workspace};

const TYPES: &[(&str, &str, &str)] = &[
    ("Bug report", "Something does not work as expected", "Customer"),
    ("Refund request", "A payment to be refunded", "Customer"),
    ("Server incident", "For the on-call team", "Back-office"),
    ("Known issue", "Collects reports of the same problem", "Tracker"),
];

const STATES: &[(&str, &str, &str)] = &[
    ("submitted", "Submitted", "Submitted"),
    ("in_progress", "In progress", "In progress"),
    ("waiting_on_customer", "Waiting on customer", "Waiting on you"),
    ("resolved", "Resolved", "Resolved"),
];

pub fn set_up(workspace: &mut Workspace, options: &Options) {
    let created_at = options.now - 300 * DAY;
    for (category, internal_label, external_label) in STATES {
        let id = workspace.next_id(IdSequence::Other);
        workspace.ticket_states.insert(PlainRecord::new(json!({
            "type": "ticket_state",
            "id": id,
            "category": category,
            "internal_label": internal_label,
            "external_label": external_label,
        })));
    }
    for (name, description, category) in TYPES {
        let id = workspace.next_id(IdSequence::Other);
        let mut ticket_type = workspace.new_ticket_type(&id, name, created_at);
        ticket_type.document["description"] = json!(description);
        ticket_type.document["category"] = json!(category);
        ticket_type.document["is_internal"] = json!(*category != "Customer");
        workspace.ticket_types.insert(ticket_type);
    }
}

pub fn fill(workspace: &mut Workspace, options: &Options) {
    let people: Vec<_> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
    if people.is_empty() {
        return;
    }
    for _ in 0..options.tickets {
        let at = options.now - workspace.random.between(HOUR, 40 * DAY);
        let contact = workspace.random.pick(&people).clone();
        let ticket = ticket(workspace, contact, at, options.now);
        workspace.tickets.insert(ticket);
    }
}

fn ticket(workspace: &mut Workspace, contact: String, at: i64, now: i64) -> TicketRecord {
    let type_id = workspace.random.pick(&workspace.ticket_types).id.clone();
    let admin = workspace.random.pick(&workspace.admins).id;
    let (title, question, _) = TOPICS[workspace.random.below(TOPICS.len())];
    let mut ticket = workspace.new_ticket(&type_id, at);
    ticket.contacts.push(contact);
    ticket.attributes.insert("_default_title_".to_owned(), json!(title));
    ticket.attributes.insert("_default_description_".to_owned(), json!(question));
    ticket.admin_assignee_id = workspace.random.chance(70).then_some(admin);
    let steps = workspace.random.below(STATES.len());
    for step in 0..steps {
        let created_at = (ticket.updated_at + workspace.random.between(HOUR, 3 * DAY)).min(now - 1);
        let part = TicketPart {
            id: workspace.next_id(IdSequence::Part),
            part_type: "ticket_state_updated_by_admin",
            body: None,
            created_at,
            author: Author::Admin(admin),
            states: Some([step, step + 1].map(|step| STATES[step].0.to_owned())),
        };
        ticket.parts.push(part);
        ticket.updated_at = created_at;
    }
    if workspace.random.chance(40) {
        let body = format!("<p>{}</p>", workspace.random.pick(ADMIN_FOLLOW_UPS));
        let part = TicketPart {
            id: workspace.next_id(IdSequence::Part),
            part_type: "comment",
            body: Some(body),
            created_at: ticket.updated_at,
            author: Author::Admin(admin),
            ..TicketPart::default()
        };
        ticket.parts.push(part);
    }
    ticket.state_id.clone_from(&workspace.ticket_states[steps].id);
    ticket.open = STATES[steps].0 != "resolved";
    ticket
}
