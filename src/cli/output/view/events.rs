//! Says in a sentence what a part of a thread does: who closed, assigned, tagged or moved it.
//!
//! The API has dozens of part types and adds more. A type without a sentence here is shown by its name.

use serde_json::Value;

use super::fields::{author_name, text};
use crate::cli::output::names::Names;
use crate::data::lenient;
use crate::mirror::ResourceName;

/// What a part does, as a sentence.
pub fn sentence(part: &Value, kind: &str, names: &mut Names) -> String {
    let actor = author_name(&part["author"], names);
    let mut target = || assignee(part, names);
    match kind {
        "close" => format!("{actor} closed this"),
        "open" | "note_and_reopen" => format!("{actor} reopened this"),
        "snoozed" => format!("{actor} snoozed this"),
        "timer_unsnooze" | "unsnoozed" => "the snooze ended".to_owned(),
        "assignment" | "default_assignment" => assigned(&actor, target()),
        "assign_and_reopen" => format!("{} and reopened it", assigned(&actor, target())),
        "assign_and_unsnooze" => format!("{} and ended the snooze", assigned(&actor, target())),
        "away_mode_assignment" => {
            let target = target().map_or_else(|| "nobody".to_owned(), Assignee::name);
            format!("this was assigned to {target}, because the assignee is away")
        }
        "participant_added" => format!("{actor} added a participant"),
        "participant_removed" => format!("{actor} removed a participant"),
        "conversation_rating_changed" | "rating" => format!("{actor} rated this"),
        "conversation_rating_remark_added" => format!("{actor} added a remark to the rating"),
        "merged" | "merge" | "conversation_merged" => {
            format!("{actor} merged another conversation into this")
        }
        "comment" | "note" | "quick_reply" => format!("{actor} sent an empty {}", kind.replace('_', " ")),
        kind if kind.contains("tag") && kind.ends_with("updated") => tagged(part, &actor),
        kind if kind.starts_with("ticket_state_updated") => moved(part, &actor),
        kind if kind.contains("attribute_updated") => attribute(part, &actor),
        kind if kind.starts_with("custom_action") => custom_action(part, kind),
        "operator_workflow_event" => workflow(part),
        "" => format!("{actor}: an event without a type"),
        kind => {
            let words = kind.strip_prefix("conversation_").unwrap_or(kind).replace('_', " ");
            format!("{actor}: {words}")
        }
    }
}

/// Whom a part assigns to.
enum Assignee {
    Actor,
    Other(String),
}

impl Assignee {
    fn name(self) -> String {
        match self {
            Assignee::Actor => "the same teammate".to_owned(),
            Assignee::Other(name) => name,
        }
    }
}

fn assigned(actor: &str, target: Option<Assignee>) -> String {
    match target {
        None => format!("{actor} unassigned this"),
        Some(Assignee::Actor) => format!("{actor} took this"),
        Some(Assignee::Other(name)) => format!("{actor} assigned this to {name}"),
    }
}

/// The new assignee; `None` for nobody.
fn assignee(part: &Value, names: &mut Names) -> Option<Assignee> {
    let to = &part["assigned_to"];
    let id = lenient::reference(&to["id"])?;
    let own = text(&to["name"]);
    match to["type"].as_str() {
        Some("admin") if lenient::id(&part["author"]["id"]).as_ref() == Some(&id) => Some(Assignee::Actor),
        Some("team") => {
            let name = own.or_else(|| names.of(ResourceName::Teams, &to["id"])).unwrap_or(id);
            Some(Assignee::Other(format!("team {name}")))
        }
        _ => {
            let name = own.or_else(|| names.of(ResourceName::Admins, &to["id"]));
            Some(Assignee::Other(name.unwrap_or_else(|| format!("teammate {id}"))))
        }
    }
}

fn tagged(part: &Value, actor: &str) -> String {
    let tags = part["tags"].as_array().into_iter().flatten().filter_map(|tag| text(&tag["name"]));
    match tags.collect::<Vec<_>>() {
        tags if tags.is_empty() => format!("{actor} changed the tags"),
        tags => format!("{actor} tagged this {}", tags.join(", ")),
    }
}

fn moved(part: &Value, actor: &str) -> String {
    match (text(&part["previous_ticket_state"]), text(&part["ticket_state"])) {
        (Some(from), Some(to)) => {
            format!("{actor} moved this from {} to {}", from.replace('_', " "), to.replace('_', " "))
        }
        (None, Some(to)) => format!("{actor} moved this to {}", to.replace('_', " ")),
        _ => format!("{actor} changed the state"),
    }
}

fn attribute(part: &Value, actor: &str) -> String {
    let details = [&part["event_details"], &part["updated_attribute_data"]];
    let named = |field: &str| {
        details.iter().find_map(|details| {
            let value = &details[field];
            ["name", "label"].iter().find_map(|name| text(&value[*name])).or_else(|| text(value))
        })
    };
    match (named("attribute"), named("value")) {
        (Some(attribute), Some(value)) => format!("{actor} set {attribute} to {value}"),
        (Some(attribute), None) => format!("{actor} cleared {attribute}"),
        _ => format!("{actor} changed an attribute"),
    }
}

fn custom_action(part: &Value, kind: &str) -> String {
    let action = &part["event_details"]["action"];
    let name = text(&action["name"]).unwrap_or_else(|| "a custom action".to_owned());
    match text(&action["result"]) {
        _ if kind.ends_with("started") => format!("{name} started"),
        Some(result) => format!("{name} finished: {result}"),
        None => format!("{name} finished"),
    }
}

fn workflow(part: &Value) -> String {
    let details = &part["event_details"];
    let name = text(&details["workflow"]["name"]).unwrap_or_else(|| "(unnamed)".to_owned());
    let event = text(&details["event"]["type"]).map(|event| format!(": {}", event.replace('_', " ")));
    let result = text(&details["event"]["result"]).map(|result| format!(" ({})", result.replace('_', " ")));
    format!("workflow {name}{}{}", event.unwrap_or_default(), result.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::output::names::NameLookup;

    fn names() -> Names {
        Names::new(&NameLookup::new(|resource, id| match (resource, id) {
            (ResourceName::Admins, "9") => Some("Bo".to_owned()),
            (ResourceName::Teams, "7") => Some("Support".to_owned()),
            _ => None,
        }))
    }

    fn event(mut part: Value) -> String {
        if part.get("author").is_none() {
            part["author"] = json!({"type": "admin", "id": "5", "name": "Mara"});
        }
        sentence(&part, part["part_type"].as_str().unwrap_or_default(), &mut names())
    }

    #[test]
    fn every_kind_of_event_is_a_sentence() {
        let state = |from: &str, to: &str| json!({"part_type": "ticket_state_updated_by_admin", "previous_ticket_state": from, "ticket_state": to});
        for (part, sentence) in [
            (json!({"part_type": "close"}), "Mara closed this"),
            (json!({"part_type": "open", "body": ""}), "Mara reopened this"),
            (json!({"part_type": "snoozed"}), "Mara snoozed this"),
            (json!({"part_type": "timer_unsnooze", "author": {"type": "bot"}}), "the snooze ended"),
            (
                json!({"part_type": "assignment", "assigned_to": {"type": "admin", "id": "9"}}),
                "Mara assigned this to Bo",
            ),
            (
                json!({"part_type": "assignment", "assigned_to": {"type": "team", "id": 7}}),
                "Mara assigned this to team Support",
            ),
            (
                json!({"part_type": "assignment", "assigned_to": {"type": "team", "id": "8"}}),
                "Mara assigned this to team 8",
            ),
            (
                json!({"part_type": "assignment", "assigned_to": {"type": "admin", "id": "5"}}),
                "Mara took this",
            ),
            (
                json!({"part_type": "assignment", "assigned_to": {"type": "nobody_admin", "id": null}}),
                "Mara unassigned this",
            ),
            (json!({"part_type": "assignment", "assigned_to": null}), "Mara unassigned this"),
            (
                json!({"part_type": "assign_and_reopen", "assigned_to": {"type": "admin", "id": "1"}}),
                "Mara assigned this to teammate 1 and reopened it",
            ),
            (
                json!({"part_type": "away_mode_assignment", "assigned_to": {"type": "team", "id": "7"}}),
                "this was assigned to team Support, because the assignee is away",
            ),
            (json!({"part_type": "conversation_rating_changed"}), "Mara rated this"),
            (json!({"part_type": "merged"}), "Mara merged another conversation into this"),
            (
                json!({"part_type": "conversation_tags_updated", "tags": [{"name": "vip"}, {"name": "bug"}]}),
                "Mara tagged this vip, bug",
            ),
            (json!({"part_type": "conversation_tags_updated", "tags": []}), "Mara changed the tags"),
            (state("in_progress", "resolved"), "Mara moved this from in progress to resolved"),
            (
                json!({"part_type": "conversation_attribute_updated_by_admin", "event_details":
                    {"attribute": {"name": "Area"}, "value": {"name": "Billing"}}}),
                "Mara set Area to Billing",
            ),
            (
                json!({"part_type": "ticket_attribute_updated_by_admin", "updated_attribute_data":
                    {"attribute": {"label": "Area"}, "value": {"label": null}}}),
                "Mara cleared Area",
            ),
            (
                json!({"part_type": "custom_action_finished", "event_details": {"action": {"name": "Refund", "result": "success"}}}),
                "Refund finished: success",
            ),
            (
                json!({"part_type": "operator_workflow_event", "event_details":
                    {"workflow": {"name": "Front desk"}, "event": {"type": "completed", "result": "timed_out"}}}),
                "workflow Front desk: completed (timed out)",
            ),
            (json!({"part_type": "conversation_sla_applied_by_rule"}), "Mara: sla applied by rule"),
            (json!({"part_type": "something_new"}), "Mara: something new"),
            (json!({"part_type": null}), "Mara: an event without a type"),
            (json!({"part_type": "comment", "body": "<p></p>"}), "Mara sent an empty comment"),
            (json!({"part_type": "close", "author": null}), "Somebody closed this"),
            (json!({"part_type": "close", "author": {"type": "admin", "id": "9"}}), "Bo closed this"),
        ] {
            assert_eq!(event(part.clone()), sentence, "{part}");
        }
    }
}
