//! What the descriptions say about parameters and body fields: those that a later version adds, drops or changes.
//!
//! Only operations that both versions have are compared. Everything about a new operation is new.

use serde::Serialize;

use super::known;
use super::range::VersionRange;
use crate::api::operation::{History, Operation, Parameter, Place, Retyped};
use crate::api::version::ApiVersion;

/// One change of one parameter.
#[derive(Debug, Serialize)]
pub struct ParameterChange {
    /// The first version with the change.
    pub version: String,
    pub command: &'static str,
    pub parameter: &'static str,
    /// `query` or `body`.
    pub place: &'static str,
    #[serde(flatten)]
    pub change: Difference,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Difference {
    Added,
    Removed,
    Retyped { to: String },
    Values { added: Vec<&'static str> },
}

impl Difference {
    /// The difference after the name of the parameter.
    pub fn phrase(&self) -> String {
        match self {
            Difference::Added => "is new".to_owned(),
            Difference::Removed => "is gone".to_owned(),
            Difference::Retyped { to } => format!("is {to}"),
            Difference::Values { added } => format!("can be {}", added.join(", ")),
        }
    }
}

/// The changes of a range, by version and command.
pub fn between(operations: &'static [Operation], range: &VersionRange) -> Vec<ParameterChange> {
    let mut changes = Vec::new();
    for operation in operations {
        if !known::has(&range.from, operation) || !known::has(&range.to, operation) {
            continue;
        }
        for parameter in operation.parameters {
            // Ids in the path are part of the operation itself.
            let Some(history) = parameter.history.filter(|_| parameter.place != Place::Path) else {
                continue;
            };
            for (version, change) in differences(history, range) {
                changes.push((version, row(operation, parameter, change)));
            }
        }
    }
    changes.sort_by(|(one, _), (other, _)| one.cmp(other));
    changes
        .into_iter()
        .map(|(version, row)| ParameterChange { version: version.to_string(), ..row })
        .collect()
}

fn row(operation: &'static Operation, parameter: &'static Parameter, change: Difference) -> ParameterChange {
    let place = if parameter.place == Place::Body { "body" } else { "query" };
    let command = operation.spellings().next().unwrap_or(operation.command);
    ParameterChange { version: String::new(), command, parameter: parameter.name, place, change }
}

/// What a range has of the history of a parameter, with the version of each change.
fn differences(history: &'static History, range: &VersionRange) -> Vec<(ApiVersion, Difference)> {
    let version = |text: &str| text.parse::<ApiVersion>().ok();
    let is_reached = |version: &ApiVersion| *version > range.from && *version <= range.to;
    let mut found = Vec::new();
    if let Some(since) = history.since.and_then(version).filter(is_reached) {
        found.push((since, Difference::Added));
    }
    if let Some(gone) =
        history.until.and_then(version).and_then(|last| known::after(&last)).filter(is_reached)
    {
        found.push((gone, Difference::Removed));
    }
    if let Some((since, to)) = history.retyped
        && let Some(since) = version(since).filter(is_reached)
    {
        let to = match to {
            Retyped::Text => "text".to_owned(),
            Retyped::Integer => "an integer".to_owned(),
            Retyped::Wrapped(field) => format!("a list of objects with {field}"),
        };
        found.push((since, Difference::Retyped { to }));
    }
    let mut values: Vec<(ApiVersion, Vec<&'static str>)> = Vec::new();
    for (value, since) in history.values {
        let Some(since) = version(since).filter(is_reached) else { continue };
        match values.iter_mut().find(|(known, _)| *known == since) {
            Some((_, values)) => values.push(value),
            None => values.push((since, vec![value])),
        }
    }
    found.extend(values.into_iter().map(|(since, added)| (since, Difference::Values { added })));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HISTORY: History = History {
        since: Some("2.14"),
        until: Some("2.14"),
        retyped: Some(("2.16", Retyped::Text)),
        values: &[("high", "2.16"), ("low", "2.16"), ("odd", "2.17")],
    };

    fn found(range: &str) -> Vec<(String, Difference)> {
        let differences = differences(&HISTORY, &range.parse().unwrap());
        differences.into_iter().map(|(version, change)| (version.to_string(), change)).collect()
    }

    #[test]
    fn a_range_has_the_changes_between_its_versions() {
        assert_eq!(found("2.13..2.14"), [("2.14".to_owned(), Difference::Added)]);
        assert_eq!(found("2.14..2.15"), [("2.15".to_owned(), Difference::Removed)]);
        let values = Difference::Values { added: vec!["high", "low"] };
        assert_eq!(
            found("2.15..2.16"),
            [("2.16".to_owned(), Difference::Retyped { to: "text".to_owned() }), ("2.16".to_owned(), values),]
        );
    }
}
