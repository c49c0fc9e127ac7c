//! Rules that turn the description into one that progenitor accepts and that tolerates drift.
//!
//! Each rule is a function with a test in `tests/it/generator.rs`; [`normalize`] applies them in the order of
//! their dependencies. Rules depend on shapes and must never mention a single operation. Requests keep their
//! required fields and choices. Responses are read leniently: every field is optional, choices are open,
//! unknown fields are kept, and alternatives are any JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answers::{
    extend_references, merge_partial_records, name_bodies_by_operation, unwrap_single_references,
};
use super::description::{Description, METHODS, plain, reference};
use super::inline::{name_inline_objects, pascal, replace_references_to_values};
use super::schema::{fields, reach};
use super::shape::{INPUT, lenient, strict};
use super::versions::{LATER, SINCE};

/// Applies every rule.
pub fn normalize(description: &mut Description) {
    open_dangling_references(description);
    rewrite_parameters(description);
    rewrite_responses(description);
    rewrite_bodies(description);
    forget_later_types(&mut description.root);
    drop_unreachable_schemas(description);
    unwrap_single_references(description);
    merge_partial_records(description);
    extend_references(description);
    name_bodies_by_operation(description);
    name_inline_bodies(description);
    disambiguate_component_names(description);
    separate_requests_from_responses(description);
    replace_references_to_values(description);
    drop_unreachable_schemas(description);
    name_inline_objects(description);
}

pub(super) fn each_operation(description: &mut Description, mut visit: impl FnMut(&str, &str, &mut Value)) {
    let paths = description.root["paths"].as_object_mut();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                visit(method, path, operation);
            }
        }
    }
}

/// Replaces references to missing components by any JSON. The overlay may refer to a component that a version
/// lacks.
pub fn open_dangling_references(description: &mut Description) {
    fn open(value: &mut Value, dangling: &dyn Fn(&str) -> bool) {
        if reference(value).is_some_and(dangling) {
            *value = json!({});
        }
        match value {
            Value::Array(elements) => elements.iter_mut().for_each(|element| open(element, dangling)),
            Value::Object(fields) => fields.values_mut().for_each(|field| open(field, dangling)),
            _ => {}
        }
    }
    let known = description.root.clone();
    open(&mut description.root, &|target| known.pointer(target).is_none());
}

/// Adds missing operation ids. Moves parameters of the path item into the operation, removes header
/// parameters (the transport sets headers), moves path parameters declared in the query into the path, and
/// replaces an exploded object in the query by its properties.
pub fn rewrite_parameters(description: &mut Description) {
    let rewritten: Vec<(String, Vec<Value>)> = description
        .operations()
        .iter()
        .map(|facts| {
            let parameters = facts.parameters.iter().flat_map(|parameter| {
                let place = if parameter.in_path { "path" } else { "query" };
                let parameter_of = |name: &str, schema: &Value, required: bool| {
                    let mut rewritten = json!({
                        "name": name, "in": place, "required": required, "schema": scalar(description, schema),
                    });
                    if let Some(version) = &parameter.since {
                        rewritten[SINCE] = version.as_str().into();
                    }
                    rewritten
                };
                let properties = fields(description, &parameter.schema);
                if properties.is_empty() || parameter.in_path || parameter.schema["type"] != "object" {
                    vec![parameter_of(&parameter.name, &parameter.schema, parameter.required)]
                } else {
                    properties.iter().map(|field| parameter_of(&field.name, &field.schema, false)).collect()
                }
            });
            let mut taken = BTreeSet::new();
            let is_new = |parameter: &Value| taken.insert(parameter["name"].to_string());
            (facts.id.clone(), parameters.filter(is_new).collect())
        })
        .collect();
    let mut rewritten = rewritten.into_iter();
    for (_, item) in description.root["paths"].as_object_mut().into_iter().flatten() {
        if let Some(item) = item.as_object_mut() {
            item.remove("parameters");
        }
    }
    each_operation(description, |_, _, operation| {
        if let Some((id, parameters)) = rewritten.next() {
            operation["operationId"] = id.into();
            operation["parameters"] = parameters.into();
        }
    });
}

/// Reduces the schema of a path or query value to a scalar. Anything but a number or a boolean is sent as a string.
fn scalar(description: &Description, schema: &Value) -> Value {
    let schema = description.resolve(schema);
    let mut scalar = match schema["type"].as_str() {
        Some(kind @ ("integer" | "number" | "boolean")) => json!({ "type": kind }),
        _ => json!({ "type": "string" }),
    };
    for keyword in ["format", "enum"] {
        if let Some(value) = schema.get(keyword) {
            scalar[keyword] = value.clone();
        }
    }
    scalar
}

/// Keeps only the success response of each operation; the transport parses errors. Responses that are not
/// JSON become byte streams, and so do GETs without described content.
pub fn rewrite_responses(description: &mut Description) {
    let responses: Vec<(u16, Option<Value>, &'static str)> = description
        .operations()
        .iter()
        .map(|facts| {
            let json = facts.response.and_then(|content| {
                content.iter().find(|(kind, _)| kind.contains("json"))?.1.get("schema").cloned()
            });
            let status = if (200..300).contains(&facts.status) { facts.status } else { 200 };
            (
                status,
                json.or_else(|| facts.response.filter(|content| !content.is_empty()).map(|_| Value::Null)),
                facts.method,
            )
        })
        .collect();
    let mut responses = responses.into_iter();
    each_operation(description, |_, _, operation| {
        let Some((status, schema, method)) = responses.next() else { return };
        let stream =
            json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } });
        let content = match schema {
            Some(Value::Null) => Some(stream),
            Some(schema) => Some(json!({ "application/json": { "schema": schema } })),
            None if method == "get" => Some(stream),
            None => None,
        };
        let response = match content {
            Some(content) => json!({ "description": "", "content": content }),
            None => json!({ "description": "" }),
        };
        operation["responses"] = json!({ status.to_string(): response });
    });
}

/// Makes each request body required JSON with an inline schema or a reference.
pub fn rewrite_bodies(description: &mut Description) {
    let bodies: Vec<Option<Value>> =
        description.operations().iter().map(|facts| facts.body.map(|(_, schema)| schema.clone())).collect();
    let mut bodies = bodies.into_iter();
    each_operation(description, |_, _, operation| {
        let Some(operation) = operation.as_object_mut() else { return };
        match bodies.next().flatten() {
            Some(schema) => operation.insert(
                "requestBody".into(),
                json!({ "required": true, "content": { "application/json": { "schema": schema } } }),
            ),
            None => operation.remove("requestBody"),
        };
    });
}

/// Drops what a value is in a later version: the typed client keeps the types of the first one, and what only a later
/// type refers to would take names.
fn forget_later_types(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(forget_later_types),
        Value::Object(fields) => {
            fields.shift_remove(LATER);
            fields.values_mut().for_each(forget_later_types);
        }
        _ => {}
    }
}

/// The id of an operation as the start of the name of a component.
pub(super) fn component_name(operation: &Value) -> String {
    let id = operation["operationId"].as_str().unwrap_or_default();
    id.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
}

/// Turns inline objects of operations into components, so that the rules for components apply to them.
/// progenitor would name them after the operation even if the name is taken.
pub fn name_inline_bodies(description: &mut Description) {
    let schemas = description.root["components"]["schemas"].as_object();
    let mut taken: BTreeSet<String> = schemas.into_iter().flatten().map(|(name, _)| plain(name)).collect();
    let mut named = Map::new();
    each_operation(description, |_, _, operation| {
        let id = component_name(operation);
        let mut name = |ending: &str, mut schema: &mut Value| {
            let mut ending = ending.to_owned();
            while schema["type"] == "array" {
                schema = &mut schema["items"];
                ending.push_str("_item");
            }
            if reference(schema).is_some() || schema.as_object().is_none_or(Map::is_empty) {
                return;
            }
            let mut name = format!("{id}_{ending}");
            while !taken.insert(plain(&name)) {
                name.push_str("_inline");
            }
            let target = json!({ "$ref": format!("#/components/schemas/{name}") });
            named.insert(name, std::mem::replace(schema, target));
        };
        if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
            name("request", body);
        }
        for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(schema) = response.pointer_mut("/content/application~1json/schema") {
                name("response", schema);
            }
        }
    });
    if !named.is_empty() {
        if !description.root["components"]["schemas"].is_object() {
            description.root["components"] = json!({ "schemas": {} });
        }
        if let Some(schemas) = description.root["components"]["schemas"].as_object_mut() {
            schemas.extend(named);
        }
    }
}

/// Names that generated code uses for other types.
pub(super) const RESERVED: [&str; 23] = [
    "adminid",
    "articleid",
    "asref",
    "box",
    "clone",
    "contactid",
    "conversationid",
    "default",
    "i64",
    "into",
    "intoiterator",
    "f64",
    "map",
    "none",
    "option",
    "self",
    "some",
    "string",
    "tagid",
    "teamid",
    "timestamp",
    "value",
    "vec",
];

/// Renames components that would become the same Rust type, such as `ticket_type` and `TicketType`, or a type of
/// another name.
pub fn disambiguate_component_names(description: &mut Description) {
    let mut taken = BTreeSet::new();
    let mut renamed: Vec<(String, String)> = Vec::new();
    let Some(schemas) = description.root["components"]["schemas"].as_object_mut() else { return };
    for name in schemas.keys() {
        let is_name = pascal(name).starts_with(|first: char| first.is_ascii_alphabetic());
        let mut unique = if is_name { name.clone() } else { format!("schema_{name}") };
        while RESERVED.contains(&plain(&unique).as_str()) || !taken.insert(plain(&unique)) {
            unique.push_str("_other");
        }
        if unique != *name {
            renamed.push((name.clone(), unique));
        }
    }
    for (old, new) in renamed {
        if let Some(schema) = schemas_of(description).and_then(|schemas| schemas.shift_remove(&old)) {
            schemas_of(description).and_then(|schemas| schemas.insert(new.clone(), schema));
        }
        let (old, new) = (format!("#/components/schemas/{old}"), format!("#/components/schemas/{new}"));
        redirect(&mut description.root, &old, &new);
    }
}

fn schemas_of(description: &mut Description) -> Option<&mut Map<String, Value>> {
    description.root["components"]["schemas"].as_object_mut()
}

pub(super) fn redirect(value: &mut Value, old: &str, new: &str) {
    if value.get("$ref").is_some_and(|target| target == old) {
        value["$ref"] = new.into();
    }
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| redirect(element, old, new)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redirect(field, old, new)),
        _ => {}
    }
}

/// Gives requests strict schemas and responses lenient ones. Schemas that both use are copied for requests.
pub fn separate_requests_from_responses(description: &mut Description) {
    let body =
        |operation: &Value| operation.pointer("/requestBody/content/application~1json/schema").cloned();
    let mut requests = BTreeSet::new();
    let mut responses = BTreeSet::new();
    for item in description.root["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.1.get(method) else { continue };
            reach(description, &operation["responses"], &mut responses);
            if let Some(schema) = body(operation) {
                reach(description, &schema, &mut requests);
            }
        }
    }
    let shared: BTreeSet<String> = requests.intersection(&responses).cloned().collect();
    let empty = Map::new();
    let source = description.root["components"]["schemas"].as_object().unwrap_or(&empty);
    let mut schemas = Map::new();
    for (name, schema) in source {
        if responses.contains(name) {
            schemas.insert(name.clone(), lenient(description, schema));
        }
        if requests.contains(name) {
            let copy = if shared.contains(name) { format!("{name}{INPUT}") } else { name.clone() };
            schemas.insert(copy, strict(description, schema, &shared));
        }
    }
    let rewritten: Vec<(Option<Value>, Value)> = description
        .operation_values()
        .map(|operation| {
            let body = body(operation).map(|schema| strict(description, &schema, &shared));
            let mut responses = operation["responses"].clone();
            for response in responses.as_object_mut().into_iter().flat_map(Map::values_mut) {
                if let Some(schema) = response.pointer_mut("/content/application~1json/schema") {
                    *schema = lenient(description, schema);
                }
            }
            (body, responses)
        })
        .collect();
    description.root["components"] = json!({ "schemas": schemas });
    let mut rewritten = rewritten.into_iter();
    each_operation(description, |_, _, operation| {
        let Some((body, responses)) = rewritten.next() else { return };
        if let Some(body) = body {
            operation["requestBody"]["content"]["application/json"]["schema"] = body;
        }
        operation["responses"] = responses;
    });
}

/// Removes schemas that no operation refers to, which would take names and compile time.
pub fn drop_unreachable_schemas(description: &mut Description) {
    let mut reachable = BTreeSet::new();
    reach(description, &description.root["paths"], &mut reachable);
    if let Some(schemas) = description.root["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| reachable.contains(name));
    }
}
