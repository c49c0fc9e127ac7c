//! Turns the parts of a conversation or ticket into messages and events.
//!
//! No part may be dropped, whatever its type.

use serde_json::Value;

use super::events;
use super::fields::{author_name, text};
use super::model::{Entry, Event, Message, Role, Thread};
use crate::cli::output::extent::grouped;
use crate::cli::output::names::Names;
use crate::data::lenient;
use crate::html::{plain, readable};
use crate::mirror::author;

/// The thread of a record: its opening message, then its parts.
pub fn of(record: &Value, names: &mut Names) -> Thread {
    let mut thread = Thread::default();
    let source = &record["source"];
    if source.is_object() {
        let opening = message(source, record, role(source, author::of_opening(record)), names);
        thread.entries.extend(opening.map(Entry::Message));
    }
    let parts = ["conversation_parts", "ticket_parts"].iter().find_map(|name| {
        let list = record.get(*name)?;
        list.as_array().or_else(|| list[*name].as_array())
    });
    let Some(parts) = parts else { return thread };
    let stated = lenient::integer(&record["statistics"]["count_conversation_parts"])
        .and_then(|count| u64::try_from(count).ok());
    // Counts differ a little, for example by the opening message; only a full list can be cut.
    if parts.len() >= MAX_PARTS {
        thread.not_returned = stated.unwrap_or_default().saturating_sub(parts.len() as u64);
    }
    for part in parts {
        add(&mut thread.entries, part, names);
    }
    thread
}

/// The most parts that the API returns.
const MAX_PARTS: usize = 500;

/// Adds what a part says, and then what it does.
fn add(entries: &mut Vec<Entry>, part: &Value, names: &mut Names) {
    let written = message(part, part, role(part, author::of_part(part)), names);
    let kind = part["part_type"].as_str().unwrap_or_default();
    let says_only = ["comment", "note", "quick_reply", ""].contains(&kind);
    let is_silent = written.is_none();
    entries.extend(written.map(Entry::Message));
    if !says_only || is_silent {
        let text = events::sentence(part, kind, names);
        entries.push(Entry::Event(Event { text, at: moment(part) }));
    }
}

/// A single note, as a message.
pub fn note(note: &Value, names: &mut Names) -> Message {
    let author = author_name(&note["author"], names);
    let written = message(note, note, Role::Teammate, names);
    let empty = || Message {
        author,
        role: Role::Teammate,
        is_note: true,
        at: moment(note),
        text: String::new(),
        attachments: Vec::new(),
    };
    Message { is_note: true, ..written.unwrap_or_else(empty) }
}

/// What a part says; `None` if it has neither text nor files. `dated` has its time.
fn message(part: &Value, dated: &Value, role: Role, names: &mut Names) -> Option<Message> {
    let body = part["body"].as_str().unwrap_or_default();
    let text = match readable::text(body) {
        text if !text.is_empty() => text,
        _ if part["redacted"] == true => "(redacted)".to_owned(),
        _ if plain::is_visible(body) => "(embedded content)".to_owned(),
        _ => String::new(),
    };
    let attachments: Vec<String> = part["attachments"].as_array().into_iter().flatten().map(file).collect();
    if text.is_empty() && attachments.is_empty() {
        return None;
    }
    Some(Message {
        author: author_name(&part["author"], names),
        role,
        is_note: part["part_type"].as_str().is_some_and(|kind| kind.starts_with("note")),
        at: moment(dated),
        text,
        attachments,
    })
}

/// Name and size of an attached file.
fn file(attachment: &Value) -> String {
    let name = ["name", "url"].iter().find_map(|field| text(&attachment[*field]));
    let name = name.unwrap_or_else(|| "file".to_owned());
    let size = attachment.get("filesize").or_else(|| attachment.get("size")).and_then(lenient::integer);
    match size.and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0) {
        Some(size) if size >= 1024 => format!("{name} ({} KB)", grouped(size / 1024)),
        Some(size) => format!("{name} ({size} bytes)"),
        None => name,
    }
}

fn role(part: &Value, written_by: &str) -> Role {
    match written_by {
        _ if author::is_ai_agent(part) => Role::AiAgent,
        author::CONTACT => {
            let kind = part["author"]["type"].as_str().filter(|kind| !kind.is_empty());
            Role::Contact(kind.unwrap_or("contact").to_owned())
        }
        author::TEAMMATE => Role::Teammate,
        _ => Role::Bot,
    }
}

/// When a part was written.
fn moment(part: &Value) -> Option<i64> {
    ["created_at", "notified_at", "updated_at"].iter().find_map(|field| lenient::moment(&part[*field]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::output::names::NameLookup;

    fn names() -> Names {
        Names::new(&NameLookup::default())
    }

    fn entries(part: &Value) -> Vec<Entry> {
        let record = json!({"conversation_parts": {"conversation_parts": [part]}});
        of(&record, &mut names()).entries
    }

    fn written(part: Value) -> Message {
        match entries(&part).into_iter().next() {
            Some(Entry::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_have_their_author_role_text_and_files() {
        let bot = json!({"type": "admin", "name": "Operator", "email": "operator+x@intercom.io"});
        let fin = json!({"type": "bot", "name": "Fin", "from_ai_agent": true});
        for (author, role) in [
            (json!({"type": "lead", "name": "Ann"}), Role::Contact("lead".to_owned())),
            (json!({"type": "admin", "name": "Mara"}), Role::Teammate),
            (bot, Role::Bot),
            (fin, Role::AiAgent),
        ] {
            let part =
                json!({"part_type": "comment", "body": "<p>a</p>", "author": author, "created_at": "5"});
            let message = written(part);
            assert_eq!((message.role, message.at, message.is_note), (role, Some(5), false), "{author}");
        }
        let files = json!([{"name": "bill.pdf", "filesize": 2_097_152}, {"name": "a.txt"}]);
        let part = json!({"part_type": "note", "body": null, "attachments": files, "author": {"name": "Bo"}});
        let note = written(part);
        assert_eq!((note.is_note, note.text.as_str(), note.author.as_str()), (true, "", "Bo"));
        assert_eq!(note.attachments, ["bill.pdf (2,048 KB)", "a.txt"]);
        let redacted =
            json!({"part_type": "comment", "body": "", "redacted": true, "author": {"name": "Bo"}});
        assert_eq!(written(redacted).text, "(redacted)");
        let video = json!({"part_type": "comment", "body": "<iframe src=\"x\"></iframe>"});
        assert_eq!(written(video).text, "(embedded content)");
    }

    #[test]
    fn a_message_that_also_acts_is_both() {
        let part =
            json!({"part_type": "close", "body": "<p>Bye</p>", "author": {"type": "admin", "name": "Mara"}});
        let [Entry::Message(message), Entry::Event(event)] = &entries(&part)[..] else { panic!() };
        assert_eq!((message.text.as_str(), event.text.as_str()), ("Bye", "Mara closed this"));
        let part = json!({"part_type": "note_and_reopen", "body": "<p>Hm</p>", "author": {"name": "Mara"}});
        let [Entry::Message(message), Entry::Event(event)] = &entries(&part)[..] else { panic!() };
        assert_eq!((message.is_note, event.text.as_str()), (true, "Mara reopened this"));
    }

    #[test]
    fn a_thread_begins_with_its_opening_message_and_names_what_the_api_cut() {
        let part = json!({"part_type": "close", "author": {"type": "admin", "name": "Mara"}});
        let record = json!({"created_at": 3, "statistics": {"count_conversation_parts": 640},
            "source": {"body": "<p>Hi</p>", "author": {"type": "user", "name": "Ann"}},
            "conversation_parts": vec![part; 500]});
        let thread = of(&record, &mut names());
        assert_eq!((thread.entries.len(), thread.not_returned), (501, 140));
        let Entry::Message(opening) = &thread.entries[0] else { panic!() };
        assert_eq!((opening.text.as_str(), opening.at), ("Hi", Some(3)));
    }
}
