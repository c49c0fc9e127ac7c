//! A push under way: what it works with, and the note it takes of what the server made of an article.
//!
//! Decides nothing: what is sent is the matter of `push.rs`, `create.rs` and `absent.rs`.

use std::collections::BTreeMap;

use super::article::Article;
use super::combine::{conflict_path, says};
use super::document::Document;
use super::error::Error;
use super::folder::Folder;
use super::local::{self, Head, Local};
use super::manifest::{self, Manifest};
use super::only::Only;
use super::remote::Owner;
use crate::api::client::Client;

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub only: Only,
    /// Work out what would be sent, and send nothing.
    pub plan_only: bool,
    /// Ids of articles whose files are right where both sides changed something.
    pub force: Vec<String>,
    /// Delete articles whose files are gone.
    pub delete: bool,
    /// Author of new articles that name none: id, e-mail address or name.
    pub author: Option<String>,
}

pub(super) struct Run<'a> {
    pub client: &'a Client,
    pub folder: &'a Folder,
    pub options: &'a Options,
    pub owner: Owner,
    pub manifest: Manifest,
}

impl Run<'_> {
    /// Notes what the server has now, in files and manifest.
    pub(super) fn settle(
        &mut self,
        article: &Article,
        locals: &BTreeMap<String, Local>,
    ) -> Result<(), Error> {
        for (locale, local) in locals {
            let Some(content) = article.content(locale) else { continue };
            let images = self.manifest.images(&local.path);
            let document = Document::read(&content.body, &images);
            let head = Head { content, parent_id: article.parent_id.as_deref(), tags: &article.tags };
            // An author's way of writing stays where it says what the server has.
            let file = match says(local, &document, &images) {
                true => format!("{}{}", head.front(&self.manifest, &article.id, locale).write(), local.body),
                false => local::file(&self.manifest, &article.id, locale, &head, &document),
            };
            let written = if local.crlf { file.replace('\n', "\r\n") } else { file.clone() };
            if self.folder.read(&local.path)?.as_deref() != Some(written.as_bytes()) {
                self.folder.write(&local.path, written.as_bytes())?;
            }
            manifest::save_html(self.folder, &article.id, locale, &content.body)?;
            self.folder.remove(&conflict_path(&local.path))?;
            self.manifest.note_file(article, locale, &local.path, &file);
        }
        self.manifest.note(article);
        self.manifest.save(self.folder)
    }
}
