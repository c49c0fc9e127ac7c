//! Contacts, companies and teammates, and what describes them.

use serde_json::Value;

use super::{Bound, Complement, DEFAULT, JsonField, Link, Resource, ResourceName, Route, column};
use crate::api::ApiVersion;
use crate::data::lenient;
use crate::mirror::spelling;

pub static CONTACTS: Resource = Resource {
    name: ResourceName::Contacts,
    about: "People: users and leads",
    columns: &[
        column("external_id", JsonField::Text("/external_id")),
        column("role", JsonField::Text("/role")),
        column("email", JsonField::Text("/email")),
        column("phone", JsonField::Text("/phone")),
        column("name", JsonField::Text("/name")),
        column("owner_id", JsonField::Reference("/owner_id")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
        column("signed_up_at", JsonField::Time("/signed_up_at")),
        column("last_seen_at", JsonField::Time("/last_seen_at")),
        column("last_replied_at", JsonField::Time("/last_replied_at")),
        column("last_contacted_at", JsonField::Time("/last_contacted_at")),
        column("unsubscribed_from_emails", JsonField::Flag("/unsubscribed_from_emails")),
        column("unlisted", JsonField::DerivedText(LISTS, unlisted)),
    ],
    updated_at_column: Some("updated_at"),
    links: &[
        Link {
            table: "contact_tags",
            owner: "contact_id",
            other: "tag_id",
            to: ResourceName::Tags,
            lists: &["/tags"],
        },
        Link {
            table: "contact_companies",
            owner: "contact_id",
            other: "company_id",
            to: ResourceName::Companies,
            lists: &["/companies"],
        },
        Link {
            table: "contact_subscriptions",
            owner: "contact_id",
            other: "subscription_id",
            to: ResourceName::SubscriptionTypes,
            lists: &["/opted_in_subscription_types", "/opted_out_subscription_types"],
        },
    ],
    routes: &[Route::bound("ListContacts", Bound::NewestFirst)],
    changes: &[
        Route::bound("SearchContacts", Bound::SearchByDay),
        Route::bound("SearchContacts", Bound::SearchByDayUnordered),
    ],
    get_operation: Some("ShowContact"),
    by_ids: Some("SearchContacts"),
    ..DEFAULT
};

pub static COMPANIES: Resource = Resource {
    name: ResourceName::Companies,
    about: "Companies",
    columns: &[
        column("company_id", JsonField::Text("/company_id")),
        column("name", JsonField::Text("/name")),
        column("plan", JsonField::Text("/plan/name")),
        column("size", JsonField::Integer("/size")),
        column("monthly_spend", JsonField::Number("/monthly_spend")),
        column("user_count", JsonField::Integer("/user_count")),
        column("session_count", JsonField::Integer("/session_count")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
        column("last_request_at", JsonField::Time("/last_request_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[
        // The server advances a scroll with every response, even a lost one. After an interruption only a new
        // scroll returns everything.
        Route { resumable: false, ..Route::get("scrollOverAllCompanies") },
        Route {
            blind_spot: Some("companies without users, and those after the first 10,000"),
            ..Route::get("listAllCompanies")
        },
    ],
    get_operation: Some("RetrieveACompanyById"),
    ..DEFAULT
};

pub static ADMINS: Resource = Resource {
    name: ResourceName::Admins,
    about: "Teammates",
    columns: &[
        column("name", JsonField::Text("/name")),
        column("email", JsonField::Text("/email")),
        column("job_title", JsonField::Text("/job_title")),
        column("has_inbox_seat", JsonField::Flag("/has_inbox_seat")),
        column("away_mode_enabled", JsonField::Flag("/away_mode_enabled")),
    ],
    routes: &[Route::get("listAdmins")],
    get_operation: Some("retrieveAdmin"),
    ..DEFAULT
};

pub static TEAMS: Resource = Resource {
    name: ResourceName::Teams,
    about: "Teams",
    columns: &[column("name", JsonField::Text("/name"))],
    routes: &[Route::get("listTeams")],
    get_operation: Some("retrieveTeam"),
    ..DEFAULT
};

pub static TAGS: Resource = Resource {
    name: ResourceName::Tags,
    about: "Tags",
    columns: &[column("name", JsonField::Text("/name"))],
    routes: &[Route::get("listTags")],
    get_operation: Some("findTag"),
    ..DEFAULT
};

pub static SEGMENTS: Resource = Resource {
    name: ResourceName::Segments,
    about: "Segments of people and companies",
    columns: &[
        column("name", JsonField::Text("/name")),
        column("person_type", JsonField::Text("/person_type")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::get("listSegments")],
    get_operation: Some("retrieveSegment"),
    ..DEFAULT
};

pub static DATA_ATTRIBUTES: Resource = Resource {
    name: ResourceName::DataAttributes,
    about: "Attributes of contacts, companies and conversations",
    columns: &[
        column("model", JsonField::DerivedText(&["/model", "/type"], attribute_model)),
        column("name", JsonField::Text("/name")),
        column("full_name", JsonField::DerivedText(&["/full_name", "/type", "/name"], attribute_full_name)),
        column("data_type", JsonField::DerivedText(&["/data_type"], attribute_data_type)),
        column("custom", JsonField::DerivedFlag(&["/custom", "/type"], attribute_is_custom)),
        column("archived", JsonField::Flag("/archived")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    derive_id: Some(attribute_name),
    routes: &[Route { query: ALSO_ARCHIVED, ..Route::get("lisDataAttributes") }],
    complement: Some(Complement {
        is_needed: |version| version.has(&ApiVersion::CONVERSATION_ATTRIBUTES),
        route: Route { query: ALSO_ARCHIVED, ..Route::get("listConversationAttributes") },
        unlisted: "model = 'conversation' AND NOT coalesce(custom, 0)",
    }),
    ..DEFAULT
};

pub static SUBSCRIPTION_TYPES: Resource = Resource {
    name: ResourceName::SubscriptionTypes,
    about: "Types of subscriptions",
    columns: &[
        column("name", JsonField::Text("/default_translation/name")),
        column("consent_type", JsonField::Text("/consent_type")),
        column("state", JsonField::Text("/state")),
    ],
    routes: &[Route::get("listSubscriptionTypes")],
    ..DEFAULT
};

// Logs are append-only and old entries expire, so stored entries are kept.
pub static ACTIVITY_LOGS: Resource = Resource {
    name: ResourceName::ActivityLogs,
    about: "What teammates did in the workspace",
    columns: &[
        column("activity_type", JsonField::Text("/activity_type")),
        column("activity_description", JsonField::Text("/activity_description")),
        column("performed_by_id", JsonField::Reference("/performed_by/id")),
        column("performed_by_email", JsonField::Text("/performed_by/email")),
        column("created_at", JsonField::Time("/created_at")),
    ],
    updated_at_column: Some("created_at"),
    routes: &[Route::bound("listActivityLogs", Bound::Query("created_at_after"))],
    changes: &[Route::bound("listActivityLogs", Bound::Query("created_at_after"))],
    detects_deletions: false,
    ..DEFAULT
};

/// What [`unlisted`] reads, besides the lists of the links.
const LISTS: &[&str] = &["/notes/total_count", "/notes/has_more", "/notes/data/id"];

/// The lists that a contact's document truncates or omits, comma-separated. Notes are always omitted: the document
/// only has their ids. A missing or null list counts as omitted, an empty one does not.
fn unlisted(contact: &Value) -> Option<String> {
    let is_incomplete = |name: &str| !contact[name]["data"].is_array() || lenient::is_cut(&contact[name]);
    let has_notes =
        is_incomplete("notes") || contact["notes"]["data"].as_array().is_some_and(|notes| !notes.is_empty());
    let lists = [
        ("tags", is_incomplete("tags")),
        ("companies", is_incomplete("companies")),
        (
            "subscriptions",
            is_incomplete("opted_in_subscription_types") || is_incomplete("opted_out_subscription_types"),
        ),
        ("notes", has_notes),
    ];
    let names: Vec<&str> = lists.iter().filter(|(_, unlisted)| *unlisted).map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| names.join(","))
}

const ALSO_ARCHIVED: &[(&str, &str)] = &[("include_archived", "true")];

/// Whether an attribute comes from the list that only has attributes of conversations, all of them custom.
fn is_of_conversations(attribute: &Value) -> bool {
    attribute["type"] == "conversation_attribute"
}

fn attribute_model(attribute: &Value) -> Option<String> {
    let implied = is_of_conversations(attribute).then(|| "conversation".to_owned());
    lenient::text(&attribute["model"]).or(implied)
}

fn attribute_full_name(attribute: &Value) -> Option<String> {
    let custom_name = || Some(format!("custom_attributes.{}", lenient::text(&attribute["name"])?));
    let implied = || if is_of_conversations(attribute) { custom_name() } else { None };
    lenient::text(&attribute["full_name"]).or_else(implied)
}

/// The type in the words of the list of all attributes.
fn attribute_data_type(attribute: &Value) -> Option<String> {
    let data_type = lenient::text(&attribute["data_type"]);
    data_type.map(|data_type| spelling::data_type(&data_type).to_owned())
}

fn attribute_is_custom(attribute: &Value) -> Option<bool> {
    let implied = is_of_conversations(attribute).then_some(true);
    lenient::flag(&attribute["custom"]).or(implied)
}

/// Built-in attributes have no id, but a name that is unique within their model.
fn attribute_name(attribute: &Value) -> Option<String> {
    let name = lenient::text(&attribute["full_name"]).or_else(|| lenient::text(&attribute["name"]))?;
    Some(format!("{}.{name}", attribute["model"].as_str()?))
}
