//! Checks that the links, videos and images of a text work for readers.
//!
//! An address that the help center already has must never block a push.

use std::collections::{BTreeSet, HashSet};

use super::checked_file::CheckedFile;
use crate::articles::convert::addresses::{LinkTarget, is_absolute, resolve_path};
use crate::articles::convert::blocks::EditedBlock;
use crate::articles::convert::html::scan::{links, values};
use crate::articles::sync::finding::{Finding, Rule};
use crate::articles::sync::folder::Folder;
use crate::articles::sync::manifest::Manifest;
use crate::articles::sync::outgoing::{find_anchor, heading_name};
use crate::articles::sync::working_copy::LocalFile;

/// What links and images can point to.
#[derive(Debug, Clone, Copy)]
pub struct LinkCheck<'a> {
    pub folder: &'a Folder,
    pub manifest: &'a Manifest,
    /// All Markdown files in the folder.
    pub files: &'a BTreeSet<String>,
    /// New files that become articles before the checked one is sent.
    pub upcoming: &'a BTreeSet<String>,
}

impl LinkCheck<'_> {
    /// All dead links of a known file, including those that the help center already has, and images that are
    /// not in the folder.
    pub fn check_file(&self, id: &str, locale: &str, local: &LocalFile) -> Vec<Finding> {
        let file = CheckedFile::read(self.manifest, Some(id), locale, local, None);
        let mut findings = Vec::new();
        for block in &file.text.blocks {
            let rendered = file.text.render(block);
            for (_, href) in links(&rendered) {
                let before = findings.len();
                self.check_link(&file, block, &href, &mut findings);
                let is_dead = match self.manifest.links.target(&local.path, &href) {
                    LinkTarget::UnknownArticle { .. } => true,
                    LinkTarget::Path { path: Some(path), .. } => path.ends_with(".md"),
                    _ => false,
                };
                findings[before..].iter_mut().for_each(|finding| finding.blocks_push &= is_dead);
            }
            for (_, src) in values(&rendered, "img", "src") {
                let exists = || resolve_path(&local.path, &src).is_some_and(|path| self.folder.has(&path));
                if !is_absolute(&src) && !src.starts_with('/') && !exists() {
                    let line = Some(file.line_of_address(block, &src));
                    let message = format!("image {} not found", shorten(&src));
                    findings.push(Finding::warning(&local.path, line, Rule::LocalImage, message));
                }
            }
        }
        findings
    }

    /// Checks the blocks that the author edited.
    pub(super) fn check_edited_blocks(&self, file: &CheckedFile<'_>, findings: &mut Vec<Finding>) {
        let known = KnownAddresses::of(file);
        for block in file.edited_blocks() {
            self.check_block(file, block, &known, findings);
            self.check_images(file, block, &known, findings);
        }
    }

    fn check_block(
        &self,
        file: &CheckedFile<'_>,
        block: &EditedBlock,
        known: &KnownAddresses,
        findings: &mut Vec<Finding>,
    ) {
        let rendered = file.text.render(block);
        for (_, href) in links(&rendered) {
            if !known.links.contains(file.addresses.display_link(&href).as_ref()) {
                self.check_link(file, block, &href, findings);
            }
        }
        for (_, src) in values(&rendered, "iframe", "src") {
            if !is_web(&src) && !known.frames.contains(src.as_ref()) {
                let message = format!("invalid video address {src:?}: expected https://...");
                let line = Some(file.line_of_address(block, &src));
                findings.push(Finding::error(&file.local.path, line, Rule::BrokenLink, message));
            }
        }
    }

    fn check_link(
        &self,
        file: &CheckedFile<'_>,
        block: &EditedBlock,
        href: &str,
        findings: &mut Vec<Finding>,
    ) {
        let line = Some(file.line_of_address(block, href));
        let mut broken = |message: String| {
            findings.push(Finding::error(&file.local.path, line, Rule::BrokenLink, message));
        };
        match self.manifest.links.target(&file.local.path, href) {
            LinkTarget::External => {}
            LinkTarget::Invalid => {
                broken(format!("invalid link address {href:?}: expected a file or https://..."))
            }
            LinkTarget::UnknownArticle { id } => {
                broken(format!(
                    "article {id} not found in this folder: correct the link, or pull the article"
                ));
            }
            LinkTarget::Path { path: None, .. } => {
                broken(format!("link {href:?} is outside the folder: use a file in it, or https://..."));
            }
            LinkTarget::SamePage { fragment } => self.check_own_anchor(file, line, &fragment, findings),
            LinkTarget::Path { path: Some(path), fragment } if path == file.local.path => {
                self.check_own_anchor(file, line, &fragment, findings);
            }
            LinkTarget::Path { path: Some(path), .. } if self.upcoming.contains(&path) => {}
            LinkTarget::Path { path: Some(path), .. } if self.files.contains(&path) => broken(format!(
                "{path} is not in the help center, so the link has no address: push it first, or use another link"
            )),
            LinkTarget::Path { path: Some(path), .. } => {
                broken(format!("file {path} not found: correct the link, or use https://..."));
            }
            LinkTarget::Article { id, locale, fragment } => {
                if self.manifest.links.address(&id, &locale).is_none() {
                    broken(format!("article {id} has no address in {locale} yet: publish it, then pull"));
                    return;
                }
                let mut warn = |rule, message: String| {
                    findings.push(Finding::warning(&file.local.path, line, rule, message));
                };
                let state = self.manifest.file(&id, &locale).and_then(|known| known.state.as_deref());
                if state == Some("draft") && file.local.front.state.as_deref() == Some("published") {
                    let message = format!("article {id} is a draft, so readers cannot open the link yet");
                    warn(Rule::BrokenLink, message);
                }
                if !fragment.is_empty() && find_anchor(self.folder, &id, &locale, &fragment).is_none() {
                    warn(Rule::BrokenAnchor, format!("article {id} has no heading #{fragment}"));
                }
            }
        }
    }

    fn check_own_anchor(
        &self,
        file: &CheckedFile<'_>,
        line: Option<usize>,
        fragment: &str,
        findings: &mut Vec<Finding>,
    ) {
        if file.id.is_some_and(|id| find_anchor(self.folder, id, file.locale, fragment).is_some()) {
            return;
        }
        let is_heading = |line: &str| {
            let text = line.trim_start_matches('#');
            text.len() < line.len() && heading_name(text) == fragment.to_lowercase()
        };
        let message = if file.local.body.lines().any(is_heading) {
            format!("the heading #{fragment} gets its id with this push; push again to complete the link")
        } else {
            format!("the text has no heading #{fragment}")
        };
        findings.push(Finding::warning(&file.local.path, line, Rule::BrokenAnchor, message));
    }

    fn check_images(
        &self,
        file: &CheckedFile<'_>,
        block: &EditedBlock,
        known: &KnownAddresses,
        findings: &mut Vec<Finding>,
    ) {
        for (_, src) in values(&file.text.render(block), "img", "src") {
            if is_web(&src) || known.images.contains(file.addresses.display_image(&src).as_ref()) {
                continue;
            }
            let exists = resolve_path(&file.local.path, &src).is_some_and(|path| self.folder.has(&path));
            let message = if exists || is_absolute(&src) {
                format!(
                    "{} is not a web address: the help center does not store files; upload the image \
                     elsewhere and use https://...",
                    shorten(&src)
                )
            } else {
                format!("image {} not found: expected https://...", shorten(&src))
            };
            let line = Some(file.line_of_address(block, &src));
            findings.push(Finding::error(&file.local.path, line, Rule::LocalImage, message));
        }
    }
}

/// Addresses that the help center already has in a text, as an author sees them.
struct KnownAddresses {
    links: HashSet<String>,
    images: HashSet<String>,
    frames: HashSet<String>,
}

impl KnownAddresses {
    fn of(file: &CheckedFile<'_>) -> Self {
        let html = file.base.html.as_str();
        KnownAddresses {
            links: links(html).map(|(_, href)| file.addresses.display_link(&href).into_owned()).collect(),
            images: values(html, "img", "src")
                .map(|(_, src)| file.addresses.display_image(&src).into_owned())
                .collect(),
            frames: values(html, "iframe", "src").map(|(_, src)| src.into_owned()).collect(),
        }
    }
}

fn is_web(address: &str) -> bool {
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) && !rest.is_empty()
}

/// The first 60 characters of an address, for messages.
fn shorten(address: &str) -> String {
    match address.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &address[..end]),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_addresses_are_web_addresses() {
        assert!(is_web("https://a/b.png") && is_web("HTTP://a"));
        for address in
            ["a.png", "./a.png", "//a/b.png", "data:image/png;base64,xx", "file:///a", "https://", ""]
        {
            assert!(!is_web(address), "{address}");
        }
    }
}
