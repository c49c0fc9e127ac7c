//! The YAML at the head of a file: what an article has besides its text.
//!
//! `title`, `description`, `state`, `author` and `collection` are an author's to change; `id` and `locale`
//! say what the file is; the rest is written for information and never read back. A line that is not there
//! changes nothing; `description:` with nothing behind it takes the description away.

use serde::Deserialize;

/// The head of a file. Fields that are not there, or null, are `None`; a null description is an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    pub id: Option<String>,
    pub locale: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub state: Option<String>,
    /// Id of a teammate, or the e-mail address or name of one.
    pub author: Option<String>,
    /// Path of a collection, such as `Billing / Invoices`, or its id.
    pub collection: Option<String>,
    pub tags: Vec<String>,
    pub url: Option<String>,
    pub updated_at: Option<String>,
}

/// A scalar of any kind, as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    id: Option<Scalar>,
    locale: Option<Scalar>,
    title: Option<Scalar>,
    #[serde(default, deserialize_with = "emptied")]
    description: Option<Scalar>,
    state: Option<Scalar>,
    author: Option<Scalar>,
    collection: Option<Scalar>,
    tags: Option<Vec<Scalar>>,
    url: Option<Scalar>,
    updated_at: Option<Scalar>,
}

/// A field that is there is `Some`, also when nothing is in it.
fn emptied<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Scalar>, D::Error> {
    let value = Option::<Scalar>::deserialize(field)?;
    Ok(Some(value.unwrap_or_else(|| Scalar::Text(String::new()))))
}

impl Scalar {
    fn text(self) -> String {
        match self {
            Scalar::Text(text) => text,
            Scalar::Integer(number) => number.to_string(),
            Scalar::Number(number) => number.to_string(),
            Scalar::Flag(flag) => flag.to_string(),
        }
    }
}

/// Head and text of a file.
///
/// # Errors
/// What is wrong and, where that is known, in which line of the file.
pub fn parse(file: &str) -> Result<(FrontMatter, &str), (Option<usize>, String)> {
    let Some(rest) = file.strip_prefix("---\n") else {
        return Err((Some(1), "the file must begin with front matter between two lines of ---".into()));
    };
    let (head, body) = match rest.strip_prefix("---\n").or_else(|| (rest == "---").then_some("")) {
        Some(body) => ("", body),
        None => rest
            .split_once("\n---\n")
            .or_else(|| rest.strip_suffix("\n---").map(|head| (head, "")))
            .ok_or((Some(1), "the front matter has no closing line of ---".to_owned()))?,
    };
    if head.trim().is_empty() {
        return Ok((FrontMatter::default(), body));
    }
    let fields: Fields = serde_saphyr::from_str(head).map_err(|error| {
        let line = error.location().map(|it| usize::try_from(it.line()).unwrap_or(1) + 1);
        let reason = error.without_snippet().to_string();
        (line, format!("front matter: {}", reason.lines().next().unwrap_or_default()))
    })?;
    let text = |it: Option<Scalar>| it.map(Scalar::text);
    let front_matter = FrontMatter {
        id: text(fields.id),
        locale: text(fields.locale),
        title: text(fields.title),
        description: text(fields.description),
        state: text(fields.state),
        author: text(fields.author),
        collection: text(fields.collection),
        tags: fields.tags.unwrap_or_default().into_iter().map(Scalar::text).collect(),
        url: text(fields.url),
        updated_at: text(fields.updated_at),
    };
    Ok((front_matter, body))
}

/// The line of the file in which a field stands.
pub fn line_of(file: &str, field: &str) -> Option<usize> {
    let is_field = |line: &str| line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':'));
    file.lines().position(is_field).map(|at| at + 1)
}

impl FrontMatter {
    /// The head of a file, with both its lines of `---` and the empty line behind it.
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
            let tags: Vec<String> = self.tags.iter().map(|it| scalar(it)).collect();
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

/// A text as YAML: bare where that is read back as the same text, else quoted.
fn scalar(text: &str) -> String {
    let bare = !text.is_empty()
        && text.trim() == text
        && text.chars().next().is_some_and(|it| it.is_alphanumeric() || it == '/')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(|it: char| {
            it.is_control()
                || matches!(it, ',' | '[' | ']' | '{' | '}' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}')
        })
        && !looks_like_another_type(text);
    match bare {
        true => text.to_owned(),
        false => quoted(text),
    }
}

fn looks_like_another_type(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    matches!(word.as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n")
        || text.starts_with(|it: char| it.is_ascii_digit())
            && !text.bytes().all(|it| it.is_ascii_digit())
            && !is_date(text)
        || text.bytes().all(|it| it.is_ascii_digit()) && (text.len() > 15 || text.starts_with('0'))
        || word.starts_with("inf")
        || word.starts_with("nan")
}

fn is_date(text: &str) -> bool {
    text.len() >= 19 && text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(10) == Some(&b'T')
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            it if it.is_control() || matches!(it, '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(it)));
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
    fn titles_of_every_kind_survive() {
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
    fn an_empty_description_is_another_thing_than_none() {
        let description = |line: &str| parse(&format!("---\ntitle: a\n{line}---\n")).unwrap().0.description;
        assert_eq!(description(""), None);
        for line in ["description:\n", "description: \"\"\n", "description: null\n", "description: ''\n"] {
            assert_eq!(description(line).as_deref(), Some(""), "{line}");
        }
        assert_eq!(description("description: b\n").as_deref(), Some("b"));
    }

    #[test]
    fn mistakes_name_their_line() {
        assert_eq!(parse("# Title\n").unwrap_err().0, Some(1));
        assert!(parse("---\ntitle: a\n").unwrap_err().1.contains("closing"));
        let (line, reason) = parse("---\ntitle: a\nstate: [draft\n---\n").unwrap_err();
        assert!(line.is_some_and(|it| (2..=4).contains(&it)), "{line:?} {reason}");
        let (line, reason) = parse("---\ntitle: a\ntitel: b\n---\n").unwrap_err();
        assert!(reason.contains("titel"), "{reason}");
        assert_eq!(line, Some(3), "{reason}");
    }
}
