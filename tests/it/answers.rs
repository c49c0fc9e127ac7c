//! Answers survive the types of the library: reading and writing a document again loses nothing, whatever differs from
//! the description.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::codegen::description::Description;
use crate::codegen::schema;
use crate::endpoints::{description, sample};
use crate::typed_client::calls;
use intercom::api::commands::OPERATIONS;

/// A document as it can be compared: without nulls, and with scalars and times as text. Types write scalars as
/// described, so 5 can become "5".
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name.clone(), comparable(value))).collect())
        }
        Value::Array(elements) => elements.iter().map(comparable).collect(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9.0e15 => json!(format!("{float:.0}")),
            _ => json!(number.to_string()),
        },
        Value::Bool(flag) => json!(flag.to_string()),
        Value::String(text) => match text.parse::<jiff::Timestamp>() {
            Ok(time) if time.subsec_nanosecond() == 0 => json!(time.as_second().to_string()),
            _ => json!(text.trim()),
        },
        Value::Null => Value::Null,
    }
}

/// Every document that differs from this one in a single place: a field that is missing, unknown or of another type.
///
/// Objects that were changed before are left alone: answers repeat each other.
fn mutations(document: &Value, changed_before: &mut BTreeSet<String>) -> Vec<Value> {
    let mut pointers = Vec::new();
    collect_pointers(document, String::new(), &mut pointers, changed_before);
    let mut all = Vec::new();
    for pointer in pointers {
        for other in [
            json!(null),
            json!("text"),
            json!(12),
            json!(-1.5),
            json!(true),
            json!([1]),
            json!({"a": [null]}),
            json!("2026-05-24T10:00:00.5Z"),
        ] {
            let mut changed = document.clone();
            if let Some(place) = changed.pointer_mut(&pointer) {
                *place = other;
            }
            all.push(changed);
        }
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let mut changed = document.clone();
        if let Some(Value::Object(fields)) = changed.pointer_mut(parent) {
            fields.shift_remove(name);
            fields.insert("a_field_of_tomorrow".to_owned(), json!({"kept": [1, "two"]}));
            all.push(changed);
        }
    }
    all
}

fn collect_pointers(
    value: &Value,
    pointer: String,
    pointers: &mut Vec<String>,
    changed_before: &mut BTreeSet<String>,
) {
    if value.is_object() && !changed_before.insert(value.to_string()) {
        return;
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        collect_pointers(child, pointer.clone(), pointers, changed_before);
        pointers.push(pointer);
    }
}

/// The answer, or the elements of its list if it is read as one.
fn parts(id: &str, document: Value) -> Vec<Value> {
    let operation = OPERATIONS.iter().find(|operation| operation.id == id).unwrap();
    if let Value::Array(elements) = document {
        return elements;
    }
    let Some(list) = operation.list.filter(|_| calls::LISTS.contains(&id)) else { return vec![document] };
    let elements = document.pointer(&format!("/{}", list.replace('.', "/")));
    elements.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Reads every mutation of a document. Returns how many there were, and adds what was lost.
fn check(id: &str, document: &Value, changed_before: &mut BTreeSet<String>, lost: &mut Vec<String>) -> usize {
    let documents = std::iter::once(document.clone()).chain(mutations(document, changed_before));
    documents
        .map(|document| {
            let Some(read) = calls::reread(id, document.clone()) else { return };
            match read {
                Ok(written) if comparable(&written) == comparable(&document) => {}
                Ok(written) => lost.push(format!("{id}: {document} became {written}")),
                Err(error) => lost.push(format!("{id}: {document}: {error}")),
            }
        })
        .count()
}

#[test]
fn every_answer_and_every_mutation_of_it_is_read_without_loss() {
    let description = description();
    let (mut lost, mut count, mut changed_before) = (Vec::new(), 0, BTreeSet::new());
    for facts in description.operations() {
        let content =
            facts.response.and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")));
        let Some(schema) = content.and_then(|(_, content)| content.get("schema")) else { continue };
        let answer = answer(&description, schema);
        for part in parts(&facts.id, answer) {
            count += check(&facts.id, &part, &mut changed_before, &mut lost);
        }
    }
    assert!(count > 5_000, "{count}");
    assert!(lost.is_empty(), "{} of {count}:\n{}", lost.len(), lost[..lost.len().min(20)].join("\n"));
}

/// A document with every described field.
fn answer(description: &Description, schema: &Value) -> Value {
    let fields = schema::fields(description, schema);
    if fields.is_empty() {
        return sample(description, schema);
    }
    let fields = fields.iter().map(|field| (field.name.clone(), sample(description, &field.schema)));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// `VENDOR_DESCRIPTION=intercom-2.16.yaml cargo test --test it answers -- --ignored`
#[test]
#[ignore = "needs a description with examples, named by VENDOR_DESCRIPTION"]
fn the_examples_of_a_description_and_their_mutations_are_read_without_loss() {
    let path = std::env::var("VENDOR_DESCRIPTION").expect("VENDOR_DESCRIPTION names a file");
    let description = Description::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut lost, mut examples, mut count) = (Vec::new(), 0, 0);
    let mut changed_before = BTreeSet::new();
    for facts in description.operations() {
        let content =
            facts.response.and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")));
        let Some((_, content)) = content else { continue };
        let named = content["examples"].as_object().into_iter().flat_map(Map::values);
        let documents = named.filter_map(|example| example.get("value")).chain(content.get("example"));
        for document in documents {
            examples += 1;
            for part in parts(&facts.id, document.clone()) {
                count += check(&facts.id, &part, &mut changed_before, &mut lost);
            }
        }
    }
    println!("{examples} examples, {count} documents");
    assert!(examples > 0, "no examples");
    assert!(lost.is_empty(), "{} of {count}:\n{}", lost.len(), lost[..lost.len().min(20)].join("\n"));
}
