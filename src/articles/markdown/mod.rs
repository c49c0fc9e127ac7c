//! The Markdown of articles: CommonMark with tables, and a few forms for what help centers have besides.
//!
//! | in the help center | in Markdown |
//! |---|---|
//! | callout | a quote that begins with `[!NOTE]`, `[!TIP]`, `[!IMPORTANT]`, `[!WARNING]` or `[!CAUTION]` |
//! | collapsible | `<details>` with a `<summary>` line, its content between blank lines |
//! | button | `[Label](address){.button}` |
//! | video | `[▶ Video](address of the frame)`, alone in its paragraph |
//! | image with a size | `![alt](address){width=300 height=200}` |
//! | anything else | its HTML, as a block of its own or inside the line |
//!
//! [`mod@write`] makes Markdown of a shape, [`read`] makes HTML of Markdown. Writing may be optimistic: whoever
//! calls it reads the result back and compares.

pub mod inline;
pub mod read;
pub mod render;
pub mod write;

use pulldown_cmark::Options;

/// The label that makes a link alone in its paragraph a video.
pub const VIDEO: &str = "▶ Video";
/// The information string of a fenced block that is HTML, not code.
pub const RAW: &str = "html raw";

/// What the Markdown has beyond CommonMark.
pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM
}

/// Something that turns a shown address into the one to send.
pub type Resolve<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Emphasis as HTML tags: for text that the rules of `*` do not fit.
    pub tags: bool,
    /// The other marker for lists, so that two in a row stay two.
    pub other_marker: bool,
}
