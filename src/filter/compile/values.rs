//! Compiles single values: numbers, booleans, ids, times.
//!
//! Never passes on a value that its field cannot have.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Compiler;
use crate::filter::fields::{FieldType, NamedRecord};
use crate::filter::{Error, Literal};

/// Times in seconds stay below this for thousands of years; times in milliseconds are above.
const EARLIEST_MILLISECONDS: i64 = 100_000_000_000;
/// Units of spans that are whole days.
const UNITS: &str = "d day days w week weeks mo month months y yr year years";
/// Names of days.
const DAYS: &str = "today yesterday tomorrow monday tuesday wednesday thursday friday saturday sunday";

impl Compiler<'_> {
    pub(super) fn value(&self, field_type: FieldType, literal: &Literal) -> Result<Value, Error> {
        let invalid = |expected: &str| {
            Error::new(literal.at, format!("invalid value {:?}: expected {expected}", literal.text))
        };
        let text = literal.text.trim();
        match field_type {
            FieldType::Integer => text.parse::<i64>().map(Value::from).map_err(|_| invalid("a whole number")),
            FieldType::Time => self.time(literal).map(Value::from),
            FieldType::Day => self.day_of(literal).map(Value::from),
            FieldType::Boolean => text.parse::<bool>().map(Value::from).map_err(|_| invalid("true or false")),
            FieldType::NumericId(kind) => {
                let id = self.assignee(kind, literal)?;
                id.parse::<i64>().map(Value::from).map_err(|_| invalid("an id"))
            }
            FieldType::TextId(kind) => self.assignee(kind, literal).map(Value::from),
            // Former teammates are not in the list, but may have closed a conversation.
            FieldType::Id(NamedRecord::Admin) | FieldType::Ids(NamedRecord::Admin)
                if text.parse::<u64>().is_ok() =>
            {
                Ok(json!(text))
            }
            FieldType::Id(kind) | FieldType::Ids(kind) => self.directory.id(kind, literal).map(Value::from),
            FieldType::Email => Ok(json!(literal.text.to_lowercase())),
            _ => Ok(json!(literal.text)),
        }
    }

    /// Records keep the ids of former teammates and teams, which are not in the lists.
    fn assignee(&self, kind: NamedRecord, literal: &Literal) -> Result<String, Error> {
        let text = literal.text.trim();
        match self.directory.id(kind, literal) {
            Err(_) if self.directory.ids(kind, text).is_empty() && text.parse::<u64>().is_ok() => {
                Ok(text.to_owned())
            }
            id => id,
        }
    }

    /// The start and the end of the day that a date names. `None` if the value is not a date.
    pub(super) fn whole_day(&self, literal: &Literal) -> Option<(i64, i64)> {
        let text = literal.text.trim();
        let next = match text.to_lowercase().as_str() {
            "yesterday" => "today".to_owned(),
            "today" => "tomorrow".to_owned(),
            _ if text.contains([':', 'T', ' ']) => return None,
            _ => text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?.to_string(),
        };
        Some(((self.parse_time)(text).ok()?, (self.parse_time)(&next).ok()?))
    }

    /// A day to compare contact times or a date attribute with.
    pub(super) fn day_of(&self, literal: &Literal) -> Result<i64, Error> {
        if is_whole_day(literal.text.trim()) {
            return self.day(literal);
        }
        Err(Error::new(
            literal.at,
            "contact times are compared by whole days: expected a date (2026-05-24) or a number of days (7d)",
        ))
    }

    pub(super) fn time(&self, literal: &Literal) -> Result<i64, Error> {
        let text = literal.text.trim();
        if let Some(number) = text.parse::<i64>().ok().filter(|number| number.abs() >= EARLIEST_MILLISECONDS)
        {
            return Err(Error::new(
                literal.at,
                format!(
                    "{number} is too large for epoch seconds: use {} if it is in milliseconds",
                    number / 1000
                ),
            ));
        }
        (self.parse_time)(text).map_err(|reason| Error::new(literal.at, reason))
    }

    /// A time in the given day. Dates are in the time zone of the workspace.
    pub(super) fn day(&self, literal: &Literal) -> Result<i64, Error> {
        let in_zone = |zone: &TimeZone| {
            let date = literal.text.trim().parse::<jiff::civil::Date>().ok()?;
            Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_second())
        };
        match self.directory.zone.as_ref().and_then(in_zone) {
            Some(start) => Ok(start),
            None => self.time(literal),
        }
    }
}

/// Whether a time is a whole day and not a time within it. Epoch seconds count as the day that contains them.
fn is_whole_day(text: &str) -> bool {
    let span = text.trim_end_matches("ago").trim_end().trim_start_matches(['-', '+']);
    let unit = span.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_span_of_days = span.len() > unit.len() && UNITS.split(' ').any(|known| known == unit.trim());
    is_span_of_days
        || DAYS.split(' ').any(|day| day.eq_ignore_ascii_case(text))
        || text.parse::<jiff::civil::Date>().is_ok() && !text.contains([':', 'T', ' '])
        || text.parse::<i64>().is_ok()
}
