//! Views of contacts and companies.

use serde_json::Value;

use super::fields::{attributes, joined, list, named, omitted, text};
use super::model::View;
use super::options::Surroundings;
use crate::cli::output::extent::grouped;
use crate::cli::output::names::Names;
use crate::data::lenient;
use crate::mirror::ResourceName;

pub fn contact(record: &Value, names: &mut Names, around: &Surroundings) -> View {
    let id = lenient::id(&record["id"]).unwrap_or_default();
    let title = ["name", "email", "phone", "external_id"].iter().find_map(|field| text(&record[*field]));
    let mut view = View {
        title: title.unwrap_or_else(|| "(without a name)".to_owned()),
        kind: format!("contact {id}"),
        ..View::default()
    };
    let role = text(&record["role"]).or_else(|| text(&record["type"]).filter(|kind| kind != "contact"));
    view.fact("role", role);
    view.fact("email", text(&record["email"]));
    view.fact("phone", text(&record["phone"]));
    view.fact("external id", text(&record["external_id"]));
    view.fact("owner", named(names, ResourceName::Admins, &record["owner_id"]));
    view.fact("companies", members(&record["companies"], &around.companies, ResourceName::Companies, names));
    view.fact("tags", members(&record["tags"], &around.tags, ResourceName::Tags, names));
    view.fact("segments", joined(&around.segments));
    let location = ["city", "region", "country"].map(|field| text(&record["location"][field]));
    view.fact("location", joined(&location.into_iter().flatten().collect::<Vec<_>>()));
    view.fact("language", text(&record["language_override"]).or_else(|| text(&record["language"])));
    view.moment("last seen", "", lenient::moment(&record["last_seen_at"]));
    view.moment("last replied", "", lenient::moment(&record["last_replied_at"]));
    view.moment("last contacted", "", lenient::moment(&record["last_contacted_at"]));
    view.moment("signed up", "", lenient::moment(&record["signed_up_at"]));
    view.moment("created", "", lenient::moment(&record["created_at"]));
    let warnings = [
        ("unsubscribed_from_emails", "unsubscribed from emails"),
        ("has_hard_bounced", "emails bounce"),
        ("marked_email_as_spam", "marked an email as spam"),
    ];
    let warnings = warnings.iter().filter(|(field, _)| record[*field] == true).map(|(_, words)| *words);
    view.fact("email state", warnings);
    view.fact("notes", notes(&record["notes"], &id));
    attributes(&mut view, &record["custom_attributes"], &[]);
    view.omitted = omitted(
        record,
        &[
            "id",
            "name",
            "role",
            "email",
            "phone",
            "external_id",
            "owner_id",
            "companies",
            "tags",
            "notes",
            "location",
            "language",
            "language_override",
            "last_seen_at",
            "last_replied_at",
            "last_contacted_at",
            "signed_up_at",
            "created_at",
            "unsubscribed_from_emails",
            "has_hard_bounced",
            "marked_email_as_spam",
            "custom_attributes",
            "workspace_id",
        ],
    );
    view
}

/// The names of the records in an embedded list: those that were fetched, else those in the list. A list that the API
/// has cut says how many there are.
fn members(list: &Value, fetched: &[String], resource: ResourceName, names: &mut Names) -> Option<String> {
    if !fetched.is_empty() {
        return joined(fetched);
    }
    let records = list["data"].as_array().map_or(&[][..], Vec::as_slice);
    let label = |record: &Value, names: &mut Names| {
        text(&record["name"]).or_else(|| named(names, resource, &record["id"]))
    };
    let labels: Vec<String> = records.iter().filter_map(|record| label(record, names)).collect();
    let total = lenient::integer(&list["total_count"]).and_then(|count| usize::try_from(count).ok());
    match total.unwrap_or_default().saturating_sub(records.len()) {
        0 => joined(&labels),
        more => joined(&labels).map(|labels| format!("{labels} and {more} more")),
    }
}

/// How many notes there are, and how to read them.
fn notes(list: &Value, id: &str) -> Option<String> {
    let shown = list["data"].as_array().map_or(0, Vec::len) as i64;
    let count = lenient::integer(&list["total_count"]).unwrap_or(shown).max(shown);
    (count > 0).then(|| format!("{count}: contacts notes list {id}"))
}

pub fn company(record: &Value) -> View {
    let id = lenient::id(&record["id"]).unwrap_or_default();
    let title = text(&record["name"]).unwrap_or_else(|| "(without a name)".to_owned());
    let mut view = View { title, kind: format!("company {id}"), ..View::default() };
    view.fact("company id", text(&record["company_id"]));
    view.fact("plan", text(&record["plan"]["name"]));
    let count = |field: &str| u64::try_from(lenient::integer(&record[field])?).ok().map(grouped);
    view.fact("people", count("user_count"));
    view.fact("sessions", count("session_count"));
    view.fact("monthly spend", text(&record["monthly_spend"]).filter(|spend| spend != "0"));
    view.fact("size", text(&record["size"]).filter(|size| size != "0"));
    view.fact("industry", text(&record["industry"]));
    view.fact("website", text(&record["website"]));
    view.fact("tags", joined(&list(&record["tags"], "tags")));
    view.fact("segments", joined(&list(&record["segments"], "segments")));
    view.moment("last request", "", lenient::moment(&record["last_request_at"]));
    view.moment("created", "", lenient::moment(&record["remote_created_at"]));
    view.moment("added", "", lenient::moment(&record["created_at"]));
    view.moment("updated", "", lenient::moment(&record["updated_at"]));
    attributes(&mut view, &record["custom_attributes"], &[]);
    view.omitted = omitted(
        record,
        &[
            "id",
            "company_id",
            "name",
            "plan",
            "user_count",
            "session_count",
            "monthly_spend",
            "size",
            "industry",
            "website",
            "tags",
            "segments",
            "last_request_at",
            "remote_created_at",
            "created_at",
            "updated_at",
            "custom_attributes",
            "app_id",
        ],
    );
    view
}
