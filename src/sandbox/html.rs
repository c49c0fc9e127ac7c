//! The little that the sandbox does with HTML: taking markup away, and rewriting bodies of articles
//! the way the server does.

/// The text of an HTML fragment: paragraphs and breaks become line breaks, other tags vanish.
pub fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let Some(length) = rest[open..].find('>') else {
            rest = &rest[open..];
            break;
        };
        let tag = &rest[open..=open + length];
        if tag.starts_with("<br") || tag == "</p>" || tag == "</li>" {
            text.push('\n');
        }
        rest = &rest[open + length + 1..];
    }
    text.push_str(rest);
    let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&").trim_end().to_owned()
}

/// An article's body as the server keeps it: plain paragraphs get the class `no-margin`, and every
/// heading gets an id of its own making, new with each write.
pub fn stored_article(body: &str, mut heading_id: impl FnMut() -> String) -> String {
    let body = body.replace("<p>", "<p class=\"no-margin\">");
    let mut stored = String::with_capacity(body.len());
    let mut rest = body.as_str();
    while let Some(at) = rest.find("<h") {
        let level = rest[at + 2..].chars().next();
        let Some(length) = rest[at..].find('>').filter(|_| matches!(level, Some('1'..='6'))) else {
            stored.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        stored.push_str(&rest[..at + 3]);
        stored.push_str(&format!(" id=\"h_{}\"", heading_id()));
        stored.push_str(&without_id(&rest[at + 3..at + length]));
        rest = &rest[at + length..];
    }
    stored.push_str(rest);
    stored
}

/// The attributes of a tag but its id.
fn without_id(attributes: &str) -> String {
    let Some(start) = attributes.find(" id=\"") else { return attributes.to_owned() };
    let end = attributes[start + 5..].find('"').map_or(attributes.len(), |end| start + 5 + end + 1);
    format!("{}{}", &attributes[..start], &attributes[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_text_stays() {
        assert_eq!(plain_text("<p>Hello <b>you</b></p><p>a &lt; b<br>c</p>"), "Hello you\na < b\nc");
        assert_eq!(plain_text("a < b"), "a < b");
    }

    #[test]
    fn headings_are_numbered_anew() {
        let mut number = 0;
        let stored = stored_article("<h1 id=\"h_old\" class=\"x\">A</h1><hr><p>b</p><h2>C</h2>", || {
            number += 1;
            number.to_string()
        });
        assert_eq!(
            stored,
            "<h1 id=\"h_1\" class=\"x\">A</h1><hr><p class=\"no-margin\">b</p><h2 id=\"h_2\">C</h2>"
        );
    }
}
