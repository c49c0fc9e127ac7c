//! `articles lint`: what readers would stumble over, found in the files alone.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::error::Error;
use super::folder::Folder;
use super::local::{self, Local};
use super::manifest::Manifest;
use super::markdown::options;
use super::only::{Met, Only};
use super::outcome::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Unreadable,
    BrokenLink,
    MissingTranslation,
    MissingAlternative,
    HeadingJump,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Unreadable => "unreadable",
            Rule::BrokenLink => "broken_link",
            Rule::MissingTranslation => "missing_translation",
            Rule::MissingAlternative => "missing_alt",
            Rule::HeadingJump => "heading_jump",
        }
    }

    /// Whether it must be put right before readers see the article.
    pub fn is_error(self) -> bool {
        matches!(self, Rule::Unreadable | Rule::BrokenLink)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    pub line: Option<usize>,
    pub rule: Rule,
    pub message: String,
}

/// What was found, and what was asked for and is not in the folder.
///
/// # Errors
/// When the folder cannot be listed, or has no manifest.
pub fn lint(folder: &Folder, only: &Only) -> Result<(Vec<Finding>, Vec<Outcome>), Error> {
    let missing = || Error::NoManifest { path: folder.root().to_owned() };
    let manifest = Manifest::read(folder)?.ok_or_else(missing)?;
    let files = folder.markdown_files()?;
    let mut locales: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let mut findings = Vec::new();
    let mut met = Met::default();
    for path in &files {
        let id = manifest.articles.iter().find_map(|(id, known)| {
            known
                .files
                .iter()
                .find(|(_, it)| it.path == *path)
                .map(|(locale, _)| (id.clone(), locale.clone()))
        });
        match local::read(folder, path) {
            Ok(local) => {
                let named = local.front.id.clone().zip(local.front.locale.clone());
                let Some((id, locale)) = named.or(id) else { continue };
                let entry = locales.entry(id.clone()).or_insert_with(|| (path.clone(), BTreeSet::new()));
                entry.1.insert(locale.clone());
                met.note(only, &id, &[path], [&locale]);
                if only.article(&id, &[path]) && only.locale(&locale) {
                    let first = first_line(folder, path, &local);
                    findings.extend(text(&manifest, &files, &local, first));
                }
            }
            Err(error) => {
                let Some((id, locale)) = id else { continue };
                met.note(only, &id, &[path], [&locale]);
                if only.article(&id, &[path]) && only.locale(&locale) {
                    findings.push(Finding {
                        path: path.clone(),
                        line: None,
                        rule: Rule::Unreadable,
                        message: error.to_string(),
                    });
                }
                // What cannot be read is there all the same.
                locales.entry(id).or_insert_with(|| (path.clone(), BTreeSet::new())).1.insert(locale);
            }
        }
    }
    let all: BTreeSet<&String> =
        locales.values().flat_map(|(_, it)| it).filter(|it| only.locale(it)).collect();
    for (id, (path, has)) in locales.iter().filter(|(id, (path, _))| only.article(id, &[path])) {
        for locale in all.iter().filter(|it| !has.contains(**it)) {
            let message = format!("article {id} is not there in {locale}");
            findings.push(Finding {
                path: path.clone(),
                line: None,
                rule: Rule::MissingTranslation,
                message,
            });
        }
    }
    findings.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    Ok((findings, met.missing(only)))
}

/// The line of the file that the text begins in.
fn first_line(folder: &Folder, path: &str, local: &Local) -> usize {
    let whole = folder.read(path).ok().flatten().unwrap_or_default();
    let lines = String::from_utf8_lossy(&whole).lines().count();
    lines.saturating_sub(local.body.lines().count()) + 1
}

fn text(manifest: &Manifest, files: &[String], local: &Local, first: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let line = |at: usize| first + local.body[..at].bytes().filter(|it| *it == b'\n').count();
    let mut add = |at: usize, rule, message: String| {
        findings.push(Finding { path: local.path.clone(), line: Some(line(at)), rule, message });
    };
    let mut level: Option<HeadingLevel> = None;
    let mut image: Option<(usize, bool)> = None;
    for (event, range) in Parser::new_ext(&local.body, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: next, .. }) => {
                if level.is_some_and(|it| next as usize > it as usize + 1) {
                    add(
                        range.start,
                        Rule::HeadingJump,
                        format!(
                            "a heading of level {} follows one of level {}",
                            next as usize,
                            level.map_or(0, |it| it as usize)
                        ),
                    );
                }
                level = Some(next);
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                image = Some((range.start, false));
                if is_broken_file(&dest_url, files, local, true) {
                    add(range.start, Rule::BrokenLink, format!("there is no image {dest_url}"));
                }
            }
            Event::Text(text) if image.is_some() && !text.trim().is_empty() => {
                image = image.map(|(at, _)| (at, true));
            }
            Event::End(TagEnd::Image) => {
                if let Some((at, false)) = image.take() {
                    add(at, Rule::MissingAlternative, "an image has no alternative text".into());
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Some(id) =
                    article_in(&dest_url, manifest).filter(|it| !manifest.articles.contains_key(*it))
                {
                    add(range.start, Rule::BrokenLink, format!("there is no article {id}"));
                } else if is_broken_file(&dest_url, files, local, false) {
                    add(range.start, Rule::BrokenLink, format!("there is no file {dest_url}"));
                }
            }
            _ => {}
        }
    }
    findings
}

/// The id in an address of an article of this help center.
fn article_in<'a>(address: &'a str, manifest: &Manifest) -> Option<&'a str> {
    let (host, rest) = address.split_once("/articles/")?;
    let own = host.contains("intercom.help") || host.is_empty() || host.ends_with(&manifest.default_locale);
    let digits = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    (own && digits > 0).then(|| &rest[..digits])
}

/// Whether an address is a path in the folder to something that is not there.
fn is_broken_file(address: &str, files: &[String], local: &Local, image: bool) -> bool {
    let path = address.split(['#', '?']).next().unwrap_or_default();
    let relative = !path.is_empty() && !path.contains(':') && !path.starts_with(['/', '#']);
    if !relative || image == path.ends_with(".md") {
        return false;
    }
    let mut parts: Vec<&str> = local.path.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    let target = parts.join("/");
    match image {
        true => !target.starts_with("images/"),
        false => !files.contains(&target),
    }
}
