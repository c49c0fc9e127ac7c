//! Updates the links in files after the paths of other files changed.
//!
//! A pull turns links into the paths of articles that it wrote later; files with local edits must not be
//! rewritten. A push renames new files; only the address of a link is rewritten then, never anything else in
//! the author's file.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use super::error::Error;
use super::folder::Folder;
use super::manifest::{self, Manifest, markdown_sha256};
use crate::articles::convert::addresses::{relative_path, resolve_path, rewrite_links};
use crate::articles::convert::blocks::Document;
use crate::articles::convert::front_matter;
use crate::articles::convert::html::scan::links;
use crate::articles::convert::markdown::options;

/// Writes files again that may link to articles which were added or moved after the file was written.
pub fn relink_pulled(
    folder: &Folder,
    manifest: &mut Manifest,
    is_affected: impl Fn(&str, &str) -> bool,
) -> Result<(), Error> {
    let files = manifest.articles.iter().flat_map(|(id, known)| {
        known.files.iter().map(move |(locale, file)| (id.clone(), locale.clone(), file.path.clone()))
    });
    let files: Vec<_> = files.filter(|(id, locale, _)| is_affected(id, locale)).collect();
    for (id, locale, path) in files {
        let Some(Ok(text)) = folder.read(&path)?.map(String::from_utf8) else { continue };
        let known = manifest.file(&id, &locale).map(|known| known.markdown_sha256.as_str());
        let Ok((_, body)) = front_matter::parse(&text) else { continue };
        if known != Some(markdown_sha256(&text).as_str()) {
            continue;
        }
        let Ok(html) = manifest::read_html(folder, &id, &locale) else { continue };
        let head = &text[..text.len() - body.len()];
        let markdown = Document::read(&html, &manifest.address_map(&path)).markdown();
        let file = format!("{head}\n{markdown}");
        if file == text {
            continue;
        }
        folder.write(&path, file.as_bytes())?;
        let known = manifest.articles.get_mut(&id).and_then(|known| known.files.get_mut(&locale));
        if let Some(known) = known {
            known.markdown_sha256 = markdown_sha256(&file);
        }
    }
    Ok(())
}

/// Points links to files that a push renamed. `renamed` has the old and the new path of each.
pub fn relink_renamed(
    folder: &Folder,
    manifest: &mut Manifest,
    renamed: &[(String, String)],
) -> Result<(), Error> {
    if renamed.is_empty() {
        return Ok(());
    }
    for path in folder.markdown_files()? {
        let Some(Ok(text)) = folder.read(&path)?.map(String::from_utf8) else { continue };
        let mentions = |from: &str| from.rsplit('/').next().is_some_and(|name| text.contains(name));
        if !renamed.iter().any(|(from, _)| mentions(from)) || !text.starts_with("---") {
            continue;
        }
        let change = |href: &str| {
            let (address, fragment) = href.split_once('#').unwrap_or((href, ""));
            let target = resolve_path(&path, address.split('?').next().unwrap_or_default())?;
            let (_, to) = renamed.iter().find(|(from, _)| *from == target)?;
            let hash = if fragment.is_empty() { "" } else { "#" };
            Some(format!("{}{hash}{fragment}", relative_path(&path, to)))
        };
        let changed = relink_file(&text, change);
        if changed == text {
            continue;
        }
        folder.write(&path, changed.as_bytes())?;
        let files = manifest.articles.values_mut().flat_map(|known| known.files.values_mut());
        for known in files.filter(|known| known.path == path) {
            if known.markdown_sha256 == markdown_sha256(&text) {
                known.markdown_sha256 = markdown_sha256(&changed);
            }
        }
    }
    manifest.save(folder)
}

fn relink_file(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let Ok((_, body)) = front_matter::parse(text) else { return text.to_owned() };
    let head = &text[..text.len() - body.len()];
    format!("{head}{}", relink(body, change))
}

/// Replaces the link addresses in Markdown for which `change` returns a new one.
fn relink(body: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let parser = Parser::new_ext(body, options());
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut edit = |source: Range<usize>, href: &str| {
        // In links and in definitions, the address is the last occurrence of its text.
        let at = body.get(source.clone()).and_then(|source| source.rfind(href));
        if let (Some(at), Some(changed)) = (at, change(href)) {
            let at = source.start + at;
            edits.push((at..at + href.len(), changed));
        }
    };
    for (_, definition) in parser.reference_definitions().iter() {
        edit(definition.span.clone(), &definition.dest);
    }
    let mut html = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => edit(range, &dest_url),
            Event::Html(_) | Event::InlineHtml(_) => html.push(range),
            _ => {}
        }
    }
    for range in html {
        let source = &body[range.clone()];
        if links(source).any(|(_, href)| change(&href).is_some()) {
            edits.push((range, rewrite_links(source, &change).into_owned()));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let (mut out, mut copied) = (String::with_capacity(body.len()), 0);
    for (range, changed) in edits {
        if range.start >= copied {
            out.push_str(&body[copied..range.start]);
            out.push_str(&changed);
            copied = range.end;
        }
    }
    out.push_str(&body[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_link_addresses_change() {
        let body = "b.md [b.md](b.md) [x](b.md#a \"t\") [y][r] `b.md` [z](ab.md)\n\n<a href=\"b.md\">b.md</a>\n\n\
                    - a <a class=\"c\" href='b.md'>x</a>\n\n[r]: b.md\n";
        let change = |href: &str| {
            let rest = href.strip_prefix("b.md")?;
            Some(format!("7-b.en.md{rest}"))
        };
        assert_eq!(
            relink(body, change),
            "b.md [b.md](7-b.en.md) [x](7-b.en.md#a \"t\") [y][r] `b.md` [z](ab.md)\n\n\
             <a href=\"7-b.en.md\">b.md</a>\n\n- a <a class=\"c\" href='7-b.en.md'>x</a>\n\n[r]: 7-b.en.md\n"
        );
    }
}
