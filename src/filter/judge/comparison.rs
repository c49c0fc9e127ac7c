//! Compares one value of a document with one value of a search predicate.
//!
//! Whatever the document or the API's rules leave open is unknown (`None`) and must never be guessed.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::search_fields::FieldType;
use crate::data::lenient;
use crate::filter::Searchable;
use crate::filter::person::phone_digits;
use crate::html::plain;

/// Custom attributes from this value on may be times in epoch seconds.
const EARLIEST_TIME: i64 = 100_000_000;
/// Upper bound of the difference between two local clocks on earth, in seconds.
const MAX_ZONE_DIFFERENCE: i64 = 2 * 86_400;

/// How values of a kind of record are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueComparison<'a> {
    pub searched: Searchable,
    /// The workspace's zone, if known.
    pub zone: Option<&'a TimeZone>,
}

impl ValueComparison<'_> {
    /// Compares a value of the document with a value of the predicate; `None` if the result is unknown.
    pub fn compare(self, kind: FieldType, actual: &Value, operator: &str, value: &Value) -> Option<bool> {
        match operator {
            "=" if value.is_null() => Some(match kind {
                FieldType::Reference => lenient::reference(actual).is_none(),
                FieldType::Text
                | FieldType::Html
                | FieldType::Domain
                | FieldType::Digits
                | FieldType::Untyped => actual.is_null() || actual == "",
                FieldType::Time | FieldType::ExactTime => lenient::moment(actual).is_none(),
                _ => actual.is_null(),
            }),
            _ => self.compare_non_null(kind, actual, operator, value),
        }
    }

    fn compare_non_null(
        self,
        kind: FieldType,
        actual: &Value,
        operator: &str,
        value: &Value,
    ) -> Option<bool> {
        match kind {
            FieldType::Text if actual.is_object() || actual.is_array() => None,
            FieldType::Text => text(&lenient::text(actual), operator, &lenient::text(value)?),
            FieldType::Html if operator == "=" => None,
            FieldType::Html => {
                let body = actual.as_str().map(|html| plain::text(html).replace('\n', " "));
                text(&body, operator, &collapse_spaces(value.as_str()?))
            }
            FieldType::Domain => {
                let domain =
                    actual.as_str().and_then(|email| email.split_once('@')).map(|(_, at)| at.to_owned());
                text(&domain, operator, &lenient::text(value)?)
            }
            FieldType::Digits => text(&actual.as_str().map(phone_digits), operator, value.as_str()?),
            FieldType::Reference if operator == "=" => {
                Some(lenient::reference(actual) == lenient::reference(value))
            }
            FieldType::Reference => None,
            FieldType::Flag => (operator == "=")
                .then(|| Some(lenient::flag(actual).unwrap_or(false) == lenient::flag(value)?))
                .flatten(),
            FieldType::Number => number(actual, operator, value),
            FieldType::Time => match lenient::moment(actual) {
                None => Some(false),
                Some(at) => self.compare_times(at, operator, lenient::time(value)?),
            },
            FieldType::ExactTime => match lenient::moment(actual) {
                None => Some(false),
                Some(at) => ordered(at.cmp(&lenient::time(value)?), operator),
            },
            FieldType::Untyped => self.untyped(actual, operator, value),
            FieldType::Ids(_) | FieldType::Teammates | FieldType::ServerOnly => None,
        }
    }

    /// Compares times of contacts by the workspace's day, others to the second.
    fn compare_times(self, actual: i64, operator: &str, expected: i64) -> Option<bool> {
        if self.searched != Searchable::Contacts {
            return ordered(actual.cmp(&expected), operator);
        }
        let Some(zone) = self.zone else {
            let is_apart = (actual - expected).abs() > MAX_ZONE_DIFFERENCE;
            return is_apart.then(|| ordered(actual.cmp(&expected), operator)).flatten();
        };
        let day = |at: i64| Some(Timestamp::from_second(at).ok()?.to_zoned(zone.clone()).date());
        ordered(day(actual)?.cmp(&day(expected)?), operator)
    }

    fn untyped(self, actual: &Value, operator: &str, value: &Value) -> Option<bool> {
        if actual.is_object() || actual.is_array() {
            return None;
        }
        let expected_text = lenient::text(value)?;
        let expected = match expected_text.trim() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            number => number.parse::<f64>().ok().filter(|number| number.is_finite()),
        };
        let (number, actual_text) = match actual {
            Value::Number(number) => (number.as_f64(), Some(number.to_string())),
            Value::Bool(flag) => (Some(f64::from(u8::from(*flag))), Some(u8::from(*flag).to_string())),
            other => (None, other.as_str().map(str::to_owned)),
        };
        match (operator, number, expected) {
            ("=", Some(number), Some(expected)) if number == expected => Some(true),
            ("=", Some(number), Some(expected)) => {
                // The API compares date attributes by day, and the document does not show which attributes are dates.
                let may_be_date = self.searched == Searchable::Contacts
                    && expected >= EARLIEST_TIME as f64
                    && (number - expected).abs() <= MAX_ZONE_DIFFERENCE as f64;
                if may_be_date { None } else { Some(false) }
            }
            ("=" | "~" | "^" | "$", ..) => text(&actual_text, operator, &expected_text),
            (_, Some(number), Some(expected)) => ordered(number.partial_cmp(&expected)?, operator),
            _ => Some(false),
        }
    }
}

/// Compares texts without case, like the API. Null matches no text.
fn text(actual: &Option<String>, operator: &str, expected: &str) -> Option<bool> {
    let Some(actual) = actual.as_ref().map(|actual| actual.to_lowercase()) else { return Some(false) };
    let expected = expected.to_lowercase();
    match operator {
        "=" => Some(actual == expected),
        "~" => Some(actual.contains(&expected)),
        "^" => Some(actual.starts_with(&expected)),
        "$" => Some(actual.ends_with(&expected)),
        _ => None,
    }
}

fn number(actual: &Value, operator: &str, expected: &Value) -> Option<bool> {
    let exactly = |value: &Value| value.as_i64();
    if let (Some(actual), Some(expected)) = (exactly(actual), exactly(expected)) {
        return ordered(actual.cmp(&expected), operator);
    }
    let expected = lenient::number(expected)?;
    match lenient::number(actual) {
        None => Some(false),
        Some(actual) => ordered(actual.partial_cmp(&expected)?, operator),
    }
}

fn ordered(order: Ordering, operator: &str) -> Option<bool> {
    match operator {
        "=" => Some(order.is_eq()),
        ">" => Some(order.is_gt()),
        ">=" => Some(order.is_ge()),
        "<" => Some(order.is_lt()),
        "<=" => Some(order.is_le()),
        _ => None,
    }
}

/// Collapses white space as in the plain text of messages.
pub(crate) fn collapse_spaces(text: &str) -> String {
    let inside = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let before = if text.starts_with(char::is_whitespace) { " " } else { "" };
    let after = if text.ends_with(char::is_whitespace) && !inside.is_empty() { " " } else { "" };
    format!("{before}{inside}{after}")
}
