//! The files of authors: which article and language each is, and what changed in it.

use std::collections::BTreeMap;

use super::article::{Content, is_id, is_locale, is_state};
use super::document::Document;
use super::error::Error;
use super::folder::Folder;
use super::front_matter::{self, FrontMatter};
use super::lines::lines_of;
use super::manifest::{Manifest, markdown_sha256};

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Local {
    pub path: String,
    pub front: FrontMatter,
    /// Its text behind the front matter, with line feeds only.
    pub body: String,
    /// Line ends in the file are CR LF.
    pub crlf: bool,
}

/// What is in the folder, apart from files that are as the server has them.
#[derive(Debug, Default)]
pub struct Found {
    /// Changed files and new languages of known articles, by id and locale.
    pub changed: BTreeMap<String, BTreeMap<String, Local>>,
    /// New articles: their files by locale.
    pub new: Vec<BTreeMap<String, Local>>,
    /// Known files that are where they were, or moved: path by id and locale.
    pub paths: BTreeMap<(String, String), String>,
    /// Files of articles that the manifest does not know, by id and locale: a pull that was interrupted
    /// leaves some. They are among the problems as well.
    pub unknown: BTreeMap<(String, String), Local>,
    /// Files that cannot be used, and why.
    pub problems: Vec<(String, Error)>,
    /// Files that are no articles, and why.
    pub skipped: Vec<(String, Error)>,
}

/// Files of new articles with their locales, by what their names share.
type Groups = BTreeMap<String, Vec<(String, Local)>>;

/// # Errors
/// When the file is not UTF-8, or its front matter is broken: with the line.
pub fn read(folder: &Folder, path: &str) -> Result<Local, Error> {
    let text = text(folder, path)?;
    parse(folder, path, &text)
}

fn text(folder: &Folder, path: &str) -> Result<String, Error> {
    let full = folder.path(path)?;
    let content = folder.read(path)?.ok_or_else(|| Error::content(&full, None, "the file is gone"))?;
    String::from_utf8(content).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|it| **it == b'\n').count() + 1;
        Error::content(full, Some(line), "the file is not UTF-8")
    })
}

fn parse(folder: &Folder, path: &str, text: &str) -> Result<Local, Error> {
    let crlf = text.contains("\r\n");
    let text = lines_of(text.strip_prefix('\u{feff}').unwrap_or(text));
    let full = folder.root().join(path);
    let wrong = |(line, reason): (Option<usize>, String)| Error::content(&full, line, reason);
    let (front, body) = front_matter::parse(&text).map_err(wrong)?;
    let field = |name: &str, reason: String| wrong((front_matter::line_of(&text, name), reason));
    if let Some(id) = front.id.as_ref().filter(|it| !is_id(it)) {
        return Err(field("id", format!("id: {id:?} is no id of an article")));
    }
    if let Some(locale) = front.locale.as_ref().filter(|it| !is_locale(it)) {
        return Err(field("locale", format!("locale: {locale:?} is no locale such as en or pt-BR")));
    }
    if let Some(state) = front.state.as_ref().filter(|it| !is_state(it)) {
        return Err(field("state", format!("state: {state:?} is none of published, draft")));
    }
    let body = body.strip_prefix('\n').unwrap_or(body).to_owned();
    Ok(Local { path: path.to_owned(), front, body, crlf })
}

/// The id and the locale in `<id>-<slug>.<locale>.md`.
fn in_name(path: &str) -> (Option<&str>, Option<&str>, &str) {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".md").unwrap_or(name);
    let (stem, locale) = match stem.rsplit_once('.') {
        Some((stem, locale)) if is_locale(locale) => (stem, Some(locale)),
        _ => (stem, None),
    };
    let id = stem.split('-').next().filter(|it| it.bytes().all(|it| it.is_ascii_digit()) && is_id(it));
    (id, locale, stem)
}

/// Looks at every file of the folder.
///
/// # Errors
/// When the folder cannot be listed. What is wrong with single files is in [`Found::problems`].
pub fn scan(folder: &Folder, manifest: &Manifest) -> Result<Found, Error> {
    let mut known: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (id, article) in &manifest.articles {
        for (locale, file) in &article.files {
            known.insert(&file.path, (id, locale));
        }
    }
    let mut found = Found::default();
    let mut new = Groups::new();
    let mut others = Vec::new();
    for path in folder.markdown_files()? {
        match known.remove(path.as_str()) {
            Some((id, locale)) => known_file(folder, manifest, &mut found, &path, id, locale),
            None => others.push(path),
        }
    }
    // What stands in the place of a file and is none, such as a link, does not mean that it is gone.
    for (path, (id, locale)) in known.into_iter().filter(|(path, _)| folder.has(path)) {
        known_file(folder, manifest, &mut found, path, id, locale);
    }
    for path in others {
        other_file(folder, manifest, &mut found, &mut new, &path);
    }
    for group in new.into_values() {
        found.group(folder, group);
    }
    Ok(found)
}

fn known_file(folder: &Folder, manifest: &Manifest, found: &mut Found, path: &str, id: &str, locale: &str) {
    found.paths.insert((id.to_owned(), locale.to_owned()), path.to_owned());
    let checked = text(folder, path).and_then(|text| {
        if manifest.file(id, locale).is_some_and(|it| it.markdown_sha256 == markdown_sha256(&text)) {
            return Ok(None);
        }
        let local = parse(folder, path, &text)?;
        let says = |name: &str, said: &Option<String>, is: &str| match said {
            Some(said) if said != is => {
                let line = front_matter::line_of(&lines_of(&text), name);
                let reason = format!("{name}: the file is {is}, but its front matter says {said}");
                Err(Error::content(folder.root().join(path), line, reason))
            }
            _ => Ok(()),
        };
        says("id", &local.front.id, id)?;
        says("locale", &local.front.locale, locale)?;
        Ok(Some(local))
    });
    match checked {
        Ok(None) => {}
        Ok(Some(local)) => {
            found.changed.entry(id.to_owned()).or_default().insert(locale.to_owned(), local);
        }
        Err(error) => found.problems.push((path.to_owned(), error)),
    }
}

fn other_file(folder: &Folder, manifest: &Manifest, found: &mut Found, new: &mut Groups, path: &str) {
    let (name_id, name_locale, stem) = in_name(path);
    let name_id = name_id.filter(|it| manifest.articles.contains_key(*it));
    let content = match text(folder, path) {
        // Notes that authors keep beside the articles are none.
        Ok(content)
            if name_locale.is_none() && !content.trim_start_matches('\u{feff}').starts_with("---") =>
        {
            return found.skip(folder, path);
        }
        Ok(content) => content,
        Err(error) => return found.problems.push((path.to_owned(), error)),
    };
    let local = match parse(folder, path, &content) {
        Ok(local) => local,
        Err(error) => return found.problems.push((path.to_owned(), error)),
    };
    let mut problem = |field: &str, reason: String| {
        let line = front_matter::line_of(&lines_of(&content), field);
        found.problems.push((path.to_owned(), Error::content(folder.root().join(path), line, reason)));
    };
    let default = if manifest.default_locale.is_empty() { "en" } else { &manifest.default_locale };
    let locale = match (&local.front.locale, name_locale) {
        (Some(said), Some(named)) if said != named => {
            return problem("locale", format!("locale: the name says {named}, the front matter {said}"));
        }
        (Some(locale), _) => locale.clone(),
        (None, Some(locale)) => locale.to_owned(),
        (None, None) => default.to_owned(),
    };
    let id = match (&local.front.id, name_id) {
        (Some(said), Some(named)) if said != named => {
            return problem("id", format!("id: the name says {named}, the front matter {said}"));
        }
        (Some(said), _) if !manifest.articles.contains_key(said) => {
            let reason = format!(
                "id: no article {said} was pulled into this folder; pull, or leave the line out for a new article"
            );
            problem("id", reason);
            found.unknown.insert((said.clone(), locale), local);
            return;
        }
        (Some(id), _) => id.clone(),
        (None, Some(id)) => id.to_owned(),
        (None, None) => match created_from(manifest, path) {
            Some(id) => id.to_owned(),
            None => return new.entry(stem_in_folder(path, stem)).or_default().push((locale, local)),
        },
    };
    let key = (id.clone(), locale.clone());
    if let Some(other) = found.paths.get(&key) {
        let reason =
            format!("{other} is article {id} in {locale} as well; leave the id out for a new article");
        return problem("id", reason);
    }
    found.paths.insert(key, path.to_owned());
    let unchanged =
        manifest.file(&id, &locale).is_some_and(|it| it.markdown_sha256 == markdown_sha256(&content));
    if !unchanged || manifest.file(&id, &locale).is_some_and(|it| it.path != path) {
        found.changed.entry(id).or_default().insert(locale, local);
    }
}

/// The article that an earlier run made of a new file, and ended before it could say so in the file.
fn created_from<'a>(manifest: &'a Manifest, path: &str) -> Option<&'a str> {
    let id = manifest.creating.get(path)?.id.as_deref()?;
    manifest.articles.contains_key(id).then_some(id)
}

impl Found {
    /// The files of one new article. Two in one language leave it open which is meant.
    fn group(&mut self, folder: &Folder, group: Vec<(String, Local)>) {
        let twice = group.iter().enumerate().find_map(|(at, (locale, _))| {
            group[..at].iter().any(|(other, _)| other == locale).then(|| locale.clone())
        });
        match twice {
            None => self.new.push(group.into_iter().collect()),
            Some(locale) => {
                let paths: Vec<&str> = group.iter().map(|(_, it)| it.path.as_str()).collect();
                let reason = format!(
                    "several files are one new article in {locale}; rename some of {}",
                    paths.join(", ")
                );
                self.problems.extend(group.iter().map(|(_, it)| {
                    (it.path.clone(), Error::content(folder.root().join(&it.path), Some(1), reason.clone()))
                }));
            }
        }
    }

    /// A README tells about its folder; what else has no front matter may have been meant to be an article.
    fn skip(&mut self, folder: &Folder, path: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.eq_ignore_ascii_case("readme.md") {
            return;
        }
        let reason = "no front matter, so it is no article and is left alone; \
                      a new article begins with --- and `title: ...` and ---";
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

/// The file for a language as the server has it.
pub fn file(manifest: &Manifest, id: &str, locale: &str, head: &Head<'_>, document: &Document) -> String {
    let mut text = head.front(manifest, id, locale).write();
    text.push_str(&document.markdown());
    text
}

/// What the front matter is made of.
pub struct Head<'a> {
    pub content: &'a Content,
    pub parent_id: Option<&'a str>,
    pub tags: &'a [String],
}

impl Head<'_> {
    pub fn front(&self, manifest: &Manifest, id: &str, locale: &str) -> FrontMatter {
        let time = self.content.updated_at.and_then(|it| jiff::Timestamp::from_second(it).ok());
        FrontMatter {
            id: Some(id.to_owned()),
            locale: Some(locale.to_owned()),
            title: Some(self.content.title.clone()),
            description: Some(self.content.description.clone()).filter(|it| !it.is_empty()),
            state: self.content.state.clone().filter(|it| is_state(it)),
            author: self.content.author.clone(),
            collection: manifest.collection_path(self.parent_id),
            tags: self.tags.to_vec(),
            url: self.content.url.clone(),
            updated_at: time.map(|it| it.to_string()),
        }
    }
}
