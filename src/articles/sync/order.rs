//! Orders new articles so that the target of a link is created before the article that links to it.
//!
//! Articles that link to each other in a cycle come last. The gate blocks them, because none of them can get
//! its address before the others.

use std::collections::BTreeSet;

use super::manifest::Manifest;
use super::working_copy::LocalFiles;
use crate::articles::convert::addresses::LinkTarget;
use crate::articles::convert::blocks::{Document, EditedDocument};
use crate::articles::convert::html::scan::links;

pub fn creation_order(manifest: &Manifest, new: Vec<LocalFiles>) -> Vec<LocalFiles> {
    let paths: BTreeSet<String> =
        new.iter().flat_map(|article| article.values()).map(|local| local.path.clone()).collect();
    let mut waiting: Vec<(LocalFiles, BTreeSet<String>)> = new
        .into_iter()
        .map(|article| {
            let targets = linked_files(manifest, &article, &paths);
            (article, targets)
        })
        .collect();
    let mut ordered: Vec<LocalFiles> = Vec::with_capacity(waiting.len());
    let mut placed: BTreeSet<String> = BTreeSet::new();
    loop {
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, targets)| targets.is_subset(&placed));
        if ready.is_empty() {
            ordered.extend(rest.into_iter().map(|(article, _)| article));
            return ordered;
        }
        for (article, _) in ready {
            placed.extend(article.values().map(|local| local.path.clone()));
            ordered.push(article);
        }
        waiting = rest;
    }
}

/// The other new files that an article links to.
fn linked_files(manifest: &Manifest, article: &LocalFiles, new: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for local in article.values() {
        let addresses = manifest.address_map(&local.path);
        let text = EditedDocument::read(&local.body, &Document::read("", &addresses), &addresses);
        for html in text.blocks.iter().map(|block| text.render(block)) {
            found.extend(links(&html).filter_map(
                |(_, href)| match manifest.links.target(&local.path, &href) {
                    LinkTarget::Path { path, .. } => {
                        path.filter(|path| new.contains(path) && *path != local.path)
                    }
                    _ => None,
                },
            ));
        }
    }
    found
}
