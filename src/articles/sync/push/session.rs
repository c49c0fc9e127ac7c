//! The state of one push, and how it records the server's version of an article in the folder.
//!
//! What is sent is decided in `push.rs`, `update.rs`, `create.rs` and `deletions.rs`, never here.

use std::collections::BTreeSet;

use crate::api::client::Client;
use crate::articles::article::Article;
use crate::articles::sync::error::Error;
use crate::articles::sync::finding::Finding;
use crate::articles::sync::folder::Folder;
use crate::articles::sync::gate::{AllowEmpty, Gate, LinkCheck};
use crate::articles::sync::manifest::Manifest;
use crate::articles::sync::outgoing::OutgoingText;
use crate::articles::sync::remote::TokenOwner;
use crate::articles::sync::selection::ArticleSelection;
use crate::articles::sync::version::ArticleVersion;
use crate::articles::sync::working_copy::LocalFiles;

#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    pub selection: ArticleSelection,
    /// Report what would be sent, and send nothing.
    pub plan_only: bool,
    /// Ids of articles whose conflicts are resolved in favour of the local file.
    pub force: Vec<String>,
    /// Delete articles whose files were removed.
    pub delete: bool,
    /// Author of new articles whose file has no `author`: id, email address or name.
    pub author: Option<String>,
    /// Skip new files.
    pub no_create: bool,
    /// Create an article even if the help center has another one with its title.
    pub same_title: bool,
    /// Articles whose text may become empty.
    pub allow_empty: AllowEmpty,
}

pub struct PushSession<'a> {
    pub client: &'a Client,
    pub folder: &'a Folder,
    pub options: &'a PushOptions,
    pub owner: TokenOwner,
    pub manifest: Manifest,
    /// All Markdown files in the folder at the start of the push.
    pub files: BTreeSet<String>,
    /// New files that this push has turned into articles, or would.
    pub upcoming: BTreeSet<String>,
    /// Articles in the help center that share a title with a new file; fetched on first use.
    pub title_matches: Option<Vec<Article>>,
    /// Ids of articles that this push created or matched to a new file.
    pub claimed: BTreeSet<String>,
    /// Titles of all new files.
    pub titles: BTreeSet<String>,
    /// Files that were renamed: from, to.
    pub renamed: Vec<(String, String)>,
}

impl PushSession<'_> {
    /// Whether conflicts of an article are resolved in favour of the file.
    pub fn is_forced(&self, id: &str) -> bool {
        self.options.force.iter().any(|forced| forced == id)
    }

    /// Findings of the gate for an article.
    pub fn findings(&self, id: Option<&str>, fresh: Option<&Article>, locals: &LocalFiles) -> Vec<Finding> {
        let links = LinkCheck {
            folder: self.folder,
            manifest: &self.manifest,
            files: &self.files,
            upcoming: &self.upcoming,
        };
        Gate { links, allow_empty: &self.options.allow_empty, fresh }.check_article(id, locals)
    }

    /// Records the server's version of an article in the files and the manifest.
    pub fn record(&mut self, article: &Article, locals: &LocalFiles) -> Result<(), Error> {
        for (locale, local) in locals {
            let Some(version) = ArticleVersion::of(article, locale) else { continue };
            let html = &version.content.body;
            let text =
                OutgoingText::read(self.folder, &self.manifest, Some(&article.id), locale, local, html);
            // Keep the author's formatting where it means the same as the server's text.
            let body = if text.is_equivalent() { local.body.clone() } else { text.base.markdown() };
            // Release the shared link index: recording would have to copy it otherwise.
            drop(text);
            let file = version.front_matter(&self.manifest) + &body;
            let encoded = if local.crlf { file.replace('\n', "\r\n") } else { file.clone() };
            if self.folder.read(&local.path)?.as_deref() != Some(encoded.as_bytes()) {
                self.folder.write(&local.path, encoded.as_bytes())?;
            }
            version.record(self.folder, &mut self.manifest, &local.path, &file)?;
        }
        self.manifest.record_article(article);
        self.manifest.save(self.folder)
    }
}
