//! Lenient JSON parsing, used when strict parsing fails.
//!
//! Repairs common mistakes of programs that write JSON: cut emojis, control characters, invalid UTF-8, unknown
//! escapes, trailing commas, NaN and numbers out of range. Repairs must not change anything else in the message.

use serde_json::Value;
use serde_json::value::RawValue;

/// Parses JSON. Lone surrogates and invalid UTF-8 become U+FFFD; NaN and numbers out of range become strings.
///
/// # Errors
/// If the text is not JSON, or is nested too deeply.
pub fn lenient(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(error) => serde_json::from_str(&repaired(&String::from_utf8_lossy(bytes))).map_err(|_| error),
    }
}

/// The id of a message that cannot be parsed, exactly as it was sent.
pub fn id(bytes: &[u8]) -> Option<Box<RawValue>> {
    #[derive(serde::Deserialize)]
    struct MessageId {
        id: Option<Box<RawValue>>,
    }
    let text = repaired(&String::from_utf8_lossy(bytes));
    let read = serde_json::from_str::<MessageId>(&text).ok().map(|message| message.id);
    let id = read.unwrap_or_else(|| scan_id(&text))?;
    (id.get().len() <= 200 && !id.get().starts_with(['{', '['])).then_some(id)
}

/// The id in a text that is not JSON: the scalar under that name in the outermost object. A truncated message has
/// none, because its id may be truncated.
fn scan_id(text: &str) -> Option<Box<RawValue>> {
    let (mut depth, mut at, mut is_id, mut found) = (0_usize, 0, false, None);
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let mut taken = letter.len_utf8();
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ':' if is_id && depth == 1 => {
                let value = rest[1..].trim_start();
                let end = if value.starts_with('"') {
                    string(value, &mut String::new())
                } else {
                    value.find([',', '}', ']', ' ']).unwrap_or(value.len())
                };
                found = found.or_else(|| serde_json::from_str(value.get(..end)?).ok());
            }
            '"' => taken = string(rest, &mut String::new()),
            _ => {}
        }
        is_id = (letter == '"' && &rest[..taken] == "\"id\"") || (is_id && letter.is_whitespace());
        at += taken;
    }
    found.filter(|_| depth == 0)
}

/// The repaired text. Only strings, numbers and trailing commas are changed.
fn repaired(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = match letter {
            '"' => string(rest, &mut repaired),
            ',' if rest[1..].trim_start().starts_with(['}', ']']) => 1,
            '-' | 'N' | 'I' if NOT_NUMBERS.iter().any(|word| rest.starts_with(word)) => {
                let word =
                    NOT_NUMBERS.iter().find(|word| rest.starts_with(**word)).copied().unwrap_or_default();
                repaired.push_str(&format!("\"{word}\""));
                word.len().max(1)
            }
            '-' | '0'..='9' => number(rest, &mut repaired),
            _ => {
                repaired.push(letter);
                letter.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    repaired
}

/// Numbers that JSON does not support.
const NOT_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Copies the string that starts here; returns its length.
fn string(text: &str, repaired: &mut String) -> usize {
    repaired.push('"');
    let mut at = 1;
    while let Some(letter) = text[at..].chars().next() {
        at += letter.len_utf8();
        match letter {
            '"' => {
                repaired.push('"');
                break;
            }
            '\\' => at += escape(&text[at - 1..], repaired) - 1,
            letter if letter < ' ' => repaired.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => repaired.push(letter),
        }
    }
    at
}

/// Copies the escape that starts here, replacing lone surrogates; returns its length.
fn escape(text: &str, repaired: &mut String) -> usize {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let (high, low) = (0xd800..0xdc00, 0xdc00..0xe000);
    match unit(text) {
        Some(first) if high.contains(&first) => match text.get(6..).and_then(unit) {
            Some(second) if low.contains(&second) => {
                repaired.push_str(&text[..12]);
                12
            }
            _ => {
                repaired.push_str("\\ufffd");
                6
            }
        },
        Some(first) if low.contains(&first) => {
            repaired.push_str("\\ufffd");
            6
        }
        None if !text[1..].starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']) => {
            repaired.push_str("\\\\");
            1
        }
        _ => {
            let length = if text[1..].starts_with('u') { 6 } else { 2 };
            repaired.push_str(&text[..length]);
            length
        }
    }
}

/// Copies the number that starts here, as a string if it is out of range; returns its length.
fn number(text: &str, repaired: &mut String) -> usize {
    let is_part = |letter: char| letter.is_ascii_digit() || ['-', '+', '.', 'e', 'E'].contains(&letter);
    let length = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let number = &text[..length];
    let is_out_of_range = number.parse::<f64>().is_ok_and(f64::is_infinite);
    let quote = if is_out_of_range { "\"" } else { "" };
    repaired.push_str(quote);
    repaired.push_str(number);
    repaired.push_str(quote);
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn common_mistakes_lose_nothing() {
        for (text, expected) in [
            (r#"{"a":"party \ud83c"}"#, json!({ "a": "party \u{fffd}" })),
            (r#"{"a":"\udf89 x \ud83c\ud83c\udf89"}"#, json!({ "a": "\u{fffd} x \u{fffd}\u{1f389}" })),
            (r#"{"a":[1e400,-1e400,12]}"#, json!({ "a": ["1e400", "-1e400", 12] })),
            (
                r#"{"a\ud83c":"say \"hi\\\" \ud83cx","b":1}"#,
                json!({ "a\u{fffd}": "say \"hi\\\" \u{fffd}x", "b": 1 }),
            ),
            ("{\"a\":\"tab\there\"}", json!({ "a": "tab\there" })),
            (r#"{"a":[NaN,-Infinity,Infinity,-1]}"#, json!({ "a": ["NaN", "-Infinity", "Infinity", -1] })),
            (
                r#"{"a":"C:\xy \é \uZZ A \" ,}","b":[1, ], }"#,
                json!({ "a": "C:\\xy \\é \\uZZ A \" ,}", "b": [1] }),
            ),
        ] {
            assert_eq!(lenient(text.as_bytes()).unwrap(), expected, "{text}");
        }
        assert_eq!(lenient(b"{\"a\":\"\xff\"}").unwrap(), json!({ "a": "\u{fffd}" }));
        for text in ["", "{", "{\"a\":}", "nonsense", "\"\\u", "\"\\ud83c"] {
            assert!(lenient(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_id_is_found_in_a_message_that_cannot_be_parsed() {
        let deep = format!(r#"{{"id":7,"params":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(lenient(deep.as_bytes()).is_err());
        assert_eq!(id(deep.as_bytes()).unwrap().get(), "7");
        assert_eq!(id(br#"{"params":1e999,"id":"x"}"#).unwrap().get(), "\"x\"");
        assert_eq!(id(br#"{"params":{"id":1},'x':2, "id" : "b", "method":"pi"}"#).unwrap().get(), "\"b\"");
        assert!(id(br#"{"id": 9"#).is_none());
        assert!(id(b"nonsense").is_none() && id(br#"{"id":{}}"#).is_none());
    }
}
