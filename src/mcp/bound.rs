//! The request that a call makes, once all its arguments are bound.
//!
//! What a call does, which records it names and what a person is asked are read from this request, which the
//! command's own dry run makes: never from the arguments, which can say the same thing in several ways.

use serde_json::{Map, Value};

use crate::api::effect;
use crate::api::operation::{Operation, Place};
use crate::api::request_builder::operation_at;
use crate::cli::catalog::Entry;

/// One request, not yet sent.
#[derive(Debug, Clone)]
pub struct Bound {
    pub method: String,
    /// Below the base address, percent-encoded.
    pub path: String,
    pub query: Map<String, Value>,
    /// Null without a body.
    pub body: Value,
    pub operation: Option<&'static Operation>,
}

impl Bound {
    /// Whether what a command does depends on the request that its arguments make.
    pub fn is_needed(entry: &Entry) -> bool {
        let changes = |operation: &Operation| operation.effect != crate::api::operation::Effect::Read;
        entry.words == "api" || entry.operation().is_some_and(changes)
    }

    /// The request that a dry run showed; `base` is the path of the server's address.
    pub fn read(entry: &Entry, shown: &Value, base: &str) -> Option<Self> {
        let method = shown["method"].as_str()?.to_owned();
        let url = reqwest::Url::parse(shown["url"].as_str()?).ok()?;
        let path = url.path().strip_prefix(base.trim_end_matches('/'))?.to_owned();
        let operation = entry.operation().or_else(|| operation_at(&method, &path));
        let query = shown["query"].as_object().cloned().unwrap_or_default();
        Some(Bound { method, path, query, body: shown["body"].clone(), operation })
    }

    /// The body, where there is one.
    pub fn body(&self) -> Option<&Value> {
        Some(&self.body).filter(|body| !body.is_null())
    }

    /// A field of the body; null when it is missing.
    pub fn field(&self, name: &str) -> &Value {
        &self.body[name]
    }

    /// How many records the body names.
    pub fn records(&self) -> usize {
        effect::records(self.body())
    }

    /// The body without its times: a span such as `2d` means another moment a minute later.
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
