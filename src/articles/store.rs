//! What a folder remembers of the server: the manifest, and every article exactly as it was last seen.
//!
//! An article's memory is one file, replaced in one step: it is what edits are compared with. The manifest
//! says which file shows which article. Should a run end between the two, the next one goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::folder::{Folder, HIDDEN, hash};
use super::page;
use super::remote::Article;

const NAME: &str = "manifest.json";

/// The version of the manifest's form.
const VERSION: u32 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    pub workspace: Option<String>,
    pub default_locale: String,
    /// Collections are folders.
    pub tree: bool,
    /// By id.
    pub collections: BTreeMap<String, Collection>,
    /// By path, with `/` between the names.
    pub files: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// The names of the collections around it and its own, with ` / ` between them.
    pub path: String,
    pub folder: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    pub locale: String,
    /// Of the body as the server has it.
    pub html_sha256: String,
    /// Of the file as it was last written or pushed.
    pub markdown_sha256: String,
    pub updated_at: Option<i64>,
}

impl Default for Manifest {
    fn default() -> Self {
        Manifest {
            version: VERSION,
            workspace: None,
            default_locale: "en".into(),
            tree: false,
            collections: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }
}

impl Manifest {
    /// `None` when the folder has none yet.
    ///
    /// # Errors
    /// When it cannot be read or is of a later form.
    pub fn read(folder: &Folder) -> Result<Option<Self>, Error> {
        if !folder.exists(NAME) {
            return Ok(None);
        }
        let place = folder.place(NAME)?;
        let bad = |line, reason: String| Error::Manifest { path: place.clone(), line, reason };
        let manifest: Manifest = serde_json::from_slice(&folder.read(NAME)?)
            .map_err(|error| bad(error.line(), format!("this is no manifest: {error}")))?;
        if manifest.version > VERSION {
            return Err(bad(1, format!("version {} is of a later program", manifest.version)));
        }
        Ok(Some(manifest))
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        match folder.read(NAME) {
            Ok(before) if before == text.as_bytes() => Ok(()),
            _ => folder.write(NAME, text.as_bytes()),
        }
    }

    /// # Errors
    /// [`Error::OtherWorkspace`] when the folder is known to belong to another one.
    pub fn is_of(&self, workspace: Option<&str>) -> Result<(), Error> {
        match (&self.workspace, workspace) {
            (Some(folder), Some(token)) if folder != token => {
                Err(Error::OtherWorkspace { folder: folder.clone(), token: token.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Notes the workspace, where it is not known yet.
    ///
    /// # Errors
    /// As [`Manifest::is_of`].
    pub fn belongs_to(&mut self, workspace: Option<&str>) -> Result<(), Error> {
        self.is_of(workspace)?;
        self.workspace = self.workspace.take().or_else(|| workspace.map(str::to_owned));
        Ok(())
    }

    pub fn path_of(&self, id: &str, locale: &str) -> Option<&str> {
        let found = self.files.iter().find(|(_, entry)| entry.id == id && entry.locale == locale);
        found.map(|(path, _)| path.as_str())
    }

    /// The collection of this path of names, or of this id.
    pub fn collection(&self, named: &str) -> Result<String, String> {
        let mut found = self.collections.iter().filter(|(id, it)| it.path == named || *id == named);
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            (Some(_), Some(_)) => Err(format!("several collections are called {named:?}: give the id")),
            (None, _) => Err(format!("there is no collection {named:?}")),
        }
    }

    pub fn collection_path(&self, article: &Article) -> Option<String> {
        let parent = article.parent_id.as_ref()?;
        Some(self.collections.get(parent).map_or_else(|| parent.clone(), |it| it.path.clone()))
    }

    /// The text of an article's file in a language.
    pub fn text(&self, article: &Article, locale: &str, markdown: &str) -> String {
        let content = article.contents.get(locale).cloned().unwrap_or_default();
        page::write(article, locale, &content, self.collection_path(article).as_deref(), markdown)
    }

    pub fn enter(&mut self, path: &str, article: &Article, locale: &str, text: &[u8]) {
        let content = article.contents.get(locale).cloned().unwrap_or_default();
        let entry = Entry {
            id: article.id.clone(),
            locale: locale.to_owned(),
            html_sha256: hash(content.body.as_bytes()),
            markdown_sha256: hash(text),
            updated_at: content.updated_at.or(article.updated_at),
        };
        self.files.insert(path.to_owned(), entry);
    }
}

fn memory_path(id: &str) -> String {
    format!("{HIDDEN}/articles/{id}.json")
}

/// The article as it was last seen; `None` when it never was or the memory is damaged.
pub fn remembered(folder: &Folder, id: &str) -> Option<Article> {
    serde_json::from_slice(&folder.read(&memory_path(id)).ok()?).ok()
}

/// # Errors
/// When it cannot be written.
pub fn remember(folder: &Folder, article: &Article) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(article).unwrap_or_default() + "\n";
    folder.write(&memory_path(&article.id), text.as_bytes())
}

/// # Errors
/// When it cannot be removed.
pub fn forget(folder: &Folder, id: &str) -> Result<(), Error> {
    folder.remove(&memory_path(id))
}
