//! What a handler hands back: a document, or a problem in the shape of the vendor's error list.
//!
//! Handlers never touch HTTP: the status and the JSON here are all that the server needs.

use serde_json::{Value, json};

/// A success.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// `None` answers without content.
    pub body: Option<Value>,
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Answer { status: 200, body: Some(body) }
    }
}

impl Answer {
    /// A success that carries nothing.
    pub fn empty(status: u16) -> Self {
        Answer { status, body: None }
    }
}

/// A refusal: one entry of the error list and the status that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    /// The parameter at fault, dotted when it is nested.
    pub field: Option<String>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Problem { status, code, message: message.into(), field: None }
    }

    /// 404 with the general code.
    pub fn not_found(message: impl Into<String>) -> Self {
        Problem::new(404, "not_found", message)
    }

    /// 404 for a contact that never was, was deleted or was merged away.
    pub fn no_contact() -> Self {
        Problem::not_found("There is no such contact")
    }

    /// 404 for a record of any other kind.
    pub fn no_resource() -> Self {
        Problem::not_found("There is no such record")
    }

    /// 400 for a value that is there but wrong.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { field: Some(field.into()), ..Problem::new(400, "parameter_invalid", message) }
    }

    /// 400 for a value that has to be there.
    pub fn missing(field: impl Into<String>) -> Self {
        let field = field.into();
        Problem {
            message: format!("{field} is required"),
            field: Some(field),
            ..Problem::new(400, "parameter_not_found", "")
        }
    }

    /// The document that goes over the wire.
    pub fn document(&self, request_id: &str) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(field) = &self.field {
            error["field"] = json!(field);
        }
        json!({"type": "error.list", "request_id": request_id, "errors": [error]})
    }
}
