//! The state of one push, and how it records the server's version of an article in the folder.
//!
//! What is sent is decided in `push.rs`, `create.rs` and `deletions.rs`, never here.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::client::Client;
use crate::articles::article::Article;
use crate::articles::blocks::{Document, EditedDocument};
use crate::articles::error::Error;
use crate::articles::finding::Finding;
use crate::articles::folder::Folder;
use crate::articles::gate::{AllowEmpty, Gate};
use crate::articles::manifest::{self, Manifest};
use crate::articles::rebase::{conflict_path, is_equivalent};
use crate::articles::remote::TokenOwner;
use crate::articles::selection::ArticleSelection;
use crate::articles::working_copy::{self, FrontMatterSource, LocalFile};

#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    pub selection: ArticleSelection,
    /// Report what would be sent, and send nothing.
    pub plan_only: bool,
    /// Ids of articles whose conflicts are resolved in favour of the local file.
    pub force: Vec<String>,
    /// Delete articles whose files were removed.
    pub delete: bool,
    /// Author of new articles whose file has no `author`: id, e-mail address or name.
    pub author: Option<String>,
    /// Skip new files.
    pub no_create: bool,
    /// Create an article even if the help center has another one with its title.
    pub same_title: bool,
    /// Articles whose text may become empty.
    pub allow_empty: AllowEmpty,
}

pub(in crate::articles) struct PushSession<'a> {
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
    /// Findings of the gate for an article.
    pub(in crate::articles) fn findings(
        &self,
        id: Option<&str>,
        fresh: Option<&Article>,
        locals: &BTreeMap<String, LocalFile>,
    ) -> Vec<Finding> {
        let gate = Gate {
            folder: self.folder,
            manifest: &self.manifest,
            files: &self.files,
            upcoming: &self.upcoming,
            allow_empty: &self.options.allow_empty,
            fresh,
        };
        gate.check_article(id, locals)
    }

    /// Records the server's version of an article in the files and the manifest.
    pub(in crate::articles) fn record(
        &mut self,
        article: &Article,
        locals: &BTreeMap<String, LocalFile>,
    ) -> Result<(), Error> {
        for (locale, local) in locals {
            let Some(content) = article.content(locale) else { continue };
            let addresses = self.manifest.address_map(&local.path);
            let document = Document::read(&content.body, &addresses);
            let text = EditedDocument::read(&local.body, &document, &addresses);
            let addresses = addresses.with_outgoing_links(
                self.folder,
                &self.manifest,
                Some(&article.id),
                locale,
                local,
                &text,
            );
            let source =
                FrontMatterSource { content, parent_id: article.parent_id.as_deref(), tags: &article.tags };
            // Keep the author's formatting where it means the same as the server's text.
            let file = if is_equivalent(local, &document, &addresses) {
                format!("{}{}", source.front_matter(&self.manifest, &article.id, locale).write(), local.body)
            } else {
                working_copy::render_file(&self.manifest, &article.id, locale, &source, &document)
            };
            // Release the shared link index: `record_file` would have to copy it otherwise.
            drop(addresses);
            let encoded = if local.crlf { file.replace('\n', "\r\n") } else { file.clone() };
            if self.folder.read(&local.path)?.as_deref() != Some(encoded.as_bytes()) {
                self.folder.write(&local.path, encoded.as_bytes())?;
            }
            manifest::save_html(self.folder, &article.id, locale, &content.body)?;
            self.folder.remove(&conflict_path(&local.path))?;
            self.manifest.record_file(article, locale, &local.path, &file);
        }
        self.manifest.record_article(article);
        self.manifest.save(self.folder)
    }
}
