//! Reduces the vendor's file to the facts that are kept in `spec/`.
//!
//! Keeps what a client needs (paths, operation ids, tags, parameters, schemas, types, formats, enums, limits,
//! required, nullable, deprecated) and drops all descriptions, summaries, titles and examples. The rules list
//! what to keep, so keywords that later versions add are dropped too. It must never lose a schema property,
//! whatever its name: `title` and `description` are also fields of an article.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::error::Error;

const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];

/// Schema keywords that are kept with their value.
const SCHEMA_FACTS: [&str; 16] = [
    "$ref",
    "type",
    "format",
    "enum",
    "required",
    "nullable",
    "deprecated",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "pattern",
];

/// Reduces the vendor's YAML to facts. Returns the API version (`2.13`) and the YAML of the facts.
///
/// # Errors
/// [`Error::Yaml`] if the input is not YAML, or has no version or no paths.
pub fn strip_prose(vendor: &str) -> Result<(String, String), Error> {
    let invalid = |reason: &str| Error::Yaml { what: "the vendor's description", reason: reason.into() };
    let source: Value = serde_saphyr::from_str(vendor).map_err(|error| invalid(&error.to_string()))?;
    let version = match &source["info"]["version"] {
        Value::String(version) => version.clone(),
        Value::Number(version) => version.to_string(),
        _ => return Err(invalid("info.version is missing")),
    };
    let paths = source["paths"].as_object().ok_or_else(|| invalid("paths is missing"))?;
    let facts = json!({
        "openapi": source["openapi"],
        "info": { "title": "Intercom", "version": version },
        "servers": each(&source["servers"], |server| json!({ "url": server["url"] })),
        "paths": paths.iter().map(|(path, item)| (path.clone(), path_item(item))).collect::<Map<_, _>>(),
        "components": components(&source["components"]),
    });
    let text = serde_saphyr::to_string(&facts).map_err(|error| invalid(&error.to_string()))?;
    let heading = format!(
        "# Facts of Intercom's published API description, version {version}; see NOTICE.\n\
         # Made by update-spec (see README.md beside it). Corrections belong into overlay.yaml.\n"
    );
    Ok((version, heading + &text))
}

fn components(source: &Value) -> Value {
    let mut kept = Map::new();
    if let Some(schemas) = source["schemas"].as_object() {
        kept.insert("schemas".into(), named_schemas(schemas));
    }
    for (section, facts_of) in [
        ("responses", response as fn(&Value) -> Value),
        ("parameters", parameter),
        ("requestBodies", request_body),
    ] {
        if let Some(entries) = source[section].as_object() {
            let entries: Map<_, _> =
                entries.iter().map(|(name, entry)| (name.clone(), facts_of(entry))).collect();
            kept.insert(section.into(), entries.into());
        }
    }
    Value::Object(kept)
}

fn path_item(source: &Value) -> Value {
    let mut kept = Map::new();
    if source["parameters"].is_array() {
        kept.insert("parameters".into(), each(&source["parameters"], parameter));
    }
    for method in METHODS {
        if let Some(operation) = source.get(method) {
            kept.insert(method.into(), self::operation(operation));
        }
    }
    Value::Object(kept)
}

fn operation(source: &Value) -> Value {
    let mut kept = keep(source, &["operationId", "tags", "deprecated"]);
    if source["parameters"].is_array() {
        kept.insert("parameters".into(), each(&source["parameters"], parameter));
    }
    if source["requestBody"].is_object() {
        kept.insert("requestBody".into(), request_body(&source["requestBody"]));
    }
    if let Some(responses) = source["responses"].as_object() {
        let responses: Map<_, _> =
            responses.iter().map(|(status, source)| (status.clone(), response(source))).collect();
        kept.insert("responses".into(), responses.into());
    }
    Value::Object(kept)
}

fn parameter(source: &Value) -> Value {
    let mut kept = keep(source, &["$ref", "name", "in", "required", "style", "explode", "deprecated"]);
    // A parameter with content is sent as text of that kind.
    let schemas = source["content"].as_object().and_then(|content| content.values().next()?.get("schema"));
    if let Some(schema) = source.get("schema").or(schemas) {
        kept.insert("schema".into(), self::schema(schema));
    }
    Value::Object(kept)
}

fn request_body(source: &Value) -> Value {
    let mut kept = keep(source, &["$ref", "required"]);
    content(source, &mut kept);
    Value::Object(kept)
}

fn response(source: &Value) -> Value {
    let mut kept = keep(source, &["$ref"]);
    content(source, &mut kept);
    Value::Object(kept)
}

fn content(source: &Value, kept: &mut Map<String, Value>) {
    if let Some(media) = source["content"].as_object() {
        let media: Map<_, _> = media
            .iter()
            .map(|(kind, entry)| {
                let body = entry.get("schema").map(|source| json!({ "schema": schema(source) }));
                (kind.clone(), body.unwrap_or_else(|| json!({})))
            })
            .collect();
        kept.insert("content".into(), media.into());
    }
}

fn schema(source: &Value) -> Value {
    let source = &*as_openapi_3_0(source);
    let mut kept = keep(source, &SCHEMA_FACTS);
    if let Some(properties) = source["properties"].as_object() {
        kept.insert("properties".into(), named_schemas(properties));
    }
    for combination in ["oneOf", "anyOf", "allOf"] {
        if source[combination].is_array() {
            kept.insert(combination.into(), each(&source[combination], schema));
        }
    }
    for nested in ["items", "additionalProperties", "not"] {
        match &source[nested] {
            Value::Bool(allowed) => kept.insert(nested.into(), (*allowed).into()),
            Value::Object(_) => kept.insert(nested.into(), schema(&source[nested])),
            _ => None,
        };
    }
    if let Some(discriminator) = source.get("discriminator") {
        kept.insert("discriminator".into(), keep(discriminator, &["propertyName", "mapping"]).into());
    }
    Value::Object(kept)
}

/// A schema with what only OpenAPI 3.1 has, lists of types and constants, as OpenAPI 3.0.
fn as_openapi_3_0(source: &Value) -> Cow<'_, Value> {
    let types: Vec<&str> = match &source["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) if one == "null" => vec!["null"],
        _ if source.get("const").is_none() => return Cow::Borrowed(source),
        one => one.as_str().into_iter().collect(),
    };
    let mut schema = source.as_object().cloned().unwrap_or_default();
    if let Some(only) = schema.remove("const") {
        schema.insert("enum".into(), json!([only]));
    }
    schema.remove("type");
    if types.contains(&"null") {
        schema.insert("nullable".into(), true.into());
    }
    match types.iter().filter(|one| **one != "null").collect::<Vec<_>>()[..] {
        [] => {}
        [only] => drop(schema.insert("type".into(), (*only).into())),
        ref several => {
            let alternatives = several.iter().map(|one| json!({ "type": one })).collect();
            schema.entry("oneOf").or_insert(Value::Array(alternatives));
        }
    }
    Cow::Owned(schema.into())
}

fn named_schemas(source: &Map<String, Value>) -> Value {
    source.iter().map(|(name, source)| (name.clone(), schema(source))).collect::<Map<_, _>>().into()
}

fn keep(source: &Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| source.get(*key).map(|value| ((*key).to_owned(), value.clone()))).collect()
}

fn each(source: &Value, facts_of: impl Fn(&Value) -> Value) -> Value {
    source.as_array().into_iter().flatten().map(facts_of).collect::<Vec<_>>().into()
}
