//! Names the objects inside schemas, so that every type in Rust is a component with a name that is chosen here.
//!
//! Works on the separated schemas of requests and answers. Equal objects at the same property are one component.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::description::{Description, SCHEMAS, plain, reference};
use super::normalize::RESERVED;
use super::shape::{REQUEST, ROLE, WIRE};
use super::versions::SINCE;

/// Replaces references to components that are not objects with fields by the schema itself: they need no type. What
/// would contain itself becomes any JSON.
pub fn replace_references_to_values(description: &mut Description) {
    let known = description.root["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let values: BTreeSet<String> = known
        .iter()
        .filter(|(_, schema)| schema.get("properties").is_none())
        .map(|(name, _)| name.clone())
        .collect();
    replace(&mut description.root, &known, &values, &mut Vec::new());
    if let Some(schemas) = description.root["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| !values.contains(name));
    }
}

fn replace(
    value: &mut Value,
    known: &Map<String, Value>,
    values: &BTreeSet<String>,
    inside: &mut Vec<String>,
) {
    let name = reference(value).and_then(|target| target.strip_prefix(SCHEMAS)).map(str::to_owned);
    if let Some(name) = name.filter(|name| values.contains(name)) {
        let kept = ["nullable", SINCE, WIRE].map(|keyword| (keyword, value.get(keyword).cloned()));
        if inside.contains(&name) {
            *value = json!({});
            return;
        }
        *value = known.get(&name).cloned().unwrap_or_else(|| json!({}));
        for (keyword, kept) in kept {
            if let Some(kept) = kept {
                value[keyword] = kept;
            }
        }
        inside.push(name);
        replace(value, known, values, inside);
        inside.pop();
        return;
    }
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| replace(element, known, values, inside));
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| replace(field, known, values, inside));
        }
        _ => {}
    }
}

/// Turns the objects inside components into components.
pub fn name_inline_objects(description: &mut Description) {
    let Some(schemas) = description.root["components"]["schemas"].as_object_mut() else { return };
    let mut order: Vec<String> = schemas.keys().cloned().collect();
    // Answers first and short names first, so that types that are used twice get the plainer name.
    order.sort_by_key(|name| (schemas[name][ROLE] == REQUEST, name.len(), name.clone()));
    let mut objects = InlineObjects {
        taken: schemas.keys().map(|name| plain(name)).chain(RESERVED.map(str::to_owned)).collect(),
        named: BTreeMap::new(),
        components: Map::new(),
    };
    for (name, schema) in schemas.iter() {
        objects.named.entry(schema.to_string()).or_default().push(name.clone());
    }
    for name in order {
        let mut schema = schemas[&name].take();
        objects.in_properties(&pascal(&name), &mut schema);
        schemas[&name] = schema;
    }
    schemas.extend(objects.components);
}

struct InlineObjects {
    taken: BTreeSet<String>,
    /// Names of components, by their schema.
    named: BTreeMap<String, Vec<String>>,
    components: Map<String, Value>,
}

impl InlineObjects {
    fn in_properties(&mut self, parent: &str, schema: &mut Value) {
        for (name, property) in
            schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
        {
            self.in_value(parent, &pascal(name), property);
        }
    }

    fn in_value(&mut self, parent: &str, property: &str, schema: &mut Value) {
        if schema["type"] == "array" {
            let item = singular(property);
            self.in_value(parent, &item, &mut schema["items"]);
        } else if schema.get("properties").is_some() {
            let mut target = json!({});
            for keyword in ["nullable", SINCE, WIRE] {
                if let Some(value) = schema.as_object_mut().and_then(|object| object.shift_remove(keyword)) {
                    target[keyword] = value;
                }
            }
            let name = self.component(parent, property, schema);
            target["$ref"] = format!("#{SCHEMAS}{name}").into();
            *schema = target;
        }
    }

    /// The component of an object at a property.
    fn component(&mut self, parent: &str, property: &str, schema: &mut Value) -> String {
        let text = schema.to_string();
        let known = self.named.get(&text).into_iter().flatten().find(|name| pascal(name).ends_with(property));
        if let Some(known) = known {
            return known.clone();
        }
        let mut name = format!("{parent}{property}");
        while !self.taken.insert(plain(&name)) {
            name.push_str("Object");
        }
        self.named.entry(text).or_default().push(name.clone());
        self.in_properties(&name, schema);
        self.components.insert(name.clone(), schema.take());
        name
    }
}

/// `ticket_type` → `TicketType`.
pub fn pascal(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// One of several: `Contacts` → `Contact`. A word that has no plural ending gets one more word.
pub fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    if ["sses", "xes", "ches", "shes", "uses"].iter().any(|ending| word.ends_with(ending)) {
        return word[..word.len() - 2].to_owned();
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.is_empty() => stem.to_owned(),
        _ => format!("{word}Item"),
    }
}
