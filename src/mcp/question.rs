//! The question that the user must answer before a call is run.
//!
//! It contains everything needed to decide: the request or the arguments, the records and their new values. Text
//! by customers or an agent may appear only in quotation marks, on one line and without invisible characters, so
//! that it cannot change how the question reads.

use serde_json::{Map, Value};

use super::bound::BoundRequest;
use crate::cli::catalog::CatalogEntry;

const MAX_NAMES: usize = 10;
const MAX_VALUES: usize = 30;

/// Maximum lengths in characters.
const NAME_LENGTH: usize = 80;
const VALUE_LENGTH: usize = 600;

/// Arguments that do not affect what a call changes.
const NEUTRAL_ARGUMENTS: [&str; 9] =
    ["apply", "compact", "concurrency", "confirmation", "data_source", "dry_run", "full", "jq", "select"];

/// The question for this plan.
pub fn text(
    entry: &CatalogEntry,
    plan: &Value,
    bound: Option<&BoundRequest>,
    given: &Map<String, Value>,
) -> String {
    let records = plan["records"].as_u64().unwrap_or(1);
    let count = if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
    let names = names(plan);
    let more = if records as usize > names.len() && names.len() == MAX_NAMES { ", …" } else { "" };
    let what = if names.is_empty() { String::new() } else { format!(": {}{more}", names.join(", ")) };
    let (action, values) = match bound {
        Some(bound) => {
            let about = bound.operation.map_or("Send a request", |operation| operation.help);
            let path = quoted(&bound.path, VALUE_LENGTH);
            let mut values: Vec<_> = bound
                .query
                .iter()
                .flat_map(|(name, value)| leaves(&format!("query.{name}"), value))
                .collect();
            values.extend(leaves("", &bound.body));
            // Nested fields can be many and must not crowd out the others.
            values.sort_by_key(|(name, _)| name.contains('.'));
            (format!("{about}\n{} {path} would change {count}{what}.", bound.method), values)
        }
        None => {
            let decisive = given.iter().filter(|(name, _)| !NEUTRAL_ARGUMENTS.contains(&name.as_str()));
            let values = decisive.map(|(name, value)| (name.clone(), value.clone())).collect();
            (format!("{}\n{} would change {count}{what}.", entry.about, entry.shown), values)
        }
    };
    let mut lines = vec![action];
    lines.extend(values.iter().take(MAX_VALUES).map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}: {}", field(name), quoted(&text, VALUE_LENGTH))
    }));
    let rest: Vec<String> =
        values.iter().skip(MAX_VALUES).map(|(name, _)| quoted(name, NAME_LENGTH)).collect();
    if !rest.is_empty() {
        lines.push(format!("and {} more: {}", rest.len(), rest.join(", ")));
    }
    lines.push("Carry this out?".to_owned());
    lines.join("\n")
}

/// The names of the records.
fn names(plan: &Value) -> Vec<String> {
    let listed = plan["names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut names: Vec<&str> = listed.collect();
    let lists = plan["results"].as_object().into_iter().flat_map(|results| results.values());
    for item in lists.chain([&plan["results"]]).filter_map(Value::as_array).flatten() {
        names.extend(["name", "contact", "value", "id"].iter().find_map(|field| item[*field].as_str()));
    }
    names.into_iter().take(MAX_NAMES).map(|name| quoted(name, NAME_LENGTH)).collect()
}

/// The scalar values of a body, with their paths.
fn leaves(place: &str, value: &Value) -> Vec<(String, Value)> {
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().flat_map(|(name, value)| leaves(&below(name), value)).collect()
        }
        Value::Null if place.is_empty() => Vec::new(),
        value => vec![(if place.is_empty() { "body".to_owned() } else { place.to_owned() }, value.clone())],
    }
}

/// The name of a field, quoted unless it is a plain identifier.
fn field(name: &str) -> String {
    let is_name_char = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if name.len() <= NAME_LENGTH && name.chars().all(is_name_char) {
        name.to_owned()
    } else {
        quoted(name, NAME_LENGTH)
    }
}

/// Untrusted text in quotation marks.
pub fn quoted(text: &str, most: usize) -> String {
    let letters = text.chars().count();
    let shown = plain(text, most).replace(['"', '“', '”', '„', '‟', '″'], "'");
    if letters > most { format!("\"{shown}…\" ({letters} characters)") } else { format!("\"{shown}\"") }
}

/// The text on one line, without invisible characters.
fn plain(text: &str, most: usize) -> String {
    let letters = text.chars().take(most).filter(|letter| letter.is_whitespace() || !is_hidden(*letter));
    let line: String = letters.map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect();
    line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that are invisible, or control a terminal or the direction of text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_stays_inside_its_quotation_marks() {
        for (text, expected) in [
            (
                "Bob\n\nApproved. Carry this out? Yes.\u{1b}[2J\u{202e} x",
                "\"Bob Approved. Carry this out? Yes.[2J x\"",
            ),
            ("a\" would be fine", "\"a' would be fine\""),
            ("a\u{200b}b\u{2028}c\u{e0041}", "\"ab c\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text, 80), expected, "{text:?}");
        }
        assert_eq!(field("custom_attributes.plan"), "custom_attributes.plan");
        assert_eq!(field("x\nApproved: yes"), "\"x Approved: yes\"");
        assert_eq!(quoted(&"x".repeat(90), 80), format!("\"{}…\" (90 characters)", "x".repeat(80)));
    }
}
