//! Locates the fields of the API's searches in documents.
//!
//! The SQL of the mirror uses the same table, so that a predicate cannot have two meanings. It also lists the fields that only the
//! server knows, whose values must never be guessed.

use serde_json::Value;

use crate::filter::Searchable;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    Text,
    /// HTML, compared as its visible text.
    Html,
    /// The id of another record; 0 means none.
    Reference,
    Number,
    /// A time; of contacts, the workspace's day that includes it.
    Time,
    /// A time of a contact that is compared to the second.
    ExactTime,
    Flag,
    /// Ids of other records.
    Ids(IdList),
    /// Ids that the document lists, unless the list is empty.
    Teammates,
    /// The domain of an email address.
    Domain,
    /// The digits of a phone number, regardless of its format.
    Digits,
    /// A custom attribute.
    Untyped,
    /// Not in the documents.
    ServerOnly,
}

/// A list of ids: the mirror's link table, its two columns, and the keys of the list in the document, if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdList {
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
) -> FieldType {
    FieldType::Ids(IdList { table, owner, other, keys })
}

type Row = (&'static str, FieldType, &'static [&'static str]);

/// The searchable fields of each kind of record.
#[rustfmt::skip]
const FIELDS: &[Row] = &[
    (
        "contacts", FieldType::Text,
        &[
            "id", "role", "name", "avatar", "email", "phone", "external_id", "language_override", "browser",
            "browser_language", "os", "location.country", "location.region", "location.city", "ios_app_version",
            "ios_device", "ios_os_version", "ios_app_name", "ios_sdk_version", "android_app_version",
            "android_device", "android_app_name",
        ],
    ),
    (
        "contacts", FieldType::Time,
        &[
            "created_at", "updated_at", "signed_up_at", "last_seen_at", "last_contacted_at", "last_replied_at",
            "last_email_opened_at", "last_email_clicked_at", "ios_last_seen_at", "android_last_seen_at",
        ],
    ),
    ("contacts", FieldType::Domain, &["email_domain"]),
    ("contacts", FieldType::Digits, &["phone_digits"]),
    ("contacts", FieldType::Reference, &["owner_id"]),
    ("contacts", FieldType::Flag, &["unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"]),
    ("contacts", list("contact_tags", "contact_id", "tag_id", &["tags", "data"]), &["tag_id"]),
    ("contacts", list("contact_segments", "contact_id", "segment_id", &[]), &["segment_id"]),
    ("contacts", list("contact_companies", "contact_id", "company_id", &["companies", "data"]), &["company_id"]),
    ("contacts", FieldType::ServerOnly, &["ios_app_device"]),
    (
        "conversations", FieldType::Text,
        &[
            "id", "title", "state", "priority", "source.type", "source.id", "source.delivered_as",
            "source.subject", "source.url", "source.author.id", "source.author.type", "source.author.name",
            "source.author.email", "conversation_rating.remark", "conversation_rating.contact_id",
            "ai_agent.resolution_state", "ai_agent.last_answer_type", "ai_agent.rating_remark",
            "ai_agent.source_type", "ai_agent.source_title", "statistics.last_closed_by_id",
        ],
    ),
    ("conversations", FieldType::Html, &["source.body"]),
    ("conversations", FieldType::Reference, &["admin_assignee_id", "team_assignee_id"]),
    ("conversations", FieldType::Flag, &["open", "read", "ai_agent_participated"]),
    (
        "conversations", FieldType::Time,
        &[
            "created_at", "updated_at", "waiting_since", "snoozed_until", "statistics.first_contact_reply_at",
            "statistics.first_assignment_at", "statistics.first_admin_reply_at", "statistics.first_close_at",
            "statistics.last_assignment_at", "statistics.last_assignment_admin_reply_at",
            "statistics.last_contact_reply_at", "statistics.last_admin_reply_at", "statistics.last_close_at",
        ],
    ),
    (
        "conversations", FieldType::Number,
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
    ("conversations", FieldType::Teammates, &["teammate_ids"]),
    (
        "conversations", FieldType::ServerOnly,
        &["channel_initiated", "conversation_rating.requested_at", "conversation_rating.replied_at"],
    ),
    (
        "tickets", FieldType::Text,
        &["id", "title", "description", "category", "ticket_type_id", "state", "ticket_state_id"],
    ),
    ("tickets", FieldType::Time, &["created_at", "updated_at", "snoozed_until"]),
    ("tickets", FieldType::Reference, &["admin_assignee_id", "team_assignee_id"]),
    ("tickets", FieldType::Flag, &["open"]),
    ("tickets", list("ticket_contacts", "ticket_id", "contact_id", &["contacts", "contacts"]), &["contact_ids"]),
    ("tickets", FieldType::ServerOnly, &["teammate_ids"]),
];

/// Fields with other names in the documents.
const DOCUMENT_NAMES: &[(&str, &str, &[&str])] = &[
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

/// The location and type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldLocation<'p> {
    pub kind: FieldType,
    /// The path in the document.
    pub keys: Vec<&'p str>,
    /// Whether it is a field of all records of this kind, not a custom attribute.
    pub is_standard: bool,
}

/// Locates the field of a test; `None` if this kind of record has no such search field.
pub(crate) fn locate(searched: Searchable, test: &Value) -> Option<FieldLocation<'_>> {
    let field = test["field"].as_str()?;
    let of = searched.as_str();
    // The search identifies ticket attributes by id, the documents by name.
    if of == "tickets" && field.starts_with("ticket_attribute.") {
        let name = test["attribute"].as_str()?;
        return Some(FieldLocation {
            kind: FieldType::Untyped,
            keys: vec!["ticket_attributes", name],
            is_standard: false,
        });
    }
    if let Some(name) = field.strip_prefix("custom_attributes.").filter(|_| of != "tickets") {
        let kind = if test["type"] == "date" { FieldType::Time } else { FieldType::Untyped };
        return Some(FieldLocation { kind, keys: vec!["custom_attributes", name], is_standard: false });
    }
    let (_, kind, _) = FIELDS.iter().find(|(owner, _, names)| *owner == of && names.contains(&field))?;
    let kind = if test["type"] == "time" && *kind == FieldType::Time { FieldType::ExactTime } else { *kind };
    let renamed = DOCUMENT_NAMES.iter().find(|(owner, name, _)| *owner == of && *name == field);
    let keys = renamed.map_or_else(|| field.split('.').collect(), |(.., keys)| keys.to_vec());
    Some(FieldLocation { kind, keys, is_standard: true })
}
