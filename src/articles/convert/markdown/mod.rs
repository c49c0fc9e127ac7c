//! The Markdown of articles: CommonMark with tables, and forms for the other constructs of help centers.
//!
//! | in the help center | in Markdown |
//! |---|---|
//! | callout | a quote that begins with `[!NOTE]`, `[!TIP]`, `[!IMPORTANT]`, `[!WARNING]` or `[!CAUTION]` |
//! | collapsible | `<details>` with a `<summary>` line, its content between blank lines |
//! | button | `[Label](address){.button}` |
//! | video | `[▶ Video](address of the frame)`, alone in its paragraph |
//! | image with a size | `![alt](address){width=300 height=200}` |
//! | anything else | its HTML, as a separate block or inside the line |
//!
//! [`mod@write`] converts syntax trees to Markdown, [`read`] converts Markdown to HTML. Written Markdown is
//! not guaranteed to read back with the same meaning: the caller must read it back and compare.

pub mod read;
pub mod render;
pub mod write;

use pulldown_cmark::Options;

/// The label of a video: a link with it, alone in its paragraph, is embedded.
pub const VIDEO_LABEL: &str = "▶ Video";
/// The info string of a fenced block that contains HTML, not code.
pub const RAW_HTML: &str = "html raw";

/// The extensions to CommonMark.
pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM
}

/// Maps a displayed address to the one to send.
pub type AddressResolver<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Options for writing Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Write emphasis as HTML tags, for text where `*` would not be recognized.
    pub tags: bool,
    /// Use the other list marker, so that two adjacent lists stay separate.
    pub other_marker: bool,
}
