//! The HTTP request that a call would send, taken from the command's dry run.
//!
//! The effect of a call, its records and the question for the user must come from this request, never from the
//! arguments, which can express the same request in several ways.

use serde_json::{Map, Value};

use crate::api::effect;
use crate::api::operation::{Operation, Place};
use crate::api::request_builder::operation_at;
use crate::cli::catalog::CatalogEntry;

/// A request that was not sent yet.
#[derive(Debug, Clone)]
pub struct BoundRequest {
    pub method: String,
    /// Relative to the base URL, percent-encoded.
    pub path: String,
    pub query: Map<String, Value>,
    /// Null without a body.
    pub body: Value,
    pub operation: Option<&'static Operation>,
}

impl BoundRequest {
    /// Whether the effect of a command depends on its request.
    pub fn is_needed(entry: &CatalogEntry) -> bool {
        let changes = |operation: &Operation| operation.effect != crate::api::operation::Effect::Read;
        entry.words == "api" || entry.operation().is_some_and(changes)
    }

    /// Parses the output of a dry run; `base` is the path of the base URL.
    pub fn read(entry: &CatalogEntry, dry_run: &Value, base: &str) -> Option<Self> {
        let method = dry_run["method"].as_str()?.to_owned();
        let url = reqwest::Url::parse(dry_run["url"].as_str()?).ok()?;
        let path = url.path().strip_prefix(base.trim_end_matches('/'))?.to_owned();
        let operation = entry.operation().or_else(|| operation_at(&method, &path));
        let query = dry_run["query"].as_object().cloned().unwrap_or_default();
        Some(BoundRequest { method, path, query, body: dry_run["body"].clone(), operation })
    }

    /// The body, if there is one.
    pub fn body(&self) -> Option<&Value> {
        Some(&self.body).filter(|body| !body.is_null())
    }

    /// A field of the body; null if it is missing.
    pub fn field(&self, name: &str) -> &Value {
        &self.body[name]
    }

    /// How many records the body names.
    pub fn records(&self) -> usize {
        effect::records(self.body())
    }

    /// The body without its times, which may be relative (`2d`) and then differ from one dry run to the next.
    pub fn timeless_body(&self) -> Value {
        let mut body = self.body.clone();
        let parameters = self.operation.map(|operation| operation.parameters).unwrap_or_default();
        let times = parameters.iter().filter(|parameter| {
            parameter.place == Place::Body && parameter.kind == crate::api::operation::Kind::Time
        });
        for parameter in times {
            let (object, field) = parameter.name.rsplit_once('.').unwrap_or(("", parameter.name));
            let place =
                if object.is_empty() { String::new() } else { format!("/{}", object.replace('.', "/")) };
            if let Some(fields) = body.pointer_mut(&place).and_then(Value::as_object_mut) {
                fields.shift_remove(field);
            }
        }
        body
    }
}
