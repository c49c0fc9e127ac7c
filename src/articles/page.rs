//! One file: front matter in YAML, then the Markdown of the body.

use serde::Deserialize;
use serde_json::Value;

use super::remote::{Article, Content, is_id, is_locale, text};

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub id: Option<String>,
    pub locale: Option<String>,
    pub title: String,
    pub description: String,
    pub state: Option<String>,
    pub author_id: Option<i64>,
    pub collection: Option<String>,
    pub markdown: String,
}

#[derive(Deserialize)]
struct FrontMatter {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    locale: Value,
    title: Value,
    #[serde(default)]
    description: Value,
    #[serde(default)]
    state: Value,
    #[serde(default)]
    author: Value,
    #[serde(default)]
    collection: Value,
}

/// The text of a file for this language. `collection` is the path of the article's collection.
pub fn write(
    article: &Article,
    locale: &str,
    content: &Content,
    collection: Option<&str>,
    markdown: &str,
) -> String {
    let mut front = String::from("---\n");
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            front.push_str(&format!("{name}: {value}\n"));
        }
    };
    line("id", Some(scalar(&article.id)));
    line("locale", Some(scalar(locale)));
    line("title", Some(scalar(&content.title)));
    line("description", Some(scalar(&content.description)));
    line("state", content.state.as_deref().map(scalar));
    line("author", content.author_id.map(|author| author.to_string()));
    line("collection", collection.map(scalar));
    let tags: Vec<String> = article.tags.iter().map(|tag| scalar(tag)).collect();
    line("tags", (!tags.is_empty()).then(|| format!("[{}]", tags.join(", "))));
    line("url", content.url.as_deref().map(scalar));
    line("updated_at", content.updated_at.or(article.updated_at).map(timestamp));
    front + "---\n\n" + markdown
}

fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Text as YAML: as it is where that is clear, else as a JSON string, which YAML reads as well.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, ' ' | '-' | '_' | '/' | '.' | '(' | ')'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        return text.to_owned();
    }
    // YAML takes these as line breaks or not at all.
    let quoted = Value::from(text).to_string();
    quoted.chars().fold(String::new(), |mut done, it| {
        match it {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                done.push_str(&format!("\\u{:04x}", it as u32))
            }
            it => done.push(it),
        }
        done
    })
}

/// Reads a file; a byte order mark and the line ends of Windows make no difference.
///
/// # Errors
/// The line, and what is wrong there.
pub fn read(bytes: &[u8]) -> Result<Page, (usize, String)> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        (line, "this is not UTF-8".to_owned())
    })?;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let rest = text
        .strip_prefix("---\n")
        .ok_or((1, "the front matter is missing: the first line must be ---".to_owned()))?;
    let end = match rest.starts_with("---\n") {
        true => Some(0),
        false => rest
            .find("\n---\n")
            .map(|at| at + 1)
            .or_else(|| rest.strip_suffix("\n---").map(|front| front.len() + 1)),
    };
    let end = end.ok_or((1, "the front matter has no end: a line with --- is missing".to_owned()))?;
    let front: FrontMatter = serde_saphyr::from_str(&rest[..end]).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line() as usize + 1);
        let message = error.to_string();
        (
            line,
            format!(
                "the front matter is no YAML with a title: {}",
                message.lines().next().unwrap_or_default()
            ),
        )
    })?;
    let markdown = rest[end..].strip_prefix("---").unwrap_or_default().trim_start_matches('\n').to_owned();
    let at = |name: &str| {
        rest[..end].lines().position(|line| line.starts_with(&format!("{name}:"))).map_or(1, |line| line + 2)
    };
    checked(front, markdown, &at)
}

fn checked(
    front: FrontMatter,
    markdown: String,
    at: &dyn Fn(&str) -> usize,
) -> Result<Page, (usize, String)> {
    let id = text(&front.id);
    if id.as_deref().is_some_and(|id| !is_id(id)) {
        return Err((at("id"), format!("{} is no id of an article", front.id)));
    }
    let locale = text(&front.locale);
    if locale.as_deref().is_some_and(|locale| !is_locale(locale)) {
        return Err((at("locale"), format!("{} is no locale such as en or pt-BR", front.locale)));
    }
    let state = text(&front.state);
    if state.as_deref().is_some_and(|state| !matches!(state, "published" | "draft")) {
        return Err((at("state"), format!("{} is neither published nor draft", front.state)));
    }
    let author_id = super::remote::integer(&front.author);
    if author_id.is_none() && !front.author.is_null() {
        return Err((at("author"), format!("{} is no id of a teammate", front.author)));
    }
    let title = text(&front.title).ok_or((at("title"), "the title is no text".to_owned()))?;
    Ok(Page {
        id,
        locale,
        title,
        description: text(&front.description).unwrap_or_default(),
        state,
        author_id,
        collection: text(&front.collection),
        markdown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for title in
            ["Plain", "a: b # c", "\"q\" 'x' \\", "🎉\u{2028}\u{85}", "true", "123", "", " x ", "- a", "عربي"]
        {
            let content = Content {
                title: title.into(),
                state: Some("draft".into()),
                author_id: Some(7),
                ..Content::default()
            };
            let article = Article {
                id: "12".into(),
                tags: vec!["x, y".into()],
                updated_at: Some(0),
                ..Article::default()
            };
            let text = write(&article, "pt-BR", &content, Some("A / B"), "Body\n");
            let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
            for text in [text, windows] {
                let page = read(text.as_bytes()).unwrap();
                assert_eq!((page.title.as_str(), page.id.as_deref()), (title, Some("12")), "{text}");
                assert_eq!((page.locale.as_deref(), page.markdown.as_str()), (Some("pt-BR"), "Body\n"));
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let line = |text: &[u8]| read(text).unwrap_err().0;
        assert_eq!(line(b"no front matter"), 1);
        assert_eq!(line(b"---\ntitle: a\n"), 1);
        assert_eq!(line(b"---\ntitle: a\nid: ../x\n---\n"), 3);
        assert_eq!(line(b"---\ntitle: a\nlocale: ../x\n---\n"), 3);
        assert_eq!(line(b"---\ntitle: a\nb: [c\n---\n"), 3);
        assert_eq!(line(b"---\ntitle: a\n---\n\nb\n\xff\n"), 6);
    }
}
