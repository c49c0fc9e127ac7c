//! An article's HTML as a row of top-level blocks, with the exact bytes between them.
//!
//! Any input can be split; put together again the pieces are the input, byte for byte. The work is linear
//! in the size of the input and does not recurse, however deep the nesting.

use std::collections::HashMap;
use std::ops::Range;

use super::html::{Kind, Token, is_block, is_void};

/// Where a block stands: its bytes, and its tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub bytes: Range<usize>,
    pub tokens: Range<usize>,
}

/// The blocks of a body in order. What lies between them is white space.
pub fn blocks(tokens: &[Token]) -> Vec<Place> {
    let mut splitter = Splitter { tokens, places: Vec::new(), begun: None, loose: false };
    let mut open: Vec<&str> = Vec::new();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for (index, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Open { name, .. } => {
                if is_block(name) && open == ["p"] {
                    open.clear();
                    count.clear();
                    splitter.end_before(index);
                }
                if open.is_empty() {
                    splitter.begin(index, !is_block(name));
                }
                if !is_void(name) {
                    open.push(name);
                    *count.entry(name).or_default() += 1;
                }
            }
            Kind::Close(name) if count.get(name.as_str()).is_some_and(|open| *open > 0) => {
                while let Some(closed) = open.pop() {
                    *count.entry(closed).or_default() -= 1;
                    if closed == name {
                        break;
                    }
                }
            }
            Kind::Close(_) | Kind::Other if open.is_empty() => splitter.begin(index, splitter.loose),
            Kind::Text(text) if open.is_empty() && !text.trim_ascii().is_empty() => {
                splitter.begin(index, true)
            }
            _ => continue,
        }
        if open.is_empty() {
            splitter.reach(index);
        }
    }
    if !open.is_empty() {
        splitter.end_before(tokens.len());
    }
    splitter.places
}

struct Splitter<'a> {
    tokens: &'a [Token],
    places: Vec<Place>,
    /// First token of the block whose end has not been seen.
    begun: Option<usize>,
    /// Text and inline elements outside of any block, which go on until a block begins.
    loose: bool,
}

impl Splitter<'_> {
    fn begin(&mut self, index: usize, loose: bool) {
        if !(loose && self.loose) {
            self.begun = Some(index);
        } else if let Some(last) = self.places.pop() {
            self.begun = Some(last.tokens.start);
        }
        self.loose = loose;
    }

    fn reach(&mut self, index: usize) {
        self.end_before(index + 1);
    }

    fn end_before(&mut self, end: usize) {
        let Some(first) = self.begun.take() else { return };
        let bytes = self.tokens[first].start..self.tokens[end - 1].end;
        self.places.push(Place { bytes, tokens: first..end });
    }
}

#[cfg(test)]
mod tests {
    use super::super::html::tokens;
    use super::*;

    fn pieces(html: &str) -> Vec<&str> {
        blocks(&tokens(html)).into_iter().map(|place| &html[place.bytes]).collect()
    }

    #[test]
    fn blocks_stand_apart() {
        assert_eq!(
            pieces("<p>a</p>\n <h2>b</h2><hr><ul><li>c</li></ul>"),
            ["<p>a</p>", "<h2>b</h2>", "<hr>", "<ul><li>c</li></ul>"]
        );
        assert_eq!(pieces("a <b>c</b> d\n<p>e</p>f"), ["a <b>c</b> d\n", "<p>e</p>", "f"]);
        assert_eq!(pieces("<p>a<p>b</p>"), ["<p>a", "<p>b</p>"]);
        assert_eq!(pieces("<div><p>a</div><p>b"), ["<div><p>a</div>", "<p>b"]);
        assert_eq!(pieces(" \n "), Vec::<&str>::new());
    }

    #[test]
    fn hostile_nesting_is_split_in_linear_time() {
        let deep = "<div>".repeat(200_000);
        assert_eq!(pieces(&deep).len(), 1);
        let crossed = "<div><b>".repeat(50_000) + &"</i></b>".repeat(50_000);
        assert_eq!(pieces(&crossed).concat(), crossed);
    }
}
