//! Erases a person from one document.
//!
//! Removes the text, subject and attachments of what they wrote, and their id, name and addresses everywhere. It
//! must leave everything else unchanged.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::data::lenient;
use crate::filter::person::{Phone, email_spellings, is_separator};

/// Shorter identifiers, in bytes, also occur in unrelated text.
const MIN_IDENTIFIER_LENGTH: usize = 7;

/// Replaces addresses and names.
const FORGOTTEN: &str = "[forgotten]";
/// Keys whose values the author of a message wrote.
const AUTHORED_KEYS: [&str; 7] = ["body", "subject", "text", "summary", "url", "remark", "title"];

/// Encodings of `@` in links and HTML.
const AT_SIGNS: [&str; 3] = ["%40", "&#64;", "&#x40;"];

/// All identifiers of the person to erase.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub ids: BTreeSet<String>,
    pub emails: BTreeSet<String>,
    pub phones: BTreeSet<String>,
    pub external_ids: BTreeSet<String>,
    pub names: BTreeSet<String>,
}

/// A person's identifiers, prepared for search in documents.
pub(super) struct Scrub {
    ids: Vec<String>,
    /// Lowercase texts that are replaced wherever they occur, in any case.
    anywhere: Vec<Vec<char>>,
    phones: Vec<Phone>,
    /// Removed only from fields for external ids, because they may be short.
    external_ids: Vec<String>,
    names: Vec<String>,
    /// Lowercase texts, at least one of which is in every document that mentions the person without escapes.
    needles: Vec<String>,
}

impl Scrub {
    pub fn new(person: &Person) -> Self {
        let is_long = |text: &&String| text.len() >= MIN_IDENTIFIER_LENGTH;
        let emails = person.emails.iter().flat_map(|address| {
            let mut spellings = email_spellings(address);
            for spelling in spellings.clone() {
                spellings.extend(AT_SIGNS.map(|sign| spelling.replace('@', sign)));
                spellings.push(spelling.replace('+', "%2B").replace('@', "%40"));
            }
            spellings
        });
        let long = person.ids.iter().chain(&person.external_ids).chain(&person.phones).filter(is_long);
        let anywhere: Vec<String> = emails.chain(long.cloned()).map(|text| text.to_lowercase()).collect();
        let short = person.ids.iter().chain(&person.external_ids).map(|id| id.to_lowercase());
        // Whole values in quotes, and numbers after a key.
        let values = short.flat_map(|id| [format!("\"{id}\""), format!(":{id}"), format!(": {id}")]);
        Scrub {
            ids: person.ids.iter().cloned().collect(),
            needles: anywhere.iter().cloned().chain(values).collect(),
            anywhere: anywhere.iter().map(|text| text.chars().collect()).collect(),
            phones: person.phones.iter().filter_map(|number| Phone::read(number)).collect(),
            external_ids: person.external_ids.iter().cloned().collect(),
            names: person.names.iter().cloned().collect(),
        }
    }

    /// Whether a stored document may mention the person, without parsing it. True for documents with escapes, because
    /// JSON can escape any letter.
    pub fn may_be_in(&self, raw: &str) -> bool {
        if raw.contains("\\u") || raw.contains("\\/") {
            return true;
        }
        let lowercase = raw.to_lowercase();
        self.needles.iter().any(|needle| lowercase.contains(needle))
            || without_phones(raw, &self.phones).is_some()
    }

    /// The document without the person; `None` if it does not mention them.
    pub fn document(&self, raw: &str) -> Option<String> {
        let before: Value = serde_json::from_str(raw).ok()?;
        let mut after = before.clone();
        if let Some(document) = after.as_object_mut() {
            self.erase_in_opening(document);
        }
        self.erase_in_value(&mut after);
        (after != before).then(|| after.to_string())
    }

    /// Erases the title and attributes if the person started the conversation or ticket or takes part in it.
    fn erase_in_opening(&self, document: &mut Map<String, Value>) {
        let is_opener = self.is_person(&document.get("source").unwrap_or(&Value::Null)["author"]);
        if is_opener && let Some(title) = document.get_mut("title") {
            *title = Value::Null;
        }
        let takes_part = document
            .get("contacts")
            .and_then(|contacts| contacts["contacts"].as_array())
            .is_some_and(|contacts| contacts.iter().any(|contact| self.is_person(contact)));
        if takes_part || is_opener {
            for attributes in ["ticket_attributes", "custom_attributes"] {
                document.get_mut(attributes).into_iter().for_each(clear_texts);
            }
        }
    }

    fn erase_in_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.erase_in_text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.erase_in_value(value)),
            Value::Object(object) => self.erase_in_object(object),
            _ => {}
        }
    }

    fn erase_in_object(&self, object: &mut Map<String, Value>) {
        let is_author = ["author", "contact"]
            .iter()
            .any(|key| object.get(*key).is_some_and(|author| self.is_person(author)));
        if is_author {
            for (key, value) in object.iter_mut() {
                if AUTHORED_KEYS.contains(&key.as_str()) {
                    *value = Value::Null;
                } else if key == "attachments" {
                    *value = json!([]);
                }
            }
        }
        let mut removed = 0;
        for (key, value) in object.iter_mut() {
            if self.is_person(value) {
                let kind = value["type"].take();
                *value = json!({ "type": kind, "id": null });
                continue;
            }
            if (key.ends_with("contact_id") || key.ends_with("user_id"))
                && lenient::id(value).is_some_and(|id| self.ids.contains(&id))
            {
                *value = Value::Null;
                continue;
            }
            if key.ends_with("external_id")
                && lenient::id(value).is_some_and(|id| self.external_ids.contains(&id))
            {
                *value = Value::Null;
                continue;
            }
            if let Value::Array(values) = value {
                let before = values.len();
                values.retain(|value| !self.is_person(value));
                removed += before - values.len();
            }
            self.erase_in_value(value);
        }
        if removed > 0
            && let Some(count) = object.get_mut("total_count")
            && let Some(total) = lenient::integer(count)
        {
            *count = json!((total - removed as i64).max(0));
        }
    }

    fn is_person(&self, value: &Value) -> bool {
        let is_known = |id: &String| self.ids.contains(id);
        let kind = value["type"].as_str();
        kind.is_none_or(|kind| matches!(kind, "user" | "lead" | "contact" | "visitor"))
            && lenient::id(&value["id"]).as_ref().is_some_and(is_known)
    }

    fn erase_in_text(&self, text: &mut String) {
        if self.names.iter().any(|name| name == text) {
            FORGOTTEN.clone_into(text);
        }
        for wanted in &self.anywhere {
            if let Some(after) = without(text, wanted) {
                *text = after;
            }
        }
        if let Some(after) = without_phones(text, &self.phones) {
            *text = after;
        }
    }
}

/// Removes the texts in a value; numbers, flags and times stay.
fn clear_texts(value: &mut Value) {
    match value {
        Value::String(_) => *value = Value::Null,
        Value::Array(values) => values.iter_mut().for_each(clear_texts),
        Value::Object(object) => object.values_mut().for_each(clear_texts),
        _ => {}
    }
}

/// The text with every occurrence of a lowercase text replaced, in any case; `None` if it does not occur.
fn without(text: &str, wanted: &[char]) -> Option<String> {
    let mut after: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    while let Some(letter) = text[at..].chars().next() {
        match prefix_length(&text[at..], wanted) {
            Some(length) => {
                let after = after.get_or_insert_default();
                after.push_str(&text[copied..at]);
                after.push_str(FORGOTTEN);
                at += length;
                copied = at;
            }
            None => at += letter.len_utf8(),
        }
    }
    after.map(|after| after + &text[copied..])
}

/// The length in bytes of the lowercase `wanted` at the start of a text, in any case; `None` if it is not there.
fn prefix_length(text: &str, wanted: &[char]) -> Option<usize> {
    let mut left = wanted;
    for (at, letter) in text.char_indices() {
        if left.is_empty() {
            return (!wanted.is_empty()).then_some(at);
        }
        for lowercase in letter.to_lowercase() {
            left = left.split_first().filter(|(first, _)| **first == lowercase)?.1;
        }
    }
    (left.is_empty() && !wanted.is_empty()).then_some(text.len())
}

/// The fewest digits of a number without country code that identify it.
const MIN_LOCAL_DIGITS: usize = 9;

/// The text with the phone numbers replaced, in any spelling; `None` if they do not occur.
fn without_phones(text: &str, phones: &[Phone]) -> Option<String> {
    if phones.is_empty() {
        return None;
    }
    let mut after: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '+' || is_separator(letter);
    while let Some(letter) = text[at..].chars().next() {
        if !letter.is_ascii_digit() && letter != '+' && letter != '(' {
            at += letter.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let run = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        match number_in(run, phones) {
            Some((from, to)) => {
                let after = after.get_or_insert_default();
                after.push_str(&text[copied..at + from]);
                after.push_str(FORGOTTEN);
                at += to;
                copied = at;
            }
            None => at += run.len(),
        }
    }
    after.map(|after| after + &text[copied..])
}

/// The byte range of one of the numbers in a run of digits and separators, which may contain several numbers.
fn number_in(run: &str, phones: &[Phone]) -> Option<(usize, usize)> {
    let bytes = run.as_bytes();
    let begins = |at: usize| {
        matches!(bytes[at], b'+' | b'(')
            || (bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit()))
    };
    let ends =
        |at: usize| bytes[at - 1].is_ascii_digit() && (at == bytes.len() || !bytes[at].is_ascii_digit());
    for from in (0..bytes.len()).filter(|at| run.is_char_boundary(*at) && begins(*at)) {
        for to in (from + 1..=bytes.len()).rev().filter(|at| run.is_char_boundary(*at) && ends(*at)) {
            let Some(found) = Phone::read(&run[from..to]) else { continue };
            let is_same = |phone: &Phone| {
                let is_local =
                    found.digits().len() >= MIN_LOCAL_DIGITS && phone.digits().ends_with(found.digits());
                phone.fits(&found) || is_local
            };
            if phones.iter().any(is_same) {
                return Some((from, to));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub() -> Scrub {
        let set = |text: &str| [text.to_owned()].into();
        Scrub::new(&Person {
            ids: set("6650c1f0a1b2c3d4e5f60718"),
            emails: set("ann@example.com"),
            phones: set("+1 (555) 000-1111"),
            external_ids: set("u12"),
            names: set("Ann Lee"),
        })
    }

    #[test]
    fn the_person_is_erased_and_everything_else_is_kept() {
        let ann = json!({"type": "user", "id": "6650c1f0a1b2c3d4e5f60718", "name": "Ann Lee", "email": "Ann@Example.com"});
        let document = json!({
            "id": "7", "title": "My broken thing", "state": "open", "count": 3,
            "source": {"body": "<p>It broke</p>", "subject": "Help", "author": ann, "attachments": [{"name": "me.png"}]},
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "6650c1f0a1b2c3d4e5f60718"}, {"type": "contact", "id": "8"}], "total_count": 2},
            "note": "call ANN@example.com or +15550001111",
            "assignee": {"type": "admin", "id": "9", "name": "Bo"},
            "custom_attributes": {"Address": "1 Elm Street", "Seats": 5, "Parts": [{"Note": "blue door"}]},
        });
        let after = scrub().document(&document.to_string()).unwrap();
        for gone in
            ["Ann", "ann", "6650c1f0", "1555", "broke", "Help", "me.png", "broken thing", "Elm", "blue"]
        {
            assert!(!after.contains(gone), "{gone}: {after}");
        }
        let after: Value = serde_json::from_str(&after).unwrap();
        assert_eq!(after["note"], "call [forgotten] or [forgotten]");
        assert_eq!(
            after["contacts"],
            json!({"type": "contact.list", "contacts": [{"type": "contact", "id": "8"}], "total_count": 1})
        );
        assert_eq!(after["source"]["author"], json!({"type": "user", "id": null}));
        assert_eq!(
            (&after["state"], &after["count"], &after["assignee"]),
            (&document["state"], &document["count"], &document["assignee"])
        );
    }

    #[test]
    fn escaped_and_other_spellings_are_erased() {
        let set = |text: &str| [text.to_owned()].into();
        let scrub = Scrub::new(&Person {
            ids: set("6650c1f0a1b2c3d4e5f60718"),
            emails: set("j\u{fc}rgen+1@example.com"),
            phones: set("+353 86 123 4567"),
            external_ids: set("u12"),
            names: BTreeSet::new(),
        });
        for (raw, left) in [
            (r#"{"body":"j\u00fcrgen+1@example.com!"}"#, "[forgotten]!"),
            (r#"{"body":"J\u00DCRGEN+1@Example.com"}"#, "[forgotten]"),
            (r#"{"body":"mailto:j\u00fcrgen%2B1%40example.com"}"#, "mailto:[forgotten]"),
            (r#"{"body":"call 086 1234567 or 00353-86-123-4567."}"#, "call [forgotten] or [forgotten]."),
            (r#"{"body":"12 (0)861234567"}"#, "12 [forgotten]"),
            (r#"{"body":"5 +353 (0)86 123 4567 7"}"#, "5 [forgotten] 7"),
        ] {
            assert!(scrub.may_be_in(raw), "{raw}");
            let after: Value = serde_json::from_str(&scrub.document(raw).unwrap_or(raw.into())).unwrap();
            assert_eq!(after["body"], left, "{raw}");
        }
        let short = json!({"id": "5", "external_id": "u12", "note": "u12"}).to_string();
        assert!(scrub.may_be_in(&short));
        assert_eq!(
            scrub.document(&short).unwrap(),
            json!({"id": "5", "external_id": null, "note": "u12"}).to_string()
        );
        let other = r#"{"order":"3538612345","at":1353861234567}"#;
        assert_eq!(scrub.document(other), None);
    }

    #[test]
    fn a_document_about_others_is_unchanged() {
        let other = json!({"id": "6650c1f0a1b2c3d4e5f60719", "body": "Annabel", "author": {"type": "user", "id": "1"}});
        assert_eq!(scrub().document(&other.to_string()), None);
    }
}
