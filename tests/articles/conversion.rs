//! HTML to Markdown and back, judged by another parser than the program's own.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};
use intercom::articles::body::{self, Body, Style};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

/// A fragment as a browser sees it: elements with sorted attributes, text with folded white space.
fn seen(html: &str) -> String {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let dom = parse_fragment(RcDom::default(), ParseOpts::default(), context, Vec::new(), false).one(html);
    let mut text = String::new();
    show(&dom.document, false, &mut text);
    text
}

const INLINE: [&str; 13] =
    ["a", "b", "i", "u", "s", "em", "strong", "code", "img", "span", "sup", "br", "del"];

fn show(node: &Handle, verbatim: bool, out: &mut String) {
    match &node.data {
        NodeData::Text { contents } if verbatim => out.push_str(&format!("{:?}", contents.borrow())),
        NodeData::Text { contents } => {
            for character in contents.borrow().chars() {
                match character {
                    ' ' | '\n' | '\t' | '\r' if out.ends_with([' ', '\u{1}']) => {}
                    ' ' | '\n' | '\t' | '\r' => out.push(' '),
                    other => out.push(other),
                }
            }
        }
        NodeData::Element { name, attrs, .. } => {
            let block = !INLINE.contains(&&*name.local) || &*name.local == "br";
            let trim = |out: &mut String| {
                if block && !verbatim {
                    out.truncate(out.trim_end_matches(' ').len());
                }
            };
            trim(out);
            let mut attributes: Vec<_> =
                attrs.borrow().iter().map(|it| format!(" {}={:?}", it.name.local, it.value)).collect();
            attributes.sort();
            let edge = if block { "\u{1}" } else { "" };
            out.push_str(&format!("<{}{}>{edge}", name.local, attributes.concat()));
            node.children
                .borrow()
                .iter()
                .for_each(|child| show(child, verbatim || &*name.local == "pre", out));
            trim(out);
            out.push_str(&format!("</{}>{edge}", name.local));
        }
        NodeData::Comment { contents } => out.push_str(&format!("<!--{contents}-->")),
        _ => node.children.borrow().iter().for_each(|child| show(child, verbatim, out)),
    }
}

/// Every byte comes back, and every block's Markdown gives the markup that it stands for.
fn holds(html: &str) {
    let body = Body::read(html);
    assert_eq!(body.html(), html);
    for block in &body.blocks {
        let again = body::rendered(&block.markdown, block);
        assert_eq!(
            seen(again.trim()).trim(),
            seen(block.html.trim()).trim(),
            "{html:?}\n{:?}\n{again:?}",
            block.markdown
        );
    }
    let base = Style::default();
    let pieces = body::pieces_of(&body.markdown());
    assert_eq!(pieces.len(), body.blocks.len(), "{html:?}");
    for (piece, block) in pieces.iter().zip(&body.blocks) {
        assert_eq!(body::html_of(piece, Some(block), &base, ""), block.html);
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z \\*_`#\\[\\]\\(\\)!~|>+.0-9=:-]{0,20}",
        "[\u{e0}-\u{ff}\u{627}-\u{64a}\u{1f600}-\u{1f610} ]{0,6}",
        prop::sample::select(vec![
            "&amp;",
            "&lt;b&gt;",
            "&nbsp;",
            "&#42;",
            "&copy;",
            "&amp;amp;",
            "&",
            "<",
            "1. x",
            "- y",
            "\n",
            "\\",
            "\\*",
            "~~a~~",
            "https://a_b.c/_d_"
        ])
        .prop_map(str::to_owned),
    ]
}

fn inline() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => text(),
        1 => Just("<br>".to_owned()),
        1 => text().prop_map(|it| format!("<code>{it}</code>")),
        1 => Just("<img src=\"https://x.y/a(b).png?c=1&amp;d=2\" alt=\"A [b]\">".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_flat_map(|parts| {
            let inside = parts.concat();
            prop::sample::select(vec![
                inside.clone(),
                format!("<b>{inside}</b>"),
                format!("<i>{inside}</i>"),
                format!("<strong>{inside}</strong>"),
                format!("<a href=\"https://x.y/{}\" target=\"_blank\">{inside}</a>", inside.len()),
                format!("<u style=\"x\">{inside}</u>"),
            ])
        })
    })
}

fn document() -> impl Strategy<Value = String> {
    let simple = (inline(), 0..10).prop_map(|(it, kind)| match kind {
        0 => format!("<h2 id=\"h_1\">{it}</h2>"),
        1 => format!("<p class=\"no-margin\">{it}</p>"),
        2 => format!("<p class=\"intercom-align-right\">{it}</p>"),
        3 => format!("<pre><code>{it}</code></pre>"),
        4 => format!("<div class=\"intercom-container\">{it}</div>"),
        5 => it,
        6 => format!("<table><tbody><tr><td>{it}</td><td>x</td></tr><tr><td></td><td>{it}</td></tr></tbody></table>"),
        7 => format!("<p class=\"intercom-align-center\"><a class=\"intercom-h2b-button\" href=\"https://x.y\">{it}</a></p>"),
        _ => format!("<p>{it}</p>"),
    });
    let block = simple.prop_recursive(3, 16, 3, |inner| {
        (prop::collection::vec(inner, 1..4), 0..7).prop_map(|(parts, kind)| match kind {
            0 => format!("<ul><li>{}</li></ul>", parts.join("</li><li>")),
            1 => format!("<ol start=\"3\">\n<li>{}</li>\n</ol>", parts.join("</li>\n<li>")),
            2 => format!("<blockquote>{}</blockquote>", parts.concat()),
            3 => format!(
                "<div class=\"intercom-interblocks-callout\" style=\"background-color: #d7efdc80;\">{}</div>",
                parts.concat()
            ),
            4 => format!("<details><summary>{}</summary>{}</details>", parts[0], parts.concat()),
            _ => parts.join("\n\n"),
        })
    });
    prop::collection::vec(block, 0..5).prop_map(|blocks| blocks.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_an_editor_can_make_comes_back(html in document()) {
        holds(&html);
    }

    #[test]
    fn any_text_is_split_and_put_together(html in "[<>/a-z=\"' &;!\n-]{0,200}") {
        let body = Body::read(&html);
        prop_assert_eq!(body.html(), html);
    }

    #[test]
    fn any_markdown_is_rendered(markdown in "[<>/a-z*_`#|~\\[\\]()!&; \n:.0-9-]{0,200}") {
        intercom::articles::body::probe(markdown.as_bytes());
    }
}

#[test]
fn the_constructs_of_real_bodies_come_back() {
    holds(super::WILD);
}
