//! Writes message bodies: plain text or Markdown as the HTML that the API stores.
//!
//! Whoever types a message means its characters: nothing that looks like a tag may become one. Only tags of the
//! documented set are written.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

/// The text with `<`, `>`, `&` and quotes as character references.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            letter => html.push(letter),
        }
    }
    html
}

/// Plain text: a paragraph per block between blank lines, and line breaks kept.
pub fn from_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut paragraphs: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.trim_matches('\n').lines().map(str::trim_end) {
        match (line.is_empty(), paragraphs.last_mut()) {
            (true, Some(last)) if !last.is_empty() => paragraphs.push(Vec::new()),
            (false, Some(last)) => last.push(line),
            _ => {}
        }
    }
    let filled = paragraphs.iter().filter(|lines| !lines.is_empty());
    filled
        .map(|lines| {
            let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
            format!("<p>{}</p>", lines.join("<br>"))
        })
        .collect()
}

/// Markdown: emphasis, links, lists, code, headings and quotes. HTML inside it is text.
pub fn from_markdown(markdown: &str) -> String {
    let mut html = String::with_capacity(markdown.len() * 2);
    // An image has no place for its description but the attribute.
    let mut image: Option<(String, String)> = None;
    for event in Parser::new(markdown) {
        match (event, image.as_mut()) {
            (Event::End(TagEnd::Image), _) => {
                if let Some((address, description)) = image.take() {
                    html.push_str(&format!(
                        "<img src=\"{}\" alt=\"{}\">",
                        escaped(&address),
                        escaped(&description)
                    ));
                }
            }
            (Event::Text(text) | Event::Code(text), Some((_, description))) => description.push_str(&text),
            (_, Some(_)) => {}
            (Event::Start(Tag::Image { dest_url, .. }), None) => {
                image = Some((dest_url.into_string(), String::new()));
            }
            (Event::Start(tag), None) => html.push_str(&opening(&tag)),
            (Event::End(tag), None) => html.push_str(closing(tag)),
            (Event::Code(code), None) => html.push_str(&format!("<code>{}</code>", escaped(&code))),
            (Event::HardBreak, None) => html.push_str("<br>"),
            // Written line by line, as people write messages.
            (Event::SoftBreak, None) => html.push_str("<br>"),
            (Event::Rule, None) => html.push_str("<hr>"),
            (
                Event::Text(text)
                | Event::Html(text)
                | Event::InlineHtml(text)
                | Event::InlineMath(text)
                | Event::DisplayMath(text)
                | Event::FootnoteReference(text),
                None,
            ) => html.push_str(&escaped(&text)),
            (Event::TaskListMarker(is_done), None) => html.push_str(if is_done { "[x] " } else { "[ ] " }),
        }
    }
    html
}

fn opening(tag: &Tag<'_>) -> String {
    match tag {
        Tag::Link { dest_url, .. } if is_link(dest_url) => {
            return format!("<a href=\"{}\">", escaped(dest_url));
        }
        Tag::Link { .. } => "<a>",
        Tag::Heading { level: HeadingLevel::H1, .. } => "<h1>",
        Tag::Heading { .. } => "<h2>",
        Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => "<pre><code>",
        Tag::List(Some(_)) => "<ol>",
        Tag::List(None) => "<ul>",
        Tag::Item => "<li>",
        Tag::Emphasis => "<i>",
        Tag::Strong => "<b>",
        Tag::Paragraph | Tag::HtmlBlock => "<p>",
        _ => "",
    }
    .to_owned()
}

fn closing(tag: TagEnd) -> &'static str {
    match tag {
        TagEnd::Link => "</a>",
        TagEnd::Heading(HeadingLevel::H1) => "</h1>",
        TagEnd::Heading(_) => "</h2>",
        TagEnd::CodeBlock => "</code></pre>",
        TagEnd::List(true) => "</ol>",
        TagEnd::List(false) => "</ul>",
        TagEnd::Item => "</li>",
        TagEnd::Emphasis => "</i>",
        TagEnd::Strong => "</b>",
        TagEnd::Paragraph | TagEnd::HtmlBlock => "</p>",
        _ => "",
    }
}

/// Whether an address is one that a customer may be sent to; others, such as scripts, are dropped.
fn is_link(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default().to_ascii_lowercase();
    ["http", "https", "mailto", "tel"].contains(&scheme.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::plain;

    #[test]
    fn plain_text_keeps_its_lines_and_its_characters() {
        let text = "Hi <b>Ann</b> & co,\r\nsecond line\n\n\n  a < b\n";
        let html = from_text(text);
        assert_eq!(html, "<p>Hi &lt;b&gt;Ann&lt;/b&gt; &amp; co,<br>second line</p><p>  a &lt; b</p>");
        assert_eq!(plain::text(&html), "Hi <b>Ann</b> & co,\nsecond line\na < b");
        assert_eq!(from_text(" \n\n"), "");
    }

    #[test]
    fn markdown_becomes_the_documented_tags_and_html_stays_text() {
        for (markdown, html) in [
            ("**Hi** *you*\nthere", "<p><b>Hi</b> <i>you</i><br>there</p>"),
            ("- a\n- `b<c`", "<ul><li>a</li><li><code>b&lt;c</code></li></ul>"),
            (
                "[x](https://example.com?a=1&b=\")",
                "<p><a href=\"https://example.com?a=1&amp;b=&quot;\">x</a></p>",
            ),
            ("[x](javascript:alert(1))", "<p><a>x</a></p>"),
            ("a <script>x</script>", "<p>a &lt;script&gt;x&lt;/script&gt;</p>"),
            (
                "![cat](https://example.com/c.png)",
                "<p><img src=\"https://example.com/c.png\" alt=\"cat\"></p>",
            ),
        ] {
            assert_eq!(from_markdown(markdown), html, "{markdown}");
        }
    }
}
