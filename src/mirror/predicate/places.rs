//! Where the fields of the API's searches are found: in the documents, and in the tables of the mirror.
//!
//! One table for both, so that a predicate cannot mean two things. A field that neither shows is named
//! here all the same, and must never be guessed.

use serde_json::Value;

use crate::mirror::resources::ResourceName;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// HTML that is compared as what people read.
    Message,
    /// Id of one other record; 0 is nobody.
    Reference,
    Number,
    Moment,
    Flag,
    /// Ids of other records.
    Ids(List),
    /// Ids that the document lists, unless it lists none at all.
    Teammates,
    /// The domain of an e-mail address.
    Domain,
    /// The digits of a telephone number, however it is written.
    Digits,
    /// Whatever an attribute of the workspace's making holds.
    Anything,
    /// What only the server knows.
    Hidden,
}

/// A list of ids: the table of pairs, its owner, its other column, and the list in the document, if it is
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List {
    pub table: &'static str,
    pub owner: &'static str,
    pub other: &'static str,
    pub keys: &'static [&'static str],
}

const fn list(
    table: &'static str,
    owner: &'static str,
    other: &'static str,
    keys: &'static [&'static str],
) -> Kind {
    Kind::Ids(List { table, owner, other, keys })
}

type Row = (&'static str, Kind, &'static [&'static str]);

/// Fields by the resource that has them.
#[rustfmt::skip]
const FIELDS: &[Row] = &[
    (
        "contacts", Kind::Text,
        &[
            "id", "role", "name", "avatar", "email", "phone", "external_id", "language_override", "browser",
            "browser_language", "os", "location.country", "location.region", "location.city", "ios_app_version",
            "ios_device", "ios_os_version", "ios_app_name", "ios_sdk_version", "android_app_version",
            "android_device", "android_app_name",
        ],
    ),
    (
        "contacts", Kind::Moment,
        &[
            "created_at", "updated_at", "signed_up_at", "last_seen_at", "last_contacted_at", "last_replied_at",
            "last_email_opened_at", "last_email_clicked_at", "ios_last_seen_at", "android_last_seen_at",
        ],
    ),
    ("contacts", Kind::Domain, &["email_domain"]),
    ("contacts", Kind::Digits, &["phone_digits"]),
    ("contacts", Kind::Reference, &["owner_id"]),
    ("contacts", Kind::Flag, &["unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"]),
    ("contacts", list("contact_tags", "contact_id", "tag_id", &["tags", "data"]), &["tag_id"]),
    ("contacts", list("contact_segments", "contact_id", "segment_id", &[]), &["segment_id"]),
    ("contacts", list("contact_companies", "contact_id", "company_id", &["companies", "data"]), &["company_id"]),
    ("contacts", Kind::Hidden, &["ios_app_device"]),
    (
        "conversations", Kind::Text,
        &[
            "id", "title", "state", "priority", "source.type", "source.id", "source.delivered_as",
            "source.subject", "source.url", "source.author.id", "source.author.type", "source.author.name",
            "source.author.email", "conversation_rating.remark", "conversation_rating.contact_id",
            "ai_agent.resolution_state", "ai_agent.last_answer_type", "ai_agent.rating_remark",
            "ai_agent.source_type", "ai_agent.source_title", "statistics.last_closed_by_id",
        ],
    ),
    ("conversations", Kind::Message, &["source.body"]),
    ("conversations", Kind::Reference, &["admin_assignee_id", "team_assignee_id"]),
    ("conversations", Kind::Flag, &["open", "read", "ai_agent_participated"]),
    (
        "conversations", Kind::Moment,
        &[
            "created_at", "updated_at", "waiting_since", "snoozed_until", "statistics.first_contact_reply_at",
            "statistics.first_assignment_at", "statistics.first_admin_reply_at", "statistics.first_close_at",
            "statistics.last_assignment_at", "statistics.last_assignment_admin_reply_at",
            "statistics.last_contact_reply_at", "statistics.last_admin_reply_at", "statistics.last_close_at",
        ],
    ),
    (
        "conversations", Kind::Number,
        &[
            "ai_agent.rating", "conversation_rating.score", "statistics.time_to_assignment",
            "statistics.time_to_admin_reply", "statistics.time_to_first_close", "statistics.time_to_last_close",
            "statistics.median_time_to_reply", "statistics.count_reopens", "statistics.count_assignments",
            "statistics.count_conversation_parts",
        ],
    ),
    ("conversations", list("conversation_tags", "conversation_id", "tag_id", &["tags", "tags"]), &["tag_ids"]),
    (
        "conversations",
        list("conversation_contacts", "conversation_id", "contact_id", &["contacts", "contacts"]),
        &["contact_ids"],
    ),
    ("conversations", Kind::Teammates, &["teammate_ids"]),
    (
        "conversations", Kind::Hidden,
        &["channel_initiated", "conversation_rating.requested_at", "conversation_rating.replied_at"],
    ),
    (
        "tickets", Kind::Text,
        &["id", "title", "description", "category", "ticket_type_id", "state", "ticket_state_id"],
    ),
    ("tickets", Kind::Moment, &["created_at", "updated_at", "snoozed_until"]),
    ("tickets", Kind::Reference, &["admin_assignee_id", "team_assignee_id"]),
    ("tickets", Kind::Flag, &["open"]),
    ("tickets", list("ticket_contacts", "ticket_id", "contact_id", &["contacts", "contacts"]), &["contact_ids"]),
    ("tickets", Kind::Hidden, &["teammate_ids"]),
];

/// Fields that the documents call differently.
const ELSEWHERE: &[(&str, &str, &[&str])] = &[
    ("conversations", "conversation_rating.score", &["conversation_rating", "rating"]),
    ("conversations", "conversation_rating.contact_id", &["conversation_rating", "contact", "id"]),
    ("contacts", "email_domain", &["email"]),
    ("contacts", "phone_digits", &["phone"]),
    ("tickets", "title", &["ticket_attributes", "_default_title_"]),
    ("tickets", "description", &["ticket_attributes", "_default_description_"]),
    ("tickets", "ticket_type_id", &["ticket_type", "id"]),
    ("tickets", "ticket_state_id", &["ticket_state", "id"]),
    ("tickets", "state", &["ticket_state", "category"]),
];

/// Columns that the mirror calls differently.
const COLUMNS: &[(&str, &str)] =
    &[("conversation_rating.score", "rating"), ("email_domain", "email"), ("phone_digits", "phone")];

/// Where one field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'p> {
    pub kind: Kind,
    /// In the document.
    pub keys: Vec<&'p str>,
    /// In the table of the mirror, where it has a column.
    pub column: Option<&'p str>,
}

/// Where the field of a test is; `None` when no such field can be searched.
pub(super) fn place(resource: ResourceName, test: &Value) -> Option<Place<'_>> {
    let field = test["field"].as_str()?;
    let of = resource.as_str();
    // The search names the attributes of tickets by their ids, the documents by their names.
    if of == "tickets" && field.starts_with("ticket_attribute.") {
        let name = test["attribute"].as_str()?;
        return Some(Place { kind: Kind::Anything, keys: vec!["ticket_attributes", name], column: None });
    }
    if let Some(name) = field.strip_prefix("custom_attributes.").filter(|_| of != "tickets") {
        let kind = if test["type"] == "date" { Kind::Moment } else { Kind::Anything };
        return Some(Place { kind, keys: vec!["custom_attributes", name], column: None });
    }
    let (_, kind, _) = FIELDS.iter().find(|(owner, _, names)| *owner == of && names.contains(&field))?;
    let elsewhere = ELSEWHERE.iter().find(|(owner, name, _)| *owner == of && *name == field);
    let keys = elsewhere.map_or_else(|| field.split('.').collect(), |(.., keys)| keys.to_vec());
    let column = COLUMNS.iter().find(|(name, _)| *name == field).map_or(field, |(_, column)| column);
    Some(Place { kind: *kind, keys, column: resource.has_column(column).then_some(column) })
}
