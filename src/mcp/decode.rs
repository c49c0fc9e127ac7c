//! JSON read leniently: what a client or a server meant, where strict parsing gives up.
//!
//! Cut emojis, control characters, broken bytes, unknown escapes, commas before a bracket, NaN and numbers beyond
//! every range are common mistakes of programs that write JSON. They must not lose a message: nothing else in it is changed by mending them.

use serde_json::Value;
use serde_json::value::RawValue;

/// The value of this text. Halves of surrogate pairs and broken bytes become U+FFFD, numbers that no
/// float holds become texts, NaN among them.
///
/// # Errors
/// When it is not JSON, or nested too deep.
pub fn lenient(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(error) => serde_json::from_str(&mended(&String::from_utf8_lossy(bytes))).map_err(|_| error),
    }
}

/// The id of a message that cannot be read otherwise, as it was sent.
pub fn id(bytes: &[u8]) -> Option<Box<RawValue>> {
    #[derive(serde::Deserialize)]
    struct Message {
        id: Option<Box<RawValue>>,
    }
    let text = mended(&String::from_utf8_lossy(bytes));
    let read = serde_json::from_str::<Message>(&text).ok().map(|message| message.id);
    let id = read.unwrap_or_else(|| scanned(&text))?;
    (id.get().len() <= 200 && !id.get().starts_with(['{', '['])).then_some(id)
}

/// The id in a text that is not JSON: the scalar under that name in the outermost object. A message that was cut
/// off has none: what is missing could be a part of the id.
fn scanned(text: &str) -> Option<Box<RawValue>> {
    let (mut depth, mut at, mut is_id, mut found) = (0_usize, 0, false, None);
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let mut taken = letter.len_utf8();
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ':' if is_id && depth == 1 => {
                let value = rest[1..].trim_start();
                let end = match value.starts_with('"') {
                    true => string(value, &mut String::new()),
                    false => value.find([',', '}', ']', ' ']).unwrap_or(value.len()),
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

/// The text with its mistakes mended. Only what stands inside strings, or is a number, is touched.
fn mended(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = match letter {
            '"' => string(rest, &mut mended),
            ',' if rest[1..].trim_start().starts_with(['}', ']']) => 1,
            '-' | 'N' | 'I' if NOT_NUMBERS.iter().any(|word| rest.starts_with(word)) => {
                let word =
                    NOT_NUMBERS.iter().find(|word| rest.starts_with(**word)).copied().unwrap_or_default();
                mended.push_str(&format!("\"{word}\""));
                word.len().max(1)
            }
            '-' | '0'..='9' => number(rest, &mut mended),
            _ => {
                mended.push(letter);
                letter.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    mended
}

/// What programs write for numbers that JSON does not have.
const NOT_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Copies the string that begins here; returns its length.
fn string(text: &str, mended: &mut String) -> usize {
    mended.push('"');
    let mut at = 1;
    while let Some(letter) = text[at..].chars().next() {
        at += letter.len_utf8();
        match letter {
            '"' => {
                mended.push('"');
                break;
            }
            '\\' => at += escape(&text[at - 1..], mended) - 1,
            letter if letter < ' ' => mended.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => mended.push(letter),
        }
    }
    at
}

/// Copies the escape that begins here, or what stands for half a pair; returns its length.
fn escape(text: &str, mended: &mut String) -> usize {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let (high, low) = (0xd800..0xdc00, 0xdc00..0xe000);
    match unit(text) {
        Some(first) if high.contains(&first) => match text.get(6..).and_then(unit) {
            Some(second) if low.contains(&second) => {
                mended.push_str(&text[..12]);
                12
            }
            _ => {
                mended.push_str("\\ufffd");
                6
            }
        },
        Some(first) if low.contains(&first) => {
            mended.push_str("\\ufffd");
            6
        }
        None if !text[1..].starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']) => {
            mended.push_str("\\\\");
            1
        }
        _ => {
            let length = if text[1..].starts_with('u') { 6 } else { 2 };
            mended.push_str(&text[..length]);
            length
        }
    }
}

/// Copies the number that begins here, as a string when it is beyond every float; returns its length.
fn number(text: &str, mended: &mut String) -> usize {
    let is_part = |letter: char| letter.is_ascii_digit() || ['-', '+', '.', 'e', 'E'].contains(&letter);
    let length = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let number = &text[..length];
    let is_beyond = number.parse::<f64>().is_ok_and(f64::is_infinite);
    let quote = if is_beyond { "\"" } else { "" };
    mended.push_str(quote);
    mended.push_str(number);
    mended.push_str(quote);
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
    fn the_id_is_found_whatever_stands_beside_it() {
        let deep = format!(r#"{{"id":7,"params":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(lenient(deep.as_bytes()).is_err());
        assert_eq!(id(deep.as_bytes()).unwrap().get(), "7");
        assert_eq!(id(br#"{"params":1e999,"id":"x"}"#).unwrap().get(), "\"x\"");
        assert_eq!(id(br#"{"params":{"id":1},'x':2, "id" : "b", "method":"pi"}"#).unwrap().get(), "\"b\"");
        assert!(id(br#"{"id": 9"#).is_none());
        assert!(id(b"nonsense").is_none() && id(br#"{"id":{}}"#).is_none());
    }
}
