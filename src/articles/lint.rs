//! Mistakes that readers would notice: dead links between articles, missing translations, pictures without
//! a description, headings that skip a level. Reads files only.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::folder::Folder;
use super::outcome::Selection;
use super::page::{self, Page};
use super::store::Manifest;

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    /// From 1, in the file.
    pub line: usize,
    pub rule: &'static str,
    pub message: String,
}

/// # Errors
/// When the folder or its manifest cannot be read. A file that cannot be read is a finding.
pub fn lint(folder: &Folder, selection: &Selection) -> Result<Vec<Finding>, Error> {
    let manifest = Manifest::read(folder)?.ok_or_else(|| Error::NoManifest(folder.root().to_owned()))?;
    let mut findings = Vec::new();
    for (path, entry) in &manifest.files {
        if !selection.takes(&entry.id, path) || !selection.takes_locale(&entry.locale) || !folder.exists(path)
        {
            continue;
        }
        let bytes = folder.read(path)?;
        match page::read(&bytes) {
            Err((line, message)) => {
                findings.push(Finding { path: path.clone(), line, rule: "front-matter", message })
            }
            Ok(page) => {
                let text = String::from_utf8_lossy(&bytes);
                let offset = text.lines().count() - page.markdown.lines().count();
                check(path, &page, offset, &manifest, &mut findings);
            }
        }
    }
    translations(&manifest, selection, &mut findings);
    Ok(findings)
}

fn check(path: &str, page: &Page, offset: usize, manifest: &Manifest, findings: &mut Vec<Finding>) {
    let known: BTreeSet<&str> = manifest.files.values().map(|entry| entry.id.as_str()).collect();
    let mut level = None;
    let mut fence = false;
    for (index, line) in page.markdown.lines().enumerate() {
        let mut find = |rule, message: String| {
            findings.push(Finding { path: path.to_owned(), line: offset + index + 1, rule, message });
        };
        if line.trim_start().starts_with("```") {
            fence = !fence;
        }
        if fence {
            continue;
        }
        let pictures = line.split("<img").skip(1).filter_map(|rest| rest.split('>').next());
        if line.contains("![](")
            || pictures.clone().any(|tag| !tag.contains("alt=\"") || tag.contains("alt=\"\""))
        {
            find("alt-text", "a picture has no description".into());
        }
        let depth = line.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&depth) && line[depth..].starts_with(' ') {
            if let Some(before) = level.filter(|before| depth > before + 1) {
                find("heading-jump", format!("a heading of level {depth} follows one of level {before}"));
            }
            level = Some(depth);
        }
        for rest in line.split("/articles/").skip(1) {
            let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !id.is_empty() && !known.contains(id.as_str()) && !rest[id.len()..].starts_with('/') {
                find("dead-link", format!("there is no article {id}"));
            }
        }
    }
}

/// Articles that lack a language which others have.
fn translations(manifest: &Manifest, selection: &Selection, findings: &mut Vec<Finding>) {
    let all: BTreeSet<&str> = manifest.files.values().map(|entry| entry.locale.as_str()).collect();
    let mut by_article: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for (path, entry) in &manifest.files {
        let known = by_article.entry(&entry.id).or_insert((path, BTreeSet::new()));
        known.1.insert(&entry.locale);
    }
    for (id, (path, locales)) in by_article {
        for missing in all.difference(&locales).filter(|it| selection.takes_locale(it)) {
            if selection.takes(id, path) {
                let message = format!("article {id} has no translation into {missing}");
                findings.push(Finding {
                    path: path.to_owned(),
                    line: 1,
                    rule: "missing-translation",
                    message,
                });
            }
        }
    }
}
