//! Converts help-center articles between the HTML of the API and Markdown.
//!
//! *Less stable than the client:* the Markdown may improve in any minor version.
//!
//! Callouts become quotes that begin with `[!NOTE]` or `[!TIP]`, collapsible sections become `<details>`, buttons become
//! `[Label](address){.button}`. What Markdown cannot express stays HTML in the text, so nothing is lost. To change an
//! article, edit its Markdown and pass it to [`update_html`] together with the original: blocks that were not edited come
//! back byte for byte.
//!
//! ```
//! use intercom::convert::{to_html, to_markdown, update_html};
//!
//! let original = "<h2 id=\"h_1\">Refunds</h2><p class=\"no-margin\">Within <b>14</b> days.</p>";
//! let markdown = to_markdown(original);
//! assert_eq!(markdown, "## Refunds\n\nWithin **14** days.\n");
//!
//! let edited = markdown.replace("14", "30");
//! let html = update_html(original, &edited)?;
//! assert_eq!(html, original.replace("14", "30"));
//!
//! assert_eq!(to_html("Hello *world*")?, "<p>Hello <i>world</i></p>");
//! # Ok::<(), intercom::convert::Error>(())
//! ```
//!
//! Conversion works on texts alone: links between articles, images and translations are left as they are. It must never
//! publish the raw syntax of other tools, so Markdown with it is an [`Error`].

use crate::articles::convert::addresses::AddressMap;
use crate::articles::convert::blocks::{Document, EditedDocument};
use crate::articles::convert::dialect::find_constructs;
use crate::articles::convert::merge::{Prefer, merge};

/// Why Markdown could not be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text uses syntax that the help center would show as it is, for example footnotes, task lists or components.
    #[error("line {line}: {reason}")]
    Unsupported {
        /// The line in the Markdown, starting at 1.
        line: usize,
        /// The first line of the construct.
        source_text: String,
        /// What is unsupported, and what to write instead.
        reason: String,
    },
}

/// The Markdown of an article's HTML, with a line feed at the end unless it is empty.
///
/// Accepts any text: blocks that Markdown cannot express stay HTML.
pub fn to_markdown(html: &str) -> String {
    Document::read(html, &AddressMap::default()).markdown()
}

/// The HTML of a new article.
///
/// # Errors
/// [`Error::Unsupported`] with the first construct that readers would see as raw syntax.
pub fn to_html(markdown: &str) -> Result<String, Error> {
    update_html("", markdown)
}

/// The HTML of an article after its Markdown was edited. `original` is the HTML that the Markdown was made from.
///
/// Blocks that were not edited keep every byte, including classes, ids and signatures that Markdown does not show. In an
/// edited block, only what was edited changes.
///
/// # Errors
/// [`Error::Unsupported`] with the first construct that readers would see as raw syntax. Text that the article already
/// has is never an error.
pub fn update_html(original: &str, markdown: &str) -> Result<String, Error> {
    let addresses = AddressMap::default();
    let base = Document::read(original, &addresses);
    let text = EditedDocument::read(markdown, &base, &addresses);
    for block in &text.blocks {
        if base.blocks.iter().any(|known| known.meaning == block.meaning) {
            continue;
        }
        if let Some(construct) = find_constructs(&block.markdown).into_iter().find(|found| found.blocks_push)
        {
            let before = markdown.get(..block.at + construct.at).unwrap_or(markdown);
            return Err(Error::Unsupported {
                line: before.lines().count().max(1),
                source_text: construct.source,
                reason: construct.message,
            });
        }
    }
    Ok(merge(&base, &text, &base, &addresses, Prefer::Ours).html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_changes_only_its_block() {
        let html = "<h2 id=\"h_9\">A</h2>\n<p style=\"x\">b <b>c</b></p><table><tr><td>1</td></tr></table>";
        assert_eq!(update_html(html, &to_markdown(html)).unwrap(), html);
        let edited = to_markdown(html).replace("**c**", "**d**");
        assert_eq!(update_html(html, &edited).unwrap(), html.replace("<b>c</b>", "<b>d</b>"));
    }

    #[test]
    fn raw_syntax_of_other_tools_is_an_error_with_its_line() {
        let error = to_html("# Title\n\nText.\n\n- [ ] a task\n").unwrap_err();
        let Error::Unsupported { line, source_text, reason } = &error;
        assert_eq!((*line, source_text.as_str()), (5, "[ ]"), "{reason}");
        assert!(error.to_string().starts_with("line 5: task lists"), "{error}");
    }

    #[test]
    fn syntax_that_the_article_already_has_is_kept() {
        let html = "<p>{% hint %}</p>";
        assert_eq!(update_html(html, &to_markdown(html)).unwrap(), html);
    }
}
