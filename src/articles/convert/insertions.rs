//! Detects conflicting insertions of the two sides of a merge.
//!
//! Taking both could duplicate or contradict a statement. Different blocks inserted at the same point are
//! therefore a conflict, and so are two versions of one block inserted at different points.

use super::blocks::{Document, EditedDocument};
use super::compare::{SideChanges, similarity};

/// How insertions of both sides relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlap {
    /// Both inserted the same blocks.
    Same,
    Conflict,
}

/// A point at which blocks were inserted: neighbouring gaps between base blocks, separated by empty blocks
/// only.
pub(super) struct InsertionPoint {
    pub gaps: std::ops::Range<usize>,
    pub overlap: Overlap,
    /// Indices of the inserted blocks to compare.
    pub ours: Vec<usize>,
    pub theirs: Vec<usize>,
}

pub(super) struct Insertions<'a> {
    pub base: &'a Document,
    pub text: &'a EditedDocument,
    pub theirs: &'a Document,
    pub our_changes: &'a SideChanges,
    pub their_changes: &'a SideChanges,
}

/// Blocks with fewer words may legitimately occur twice.
const MIN_WORDS: usize = 4;
/// Similarity, out of 100, from which two blocks count as versions of the same block.
const MIN_SIMILARITY: u32 = 60;

impl Insertions<'_> {
    /// The points at which both sides inserted blocks, or versions of the same block elsewhere.
    pub fn points(&self) -> Vec<InsertionPoint> {
        let mut points = Vec::new();
        let mut start = 0;
        for at in 0..=self.base.blocks.len() {
            if self.base.blocks.get(at).is_none_or(|block| !is_empty(&block.markdown)) {
                points.extend(self.point(start..at + 1));
                start = at + 1;
            }
        }
        points
    }

    fn point(&self, gaps: std::ops::Range<usize>) -> Option<InsertionPoint> {
        let ours: Vec<usize> = self.our_changes.inserted[gaps.clone()].iter().flatten().copied().collect();
        if ours.is_empty() {
            return None;
        }
        let theirs: Vec<usize> =
            self.their_changes.inserted[gaps.clone()].iter().flatten().copied().collect();
        let our_meanings =
            ours.iter().map(|at| &self.text.blocks[*at]).filter(|block| !is_empty(&block.markdown));
        let our_meanings: Vec<u64> = our_meanings.map(|block| block.meaning).collect();
        let their_meanings =
            theirs.iter().map(|at| &self.theirs.blocks[*at]).filter(|block| !is_empty(&block.markdown));
        let their_meanings: Vec<u64> = their_meanings.map(|block| block.meaning).collect();
        if our_meanings == their_meanings {
            return (!theirs.is_empty()).then_some(InsertionPoint {
                gaps,
                overlap: Overlap::Same,
                ours,
                theirs,
            });
        }
        if !our_meanings.is_empty() && !their_meanings.is_empty() {
            return Some(InsertionPoint { gaps, overlap: Overlap::Conflict, ours, theirs });
        }
        let elsewhere = self.their_changes.inserted.iter().enumerate().filter(|(at, _)| !gaps.contains(at));
        let elsewhere = elsewhere.flat_map(|(_, inserted)| inserted.iter().copied());
        let versions: Vec<usize> = elsewhere.filter(|to| self.is_version(*to, &ours)).collect();
        (!versions.is_empty()).then_some(InsertionPoint {
            gaps,
            overlap: Overlap::Conflict,
            ours,
            theirs: versions,
        })
    }

    /// Whether a block inserted by the server is a version of one of ours.
    fn is_version(&self, theirs: usize, ours: &[usize]) -> bool {
        let theirs = &self.theirs.blocks[theirs].markdown;
        ours.iter().map(|at| &self.text.blocks[*at].markdown).any(|ours| {
            ours.split_ascii_whitespace().count() >= MIN_WORDS && similarity(ours, theirs) >= MIN_SIMILARITY
        })
    }

    /// The inserted blocks of both sides.
    pub fn markdown(&self, point: &InsertionPoint) -> (String, String) {
        let ours = point.ours.iter().map(|at| self.text.blocks[*at].markdown.as_str());
        let theirs = point.theirs.iter().map(|at| self.theirs.blocks[*at].markdown.as_str());
        (ours.collect::<Vec<_>>().join("\n\n"), theirs.collect::<Vec<_>>().join("\n\n"))
    }
}

/// Whether a block has no text, image or frame.
fn is_empty(markdown: &str) -> bool {
    markdown.starts_with('<') && !markdown.contains("<img") && !markdown.contains("<iframe") && {
        let mut inside = false;
        markdown.chars().all(|letter| {
            inside = letter == '<' || inside && letter != '>';
            inside || letter == '>' || letter.is_whitespace() || letter == '\u{200b}'
        })
    }
}
