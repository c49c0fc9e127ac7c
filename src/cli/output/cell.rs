//! The text of one table cell: how values read, how wide they are, and how they are cut or wrapped.
//!
//! Anybody can have written the values, so no cell may control the terminal. Two control characters mark highlighted
//! words until the cell is printed; they never come from a value, because control characters in values become spaces.

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthChar;

use super::palette::Palette;
use crate::data::printable;

/// Numbers below this (a time in 1973) are not times.
const MIN_TIME: i64 = 100_000_000;

/// Begins and ends a highlighted word.
const MARKS: [char; 2] = ['\u{1}', '\u{2}'];

/// The epoch seconds of a time field; `None` for other fields.
pub fn time(field: &str, value: &Value) -> Option<i64> {
    value.as_i64().filter(|seconds| is_time(field) && *seconds >= MIN_TIME)
}

/// Whether a field holds times, by its name.
pub fn is_time(field: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or(field);
    ["_at", "_until", "_since"].iter().any(|ending| name.ends_with(ending))
}

/// A value on one line, without control characters. Lists show their members, not their brackets.
pub fn text(value: &Value) -> String {
    printable::one_line(&readable(value))
}

fn readable(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(members) => members.iter().map(member).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => match listed(fields) {
            Some(members) => readable(members),
            None if fields.contains_key("type") || fields.contains_key("id") => member(value),
            None => pairs(fields).unwrap_or_else(|| value.to_string()),
        },
        other => other.to_string(),
    }
}

/// The values of a plain object with their names; `None` if it holds more objects or lists.
fn pairs(fields: &Map<String, Value>) -> Option<String> {
    let pairs = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let is_plain = !value.is_object() && !value.is_array();
        is_plain.then(|| format!("{name}: {}", readable(value)))
    });
    Some(pairs.collect::<Option<Vec<_>>>()?.join(", "))
}

/// A record, or a member of a list: the name or id of a record, else its JSON.
fn member(value: &Value) -> String {
    let Value::Object(fields) = value else { return readable(value) };
    let label = ["name", "title", "email", "id"].iter().find_map(|name| match fields.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    label.unwrap_or_else(|| value.to_string())
}

/// The list in an envelope of the API, for example `{"type": "tag.list", "tags": []}`.
fn listed(fields: &Map<String, Value>) -> Option<&Value> {
    let is_envelope = fields.iter().all(|(name, value)| {
        value.is_array() || ["type", "total_count", "has_more", "url"].contains(&name.as_str())
    });
    let mut lists = fields.values().filter(|value| value.is_array());
    lists.next().filter(|_| is_envelope && lists.next().is_none())
}

/// A text in which words between `**` are highlighted. A mark without a partner stays.
pub fn highlighted(text: &str) -> String {
    let pieces: Vec<&str> = text.split("**").collect();
    let mut marked = String::with_capacity(text.len());
    for (at, piece) in pieces.iter().enumerate() {
        let is_last = at + 1 == pieces.len();
        match (at, is_last && at % 2 == 1) {
            (0, _) => {}
            (_, true) => marked.push_str("**"),
            (at, false) => marked.push(MARKS[(at + 1) % 2]),
        }
        marked.push_str(piece);
    }
    marked
}

/// The width of a text on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// Cuts the text to `columns` terminal columns, ending in an ellipsis if it was longer.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut taken = 0;
    let kept = text.chars().take_while(|character| {
        taken += width_of(*character);
        taken < columns
    });
    kept.chain(['…']).collect()
}

/// Breaks the text into lines of at most `columns` terminal columns, between words where possible.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut wanted = width(word);
        if used > 0 && used + 1 + wanted <= columns {
            lines[..].last_mut().into_iter().for_each(|line| line.push(' '));
            used += 1;
        } else if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            let more = width_of(character);
            if used + more > columns && wanted > 0 && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            lines[..].last_mut().into_iter().for_each(|line| line.push(character));
            used += more;
            wanted = wanted.saturating_sub(more);
        }
    }
    lines
}

/// Replaces the marks of highlighted words: bold, or `**` without colours. Words cut at the end are closed.
pub fn styled(text: &str, palette: Palette) -> String {
    if !text.contains(MARKS) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARKS[0]) {
        let (word, after) = after.split_once(MARKS[1]).unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&palette.bold(word));
        rest = after;
    }
    out.push_str(rest);
    out.replace(MARKS, "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_cut_by_their_display_width() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
    }

    #[test]
    fn texts_wrap_between_words_and_long_words_inside() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 5), ["abcde", "fgh", "ij"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn lists_read_as_their_members() {
        assert_eq!(text(&json!(["a", "b"])), "a, b");
        assert_eq!(
            text(&json!({"type": "tag.list", "tags": [{"id": "1", "name": "vip"}, {"id": "2"}]})),
            "vip, 2"
        );
        assert_eq!(text(&json!([{"field": "x"}])), r#"{"field":"x"}"#);
        assert_eq!(text(&json!({"action": "close", "name": "x", "until": null})), "action: close, name: x");
        assert_eq!(text(&json!({"type": "admin", "id": 5, "name": "Mara"})), "Mara");
        assert_eq!(text(&json!({"a": {"b": 1}})), r#"{"a":{"b":1}}"#);
        assert_eq!((text(&json!(null)), text(&json!("a\n\u{1}b"))), (String::new(), "a  b".to_owned()));
    }

    #[test]
    fn only_time_fields_are_times() {
        assert_eq!(time("statistics.last_close_at", &json!(1_760_000_000)), Some(1_760_000_000));
        for (field, value) in [("waiting_since", 0), ("count", 1_760_000_000)] {
            assert_eq!(time(field, &json!(value)), None, "{field}");
        }
    }

    #[test]
    fn highlighted_words_have_no_width_besides_their_text() {
        let text = highlighted("a **refund** of **x");
        assert_eq!(width(&text), "a refund of **x".len());
        assert_eq!(styled(&text, Palette::default()), "a refund of **x");
        let cut = cut(&highlighted("a **refund**"), 5);
        assert_eq!(styled(&cut, Palette::default()), "a re…");
    }
}
