//! Reads single fields of documents that may deviate from the API description.
//!
//! Times may be numbers or texts, ids texts or numbers, and any field may be null or missing. An invalid value is
//! `None`, never an error.

use jiff::Timestamp;
use serde_json::Value;

/// The value at a pointer such as `/author/id`. Keys are not unescaped.
pub fn at<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(document, |at, key| at.get(key))
}

/// A text, number or flag as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The id of a record; `None` if blank.
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id of another record; `None` for 0, which means nobody.
pub fn reference(value: &Value) -> Option<String> {
    id(value).filter(|id| id != "0")
}

pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// Epoch seconds, from a number, a number as text, or an RFC 3339 time.
pub fn time(value: &Value) -> Option<i64> {
    integer(value).or_else(|| value.as_str()?.trim().parse::<Timestamp>().ok().map(Timestamp::as_second))
}

/// The time of an event in epoch seconds; `None` for zero, which means that it has not happened.
pub fn moment(value: &Value) -> Option<i64> {
    time(value).filter(|seconds| *seconds != 0)
}

pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The most records in an embedded list.
const MAX_EMBEDDED: i64 = 10;

/// Whether an embedded list may be truncated: it says so, or it is full and does not say.
pub fn is_cut(list: &Value) -> bool {
    let shown = list["data"].as_array().map_or(0, Vec::len) as i64;
    match (flag(&list["has_more"]), integer(&list["total_count"])) {
        (Some(true), _) => true,
        (_, Some(count)) => count > shown,
        (Some(false), None) => false,
        (None, None) => shown >= MAX_EMBEDDED,
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9.0e15).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_embedded_list_without_a_count_may_be_truncated() {
        let list = |shown: usize, rest: Value| {
            let mut list = json!({ "data": vec![json!({ "id": "1" }); shown] });
            list.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            list
        };
        for (shown, rest, cut) in [
            (10, json!({}), true),
            (9, json!({}), false),
            (10, json!({ "has_more": false }), false),
            (10, json!({ "total_count": 10 }), false),
            (10, json!({ "total_count": 12, "has_more": false }), true),
            (2, json!({ "has_more": true }), true),
        ] {
            assert_eq!(is_cut(&list(shown, rest.clone())), cut, "{shown} {rest}");
        }
    }

    #[test]
    fn times_are_read_from_numbers_and_texts() {
        for written in
            [json!(1663597223), json!("1663597223"), json!(1663597223.4), json!("2022-09-19T14:20:23Z")]
        {
            assert_eq!(time(&written), Some(1_663_597_223), "{written}");
        }
        for invalid in [json!(null), json!(""), json!("soon"), json!([]), json!(true)] {
            assert_eq!(time(&invalid), None, "{invalid}");
        }
    }

    #[test]
    fn numbers_may_be_fractions_or_texts() {
        assert_eq!(
            [json!(12.5), json!("0.1"), json!(7)].map(|value| number(&value)),
            [Some(12.5), Some(0.1), Some(7.0)]
        );
        assert_eq!([json!(null), json!("NaN"), json!(true)].map(|value| number(&value)), [None; 3]);
    }

    #[test]
    fn ids_are_text_with_all_digits() {
        assert_eq!(id(&json!(9007199254740993_u64)).as_deref(), Some("9007199254740993"));
        assert_eq!(id(&json!(" 5f ")).as_deref(), Some("5f"));
        assert_eq!(id(&json!("")), None);
        assert_eq!(id(&json!({"id": 1})), None);
        assert_eq!(reference(&json!(0)), None);
        assert_eq!(reference(&json!("814865")).as_deref(), Some("814865"));
    }

    #[test]
    fn flags_are_read_from_booleans_numbers_and_texts() {
        assert_eq!(flag(&json!(true)), Some(true));
        assert_eq!(flag(&json!("false")), Some(false));
        assert_eq!(flag(&json!(1)), Some(true));
        assert_eq!(flag(&json!("maybe")), None);
    }
}
