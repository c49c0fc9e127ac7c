//! The files on disk: which article and language each belongs to, and whether it was edited.
//!
//! A file that cannot be read or assigned is reported with its line, and must not hide any other file.

use std::collections::BTreeMap;

use super::article::{Article, ArticleContent, is_id, is_locale, is_state};
use super::blocks::Document;
use super::error::Error;
use super::folder::Folder;
use super::front_matter::{self, FrontMatter};
use super::line_endings::{is_merge_marker, normalize_line_endings};
use super::manifest::{self, Manifest, markdown_sha256};

/// Why a file with conflict markers is rejected.
pub(super) const UNRESOLVED_MERGE: &str =
    "unresolved merge conflict: keep one version and remove the markers";

/// A parsed Markdown file.
#[derive(Debug, Clone)]
pub struct LocalFile {
    pub path: String,
    pub front: FrontMatter,
    /// Text after the front matter, with line feeds only.
    pub body: String,
    /// Whether the file uses CRLF line endings.
    pub crlf: bool,
    /// Everything before the text: front matter and its delimiters.
    pub head: String,
    /// Line number in the file where the text begins.
    pub first: usize,
}

impl LocalFile {
    /// Line number of a front matter field.
    pub fn line_of(&self, field: &str) -> Option<usize> {
        front_matter::line_of(&self.head, field)
    }
}

/// The files in the folder, sorted by what a push has to do with them.
#[derive(Debug, Default)]
pub struct WorkingCopy {
    /// Edited files and new languages of known articles, by id and locale.
    pub changed: BTreeMap<String, BTreeMap<String, LocalFile>>,
    /// New articles: their files by locale.
    pub new: Vec<BTreeMap<String, LocalFile>>,
    /// Current paths of the files of known articles, whether moved or not, by id and locale.
    pub paths: BTreeMap<(String, String), String>,
    /// Files whose id is not in the manifest, by id and locale. An interrupted pull leaves such files.
    /// They are listed in `problems` as well.
    pub unknown: BTreeMap<(String, String), LocalFile>,
    /// Files that cannot be read or assigned, with the error.
    pub problems: Vec<(String, Error)>,
    /// Markdown files without front matter, with the reason to report.
    pub skipped: Vec<(String, Error)>,
}

/// Files of new articles with their locales, by the part of the file name that all languages share.
type NewFileGroups = BTreeMap<String, Vec<(String, LocalFile)>>;

/// # Errors
/// When the file is not UTF-8 or its front matter is invalid, with the line number.
pub fn read_file(folder: &Folder, path: &str) -> Result<LocalFile, Error> {
    let text = read_text(folder, path)?;
    parse(folder, path, &text)
}

fn read_text(folder: &Folder, path: &str) -> Result<String, Error> {
    let full = folder.path(path)?;
    let content = folder.read(path)?.ok_or_else(|| Error::content(&full, None, "file not found"))?;
    String::from_utf8(content).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::content(full, Some(line), "invalid UTF-8")
    })
}

fn parse(folder: &Folder, path: &str, text: &str) -> Result<LocalFile, Error> {
    let crlf = text.contains("\r\n");
    let text = normalize_line_endings(text.strip_prefix('\u{feff}').unwrap_or(text));
    let full = folder.root().join(path);
    let invalid = |(line, reason): (Option<usize>, String)| Error::content(&full, line, reason);
    if let Some(line) = find_merge_marker(&text) {
        return Err(invalid((Some(line), UNRESOLVED_MERGE.to_owned())));
    }
    let (front, body) = front_matter::parse(&text).map_err(invalid)?;
    let invalid_field = |name: &str, reason: String| invalid((front_matter::line_of(&text, name), reason));
    if let Some(id) = front.id.as_ref().filter(|id| !is_id(id)) {
        return Err(invalid_field("id", format!("invalid id {id:?}: expected the id of an article")));
    }
    if let Some(locale) = front.locale.as_ref().filter(|locale| !is_locale(locale)) {
        let reason = format!("invalid locale {locale:?}: expected a locale, for example en or pt-BR");
        return Err(invalid_field("locale", reason));
    }
    if let Some(state) = front.state.as_ref().filter(|state| !is_state(state)) {
        let reason = format!("invalid state {state:?}: expected published or draft");
        return Err(invalid_field("state", reason));
    }
    let body = body.strip_prefix('\n').unwrap_or(body).to_owned();
    let head = text[..text.len() - body.len()].to_owned();
    let first = head.matches('\n').count() + 1;
    Ok(LocalFile { path: path.to_owned(), front, body, crlf, head, first })
}

/// The first conflict marker in or before the front matter.
fn find_merge_marker(text: &str) -> Option<usize> {
    let is_head = text.lines().next().is_some_and(|line| line == "---" || is_merge_marker(line));
    let mut rules = 0;
    let head = text.lines().take_while(|line| {
        rules += usize::from(*line == "---");
        is_head && rules < 2
    });
    head.enumerate().find(|(_, line)| is_merge_marker(line)).map(|(at, _)| at + 1)
}

/// Id, locale and stem of a path such as `<id>-<slug>.<locale>.md`.
fn parse_name(path: &str) -> (Option<&str>, Option<&str>, &str) {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".md").unwrap_or(name);
    let (stem, locale) = match stem.rsplit_once('.') {
        Some((stem, locale)) if is_locale(locale) => (stem, Some(locale)),
        _ => (stem, None),
    };
    let id = stem.split('-').next().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && is_id(id));
    (id, locale, stem)
}

/// Reads every Markdown file in the folder.
///
/// # Errors
/// When the folder cannot be listed. Errors of single files are in [`WorkingCopy::problems`].
pub fn scan(folder: &Folder, manifest: &Manifest) -> Result<WorkingCopy, Error> {
    let mut known: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (id, article) in &manifest.articles {
        for (locale, file) in &article.files {
            known.insert(&file.path, (id, locale));
        }
    }
    let mut working_copy = WorkingCopy::default();
    let mut new = NewFileGroups::new();
    let mut others = Vec::new();
    for path in folder.markdown_files()? {
        match known.remove(path.as_str()) {
            Some((id, locale)) => add_known_file(folder, manifest, &mut working_copy, &path, id, locale),
            None => others.push(path),
        }
    }
    // A symbolic link or folder in place of a known file does not mean that the file was deleted.
    for (path, (id, locale)) in known.into_iter().filter(|(path, _)| folder.has(path)) {
        add_known_file(folder, manifest, &mut working_copy, path, id, locale);
    }
    for path in others {
        add_other_file(folder, manifest, &mut working_copy, &mut new, &path);
    }
    for group in new.into_values() {
        working_copy.add_new_article(folder, group);
    }
    Ok(working_copy)
}

fn add_known_file(
    folder: &Folder,
    manifest: &Manifest,
    working_copy: &mut WorkingCopy,
    path: &str,
    id: &str,
    locale: &str,
) {
    working_copy.paths.insert((id.to_owned(), locale.to_owned()), path.to_owned());
    let checked = read_text(folder, path).and_then(|text| {
        if manifest.file(id, locale).is_some_and(|file| file.markdown_sha256 == markdown_sha256(&text)) {
            return Ok(None);
        }
        let local = parse(folder, path, &text)?;
        let check_field = |name: &str, stated: &Option<String>, expected: &str| match stated {
            Some(stated) if stated != expected => {
                let line = front_matter::line_of(&normalize_line_endings(&text), name);
                let reason = format!("{name} {stated:?} does not match this file: expected {expected}");
                Err(Error::content(folder.root().join(path), line, reason))
            }
            _ => Ok(()),
        };
        check_field("id", &local.front.id, id)?;
        check_field("locale", &local.front.locale, locale)?;
        Ok(Some(local))
    });
    match checked {
        Ok(None) => {}
        Ok(Some(local)) => {
            working_copy.changed.entry(id.to_owned()).or_default().insert(locale.to_owned(), local);
        }
        Err(error) => working_copy.problems.push((path.to_owned(), error)),
    }
}

/// Adds a file that the manifest does not list: a new, moved or foreign one.
fn add_other_file(
    folder: &Folder,
    manifest: &Manifest,
    working_copy: &mut WorkingCopy,
    new: &mut NewFileGroups,
    path: &str,
) {
    let (name_id, name_locale, stem) = parse_name(path);
    let name_id = name_id.filter(|id| manifest.articles.contains_key(*id));
    let content = match read_text(folder, path) {
        // Ignore Markdown files that are not articles.
        Ok(content)
            if name_locale.is_none()
                && !content.trim_start_matches('\u{feff}').starts_with("---")
                && find_merge_marker(&normalize_line_endings(&content)).is_none() =>
        {
            return working_copy.skip(folder, path);
        }
        Ok(content) => content,
        Err(error) => return working_copy.problems.push((path.to_owned(), error)),
    };
    let local = match parse(folder, path, &content) {
        Ok(local) => local,
        Err(error) => return working_copy.problems.push((path.to_owned(), error)),
    };
    let mut problem = |field: &str, reason: String| {
        let line = front_matter::line_of(&normalize_line_endings(&content), field);
        working_copy.problems.push((path.to_owned(), Error::content(folder.root().join(path), line, reason)));
    };
    let default = if manifest.default_locale.is_empty() { "en" } else { &manifest.default_locale };
    let locale = match (&local.front.locale, name_locale) {
        (Some(stated), Some(named)) if stated != named => {
            return problem(
                "locale",
                format!("locale {stated} does not match the file name: expected {named}"),
            );
        }
        (Some(locale), _) => locale.clone(),
        (None, Some(locale)) => locale.to_owned(),
        (None, None) => default.to_owned(),
    };
    let id = match (&local.front.id, name_id) {
        (Some(stated), Some(named)) if stated != named => {
            return problem("id", format!("id {stated} does not match the file name: expected {named}"));
        }
        (Some(stated), _) if !manifest.articles.contains_key(stated) => {
            let reason = format!(
                "article {stated} not found in this folder: pull it, or remove the id to create a new article"
            );
            problem("id", reason);
            working_copy.unknown.insert((stated.clone(), locale), local);
            return;
        }
        (Some(id), _) => id.clone(),
        (None, Some(id)) => id.to_owned(),
        (None, None) => match find_created(manifest, path) {
            Some(id) => id.to_owned(),
            None => return new.entry(stem_in_folder(path, stem)).or_default().push((locale, local)),
        },
    };
    let key = (id.clone(), locale.clone());
    if let Some(other) = working_copy.paths.get(&key) {
        let reason =
            format!("{other} is already article {id} in {locale}; remove the id to create a new article");
        return problem("id", reason);
    }
    working_copy.paths.insert(key, path.to_owned());
    let unchanged =
        manifest.file(&id, &locale).is_some_and(|file| file.markdown_sha256 == markdown_sha256(&content));
    if !unchanged || manifest.file(&id, &locale).is_some_and(|file| file.path != path) {
        working_copy.changed.entry(id).or_default().insert(locale, local);
    }
}

/// The article that an earlier push created from a new file before it was killed, so that the id is not in
/// the file yet.
fn find_created<'a>(manifest: &'a Manifest, path: &str) -> Option<&'a str> {
    let id = manifest.creating.get(path)?.id.as_deref()?;
    manifest.articles.contains_key(id).then_some(id)
}

impl WorkingCopy {
    /// Adds the files of one new article. Two files in the same language are an error.
    fn add_new_article(&mut self, folder: &Folder, group: Vec<(String, LocalFile)>) {
        let duplicate = group.iter().enumerate().find_map(|(at, (locale, _))| {
            group[..at].iter().any(|(other, _)| other == locale).then(|| locale.clone())
        });
        match duplicate {
            None => self.new.push(group.into_iter().collect()),
            Some(locale) => {
                let paths: Vec<&str> = group.iter().map(|(_, local)| local.path.as_str()).collect();
                let reason = format!(
                    "several files are the same new article in {locale}: rename all but one of {}",
                    paths.join(", ")
                );
                self.problems.extend(group.iter().map(|(_, local)| {
                    (
                        local.path.clone(),
                        Error::content(folder.root().join(&local.path), Some(1), reason.clone()),
                    )
                }));
            }
        }
    }

    /// Reports a file without front matter, which may be meant as an article. README files are never meant as
    /// one.
    fn skip(&mut self, folder: &Folder, path: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.eq_ignore_ascii_case("readme.md") {
            return;
        }
        let reason = "no front matter, so it is not an article and is skipped; \
                      to make it one, start it with front matter: `---`, `title: ...`, `---`";
        let error = Error::content(folder.root().join(path), Some(1), reason);
        self.skipped.push((path.to_owned(), error));
    }
}

fn stem_in_folder(path: &str, stem: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{stem}"),
        None => stem.to_owned(),
    }
}

/// The HTML that a file was made from.
///
/// If it is missing in the folder, the server's current HTML is used, provided that it is the same version.
pub fn base_html(
    folder: &Folder,
    manifest: &Manifest,
    id: &str,
    locale: &str,
    article: Option<&Article>,
) -> Option<String> {
    if let Ok(html) = manifest::read_html(folder, id, locale) {
        return Some(html);
    }
    let known = manifest.file(id, locale)?;
    let article = article?;
    let content = article.content(locale)?;
    let is_same = known.html_sha256 == manifest::sha256(content.body.as_bytes()) || {
        let document = Document::read(&content.body, &manifest.address_map(&known.path));
        let source =
            FrontMatterSource { content, parent_id: article.parent_id.as_deref(), tags: &article.tags };
        known.markdown_sha256 == markdown_sha256(&render_file(manifest, id, locale, &source, &document))
    };
    is_same.then(|| content.body.clone())
}

/// The file for the server's version of one language.
pub fn render_file(
    manifest: &Manifest,
    id: &str,
    locale: &str,
    source: &FrontMatterSource<'_>,
    document: &Document,
) -> String {
    let mut text = source.front_matter(manifest, id, locale).write();
    text.push_str(&document.markdown());
    text
}

/// The server's data that the front matter is written from.
pub struct FrontMatterSource<'a> {
    pub content: &'a ArticleContent,
    pub parent_id: Option<&'a str>,
    pub tags: &'a [String],
}

impl FrontMatterSource<'_> {
    pub fn front_matter(&self, manifest: &Manifest, id: &str, locale: &str) -> FrontMatter {
        let time = self.content.updated_at.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        FrontMatter {
            id: Some(id.to_owned()),
            locale: Some(locale.to_owned()),
            title: Some(self.content.title.clone()),
            description: Some(self.content.description.clone()).filter(|description| !description.is_empty()),
            state: self.content.state.clone().filter(|state| is_state(state)),
            author: self.content.author.clone(),
            collection: manifest.collection_path(self.parent_id),
            tags: self.tags.to_vec(),
            url: self.content.url.clone(),
            updated_at: time.map(|time| time.to_string()),
        }
    }
}
