//! Who there is: contacts, companies, teammates, and what they are described by.

use rusqlite::types::Value as Cell;
use serde_json::Value;

use super::{Bound, Field, Link, PLAIN, Resource, ResourceName, Route, column};
use crate::mirror::fields;

pub static CONTACTS: Resource = Resource {
    name: ResourceName::Contacts,
    columns: &[
        column("external_id", Field::Text("/external_id")),
        column("role", Field::Text("/role")),
        column("email", Field::Text("/email")),
        column("phone", Field::Text("/phone")),
        column("name", Field::Text("/name")),
        column("owner_id", Field::Reference("/owner_id")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("signed_up_at", Field::Time("/signed_up_at")),
        column("last_seen_at", Field::Time("/last_seen_at")),
        column("last_replied_at", Field::Time("/last_replied_at")),
        column("last_contacted_at", Field::Time("/last_contacted_at")),
        column("unsubscribed_from_emails", Field::Flag("/unsubscribed_from_emails")),
        column("unlisted", Field::Derived(LISTS, unlisted)),
    ],
    age: Some("updated_at"),
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
    one: Some("ShowContact"),
    by_ids: Some("SearchContacts"),
    ..PLAIN
};

pub static COMPANIES: Resource = Resource {
    name: ResourceName::Companies,
    columns: &[
        column("company_id", Field::Text("/company_id")),
        column("name", Field::Text("/name")),
        column("plan", Field::Text("/plan/name")),
        column("size", Field::Integer("/size")),
        column("monthly_spend", Field::Number("/monthly_spend")),
        column("user_count", Field::Integer("/user_count")),
        column("session_count", Field::Integer("/session_count")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("last_request_at", Field::Time("/last_request_at")),
    ],
    age: Some("updated_at"),
    routes: &[
        // The server keeps the place of a scroll and moves it on with every answer, also one that was
        // lost: after an interruption only a new scroll sees everything.
        Route { resumable: false, ..Route::get("scrollOverAllCompanies") },
        Route {
            lacks: Some("companies without users, and those after the first 10,000"),
            ..Route::get("listAllCompanies")
        },
    ],
    one: Some("RetrieveACompanyById"),
    ..PLAIN
};

pub static ADMINS: Resource = Resource {
    name: ResourceName::Admins,
    columns: &[
        column("name", Field::Text("/name")),
        column("email", Field::Text("/email")),
        column("job_title", Field::Text("/job_title")),
        column("has_inbox_seat", Field::Flag("/has_inbox_seat")),
        column("away_mode_enabled", Field::Flag("/away_mode_enabled")),
    ],
    routes: &[Route::get("listAdmins")],
    one: Some("retrieveAdmin"),
    ..PLAIN
};

pub static TEAMS: Resource = Resource {
    name: ResourceName::Teams,
    columns: &[column("name", Field::Text("/name"))],
    routes: &[Route::get("listTeams")],
    one: Some("retrieveTeam"),
    ..PLAIN
};

pub static TAGS: Resource = Resource {
    name: ResourceName::Tags,
    columns: &[column("name", Field::Text("/name"))],
    routes: &[Route::get("listTags")],
    one: Some("findTag"),
    ..PLAIN
};

pub static SEGMENTS: Resource = Resource {
    name: ResourceName::Segments,
    columns: &[
        column("name", Field::Text("/name")),
        column("person_type", Field::Text("/person_type")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::get("listSegments")],
    one: Some("retrieveSegment"),
    ..PLAIN
};

pub static DATA_ATTRIBUTES: Resource = Resource {
    name: ResourceName::DataAttributes,
    columns: &[
        column("model", Field::Text("/model")),
        column("name", Field::Text("/name")),
        column("full_name", Field::Text("/full_name")),
        column("data_type", Field::Text("/data_type")),
        column("custom", Field::Flag("/custom")),
        column("archived", Field::Flag("/archived")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    name_for: Some(attribute_name),
    routes: &[Route { query: &[("include_archived", "true")], ..Route::get("lisDataAttributes") }],
    ..PLAIN
};

pub static SUBSCRIPTION_TYPES: Resource = Resource {
    name: ResourceName::SubscriptionTypes,
    columns: &[
        column("name", Field::Text("/default_translation/name")),
        column("consent_type", Field::Text("/consent_type")),
        column("state", Field::Text("/state")),
    ],
    routes: &[Route::get("listSubscriptionTypes")],
    ..PLAIN
};

// A log is only added to, and old entries expire: what was read stays.
pub static ACTIVITY_LOGS: Resource = Resource {
    name: ResourceName::ActivityLogs,
    columns: &[
        column("activity_type", Field::Text("/activity_type")),
        column("activity_description", Field::Text("/activity_description")),
        column("performed_by_id", Field::Reference("/performed_by/id")),
        column("performed_by_email", Field::Text("/performed_by/email")),
        column("created_at", Field::Time("/created_at")),
    ],
    age: Some("created_at"),
    routes: &[Route::bound("listActivityLogs", Bound::Query("created_at_after"))],
    changes: &[Route::bound("listActivityLogs", Bound::Query("created_at_after"))],
    vanishes: false,
    ..PLAIN
};

/// What [`unlisted`] looks at, beside the lists that are read for the links anyway.
const LISTS: &[&str] = &["/notes/total_count", "/notes/has_more", "/notes/data/id"];

/// The lists of a contact that its document does not show in full, separated by commas. Notes are only
/// ever named there, never shown. A list that is missing or null says nothing: an empty one says none.
fn unlisted(contact: &Value) -> Cell {
    let cut = |name: &str| !contact[name]["data"].is_array() || fields::is_cut(&contact[name]);
    let noted = cut("notes") || contact["notes"]["data"].as_array().is_some_and(|notes| !notes.is_empty());
    let lists = [
        ("tags", cut("tags")),
        ("companies", cut("companies")),
        ("subscriptions", cut("opted_in_subscription_types") || cut("opted_out_subscription_types")),
        ("notes", noted),
    ];
    let names: Vec<&str> = lists.iter().filter(|(_, unlisted)| *unlisted).map(|(name, _)| *name).collect();
    if names.is_empty() { Cell::Null } else { names.join(",").into() }
}

/// Built-in attributes have no id, but a name that no other attribute of their model has.
fn attribute_name(attribute: &Value) -> Option<String> {
    let name = fields::text(&attribute["full_name"]).or_else(|| fields::text(&attribute["name"]))?;
    Some(format!("{}.{name}", attribute["model"].as_str()?))
}
