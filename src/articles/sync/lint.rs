//! `articles lint`: finds problems in the files without calling the API.
//!
//! Problems that block a push are found by the same gate that push uses, so that the two agree. In addition,
//! lint checks all files, edited or not, for problems that readers would notice.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::error::Error;
use super::finding::{Finding, Rule};
use super::folder::Folder;
use super::gate::{AllowEmpty, Gate, LinkCheck};
use super::manifest::Manifest;
use super::order::creation_order;
use super::outcome::ArticleOutcome;
use super::selection::ArticleSelection;
use super::working_copy::{self, LocalFile, LocalFiles, paths};
use crate::articles::convert::markdown::options;

/// Returns the findings, and an outcome for each selected article or language that does not exist.
///
/// # Errors
/// When the folder cannot be listed, or has no manifest.
pub fn lint(
    folder: &Folder,
    selection: &ArticleSelection,
    allow_empty: &AllowEmpty,
) -> Result<(Vec<Finding>, Vec<ArticleOutcome>), Error> {
    let mut manifest = Manifest::require(folder)?;
    let working_copy = working_copy::scan(folder, &mut manifest)?;
    let matches = working_copy.matches(selection, &manifest);
    let files: BTreeSet<String> = folder.markdown_files()?.into_iter().collect();
    let mut upcoming = BTreeSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (path, error) in &working_copy.problems {
        if selection.has_article(manifest.article_of(path).unwrap_or_default(), &[path]) {
            findings.push(unreadable(path, error));
        }
    }
    let gate = |upcoming: &BTreeSet<String>, id: Option<&str>, locals: &LocalFiles| {
        let links = LinkCheck { folder, manifest: &manifest, files: &files, upcoming };
        Gate { links, allow_empty, fresh: None }.check_article(id, locals)
    };
    for mut locals in creation_order(&manifest, working_copy.new) {
        let paths = paths(&locals);
        let is_selected = selection.has_article("", &paths);
        let gate_findings = gate(&upcoming, None, &locals);
        if !gate_findings.iter().any(|finding| finding.blocks_push) {
            upcoming.extend(locals.values().map(|local| local.path.clone()));
        }
        if is_selected {
            findings.extend(gate_findings);
            locals.retain(|locale, _| selection.has_locale(locale));
            locals.values().for_each(|local| findings.extend(check_text(local)));
        }
    }
    for (id, mut locals) in working_copy.changed {
        locals.retain(|locale, _| selection.has_locale(locale));
        let paths = paths(&locals);
        if !locals.is_empty() && selection.has_article(&id, &paths) {
            findings.extend(gate(&upcoming, Some(&id), &locals));
        }
    }
    let links = LinkCheck { folder, manifest: &manifest, files: &files, upcoming: &upcoming };
    let mut articles: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    let broken: BTreeSet<&String> = working_copy.problems.iter().map(|(path, _)| path).collect();
    for ((id, locale), path) in &working_copy.paths {
        articles.entry(id).or_insert_with(|| (path, BTreeSet::new())).1.insert(locale);
        if !selection.has_article(id, &[path]) || !selection.has_locale(locale) || broken.contains(path) {
            continue;
        }
        match working_copy::read_file(folder, path) {
            Ok(local) => {
                findings.extend(links.check_file(id, locale, &local));
                findings.extend(check_text(&local));
            }
            Err(error) => findings.push(unreadable(path, &error)),
        }
    }
    let all_locales: BTreeSet<&str> = articles
        .values()
        .flat_map(|(_, locales)| locales.iter().copied())
        .filter(|locale| selection.has_locale(locale))
        .collect();
    for (id, (path, locales)) in articles.iter().filter(|(id, (path, _))| selection.has_article(id, &[path]))
    {
        for locale in all_locales.iter().filter(|locale| !locales.contains(**locale)) {
            let message = format!("article {id} has no translation in {locale}");
            findings.push(Finding::warning(path, None, Rule::MissingTranslation, message));
        }
    }
    let key = |finding: &Finding| (finding.path.clone(), finding.line, finding.rule, finding.message.clone());
    findings.sort_by_key(|finding| (key(finding), !finding.blocks_push));
    findings.dedup_by_key(|finding| key(finding));
    Ok((findings, matches.missing(selection)))
}

fn unreadable(path: &str, error: &Error) -> Finding {
    match error {
        Error::Content { line, reason, .. } => Finding::error(path, *line, Rule::Unreadable, reason),
        other => Finding::error(path, None, Rule::Unreadable, other.to_string()),
    }
}

/// Checks a text for problems that readers would notice.
fn check_text(local: &LocalFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let line = |at: usize| local.first + local.body[..at].bytes().filter(|byte| *byte == b'\n').count();
    let mut add = |at: usize, rule, message: String| {
        findings.push(Finding::warning(&local.path, Some(line(at)), rule, message));
    };
    let mut level: Option<HeadingLevel> = None;
    let mut image: Option<(usize, bool)> = None;
    let mut heading: Option<(usize, String)> = None;
    for (event, range) in Parser::new_ext(&local.body, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: next, .. }) => {
                if let Some(before) = level.filter(|before| next as usize > *before as usize + 1) {
                    let (next, before) = (next as usize, before as usize);
                    let message = format!("a heading of level {next} follows one of level {before}");
                    add(range.start, Rule::HeadingJump, message);
                }
                level = Some(next);
                heading = (next == HeadingLevel::H1).then(|| (range.start, String::new()));
            }
            Event::End(TagEnd::Heading(_)) => {
                let title = local.front.title.as_deref().unwrap_or_default();
                if let Some((at, text)) = heading.take()
                    && text.trim() == title.trim()
                {
                    add(at, Rule::RepeatedTitle, "the heading repeats the title: remove it".into());
                }
            }
            Event::Start(Tag::Image { .. }) => image = Some((range.start, false)),
            Event::Text(text) if image.is_some() => {
                image = image.map(|(at, has_text)| (at, has_text || !text.trim().is_empty()));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, heading)) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Image) => {
                if let Some((at, false)) = image.take() {
                    add(at, Rule::MissingAlternative, "an image has no alternative text".into());
                }
            }
            _ => {}
        }
    }
    findings
}
