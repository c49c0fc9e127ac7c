//! States and changes of records in words, for tables that people read before they agree.
//!
//! Programs get the same values as JSON. A field that is unknown here is shown with its name, never left out.

use serde_json::{Map, Value, json};

use crate::cli::output::OutputFlags;
use crate::cli::output::clock::Clock;
use crate::cli::output::names::Names;
use crate::mirror::ResourceName;

pub struct Words {
    clock: Clock,
    names: Names,
}

impl Words {
    pub fn new(flags: &OutputFlags) -> Self {
        Words { clock: Clock::of(flags), names: Names::new(&flags.names) }
    }

    /// A change: `assign to team Support`, `snooze until 2026-05-24 09:00`.
    pub fn change(&mut self, change: &Value) -> String {
        let text = |name: &str| change[name].as_str().unwrap_or_default();
        let words = match text("action") {
            action @ ("tag" | "untag") => format!("{action} \"{}\"", text("tag")),
            "assign" => {
                let (admin, team) = (&change["to"]["admin"], &change["to"]["team"]);
                format!("assign to {}", self.assignees(admin, team))
            }
            "reassign" => format!("assign to {}", self.assignees(&change["admin"], &change["team"])),
            "snooze" => format!("snooze until {}", self.time(&change["until"])),
            "note" => format!("note: {}", text("body")),
            "update" => change["fields"].as_object().map(|fields| self.fields(fields)).unwrap_or_default(),
            "merge" => format!("merge into {}", text("into")),
            action => action.to_owned(),
        };
        let snoozed = match &change["snooze"] {
            Value::Null => String::new(),
            until => format!(", snooze until {}", self.time(until)),
        };
        let closed = if change["close"] == true { ", then close" } else { "" };
        format!("{words}{snoozed}{closed}")
    }

    /// The state of a record: `open, team Support`, `not tagged`.
    pub fn state(&mut self, state: &Value) -> String {
        let Value::Object(fields) = state else { return plain(state) };
        let mut rest = fields.clone();
        let mut words = Vec::new();
        if let Some(state) = rest.remove("state") {
            words.push(plain(&state));
        }
        for (name, yes, no) in [("tagged", "tagged", "not tagged"), ("archived", "archived", "active")] {
            if let Some(flag) = rest.remove(name) {
                words.push(if flag == true { yes } else { no }.to_owned());
            }
        }
        let assignees = (rest.remove("admin_assignee_id"), rest.remove("team_assignee_id"));
        if assignees != (None, None) {
            let (admin, team) = (assignees.0.unwrap_or_default(), assignees.1.unwrap_or_default());
            words.push(match self.assignees(&admin, &team) {
                names if names == NOBODY => "unassigned".to_owned(),
                names => names,
            });
        }
        if let Some(until) = rest.remove("snoozed_until").filter(|until| !until.is_null()) {
            words.push(format!("until {}", self.time(&until)));
        }
        // Notes are compared before they are written; nobody reads their ids.
        rest.retain(|name, value| {
            !matches!(name.as_str(), "notes" | "latest_own" | "tagged_by") && !value.is_null()
        });
        if !rest.is_empty() {
            words.push(self.fields(&rest));
        }
        words.retain(|word| !word.is_empty());
        words.join(", ")
    }

    /// Teammate and team; id 0 is nobody.
    fn assignees(&mut self, admin: &Value, team: &Value) -> String {
        let mut named = |resource, id: &Value, noun: &str| {
            let text = plain(id);
            let is_nobody = text.is_empty() || text == "0";
            (!is_nobody).then(|| format!("{noun}{}", self.names.of(resource, id).unwrap_or(text)))
        };
        let admin = named(ResourceName::Admins, admin, "");
        let team = named(ResourceName::Teams, team, "team ");
        match admin.into_iter().chain(team).collect::<Vec<_>>() {
            names if names.is_empty() => NOBODY.to_owned(),
            names => names.join(", "),
        }
    }

    /// Fields as `name = Ann, plan = pro`.
    fn fields(&mut self, fields: &Map<String, Value>) -> String {
        let mut words = Vec::new();
        for (name, value) in fields {
            words.push(match value {
                Value::Object(inside) => self.fields(inside),
                Value::Number(_) if name.ends_with("_at") || name.ends_with("_until") => {
                    format!("{name} = {}", self.time(value))
                }
                value => format!("{name} = {}", if value.is_null() { json!("") } else { value.clone() }),
            });
        }
        words.join(", ")
    }

    fn time(&self, seconds: &Value) -> String {
        seconds.as_i64().map_or_else(|| plain(seconds), |seconds| self.clock.date_and_time(seconds))
    }
}

const NOBODY: &str = "nobody";

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::names::NameLookup;

    #[test]
    fn people_read_states_and_changes_in_words() {
        let directory = NameLookup::new(|_, id| (id == "7").then(|| "Support".to_owned()));
        let mut flags = OutputFlags::default().without_compact();
        (flags.names, flags.utc) = (directory, true);
        let mut words = Words::new(&flags);
        for (change, expected) in [
            (json!({ "action": "close" }), "close"),
            (json!({ "action": "untag", "tag_id": "1", "tag": "bug" }), "untag \"bug\""),
            (json!({ "action": "assign", "to": { "team": "7" } }), "assign to team Support"),
            (
                json!({ "action": "assign", "to": { "admin": "0" }, "close": true }),
                "assign to nobody, then close",
            ),
            (json!({ "action": "snooze", "until": 1_760_000_000 }), "snooze until 2025-10-09 08:53"),
            (
                json!({ "action": "update", "fields": { "name": "Ann", "custom_attributes": { "seats": 5 } } }),
                "name = \"Ann\", seats = 5",
            ),
        ] {
            assert_eq!(words.change(&change), expected);
        }
        for (state, expected) in [
            (json!({ "state": "open", "snoozed_until": null }), "open"),
            (json!({ "tagged": false }), "not tagged"),
            (
                json!({ "admin_assignee_id": null, "team_assignee_id": 7, "state": "open" }),
                "open, team Support",
            ),
            (json!({ "admin_assignee_id": "9", "team_assignee_id": null }), "9"),
            (json!({ "notes": [], "latest_own": null }), ""),
            (json!({ "name": "Ann" }), "name = \"Ann\""),
            (json!({ "archived": false }), "active"),
        ] {
            assert_eq!(words.state(&state), expected);
        }
    }
}
