//! Request schemas seen two ways: as the flat list of fields that flags are made from, and as JSON
//! Schema 2020-12 for checking a request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, reference};

/// One top-level field of a request body.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub schema: Value,
    pub required: bool,
}

/// The fields of a body, over all its alternatives: a field is required only when every alternative
/// requires it, and a choice offers what any alternative offers.
pub fn fields(description: &Description, schema: &Value) -> Vec<Field> {
    let schema = description.resolve(schema);
    let mut fields: Vec<Field> = Vec::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        for field in self::fields(description, part) {
            add(&mut fields, field, true);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let field = Field { name: name.clone(), schema: property.clone(), required: false };
        add(&mut fields, field, true);
    }
    for combination in ["oneOf", "anyOf"] {
        let Some(alternatives) = schema[combination].as_array() else { continue };
        let alternatives: Vec<Vec<Field>> = alternatives
            .iter()
            .map(|alternative| self::fields(description, alternative))
            // An alternative without fields only says which of the others are required together.
            .filter(|fields| !fields.is_empty())
            .collect();
        let everywhere =
            |name: &str| alternatives.iter().all(|them| them.iter().any(|it| it.name == name && it.required));
        let required: Vec<String> = alternatives
            .first()
            .into_iter()
            .flatten()
            .filter(|field| everywhere(&field.name))
            .map(|field| field.name.clone())
            .collect();
        for mut field in alternatives.into_iter().flatten() {
            field.required = required.contains(&field.name);
            add(&mut fields, field, false);
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        for field in fields.iter_mut().filter(|field| *name == field.name) {
            field.required = true;
        }
    }
    fields
}

/// Adds a field, or merges it into the one of the same name: of objects the properties are joined
/// (`together`: both hold at once), of choices the values.
fn add(fields: &mut Vec<Field>, field: Field, together: bool) {
    let Some(known) = fields.iter_mut().find(|known| known.name == field.name) else {
        fields.push(field);
        return;
    };
    known.required = match together {
        true => known.required || field.required,
        false => known.required && field.required,
    };
    let choices = |schema: &Value| schema["enum"].as_array().cloned();
    match (choices(&known.schema), choices(&field.schema)) {
        (Some(mut values), Some(more)) => {
            let fresh: Vec<_> = more.into_iter().filter(|it| !values.contains(it)).collect();
            values.extend(fresh);
            known.schema["enum"] = values.into();
        }
        (Some(_), None) => known.schema = field.schema,
        _ if together && known.schema != field.schema => {
            known.schema = json!({ "allOf": [known.schema.take(), field.schema] });
        }
        _ => {}
    }
}

/// The schema as JSON Schema 2020-12: `nullable` becomes a type, references point at `#/$defs/`.
pub fn json_schema(schema: &Value) -> Value {
    let Some(source) = schema.as_object() else { return schema.clone() };
    if let Some(target) = reference(schema) {
        return json!({ "$ref": definition(target) });
    }
    let mut kept = Map::new();
    for (keyword, value) in source {
        match keyword.as_str() {
            "nullable" | "format" | "default" | "deprecated" | "discriminator" => None,
            "properties" => kept.insert(keyword.clone(), json_schemas(value)),
            "items" | "not" => kept.insert(keyword.clone(), json_schema(value)),
            // Free maps are described with one type of value (mostly strings) and take every scalar.
            "additionalProperties" if value.is_object() => None,
            "additionalProperties" => kept.insert(keyword.clone(), value.clone()),
            "oneOf" | "anyOf" | "allOf" => {
                let parts = value.as_array().into_iter().flatten().map(json_schema).collect();
                // Alternatives here overlap (a reply fits two of them), and the API takes those.
                let keyword = if keyword == "oneOf" { "anyOf" } else { keyword };
                kept.insert(keyword.to_owned(), parts)
            }
            _ => kept.insert(keyword.clone(), value.clone()),
        };
    }
    match source.get("nullable") == Some(&Value::Bool(true)) && !kept.is_empty() {
        true => json!({ "anyOf": [kept, { "type": "null" }] }),
        false => kept.into(),
    }
}

fn json_schemas(properties: &Value) -> Value {
    let properties = properties.as_object().into_iter().flatten();
    properties.map(|(name, schema)| (name.clone(), json_schema(schema))).collect::<Map<_, _>>().into()
}

fn definition(pointer: &str) -> String {
    pointer.replacen("/components/schemas/", "#/$defs/", 1)
}

/// Every component schema that these schemas reach, by name, as JSON Schema.
pub fn definitions<'a>(
    description: &Description,
    roots: impl Iterator<Item = &'a Value>,
) -> Map<String, Value> {
    let mut names = BTreeSet::new();
    for root in roots {
        reach(description, root, &mut names);
    }
    let schemas = &description.root["components"]["schemas"];
    names.iter().map(|name| (name.clone(), json_schema(&schemas[name]))).collect()
}

/// Collects the names of component schemas that a value refers to, directly or not.
pub fn reach(description: &Description, value: &Value, names: &mut BTreeSet<String>) {
    if let Some(name) = reference(value).and_then(|it| it.strip_prefix("/components/schemas/")) {
        if names.insert(name.to_owned()) {
            reach(description, &description.root["components"]["schemas"][name], names);
        }
        return;
    }
    match value {
        Value::Array(entries) => entries.iter().for_each(|it| reach(description, it, names)),
        Value::Object(entries) => entries.values().for_each(|it| reach(description, it, names)),
        _ => {}
    }
}
