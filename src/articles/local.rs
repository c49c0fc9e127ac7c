//! What changed in a folder since it was pulled. Sends nothing.

use std::collections::BTreeMap;

use super::error::Error;
use super::folder::{Folder, hash};
use super::outcome::{Outcome, Selection};
use super::page::{self, Page};
use super::remote::is_locale;
use super::store::{Entry, Manifest};

/// A file that is not as it was left.
#[derive(Debug, Clone)]
pub struct Edited {
    pub path: String,
    pub locale: String,
    pub page: Page,
    /// Where it stood before.
    pub moved_from: Option<String>,
    /// The folder it stands in now, when that says something about its collection.
    pub moved_to: Option<String>,
}

#[derive(Debug, Default)]
pub struct Local {
    /// Edited files by article.
    pub articles: BTreeMap<String, Vec<Edited>>,
    /// New articles, each with its languages.
    pub created: Vec<Vec<Edited>>,
    /// Files that are gone, by article: path and language.
    pub missing: BTreeMap<String, Vec<(String, String)>>,
    /// Files that cannot be used.
    pub outcomes: Vec<Outcome>,
}

/// # Errors
/// When the folder cannot be read.
pub fn scan(folder: &Folder, manifest: &Manifest, selection: &Selection) -> Result<Local, Error> {
    let mut local = Local::default();
    let files = folder.markdown_files()?;
    let mut gone: BTreeMap<(String, String), String> = manifest
        .files
        .iter()
        .filter(|(path, _)| !files.contains(path))
        .map(|(path, entry)| ((entry.id.clone(), entry.locale.clone()), path.clone()))
        .collect();
    let mut created: BTreeMap<String, Vec<Edited>> = BTreeMap::new();
    for path in files {
        let bytes = folder.read(&path)?;
        let entry = manifest.files.get(&path);
        if entry.is_some_and(|entry| entry.markdown_sha256 == hash(&bytes)) {
            continue;
        }
        let named = entry.map(|entry| entry.id.clone()).or_else(|| id_in_name(&path, manifest));
        if entry.is_none()
            && named.is_none()
            && !bytes.trim_ascii_start().starts_with(b"---")
            && !bytes.starts_with(b"\xef\xbb\xbf---")
        {
            continue;
        }
        match edited(&path, &bytes, entry, named, manifest, &mut gone) {
            Err(outcome) => {
                if selection.takes(outcome.article.as_deref().unwrap_or_default(), &path) {
                    local.outcomes.push(*outcome);
                }
            }
            Ok((_, file)) if !selection.takes_locale(&file.locale) => {}
            Ok((Some(id), file)) => {
                if selection.takes(&id, &path) {
                    local.articles.entry(id).or_default().push(file);
                }
            }
            Ok((None, file)) => {
                if selection.takes("", &path) {
                    created.entry(stem(&path).to_owned()).or_default().push(file);
                }
            }
        }
    }
    local.created = created.into_values().collect();
    for ((id, locale), path) in gone {
        if selection.takes(&id, &path) && selection.takes_locale(&locale) {
            local.missing.entry(id).or_default().push((path, locale));
        }
    }
    Ok(local)
}

/// A changed file and the article it belongs to; `None` for a new one.
fn edited(
    path: &str,
    bytes: &[u8],
    entry: Option<&Entry>,
    named: Option<String>,
    manifest: &Manifest,
    gone: &mut BTreeMap<(String, String), String>,
) -> Result<(Option<String>, Edited), Box<Outcome>> {
    let known = entry.map_or("", |entry| entry.id.as_str());
    let failed = |reason: String| Err(Box::new(Outcome::failed(known, path, reason)));
    let page = match page::read(bytes) {
        Ok(page) => page,
        Err((line, reason)) => return failed(format!("{path}, line {line}: {reason}")),
    };
    let folder = folder_of(path).filter(|_| manifest.tree).map(str::to_owned);
    if let Some(entry) = entry {
        if page.id.as_ref().is_some_and(|id| *id != entry.id) {
            return failed(format!(
                "{path}: the id in the front matter is not {}, which was pulled here",
                entry.id
            ));
        }
        if page.locale.as_ref().is_some_and(|locale| *locale != entry.locale) {
            return failed(format!(
                "{path}: the locale in the front matter is not {}, which was pulled here",
                entry.locale
            ));
        }
        let file = Edited {
            path: path.into(),
            locale: entry.locale.clone(),
            page,
            moved_from: None,
            moved_to: None,
        };
        return Ok((Some(entry.id.clone()), file));
    }
    let locale = page
        .locale
        .clone()
        .or_else(|| locale_in_name(path))
        .unwrap_or_else(|| manifest.default_locale.clone());
    let Some(id) = page.id.clone().or(named) else {
        return Ok((None, Edited { path: path.into(), locale, page, moved_from: None, moved_to: folder }));
    };
    if manifest.files.values().all(|entry| entry.id != id) {
        return failed(format!(
            "{path}: article {id} was not pulled here: pull it first, or take the id out for a new article"
        ));
    }
    let moved_from = gone.remove(&(id.clone(), locale.clone()));
    if moved_from.is_none()
        && let Some(other) = manifest.path_of(&id, &locale)
    {
        return failed(format!("{path}: {other} is the same article in the same language"));
    }
    let moved_to = match &moved_from {
        Some(old) => folder.filter(|folder| folder_of(old) != Some(folder)),
        None => None,
    };
    Ok((Some(id), Edited { path: path.into(), locale, page, moved_from, moved_to }))
}

fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// The path without language and ending.
fn stem(path: &str) -> &str {
    let bare = path.strip_suffix(".md").unwrap_or(path);
    match bare.rsplit_once('.') {
        Some((stem, locale)) if is_locale(locale) => stem,
        _ => bare,
    }
}

fn locale_in_name(path: &str) -> Option<String> {
    let locale = path.strip_suffix(".md")?.rsplit_once('.')?.1;
    is_locale(locale).then(|| locale.to_owned())
}

/// The id that a file's name begins with, when such an article was pulled.
fn id_in_name(path: &str, manifest: &Manifest) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let id = name.split_once('-')?.0;
    manifest.files.values().any(|entry| entry.id == id).then(|| id.to_owned())
}
