//! The Markdown of a file as a row of pieces, one per block.
//!
//! Markdown has its own blocks; two more are ours: a collapsible (`<details>` … `</details>`, each on a line
//! of its own) and HTML that is kept as it is, between `<!-- html -->` and `<!-- /html -->`. A line
//! `<!-- -->` keeps two lists apart and is no block.

use pulldown_cmark::{Event, Options, Parser};

/// Keeps two lists from becoming one.
const SEPARATOR: &str = "<!-- -->";

pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM
}

/// The pieces in order, without the empty lines between them.
pub fn split(markdown: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut lines = markdown.split_inclusive('\n');
    let mut fence: Option<String> = None;
    while let Some(line) = lines.next() {
        let bare = line.trim_end();
        fence = match fence {
            Some(open)
                if bare.trim_start().starts_with(&open)
                    && bare.trim().trim_start_matches(&open[..1]).is_empty() =>
            {
                None
            }
            Some(open) => Some(open),
            None => opened_fence(bare),
        };
        let region = match fence {
            Some(_) => None,
            None if bare.starts_with("<details") => Some(region_of_details(line, &mut lines)),
            None => raw_end(bare).map(|end| region_until(line, &end, &mut lines)),
        };
        match region {
            None => plain.push_str(line),
            Some(region) => {
                split_plain(&std::mem::take(&mut plain), &mut pieces);
                pieces.push(region.trim_end().to_owned());
            }
        }
    }
    split_plain(&plain, &mut pieces);
    pieces
}

/// The text of a file that has these pieces.
pub fn join<'a>(pieces: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut before: Option<&str> = None;
    for piece in pieces {
        if let Some(before) = before {
            text.push_str("\n\n");
            if list_kind(before).is_some() && list_kind(before) == list_kind(piece) {
                text.push_str(&format!("{SEPARATOR}\n\n"));
            }
        }
        text.push_str(piece);
        before = Some(piece);
    }
    if before.is_some() {
        text.push('\n');
    }
    text
}

/// HTML as a piece that is taken as it is.
pub fn raw(html: &str) -> String {
    let mut number = 1;
    let mut mark = "html".to_owned();
    while html.contains(&format!("<!-- /{mark} -->")) {
        number += 1;
        mark = format!("html:{number}");
    }
    format!("<!-- {mark} -->\n{html}\n<!-- /{mark} -->")
}

/// The HTML inside of such a piece.
pub fn raw_content(piece: &str) -> Option<&str> {
    let (first, rest) = piece.split_once('\n')?;
    let end = raw_end(first.trim_end())?;
    let rest = rest.trim_end();
    let rest = rest.strip_suffix(&end).unwrap_or(rest);
    Some(rest.strip_suffix('\n').unwrap_or(rest))
}

/// The line that ends what this line begins.
fn raw_end(line: &str) -> Option<String> {
    let mark = line.strip_prefix("<!-- html")?.strip_suffix(" -->")?;
    let number = mark.strip_prefix(':').unwrap_or(mark);
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("<!-- /html{mark} -->"))
}

fn opened_fence(line: &str) -> Option<String> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = text.chars().take_while(|other| *other == mark).count();
    let inline = mark == '`' && text[length..].contains('`');
    (length >= 3 && line.len() - text.len() < 4 && !inline).then(|| text[..length].to_owned())
}

fn region_until<'a>(first: &str, end: &str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut region = first.to_owned();
    for line in lines {
        region.push_str(line);
        if line.trim_end() == end {
            break;
        }
    }
    region
}

fn region_of_details<'a>(first: &str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let ends = |line: &str| line.matches("</details>").count();
    let mut depth = first.matches("<details").count().saturating_sub(ends(first));
    let mut region = first.to_owned();
    let mut raw: Option<String> = None;
    while depth > 0 {
        let Some(line) = lines.next() else { break };
        region.push_str(line);
        let bare = line.trim_end();
        match &raw {
            Some(end) if bare == end => raw = None,
            Some(_) => {}
            None => {
                raw = raw_end(bare);
                if bare.starts_with("<details") || bare.starts_with("</details>") {
                    depth = (depth + bare.matches("<details").count()).saturating_sub(ends(bare));
                }
            }
        }
    }
    region
}

fn split_plain(text: &str, pieces: &mut Vec<String>) {
    let mut depth = 0_usize;
    let mut starts = Vec::new();
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        match event {
            Event::Start(_) => {
                if depth == 0 {
                    starts.push(range.start);
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            _ if depth == 0 => starts.push(range.start),
            _ => {}
        }
    }
    // Definitions of link targets are no events; they belong to the piece before them.
    if let Some(first) = starts.first_mut() {
        *first = 0;
    } else if !text.trim().is_empty() {
        starts.push(0);
    }
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(text.len());
        let piece = text[*start..end].trim_matches(['\n', '\r']).trim_end();
        if piece != SEPARATOR && !piece.is_empty() {
            pieces.push(piece.to_owned());
        }
    }
}

fn list_kind(piece: &str) -> Option<char> {
    let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
    match piece.as_bytes() {
        [mark @ (b'-' | b'*' | b'+'), b' ', ..] => Some(char::from(*mark)),
        bytes if digits > 0 && bytes.get(digits) == Some(&b'.') => Some('.'),
        _ => None,
    }
}
