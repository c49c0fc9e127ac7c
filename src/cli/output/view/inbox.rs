//! Views of conversations and tickets.

use serde_json::Value;

use super::fields::{assignees, attributes, joined, list, named, omitted, person, text};
use super::model::{Datum, Section, View};
use super::options::Surroundings;
use super::thread;
use crate::cli::output::cut;
use crate::cli::output::names::Names;
use crate::data::lenient;
use crate::html::readable;
use crate::mirror::{ResourceName, author};

/// Columns of a title made from the first words of a message.
const TITLE_WIDTH: usize = 72;

pub fn conversation(record: &Value, names: &mut Names, around: &Surroundings) -> View {
    let id = lenient::id(&record["id"]).unwrap_or_default();
    let mut view = View { title: title(record), kind: format!("conversation {id}"), ..View::default() };
    let state = state(record);
    let mut states = vec![Datum::State(state.clone())];
    states.extend(priority(&record["priority"]).map(Datum::Text));
    if let Some(until) = lenient::moment(&record["snoozed_until"]).filter(|_| state == "snoozed") {
        states.push(Datum::Moment("until", until));
    }
    view.line("state", states);
    view.fact("person", with_person(record, around, names));
    view.fact("company", joined(&around.companies));
    view.fact("assigned", assignees(record, names));
    let waiting = lenient::moment(&record["waiting_since"]).filter(|_| state != "closed");
    view.moment("waiting", "since", waiting);
    view.fact("tags", joined(&list(&record["tags"], "tags")));
    view.fact("rating", rating(&record["conversation_rating"]));
    view.fact("SLA", sla(&record["sla_applied"]));
    view.fact("AI agent", ai_agent(&record["ai_agent"]));
    view.fact("ticket", linked(record));
    let mut started: Vec<Datum> =
        lenient::moment(&record["created_at"]).map(|at| Datum::Moment("", at)).into_iter().collect();
    started.extend(channel(&record["source"]).map(Datum::Text));
    view.line("started", started);
    view.moment("updated", "", lenient::moment(&record["updated_at"]));
    attributes(&mut view, &record["custom_attributes"], &[]);
    view.thread = Some(thread::of(record, names));
    view.omitted = omitted(
        record,
        &[
            "id",
            "title",
            "state",
            "open",
            "priority",
            "snoozed_until",
            "source",
            "contacts",
            "admin_assignee_id",
            "team_assignee_id",
            "waiting_since",
            "tags",
            "conversation_rating",
            "sla_applied",
            "ai_agent",
            "ai_agent_participated",
            "linked_objects",
            "ticket",
            "created_at",
            "updated_at",
            "custom_attributes",
            "conversation_parts",
            "teammates",
        ],
    );
    view
}

pub fn ticket(record: &Value, names: &mut Names, around: &Surroundings) -> View {
    const OWN: [&str; 2] = ["_default_title_", "_default_description_"];
    let id = lenient::id(&record["id"]).unwrap_or_default();
    let number = text(&record["ticket_id"]).map(|number| format!(" #{number}")).unwrap_or_default();
    let own = &record["ticket_attributes"];
    let title = text(&own[OWN[0]]).unwrap_or_else(|| "(without a title)".to_owned());
    let mut view = View { title, kind: format!("ticket{number} ({id})"), ..View::default() };
    let state = &record["ticket_state"];
    let word = ["category", "name"].iter().find_map(|name| text(&state[*name])).or_else(|| text(state));
    let label = text(&state["internal_label"]);
    let differs =
        |label: &String| word.as_ref().is_none_or(|word| !label.replace(' ', "_").eq_ignore_ascii_case(word));
    let label = label.filter(differs);
    let mut states: Vec<Datum> =
        word.as_ref().map(|word| Datum::State(word.replace('_', " "))).into_iter().collect();
    states.extend(label.map(Datum::Text));
    if let Some(until) = lenient::moment(&record["snoozed_until"]) {
        states.push(Datum::Moment("snoozed until", until));
    }
    view.line("state", states);
    let type_name = text(&record["ticket_type"]["name"])
        .or_else(|| named(names, ResourceName::TicketTypes, &record["ticket_type"]["id"]));
    view.fact("type", type_name.into_iter().chain(text(&record["category"])));
    view.fact("person", with_person(record, around, names));
    let company = named(names, ResourceName::Companies, &record["company_id"]);
    view.fact("company", company.or_else(|| joined(&around.companies)));
    view.fact("assigned", assignees(record, names));
    view.fact("tags", joined(&list(&record["tags"], "tags")));
    view.fact("conversation", linked(record));
    view.moment("created", "", lenient::moment(&record["created_at"]));
    view.moment("updated", "", lenient::moment(&record["updated_at"]));
    attributes(&mut view, own, &OWN);
    let description = own[OWN[1]].as_str().map(readable::text).filter(|text| !text.is_empty());
    view.texts.extend(description.map(|text| Section {
        heading: "Description".to_owned(),
        text,
        markdown: None,
    }));
    view.thread = Some(thread::of(record, names));
    view.omitted = omitted(
        record,
        &[
            "id",
            "ticket_id",
            "ticket_attributes",
            "ticket_state",
            "ticket_type",
            "category",
            "snoozed_until",
            "contacts",
            "company_id",
            "admin_assignee_id",
            "team_assignee_id",
            "tags",
            "linked_objects",
            "created_at",
            "updated_at",
            "open",
            "ticket_parts",
        ],
    );
    view
}

/// Title or subject, else the first words.
fn title(record: &Value) -> String {
    let source = &record["source"];
    let opening =
        || source["body"].as_str().map(readable::text).and_then(|body| Some(body.lines().next()?.to_owned()));
    let title = text(&record["title"]).or_else(|| text(&source["subject"]));
    let title = title.or_else(|| opening().filter(|words| !words.is_empty()));
    cut(&title.unwrap_or_else(|| "(without a subject)".to_owned()), TITLE_WIDTH)
}

fn state(record: &Value) -> String {
    text(&record["state"]).unwrap_or_else(|| match lenient::flag(&record["open"]) {
        Some(false) => "closed".to_owned(),
        _ if lenient::moment(&record["snoozed_until"]).is_some() => "snoozed".to_owned(),
        _ => "open".to_owned(),
    })
}

fn priority(value: &Value) -> Option<String> {
    match value.as_str()? {
        "priority" => Some("priority".to_owned()),
        "not_priority" | "none" | "" => None,
        level => Some(format!("{level} priority")),
    }
}

/// The contact that a record is with, and how many others there are.
fn with_person(record: &Value, around: &Surroundings, names: &mut Names) -> Vec<String> {
    let contacts = record["contacts"]["contacts"].as_array().map_or(&[][..], Vec::as_slice);
    let source = &record["source"];
    let writer = (author::of_opening(record) == author::CONTACT).then_some(&source["author"]);
    let found = around.contact.as_ref().and_then(person).or_else(|| writer.and_then(person));
    let first = contacts.first().map(|contact| &contact["id"]);
    let found = found.or_else(|| named(names, ResourceName::Contacts, first?));
    let role = around.contact.as_ref().and_then(|contact| text(&contact["role"]));
    let role = role.or_else(|| writer.and_then(|writer| text(&writer["type"]))).filter(|_| found.is_some());
    let others = contacts.len().saturating_sub(1);
    let others = (others > 0).then(|| format!("and {others} more"));
    found.into_iter().chain(role).chain(others).collect()
}

fn rating(rating: &Value) -> Vec<String> {
    let Some(stars) = lenient::integer(&rating["rating"]) else { return Vec::new() };
    let remark = text(&rating["remark"]).map(|remark| format!("\"{remark}\""));
    std::iter::once(format!("{stars} of 5")).chain(remark).collect()
}

fn sla(applied: &Value) -> Vec<String> {
    let texts = [text(&applied["sla_name"]), text(&applied["sla_status"])];
    texts.into_iter().flatten().collect()
}

fn ai_agent(agent: &Value) -> Option<String> {
    text(&agent["resolution_state"]).map(|state| state.replace('_', " "))
}

/// Ids of the tickets or conversations that a record is linked to.
fn linked(record: &Value) -> Option<String> {
    let own = text(&record["ticket"]["ticket_id"]).or_else(|| text(&record["ticket"]["id"]));
    own.or_else(|| joined(&list(&record["linked_objects"], "data")))
}

fn channel(source: &Value) -> Option<String> {
    let channel = match source["type"].as_str()? {
        "" => return None,
        "conversation" => "in the Messenger".to_owned(),
        "email" => "by email".to_owned(),
        other => format!("by {}", other.replace('_', " ")),
    };
    Some(match source["delivered_as"].as_str() {
        Some("automated" | "operator_initiated" | "campaigns_initiated") => {
            format!("{channel}, sent automatically")
        }
        _ => channel,
    })
}
