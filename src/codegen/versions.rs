//! Merges the descriptions of several API versions into one.
//!
//! The oldest version wins: later versions only add to it. What they add is marked with the
//! version that it needs ([`SINCE`]), and what they lack with the last version that has it ([`UNTIL`]). A field
//! whose type changes keeps its type and names the later one ([`LATER`]). Nothing of the oldest version may
//! change by merging a later one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::cycles::cut_cycles;
use super::description::{Description, METHODS, is_list, placeholders, plain, reference};
use super::schema::fields;

/// First version that has an operation, parameter or property, if it is later than the oldest one.
pub const SINCE: &str = "x-since";
/// Last version that has an operation, parameter or property.
pub const UNTIL: &str = "x-until";
/// The type from a later version on: `{"version", "schema"}`.
pub const LATER: &str = "x-later";
/// Values of an enum that need a later version, with that version.
pub const LATER_VALUES: &str = "x-later-values";

/// Sections of `components` whose entries are merged by name; only schemas are merged in depth.
const SECTIONS: [&str; 4] = ["schemas", "responses", "parameters", "requestBodies"];

/// Gives the operations of a later version the ids and path parameters that they have in an earlier one, so that
/// both are recognized as the same.
pub fn align(earlier: &Description, later: &mut Description) {
    let known = known_operations(earlier);
    let Some(paths) = later.root["paths"].as_object_mut() else { return };
    let mut aligned = Map::new();
    let mut moved = Vec::new();
    for (path, mut item) in std::mem::take(paths) {
        let shape = shape(&path);
        let target = known.iter().find(|((_, other), _)| *other == shape);
        let target = target.map_or_else(|| path.clone(), |(_, operation)| operation.path.clone());
        rename_placeholders(&path, &target, &mut item);
        for method in METHODS {
            let Some(operation) = item.get_mut(method) else { continue };
            if let Some(operation_of) = known.get(&(method, shape.clone())) {
                if operation_of.id == operation["operationId"] {
                    continue;
                }
                moved.push((method, target.clone(), operation_of.clone()));
            }
        }
        merge_item(&mut aligned, target, item);
    }
    *paths = aligned;
    for (method, path, known) in moved {
        let operation = &later.root["paths"][&path][method];
        if is_list(later, operation) == known.is_list {
            later.root["paths"][&path][method]["operationId"] = known.id.into();
        } else {
            // Another operation took over the path: it keeps its id, and its path is marked.
            let operation = later.root["paths"][&path][method].take();
            if let Some(item) = later.root["paths"][&path].as_object_mut() {
                item.remove(method);
            }
            let marked = format!("{path}#{}", later.version());
            later.root["paths"][marked][method] = operation;
        }
    }
}

#[derive(Clone)]
struct KnownOperation {
    id: String,
    path: String,
    is_list: bool,
}

fn known_operations(description: &Description) -> BTreeMap<(&'static str, String), KnownOperation> {
    let mut known = BTreeMap::new();
    for (path, item) in description.root["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            let is_list = is_list(description, operation);
            let key = (method, shape(path));
            if !path.contains('#') || !known.contains_key(&key) {
                known.insert(key, KnownOperation { id, path: path.clone(), is_list });
            }
        }
    }
    known
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let path = path.split('#').next().unwrap_or_default();
    let pieces = path.split('{').enumerate();
    pieces
        .map(|(index, piece)| match piece.split_once('}') {
            Some((_, rest)) if index > 0 => format!("{{}}{rest}"),
            _ => piece.to_owned(),
        })
        .collect()
}

/// Renames the path parameters of an item from those of one path to those of another of the same shape.
pub fn rename_placeholders(from: &str, to: &str, item: &mut Value) {
    let names: BTreeMap<&str, &str> = placeholders(from).zip(placeholders(to)).collect();
    let rename = |parameters: &mut Value| {
        for parameter in parameters.as_array_mut().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            if parameter["in"] == "path"
                && let Some(new) = names.get(name)
            {
                parameter["name"] = (*new).into();
            }
        }
    };
    if names.iter().all(|(one, other)| one == other) {
        return;
    }
    if let Some(parameters) = item.get_mut("parameters") {
        rename(parameters);
    }
    for method in METHODS {
        if let Some(parameters) = item.get_mut(method).and_then(|operation| operation.get_mut("parameters")) {
            rename(parameters);
        }
    }
}

fn merge_item(paths: &mut Map<String, Value>, path: String, item: Value) {
    match (paths.get_mut(&path).and_then(Value::as_object_mut), item) {
        (Some(known), Value::Object(item)) => known.extend(item),
        (_, item) => drop(paths.insert(path, item)),
    }
}

/// Adds a later version, which has been aligned, to an earlier one. `previous` is the version before it.
pub fn merge(earlier: &mut Description, later: Description, previous: &str) {
    let version = later.version().to_owned();
    let before = Description { root: earlier.root.clone() };
    let merger = Merger { version: &version, previous, before: &before, later: &later };
    merger.operations(earlier, &later);
    for section in SECTIONS {
        merger.components(earlier, &later, section);
    }
    // Two versions can refer to each other's schemas.
    cut_cycles(&mut earlier.root);
}

struct Merger<'a> {
    version: &'a str,
    previous: &'a str,
    /// The descriptions as they were before, to resolve references.
    before: &'a Description,
    later: &'a Description,
}

impl Merger<'_> {
    fn operations(&self, earlier: &mut Description, later: &Description) {
        let mut added: Vec<(String, &str, Value)> = Vec::new();
        for (path, item) in later.root["paths"].as_object().into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let operation = with_own_parameters(item, operation);
                let known = earlier.root["paths"].get_mut(path);
                let shared = known.as_ref().and_then(|item| item.get("parameters").cloned());
                match known.and_then(|item| item.get_mut(method)) {
                    Some(known) => self.operation(known, &operation, shared.as_ref()),
                    None => added.push((path.clone(), method, operation)),
                }
            }
        }
        for (path, item) in earlier.root["paths"].as_object_mut().into_iter().flatten() {
            for method in METHODS {
                let is_known = |operation: &Value| operation.get(UNTIL).is_some();
                let is_gone = later.root["paths"].get(path).and_then(|item| item.get(method)).is_none();
                if let Some(operation) = item.get_mut(method)
                    && is_gone
                    && !is_known(operation)
                {
                    operation[UNTIL] = self.previous.into();
                }
            }
        }
        let mut taken: Vec<String> = earlier.operations().iter().map(|facts| plain(&facts.id)).collect();
        for (path, method, mut operation) in added {
            operation[SINCE] = self.version.into();
            let id = operation["operationId"].as_str().unwrap_or_default();
            if taken.contains(&plain(id)) {
                let free = super::description::free_id(method, &path, |id| taken.contains(&plain(id)));
                operation["operationId"] = free.into();
            }
            taken.push(plain(operation["operationId"].as_str().unwrap_or_default()));
            earlier.root["paths"][&path][method] = operation;
        }
    }

    fn operation(&self, earlier: &mut Value, later: &Value, shared: Option<&Value>) {
        self.parameters(earlier, later, shared);
        let body = "/requestBody/content/application~1json/schema";
        if let (None, Some(added)) = (earlier.get("requestBody"), later.get("requestBody")) {
            earlier["requestBody"] = added.clone();
            if let Some(schema) = earlier.pointer_mut(body) {
                schema[SINCE] = self.version.into();
            }
        } else if let (Some(earlier), Some(later)) = (earlier.pointer_mut(body), later.pointer(body)) {
            self.schema(earlier, later);
        }
        for (status, response) in later["responses"].as_object().into_iter().flatten() {
            let known = earlier.get_mut("responses").and_then(|responses| responses.get_mut(status));
            let Some(known) = known else { continue };
            let schema = "/content/application~1json/schema";
            if let (Some(earlier), Some(later)) = (known.pointer_mut(schema), response.pointer(schema)) {
                self.schema(earlier, later);
            }
        }
    }

    /// `shared` are the earlier parameters of the path item.
    fn parameters(&self, earlier: &mut Value, later: &Value, shared: Option<&Value>) {
        let has = |list: &Value, parameter: &Value| {
            let list = list.as_array().into_iter().flatten();
            list.clone().any(|other| match reference(parameter) {
                Some(_) => other["$ref"] == parameter["$ref"],
                None => other["name"] == parameter["name"] && other["in"] == parameter["in"],
            })
        };
        let mut added = Vec::new();
        for parameter in later["parameters"].as_array().into_iter().flatten() {
            let is_shared = shared.is_some_and(|shared| has(shared, parameter));
            if self.later.resolve(parameter)["in"] != "query" || is_shared {
                continue;
            }
            if !has(&earlier["parameters"], parameter) {
                let mut parameter = parameter.clone();
                parameter[SINCE] = self.version.into();
                added.push(parameter);
                continue;
            }
            for known in array(earlier, "parameters") {
                let is_same = known["name"] == parameter["name"] && known["in"] == parameter["in"];
                if is_same && let Some(schema) = known.get_mut("schema") {
                    self.schema(schema, &parameter["schema"]);
                }
            }
        }
        for known in array(earlier, "parameters") {
            if known["in"] == "query" && !has(&later["parameters"], known) && known.get(UNTIL).is_none() {
                known[UNTIL] = self.previous.into();
            }
        }
        if !added.is_empty() {
            match earlier.get_mut("parameters").and_then(Value::as_array_mut) {
                Some(parameters) => parameters.extend(added),
                None => earlier["parameters"] = added.into(),
            }
        }
    }

    fn components(&self, earlier: &mut Description, later: &Description, section: &str) {
        let Some(entries) = later.root["components"][section].as_object() else { return };
        if !earlier.root["components"][section].is_object() {
            earlier.root["components"][section] = json!({});
        }
        for (name, entry) in entries {
            match earlier.root["components"][section].get_mut(name) {
                Some(known) if section == "schemas" => self.schema(known, entry),
                Some(_) => {}
                None => earlier.root["components"][section][name] = entry.clone(),
            }
        }
    }

    fn schema(&self, earlier: &mut Value, later: &Value) {
        if earlier == later || !earlier.is_object() || !later.is_object() {
            return;
        }
        if later["nullable"] == true && reference(earlier).is_none() {
            earlier["nullable"] = true.into();
        }
        self.properties(earlier, later);
        self.values(earlier, later);
        if let (Some(items), true) = (earlier.get_mut("items"), later.get("items").is_some()) {
            self.schema(items, &later["items"]);
        }
        for combination in ["allOf", "oneOf", "anyOf"] {
            self.combination(earlier, later, combination);
        }
        let is_alternative = |schema: &Value| ["oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some());
        let (one, other) = (type_of(earlier), type_of(later));
        if let (Some(one), Some(other)) = (one, other)
            && one != other
            && !is_alternative(later)
        {
            self.retype(earlier, later);
        }
    }

    /// Remembers the first later type.
    fn retype(&self, earlier: &mut Value, later: &Value) {
        if earlier.get(LATER).is_none() {
            earlier[LATER] = json!({ "version": self.version, "schema": later });
        }
    }

    /// Merges the fields of both, wherever they are described: among the properties, or in parts and alternatives.
    fn properties(&self, earlier: &mut Value, later: &Value) {
        if reference(earlier).is_some() || reference(later).is_some() {
            return;
        }
        let (known, more) = (fields(self.before, earlier), fields(self.later, later));
        let by_name = |name: &str| more.iter().find(|field| field.name == name);
        if more.is_empty() {
            return;
        }
        for (name, field) in properties(earlier) {
            match by_name(name) {
                Some(later) => self.schema(field, &later.schema),
                None if field.is_object() && field.get(UNTIL).is_none() => {
                    field[UNTIL] = self.previous.into()
                }
                None => {}
            }
        }
        let is_free_map = known.is_empty() && earlier.get("additionalProperties").is_some();
        let is_object = earlier["type"] == "object" || !known.is_empty();
        for field in more.iter().filter(|field| known.iter().all(|known| known.name != field.name)) {
            if is_object && !is_free_map {
                let (name, field) = self.added(&field.name, &field.schema);
                earlier["properties"][name] = field;
            }
        }
    }

    fn added(&self, name: &str, field: &Value) -> (String, Value) {
        let mut field = field.clone();
        if field.is_object() {
            field[SINCE] = self.version.into();
        }
        (name.to_owned(), field)
    }

    /// Offers the values of both versions.
    fn values(&self, earlier: &mut Value, later: &Value) {
        let (Some(known), Some(more)) = (earlier["enum"].as_array(), later["enum"].as_array()) else {
            return;
        };
        let new: Vec<Value> = more.iter().filter(|value| !known.contains(value)).cloned().collect();
        for value in new {
            if let Some(text) = value.as_str() {
                earlier[LATER_VALUES][text] = self.version.into();
            }
            if let Some(values) = earlier.get_mut("enum").and_then(Value::as_array_mut) {
                values.push(value);
            }
        }
    }

    /// Merges parts at the same position, and adds those that are new.
    fn combination(&self, earlier: &mut Value, later: &Value, keyword: &str) {
        let known = earlier.get_mut(keyword).and_then(Value::as_array_mut);
        let (Some(known), Some(more)) = (known, later[keyword].as_array()) else { return };
        for (index, part) in more.iter().enumerate() {
            if known
                .iter()
                .any(|other| other == part || (reference(part).is_some() && other["$ref"] == part["$ref"]))
            {
                continue;
            }
            match known.get_mut(index) {
                Some(same) if reference(same).is_none() && reference(part).is_none() => {
                    self.schema(same, part)
                }
                _ => {
                    let mut part = part.clone();
                    part[SINCE] = self.version.into();
                    known.push(part);
                }
            }
        }
    }
}

/// The properties of a schema, without adding any.
fn properties(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
}

/// The elements of a list, without adding the list.
fn array<'a>(value: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The operation with the parameters of its path item, which are merged with it.
fn with_own_parameters(item: &Value, operation: &Value) -> Value {
    let mut operation = operation.clone();
    let Some(shared) = item["parameters"].as_array() else { return operation };
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for parameter in shared {
        if parameters.iter().all(|own| own["name"] != parameter["name"]) {
            parameters.push(parameter.clone());
        }
    }
    operation["parameters"] = parameters.into();
    operation
}

/// The type of a schema as far as it is visible without its references.
fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(target) => Some(target),
        None => schema["type"].as_str(),
    }
}
