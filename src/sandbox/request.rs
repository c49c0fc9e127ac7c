//! A validated request, as passed to handlers.

use serde_json::Value;

use super::response::ErrorResponse;
use crate::api::ApiVersion;
use crate::api::operation::{Operation, Paging};

/// A request that passed admission and validation against the operation table.
#[derive(Debug)]
pub struct ApiRequest {
    pub operation: &'static Operation,
    /// The version that answers.
    pub version: ApiVersion,
    /// Values of the `{parameters}` in the path.
    pub path: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    /// The body, or `Null` without one.
    pub body: Value,
    /// The raw path, without the query.
    pub url_path: String,
    /// Base URL of the sandbox, for links to other pages.
    pub base_url: String,
}

impl ApiRequest {
    /// A path parameter. Empty if the path has no such parameter.
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a query parameter is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// A string field of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A string field of the body, required and not empty.
    pub fn required(&self, name: &str) -> Result<&str, ErrorResponse> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| ErrorResponse::missing(name))
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.body.get(name).and_then(Value::as_i64)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.body.get(name).and_then(Value::as_bool)
    }

    /// Maximum page size of this operation, or `default` if the table does not define one.
    pub fn max_page_size(&self, default: usize) -> usize {
        match self.operation.paging {
            Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max } if max > 0 => {
                max as usize
            }
            _ => default,
        }
    }
}
