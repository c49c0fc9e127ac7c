//! What the folder knows about the server: `manifest.json`, and the HTML beside it in `.intercom/`.
//!
//! Both belong into version control. The manifest says what the server had when a file was last written,
//! so that an author's changes and a colleague's can be told apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::article::{Article, is_id, is_locale};
use super::error::Error;
use super::folder::Folder;
use super::images::Images;
use super::lines::lines_of;

const FILE: &str = "manifest.json";
const HIDDEN: &str = ".intercom";
const VERSION: u32 = 1;
/// The workspace of a folder that was pulled while the service did not tell it.
const UNKNOWN: &str = "unknown";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    pub workspace: String,
    pub default_locale: String,
    /// Collections are folders.
    #[serde(default)]
    pub tree: bool,
    #[serde(default)]
    pub collections: Vec<Collection>,
    /// By id.
    #[serde(default)]
    pub articles: BTreeMap<String, Known>,
    /// Path of each image in the folder, by its address without signature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Files of new articles whose creation is under way, or was when a run ended, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creating: BTreeMap<String, Creating>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    pub id: String,
    /// Names from the outermost on, joined with ` / `.
    pub path: String,
    /// Relative to the root, with `--tree`.
    pub folder: String,
}

/// An article as it was when its files were last written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Epoch seconds.
    pub updated_at: Option<i64>,
    pub default_locale: String,
    pub parent_id: Option<String>,
    /// By locale.
    pub files: BTreeMap<String, KnownFile>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFile {
    pub path: String,
    pub title: String,
    pub description: String,
    pub state: Option<String>,
    pub author: Option<String>,
    /// The collection that the file speaks of, by id and as it is written there.
    #[serde(default)]
    pub parent_id: Option<String>,
    #[serde(default)]
    pub collection: Option<String>,
    /// Of the HTML as the server sent it.
    pub html_sha256: String,
    /// Of the file that says the same, with line feeds only.
    pub markdown_sha256: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Creating {
    /// Of the article.
    pub title: String,
    /// Epoch seconds of this machine.
    pub since: i64,
    /// The article, as soon as the server has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Manifest {
    pub fn new() -> Self {
        Manifest { version: VERSION, workspace: UNKNOWN.to_owned(), ..Manifest::default() }
    }

    /// # Errors
    /// When there is one that cannot be used.
    pub fn read(folder: &Folder) -> Result<Option<Self>, Error> {
        let Some(content) = folder.read(FILE)? else { return Ok(None) };
        let path = folder.root().join(FILE);
        let manifest: Manifest = serde_json::from_slice(&content)
            .map_err(|error| Error::content(&path, Some(error.line()), format!("no manifest: {error}")))?;
        if manifest.version > VERSION {
            return Err(Error::content(&path, None, "it was written by a later version of this program"));
        }
        let sound = manifest.articles.iter().all(|(id, known)| {
            is_id(id)
                && known.files.iter().all(|(locale, file)| is_locale(locale) && Folder::is_inside(&file.path))
        });
        match sound {
            true => Ok(Some(manifest)),
            false => {
                Err(Error::content(&path, None, "it names files outside the folder, or ids that are none"))
            }
        }
    }

    /// Makes it one of this workspace, as far as that is known.
    ///
    /// # Errors
    /// [`Error::OtherWorkspace`] when it belongs to another one.
    pub fn bind(&mut self, folder: &Folder, workspace: Option<&str>) -> Result<(), Error> {
        match workspace {
            Some(current) if self.workspace == UNKNOWN => self.workspace = current.to_owned(),
            Some(current) if self.workspace != current => {
                return Err(Error::OtherWorkspace {
                    path: folder.root().to_owned(),
                    pulled: self.workspace.clone(),
                    current: current.to_owned(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes it, unless it says what the file says already.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Folder) -> Result<(), Error> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        match folder.read(FILE)?.as_deref() == Some(text.as_bytes()) {
            true => Ok(()),
            false => folder.write(FILE, text.as_bytes()),
        }
    }

    pub fn file(&self, id: &str, locale: &str) -> Option<&KnownFile> {
        self.articles.get(id)?.files.get(locale)
    }

    pub fn collection_path(&self, id: Option<&str>) -> Option<String> {
        let id = id?;
        let found = self.collections.iter().find(|it| it.id == id);
        // Two collections of one name can only be told apart by id.
        let clear =
            found.filter(|it| self.collections.iter().filter(|other| other.path == it.path).count() == 1);
        Some(clear.map_or_else(|| id.to_owned(), |it| it.path.clone()))
    }

    /// The images as a file at this path speaks of them.
    pub fn images(&self, path: &str) -> Images {
        let up = "../".repeat(path.matches('/').count());
        let local = self.images.iter().map(|(address, image)| (address.clone(), format!("{up}{image}")));
        Images { local: local.collect() }
    }

    /// Notes what the server has of a language; `file` is the text that says so.
    pub fn note_file(&mut self, article: &Article, locale: &str, path: &str, file: &str) {
        let Some(content) = article.content(locale) else { return };
        let known = KnownFile {
            path: path.to_owned(),
            title: content.title.clone(),
            description: content.description.clone(),
            state: content.state.clone(),
            author: content.author.clone(),
            parent_id: article.parent_id.clone(),
            collection: self.collection_path(article.parent_id.as_deref()),
            html_sha256: sha256(content.body.as_bytes()),
            markdown_sha256: markdown_sha256(file),
        };
        self.articles.entry(article.id.clone()).or_default().files.insert(locale.to_owned(), known);
        self.creating.remove(path);
    }

    /// Notes what the server has of an article apart from its texts.
    pub fn note(&mut self, article: &Article) {
        let known = self.articles.entry(article.id.clone()).or_default();
        known.updated_at = article.updated_at;
        known.default_locale.clone_from(&article.default_locale);
        known.parent_id.clone_from(&article.parent_id);
    }
}

/// Keeps the HTML of a language as the server sent it.
///
/// # Errors
/// When it cannot be written.
pub fn save_html(folder: &Folder, id: &str, locale: &str, html: &str) -> Result<(), Error> {
    let attributes = format!("{HIDDEN}/.gitattributes");
    if !folder.has(&attributes) {
        folder.write(&attributes, b"* -text\n")?;
    }
    folder.write(&html_path(id, locale), html.as_bytes())
}

/// The HTML that the server had when the file was last written.
///
/// It may be ahead of the manifest when a run was killed between the two; that is sound, because files of
/// authors are always written first.
///
/// # Errors
/// When it is not there.
pub fn read_html(folder: &Folder, id: &str, locale: &str) -> Result<String, Error> {
    let path = html_path(id, locale);
    let damaged = |reason: &str| {
        let hint = "pull with --force to start from the server's text (a backup of the file is kept)";
        Error::content(folder.root().join(&path), None, format!("{reason}; {hint}"))
    };
    let html = folder.read(&path)?.ok_or_else(|| damaged("it is missing"))?;
    String::from_utf8(html).map_err(|_| damaged("it is not UTF-8"))
}

pub fn html_path(id: &str, locale: &str) -> String {
    format!("{HIDDEN}/{id}.{locale}.html")
}

pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Line ends and a mark at the beginning are no changes.
pub fn markdown_sha256(text: &str) -> String {
    sha256(lines_of(text.strip_prefix('\u{feff}').unwrap_or(text)).as_bytes())
}
