//! Extracts the visible text of a message body.
//!
//! Bodies are untrusted HTML: unclosed tags, stray `<`, unknown entities. Nothing here fails. The text is
//! used for display, for search, and to recognize empty messages. It must never contain what a browser would
//! not show: attributes, comments, scripts.

use super::scan::{Scanner, TokenKind, is_raw_text};

/// The text of a body: one trimmed line per block, with white space collapsed.
pub fn text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut element = None;
    for token in Scanner::new(html) {
        // The content of a raw text element is a single text token.
        let inside: Option<&str> = element.take();
        match token.kind {
            TokenKind::Text => match inside.map(RawContent::of) {
                Some(RawContent::Hidden) => {}
                Some(RawContent::Verbatim) => push(&mut text, &html[token.range]),
                Some(RawContent::Escaped) | None => push(&mut text, &htmlize::unescape(&html[token.range])),
            },
            TokenKind::Start { name, .. } => {
                text.push_str(separator(name));
                element = is_raw_text(name).then_some(name);
            }
            TokenKind::End { name } => text.push_str(separator(name)),
            TokenKind::Comment => {}
        }
    }
    let lines = text.split(LINE_END).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| line.contains(is_visible_char)).collect::<Vec<_>>().join("\n")
}

/// Whether a body shows anything: text, an image or another embedded element.
pub fn is_visible(html: &str) -> bool {
    const EMBEDDED: &[&str] = &["img", "iframe", "video", "audio", "object", "embed"];
    let is_embedded = |name: &str| EMBEDDED.iter().any(|known| known.eq_ignore_ascii_case(name));
    let mut tokens = Scanner::new(html);
    tokens.any(|token| matches!(token.kind, TokenKind::Start { name, .. } if is_embedded(name)))
        || !text(html).is_empty()
}

/// Marks the end of a line. A body cannot contain it: character references cannot produce it, and `push`
/// drops it.
const LINE_END: char = '\0';

/// How the content of a raw text element is shown.
#[derive(Clone, Copy)]
enum RawContent {
    Hidden,
    /// Character references are decoded.
    Escaped,
    Verbatim,
}

impl RawContent {
    fn of(name: &str) -> Self {
        let is = |known: &[&str]| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&["textarea"]) {
            RawContent::Escaped
        } else if is(&["xmp", "plaintext"]) {
            RawContent::Verbatim
        } else {
            RawContent::Hidden
        }
    }
}

/// Elements that start and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "select",
    "summary",
    "table",
    "tbody",
    "textarea",
    "tfoot",
    "thead",
    "title",
    "tr",
    "ul",
    "xmp",
];

/// The separator between the words on both sides of a tag.
fn separator(name: &str) -> &'static str {
    if BLOCKS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        "\0"
    } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
        " "
    } else {
        ""
    }
}

/// Appends a text without soft hyphens and other invisible break opportunities, which would split words.
pub(super) fn push(text: &mut String, piece: &str) {
    text.extend(
        piece
            .chars()
            .filter(|letter| !matches!(letter, '\0' | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')),
    );
}

/// Joiners and direction marks matter between letters, but are invisible alone.
fn is_visible_char(letter: char) -> bool {
    !letter.is_whitespace() && !matches!(letter, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
}

/// The text without markup, cut after `max_chars` characters.
pub fn excerpt(text: &str, max_chars: usize) -> String {
    let has_markup =
        text.contains("</") || text.contains("/>") || text.contains("<br") || text.contains("<p");
    let plain = if has_markup { self::text(text) } else { text.to_owned() };
    match plain.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines() {
        assert_eq!(
            text("<p>Hello&nbsp;<b>you</b></p>\n<p>1 &lt; 2 &amp;&amp; 3&#33;</p>"),
            "Hello you\n1 < 2 && 3!"
        );
        assert_eq!(text("one<br/>two<br>three"), "one\ntwo\nthree");
        assert_eq!(text("<table><tr><td>a</td><td>b</td></tr></table>"), "a b");
        assert_eq!(text("<dl><dt>a<dd>b</dl><details><summary>c</summary>d</details>"), "a\nb\nc\nd");
        assert_eq!(text("<p>line\nbroken\tin source</p>"), "line broken in source");
    }

    #[test]
    fn broken_markup_is_text_or_nothing() {
        assert_eq!(text("a < b"), "a < b");
        assert_eq!(text("<p>cut off <b"), "cut off");
        assert_eq!(text("<!-- note --><style>p{}</style>x & y &unknown; &"), "x & y &unknown; &");
        assert_eq!(text("5 <3 ü&"), "5 <3 ü&");
        assert_eq!(text("&ü;"), "&ü;");
        assert_eq!(text("a<!-- cut off"), "a");
        assert_eq!(text("a<script>cut off"), "a");
    }

    #[test]
    fn text_that_browsers_hide_is_hidden() {
        for hidden in [
            "<img alt=\"5 > 4 word\" src=\"x\">",
            "<a title='a > word'></a>",
            "<a title = \n\"a > word\"></a>",
            "<!-- a > word -->",
            "<!-- a --!> <script>word</script>",
            "<script>if (a > b) \"<p>word</p>\"</script>",
            "<style>a > b { content: 'word' } </stylex></style>",
            "<STYLE>word</STYLE >",
            "<iframe src=\"x\">word</iframe>",
            "<noscript>word</noscript>",
            "<title>word</title>",
            "<![CDATA[word]]>",
            "<?xml word?>",
            "<!doctype word>",
            "</word>",
            "<p word",
        ] {
            assert_eq!(text(&format!("before {hidden}")), "before", "{hidden}");
        }
        assert_eq!(text("<img alt=\"5 > 4 word\" src=\"x\"> &star; after"), "☆ after");
        assert_eq!(text("<textarea>a &lt; <b></textarea><xmp>&lt;</xmp>"), "a < <b>\n&lt;");
    }

    #[test]
    fn all_character_references_are_decoded() {
        assert_eq!(text("caf&eacute; &yuml;&iexcl; it&rsquo;s 5&euro;"), "café ÿ¡ it’s 5€");
        assert_eq!(text("&star;&CounterClockwiseContourIntegral;&NotEqualTilde;"), "☆∳≂̸");
        assert_eq!(text("&#9734;&#x2606;&#X2606;&#150;&copy 2026 &ampere"), "☆☆☆–© 2026 &ere");
        assert_eq!(text("&#0;&#x110000;"), "\u{fffd}\u{fffd}");
        assert_eq!(text("&amp;lt;b&amp;gt;"), "&lt;b&gt;");
    }

    #[test]
    fn break_opportunities_do_not_split_words() {
        assert_eq!(text("check&shy;out&#8203;fails&ZeroWidthSpace;\u{feff}"), "checkoutfails");
        assert_eq!(text("👩\u{200d}🚀"), "👩\u{200d}🚀");
    }

    #[test]
    fn an_empty_paragraph_is_not_visible() {
        for empty in [
            "",
            "<p></p>",
            "<p class=\"no-margin\">&nbsp; \u{a0}<br></p>",
            "<!-- <img> -->",
            "<p>&#8203;&zwnj;&zwj;</p>",
            "<p title=\"a > b\"></p>",
            "<script>'<img>'</script>",
        ] {
            assert!(!is_visible(empty), "{empty}");
        }
        for something in ["ok", "<p>ok</p>", "<div><IMG src=\"a.png\"></div>", "<iframe src=x></iframe>"] {
            assert!(is_visible(something), "{something}");
        }
    }
}
