//! What was edited in a file, put together with what the server has now.

use super::body::Body;
use super::merge::{Merged, field, merge, readable};
use super::page::Page;
use super::pieces;
use super::remote::{Change, Content};

/// One language of an article after the merge.
#[derive(Debug, Default)]
pub struct Merge {
    /// What is to be sent.
    pub change: Change,
    /// The file's content with the changes of both sides.
    pub content: Content,
    /// Why nothing can be sent, for people.
    pub conflicts: Vec<String>,
    /// Names of the changed fields.
    pub fields: Vec<&'static str>,
    /// The changed blocks as lines that begin with `-` and `+`.
    pub diff: String,
}

/// Merges a file into the server's content. `force` takes ours wherever both sides changed.
pub fn merged(base: &Content, ours: &Page, theirs: &Content, force: bool) -> Merge {
    let mut merge_ = Merge { content: theirs.clone(), ..Merge::default() };
    let found = &mut merge_;
    let pick = |name: &str, base: &String, ours: &String, theirs: &String, conflicts: &mut Vec<String>| {
        field(base, ours, theirs).unwrap_or_else(|_| {
            if !force {
                conflicts.push(section(name, base, ours, theirs));
            }
            ours.clone()
        })
    };
    let title = pick("title", &base.title, &ours.title, &theirs.title, &mut found.conflicts);
    if title != theirs.title {
        found.fields.push("title");
        found.diff.push_str(&format!("- title: {}\n+ title: {title}\n", theirs.title));
        found.change.title = Some(title.clone());
    }
    let description =
        pick("description", &base.description, &ours.description, &theirs.description, &mut found.conflicts);
    if description != theirs.description {
        found.fields.push("description");
        found
            .diff
            .push_str(&format!("- description: {}\n+ description: {description}\n", theirs.description));
        found.change.description = Some(description.clone());
    }
    // A line taken out of the front matter changes nothing.
    let our_state = ours.state.clone().or_else(|| base.state.clone());
    let state = field(&base.state, &our_state, &theirs.state).unwrap_or(our_state);
    if state != theirs.state {
        found.fields.push("state");
        found.diff.push_str(&format!("+ state: {}\n", state.as_deref().unwrap_or_default()));
        found.change.state = state.clone();
    }
    let our_author = ours.author_id.or(base.author_id);
    let author = field(&base.author_id, &our_author, &theirs.author_id).unwrap_or_else(|_| {
        if !force {
            let text = |author: Option<i64>| author.unwrap_or_default().to_string();
            let section =
                section("author", &text(base.author_id), &text(our_author), &text(theirs.author_id));
            found.conflicts.push(section);
        }
        our_author
    });
    if author != theirs.author_id {
        found.fields.push("author");
        found.diff.push_str(&format!("+ author: {}\n", author.unwrap_or_default()));
        found.change.author_id = author;
    }
    let body = merged_body(base, ours, theirs, force, &mut found.conflicts);
    if body != theirs.body {
        found.fields.push("body");
        found.diff.push_str(&readable(&theirs.body, &body));
        found.change.body = Some(body.clone());
    }
    found.content = Content { title, description, state, author_id: author, body, ..theirs.clone() };
    merge_
}

fn merged_body(
    base: &Content,
    ours: &Page,
    theirs: &Content,
    force: bool,
    conflicts: &mut Vec<String>,
) -> String {
    let base_body = Body::read(&base.body);
    if pieces::split(&ours.markdown) == pieces::split(&base_body.markdown()) {
        return theirs.body.clone();
    }
    let their_body = if theirs.body == base.body { base_body.clone() } else { Body::read(&theirs.body) };
    match merge(&base_body, &ours.markdown, &their_body) {
        Merged::Html(html) => html,
        Merged::Conflict(_) if force => match merge(&base_body, &ours.markdown, &base_body) {
            Merged::Html(html) => html,
            Merged::Conflict(_) => theirs.body.clone(),
        },
        Merged::Conflict(places) => {
            conflicts.extend(places.iter().map(|[base, ours, theirs]| section("body", base, ours, theirs)));
            theirs.body.clone()
        }
    }
}

fn section(name: &str, base: &str, ours: &str, theirs: &str) -> String {
    let part = |title: &str, text: &str| format!("### {title}\n\n{}\n\n", text.trim_end());
    format!("## {name}\n\n{}{}{}", part("Base", base), part("Ours", ours), part("Theirs", theirs))
}

/// The text of a conflict file.
pub fn conflict_file(path: &str, conflicts: &[String]) -> String {
    format!(
        "# Conflict: {path}\n\nThis file and the article on the server changed the same places. Nothing of the \
         article was written.\n\n{}",
        conflicts.concat()
    )
}
