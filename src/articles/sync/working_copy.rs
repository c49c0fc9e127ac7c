//! The files on disk: which article and language each belongs to, and whether it was edited.
//!
//! A file that cannot be read or assigned is reported with its line, and must not hide any other file.

use std::collections::BTreeMap;

use super::conflict::{UNRESOLVED_MERGE, is_merge_marker};
use super::decide::SideState;
use super::error::Error;
use super::folder::{Folder, sha256};
use super::layout::{in_folder, parent, parse_name};
use super::manifest::{FileRecord, Manifest};
use super::selection::{ArticleSelection, SelectionMatches};
use crate::articles::article::{is_id, is_locale, is_state};
use crate::articles::convert::front_matter::{self, FrontMatter};
use crate::articles::convert::normalize::normalize_line_endings;

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

/// The files of one article by locale.
pub type LocalFiles = BTreeMap<String, LocalFile>;

pub fn paths(locals: &LocalFiles) -> Vec<&str> {
    locals.values().map(|local| local.path.as_str()).collect()
}

/// The default language of a new article. The API stores the top-level text under the default language of the
/// help center, whatever language it is in.
pub fn default_locale(manifest: &Manifest, locals: &LocalFiles) -> String {
    let default = manifest.default_locale();
    match locals.keys().next() {
        Some(first) if manifest.default_locale.is_empty() && !locals.contains_key(default) => first.clone(),
        _ => default.to_owned(),
    }
}

/// The files in the folder, sorted by what a push has to do with them.
#[derive(Debug, Default)]
pub struct WorkingCopy {
    /// Edited files and new languages of known articles, by id and locale.
    pub changed: BTreeMap<String, LocalFiles>,
    /// New articles: their files by locale.
    pub new: Vec<LocalFiles>,
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

/// The content of a file in its normal form: with line feeds only, and without a byte order mark.
struct FileText {
    text: String,
    crlf: bool,
}

impl FileText {
    fn read(folder: &Folder, path: &str) -> Result<Self, Error> {
        let full = folder.path(path)?;
        let content = folder.read(path)?.ok_or_else(|| Error::content(&full, None, "file not found"))?;
        let text = String::from_utf8(content).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            Error::content(full, Some(line), "invalid UTF-8")
        })?;
        let crlf = text.contains("\r\n");
        let text = normalize_line_endings(text.strip_prefix('\u{feff}').unwrap_or(&text));
        Ok(FileText { text, crlf })
    }

    /// Whether the file is the one that was recorded.
    fn is_recorded(&self, record: Option<&FileRecord>) -> bool {
        record.is_some_and(|record| record.markdown_sha256 == sha256(self.text.as_bytes()))
    }

    /// An error at a field of the front matter.
    fn field_error(&self, folder: &Folder, path: &str, field: &str, reason: String) -> Error {
        Error::content(folder.root().join(path), front_matter::line_of(&self.text, field), reason)
    }

    fn parse(&self, folder: &Folder, path: &str) -> Result<LocalFile, Error> {
        let invalid =
            |(line, reason): (Option<usize>, String)| Error::content(folder.root().join(path), line, reason);
        if let Some(line) = find_merge_marker(&self.text) {
            return Err(invalid((Some(line), UNRESOLVED_MERGE.to_owned())));
        }
        let (front, body) = front_matter::parse(&self.text).map_err(invalid)?;
        let invalid_field = |name: &str, reason| Err(self.field_error(folder, path, name, reason));
        if let Some(id) = front.id.as_ref().filter(|id| !is_id(id)) {
            return invalid_field("id", format!("invalid id {id:?}: expected the id of an article"));
        }
        if let Some(locale) = front.locale.as_ref().filter(|locale| !is_locale(locale)) {
            let reason = format!("invalid locale {locale:?}: expected a locale, for example en or pt-BR");
            return invalid_field("locale", reason);
        }
        if let Some(state) = front.state.as_ref().filter(|state| !is_state(state)) {
            let reason = format!("invalid state {state:?}: expected published or draft");
            return invalid_field("state", reason);
        }
        let body = body.strip_prefix('\n').unwrap_or(body).to_owned();
        let head = self.text[..self.text.len() - body.len()].to_owned();
        let first = head.matches('\n').count() + 1;
        Ok(LocalFile { path: path.to_owned(), front, body, crlf: self.crlf, head, first })
    }
}

/// # Errors
/// When the file is not UTF-8 or its front matter is invalid, with the line number.
pub fn read_file(folder: &Folder, path: &str) -> Result<LocalFile, Error> {
    FileText::read(folder, path)?.parse(folder, path)
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

/// Reads every Markdown file in the folder, and points the manifest's links to the current paths.
///
/// # Errors
/// When the folder cannot be listed. Errors of single files are in [`WorkingCopy::problems`].
pub fn scan(folder: &Folder, manifest: &mut Manifest) -> Result<WorkingCopy, Error> {
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
    manifest.update_paths(&working_copy.paths);
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
    let record = manifest.file(id, locale);
    let checked = FileText::read(folder, path).and_then(|file| {
        if file.is_recorded(record) {
            return Ok(None);
        }
        let local = file.parse(folder, path)?;
        for (name, stated, expected) in [("id", &local.front.id, id), ("locale", &local.front.locale, locale)]
        {
            if let Some(stated) = stated.as_ref().filter(|stated| *stated != expected) {
                let reason = format!("{name} {stated:?} does not match this file: expected {expected}");
                return Err(file.field_error(folder, path, name, reason));
            }
        }
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
    let file = match FileText::read(folder, path) {
        // Ignore Markdown files that are not articles.
        Ok(file)
            if name_locale.is_none()
                && !file.text.trim_start_matches('\u{feff}').starts_with("---")
                && find_merge_marker(&file.text).is_none() =>
        {
            return working_copy.skip(folder, path);
        }
        Ok(file) => file,
        Err(error) => return working_copy.problems.push((path.to_owned(), error)),
    };
    let local = match file.parse(folder, path) {
        Ok(local) => local,
        Err(error) => return working_copy.problems.push((path.to_owned(), error)),
    };
    let mut problem = |field: &str, reason: String| {
        working_copy.problems.push((path.to_owned(), file.field_error(folder, path, field, reason)));
    };
    let locale = match (&local.front.locale, name_locale) {
        (Some(stated), Some(named)) if stated != named => {
            return problem(
                "locale",
                format!("locale {stated} does not match the file name: expected {named}"),
            );
        }
        (Some(locale), _) => locale.clone(),
        (None, Some(locale)) => locale.to_owned(),
        (None, None) => manifest.default_locale().to_owned(),
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
            None => {
                let group = new.entry(in_folder(parent(path), stem)).or_default();
                return group.push((locale, local));
            }
        },
    };
    let key = (id.clone(), locale.clone());
    if let Some(other) = working_copy.paths.get(&key) {
        let reason =
            format!("{other} is already article {id} in {locale}; remove the id to create a new article");
        return problem("id", reason);
    }
    working_copy.paths.insert(key, path.to_owned());
    let record = manifest.file(&id, &locale);
    if !file.is_recorded(record) || record.is_some_and(|record| record.path != path) {
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
    /// The edited file of one language of a known article.
    pub fn edited(&self, id: &str, locale: &str) -> Option<&LocalFile> {
        self.changed.get(id)?.get(locale)
    }

    /// What the folder did with one language of a known article.
    pub fn state(&self, id: &str, locale: &str) -> SideState {
        if self.edited(id, locale).is_some() {
            SideState::Changed
        } else if self.paths.contains_key(&(id.to_owned(), locale.to_owned())) {
            SideState::Unchanged
        } else {
            SideState::Absent
        }
    }

    /// The parts of the selection that exist in the folder.
    pub fn matches(&self, selection: &ArticleSelection, manifest: &Manifest) -> SelectionMatches {
        let mut matches = SelectionMatches::default();
        for (id, known) in &manifest.articles {
            let on_disk = self.paths.range((id.clone(), String::new())..).take_while(|((of, _), _)| of == id);
            let paths =
                known.files.values().map(|file| &file.path).chain(on_disk.clone().map(|(_, path)| path));
            let paths: Vec<&str> = paths.map(String::as_str).collect();
            matches.record(
                selection,
                id,
                &paths,
                known.files.keys().chain(on_disk.map(|((_, locale), _)| locale)),
            );
        }
        for locals in &self.new {
            matches.record(selection, "", &paths(locals), locals.keys());
        }
        for (path, _) in self.problems.iter().chain(&self.skipped) {
            matches.record(selection, "", &[path], []);
        }
        matches
    }

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
