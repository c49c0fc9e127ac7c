//! Three-way merge of a body, block by block.
//!
//! The three sides are the server's version that the file was made from, the author's file, and the server's
//! current version. A change of one side is taken. A block that both sides changed differently is a conflict,
//! and so are different blocks inserted at the same point. Conflicts are never resolved here unless the
//! caller prefers a side, and unchanged blocks are the server's, byte for byte.

use super::addresses::AddressMap;
use super::blocks::{Document, EditedDocument};
use super::compare::{BlockState, compare, similarity};
use super::insertions::{Insertions, Overlap};

#[derive(Debug, Clone, Default)]
pub struct MergeResult {
    /// The body to send; the server's body if there are conflicts.
    pub html: String,
    pub conflicts: Vec<MergeConflict>,
    /// The changes of the author's file, to display.
    pub changes: Vec<BlockChange>,
}

/// A block that both sides changed, as Markdown. Empty where a side removed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeConflict {
    pub base: String,
    pub ours: String,
    pub theirs: String,
}

/// A block before and after, as Markdown. Empty for an insertion or a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockChange {
    pub before: String,
    pub after: String,
}

/// The side that wins a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// Report the conflict.
    #[default]
    Neither,
    /// Take the author's file.
    Ours,
}

/// Merges the author's text with the server's current body.
pub fn merge(
    base: &Document,
    text: &EditedDocument,
    theirs: &Document,
    addresses: &AddressMap,
    prefer: Prefer,
) -> MergeResult {
    let meanings: Vec<u64> = base.blocks.iter().map(|block| block.meaning).collect();
    let edited: Vec<u64> = text.blocks.iter().map(|block| block.meaning).collect();
    let our_changes = compare(&meanings, &edited, |at, to| {
        similarity(&base.blocks[at].markdown, &text.blocks[to].markdown)
    });
    let before: Vec<u64> = base.blocks.iter().map(|block| block.fingerprint).collect();
    let current: Vec<u64> = theirs.blocks.iter().map(|block| block.fingerprint).collect();
    let their_changes = compare(&before, &current, |at, to| {
        similarity(&base.blocks[at].markdown, &theirs.blocks[to].markdown)
    });
    let mut merge = MergeResult::default();
    let insertions =
        Insertions { base, text, theirs, our_changes: &our_changes, their_changes: &their_changes };
    let points = insertions.points();
    let conflicting = || points.iter().filter(|point| point.overlap == Overlap::Conflict);
    if prefer == Prefer::Neither {
        merge.conflicts.extend(conflicting().map(|point| {
            let (ours, theirs) = insertions.markdown(point);
            MergeConflict { base: String::new(), ours, theirs }
        }));
    }
    let mut out = MergedBody { theirs, html: String::with_capacity(theirs.html.len()) };
    let markdown = |at: usize| text.blocks[at].markdown.clone();

    for at in 0..=base.blocks.len() {
        let overlap = points.iter().find(|point| point.gaps.contains(&at)).map(|point| point.overlap);
        for their in &their_changes.inserted[at] {
            if prefer == Prefer::Ours && conflicting().any(|point| point.theirs.contains(their)) {
                let before = theirs.blocks[*their].markdown.clone();
                merge.changes.push(BlockChange { before, after: String::new() });
            } else {
                out.push_theirs(*their);
            }
        }
        for our in our_changes.inserted[at].iter().filter(|_| overlap != Some(Overlap::Same)) {
            out.push_new(&theirs.html_for(&text.blocks[*our], None, text, addresses));
            merge.changes.push(BlockChange { before: String::new(), after: markdown(*our) });
        }
        let Some(block) = base.blocks.get(at) else { break };
        let mut conflict = |ours: String, theirs: String| {
            merge.conflicts.push(MergeConflict { base: block.markdown.clone(), ours, theirs });
        };
        match (our_changes.states[at], their_changes.states[at]) {
            (BlockState::Kept(_), BlockState::Kept(their) | BlockState::Changed(their)) => {
                out.push_theirs(their)
            }
            (BlockState::Kept(_) | BlockState::Removed, BlockState::Removed) => {}
            (BlockState::Changed(our), BlockState::Kept(their)) => {
                let html = theirs.html_for(&text.blocks[our], Some(&theirs.blocks[their]), text, addresses);
                if html != theirs.source(&theirs.blocks[their]) {
                    merge.changes.push(BlockChange { before: block.markdown.clone(), after: markdown(our) });
                }
                out.push_instead(their, &html);
            }
            (BlockState::Changed(our), BlockState::Changed(their)) if prefer == Prefer::Ours => {
                let html = theirs.html_for(&text.blocks[our], Some(&theirs.blocks[their]), text, addresses);
                let before = theirs.blocks[their].markdown.clone();
                merge.changes.push(BlockChange { before, after: markdown(our) });
                out.push_instead(their, &html);
            }
            (BlockState::Changed(our), BlockState::Removed) if prefer == Prefer::Ours => {
                out.push_new(&theirs.html_for(&text.blocks[our], None, text, addresses));
                merge.changes.push(BlockChange { before: String::new(), after: markdown(our) });
            }
            (BlockState::Removed, BlockState::Changed(their)) if prefer == Prefer::Ours => {
                let before = theirs.blocks[their].markdown.clone();
                merge.changes.push(BlockChange { before, after: String::new() });
            }
            (BlockState::Changed(our), BlockState::Changed(their)) => {
                let same = text.blocks[our].meaning == theirs.blocks[their].meaning
                    || text.blocks[our].markdown == theirs.blocks[their].markdown;
                if !same {
                    conflict(markdown(our), theirs.blocks[their].markdown.clone());
                }
                out.push_theirs(their);
            }
            (BlockState::Changed(our), BlockState::Removed) => conflict(markdown(our), String::new()),
            (BlockState::Removed, BlockState::Kept(_)) => {
                merge.changes.push(BlockChange { before: block.markdown.clone(), after: String::new() });
            }
            (BlockState::Removed, BlockState::Changed(their)) => {
                conflict(String::new(), theirs.blocks[their].markdown.clone());
                out.push_theirs(their);
            }
        }
    }
    out.html.push_str(&theirs.html[theirs.tail.clone()]);
    merge.html = if merge.conflicts.is_empty() { out.html } else { theirs.html.clone() };
    merge
}

/// The body under construction.
struct MergedBody<'a> {
    theirs: &'a Document,
    html: String,
}

impl MergedBody<'_> {
    /// Appends a block of the server.
    fn push_theirs(&mut self, at: usize) {
        let block = &self.theirs.blocks[at];
        self.html.push_str(&self.theirs.html[block.before.start..block.html.end]);
    }

    /// Appends HTML in place of a block of the server.
    fn push_instead(&mut self, at: usize, html: &str) {
        self.html.push_str(&self.theirs.html[self.theirs.blocks[at].before.clone()]);
        self.html.push_str(html);
    }

    /// Appends a new block, with the same white space that separates the server's blocks.
    fn push_new(&mut self, html: &str) {
        if let Some(second) = self.theirs.blocks.get(1).filter(|_| !self.html.is_empty()) {
            self.html.push_str(&self.theirs.html[second.before.clone()]);
        }
        self.html.push_str(html);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, ours: impl Fn(&str) -> String, theirs: &str) -> MergeResult {
        let addresses = AddressMap::default();
        let base = Document::read(base, &addresses);
        let text = EditedDocument::read(&ours(&base.markdown()), &base, &addresses);
        merge(&base, &text, &Document::read(theirs, &addresses), &addresses, Prefer::Neither)
    }

    const BASE: &str = "<h2 id=\"h_1\">T</h2>\n<p>one a</p>\n<p>two b</p>\n<p>three c</p>\n";

    #[test]
    fn unchanged_blocks_are_the_servers_byte_for_byte() {
        let theirs = BASE.replace("h_1", "h_2");
        let same = merged(BASE, str::to_owned, &theirs);
        assert_eq!(same.html, theirs);
        assert!(same.changes.is_empty());
        let reflowed = merged(BASE, |text| text.replace("one a", "one\na").replace('\n', "\r\n"), BASE);
        assert_eq!(reflowed.html, BASE);
    }

    #[test]
    fn edits_of_neighbouring_blocks_merge() {
        let theirs = BASE.replace("two b", "two B").replace("h_1", "h_2");
        let both = merged(BASE, |text| text.replace("one a", "one A"), &theirs);
        assert_eq!(both.html, theirs.replace("one a", "one A"));
        assert_eq!(both.changes, [BlockChange { before: "one a".into(), after: "one A".into() }]);
    }

    #[test]
    fn insertions_and_removals_merge() {
        let theirs = BASE.replace("<p>three c</p>\n", "").replace("<h2", "<p>first</p>\n<h2");
        let both = merged(BASE, |text| text.replace("two b\n", "two b\n\nnew *x*\n"), &theirs);
        assert_eq!(
            both.html,
            "<p>first</p>\n<h2 id=\"h_1\">T</h2>\n<p>one a</p>\n<p>two b</p>\n<p>new <i>x</i></p>\n"
        );
        let removed = merged(BASE, |text| text.replace("\none a\n", ""), BASE);
        assert_eq!(removed.html, BASE.replace("\n<p>one a</p>", ""));
    }

    #[test]
    fn different_edits_of_one_block_are_a_conflict() {
        let theirs = BASE.replace("one a", "one X");
        let conflict = merged(BASE, |text| text.replace("one a", "one Y"), &theirs);
        assert_eq!(conflict.html, theirs);
        let expected = MergeConflict { base: "one a".into(), ours: "one Y".into(), theirs: "one X".into() };
        assert_eq!(conflict.conflicts, [expected]);
        let same = merged(BASE, |text| text.replace("one a", "one X"), &theirs);
        assert!(same.conflicts.is_empty() && same.html == theirs);
        let removed =
            merged(BASE, |text| text.replace("one a", "one Y"), &BASE.replace("<p>one a</p>\n", ""));
        assert_eq!(removed.conflicts.len(), 1);
    }

    /// Merges insertions of both sides after the second paragraph.
    fn both_insert(ours: &str, theirs: &str) -> MergeResult {
        let theirs = BASE.replace("<p>three c</p>", &format!("{theirs}<p>three c</p>"));
        merged(BASE, |text| text.replace("three c", &format!("{ours}\n\nthree c")), &theirs)
    }

    #[test]
    fn different_insertions_at_one_point_are_a_conflict() {
        for (ours, theirs) in [
            ("The fee is 7 euros.", "<p>The fee is 5 euros.</p>"),
            ("One thing.", "<p>Quite another text.</p>"),
            ("One thing.\n\nAnd more.", "<p>One thing.</p>"),
            ("One thing.", "<p>One thing.</p><p>And more.</p>"),
            ("- a\n- b", "<ul><li>a</li></ul>"),
        ] {
            let both = both_insert(ours, theirs);
            assert_eq!(both.conflicts.len(), 1, "{ours} / {theirs}: {}", both.html);
            assert_eq!((both.conflicts[0].base.as_str(), both.conflicts[0].ours.as_str()), ("", ours));
            assert!(both.html.contains(theirs) && both.html.matches("<p>three c</p>").count() == 1);
        }
        let same = both_insert("The *fee* is 7.", "<p class=\"no-margin\">The <i>fee</i> is 7.</p>");
        assert!(same.conflicts.is_empty() && same.html.matches("fee").count() == 1, "{}", same.html);
    }

    #[test]
    fn empty_blocks_do_not_separate_insertion_points() {
        let blank = "<p class=\"no-margin\"></p>";
        let base = format!("<p>one a</p>{blank}<p>three c</p>");
        let theirs = base.replacen(blank, &format!("{blank}<p>The fee is 5 euros.</p>{blank}"), 1);
        let ours = |text: &str| text.replacen("one a\n", "one a\n\nThe fee is 7 euros.\n", 1);
        let both = merged(&base, ours, &theirs);
        assert_eq!(both.conflicts.len(), 1, "{}", both.html);
        assert_eq!(both.html, theirs);
    }

    #[test]
    fn versions_of_one_block_at_two_points_are_a_conflict() {
        let theirs = BASE.replace("<p>two b</p>", "<p>The fee is now 5 euros.</p><p>two b</p>");
        let both = merged(BASE, |text| format!("{text}\nThe fee is now 7 euros.\n"), &theirs);
        assert_eq!(both.conflicts.len(), 1, "{}", both.html);
        assert!(both.conflicts[0].theirs.contains("5 euros"));
        let apart = merged(BASE, |text| format!("{text}\nSomething else entirely here.\n"), &theirs);
        assert!(
            apart.conflicts.is_empty() && apart.html.contains("5 euros") && apart.html.contains("entirely")
        );
    }

    #[test]
    fn a_preferred_file_replaces_conflicting_blocks() {
        let addresses = AddressMap::default();
        let base = Document::read(BASE, &addresses);
        let ours = base.markdown().replace("three c", "The fee is 7 euros.\n\nthree c");
        let text = EditedDocument::read(&ours, &base, &addresses);
        let theirs =
            BASE.replace("<p>three c</p>", "<p>The fee is 5 euros.</p>\n<p>three c</p>\n<p>kept</p>");
        let forced = merge(&base, &text, &Document::read(&theirs, &addresses), &addresses, Prefer::Ours);
        assert_eq!(forced.html, theirs.replace("5 euros", "7 euros"));
    }

    #[test]
    fn a_change_that_was_already_sent_is_not_sent_again() {
        let theirs =
            BASE.replace("<p>three", "<p class=\"no-margin\">new</p>\n<p>three").replace("one a", "one A");
        let again =
            merged(BASE, |text| text.replace("one a", "one A").replace("three c", "new\n\nthree c"), &theirs);
        assert!(again.conflicts.is_empty());
        assert_eq!(again.html, theirs);
    }
}
