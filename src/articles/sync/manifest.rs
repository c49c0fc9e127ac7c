//! The folder's record of the server: `manifest.json`, and the HTML in `.intercom/`.
//!
//! Both belong in version control. The manifest records the server's version at the time a file was last
//! written, which is what distinguishes an author's edits from a colleague's. Paths in it must never lead
//! out of the folder.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::conflict::is_merge_marker;
use super::error::Error;
use super::folder::{Folder, HIDDEN, sha256};
use crate::api::identity::UNKNOWN_WORKSPACE;
use crate::articles::article::{Article, is_id, is_locale};
use crate::articles::convert::addresses::{AddressMap, LinkIndex};
use crate::articles::convert::normalize::normalize_line_endings;

const FILE: &str = "manifest.json";
const VERSION: u32 = 1;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    /// `unknown` if the API did not return its code.
    pub workspace: String,
    pub default_locale: String,
    /// Whether collections are written as folders.
    #[serde(default)]
    pub tree: bool,
    #[serde(default)]
    pub collections: Vec<Collection>,
    /// By id.
    #[serde(default)]
    pub articles: BTreeMap<String, ArticleRecord>,
    /// Paths of downloaded images, by address without signature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Files of new articles whose creation was started but not completed, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creating: BTreeMap<String, PendingCreation>,
    /// Index of the articles that links can point to.
    #[serde(skip)]
    pub links: Arc<LinkIndex>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    pub id: String,
    /// Names from the top level down, joined with ` / `.
    pub path: String,
    /// Folder used with `--tree`, relative to the root.
    pub folder: String,
}

/// The server's version of an article when its files were last written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleRecord {
    /// Epoch seconds.
    pub updated_at: Option<i64>,
    pub default_locale: String,
    pub parent_id: Option<String>,
    /// The file from which a push created the article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// By locale.
    pub files: BTreeMap<String, FileRecord>,
}

/// The server's version of one language when its file was last written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    pub path: String,
    pub title: String,
    pub description: String,
    pub state: Option<String>,
    pub author: Option<String>,
    /// Id of the collection that the file names.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// The collection as it is written in the file.
    #[serde(default)]
    pub collection: Option<String>,
    /// Public address for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Hash of the server's HTML.
    pub html_sha256: String,
    /// Hash of the file for that HTML, with line feeds only.
    pub markdown_sha256: String,
}

/// A request to create an article whose response may have been lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingCreation {
    /// Title of the article.
    pub title: String,
    /// Epoch seconds, by the clock of this machine.
    pub since: i64,
    /// Id of the article, once the response arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Manifest {
    pub fn new() -> Self {
        Manifest { version: VERSION, workspace: UNKNOWN_WORKSPACE.to_owned(), ..Manifest::default() }
    }

    pub fn exists(folder: &Folder) -> bool {
        folder.has(FILE)
    }

    /// Reads the manifest; `None` if the folder has none.
    ///
    /// # Errors
    /// When it is invalid, or was written by a later version.
    pub fn read(folder: &Folder) -> Result<Option<Self>, Error> {
        let Some(content) = folder.read(FILE)? else { return Ok(None) };
        let path = folder.root().join(FILE);
        let mut manifest: Manifest = serde_json::from_slice(&content)
            .map_err(|error| Error::content(&path, Some(error.line()), unreadable(&content, &error)))?;
        if manifest.version > VERSION {
            return Err(Error::content(&path, None, "written by a later version of this program: update it"));
        }
        let is_valid = manifest.articles.iter().all(|(id, known)| {
            is_id(id)
                && known.files.iter().all(|(locale, file)| is_locale(locale) && Folder::is_inside(&file.path))
        });
        if !is_valid {
            return Err(Error::content(
                &path,
                None,
                "contains invalid ids, locales or paths outside the folder",
            ));
        }
        manifest.index_links();
        Ok(Some(manifest))
    }

    /// Reads the manifest of a folder that must have one.
    ///
    /// # Errors
    /// [`Error::NoManifest`] without one, otherwise like [`Manifest::read`].
    pub fn require(folder: &Folder) -> Result<Self, Error> {
        Manifest::read(folder)?.ok_or_else(|| Error::NoManifest { path: folder.root().to_owned() })
    }

    /// The default language of the help center; `en` until it is known.
    pub fn default_locale(&self) -> &str {
        if self.default_locale.is_empty() { "en" } else { &self.default_locale }
    }

    /// Points links to the current paths of moved files.
    pub fn update_paths(&mut self, paths: &BTreeMap<(String, String), String>) {
        let links = Arc::make_mut(&mut self.links);
        for ((id, locale), path) in paths {
            links.set_path(id, locale, path);
        }
    }

    fn index_links(&mut self) {
        let mut links = LinkIndex::default();
        for (id, known) in &self.articles {
            for (locale, file) in &known.files {
                links.add(id, locale, &file.path, file.url.as_deref());
            }
        }
        self.links = Arc::new(links);
    }

    /// Binds the folder to this workspace, if the workspace is known.
    ///
    /// # Errors
    /// [`Error::OtherWorkspace`] when the folder belongs to another one.
    pub fn bind_workspace(&mut self, folder: &Folder, workspace: Option<&str>) -> Result<(), Error> {
        match workspace {
            Some(current) if self.workspace == UNKNOWN_WORKSPACE => self.workspace = current.to_owned(),
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

    /// Writes the manifest if it changed.
    pub fn save(&self, folder: &Folder) -> Result<(), Error> {
        let unusable = |error| Error::Unusable(format!("cannot write {FILE}: {error}"));
        let mut text = serde_json::to_string_pretty(self).map_err(unusable)?;
        text.push('\n');
        if folder.read(FILE)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        folder.write(FILE, text.as_bytes())
    }

    pub fn file(&self, id: &str, locale: &str) -> Option<&FileRecord> {
        self.articles.get(id)?.files.get(locale)
    }

    /// The id of the article that a file was recorded for.
    pub fn article_of(&self, path: &str) -> Option<&str> {
        let has_file = |known: &ArticleRecord| known.files.values().any(|file| file.path == path);
        self.articles.iter().find(|(_, known)| has_file(known)).map(|(id, _)| id.as_str())
    }

    /// The collection as it is written in a file: its path, or its id if the path is ambiguous or unknown.
    pub fn collection_path(&self, id: Option<&str>) -> Option<String> {
        let id = id?;
        let found = self.collections.iter().find(|collection| collection.id == id);
        let unique = found.filter(|collection| {
            self.collections.iter().filter(|other| other.path == collection.path).count() == 1
        });
        Some(unique.map_or_else(|| id.to_owned(), |collection| collection.path.clone()))
    }

    /// The addresses as a file at this path shows them.
    pub fn address_map(&self, path: &str) -> AddressMap {
        let up = "../".repeat(path.matches('/').count());
        let image_paths =
            self.images.iter().map(|(address, image)| (address.clone(), format!("{up}{image}")));
        AddressMap {
            image_paths: image_paths.collect(),
            path: path.to_owned(),
            links: Arc::clone(&self.links),
            outgoing: HashMap::new(),
        }
    }

    /// Records one language of an article.
    pub fn insert_file(&mut self, id: &str, locale: &str, record: FileRecord) {
        Arc::make_mut(&mut self.links).add(id, locale, &record.path, record.url.as_deref());
        self.creating.remove(&record.path);
        self.articles.entry(id.to_owned()).or_default().files.insert(locale.to_owned(), record);
    }

    /// Records the server's version of an article, apart from its texts.
    pub fn record_article(&mut self, article: &Article) {
        let known = self.articles.entry(article.id.clone()).or_default();
        known.updated_at = article.updated_at;
        known.default_locale.clone_from(&article.default_locale);
        known.parent_id.clone_from(&article.parent_id);
        known.tags = Some(article.tags.clone());
    }

    /// Records the public addresses of an article, even if its files do not change.
    pub fn record_urls(&mut self, article: &Article) {
        let Some(known) = self.articles.get_mut(&article.id) else { return };
        for (locale, file) in &mut known.files {
            let url = article.content(locale).and_then(|content| content.url.as_ref());
            if file.url.as_ref() != url {
                file.url = url.cloned();
                Arc::make_mut(&mut self.links).add(&article.id, locale, &file.path, url.map(String::as_str));
            }
        }
    }
}

/// Why the manifest cannot be parsed.
fn unreadable(content: &[u8], error: &serde_json::Error) -> String {
    let is_unresolved = String::from_utf8_lossy(content).lines().any(is_merge_marker);
    if is_unresolved {
        return "unresolved merge conflict: take either side, then run `articles pull`".to_owned();
    }
    format!("invalid manifest: {error}")
}

/// Stores the server's HTML of one language.
pub fn save_html(folder: &Folder, id: &str, locale: &str, html: &str) -> Result<(), Error> {
    let attributes = format!("{HIDDEN}/.gitattributes");
    if !folder.has(&attributes) {
        folder.write(&attributes, b"* -text -merge linguist-generated\n")?;
    }
    folder.write(&html_path(id, locale), html.as_bytes())
}

/// The server's HTML at the time the file was last written.
///
/// It can be newer than the manifest if a pull was killed between the two. That is safe, because Markdown
/// files are always written first.
///
/// # Errors
/// When the HTML is missing or damaged.
pub fn read_html(folder: &Folder, id: &str, locale: &str) -> Result<String, Error> {
    let path = html_path(id, locale);
    let damaged = |reason: &str| {
        let hint = "run `articles pull` to restore it; local edits are kept";
        Error::content(folder.root().join(&path), None, format!("{reason}; {hint}"))
    };
    let html = folder.read(&path)?.ok_or_else(|| damaged("file not found"))?;
    if html.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< ")) {
        return Err(damaged("unresolved merge conflict"));
    }
    String::from_utf8(html).map_err(|_| damaged("invalid UTF-8"))
}

pub fn html_path(id: &str, locale: &str) -> String {
    format!("{HIDDEN}/{id}.{locale}.html")
}

/// Hash of a file, regardless of line endings and a byte order mark.
pub fn markdown_sha256(text: &str) -> String {
    sha256(normalize_line_endings(text.strip_prefix('\u{feff}').unwrap_or(text)).as_bytes())
}
