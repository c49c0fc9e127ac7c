//! The converter with arbitrary HTML: it loses nothing, never hangs, and its Markdown keeps the meaning.
//!
//! The meaning of HTML is determined with html5ever, which the converter does not use.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};
use intercom::articles::convert::addresses::AddressMap;
use intercom::articles::convert::blocks::{Document, EditedDocument};
use intercom::articles::convert::markdown::read;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

use crate::articles::help_center::{PIECES, body};

/// The part of HTML that Markdown can express: element names (with synonyms unified), texts with collapsed
/// white space, and the attributes that Markdown supports.
fn meaning(html: &str) -> String {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let dom = parse_fragment(RcDom::default(), ParseOpts::default(), context, vec![], false).one(html);
    let mut out = String::new();
    walk(&dom.document, &mut out, false);
    out.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn walk(node: &Handle, out: &mut String, verbatim: bool) {
    match &node.data {
        NodeData::Text { contents } if verbatim => {
            out.push_str(&format!(" {:?}", contents.borrow().trim_end_matches('\n')))
        }
        NodeData::Text { contents } => out.push_str(&contents.borrow()),
        NodeData::Element { name, attrs, .. } => {
            let name = match name.local.as_ref() {
                "strong" => "b",
                "em" => "i",
                "del" | "strike" => "s",
                "th" => "td",
                other => other,
            };
            let attributes = attrs.borrow();
            let attribute = |name: &str| {
                attributes
                    .iter()
                    .find(|attribute| &*attribute.name.local == name)
                    .map(|attribute| attribute.value.to_string())
            };
            // Markdown does not express wrappers, nor whether list items and cells contain a paragraph.
            let is_visible = !matches!(name, "html" | "div" | "p" | "tbody" | "thead" | "tfoot" | "code");
            if is_visible || name == "code" && !verbatim {
                out.push_str(&format!(" <{name}"));
                for known in ["href", "src", "alt", "start", "title"] {
                    if let Some(value) = attribute(known).filter(|value| !value.is_empty()) {
                        out.push_str(&format!(
                            " {known}={:?}",
                            intercom::articles::convert::normalize::strip_signature(&value)
                        ));
                    }
                }
                out.push_str("> ");
            } else {
                out.push(' ');
            }
            let verbatim = verbatim || name == "pre";
            node.children.borrow().iter().for_each(|child| walk(child, out, verbatim));
            out.push_str(if is_visible { " </> " } else { " " });
        }
        _ => node.children.borrow().iter().for_each(|child| walk(child, out, verbatim)),
    }
}

#[track_caller]
fn check(html: &str) {
    let addresses = AddressMap::default();
    let document = Document::read(html, &addresses);
    let mut whole = String::new();
    for block in &document.blocks {
        assert!(html[block.before.clone()].trim_ascii().is_empty());
        whole.push_str(&html[block.before.start..block.html.end]);
        let (found, _) = read::split_blocks(&block.markdown);
        assert_eq!(found.len(), 1, "{:?}", block.markdown);
        let rendered = read::block_html(&block.markdown, found[0].form, "", &|_| None);
        if block.raw {
            assert_eq!(
                rendered.trim_ascii(),
                intercom::articles::convert::normalize::normalize_line_endings(document.source(block))
                    .trim_ascii()
            );
        } else {
            assert_eq!(meaning(&rendered), meaning(document.source(block)), "{:?}", block.markdown);
        }
    }
    whole.push_str(&html[document.tail.clone()]);
    assert_eq!(whole, html);
    intercom::articles::convert::check_round_trip(html);
}

#[test]
fn constructs_of_real_articles_round_trip() {
    PIECES.iter().for_each(|piece| check(piece));
    (0..200).for_each(|number| check(&body(number)));
    for html in [
        "",
        " ",
        "text",
        "a<br>b",
        "<p>a<p>b",
        "<ul><li>a<li>b</ul>",
        "<b>x</b><p>y</p>",
        "<!-- c --><p>a</p>",
        "<p>**a** _b_</p>",
        "<table><tr><td colspan=2>a</td></tr></table>",
        "<p>a\r\nb</p>",
        "<pre>\n\nx\n\n</pre>",
        "<p>]]> &amp;amp; &notanentity; &copy</p>",
        "<a href='x y'>z</a>",
        "<p><a href=\"a)b(c\">d</a></p>",
        "<img alt='a]b' src='c d.png'>",
        "<details><p>a</p></details>",
        "<details><summary>a</summary><details><summary>b</summary><p>c</p></details></details>",
        "<h2></h2>",
        "<ul></ul>",
        "<p>a</p>&nbsp;<p>b</p>",
        "<svg><path d='M0'/></svg>",
        "<script>if (a < b) { '</p>' }</script><p>x</p>",
        "<P CLASS=x>Y</P>",
        "<p>[x]: y</p>",
        "<p>+ a</p><p>- b</p><p>1) c</p><p>=== </p><p>--- </p><p>| a |</p>",
        "<p>&lt;b&gt; &#60;i&#62;</p>",
        "<p>a  b\tc</p>",
        "<ul><li><h2>a</h2><pre><code>b\n\nc</code></pre></li><li><blockquote>d</blockquote></li></ul>",
        "<p>x<b>y</b>z <i>a</i>b</p>",
        "<p>!<a href=\"x\">y</a></p>",
        "<p><code>a`b</code> <code> c </code></p>",
        "<p>http://a_b_c.test/*d*</p>",
    ] {
        check(html);
    }
}

#[test]
fn large_and_deep_input_is_read() {
    let deep =
        |tag: &str| format!("{}x{}", format!("<{tag}>").repeat(10_000), format!("</{tag}>").repeat(10_000));
    for html in [
        deep("div"),
        deep("b"),
        deep("ul><li"),
        deep("blockquote"),
        "<p>".repeat(10_000),
        "<".repeat(300_000),
        "</x>".repeat(50_000),
        "<div ".repeat(50_000),
        "&".repeat(200_000),
        "<!--".repeat(50_000),
        "<details><summary>".repeat(5_000),
        format!("<p>{}</p>", "word ".repeat(200_000)),
        "<p>a</p>".repeat(20_000),
        "*_`[".repeat(10_000),
        format!("<p>{}</p>", "[".repeat(50_000)),
        format!("<p>{}</p>", "*a ".repeat(50_000)),
    ] {
        let document = Document::read(&html, &AddressMap::default());
        assert_eq!(document.html, html);
        let _ = document.markdown();
    }
    let markdown = format!("{}a\n\n{}", "> ".repeat(5_000), "- ".repeat(2_000));
    let _ =
        EditedDocument::read(&markdown, &Document::read("", &AddressMap::default()), &AddressMap::default());
}

/// Mostly well-formed HTML.
fn html() -> impl Strategy<Value = String> {
    let word = "[a-z*_`#.!\\[\\]()~|+:>\\\\ \u{e9}-]{1,9}|&amp;|&lt;|&nbsp;|1\\.|😀";
    let inline = word.prop_recursive(3, 24, 4, |inner| {
        let many = prop::collection::vec(inner, 1..4).prop_map(|parts| parts.concat());
        ("b|i|em|strong|s|code|u|a href=\"/x?a=1&amp;b=2\"|span class=\"x\"", many).prop_map(
            |(tag, inner)| {
                let name = tag.split(' ').next().unwrap_or_default().to_owned();
                format!("<{tag}>{inner}</{name}>")
            },
        )
    });
    let inline = prop::collection::vec(
        prop_oneof![8 => inline, 1 => Just("<br>".to_owned()), 1 => Just("<img src=\"/i.png\" alt=\"a\">".to_owned())],
        0..5,
    );
    let block = inline.prop_map(|parts| parts.concat()).prop_flat_map(|inner| {
        prop_oneof![
            Just(format!("<p>{inner}</p>")),
            Just(format!("<h2 id=\"h_1\">{inner}</h2>")),
            Just(inner.clone()),
            Just(format!("<ul><li>{inner}</li><li><p>{inner}</p></li></ul>")),
            Just(format!("<table><tr><td>{inner}</td><td>b</td></tr></table>")),
            Just(format!("<pre><code>{}</code></pre>", inner.replace('<', "&lt;"))),
            Just(format!("<div>{inner}")),
            Just(format!("<!-- {} -->", inner.replace('-', ""))),
        ]
    });
    let block = block.prop_recursive(2, 12, 3, |inner| {
        let many = prop::collection::vec(inner, 1..3).prop_map(|parts| parts.concat());
        ("blockquote|details><summary>s</summary|div class=\"intercom-interblocks-callout\"|ul><li|div", many)
            .prop_map(|(tag, inner)| match tag.as_str() {
                "ul><li" => format!("<ul><li>{inner}</li></ul>"),
                other => format!("<{other}>{inner}</{}>", other.split(['>', ' ']).next().unwrap_or_default()),
            })
    });
    let gap = prop_oneof![Just(""), Just("\n"), Just("  \n\n")];
    prop::collection::vec((block, gap), 0..7)
        .prop_map(|parts| parts.into_iter().map(|(block, gap)| block + gap).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_html_round_trips(html in html()) {
        check(&html);
    }

    #[test]
    fn any_text_round_trips(text in "\\PC{0,200}|[<>/a-z \"'=&;!-]{0,200}") {
        intercom::articles::convert::check_round_trip(&text);
    }
}
