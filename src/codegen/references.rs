//! Brings references into the one form that the rules know: `#/components/<section>/<name>`, with a plain name.
//!
//! Descriptions may also refer to a part of a component or of a path, and components may have any name. What a
//! reference leads to must not change here.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::reference;

/// References to a part of something are followed up to this depth.
const MAX_DEPTH: usize = 8;

/// Escapes what a path of a URL may not have, outside of placeholders.
pub fn escape_paths(root: &mut Value) {
    let Some(paths) = root["paths"].as_object_mut() else { return };
    for (path, item) in std::mem::take(paths) {
        let mut inside = false;
        let escaped: String = path
            .chars()
            .map(|letter| {
                inside = (inside || letter == '{') && letter != '}';
                if inside || letter.is_ascii_alphanumeric() || "{}/%-._~:@!$&'()*+,;=".contains(letter) {
                    return letter.to_string();
                }
                letter.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
            })
            .collect();
        paths.insert(escaped, item);
    }
}

/// Gives components plain names, and replaces references to anything but a component by what they lead to.
pub fn unify_references(root: &mut Value) {
    rename_components(root);
    let known = root.clone();
    inline(root, &known, 0);
}

fn rename_components(root: &mut Value) {
    let mut renamed: Vec<(String, String)> = Vec::new();
    for (section, entries) in root["components"].as_object_mut().into_iter().flatten() {
        let Some(entries) = entries.as_object_mut() else { continue };
        let mut taken: BTreeSet<String> =
            entries.keys().filter(|name| plain_name(name) == **name).cloned().collect();
        if taken.len() == entries.len() {
            continue;
        }
        for (name, entry) in std::mem::take(entries) {
            let mut unique = plain_name(&name);
            if unique != name {
                while !taken.insert(unique.clone()) {
                    unique.push('_');
                }
                renamed.push((
                    format!("#/components/{section}/{name}"),
                    format!("#/components/{section}/{unique}"),
                ));
            }
            entries.insert(unique, entry);
        }
    }
    if !renamed.is_empty() {
        redirect(root, &renamed);
    }
}

fn redirect(value: &mut Value, renamed: &[(String, String)]) {
    if let Some(target) = value.get("$ref").and_then(Value::as_str) {
        let target = unescaped(target);
        let rest = |old: &str| {
            target
                .strip_prefix(old)
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
                .map(str::to_owned)
        };
        let found = renamed.iter().find_map(|(old, new)| Some(format!("{new}{}", rest(old)?)));
        if let Some(new) = found {
            value["$ref"] = new.into();
        }
    }
    children(value).for_each(|child| redirect(child, renamed));
}

/// A name of ASCII letters, digits, `.`, `-` and `_`; others are written as their number.
fn plain_name(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() || ".-_".contains(letter) => plain.push(letter),
            ' ' => plain.push('_'),
            other => plain.push_str(&format!("_u{:x}_", u32::from(other))),
        }
    }
    if plain.is_empty() { "_".to_owned() } else { plain }
}

/// A JSON pointer in a URL without the escapes of either.
fn unescaped(pointer: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = pointer.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}

/// Whether a pointer leads to a component.
fn is_component(target: &str) -> bool {
    target.strip_prefix("/components/").is_some_and(|rest| rest.matches('/').count() == 1)
}

fn inline(value: &mut Value, known: &Value, depth: usize) {
    let target = reference(value).filter(|target| !is_component(target));
    if let Some(found) = target.map(|target| known.pointer(target).cloned()) {
        *value = found.filter(|_| depth < MAX_DEPTH).unwrap_or_else(|| json!({}));
        return inline(value, known, depth + 1);
    }
    children(value).for_each(|child| inline(child, known, depth));
}

fn children(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Array(elements) => Box::new(elements.iter_mut()),
        Value::Object(fields) => Box::new(Map::values_mut(fields)),
        _ => Box::new(std::iter::empty()),
    }
}
