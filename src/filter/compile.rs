//! Compiles a filter into an exact predicate.
//!
//! Names become ids, and times become epoch seconds. What the API's search does not support is expressed in
//! an equivalent way or rejected with its column; it is never approximated. [`super::query`] derives the
//! search query.

mod custom;
mod values;
mod words;

use serde_json::{Value, json};

use super::directory::Directory;
use super::fields::{FieldType, NamedRecord, Searchable};
use super::person::email_spellings;
use super::query::{self, MAX_DEPTH, MAX_MEMBERS};
use super::{Column, Error, Expression, Literal, Operator, Test};
use crate::api::ApiVersion;

/// Parses a time as typed, and returns epoch seconds or an error message.
pub type ParseTime<'a> = &'a dyn Fn(&str) -> Result<i64, String>;

/// A compiled filter.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledFilter {
    /// For the API's search. May select more records than the filter.
    pub query: Value,
    /// The query for a server that rejects null as a value, if it differs.
    pub without_null: Option<Value>,
    /// The exact predicate, for [`super::judge`].
    pub exact: Value,
}

/// Compiles a filter with the names of a workspace.
///
/// # Errors
/// If the search does not support a test or the workspace does not have a name, with its column.
pub fn compile(
    expression: &Expression,
    searchable: Searchable,
    directory: &Directory,
    parse_time: ParseTime<'_>,
) -> Result<CompiledFilter, Error> {
    let mut exact = Compiler { searchable, directory, parse_time }.expression(expression, 1)?;
    if directory.has(&ApiVersion::EXACT_CONTACT_TIMES) {
        mark_exact_times(&mut exact, searchable);
    }
    query::mark_server_only(&mut exact, searchable, directory);
    let query = query::query(&exact, searchable, directory, true);
    let without_null =
        Some(query::query(&exact, searchable, directory, false)).filter(|other| *other != query);
    if let Some(field) = query::untested_field(&exact, &query, searchable) {
        return Err(Error::new(
            expression.first_test().at,
            format!(
                "{field} cannot be combined by `or` with a test that the API's search does not support: \
                 run two searches"
            ),
        ));
    }
    Ok(CompiledFilter { query, without_null, exact })
}

/// Marks the tests of contact times, which [`crate::mirror::search_sql`] else compares by days.
fn mark_exact_times(predicate: &mut Value, searchable: Searchable) {
    if let (true, Some(members)) = (predicate["field"].is_null(), predicate["value"].as_array_mut()) {
        members.iter_mut().for_each(|member| mark_exact_times(member, searchable));
        return;
    }
    let field = predicate["field"].as_str().and_then(|field| searchable.field(field));
    if matches!(field, Some((_, FieldType::Day))) {
        predicate["type"] = json!("time");
    }
}

struct Compiler<'a> {
    searchable: Searchable,
    directory: &'a Directory,
    parse_time: ParseTime<'a>,
}

fn group(operator: &str, mut members: Vec<Value>) -> Value {
    match members.len() {
        1 => members.remove(0),
        _ => json!({ "operator": operator, "value": members }),
    }
}

fn comparison(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({ "field": field, "operator": operator, "value": value.into() })
}

/// A test for one of these values; if negated, for none of them.
fn one_of(field: &str, negated: bool, mut values: Vec<Value>) -> Value {
    match (values.len(), negated) {
        (1, false) => comparison(field, "=", values.remove(0)),
        (1, true) => comparison(field, "!=", values.remove(0)),
        (_, false) => comparison(field, "IN", values),
        (_, true) => comparison(field, "NIN", values),
    }
}

impl Compiler<'_> {
    fn expression(&self, expression: &Expression, depth: usize) -> Result<Value, Error> {
        let (members, operator) = match expression {
            Expression::Test(test) => return self.test(test, depth),
            Expression::All(members) => (members, "AND"),
            Expression::Any(members) => (members, "OR"),
        };
        let at = expression.first_test().at;
        let compiled: Vec<Value> =
            members.iter().map(|member| self.expression(member, depth + 1)).collect::<Result<_, _>>()?;
        check_group(compiled.len(), depth, at)?;
        Ok(group(operator, compiled))
    }

    fn test(&self, test: &Test, depth: usize) -> Result<Value, Error> {
        let Some((field, field_type)) = self.directory.field(self.searchable, &test.field) else {
            return Err(Error::new(test.at, self.unknown_field(&test.field)));
        };
        let negated = test.operator.is_negative();
        let is_null = |value: &Literal| value.is_null() || self.is_unassigned(field_type, value);
        if let Some(null) = test.values.iter().find(|value| is_null(value)) {
            return self.null_test(test, &field, field_type, null.at, &is_null, depth);
        }
        self.check_operator(test, field_type)?;
        let values = &test.values;
        Ok(match field_type {
            FieldType::Tags | FieldType::TagsWithoutIn => self.tags(test, &field)?,
            FieldType::Choice(_)
                if field == "priority" && self.directory.has(&ApiVersion::GRADED_PRIORITIES) =>
            {
                one_of(&field, negated, self.grades(test)?)
            }
            FieldType::Choice(known) => one_of(&field, negated, self.choices(test, &field, known)?),
            FieldType::TicketState => self.ticket_states(test)?,
            FieldType::Ids(NamedRecord::Contact) | FieldType::Id(NamedRecord::Contact) => {
                let ids = values
                    .iter()
                    .map(|value| self.directory.contacts(value))
                    .collect::<Result<Vec<_>, _>>()?;
                one_of(&field, negated, ids.concat().into_iter().map(Value::from).collect())
            }
            FieldType::Email if test.operator.is_whole() => {
                let spellings: Vec<String> =
                    values.iter().flat_map(|value| email_spellings(&value.text)).collect();
                one_of(&field, negated, spellings.into_iter().map(Value::from).collect())
            }
            FieldType::Phone if test.operator.is_whole() => self.phones(&field, negated, values),
            FieldType::Custom => self.custom(test, &field)?,
            FieldType::Time if matches!(test.operator, Operator::Equal | Operator::NotEqual) => {
                self.times(test, &field)?
            }
            _ => {
                let values: Vec<Value> =
                    values.iter().map(|value| self.value(field_type, value)).collect::<Result<_, _>>()?;
                match test.operator {
                    Operator::In | Operator::NotIn => one_of(&field, negated, values),
                    operator => {
                        comparison(&field, operator.wire(), values.into_iter().next().unwrap_or_default())
                    }
                }
            }
        })
    }

    /// Compares with a time, or with the whole day if the value is a date.
    fn times(&self, test: &Test, field: &str) -> Result<Value, Error> {
        let Some(literal) = test.values.first() else { return Ok(Value::Null) };
        let Some((begin, end)) = self.whole_day(literal) else {
            return Ok(comparison(field, test.operator.wire(), self.time(literal)?));
        };
        let within = group("AND", vec![comparison(field, ">=", begin), comparison(field, "<", end)]);
        let negated = test.operator.is_negative();
        Ok(if negated { json!({ "operator": "NOT", "value": [within] }) } else { within })
    }

    /// Checks that the field supports the operator, and that a partial match has a text.
    fn check_operator(&self, test: &Test, field_type: FieldType) -> Result<(), Error> {
        if !field_type.operators().contains(&test.operator) {
            let known: Vec<&str> = field_type.operators().iter().map(|operator| operator.written()).collect();
            let reason = match field_type {
                FieldType::Day => " (contact times are compared by whole days)",
                _ => "",
            };
            return Err(Error::new(
                test.at,
                format!(
                    "{} does not support {}{reason}: use one of {}",
                    test.field,
                    test.operator.written(),
                    known.join(" ")
                ),
            ));
        }
        let empty =
            test.values.iter().find(|value| test.operator.is_partial() && value.text.trim().is_empty());
        match empty {
            Some(empty) => Err(Error::new(empty.at, "the text is empty: expected a text to search for")),
            None => Ok(()),
        }
    }

    /// Whether a value is the 0 that the API uses for unassigned records.
    fn is_unassigned(&self, field_type: FieldType, literal: &Literal) -> bool {
        let (FieldType::NumericId(kind) | FieldType::TextId(kind)) = field_type else { return false };
        literal.text.trim() == "0" && self.directory.ids(kind, "0").is_empty()
    }

    /// Compiles a test with null among its values.
    fn null_test(
        &self,
        test: &Test,
        field: &str,
        field_type: FieldType,
        at: Column,
        is_null: &dyn Fn(&Literal) -> bool,
        depth: usize,
    ) -> Result<Value, Error> {
        let can_be_null =
            !matches!(field_type, FieldType::Boolean | FieldType::Message) && field != "teammate_ids";
        if !can_be_null {
            return Err(Error::new(at, format!("{} cannot be compared with null", test.field)));
        }
        if !test.operator.is_whole() {
            let operator = test.operator.written();
            return Err(Error::new(at, format!("{operator} cannot be used with null: use = or !=")));
        }
        let negated = test.operator.is_negative();
        let operator = if negated { Operator::NotEqual } else { Operator::Equal };
        let null = Literal { text: "null".to_owned(), quoted: false, at };
        let null_test = match field_type {
            FieldType::Custom => {
                self.custom(&Test { operator, values: vec![null], ..test.clone() }, field)?
            }
            _ => comparison(field, operator.wire(), Value::Null),
        };
        let others: Vec<Literal> = test.values.iter().filter(|value| !is_null(value)).cloned().collect();
        if others.is_empty() {
            return Ok(null_test);
        }
        let rest = self.test(&Test { values: others, ..test.clone() }, depth + 1)?;
        Ok(group(if negated { "AND" } else { "OR" }, vec![null_test, rest]))
    }
}

/// Checks that the API's search accepts a group of this size at this depth.
fn check_group(members: usize, depth: usize, at: Column) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::new(
            at,
            format!("groups are nested too deeply: the API's search allows {MAX_DEPTH} levels"),
        ));
    }
    if members > MAX_MEMBERS {
        return Err(Error::new(
            at,
            format!("a group has {members} members: the API's search allows at most {MAX_MEMBERS}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
