//! Views of articles and notes.

use serde_json::Value;

use super::fields::{joined, list, named, omitted, person, text};
use super::model::{Datum, Entry, Section, Thread, View};
use super::thread;
use crate::articles::article::{is_locale, parent_id};
use crate::articles::convert::addresses::AddressMap;
use crate::articles::convert::blocks::Document;
use crate::cli::output::names::Names;
use crate::data::lenient;
use crate::html::readable;
use crate::mirror::ResourceName;

pub fn article(record: &Value, names: &mut Names) -> View {
    let id = lenient::id(&record["id"]).unwrap_or_default();
    let kind = if record["type"] == "article" { "article" } else { "internal article" };
    let title = text(&record["title"]).unwrap_or_else(|| "(without a title)".to_owned());
    let mut view = View { title, kind: format!("{kind} {id}"), ..View::default() };
    view.line("state", text(&record["state"]).map(Datum::State).into_iter().collect());
    let is_in_collection = record["parent_type"].as_str().is_none_or(|kind| kind == "collection");
    let parent = Value::from(parent_id(record).filter(|_| is_in_collection));
    view.fact("collection", named(names, ResourceName::Collections, &parent));
    view.fact("author", named(names, ResourceName::Admins, &record["author_id"]));
    view.fact("owner", named(names, ResourceName::Admins, &record["owner_id"]));
    view.fact("languages", languages(record));
    view.fact("tags", joined(&list(&record["tags"], "tags")));
    view.fact("address", text(&record["url"]));
    view.moment("created", "", lenient::moment(&record["created_at"]));
    view.moment("updated", "", lenient::moment(&record["updated_at"]));
    view.fact("description", text(&record["description"]));
    let body = record["body"].as_str().filter(|body| !body.trim().is_empty());
    view.texts.extend(body.map(|body| Section {
        heading: String::new(),
        text: readable::text(body),
        markdown: Some(Document::read(body, &AddressMap::default()).markdown()),
    }));
    view.omitted = omitted(
        record,
        &[
            "id",
            "title",
            "state",
            "parent_id",
            "parent_ids",
            "parent_type",
            "author_id",
            "owner_id",
            "default_locale",
            "locale",
            "translated_content",
            "tags",
            "url",
            "created_at",
            "updated_at",
            "description",
            "body",
        ],
    );
    view
}

/// The languages of an article, the default first, with the state of each.
fn languages(record: &Value) -> Option<String> {
    let default = text(&record["default_locale"]).or_else(|| text(&record["locale"]));
    let translations = record["translated_content"].as_object().into_iter().flatten();
    let others = translations.filter(|(locale, content)| {
        content.is_object() && is_locale(locale) && Some(locale.as_str()) != default.as_deref()
    });
    let others = others.map(|(locale, content)| match content["state"].as_str() {
        Some("draft") => format!("{locale} (draft)"),
        _ => locale.clone(),
    });
    joined(&default.iter().cloned().chain(others).collect::<Vec<_>>())
}

pub fn note(record: &Value, names: &mut Names) -> View {
    let id = lenient::id(&record["id"]).unwrap_or_default();
    let contact =
        person(&record["contact"]).or_else(|| named(names, ResourceName::Contacts, &record["contact"]["id"]));
    let title = contact.map_or_else(|| "Note".to_owned(), |contact| format!("Note about {contact}"));
    let entries = vec![Entry::Message(thread::note(record, names))];
    View {
        title,
        kind: format!("note {id}"),
        thread: Some(Thread { entries, ..Thread::default() }),
        omitted: omitted(record, &["id", "contact", "author", "created_at", "body"]),
        ..View::default()
    }
}
