//! Article bodies: rewritten the way the API does it, and checked for relative image URLs.

/// An article body as the API stores it: plain paragraphs get the class `no-margin`, and each heading gets a
/// generated id that changes with every write.
pub fn normalize_article(body: &str, mut heading_id: impl FnMut() -> String) -> String {
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

/// The first image URL that is not absolute.
pub fn relative_image_url(body: &str) -> Option<&str> {
    let tags = body.match_indices("<img ").map(|(at, _)| &body[at..]);
    let tags = tags.map(|rest| &rest[..rest.find('>').unwrap_or(rest.len())]);
    let mut sources = tags.filter_map(|tag| {
        let (_, value) = tag.split_once(" src=")?;
        match value.chars().next().filter(|quote| matches!(quote, '"' | '\'')) {
            Some(quote) => value[1..].split(quote).next(),
            None => value.split_ascii_whitespace().next(),
        }
    });
    let is_absolute = |src: &str| src.starts_with("https://") || src.starts_with("http://");
    sources.find(|src| !is_absolute(src))
}

/// The attributes of a tag, without its id.
fn without_id(attributes: &str) -> String {
    let Some(start) = attributes.find(" id=\"") else { return attributes.to_owned() };
    let end = attributes[start + 5..].find('"').map_or(attributes.len(), |end| start + 5 + end + 1);
    format!("{}{}", &attributes[..start], &attributes[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::plain::text;

    #[test]
    fn markup_is_removed_and_text_is_kept() {
        assert_eq!(text("<p>Hello <b>you</b></p><p>a &lt; b<br>c</p>"), "Hello you\na < b\nc");
        assert_eq!(text("a < b"), "a < b");
    }

    #[test]
    fn image_urls_must_be_absolute() {
        assert_eq!(relative_image_url("<img alt=\"x\" src=\"https://a/b\"><img src='http://c'>"), None);
        for src in ["img/x.png", "/x.png", "data:image/png;base64,x"] {
            assert_eq!(
                relative_image_url(&format!("<p><img alt=\"\" src=\"{src}\" width=\"1\"></p>")),
                Some(src)
            );
        }
    }

    #[test]
    fn heading_ids_are_regenerated() {
        let mut number = 0;
        let stored = normalize_article("<h1 id=\"h_old\" class=\"x\">A</h1><hr><p>b</p><h2>C</h2>", || {
            number += 1;
            number.to_string()
        });
        assert_eq!(
            stored,
            "<h1 id=\"h_1\" class=\"x\">A</h1><hr><p class=\"no-margin\">b</p><h2 id=\"h_2\">C</h2>"
        );
    }
}
