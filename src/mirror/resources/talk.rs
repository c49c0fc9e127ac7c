//! What is said: conversations, tickets, calls.

use rusqlite::types::Value as Cell;
use serde_json::Value;

use super::{Bound, Field, Link, PLAIN, Resource, ResourceName, Route, column};
use crate::mirror::{author, fields, plain};

pub static CONVERSATIONS: Resource = Resource {
    name: ResourceName::Conversations,
    columns: &[
        column("title", Field::Text("/title")),
        column("state", Field::Text("/state")),
        column("open", Field::Flag("/open")),
        column("read", Field::Flag("/read")),
        column("priority", Field::Text("/priority")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("waiting_since", Field::Time("/waiting_since")),
        column("snoozed_until", Field::Time("/snoozed_until")),
        column("admin_assignee_id", Field::Reference("/admin_assignee_id")),
        column("team_assignee_id", Field::Reference("/team_assignee_id")),
        column("source_type", Field::Text("/source/type")),
        column("source_delivered_as", Field::Text("/source/delivered_as")),
        column("source_author_type", Field::Text("/source/author/type")),
        column("source_author_id", Field::Text("/source/author/id")),
        column("source_written_by", Field::Derived(author::OF_OPENING, opened_by)),
        column("rating", Field::Integer("/conversation_rating/rating")),
        column("ai_agent_participated", Field::Flag("/ai_agent_participated")),
        column("parts_count", Field::Integer("/statistics/count_conversation_parts")),
    ],
    age: Some("updated_at"),
    links: &[
        Link {
            table: "conversation_tags",
            owner: "conversation_id",
            other: "tag_id",
            to: ResourceName::Tags,
            lists: &["/tags/tags"],
        },
        Link {
            table: "conversation_contacts",
            owner: "conversation_id",
            other: "contact_id",
            to: ResourceName::Contacts,
            lists: &["/contacts/contacts"],
        },
    ],
    routes: &[Route::bound("searchConversations", Bound::Search), Route::get("listConversations")],
    changes: &[Route::bound("searchConversations", Bound::Search)],
    one: Some("retrieveConversation"),
    by_ids: Some("searchConversations"),
    shortened: true,
    ..PLAIN
};

pub static CONVERSATION_PARTS: Resource = Resource {
    name: ResourceName::ConversationParts,
    parent: Some("conversation_id"),
    columns: &[
        column("part_type", Field::Text("/part_type")),
        column("author_type", Field::Text("/author/type")),
        column("author_id", Field::Text("/author/id")),
        column("assigned_type", Field::Text("/assigned_to/type")),
        column("assigned_id", Field::Reference("/assigned_to/id")),
        column("state", Field::Text("/state")),
        column("from_ai_agent", Field::Derived(author::AI_AGENT, from_ai_agent)),
        column("written_by", Field::Derived(author::OF_PART, written_by)),
        column("has_text", Field::Derived(&["/body", "/attachments"], has_text)),
        column("redacted", Field::Flag("/redacted")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    ..PLAIN
};

pub static TICKETS: Resource = Resource {
    name: ResourceName::Tickets,
    columns: &[
        column("ticket_id", Field::Text("/ticket_id")),
        column("category", Field::Text("/category")),
        column("state", Field::Derived(&["/ticket_state"], ticket_state)),
        column("ticket_type_id", Field::Text("/ticket_type/id")),
        column("title", Field::Text("/ticket_attributes/_default_title_")),
        column("open", Field::Flag("/open")),
        column("is_shared", Field::Flag("/is_shared")),
        column("company_id", Field::Text("/company_id")),
        column("admin_assignee_id", Field::Reference("/admin_assignee_id")),
        column("team_assignee_id", Field::Reference("/team_assignee_id")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("snoozed_until", Field::Time("/snoozed_until")),
    ],
    age: Some("updated_at"),
    links: &[Link {
        table: "ticket_contacts",
        owner: "ticket_id",
        other: "contact_id",
        to: ResourceName::Contacts,
        lists: &["/contacts/contacts"],
    }],
    routes: &[Route::bound("searchTickets", Bound::Search)],
    changes: &[Route::bound("searchTickets", Bound::Search)],
    one: Some("getTicket"),
    by_ids: Some("searchTickets"),
    ..PLAIN
};

pub static TICKET_PARTS: Resource = Resource {
    name: ResourceName::TicketParts,
    parent: Some("ticket_id"),
    columns: &[
        column("part_type", Field::Text("/part_type")),
        column("author_type", Field::Text("/author/type")),
        column("author_id", Field::Text("/author/id")),
        column("assigned_type", Field::Text("/assigned_to/type")),
        column("assigned_id", Field::Reference("/assigned_to/id")),
        column("previous_state", Field::Text("/previous_ticket_state")),
        column("state", Field::Text("/ticket_state")),
        column("has_text", Field::Derived(&["/body", "/attachments"], has_text)),
        column("redacted", Field::Flag("/redacted")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    ..PLAIN
};

pub static TICKET_TYPES: Resource = Resource {
    name: ResourceName::TicketTypes,
    columns: &[
        column("name", Field::Text("/name")),
        column("category", Field::Text("/category")),
        column("is_internal", Field::Flag("/is_internal")),
        column("archived", Field::Flag("/archived")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::get("listTicketTypes")],
    one: Some("getTicketType"),
    ..PLAIN
};

pub static TICKET_STATES: Resource = Resource {
    name: ResourceName::TicketStates,
    columns: &[
        column("category", Field::Text("/category")),
        column("internal_label", Field::Text("/internal_label")),
        column("external_label", Field::Text("/external_label")),
        column("archived", Field::Flag("/archived")),
    ],
    routes: &[Route::get("listTicketStates")],
    ..PLAIN
};

pub static CALLS: Resource = Resource {
    name: ResourceName::Calls,
    columns: &[
        column("conversation_id", Field::Reference("/conversation_id")),
        column("admin_id", Field::Reference("/admin_id")),
        column("contact_id", Field::Reference("/contact_id")),
        column("state", Field::Text("/state")),
        column("direction", Field::Text("/direction")),
        column("initiated_at", Field::Time("/initiated_at")),
        column("answered_at", Field::Time("/answered_at")),
        column("ended_at", Field::Time("/ended_at")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::bound("listCalls", Bound::NewestFirst)],
    changes: &[Route::bound("listCalls", Bound::NewestFirst)],
    one: Some("showCall"),
    vanishes: false,
    ..PLAIN
};

fn from_ai_agent(part: &Value) -> Cell {
    author::is_ai_agent(part).into()
}

fn written_by(part: &Value) -> Cell {
    author::of_part(part).to_owned().into()
}

fn opened_by(conversation: &Value) -> Cell {
    author::of_opening(conversation).to_owned().into()
}

/// Whether the part shows anything: text, an image or an attachment.
fn has_text(part: &Value) -> Cell {
    let attached = part["attachments"].as_array().is_some_and(|list| !list.is_empty());
    (attached || part["body"].as_str().is_some_and(plain::is_visible)).into()
}

/// The category of a ticket's state: a text in older API versions, an object in newer ones.
fn ticket_state(ticket: &Value) -> Cell {
    let state = &ticket["ticket_state"];
    fields::text(state).or_else(|| fields::text(&state["category"])).into()
}
