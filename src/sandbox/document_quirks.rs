//! Applies quirks to the documents of a response, at any depth.
//!
//! Must change the response only, never the workspace.

use serde_json::{Value, json};

use super::quirk::Quirk;

/// What a text of a message ends with under [`Quirk::LoneSurrogates`], as it goes over the wire.
const HALF: &str = "\\ud83d";

/// Changes the documents of an answer.
pub(super) fn change(quirks: &[Quirk], called: &str, answer: &mut Value) {
    for quirk in quirks {
        match quirk {
            Quirk::NullLinks(paths) if paths.matches(called) => each(answer, &mut |record| {
                for list in ["contacts", "tags", "linked_objects", "conversation_parts", "ticket_parts"] {
                    if let Some(list) = record.get_mut(list) {
                        *list = Value::Null;
                    }
                }
            }),
            Quirk::Bare(paths) if paths.matches(called) => each(answer, &mut |record| {
                if let Some(record) = record.as_object_mut() {
                    for member in ["conversation_parts", "ticket_parts", "statistics"] {
                        record.remove(member);
                    }
                }
            }),
            Quirk::WithheldParts(most) => each(answer, &mut |record| withhold(record, *most)),
            Quirk::Nameless(paths) if paths.matches(called) => {
                let last = match records(answer) {
                    Some(records) => records.last_mut(),
                    None => parts(answer).and_then(|parts| parts.last_mut()),
                };
                drop(last.and_then(Value::as_object_mut).and_then(|record| record.remove("id")));
            }
            _ => {}
        }
    }
}

/// Changes the text of an answer, which can say what a document cannot.
pub(super) fn change_text(quirks: &[Quirk], text: String) -> String {
    if quirks.contains(&Quirk::LoneSurrogates) {
        return text.replace("</p>\"", &format!("{HALF}</p>\""));
    }
    text
}

/// The records of a list; `None` for any other answer.
pub(super) fn records(answer: &mut Value) -> Option<&mut Vec<Value>> {
    let names = ["data", "conversations", "tickets"];
    answer.as_object_mut()?.iter_mut().find(|(name, _)| names.contains(&name.as_str()))?.1.as_array_mut()
}

/// The parts of a conversation; `None` for any other answer.
fn parts(answer: &mut Value) -> Option<&mut Vec<Value>> {
    answer.get_mut("conversation_parts")?.get_mut("conversation_parts")?.as_array_mut()
}

/// Shows every record of a list, or the one record that is the answer.
fn each(answer: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    match records(answer) {
        Some(records) => records.iter_mut().for_each(change),
        None => change(answer),
    }
}

/// Leaves the newest parts of a conversation and counts all of them.
fn withhold(record: &mut Value, most: usize) {
    let Some(parts) = parts(record) else { return };
    let all = parts.len();
    parts.drain(..all.saturating_sub(most));
    record["conversation_parts"]["total_count"] = json!(all);
}
