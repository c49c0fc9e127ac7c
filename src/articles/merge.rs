//! Three-way merge of a body, block by block.
//!
//! The three sides are what the folder last had from the server, what the author's file says now, and what
//! the server has now. Whatever only one side changed is taken from that side; a block that both changed in
//! different ways is a conflict, and nothing is decided about it here. Blocks that nobody changed are the
//! server's, to the byte.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::document::{Document, Text};
use super::images::Images;

#[derive(Debug, Clone, Default)]
pub struct Merge {
    /// The body to send; the server's where there are conflicts.
    pub html: String,
    pub conflicts: Vec<Conflict>,
    /// What the author's file changes, for people to look at.
    pub changes: Vec<Change>,
}

/// A block that both sides changed. Empty where the side took it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub base: String,
    pub ours: String,
    pub theirs: String,
}

/// A block before and after, as Markdown. Empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub before: String,
    pub after: String,
}

/// What to do about a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// Report it.
    #[default]
    Neither,
    /// The author said that the file is right.
    Ours,
}

/// What one side did to the blocks of the base: indices are the side's own.
struct Side {
    /// For each block of the base.
    fate: Vec<Fate>,
    /// Blocks put in before each block of the base, and behind the last.
    added: Vec<Vec<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept(usize),
    Changed(usize),
    Gone,
}

/// Merges an author's text and the server's body.
pub fn merge(base: &Document, text: &Text, theirs: &Document, images: &Images, prefer: Prefer) -> Merge {
    let meanings: Vec<u64> = base.blocks.iter().map(|it| it.meaning).collect();
    let written: Vec<u64> = text.blocks.iter().map(|it| it.meaning).collect();
    let ours =
        side(&meanings, &written, |at, to| likeness(&base.blocks[at].markdown, &text.blocks[to].markdown));
    let before: Vec<u64> = base.blocks.iter().map(|it| it.fingerprint).collect();
    let now: Vec<u64> = theirs.blocks.iter().map(|it| it.fingerprint).collect();
    let other =
        side(&before, &now, |at, to| likeness(&base.blocks[at].markdown, &theirs.blocks[to].markdown));
    let mut merge = Merge::default();
    let mut out = Out { theirs, html: String::with_capacity(theirs.html.len()) };
    let markdown = |at: usize| text.blocks[at].markdown.clone();

    for at in 0..=base.blocks.len() {
        for to in &other.added[at] {
            out.theirs(*to);
        }
        for to in &ours.added[at] {
            let same = |it: &&usize| theirs.blocks[**it].meaning == text.blocks[*to].meaning;
            if other.added[at].iter().find(same).is_none() {
                out.added(&theirs.html_for(&text.blocks[*to], None, text, images));
                merge.changes.push(Change { before: String::new(), after: markdown(*to) });
            }
        }
        let Some(block) = base.blocks.get(at) else { break };
        let mut conflict = |ours: String, theirs: String| {
            merge.conflicts.push(Conflict { base: block.markdown.clone(), ours, theirs });
        };
        match (ours.fate[at], other.fate[at]) {
            (Fate::Kept(_), Fate::Kept(to) | Fate::Changed(to)) => out.theirs(to),
            (Fate::Kept(_) | Fate::Gone, Fate::Gone) => {}
            (Fate::Changed(to), Fate::Kept(it)) => {
                let html = theirs.html_for(&text.blocks[to], Some(&theirs.blocks[it]), text, images);
                if html != theirs.source(&theirs.blocks[it]) {
                    merge.changes.push(Change { before: block.markdown.clone(), after: markdown(to) });
                }
                out.instead(it, &html);
            }
            (Fate::Changed(to), Fate::Changed(it)) if prefer == Prefer::Ours => {
                let html = theirs.html_for(&text.blocks[to], Some(&theirs.blocks[it]), text, images);
                let before = theirs.blocks[it].markdown.clone();
                merge.changes.push(Change { before, after: markdown(to) });
                out.instead(it, &html);
            }
            (Fate::Changed(to), Fate::Gone) if prefer == Prefer::Ours => {
                out.added(&theirs.html_for(&text.blocks[to], None, text, images));
                merge.changes.push(Change { before: String::new(), after: markdown(to) });
            }
            (Fate::Gone, Fate::Changed(it)) if prefer == Prefer::Ours => {
                let before = theirs.blocks[it].markdown.clone();
                merge.changes.push(Change { before, after: String::new() });
            }
            (Fate::Changed(to), Fate::Changed(it)) => {
                let same = text.blocks[to].meaning == theirs.blocks[it].meaning
                    || text.blocks[to].markdown == theirs.blocks[it].markdown;
                if !same {
                    conflict(markdown(to), theirs.blocks[it].markdown.clone());
                }
                out.theirs(it);
            }
            (Fate::Changed(to), Fate::Gone) => conflict(markdown(to), String::new()),
            (Fate::Gone, Fate::Kept(_)) => {
                merge.changes.push(Change { before: block.markdown.clone(), after: String::new() });
            }
            (Fate::Gone, Fate::Changed(it)) => {
                conflict(String::new(), theirs.blocks[it].markdown.clone());
                out.theirs(it);
            }
        }
    }
    out.html.push_str(&theirs.html[theirs.tail.clone()]);
    merge.html = if merge.conflicts.is_empty() { out.html } else { theirs.html.clone() };
    merge
}

struct Out<'a> {
    theirs: &'a Document,
    html: String,
}

impl Out<'_> {
    fn theirs(&mut self, at: usize) {
        let block = &self.theirs.blocks[at];
        self.html.push_str(&self.theirs.html[block.before.start..block.html.end]);
    }

    fn instead(&mut self, at: usize, html: &str) {
        self.html.push_str(&self.theirs.html[self.theirs.blocks[at].before.clone()]);
        self.html.push_str(html);
    }

    /// A new block stands apart like the others do.
    fn added(&mut self, html: &str) {
        if let Some(second) = self.theirs.blocks.get(1).filter(|_| !self.html.is_empty()) {
            self.html.push_str(&self.theirs.html[second.before.clone()]);
        }
        self.html.push_str(html);
    }
}

/// Compares a side with the base. Blocks in a stretch that changed are paired by likeness, in order.
fn side(base: &[u64], side: &[u64], likeness: impl Fn(usize, usize) -> u32) -> Side {
    let mut found = Side { fate: vec![Fate::Gone; base.len()], added: vec![Vec::new(); base.len() + 1] };
    let mut stretch: Option<(std::ops::Range<usize>, std::ops::Range<usize>)> = None;
    let mut ops = capture_diff_slices(Algorithm::Myers, base, side);
    ops.push(DiffOp::Equal { old_index: base.len(), new_index: side.len(), len: 0 });
    for op in ops {
        let (olds, news) = (op.old_range(), op.new_range());
        if let DiffOp::Equal { .. } = op {
            if let Some((olds, news)) = stretch.take() {
                pair(&mut found, olds, news, &likeness);
            }
            olds.zip(news).for_each(|(at, to)| found.fate[at] = Fate::Kept(to));
            continue;
        }
        stretch = Some(match stretch.take() {
            Some((first, second)) => (first.start..olds.end, second.start..news.end),
            None => (olds, news),
        });
    }
    found
}

/// Larger stretches are paired in order, without looking.
const PAIRED_BY_LIKENESS: usize = 4_096;

fn pair(
    found: &mut Side,
    olds: std::ops::Range<usize>,
    news: std::ops::Range<usize>,
    likeness: impl Fn(usize, usize) -> u32,
) {
    let pairs = match olds.len() == news.len() || olds.len() * news.len() > PAIRED_BY_LIKENESS {
        true => olds.clone().zip(news.clone()).collect(),
        false => best_pairs(&olds, &news, likeness),
    };
    let mut next = news.start;
    for (at, to) in pairs {
        found.added[at].extend(next..to);
        found.fate[at] = Fate::Changed(to);
        next = to + 1;
    }
    // What was added behind the last pair stands before the next block that is kept.
    found.added[olds.end].extend(next..news.end);
}

/// The pairs in order whose likeness adds up highest.
fn best_pairs(
    olds: &std::ops::Range<usize>,
    news: &std::ops::Range<usize>,
    likeness: impl Fn(usize, usize) -> u32,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (olds.len(), news.len());
    let mut scores = vec![vec![0u32; columns + 1]; rows + 1];
    let mut likenesses = vec![vec![0u32; columns]; rows];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let like = likeness(olds.start + row, news.start + column);
            likenesses[row][column] = like;
            let paired = if like > 0 { like + scores[row + 1][column + 1] } else { 0 };
            scores[row][column] = paired.max(scores[row + 1][column]).max(scores[row][column + 1]);
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows && column < columns {
        let like = likenesses[row][column];
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

/// How much of two texts is the same, from 0 to 100; 0 for texts that have little in common.
fn likeness(one: &str, other: &str) -> u32 {
    let mut words: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let (mut ones, mut others, mut common) = (0usize, 0usize, 0usize);
    for word in one.split_ascii_whitespace() {
        *words.entry(word).or_default() += 1;
        ones += 1;
    }
    for word in other.split_ascii_whitespace() {
        others += 1;
        if let Some(count) = words.get_mut(word).filter(|it| **it > 0) {
            *count -= 1;
            common += 1;
        }
    }
    let percent = (200 * common).checked_div(ones + others).unwrap_or(0);
    if percent >= 30 { u32::try_from(percent).unwrap_or(100) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, ours: impl Fn(&str) -> String, theirs: &str) -> Merge {
        let images = Images::default();
        let base = Document::read(base, &images);
        let text = Text::read(&ours(&base.markdown()), &base, &images);
        merge(&base, &text, &Document::read(theirs, &images), &images, Prefer::Neither)
    }

    const BASE: &str = "<h2 id=\"h_1\">T</h2>\n<p>one a</p>\n<p>two b</p>\n<p>three c</p>\n";

    #[test]
    fn what_nobody_touched_is_the_servers_to_the_byte() {
        let theirs = BASE.replace("h_1", "h_2");
        let same = merged(BASE, str::to_owned, &theirs);
        assert_eq!(same.html, theirs);
        assert!(same.changes.is_empty());
        let reflowed = merged(BASE, |it| it.replace("one a", "one\na").replace('\n', "\r\n"), BASE);
        assert_eq!(reflowed.html, BASE);
    }

    #[test]
    fn neighbours_merge() {
        let theirs = BASE.replace("two b", "two B").replace("h_1", "h_2");
        let both = merged(BASE, |it| it.replace("one a", "one A"), &theirs);
        assert_eq!(both.html, theirs.replace("one a", "one A"));
        assert_eq!(both.changes, [Change { before: "one a".into(), after: "one A".into() }]);
    }

    #[test]
    fn additions_and_removals_merge() {
        let theirs = BASE.replace("<p>three c</p>\n", "").replace("<h2", "<p>first</p>\n<h2");
        let both = merged(BASE, |it| it.replace("two b\n", "two b\n\nnew *x*\n"), &theirs);
        assert_eq!(
            both.html,
            "<p>first</p>\n<h2 id=\"h_1\">T</h2>\n<p>one a</p>\n<p>two b</p>\n<p>new <i>x</i></p>\n"
        );
        let removed = merged(BASE, |it| it.replace("\none a\n", ""), BASE);
        assert_eq!(removed.html, BASE.replace("\n<p>one a</p>", ""));
    }

    #[test]
    fn the_same_block_is_a_conflict_unless_both_say_the_same() {
        let theirs = BASE.replace("one a", "one X");
        let conflict = merged(BASE, |it| it.replace("one a", "one Y"), &theirs);
        assert_eq!(conflict.html, theirs);
        let expected = Conflict { base: "one a".into(), ours: "one Y".into(), theirs: "one X".into() };
        assert_eq!(conflict.conflicts, [expected]);
        let same = merged(BASE, |it| it.replace("one a", "one X"), &theirs);
        assert!(same.conflicts.is_empty() && same.html == theirs);
        let gone = merged(BASE, |it| it.replace("one a", "one Y"), &BASE.replace("<p>one a</p>\n", ""));
        assert_eq!(gone.conflicts.len(), 1);
    }

    #[test]
    fn what_was_sent_already_is_not_sent_again() {
        let theirs =
            BASE.replace("<p>three", "<p class=\"no-margin\">new</p>\n<p>three").replace("one a", "one A");
        let again =
            merged(BASE, |it| it.replace("one a", "one A").replace("three c", "new\n\nthree c"), &theirs);
        assert!(again.conflicts.is_empty());
        assert_eq!(again.html, theirs);
    }
}
