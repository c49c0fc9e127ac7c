//! Single records as people look at them: a conversation reads like a chat, a contact like a card.
//!
//! A view is built as data first ([`model`]), then written by [`text`] or [`markdown`]. Programs never get a view, only
//! documents as received. Anybody can have written the texts, so the renderers make them safe.

mod events;
mod fields;
mod inbox;
mod markdown;
mod model;
pub mod options;
mod people;
mod text;
mod thread;
mod writing;

use serde_json::Value;

use self::model::{Entry, Thread, View};
use super::clock::Clock;
use super::flags::OutputFlags;
use super::names::Names;
use super::palette::Palette;
use super::table::terminal_width;

/// Widest lines of text that are comfortable to read.
const MAX_WIDTH: usize = 100;

/// Whether records of this type have a view. The answer to a change that removed a record has none.
pub fn has_view(record: &Value) -> bool {
    let is_removal = ["deleted", "archived", "blocked"].iter().any(|flag| record[*flag] == true);
    let kinds = [
        "conversation",
        "ticket",
        "article",
        "internal_article",
        "contact",
        "user",
        "lead",
        "company",
        "note",
    ];
    !is_removal && record["type"].as_str().is_some_and(|kind| kinds.contains(&kind))
}

/// A record as text for people; `None` if its type has no view.
pub fn of_record(record: &Value, flags: &OutputFlags) -> Option<ShownView> {
    let view = view(record, flags)?;
    let omitted = view.omitted;
    let clock = Clock::of(flags);
    let text = if flags.view.markdown {
        markdown::render(&view, &clock.absolute())
    } else {
        text::render(&view, &page(flags, &clock))
    };
    Some(ShownView { text, omitted })
}

/// The text of a view, and the number of fields that it leaves out.
pub struct ShownView {
    pub text: String,
    pub omitted: usize,
}

/// One of the notes in a list, with its author, its time and its whole text.
pub fn of_note(note: &Value, names: &mut Names, flags: &OutputFlags) -> String {
    let clock = Clock::of(flags);
    let thread = Thread { entries: vec![Entry::Message(thread::note(note, names))], ..Thread::default() };
    text::thread(&thread, &page(flags, &clock))
}

fn page<'a>(flags: &OutputFlags, clock: &'a Clock) -> text::Page<'a> {
    let width = terminal_width().unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
    text::Page { width, clock, palette: Palette::of(flags) }
}

fn view(record: &Value, flags: &OutputFlags) -> Option<View> {
    if !has_view(record) {
        return None;
    }
    let around = &flags.view.surroundings;
    let mut names = Names::new(&flags.names);
    around.named.iter().chain(&around.contact).for_each(|document| names.learn(document));
    names.learn(record);
    let mut view = match record["type"].as_str()? {
        "conversation" => inbox::conversation(record, &mut names, around),
        "ticket" => inbox::ticket(record, &mut names, around),
        "article" | "internal_article" => writing::article(record, &mut names),
        "company" => people::company(record),
        "note" => writing::note(record, &mut names),
        _ => people::contact(record, &mut names, around),
    };
    view.fact("link", around.address.clone());
    if let (Some(thread), Some(count)) = (&mut view.thread, flags.view.last) {
        thread.keep_last(count);
    }
    Some(view)
}
