//! One checked call as the handlers see it.

use serde_json::Value;

use super::answer::Problem;
use crate::api::operation::{Operation, Paging};

/// A call that passed the gate and the checks of the operation table.
#[derive(Debug)]
pub struct Request {
    pub operation: &'static Operation,
    /// Values of the path's `{names}`.
    pub path: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    /// The body; `Null` when there is none.
    pub body: Value,
    /// The path as it was called, without the query.
    pub called: String,
    /// Where the sandbox answers, for links to further pages.
    pub base_url: String,
}

impl Request {
    /// A value of the path; the router guarantees that it is there.
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a query parameter says `true`.
    pub fn switched(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// A text field of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A text field of the body that has to be there.
    pub fn required(&self, name: &str) -> Result<&str, Problem> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| Problem::missing(name))
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.body.get(name).and_then(Value::as_i64)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.body.get(name).and_then(Value::as_bool)
    }

    /// The largest page of this operation, `otherwise` where the table gives none.
    pub fn largest_page(&self, otherwise: usize) -> usize {
        match self.operation.paging {
            Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max } if max > 0 => {
                max as usize
            }
            _ => otherwise,
        }
    }
}
