//! Compiles tests of custom attributes, and builds the error for unknown fields.
//!
//! The API searches ticket attributes by id, but documents contain them by name. Several ticket types may
//! have an attribute of the same name, and a test must cover all of them.

use serde_json::{Value, json};

use super::{Compiler, comparison, group, one_of};
use crate::data::spelling::{is_close, nearest};
use crate::filter::directory::unknown_name;
use crate::filter::fields::{NamedRecord, Searchable};
use crate::filter::{Error, Literal, Operator, Test, lexer};

impl Compiler<'_> {
    /// The name of a ticket attribute in documents.
    pub(super) fn ticket_attribute(&self, field: &str) -> Option<String> {
        let id = field.strip_prefix("ticket_attribute.")?;
        let known = &self.directory.ticket_attributes;
        known.iter().find(|(other, _)| other == id).map(|(_, name)| name.clone())
    }

    pub(super) fn custom(&self, test: &Test, field: &str) -> Result<Value, Error> {
        let (prefix, name) = field.split_once('.').unwrap_or(("", field));
        let mut fields = vec![field.to_owned()];
        let mut owner = None;
        if self.searchable == Searchable::Tickets {
            // Several ticket types may have an attribute of this name, each with its own id.
            let ids = self.directory.ids(NamedRecord::TicketAttribute, name);
            let is_id = name.chars().all(|letter| letter.is_ascii_digit());
            if ids.is_empty() && !(is_id && self.directory.ticket_attributes.is_empty()) {
                let literal = Literal { text: name.to_owned(), quoted: true, at: test.at };
                return Err(self.directory.unknown(NamedRecord::TicketAttribute, &literal));
            }
            if let [id] = &ids[..] {
                owner = self.owner(id, name);
            }
            if !ids.is_empty() {
                fields = ids.iter().map(|id| format!("{prefix}.{id}")).collect();
            }
        } else {
            self.check_attribute(test, prefix, name)?;
            if self.directory.data_type(name) == Some("date") {
                return self.dates(test, field);
            }
        }
        let data_type = self.directory.data_type(name);
        let values: Vec<Value> = test
            .values
            .iter()
            .map(|value| self.custom_value(test.operator, value, data_type))
            .collect::<Result<_, _>>()?;
        let negated = test.operator.is_negative();
        let tests = fields.iter().map(|field| {
            let mut compiled = match test.operator {
                Operator::In | Operator::NotIn => one_of(field, negated, values.clone()),
                operator => comparison(field, operator.wire(), values.first().cloned().unwrap_or_default()),
            };
            if let Some(name) = self.ticket_attribute(field) {
                compiled["attribute"] = json!(name);
            }
            compiled
        });
        // A ticket does not have the attributes of other ticket types. A test that holds for a missing value
        // must hold for all of them, any other test for one.
        let holds_if_missing = negated != (values == [Value::Null]);
        let tests = group(if holds_if_missing { "AND" } else { "OR" }, tests.collect());
        Ok(match owner {
            // Tickets of other types do not have this attribute, even if they have one of its name.
            Some(owner) if holds_if_missing => {
                group("OR", vec![comparison("ticket_type_id", "!=", owner), tests])
            }
            Some(owner) => group("AND", vec![comparison("ticket_type_id", "=", owner), tests]),
            None => tests,
        })
    }

    /// The ticket type of an attribute that is given by id, if several types have an attribute of its name.
    fn owner(&self, id: &str, written: &str) -> Option<String> {
        let attributes = &self.directory.ticket_attributes;
        let (_, name) = attributes.iter().find(|(other, _)| other == id)?;
        let is_shared = attributes.iter().filter(|(_, other)| other == name).count() > 1;
        let owner = self.directory.attribute_types.iter().find(|(attribute, _)| attribute == id);
        owner.filter(|_| is_shared && written.trim() == id).map(|(_, owner)| owner.clone())
    }

    /// Rejects an unknown attribute, because `!=` would select every contact.
    fn check_attribute(&self, test: &Test, begin: &str, written: &str) -> Result<(), Error> {
        if self.directory.contact_attributes.is_none() {
            return Ok(());
        }
        let known = self.directory.attribute_names();
        if known.contains(&written) {
            return Ok(());
        }
        let message = match nearest(written, &known) {
            Some(like) => format!("unknown attribute {written:?}: use {}", attribute_field(begin, like)),
            None => unknown_name("attribute of contacts", written, &known),
        };
        Err(Error::new(test.at, message))
    }

    /// Compiles a test of a date attribute. Dates are compared by whole days, like contact times.
    fn dates(&self, test: &Test, field: &str) -> Result<Value, Error> {
        if test.operator.is_partial() {
            let message = format!("{} holds dates: use one of = != > >= < <= in, not in", test.field);
            return Err(Error::new(test.at, message));
        }
        let value = |literal: &Literal| {
            if literal.is_null() { Ok(Value::Null) } else { self.day_of(literal).map(Value::from) }
        };
        let mut values: Vec<Value> = test.values.iter().map(value).collect::<Result<_, _>>()?;
        let mut one = match test.operator {
            Operator::In | Operator::NotIn => one_of(field, test.operator.is_negative(), values),
            operator => comparison(field, operator.wire(), values.pop().unwrap_or_default()),
        };
        one["type"] = json!("date");
        Ok(one)
    }

    /// The value of a custom attribute.
    fn custom_value(
        &self,
        operator: Operator,
        literal: &Literal,
        data_type: Option<&str>,
    ) -> Result<Value, Error> {
        let text = literal.text.trim();
        let number = text.parse::<i64>().map(Value::from).ok();
        let invalid =
            |expected: &str| Error::new(literal.at, format!("invalid value {text:?}: expected {expected}"));
        let ordered = matches!(
            operator,
            Operator::Greater | Operator::GreaterOrEqual | Operator::Less | Operator::LessOrEqual
        );
        if ordered {
            let fraction = fraction(text);
            let time = || self.time(literal).map(Value::from);
            return number.or(fraction).map_or_else(time, Ok).map_err(|_| {
                Error::new(literal.at, format!("invalid value {text:?}: expected a number or a time"))
            });
        }
        if literal.is_null() {
            return Ok(Value::Null);
        }
        let boolean = || text.parse::<bool>().ok().map(Value::from);
        match data_type.filter(|_| operator.is_whole()) {
            Some("integer" | "float") => {
                return number.or_else(|| fraction(text)).ok_or_else(|| invalid("a number"));
            }
            Some("boolean") => return boolean().ok_or_else(|| invalid("true or false")),
            Some("string") => return Ok(json!(literal.text)),
            _ => {}
        }
        if literal.quoted {
            return Ok(json!(literal.text));
        }
        Ok(number.or_else(boolean).unwrap_or_else(|| json!(literal.text)))
    }

    /// The error message for an unknown field, with suggestions.
    pub(super) fn unknown_field(&self, field: &str) -> String {
        let names = self.searchable.names();
        let prefix = self.searchable.custom_prefix();
        if let (Some(prefix), Searchable::Contacts) = (prefix, self.searchable) {
            let attributes = self.directory.attribute_names();
            if let Some(name) = attributes.iter().find(|name| name.eq_ignore_ascii_case(field)) {
                let attribute = attribute_field(prefix.trim_end_matches('.'), name);
                return format!("unknown field {field:?} of {}: use {attribute}", self.searchable);
            }
        }
        let is_similar =
            |name: &&&str| name.contains(field) || field.contains(**name) || is_close(name, field);
        let similar: Vec<&str> = names.iter().filter(is_similar).take(6).copied().collect();
        let list = if similar.is_empty() { names } else { similar };
        let custom = prefix.map(|prefix| format!(", or {prefix}NAME")).unwrap_or_default();
        format!("unknown field {field:?} of {}: use {}{custom}", self.searchable, list.join(", "))
    }
}

/// A number with a decimal point, as an integer where it is one.
fn fraction(text: &str) -> Option<Value> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let is_whole = number.fract() == 0.0 && number.abs() < 9.0e15;
    Some(if is_whole { json!(number as i64) } else { json!(number) })
}

/// The field of an attribute, quoted if necessary.
fn attribute_field(prefix: &str, name: &str) -> String {
    if name.chars().all(lexer::is_word_char) {
        format!("{prefix}.{name}")
    } else {
        format!("{prefix}.{name:?}")
    }
}
