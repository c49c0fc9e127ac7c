//! Splits a body into its top-level blocks.
//!
//! Blocks and the white space between them must add up to the body, byte for byte. A block is an element with
//! its content, or a run of text and inline elements. Malformed markup may be split differently than a
//! browser would; it is detected when the block is parsed, and kept as it is.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::{Scanner, TokenKind, is_void};

/// The ranges of a block and of the white space before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSpan {
    pub before: Range<usize>,
    pub block: Range<usize>,
}

/// The blocks in order. Only white space follows the last one.
pub fn split(source: &str) -> Vec<BlockSpan> {
    let mut splitter = Splitter { source, spans: Vec::new(), end: 0, run: None };
    let mut open: Vec<String> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut start = 0;
    for token in Scanner::new(source) {
        let outside = open.is_empty();
        match token.kind {
            TokenKind::Text if outside && source[token.range.clone()].trim_ascii().is_empty() => {
                if let Some(run) = &mut splitter.run {
                    run.trailing = true;
                }
            }
            TokenKind::Text if outside => splitter.inline(token.range),
            TokenKind::Comment if outside => splitter.block(token.range),
            TokenKind::Start { name, self_closing } => {
                let name = name.to_ascii_lowercase();
                // `/>` closes foreign elements only; after HTML elements, browsers ignore it.
                let is_empty_element = is_void(&name) || self_closing && !is_html(&name);
                match (outside, is_empty_element) {
                    (true, true) if is_inline(&name) => splitter.inline(token.range),
                    (true, true) => splitter.block(token.range),
                    (false, true) => {}
                    (_, false) => {
                        if outside {
                            start = token.range.start;
                        }
                        *counts.entry(name.clone()).or_default() += 1;
                        open.push(name);
                    }
                }
            }
            TokenKind::End { name } => {
                let name = name.to_ascii_lowercase();
                if outside {
                    splitter.block(token.range);
                    continue;
                }
                if counts.get(&name).is_none_or(|count| *count == 0) {
                    continue;
                }
                while let Some(closed) = open.pop() {
                    if let Some(count) = counts.get_mut(&closed) {
                        *count -= 1;
                    }
                    if closed != name {
                        continue;
                    }
                    if open.is_empty() {
                        let range = start..token.range.end;
                        if is_inline(&name) { splitter.inline(range) } else { splitter.block(range) }
                    }
                    break;
                }
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        splitter.block(start..source.len());
    }
    splitter.flush();
    splitter.spans
}

struct Splitter<'a> {
    source: &'a str,
    spans: Vec<BlockSpan>,
    /// End of the last block.
    end: usize,
    /// The current run of text and inline elements.
    run: Option<InlineRun>,
}

struct InlineRun {
    range: Range<usize>,
    /// Whether white space follows it.
    trailing: bool,
}

impl Splitter<'_> {
    fn inline(&mut self, range: Range<usize>) {
        match &mut self.run {
            Some(run) => (run.range.end, run.trailing) = (range.end, false),
            None => self.run = Some(InlineRun { range, trailing: false }),
        }
    }

    fn block(&mut self, range: Range<usize>) {
        self.flush();
        self.push(range);
    }

    fn flush(&mut self) {
        let Some(run) = self.run.take() else { return };
        let text = &self.source[run.range.clone()];
        let lead = text.len() - text.trim_ascii_start().len();
        let length = text.trim_ascii().len();
        self.push(run.range.start + lead..run.range.start + lead + length);
    }

    fn push(&mut self, block: Range<usize>) {
        self.spans.push(BlockSpan { before: self.end..block.start, block: block.clone() });
        self.end = block.end;
    }
}

/// Whether an element belongs to a line of text.
pub fn is_inline(name: &str) -> bool {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "bdi", "bdo", "big", "br", "cite", "code", "data", "del", "dfn", "em", "font", "i",
        "img", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
        "sup", "time", "tt", "u", "var", "wbr",
    ];
    INLINE.contains(&name)
}

/// Whether an element is an HTML element, which `/>` does not close.
fn is_html(name: &str) -> bool {
    !matches!(
        name,
        "svg" | "math" | "path" | "circle" | "rect" | "line" | "g" | "use" | "polygon" | "ellipse"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(source: &str) -> Vec<&str> {
        let spans = split(source);
        let mut whole = String::new();
        for span in &spans {
            assert_eq!(source[span.before.clone()].trim_ascii(), "");
            whole.push_str(&source[span.before.clone()]);
            whole.push_str(&source[span.block.clone()]);
        }
        let rest = &source[spans.last().map_or(0, |span| span.block.end)..];
        assert_eq!(format!("{whole}{rest}"), source);
        assert_eq!(rest.trim_ascii(), "");
        spans.into_iter().map(|span| &source[span.block]).collect()
    }

    #[test]
    fn blocks_and_inline_runs_are_separated() {
        assert_eq!(
            blocks("\n<p>a</p> <p>b</p>\n<hr>text <b>c</b>\n<img src=x> <ul><li>d</ul>\n"),
            ["<p>a</p>", "<p>b</p>", "<hr>", "text <b>c</b>\n<img src=x>", "<ul><li>d</ul>"]
        );
        assert_eq!(blocks("<!-- a --><p>b</p>"), ["<!-- a -->", "<p>b</p>"]);
        assert_eq!(blocks(" \n"), Vec::<&str>::new());
    }

    #[test]
    fn malformed_markup_is_split_without_loss() {
        assert_eq!(blocks("</p>a</b><p>b"), ["</p>", "a", "</b>", "<p>b"]);
        assert_eq!(blocks("<div><p>a</div><p>b</p>"), ["<div><p>a</div>", "<p>b</p>"]);
        assert_eq!(blocks("<p>a<script>x</script"), ["<p>a<script>x</script"]);
    }

    #[test]
    fn deep_nesting_is_split() {
        let deep = format!("{}x{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
        assert_eq!(blocks(&deep), [deep.as_str()]);
        let hostile = format!("{}{}", "<b>".repeat(100_000), "</i>".repeat(100_000));
        assert_eq!(blocks(&hostile).len(), 1);
    }
}
