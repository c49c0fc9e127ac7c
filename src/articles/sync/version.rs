//! The help center's version of one language of an article: its file, its record, and what changed in it.
//!
//! What the server regenerates on every read must never count as a change.

use super::conflict::conflict_path;
use super::decide::SideState;
use super::error::Error;
use super::folder::{Folder, sha256};
use super::manifest::{self, FileRecord, Manifest, markdown_sha256};
use crate::articles::article::{Article, ArticleContent, is_state};
use crate::articles::convert::blocks::Document;
use crate::articles::convert::front_matter::FrontMatter;
use crate::articles::convert::normalize::strip_volatile;

#[derive(Debug, Clone, Copy)]
pub struct ArticleVersion<'a> {
    pub id: &'a str,
    pub locale: &'a str,
    pub content: &'a ArticleContent,
    pub parent_id: Option<&'a str>,
    pub tags: &'a [String],
}

impl<'a> ArticleVersion<'a> {
    pub fn of(article: &'a Article, locale: &'a str) -> Option<Self> {
        Some(ArticleVersion {
            id: &article.id,
            locale,
            content: article.content(locale)?,
            parent_id: article.parent_id.as_deref(),
            tags: &article.tags,
        })
    }

    pub fn front_matter(&self, manifest: &Manifest) -> String {
        let content = self.content;
        let time = content.updated_at.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let fields = FrontMatter {
            id: Some(self.id.to_owned()),
            locale: Some(self.locale.to_owned()),
            title: Some(content.title.clone()),
            description: Some(content.description.clone()).filter(|description| !description.is_empty()),
            state: content.state.clone().filter(|state| is_state(state)),
            author: content.author.clone(),
            collection: manifest.collection_path(self.parent_id),
            tags: self.tags.to_vec(),
            url: content.url.clone(),
            updated_at: time.map(|time| time.to_string()),
        };
        fields.write()
    }

    /// The file for this version at a path, with line feeds only.
    pub fn file(&self, manifest: &Manifest, path: &str) -> String {
        let addresses = manifest.address_map(path);
        self.front_matter(manifest) + &Document::read(&self.content.body, &addresses).markdown()
    }

    /// The record of this version; `file` is the file for it.
    pub fn file_record(&self, manifest: &Manifest, path: &str, file: &str) -> FileRecord {
        let content = self.content;
        FileRecord {
            path: path.to_owned(),
            title: content.title.clone(),
            description: content.description.clone(),
            state: content.state.clone(),
            author: content.author.clone(),
            parent_id: self.parent_id.map(str::to_owned),
            collection: manifest.collection_path(self.parent_id),
            url: content.url.clone(),
            html_sha256: sha256(content.body.as_bytes()),
            markdown_sha256: markdown_sha256(file),
        }
    }

    /// Writes the file for this version, and records it.
    pub fn write(&self, folder: &Folder, manifest: &mut Manifest, path: &str) -> Result<(), Error> {
        let file = self.file(manifest, path);
        folder.write(path, file.as_bytes())?;
        self.record(folder, manifest, path, &file)
    }

    /// Records this version as the base of the file at a path, after that file was written. `file` is the file
    /// for this version.
    pub fn record(
        &self,
        folder: &Folder,
        manifest: &mut Manifest,
        path: &str,
        file: &str,
    ) -> Result<(), Error> {
        manifest::save_html(folder, self.id, self.locale, &self.content.body)?;
        folder.remove(&conflict_path(path))?;
        manifest.insert_file(self.id, self.locale, self.file_record(manifest, path, file));
        Ok(())
    }

    /// Restores the HTML that a file was made from if it is missing. Returns whether it was; call only while
    /// the server's version is the same.
    pub fn restore_html(&self, folder: &Folder) -> Result<bool, Error> {
        if manifest::read_html(folder, self.id, self.locale).is_ok() {
            return Ok(false);
        }
        manifest::save_html(folder, self.id, self.locale, &self.content.body)?;
        Ok(true)
    }
}

/// What the help center did with a text since it was recorded, as far as an author can see.
pub fn theirs_state(folder: &Folder, manifest: &Manifest, article: &Article, locale: &str) -> SideState {
    let Some(version) = ArticleVersion::of(article, locale) else { return SideState::Absent };
    let Some(record) = manifest.file(&article.id, locale) else { return SideState::Changed };
    let content = version.content;
    let same_fields = record.title == content.title
        && record.description == content.description
        && record.state == content.state
        && record.author == content.author
        && record.parent_id == article.parent_id
        && record.collection == manifest.collection_path(version.parent_id);
    let same_text = || {
        let base = || base_html(folder, manifest, &article.id, locale, Some(article));
        record.html_sha256 == sha256(content.body.as_bytes())
            || base().is_some_and(|base| strip_volatile(&base) == strip_volatile(&content.body))
    };
    if same_fields && same_text() { SideState::Unchanged } else { SideState::Changed }
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
    let record = manifest.file(id, locale)?;
    let version = ArticleVersion::of(article?, locale)?;
    let body = &version.content.body;
    let is_same = record.html_sha256 == sha256(body.as_bytes()) || {
        let file = version.file(manifest, &record.path);
        record.markdown_sha256 == markdown_sha256(&file)
    };
    is_same.then(|| body.clone())
}
