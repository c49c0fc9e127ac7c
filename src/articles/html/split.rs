//! Cuts a body into its top-level blocks.
//!
//! Blocks and the white space between them are the body, byte for byte, whatever it holds. A block is an
//! element with its content, or a run of text and inline elements. Cutting need not be what a browser
//! would do with broken markup: what is not well-formed is recognised when the block is read, and kept as
//! it is.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::{Kind, Scanner, is_void};

/// A block, and the white space (never anything else) before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub before: Range<usize>,
    pub block: Range<usize>,
}

/// The blocks in order; what follows the last one up to the end of the source is white space.
pub fn split(source: &str) -> Vec<Piece> {
    let mut cut = Cut { source, pieces: Vec::new(), end: 0, run: None };
    let mut open: Vec<String> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut start = 0;
    for token in Scanner::new(source) {
        let outside = open.is_empty();
        match token.kind {
            Kind::Text if outside && source[token.range.clone()].trim_ascii().is_empty() => {
                if let Some(run) = &mut cut.run {
                    run.trailing = true;
                }
            }
            Kind::Text if outside => cut.inline(token.range),
            Kind::Comment if outside => cut.block(token.range),
            Kind::Start { name, self_closing } => {
                let name = name.to_ascii_lowercase();
                // Only foreign elements close themselves; all others would swallow what follows.
                let alone = is_void(&name) || self_closing && !is_html(&name);
                match (outside, alone) {
                    (true, true) if is_inline(&name) => cut.inline(token.range),
                    (true, true) => cut.block(token.range),
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
            Kind::End { name } => {
                let name = name.to_ascii_lowercase();
                if outside {
                    cut.block(token.range);
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
                        if is_inline(&name) { cut.inline(range) } else { cut.block(range) }
                    }
                    break;
                }
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        cut.block(start..source.len());
    }
    cut.flush();
    cut.pieces
}

struct Cut<'a> {
    source: &'a str,
    pieces: Vec<Piece>,
    /// Where the last block ended.
    end: usize,
    /// Text and inline elements that belong together.
    run: Option<Run>,
}

struct Run {
    range: Range<usize>,
    /// White space came after it.
    trailing: bool,
}

impl Cut<'_> {
    fn inline(&mut self, range: Range<usize>) {
        match &mut self.run {
            Some(run) => (run.range.end, run.trailing) = (range.end, false),
            None => self.run = Some(Run { range, trailing: false }),
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
        self.pieces.push(Piece { before: self.end..block.start, block: block.clone() });
        self.end = block.end;
    }
}

/// Elements that stand inside a line of text.
pub fn is_inline(name: &str) -> bool {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "bdi", "bdo", "big", "br", "cite", "code", "data", "del", "dfn", "em", "font", "i",
        "img", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
        "sup", "time", "tt", "u", "var", "wbr",
    ];
    INLINE.contains(&name)
}

/// Whether an element is one of HTML, so that `/>` does not close it.
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
        let pieces = split(source);
        let mut whole = String::new();
        for piece in &pieces {
            assert_eq!(source[piece.before.clone()].trim_ascii(), "");
            whole.push_str(&source[piece.before.clone()]);
            whole.push_str(&source[piece.block.clone()]);
        }
        let rest = &source[pieces.last().map_or(0, |it| it.block.end)..];
        assert_eq!(format!("{whole}{rest}"), source);
        assert_eq!(rest.trim_ascii(), "");
        pieces.into_iter().map(|piece| &source[piece.block]).collect()
    }

    #[test]
    fn blocks_and_runs() {
        assert_eq!(
            blocks("\n<p>a</p> <p>b</p>\n<hr>text <b>c</b>\n<img src=x> <ul><li>d</ul>\n"),
            ["<p>a</p>", "<p>b</p>", "<hr>", "text <b>c</b>\n<img src=x>", "<ul><li>d</ul>"]
        );
        assert_eq!(blocks("<!-- a --><p>b</p>"), ["<!-- a -->", "<p>b</p>"]);
        assert_eq!(blocks(" \n"), Vec::<&str>::new());
    }

    #[test]
    fn broken_markup_is_cut_somewhere() {
        assert_eq!(blocks("</p>a</b><p>b"), ["</p>", "a", "</b>", "<p>b"]);
        assert_eq!(blocks("<div><p>a</div><p>b</p>"), ["<div><p>a</div>", "<p>b</p>"]);
        assert_eq!(blocks("<p>a<script>x</script"), ["<p>a<script>x</script"]);
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = format!("{}x{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
        assert_eq!(blocks(&deep), [deep.as_str()]);
        let hostile = format!("{}{}", "<b>".repeat(100_000), "</i>".repeat(100_000));
        assert_eq!(blocks(&hostile).len(), 1);
    }
}
