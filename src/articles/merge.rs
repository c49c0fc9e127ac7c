//! Three-way merge by block: the body as it was pulled, our Markdown, and the server's body now.
//!
//! An edit of one side stands in the place of a range of the base's blocks. Edits of both sides at different
//! places both count; at the same place they are a conflict unless they say the same.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::body::{Block, Body, html_of};
use super::pieces;

/// What a merge comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Merged {
    /// The HTML to send; equal to theirs when there is nothing to do.
    Html(String),
    /// The places that both sides changed: base, ours, theirs, as Markdown.
    Conflict(Vec<[String; 3]>),
}

/// The base's blocks `old` became `new` of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    old: Range<usize>,
    new: Range<usize>,
}

fn edits(old: &[String], new: &[String]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        let (tag, from, to) = op.as_tag_tuple();
        match tag {
            DiffTag::Equal => {}
            DiffTag::Replace if from.len() == to.len() => {
                edits.extend(from.zip(to).map(|(old, new)| Edit { old: old..old + 1, new: new..new + 1 }));
            }
            _ => edits.push(Edit { old: from, new: to }),
        }
    }
    edits
}

fn overlap(one: &Edit, other: &Edit) -> bool {
    let inside =
        |inner: &Range<usize>, outer: &Range<usize>| outer.start < inner.start && inner.start < outer.end;
    match (one.old.is_empty(), other.old.is_empty()) {
        (true, true) => one.old.start == other.old.start,
        (true, false) => inside(&one.old, &other.old),
        (false, true) => inside(&other.old, &one.old),
        (false, false) => one.old.start < other.old.end && other.old.start < one.old.end,
    }
}

/// What a block is to the server: its HTML without the ids that the server gives to headings anew.
fn identity(block: &Block) -> String {
    let mut text = String::with_capacity(block.html.len());
    let mut rest = block.html.as_str();
    while let Some(at) = rest.find(" id=\"h_") {
        text.push_str(&rest[..at]);
        let after = &rest[at + 5..];
        rest = after.find('"').map_or("", |end| &after[end + 1..]);
    }
    steady(&(text + rest))
}

/// HTML without the signatures of pictures, which are new with every answer.
pub fn steady(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("src=\"") {
        let (before, after) = rest.split_at(at + 5);
        text.push_str(before);
        let address = after.split('"').next().unwrap_or_default();
        text.push_str(match address.split_once('?') {
            Some((bare, query)) if query.contains("signature=") => bare,
            _ => address,
        });
        rest = &after[address.len()..];
    }
    text + rest
}

/// Our Markdown put into the server's HTML.
pub fn merge(base: &Body, ours: &str, theirs: &Body) -> Merged {
    let our_pieces = pieces::split(ours);
    let base_pieces: Vec<String> = base.blocks.iter().map(|block| block.markdown.clone()).collect();
    let mine = edits(&base_pieces, &our_pieces);
    let base_identities: Vec<String> = base.blocks.iter().map(identity).collect();
    let their_identities: Vec<String> = theirs.blocks.iter().map(identity).collect();
    let others = edits(&base_identities, &their_identities);

    let usual = theirs.usual_style();
    let definitions = definitions(&our_pieces);
    let rendered = |edit: &Edit| -> Vec<Block> {
        let usual_gap = base.blocks.get(1).map_or("", |block| block.gap.as_str());
        let pieces = our_pieces[edit.new.clone()].iter().enumerate();
        let block = |(index, piece): (usize, &String)| {
            let before = (index < edit.old.len()).then(|| base.blocks.get(edit.old.start + index)).flatten();
            let gap = before.map_or(usual_gap, |before| before.gap.as_str()).to_owned();
            Block { gap, html: html_of(piece, before, &usual, &definitions), markdown: piece.clone() }
        };
        pieces.map(block).collect()
    };

    let mut conflicts = Vec::new();
    let mut settled = Vec::new();
    for edit in &mine {
        let new = rendered(edit);
        let unchanged = new.len() == edit.old.len()
            && new.iter().zip(&base.blocks[edit.old.clone()]).all(|(new, old)| new.html == old.html);
        if unchanged {
            continue;
        }
        let touching: Vec<&Edit> = others.iter().filter(|other| overlap(edit, other)).collect();
        if touching.is_empty() {
            settled.push((edit.old.clone(), new));
            continue;
        }
        let theirs_now: Vec<&Block> =
            touching.iter().flat_map(|other| &theirs.blocks[other.new.clone()]).collect();
        let agree =
            theirs_now.iter().map(|block| &block.markdown).eq(new.iter().map(|block| &block.markdown))
                || theirs_now.iter().map(|block| identity(block)).eq(new.iter().map(identity));
        if !agree {
            let join = |blocks: &mut dyn Iterator<Item = &Block>| {
                pieces::join(blocks.map(|block| block.markdown.as_str()))
            };
            conflicts.push([
                join(&mut base.blocks[edit.old.clone()].iter()),
                join(&mut new.iter()),
                join(&mut theirs_now.into_iter()),
            ]);
        }
    }
    if !conflicts.is_empty() {
        return Merged::Conflict(conflicts);
    }
    Merged::Html(assembled(base, theirs, &settled, &others))
}

/// Their blocks in order, with our edits in the places they stand for.
fn assembled(base: &Body, theirs: &Body, mine: &[(Range<usize>, Vec<Block>)], others: &[Edit]) -> String {
    let mut html = String::new();
    let mut push = |block: &Block| {
        html.push_str(&block.gap);
        html.push_str(&block.html);
    };
    // Where the block of the base stands in theirs, as long as their edits left it.
    let mut shift = 0_isize;
    let mut position = 0;
    while position <= base.blocks.len() {
        for (_, new) in mine.iter().filter(|(old, _)| old.start == position && old.is_empty()) {
            new.iter().for_each(&mut push);
        }
        let edit = others.iter().find(|edit| edit.old.start == position && edit.old.is_empty());
        if let Some(edit) = edit {
            theirs.blocks[edit.new.clone()].iter().for_each(&mut push);
            shift += edit.new.len() as isize;
        }
        if position == base.blocks.len() {
            break;
        }
        if let Some(edit) = others.iter().find(|edit| edit.old.start == position && !edit.old.is_empty()) {
            theirs.blocks[edit.new.clone()].iter().for_each(&mut push);
            shift += edit.new.len() as isize - edit.old.len() as isize;
            // Insertions of ours inside of a range of theirs are conflicts and do not come here.
            position = edit.old.end;
            continue;
        }
        if let Some((old, new)) = mine.iter().find(|(old, _)| old.start == position && !old.is_empty()) {
            let there = usize::try_from(position as isize + shift).ok().and_then(|at| theirs.blocks.get(at));
            for (index, block) in new.iter().enumerate() {
                let gap = there.filter(|_| index == 0).map_or(&block.gap, |there| &there.gap).clone();
                push(&Block { gap, ..block.clone() });
            }
            position = old.end;
            continue;
        }
        if let Some(block) =
            usize::try_from(position as isize + shift).ok().and_then(|at| theirs.blocks.get(at))
        {
            push(block);
        }
        position += 1;
    }
    html + &theirs.tail
}

/// The lines that define link targets, for pieces that use them.
fn definitions(pieces: &[String]) -> String {
    let is_definition = |line: &&str| line.starts_with('[') && line.contains("]: ");
    pieces
        .iter()
        .flat_map(|piece| piece.lines().filter(is_definition))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Both sides changed a field to different values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradiction;

/// One field: `Err` when both sides changed it to different values.
pub fn field<T: PartialEq + Clone>(base: &T, ours: &T, theirs: &T) -> Result<T, Contradiction> {
    match (ours == base, theirs == base || theirs == ours) {
        (true, _) => Ok(theirs.clone()),
        (false, true) => Ok(ours.clone()),
        (false, false) => Err(Contradiction),
    }
}

/// The changed blocks as lines that begin with `-` and `+`.
pub fn readable(old: &str, new: &str) -> String {
    let blocks = |html: &str| -> Vec<String> {
        Body::read(html).blocks.into_iter().map(|block| block.markdown).collect()
    };
    let (old, new) = (blocks(old), blocks(new));
    let mut text = String::new();
    for edit in edits(&old, &new) {
        for (mark, blocks) in [("-", &old[edit.old]), ("+", &new[edit.new])] {
            blocks
                .iter()
                .flat_map(|block| block.lines())
                .for_each(|line| text.push_str(&format!("{mark} {line}\n")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "<h2 id=\"h_1\">T</h2>\n<p class=\"no-margin\">one</p><p class=\"no-margin\">two</p>\n\n<p style=\"x\">three</p>";

    fn merged(theirs: &str, edit: impl Fn(String) -> String) -> Merged {
        let base = Body::read(BASE);
        merge(&base, &edit(base.markdown()), &Body::read(theirs))
    }

    #[test]
    fn an_edit_changes_its_block_and_no_other_byte() {
        assert_eq!(merged(BASE, |text| text), Merged::Html(BASE.to_owned()));
        assert_eq!(
            merged(BASE, |text| text.replace("two", "**2**")),
            Merged::Html(BASE.replace("two", "<b>2</b>"))
        );
        assert_eq!(
            merged(BASE, |text| text.replace("## T", "## U")),
            Merged::Html(BASE.replace(">T<", ">U<"))
        );
        assert_eq!(
            merged(BASE, |text| text.replace("two\n\n", "")),
            Merged::Html(BASE.replace("<p class=\"no-margin\">two</p>", ""))
        );
        let inserted = BASE.replace("two</p>", "two</p>\n<p class=\"no-margin\">new</p>");
        assert_eq!(merged(BASE, |text| text.replace("two", "two\n\nnew")), Merged::Html(inserted));
    }

    #[test]
    fn edits_of_both_sides_meet() {
        let theirs = BASE.replace("h_1", "h_9").replace("one", "uno").replace("three", "tres");
        let both = theirs.replace("two", "due");
        assert_eq!(merged(&theirs, |text| text.replace("two", "due")), Merged::Html(both));
        assert_eq!(merged(&theirs, |text| text.replace("one", "uno")), Merged::Html(theirs.clone()));
        let Merged::Conflict(places) = merged(&theirs, |text| text.replace("one", "eins")) else { panic!() };
        assert_eq!(places, [["one\n".to_owned(), "eins\n".to_owned(), "uno\n".to_owned()]]);
        let signed = |number| {
            BASE.replace(
                "two",
                &format!(
                    "<img src=\"https://d.x/i.png?expires={number}&amp;signature=s{number}\" alt=\"i\">"
                ),
            )
        };
        let base = Body::read(&signed(1));
        let ours = base.markdown().replace("one", "eins");
        assert_eq!(
            merge(&base, &ours, &Body::read(&signed(2))),
            Merged::Html(signed(2).replace("one", "eins"))
        );
        let shorter = BASE.replace("<p class=\"no-margin\">one</p>", "");
        assert_eq!(
            merged(&shorter, |text| text.replace("two", "due")),
            Merged::Html(shorter.replace("two", "due"))
        );
    }
}
