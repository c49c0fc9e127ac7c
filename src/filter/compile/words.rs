//! Compiles tests whose values are words or names: choices, states, tags, phone numbers.
//!
//! An unknown word must be an error that lists the known ones: a search for it would find nothing and look
//! like a valid result.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Compiler, comparison, group, one_of};
use crate::filter::directory::unknown_name;
use crate::filter::fields::{GRADED_PRIORITIES, NamedRecord, STATE_CATEGORIES};
use crate::filter::person::Phone;
use crate::filter::query::CATEGORIES;
use crate::filter::{Error, Literal, Operator, Test};

/// The grades that versions without grades show as one priority.
const UNGRADED: [(&str, &[&str]); 2] =
    [("priority", &["high", "urgent"]), ("not_priority", &["none", "low", "medium"])];

impl Compiler<'_> {
    /// The choices that match the values of a test, wholly or in part.
    pub(super) fn choices(&self, test: &Test, field: &str, known: &[&str]) -> Result<Vec<Value>, Error> {
        let mut found = Vec::new();
        for literal in &test.values {
            let wanted = literal.text.trim().to_lowercase();
            let newer = |name: &str| {
                field == "category" && CATEGORIES.iter().any(|(old, new)| *old == name && *new == wanted)
            };
            let matching = known
                .iter()
                .filter(|name| test.operator.matches(&name.to_lowercase(), &wanted) || newer(name));
            let before = found.len();
            found.extend(matching.map(|name| json!(name)));
            if found.len() == before {
                return Err(Error::new(literal.at, unknown_name(&test.field, literal.text.trim(), known)));
            }
        }
        Ok(found)
    }

    /// Priorities with grades. Those of earlier versions are accepted and mean the grades that they are shown for.
    pub(super) fn grades(&self, test: &Test) -> Result<Vec<Value>, Error> {
        let mut grades: Vec<Value> = Vec::new();
        for literal in &test.values {
            let wanted = literal.text.trim().to_lowercase();
            let ungraded = UNGRADED.iter().find(|(name, _)| *name == wanted && test.operator.is_whole());
            let found = match ungraded {
                Some((_, grades)) => grades.iter().map(|grade| json!(grade)).collect(),
                None => {
                    let test = Test { values: vec![literal.clone()], ..test.clone() };
                    self.choices(&test, "priority", GRADED_PRIORITIES)?
                }
            };
            grades.extend(found);
        }
        Ok(grades)
    }

    /// Ticket states by category, or by a label of the workspace.
    pub(super) fn ticket_states(&self, test: &Test) -> Result<Value, Error> {
        let states = &self.directory.ticket_states;
        let mut categories: Vec<&str> = STATE_CATEGORIES.to_vec();
        for state in states {
            if !categories.contains(&state.category.as_str()) {
                categories.push(&state.category);
            }
        }
        let negated = test.operator.is_negative();
        let mut tests = Vec::new();
        for literal in &test.values {
            let wanted = literal.text.trim().to_lowercase();
            let is_match = |name: &str| test.operator.matches(&name.to_lowercase(), &wanted);
            let mut chosen: Vec<Value> =
                categories.iter().filter(|name| is_match(name)).map(|name| json!(name)).collect();
            let labeled: Vec<_> = states
                .iter()
                .filter(|state| state.id == wanted || state.labels.iter().any(|label| is_match(label)))
                .collect();
            let is_partial = test.operator.is_partial();
            if chosen.is_empty() && labeled.is_empty() && !is_partial {
                let with_spaces = |name: &&&str| name.replace('_', " ") == wanted;
                chosen.extend(categories.iter().filter(with_spaces).map(|name| json!(name)));
            }
            if chosen.is_empty() && labeled.is_empty() {
                let labels = states.iter().flat_map(|state| state.labels.iter().map(String::as_str));
                let mut known = categories.clone();
                for label in labels {
                    if !known.contains(&label) {
                        known.push(label);
                    }
                }
                return Err(Error::new(
                    literal.at,
                    unknown_name("ticket state", literal.text.trim(), &known),
                ));
            }
            // A category takes precedence over a label, but a partial match applies to both.
            let labeled = if chosen.is_empty() || is_partial { labeled } else { Vec::new() };
            if !chosen.is_empty() {
                tests.push(one_of("state", negated, chosen));
            }
            if !labeled.is_empty() {
                let ids = labeled.iter().map(|state| json!(state.id)).collect();
                let categories: BTreeSet<&str> =
                    labeled.iter().map(|state| state.category.as_str()).collect();
                let category = one_of("state", false, categories.into_iter().map(Value::from).collect());
                let state = one_of("ticket_state_id", negated, ids);
                tests.push(if negated { state } else { group("AND", vec![category, state]) });
            }
        }
        Ok(group(if negated { "AND" } else { "OR" }, tests))
    }

    /// Phone numbers by their digits; other values as written.
    pub(super) fn phones(&self, field: &str, negated: bool, values: &[Literal]) -> Value {
        let tests = values.iter().map(|literal| match Phone::read(&literal.text) {
            None => comparison(field, "=", literal.text.clone()),
            Some(phone) => match phone.national() {
                Some(end) => comparison("phone_digits", "$", end),
                None => {
                    let whole = std::iter::once(phone.digits().to_owned());
                    one_of("phone_digits", false, whole.chain(phone.nationals()).map(Value::from).collect())
                }
            },
        });
        let any = group("OR", tests.collect());
        if negated { json!({ "operator": "NOT", "value": [any] }) } else { any }
    }

    /// Tags by name. `~` selects all tags whose name contains the text.
    pub(super) fn tags(&self, test: &Test, field: &str) -> Result<Value, Error> {
        let mut ids = Vec::new();
        for literal in &test.values {
            match test.operator {
                Operator::Contains | Operator::ContainsNot => {
                    let part = literal.text.to_lowercase();
                    let matching =
                        self.directory.tags.iter().filter(|(_, name)| name.to_lowercase().contains(&part));
                    ids.extend(matching.map(|(id, _)| json!(id)));
                }
                _ => ids.push(json!(self.directory.id(NamedRecord::Tag, literal)?)),
            }
        }
        if ids.is_empty() {
            // No tag matches, so no record does: use an id that does not exist.
            ids.push(json!("0"));
        }
        Ok(one_of(field, test.operator.is_negative(), ids))
    }
}
