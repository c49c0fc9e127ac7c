//! Compares the blocks of one side of a merge with those of the base.
//!
//! Equal blocks are found first. Those between them are paired by similarity and in order, so that an edited
//! block is never taken for a removal and an insertion.

use std::ops::Range;

use similar::DiffOp;

use super::sequence::differences;

/// How one side changed the blocks of the base. Indices are those of the side's blocks.
pub(super) struct SideChanges {
    /// The state of each base block.
    pub states: Vec<BlockState>,
    /// Blocks inserted before each base block, and after the last.
    pub inserted: Vec<Vec<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockState {
    Kept(usize),
    Changed(usize),
    Removed,
}

/// Compares a side with the base. Blocks in a changed stretch are paired by similarity, in order.
pub(super) fn compare(base: &[u64], side: &[u64], similarity: impl Fn(usize, usize) -> u32) -> SideChanges {
    let mut changes = SideChanges {
        states: vec![BlockState::Removed; base.len()],
        inserted: vec![Vec::new(); base.len() + 1],
    };
    let mut stretch: Option<(Range<usize>, Range<usize>)> = None;
    let mut ops = differences(base, side);
    ops.push(DiffOp::Equal { old_index: base.len(), new_index: side.len(), len: 0 });
    for op in ops {
        let (olds, news) = (op.old_range(), op.new_range());
        if let DiffOp::Equal { .. } = op {
            if let Some((olds, news)) = stretch.take() {
                pair_blocks(&mut changes, olds, news, &similarity);
            }
            olds.zip(news).for_each(|(at, to)| changes.states[at] = BlockState::Kept(to));
            continue;
        }
        stretch = Some(match stretch.take() {
            Some((first, second)) => (first.start..olds.end, second.start..news.end),
            None => (olds, news),
        });
    }
    changes
}

/// Larger stretches (old blocks times new blocks) are paired in order, regardless of similarity.
const MAX_COMPARISONS: usize = 4_096;

fn pair_blocks(
    changes: &mut SideChanges,
    olds: Range<usize>,
    news: Range<usize>,
    similarity: impl Fn(usize, usize) -> u32,
) {
    let in_order = olds.len() == news.len() || olds.len() * news.len() > MAX_COMPARISONS;
    let pairs = if in_order {
        olds.clone().zip(news.clone()).collect()
    } else {
        best_pairs(&olds, &news, similarity)
    };
    let mut next = news.start;
    for (at, to) in pairs {
        changes.inserted[at].extend(next..to);
        changes.states[at] = BlockState::Changed(to);
        next = to + 1;
    }
    // Blocks inserted after the last pair come before the next kept block.
    changes.inserted[olds.end].extend(next..news.end);
}

/// The pairs, in order, with the highest total similarity.
fn best_pairs(
    olds: &Range<usize>,
    news: &Range<usize>,
    similarity: impl Fn(usize, usize) -> u32,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (olds.len(), news.len());
    let mut scores = vec![vec![0u32; columns + 1]; rows + 1];
    let mut similarities = vec![vec![0u32; columns]; rows];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let like = similarity(olds.start + row, news.start + column);
            similarities[row][column] = like;
            let paired = if like > 0 { like + scores[row + 1][column + 1] } else { 0 };
            scores[row][column] = paired.max(scores[row + 1][column]).max(scores[row][column + 1]);
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows && column < columns {
        let like = similarities[row][column];
        if like > 0 && scores[row][column] == like + scores[row + 1][column + 1] {
            pairs.push((olds.start + row, news.start + column));
            (row, column) = (row + 1, column + 1);
        } else if scores[row][column] == scores[row + 1][column] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

/// The share of common words of two texts, from 0 to 100; 0 if it is below 30.
pub(super) fn similarity(one: &str, other: &str) -> u32 {
    let mut words: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let (mut ones, mut others, mut common) = (0usize, 0usize, 0usize);
    for word in one.split_ascii_whitespace() {
        *words.entry(word).or_default() += 1;
        ones += 1;
    }
    for word in other.split_ascii_whitespace() {
        others += 1;
        if let Some(count) = words.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    let percent = (200 * common).checked_div(ones + others).unwrap_or(0);
    if percent >= 30 { u32::try_from(percent).unwrap_or(100) } else { 0 }
}
