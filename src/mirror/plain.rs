//! What a reader sees of a message body.
//!
//! Bodies are HTML written by anybody: unclosed tags, stray `<`, unknown entities. Nothing here fails
//! or renders; the text is for looking at and for telling an empty message from a message.

/// The text of a body, one line per block, trimmed, with inner white space folded.
pub fn text(html: &str) -> String {
    let mut lines = vec![String::new()];
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push(&mut lines, &rest[..at]);
        rest = match Markup::read(&rest[at..]) {
            Some((markup, after)) => {
                match markup {
                    Markup::Block => lines.push(String::new()),
                    Markup::Cell => push(&mut lines, " "),
                    Markup::Inline => {}
                }
                after
            }
            None => {
                push(&mut lines, "<");
                &rest[at + 1..]
            }
        };
    }
    push(&mut lines, rest);
    let lines = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Whether there is anything to see: text, or an image or another embedded thing.
pub fn is_visible(html: &str) -> bool {
    let embeds =
        || ["<img", "<iframe", "<video", "<audio"].iter().any(|tag| contains_ignoring_case(html, tag));
    embeds() || !text(html).is_empty()
}

enum Markup {
    Block,
    Cell,
    Inline,
}

const BLOCKS: &[&str] = &[
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "hr",
    "blockquote",
    "section",
    "article",
];

impl Markup {
    /// The tag or comment at the start of `html`, and what follows it. `None` when the `<` is a text.
    fn read(html: &str) -> Option<(Markup, &str)> {
        if let Some(comment) = html.strip_prefix("<!--") {
            return Some((Markup::Inline, comment.split_once("-->").map_or("", |(_, after)| after)));
        }
        let inside = html[1..].strip_prefix('/').unwrap_or(&html[1..]);
        if !inside.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '!') {
            return None;
        }
        let (tag, after) = inside.split_once('>').unwrap_or((inside, ""));
        let name =
            tag.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or("").to_lowercase();
        let hidden = matches!(name.as_str(), "style" | "script") && !html.starts_with("</");
        if hidden {
            let end = after.find("</").map_or("", |at| &after[at..]);
            return Some((Markup::Inline, end));
        }
        let markup = match name.as_str() {
            name if BLOCKS.contains(&name) => Markup::Block,
            "td" | "th" => Markup::Cell,
            _ => Markup::Inline,
        };
        Some((markup, after))
    }
}

fn push(lines: &mut [String], text: &str) {
    let Some(line) = lines.last_mut() else { return };
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        line.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest[1..].find(';').filter(|length| *length <= 8).map(|length| &rest[1..=length]);
        match name.and_then(|name| Some((entity(name)?, name.len() + 2))) {
            Some((letter, length)) => {
                line.push(letter);
                rest = &rest[length..];
            }
            None => {
                line.push('&');
                rest = &rest[1..];
            }
        }
    }
    line.push_str(rest);
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        // Invisible in print, so a body of nothing else is empty.
        "zwnj" | "#8203" | "#x200b" | "#65279" | "#xfeff" => ' ',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "euro" => '€',
        "bull" => '•',
        "trade" => '™',
        _ => {
            let Some(code) = name.strip_prefix('#') else { return latin(name) };
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// The names of U+00A1 to U+00FF, in order.
#[rustfmt::skip]
const LATIN: [&str; 95] = [
    "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy",
    "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm",
    "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring",
    "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde",
    "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml",
    "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil",
    "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute",
    "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

fn latin(name: &str) -> Option<char> {
    let place = LATIN.iter().position(|it| *it == name)?;
    char::from_u32(0xa1 + u32::try_from(place).ok()?)
}

fn contains_ignoring_case(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
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
    }

    #[test]
    fn broken_markup_is_text_or_nothing() {
        assert_eq!(text("a < b"), "a < b");
        assert_eq!(text("<p>cut off <b"), "cut off");
        assert_eq!(text("<!-- note --><style>p{}</style>x & y &unknown; &"), "x & y &unknown; &");
        assert_eq!(text("5 <3 ü&"), "5 <3 ü&");
        assert_eq!(text("caf&eacute; &yuml;&iexcl; it&rsquo;s 5&euro;"), "café ÿ¡ it’s 5€");
        assert_eq!(text("&ü;"), "&ü;");
    }

    #[test]
    fn an_empty_paragraph_is_nothing_to_see() {
        for empty in ["", "<p></p>", "<p class=\"no-margin\">&nbsp; \u{a0}<br></p>", "<!-- x -->"] {
            assert!(!is_visible(empty), "{empty}");
        }
        for something in ["ok", "<p>ok</p>", "<div><IMG src=\"a.png\"></div>"] {
            assert!(is_visible(something), "{something}");
        }
    }
}
