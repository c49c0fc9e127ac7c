//! Conversations, tickets and calls.

use serde_json::Value;

use super::{Bound, DEFAULT, JsonField, Link, Resource, ResourceName, Route, column};
use crate::data::lenient;
use crate::html::plain;
use crate::mirror::author;

pub static CONVERSATIONS: Resource = Resource {
    name: ResourceName::Conversations,
    about: "Conversations without their parts",
    columns: &[
        column("title", JsonField::Text("/title")),
        column("state", JsonField::Text("/state")),
        column("open", JsonField::Flag("/open")),
        column("read", JsonField::Flag("/read")),
        column("priority", JsonField::Text("/priority")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
        column("waiting_since", JsonField::Time("/waiting_since")),
        column("snoozed_until", JsonField::Time("/snoozed_until")),
        column("admin_assignee_id", JsonField::Reference("/admin_assignee_id")),
        column("team_assignee_id", JsonField::Reference("/team_assignee_id")),
        column("source_type", JsonField::Text("/source/type")),
        column("source_delivered_as", JsonField::Text("/source/delivered_as")),
        column("source_author_type", JsonField::Text("/source/author/type")),
        column("source_author_id", JsonField::Text("/source/author/id")),
        column("source_written_by", JsonField::DerivedText(author::OPENING_FIELDS, opened_by)),
        column("rating", JsonField::Integer("/conversation_rating/rating")),
        column("ai_agent_participated", JsonField::Flag("/ai_agent_participated")),
        column("parts_count", JsonField::Integer("/statistics/count_conversation_parts")),
    ],
    updated_at_column: Some("updated_at"),
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
    get_operation: Some("retrieveConversation"),
    by_ids: Some("searchConversations"),
    list_is_summary: true,
    ..DEFAULT
};

pub static CONVERSATION_PARTS: Resource = Resource {
    name: ResourceName::ConversationParts,
    about: "Everything written or done in a conversation after its opening message",
    parent: Some("conversation_id"),
    columns: &[
        column("part_type", JsonField::Text("/part_type")),
        column("author_type", JsonField::Text("/author/type")),
        column("author_id", JsonField::Text("/author/id")),
        column("assigned_type", JsonField::Text("/assigned_to/type")),
        column("assigned_id", JsonField::Reference("/assigned_to/id")),
        column("state", JsonField::Text("/state")),
        column("from_ai_agent", JsonField::DerivedFlag(author::AI_AGENT_FIELDS, from_ai_agent)),
        column("written_by", JsonField::DerivedText(author::PART_FIELDS, written_by)),
        column("has_text", JsonField::DerivedFlag(&["/body", "/attachments"], has_text)),
        column("redacted", JsonField::Flag("/redacted")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    ..DEFAULT
};

pub static TICKETS: Resource = Resource {
    name: ResourceName::Tickets,
    about: "Tickets without their parts",
    columns: &[
        column("ticket_id", JsonField::Text("/ticket_id")),
        column("category", JsonField::Text("/category")),
        column("state", JsonField::DerivedText(&["/ticket_state"], ticket_state)),
        column("ticket_type_id", JsonField::Text("/ticket_type/id")),
        column("title", JsonField::Text("/ticket_attributes/_default_title_")),
        column("open", JsonField::Flag("/open")),
        column("is_shared", JsonField::Flag("/is_shared")),
        column("company_id", JsonField::Text("/company_id")),
        column("admin_assignee_id", JsonField::Reference("/admin_assignee_id")),
        column("team_assignee_id", JsonField::Reference("/team_assignee_id")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
        column("snoozed_until", JsonField::Time("/snoozed_until")),
    ],
    updated_at_column: Some("updated_at"),
    links: &[Link {
        table: "ticket_contacts",
        owner: "ticket_id",
        other: "contact_id",
        to: ResourceName::Contacts,
        lists: &["/contacts/contacts"],
    }],
    routes: &[Route::bound("searchTickets", Bound::Search)],
    changes: &[Route::bound("searchTickets", Bound::Search)],
    get_operation: Some("getTicket"),
    by_ids: Some("searchTickets"),
    ..DEFAULT
};

pub static TICKET_PARTS: Resource = Resource {
    name: ResourceName::TicketParts,
    about: "Everything written or done in a ticket",
    parent: Some("ticket_id"),
    columns: &[
        column("part_type", JsonField::Text("/part_type")),
        column("author_type", JsonField::Text("/author/type")),
        column("author_id", JsonField::Text("/author/id")),
        column("assigned_type", JsonField::Text("/assigned_to/type")),
        column("assigned_id", JsonField::Reference("/assigned_to/id")),
        column("previous_state", JsonField::Text("/previous_ticket_state")),
        column("state", JsonField::Text("/ticket_state")),
        column("has_text", JsonField::DerivedFlag(&["/body", "/attachments"], has_text)),
        column("redacted", JsonField::Flag("/redacted")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    ..DEFAULT
};

pub static TICKET_TYPES: Resource = Resource {
    name: ResourceName::TicketTypes,
    about: "Types of tickets",
    columns: &[
        column("name", JsonField::Text("/name")),
        column("category", JsonField::Text("/category")),
        column("is_internal", JsonField::Flag("/is_internal")),
        column("archived", JsonField::Flag("/archived")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::get("listTicketTypes")],
    get_operation: Some("getTicketType"),
    ..DEFAULT
};

pub static TICKET_STATES: Resource = Resource {
    name: ResourceName::TicketStates,
    about: "States of tickets",
    columns: &[
        column("category", JsonField::Text("/category")),
        column("internal_label", JsonField::Text("/internal_label")),
        column("external_label", JsonField::Text("/external_label")),
        column("archived", JsonField::Flag("/archived")),
    ],
    routes: &[Route::get("listTicketStates")],
    ..DEFAULT
};

pub static CALLS: Resource = Resource {
    name: ResourceName::Calls,
    about: "Phone calls",
    columns: &[
        column("conversation_id", JsonField::Reference("/conversation_id")),
        column("admin_id", JsonField::Reference("/admin_id")),
        column("contact_id", JsonField::Reference("/contact_id")),
        column("state", JsonField::Text("/state")),
        column("direction", JsonField::Text("/direction")),
        column("initiated_at", JsonField::Time("/initiated_at")),
        column("answered_at", JsonField::Time("/answered_at")),
        column("ended_at", JsonField::Time("/ended_at")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::bound("listCalls", Bound::NewestFirst)],
    changes: &[Route::bound("listCalls", Bound::NewestFirst)],
    get_operation: Some("showCall"),
    detects_deletions: false,
    ..DEFAULT
};

fn from_ai_agent(part: &Value) -> Option<bool> {
    Some(author::is_ai_agent(part))
}

fn written_by(part: &Value) -> Option<String> {
    Some(author::of_part(part).to_owned())
}

fn opened_by(conversation: &Value) -> Option<String> {
    Some(author::of_opening(conversation).to_owned())
}

/// Whether a part has visible content: text, an image or an attachment.
fn has_text(part: &Value) -> Option<bool> {
    let attached = part["attachments"].as_array().is_some_and(|list| !list.is_empty());
    Some(attached || part["body"].as_str().is_some_and(plain::is_visible))
}

/// The category of a ticket's state: a string in older API versions, an object in newer ones.
fn ticket_state(ticket: &Value) -> Option<String> {
    let state = &ticket["ticket_state"];
    lenient::text(state).or_else(|| lenient::text(&state["category"]))
}
