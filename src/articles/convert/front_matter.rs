//! The front matter: YAML at the top of a file with the article's fields.
//!
//! `title`, `description`, `state`, `author` and `collection` can be edited; `id` and `locale` identify the
//! file; the other fields are informational and never read back. Removing a line leaves the field unchanged;
//! an empty `description:` clears it.

use serde::Deserialize;

/// The fields of the front matter. Missing and null fields are `None`, but a null title or description is
/// empty. Every field is a string, taken verbatim: `1.10`, `No` and `007` are not read as numbers or booleans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    pub id: Option<String>,
    pub locale: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub description: Option<String>,
    pub state: Option<String>,
    /// Id, email address or name of a teammate.
    pub author: Option<String>,
    /// Path of a collection (`Billing / Invoices`), or its id.
    pub collection: Option<String>,
    #[serde(default, deserialize_with = "empty_if_null")]
    pub tags: Vec<String>,
    pub url: Option<String>,
    pub updated_at: Option<String>,
}

/// Reads a present field as `Some`, even if it is empty or null.
fn present<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Option::<String>::deserialize(field)?.unwrap_or_default()))
}

fn empty_if_null<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(field)?.unwrap_or_default())
}

/// Splits a file into its front matter and its text.
///
/// # Errors
/// The reason, and the line number in the file if it is known.
pub fn parse(file: &str) -> Result<(FrontMatter, &str), (Option<usize>, String)> {
    let Some(rest) = file.strip_prefix("---\n") else {
        return Err((
            Some(1),
            "no front matter: expected it between two lines of --- at the top of the file".into(),
        ));
    };
    let (head, body) = match rest.strip_prefix("---\n").or_else(|| (rest == "---").then_some("")) {
        Some(body) => ("", body),
        None => rest
            .split_once("\n---\n")
            .or_else(|| rest.strip_suffix("\n---").map(|head| (head, "")))
            .ok_or((Some(1), "unclosed front matter: expected a closing line of ---".to_owned()))?,
    };
    if head.trim().is_empty() {
        return Ok((FrontMatter::default(), body));
    }
    if let Some((line, field)) = comment_in_text(head) {
        let message = format!(
            "front matter: \" #\" begins a comment in {field}: put quotes around the text, or the comment on its own line"
        );
        return Err((Some(line), message));
    }
    let front_matter = serde_saphyr::from_str(head).map_err(|error| {
        let line = error.location().map(|at| usize::try_from(at.line()).unwrap_or(1) + 1);
        (line, reason(&error.without_snippet().to_string()))
    })?;
    Ok((front_matter, body))
}

/// The line of the file, and the field, of an unquoted text that YAML would cut at a `#`.
fn comment_in_text(head: &str) -> Option<(usize, &'static str)> {
    head.lines().enumerate().find_map(|(index, line)| {
        let fields = ["title", "description", "author", "collection"];
        let (field, text) = fields.into_iter().find_map(|field| {
            Some((field, line.strip_prefix(field)?.trim_start().strip_prefix(':')?.trim_start()))
        })?;
        let is_quoted = text.starts_with(['"', '\'', '|', '>', '#']);
        let begins_comment = text.contains(" #") || text.contains("\t#");
        // The first line of the file is the opening `---`.
        (!is_quoted && begins_comment).then_some((index + 2, field))
    })
}

/// The parser's reason without its position, because that counts from the start of the YAML, not of the file.
fn reason(error: &str) -> String {
    let error = error.lines().next().unwrap_or_default();
    let error = error.split(" at line ").next().unwrap_or_default();
    let error = match error.split_once(": ") {
        Some((position, rest)) if position.starts_with("line ") => rest,
        _ => error,
    };
    let hint = "; put quotes around a text that contains any of : # [ ] { } & * ! | > % @ `";
    let hint = if error.contains("unknown field") { "" } else { hint };
    format!("invalid front matter: {error}{hint}")
}

/// The line number of a field.
pub fn line_of(file: &str, field: &str) -> Option<usize> {
    let is_field = |line: &str| line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':'));
    file.lines().position(is_field).map(|at| at + 1)
}

impl FrontMatter {
    /// The front matter as text, with both `---` lines and an empty line after it.
    pub fn write(&self) -> String {
        let mut head = String::from("---\n");
        let fields = [
            ("id", &self.id),
            ("locale", &self.locale),
            ("title", &self.title),
            ("description", &self.description),
            ("state", &self.state),
            ("author", &self.author),
            ("collection", &self.collection),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                head.push_str(&format!("{name}: {}\n", scalar(value)));
            }
        }
        if !self.tags.is_empty() {
            let tags: Vec<String> = self.tags.iter().map(|tag| scalar(tag)).collect();
            head.push_str(&format!("tags: [{}]\n", tags.join(", ")));
        }
        for (name, value) in [("url", &self.url), ("updated_at", &self.updated_at)] {
            if let Some(value) = value {
                head.push_str(&format!("{name}: {}\n", scalar(value)));
            }
        }
        head.push_str("---\n\n");
        head
    }
}

/// A string as YAML: plain if it reads back as the same string, quoted otherwise.
fn scalar(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text.trim() == text
        && text.chars().next().is_some_and(|first| first.is_alphanumeric() || first == '/')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(|letter: char| {
            letter.is_control()
                || matches!(
                    letter,
                    ',' | '[' | ']' | '{' | '}' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}'
                )
        })
        && !looks_like_another_type(text);
    if is_plain { text.to_owned() } else { quote(text) }
}

fn looks_like_another_type(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    matches!(word.as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n")
        || text.starts_with(|letter: char| letter.is_ascii_digit())
            && !text.bytes().all(|byte| byte.is_ascii_digit())
            && !is_date(text)
        || text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() > 15 || text.starts_with('0'))
        || word.starts_with("inf")
        || word.starts_with("nan")
}

fn is_date(text: &str) -> bool {
    text.len() >= 19 && text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(10) == Some(&b'T')
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter
                if letter.is_control()
                    || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}') =>
            {
                quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_never_cuts_a_text() {
        for line in ["title: Plan #1", "description: How C # works", "title : a\t# b", "author: Ann # who?"] {
            let (at, message) = parse(&format!("---\nid: 1\n{line}\n---\n")).unwrap_err();
            assert_eq!(at, Some(3), "{line}");
            assert!(message.contains("put quotes"), "{message}");
        }
        let read = |line: &str| parse(&format!("---\n{line}\n---\n")).unwrap().0;
        assert_eq!(read("title: \"Plan #1\" # checked").title.as_deref(), Some("Plan #1"));
        assert_eq!(read("title: C#").title.as_deref(), Some("C#"));
        assert_eq!(read("# checked\nstate: draft # for now").state.as_deref(), Some("draft"));
    }

    #[test]
    fn titles_of_any_kind_round_trip() {
        for title in [
            "a: b # c",
            "\"quoted\"",
            "../../etc/passwd",
            "CON",
            "😀😀",
            "",
            " x ",
            "null",
            "12",
            "1.5",
            "0x1f",
            "007",
            "- a",
            "a\nb",
            "a\\b",
            "[x]",
            "yes",
            "tab\there",
            "\u{feff}x",
            "x:",
            "@a",
            "2026-01-01",
            "'",
            "1e3",
            "9007199254740993",
            "&a",
            "*a",
            "!a",
            "%a",
            "`a",
            "a, b",
            "~",
            "inf",
            ".inf",
            "NaN",
            "\u{7f}",
        ] {
            let head = FrontMatter { title: Some(title.into()), ..FrontMatter::default() };
            let file = format!("{}text\n", head.write());
            let (read, body) = parse(&file).unwrap_or_else(|error| panic!("{title:?}: {error:?}\n{file}"));
            assert_eq!(read, head, "{file}");
            assert_eq!(body, "\ntext\n");
        }
    }

    #[test]
    fn an_empty_description_differs_from_a_missing_one() {
        let description = |line: &str| parse(&format!("---\ntitle: a\n{line}---\n")).unwrap().0.description;
        assert_eq!(description(""), None);
        for line in ["description:\n", "description: \"\"\n", "description: null\n", "description: ''\n"] {
            assert_eq!(description(line).as_deref(), Some(""), "{line}");
        }
        assert_eq!(description("description: b\n").as_deref(), Some("b"));
    }

    #[test]
    fn strings_are_taken_verbatim() {
        let texts = "1.10 2.0 No N On off y true False 007 0x1F 0o17 1e3 1_000 2026-01-01 12:30:45 .5 +1 -0 1. \
            .inf NaN 9007199254740993";
        for text in texts.split(' ') {
            let file = format!("---\ntitle: {text}\ndescription: {text}\ntags: [{text}]\n---\n");
            let (front, _) = parse(&file).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(front.title.as_deref(), Some(text));
            assert_eq!(front.description.as_deref(), Some(text));
            assert_eq!(front.tags, [text]);
        }
        for empty in ["~", "null", "", "''"] {
            let (front, _) = parse(&format!("---\ntitle: {empty}\n---\n")).unwrap();
            assert_eq!(front.title.as_deref(), Some(""), "{empty}");
        }
        assert_eq!(parse("---\ntitle: 'null'\n---\n").unwrap().0.title.as_deref(), Some("null"));
        assert_eq!(parse("---\nstate: draft\n---\n").unwrap().0.title, None);
    }

    #[test]
    fn yaml_errors_suggest_quotes() {
        for (line, word) in [("title: a: b", "quotes"), ("title: [a", "quotes"), ("title: @a", "quotes")] {
            let (at, reason) = parse(&format!("---\nid: 1\n{line}\n---\n")).unwrap_err();
            assert!(at.is_some_and(|at| at >= 3), "{line}: {at:?} {reason}");
            assert!(reason.contains(word) && !reason.contains("column"), "{reason}");
        }
    }

    #[test]
    fn errors_name_their_line() {
        assert_eq!(parse("# Title\n").unwrap_err().0, Some(1));
        assert!(parse("---\ntitle: a\n").unwrap_err().1.contains("closing"));
        let (line, reason) = parse("---\ntitle: a\nstate: [draft\n---\n").unwrap_err();
        assert!(line.is_some_and(|line| (2..=4).contains(&line)), "{line:?} {reason}");
        let (line, reason) = parse("---\ntitle: a\ntitel: b\n---\n").unwrap_err();
        assert!(reason.contains("titel"), "{reason}");
        assert_eq!(line, Some(3), "{reason}");
    }
}
