//! The checks that an article must pass before any of it is sent.
//!
//! Push, its dry run, status, diff and lint all use this gate, so that they agree. It reads the folder only,
//! and checks only what the author edited: text that the help center already has must never block a push.

mod checked_file;
mod links;

use std::collections::HashSet;

use self::checked_file::CheckedFile;
pub use self::links::LinkCheck;
use super::conflict::{UNRESOLVED_MERGE, is_merge_marker};
use super::error::Error;
use super::finding::{Finding, Rule};
use super::placement::requested_parent;
use super::version::base_html;
use super::working_copy::{LocalFiles, default_locale};
use crate::articles::article::Article;
use crate::articles::convert::dialect;
use crate::articles::convert::html::scan::{Scanner, TokenKind};

/// Articles whose text may become empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowEmpty {
    pub all: bool,
    pub ids: Vec<String>,
}

pub struct Gate<'a> {
    pub links: LinkCheck<'a>,
    pub allow_empty: &'a AllowEmpty,
    /// The server's current version, if it was fetched; used when the stored HTML is missing.
    pub fresh: Option<&'a Article>,
}

impl Gate<'_> {
    /// All findings for an article with edited files, or for a new article. It may be sent if none blocks it.
    pub fn check_article(&self, id: Option<&str>, locals: &LocalFiles) -> Vec<Finding> {
        let (folder, manifest) = (self.links.folder, self.links.manifest);
        let mut findings = Vec::new();
        if id.is_none() {
            self.check_new_article(locals, &mut findings);
        }
        for (locale, local) in locals {
            let html = id.and_then(|id| base_html(folder, manifest, id, locale, self.fresh));
            let file = CheckedFile::read(manifest, id, locale, local, html.as_deref());
            self.check_front_matter(&file, &mut findings);
            check_merge_markers(&file, &mut findings);
            self.check_emptied(&file, &mut findings);
            self.links.check_edited_blocks(&file, &mut findings);
            check_dialect(&file, &mut findings);
        }
        if let Err(error) = requested_parent(folder, manifest, id, locals) {
            findings.extend(locals.values().next().map(|first| self.placement_finding(&error, &first.path)));
        }
        // A footnote is also parsed as a broken link; keep only the finding about the footnote.
        let is_unsupported = |finding: &&Finding| finding.rule == Rule::Unsupported;
        let explained: HashSet<_> = findings
            .iter()
            .filter(is_unsupported)
            .map(|finding| (finding.path.clone(), finding.line))
            .collect();
        findings.retain(|finding| {
            finding.rule != Rule::BrokenLink || !explained.contains(&(finding.path.clone(), finding.line))
        });
        findings.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
        findings.dedup();
        findings
    }

    fn placement_finding(&self, error: &Error, path: &str) -> Finding {
        match error {
            Error::Content { path: full, line, reason } => {
                let path = full
                    .strip_prefix(self.links.folder.root())
                    .ok()
                    .and_then(|path| path.to_str())
                    .unwrap_or(path);
                Finding::error(path, *line, Rule::Placement, reason)
            }
            other => Finding::error(path, None, Rule::Placement, other.to_string()),
        }
    }

    fn check_new_article(&self, locals: &LocalFiles, findings: &mut Vec<Finding>) {
        let locale = default_locale(self.links.manifest, locals);
        let Some(first) = locals.values().next() else { return };
        if !locals.contains_key(&locale) {
            let reason =
                format!("a new article needs a text in {locale}, the default language of this help center");
            findings.push(Finding::error(&first.path, None, Rule::Placement, reason));
        }
    }

    fn check_front_matter(&self, file: &CheckedFile<'_>, findings: &mut Vec<Finding>) {
        let (local, front) = (file.local, &file.local.front);
        let known = file.id.and_then(|id| self.links.manifest.file(id, file.locale));
        let mut missing_title = |line, message| {
            findings.push(Finding::error(&local.path, line, Rule::MissingTitle, message));
        };
        match front.title.as_deref() {
            Some(title) if title.trim().is_empty() => missing_title(
                local.line_of("title"),
                "empty title: expected a text; in YAML, null and ~ are empty unless they are quoted",
            ),
            None if file.id.is_none() => {
                missing_title(Some(1), "a new article needs a title: add `title: ...`")
            }
            None if known.is_none() => {
                missing_title(Some(1), "a new translation needs a title: add `title: ...`");
            }
            _ => {}
        }
        let tags =
            file.id.and_then(|id| self.links.manifest.articles.get(id)).map(|known| known.tags.clone());
        let tags_differ = match tags {
            Some(tags) => tags.is_some_and(|tags| tags != front.tags),
            None => true,
        };
        let url_differs = match known {
            Some(known) => known.url.is_some() && known.url != front.url,
            None => true,
        };
        for (field, differs) in
            [("tags", tags_differ && !front.tags.is_empty()), ("url", url_differs && front.url.is_some())]
        {
            if differs {
                let message = format!("{field} is read-only and is not sent; change it in the help center");
                findings.push(Finding::warning(&local.path, local.line_of(field), Rule::NotSent, message));
            }
        }
    }

    fn check_emptied(&self, file: &CheckedFile<'_>, findings: &mut Vec<Finding>) {
        let Some(id) = file.id else { return };
        let had_text = if file.has_base {
            !is_blank(&file.base.html)
        } else {
            self.links.manifest.file(id, file.locale).is_some()
        };
        if !had_text || self.allow_empty.all || self.allow_empty.ids.iter().any(|allowed| allowed == id) {
            return;
        }
        if file.text.blocks.iter().all(|block| is_blank(&file.text.render(block))) {
            let message = format!(
                "the file has no text, but article {id} has one in {}: restore the text, \
                 or use --allow-empty {id} to empty the article",
                file.locale
            );
            findings.push(Finding::error(&file.local.path, Some(file.local.first), Rule::Emptied, message));
        }
    }
}

fn check_merge_markers(file: &CheckedFile<'_>, findings: &mut Vec<Finding>) {
    let mut base: Option<String> = None;
    for (number, line) in file.local.body.lines().enumerate() {
        if !is_merge_marker(line) {
            continue;
        }
        let base = base.get_or_insert_with(|| file.base.markdown());
        if !base.lines().any(|other| other == line) {
            let line = Some(file.local.first + number);
            findings.push(Finding::error(&file.local.path, line, Rule::MergeMarker, UNRESOLVED_MERGE));
        }
    }
}

fn check_dialect(file: &CheckedFile<'_>, findings: &mut Vec<Finding>) {
    let found = dialect::find_constructs(&file.local.body);
    if found.is_empty() {
        return;
    }
    let base = file.base.markdown();
    let edited: HashSet<usize> = file.edited_blocks().map(|block| block.at).collect();
    let is_unedited = |at: usize| {
        let around =
            file.text.blocks.iter().find(|block| (block.at..block.at + block.markdown.len()).contains(&at));
        around.is_some_and(|block| !edited.contains(&block.at))
    };
    for construct in found {
        if is_unedited(construct.at) || base.contains(&construct.source) {
            continue;
        }
        let (path, line) = (&file.local.path, Some(file.line(construct.at)));
        findings.push(if construct.blocks_push {
            Finding::error(path, line, Rule::Unsupported, construct.message)
        } else {
            Finding::warning(path, line, Rule::NotKept, construct.message)
        });
    }
}

/// Whether readers would see nothing in this HTML.
pub fn is_blank(html: &str) -> bool {
    const VISIBLE: &[&str] = &["img", "iframe", "video", "audio", "object", "embed", "svg"];
    let is_space = |letter: char| {
        letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
    };
    Scanner::new(html).all(|token| match token.kind {
        TokenKind::Text => htmlize::unescape(&html[token.range]).chars().all(is_space),
        TokenKind::Start { name, .. } => !VISIBLE.iter().any(|visible| visible.eq_ignore_ascii_case(name)),
        TokenKind::End { .. } | TokenKind::Comment => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_without_visible_content_is_blank() {
        for html in ["", " \n", "<p></p>", "<p>&nbsp;</p><br>", "<!-- x -->", "<p>\u{200b}</p>", "<hr>"] {
            assert!(is_blank(html), "{html}");
        }
        for html in ["a", "<p>0</p>", "<img src=\"https://a/b\">", "<iframe src=\"x\"></iframe>"] {
            assert!(!is_blank(html), "{html}");
        }
    }
}
