//! An OpenAPI 3.0 document as JSON, with the queries that code generation needs.
//!
//! Works on JSON values, because most rules rewrite the document in ways that a typed model forbids. It must
//! not contain knowledge about single operations: that belongs in the overlay.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::cycles::cut_cycles;
use super::error::Error;
use super::references::{escape_paths, unify_references};
use super::versions::{SINCE, UNTIL};

/// Where a description has its schemas, as a JSON pointer.
pub const SCHEMAS: &str = "/components/schemas/";

/// HTTP methods of a path item.
pub const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];

pub struct Description {
    pub root: Value,
}

/// One operation with its references resolved.
pub struct OperationFacts<'a> {
    pub id: String,
    pub method: &'static str,
    pub path: &'a str,
    /// The version that it needs, if later than the oldest one.
    pub since: Option<&'a str>,
    /// The last version that has it, if a later one lacks it.
    pub until: Option<&'a str>,
    pub tags: Vec<&'a str>,
    pub deprecated: bool,
    /// Path parameters in path order, then query parameters. Header parameters are omitted.
    pub parameters: Vec<ParameterFacts>,
    /// The JSON request body: whether it is required, and its schema.
    pub body: Option<(bool, &'a Value)>,
    /// The media types of a body that is not JSON.
    pub other_body: Option<String>,
    /// Media types and schemas of the first 2xx response, or of a redirect if there is no 2xx.
    pub response: Option<&'a Map<String, Value>>,
    pub status: u16,
}

#[derive(Clone)]
pub struct ParameterFacts {
    pub name: String,
    pub in_path: bool,
    pub required: bool,
    pub exploded: bool,
    pub since: Option<String>,
    pub until: Option<String>,
    pub schema: Value,
}

impl Description {
    /// # Errors
    /// [`Error::Yaml`] if the text is not YAML.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let root = serde_saphyr::from_str(text)
            .map_err(|error| Error::Yaml { what: "the description", reason: error.to_string() })?;
        let mut description = Description { root };
        escape_paths(&mut description.root);
        description.identify_operations();
        unify_references(&mut description.root);
        cut_cycles(&mut description.root);
        Ok(description)
    }

    /// Gives every operation a unique id. Missing ids, ids without letters, and ids that repeat an earlier one except for
    /// case and separators, are replaced by one made from method and path.
    fn identify_operations(&mut self) {
        let mut taken = BTreeSet::new();
        for (path, item) in self.root["paths"].as_object_mut().into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                let mut id = operation_id(method, path, operation);
                if plain(&id).is_empty() || !taken.insert(plain(&id)) {
                    id = free_id(method, path, |id| taken.contains(&plain(id)));
                    taken.insert(plain(&id));
                }
                operation["operationId"] = id.into();
            }
        }
    }

    /// The API version, e.g. `2.13`.
    pub fn version(&self) -> &str {
        self.root["info"]["version"].as_str().unwrap_or_default()
    }

    /// Follows `$ref`s to the referenced value.
    pub fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        for _ in 0..16 {
            let Some(target) = reference(value) else { break };
            value = self.root.pointer(target).unwrap_or(&Value::Null);
        }
        value
    }

    /// Every operation in document order, as described.
    pub fn operation_values(&self) -> impl Iterator<Item = &Value> {
        let paths = self.root["paths"].as_object();
        paths
            .into_iter()
            .flatten()
            .flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(*method)))
    }

    /// Every operation in document order.
    pub fn operations(&self) -> Vec<OperationFacts<'_>> {
        let paths = self.root["paths"].as_object();
        paths
            .into_iter()
            .flatten()
            .flat_map(|(path, item)| {
                METHODS.iter().filter_map(move |method| {
                    item.get(*method).map(|operation| self.facts(method, path, item, operation))
                })
            })
            .collect()
    }

    fn facts<'a>(
        &'a self,
        method: &'static str,
        path: &'a str,
        item: &'a Value,
        operation: &'a Value,
    ) -> OperationFacts<'a> {
        let (status, response) = self.success(operation);
        OperationFacts {
            id: operation_id(method, path, operation),
            method,
            // Two versions of an operation at the same path differ by a mark at its end.
            path: path.split('#').next().unwrap_or(path),
            since: operation[SINCE].as_str(),
            until: operation[UNTIL].as_str(),
            tags: operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
            deprecated: operation["deprecated"] == true,
            parameters: self.parameters(path, item, operation),
            body: self.json_body(operation),
            other_body: self.other_body(operation),
            response,
            status,
        }
    }

    fn parameters(&self, path: &str, item: &Value, operation: &Value) -> Vec<ParameterFacts> {
        let mut declared: Vec<ParameterFacts> = Vec::new();
        let sources = [&operation["parameters"], &item["parameters"]];
        for source in sources.iter().flat_map(|list| list.as_array()).flatten() {
            let (marks, source) = (source, self.resolve(source));
            let name = source["name"].as_str().unwrap_or_default();
            let known = declared.iter().any(|parameter| parameter.name == name);
            // Some files declare a path parameter as a query parameter, or one that is not in the path. The
            // path decides.
            let in_path = path.contains(&format!("{{{name}}}"));
            let is_ignored = ["header", "cookie"].iter().any(|place| source["in"] == *place);
            if is_ignored || known || (source["in"] == "path" && !in_path) {
                continue;
            }
            declared.push(ParameterFacts {
                name: name.to_owned(),
                in_path,
                required: in_path || source["required"] == true,
                exploded: source["explode"] != false,
                since: text(&marks[SINCE]),
                until: text(&marks[UNTIL]),
                schema: self.resolve(&source["schema"]).clone(),
            });
        }
        let mut ordered: Vec<ParameterFacts> = placeholders(path)
            .map(|name| {
                let declared = declared.iter().find(|parameter| parameter.name == name);
                declared.cloned().unwrap_or_else(|| ParameterFacts {
                    name: name.to_owned(),
                    in_path: true,
                    required: true,
                    exploded: false,
                    since: None,
                    until: None,
                    schema: serde_json::json!({ "type": "string" }),
                })
            })
            .collect();
        ordered.extend(declared.into_iter().filter(|parameter| !parameter.in_path));
        ordered
    }

    fn json_body<'a>(&'a self, operation: &'a Value) -> Option<(bool, &'a Value)> {
        let body = self.resolve(operation.get("requestBody")?);
        let schema = body["content"].as_object()?.iter().find(|(kind, _)| kind.contains("json"))?;
        Some((body["required"] == true, schema.1.get("schema")?))
    }

    fn other_body(&self, operation: &Value) -> Option<String> {
        let content = self.resolve(operation.get("requestBody")?)["content"].as_object()?;
        let kinds: Vec<&str> = content.keys().map(String::as_str).collect();
        (!kinds.is_empty() && !kinds.iter().any(|kind| kind.contains("json"))).then(|| kinds.join(", "))
    }

    fn success<'a>(&'a self, operation: &'a Value) -> (u16, Option<&'a Map<String, Value>>) {
        let responses = operation["responses"].as_object();
        let class =
            |digit: char| responses.and_then(|map| map.iter().find(|(status, _)| status.starts_with(digit)));
        match class('2').or_else(|| class('3')) {
            Some((status, response)) => {
                (status.parse().unwrap_or(200), self.resolve(response)["content"].as_object())
            }
            None => (200, None),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Whether the response of an operation is a list: its component (`admin_list`) or its type (`list`) says so, or
/// it has pages.
pub fn is_list(description: &Description, operation: &Value) -> bool {
    let (_, response) = description.success(operation);
    let content = response.and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")));
    let Some(schema) = content.and_then(|(_, media)| media.get("schema")) else { return false };
    is_list_schema(description, schema)
}

/// Whether the schema of a response is a list.
pub fn is_list_schema(description: &Description, schema: &Value) -> bool {
    let is_named_list = reference(schema).is_some_and(|name| name.ends_with("_list"));
    let schema = description.resolve(schema);
    let kinds = description.resolve(&schema["properties"]["type"])["enum"].as_array();
    let is_list = |kind: &Value| kind.as_str().is_some_and(|kind| kind.ends_with("list"));
    let has_pages = ["pages", "next_cursor"].iter().any(|name| schema["properties"].get(name).is_some());
    is_named_list || has_pages || kinds.is_some_and(|kinds| kinds.iter().any(is_list))
}

/// The JSON pointer in a `$ref`, if the value is one.
pub fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix('#')
}

/// The names between braces, in order.
pub fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// The operation's id, or one made from method and path if it has none.
pub fn operation_id(method: &str, path: &str, operation: &Value) -> String {
    operation["operationId"].as_str().map_or_else(|| synthetic_id(method, path), str::to_owned)
}

/// `GET /exports/{job}` → `getExportsJob`.
pub fn synthetic_id(method: &str, path: &str) -> String {
    let path = path.split('#').next().unwrap_or_default();
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |id, word| {
        let (first, rest) = word.split_at(1);
        id + &first.to_ascii_uppercase() + rest
    })
}

/// An id made from method and path, with a number if it is taken.
pub fn free_id(method: &str, path: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let id = synthetic_id(method, path);
    let numbered = (2..).map(|number| format!("{id}{number}"));
    std::iter::once(id.clone()).chain(numbered).find(|id| !is_taken(id)).unwrap_or(id)
}

/// A name in lower case without separators: `listContacts` and `list_contacts` become the same Rust name.
pub fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}
