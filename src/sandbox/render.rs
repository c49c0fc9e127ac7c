//! JSON documents that combine several record types, for example the author of a part or the name of a tag.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::model::company::Company;
use super::model::contact::ContactRecord;
use super::model::conversation::{Author, Conversation, ConversationPart};
use super::model::statistics::Statistics;
use super::model::ticket::TicketRecord;
use super::quirk::{Quirk, Unassigned};
use super::workspace::Workspace;

/// Maximum number of parts in a conversation document.
const MAX_PARTS: usize = 500;

impl Workspace {
    /// The author of a message.
    pub fn author(&self, author: &Author) -> Value {
        match author {
            Author::Contact(id) => {
                let contact = self.contacts.get(id);
                json!({
                    "type": contact.map_or("user", ContactRecord::role),
                    "id": id,
                    "name": contact.and_then(|contact| contact.name.as_deref()),
                    "email": contact.and_then(|contact| contact.email.as_deref()),
                })
            }
            Author::Admin(id) => {
                let admin = self.admin(*id);
                json!({
                    "type": "admin",
                    "id": id.to_string(),
                    "name": admin.map(|admin| &admin.name),
                    "email": admin.map(|admin| &admin.email),
                })
            }
            Author::Bot => self.bot("Operator", false),
            Author::AiAgent => self.bot("Fin", true),
        }
    }

    fn bot(&self, name: &str, from_ai_agent: bool) -> Value {
        let kind = if self.quirks.contains(&Quirk::OperatorAsAdmin) {
            "admin"
        } else if self.quirks.contains(&Quirk::OperatorAsUser) {
            "user"
        } else {
            "bot"
        };
        let mut author =
            json!({"type": kind, "id": "278", "name": name, "email": "operator+sandbox@intercom.io"});
        if from_ai_agent {
            author["from_ai_agent"] = json!(true);
            author["is_ai_answer"] = json!(true);
        }
        author
    }

    pub fn contact_document(&self, contact: &ContactRecord) -> Value {
        let mut document = contact.document(&self.id);
        if self.quirks.contains(&Quirk::NullLists) {
            for list in ["tags", "companies", "notes"] {
                document[list] = Value::Null;
            }
        }
        self.left_out(document)
    }

    /// The document as it is answered, without the fields that quirks leave out.
    fn left_out(&self, mut document: Value) -> Value {
        let is_absent = self.quirks.contains(&Quirk::Unassigned(Unassigned::Absent));
        if let Some(fields) = document.as_object_mut() {
            for quirk in &self.quirks {
                if let Quirk::Without(field) = quirk {
                    fields.remove(field);
                }
            }
            fields.retain(|name, value| {
                !(is_absent && name.ends_with("_assignee_id") && (value.is_null() || *value == 0))
            });
        }
        document
    }

    /// References to contacts, as included in conversations and tickets.
    fn contact_references(&self, ids: &[String]) -> Value {
        let contacts: Vec<_> = ids
            .iter()
            .map(|id| match self.contacts.get(id) {
                Some(contact) => contact.reference(),
                None => json!({"type": "contact", "id": id, "external_id": null}),
            })
            .collect();
        json!({"type": "contact.list", "contacts": contacts})
    }

    /// `sizes` is [`Workspace::company_sizes`], which is expensive and so computed once per request.
    pub fn company_document(&self, company: &Company, sizes: &HashMap<&str, usize>) -> Value {
        let mut document = company.document(&self.id, sizes.get(company.id.as_str()).copied().unwrap_or(0));
        let tags = company.tags.iter().filter_map(|id| self.tags.get(id));
        let tags: Vec<_> = tags.map(|tag| &tag.document).collect();
        let segments: Vec<_> = self.segment_documents(&company.segments).collect();
        document["tags"] = json!({"type": "tag.list", "tags": tags});
        document["segments"] = json!({"type": "segment.list", "segments": segments});
        document
    }

    pub fn statistics(&self, conversation: &Conversation) -> Statistics {
        Statistics::of(conversation, &self.timezone)
    }

    /// A conversation without its parts, as returned by lists and searches.
    pub fn conversation_item(&self, conversation: &Conversation) -> Value {
        let tags: Vec<_> =
            conversation.tags.iter().map(|tag| tag.document(self.tag_name(&tag.tag_id))).collect();
        let teammates: Vec<_> = conversation
            .teammates()
            .iter()
            .map(|id| json!({"type": "admin", "id": id.to_string()}))
            .collect();
        let first_reply = conversation
            .first_contact_reply_at()
            .map(|at| json!({"created_at": at, "type": conversation.source.kind, "url": null}));
        self.left_out(json!({
            "type": "conversation",
            "id": conversation.id,
            "created_at": conversation.created_at,
            "updated_at": conversation.updated_at,
            "waiting_since": conversation.waiting_since,
            "snoozed_until": conversation.snoozed_until,
            "source": self.source(conversation),
            "contacts": self.contact_references(&conversation.contacts),
            "first_contact_reply": first_reply,
            "admin_assignee_id": self.assignee(conversation.admin_assignee_id),
            "team_assignee_id": self.assignee(conversation.team_assignee_id),
            "open": conversation.state.as_str() != "closed",
            "state": conversation.state.as_str(),
            "read": conversation.read,
            "tags": {"type": "tag.list", "tags": tags},
            "priority": conversation.priority.as_str(),
            "sla_applied": null,
            "statistics": self.statistics(conversation).document(),
            "conversation_rating": conversation.rating,
            "teammates": {"type": "admin.list", "teammates": teammates},
            "title": conversation.title,
            "custom_attributes": conversation.custom_attributes,
            "topics": {},
            "ticket": null,
            "linked_objects": self.linked_objects(conversation),
            "ai_agent": conversation.ai_agent,
            "ai_agent_participated": !conversation.ai_agent.is_null(),
        }))
    }

    /// A conversation with its newest parts.
    pub fn conversation_document(&self, conversation: &Conversation) -> Value {
        let first = conversation.parts.len().saturating_sub(MAX_PARTS);
        let parts: Vec<_> = conversation.parts[first..].iter().map(|part| self.part_document(part)).collect();
        let mut document = self.conversation_item(conversation);
        document["conversation_parts"] = json!({
            "type": "conversation_part.list",
            "total_count": parts.len(),
            "conversation_parts": parts,
        });
        self.left_out(document)
    }

    /// The assignee id of a conversation. Unassigned is 0, or null with the quirks `unassigned=null` and
    /// `unassigned=absent`.
    pub fn assignee(&self, id: Option<i64>) -> Option<i64> {
        let is_null = self
            .quirks
            .iter()
            .any(|quirk| matches!(quirk, Quirk::Unassigned(Unassigned::Null | Unassigned::Absent)));
        id.or((!is_null).then_some(0))
    }

    pub fn part_document(&self, part: &ConversationPart) -> Value {
        part.document(self.author(&part.author))
    }

    fn source(&self, conversation: &Conversation) -> Value {
        let source = &conversation.source;
        json!({
            "type": source.kind,
            "id": source.id,
            "delivered_as": source.delivered_as,
            "subject": source.subject,
            "body": source.body,
            "author": self.author(&source.author),
            "attachments": [],
            "url": source.url,
            "redacted": source.redacted,
        })
    }

    /// The tickets of a conversation, and the conversations that it was merged with.
    fn linked_objects(&self, conversation: &Conversation) -> Value {
        let tickets = conversation
            .tickets
            .iter()
            .filter_map(|id| self.tickets.get(id))
            .map(|ticket| json!({"type": "ticket", "id": ticket.id, "category": self.category(ticket)}));
        let merged = conversation.merged_into.iter().chain(&conversation.merged_from);
        let merged = merged.map(|id| json!({"type": "conversation", "id": id, "category": null}));
        let data: Vec<_> = tickets.chain(merged).collect();
        json!({"type": "list", "total_count": data.len(), "has_more": false, "data": data})
    }

    /// The category of a ticket's type.
    pub fn category(&self, ticket: &TicketRecord) -> &str {
        self.ticket_types.get(&ticket.type_id).map_or("Customer", |ticket_type| ticket_type.text("category"))
    }

    pub fn ticket_document(&self, ticket: &TicketRecord) -> Value {
        let state = self.ticket_states.get(&ticket.state_id);
        let ticket_type = self.ticket_types.get(&ticket.type_id);
        let parts: Vec<_> =
            ticket.parts.iter().map(|part| part.document(self.author(&part.author))).collect();
        let linked: Vec<_> = ticket
            .conversation_id
            .iter()
            .chain(&ticket.linked_conversations)
            .map(|id| json!({"type": "conversation", "id": id, "category": null}))
            .collect();
        let assignee = |id: Option<i64>| id.unwrap_or(0).to_string();
        json!({
            "type": "ticket",
            "id": ticket.id,
            "ticket_id": ticket.ticket_id,
            "category": self.category(ticket),
            "ticket_attributes": ticket.attributes,
            "ticket_state": state.map(|state| &state.document),
            "ticket_type": ticket_type.map(|ticket_type| &ticket_type.document),
            "contacts": self.contact_references(&ticket.contacts),
            "company_id": ticket.company_id,
            "admin_assignee_id": assignee(ticket.admin_assignee_id),
            "team_assignee_id": assignee(ticket.team_assignee_id),
            "created_at": ticket.created_at,
            "updated_at": ticket.updated_at,
            "open": ticket.open,
            "snoozed_until": ticket.snoozed_until,
            "linked_objects": {"type": "list", "data": linked, "total_count": linked.len(), "has_more": false},
            "ticket_parts": {"type": "ticket_part.list", "total_count": parts.len(), "ticket_parts": parts},
            "is_shared": ticket.is_shared,
        })
    }
}
