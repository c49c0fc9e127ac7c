//! What a handler returns: a JSON document, a file, or an error in the shape of the vendor's error list.
//!
//! Handlers never touch HTTP. The server turns the status and JSON given here into a response.

use serde_json::{Value, json};

pub type HandlerResult = Result<SuccessResponse, ErrorResponse>;

/// A successful response.
#[derive(Debug)]
pub struct SuccessResponse {
    pub status: u16,
    /// `None` for a response without content, or with a file.
    pub body: Option<Value>,
    /// A file to download, instead of a document.
    pub file: Option<Vec<u8>>,
}

impl From<Value> for SuccessResponse {
    fn from(body: Value) -> Self {
        SuccessResponse { status: 200, body: Some(body), file: None }
    }
}

impl SuccessResponse {
    /// The response to a deletion.
    pub fn deleted(id: &str, object: &str) -> Self {
        json!({"id": id, "object": object, "deleted": true}).into()
    }

    /// A response without content.
    pub fn empty(status: u16) -> Self {
        SuccessResponse { status, body: None, file: None }
    }

    /// The response to a request that created a record.
    pub fn created(document: Value) -> Self {
        SuccessResponse { status: 201, body: Some(document), file: None }
    }

    /// The response to a download.
    pub fn file(content: impl Into<Vec<u8>>) -> Self {
        SuccessResponse { status: 200, body: None, file: Some(content.into()) }
    }
}

/// An error response: one entry of the error list, and its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    /// The invalid parameter; dotted if nested.
    pub field: Option<String>,
    /// Path of the record that this one was merged into, for the `Link` header.
    pub canonical: Option<String>,
}

impl ErrorResponse {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        ErrorResponse { status, code, message: message.into(), field: None, canonical: None }
    }

    /// 404 with the generic code.
    pub fn not_found(message: impl Into<String>) -> Self {
        ErrorResponse::new(404, "not_found", message)
    }

    /// 404 for a contact that never existed, was deleted or was merged.
    pub fn contact_not_found() -> Self {
        ErrorResponse::not_found("Contact not found")
    }

    pub fn company_not_found() -> Self {
        ErrorResponse::new(404, "company_not_found", "Company not found")
    }

    pub fn ticket_type_not_found() -> Self {
        ErrorResponse::new(404, "ticket_type_not_found", "Ticket type not found")
    }

    /// 404 for any other record.
    pub fn record_not_found() -> Self {
        ErrorResponse::not_found("Record not found")
    }

    /// 422 for values that each have the right type, but cannot be stored.
    pub fn unprocessable(field: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorResponse { status: 422, ..ErrorResponse::invalid(field, message) }
    }

    /// 400 for a parameter with an invalid value.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorResponse { field: Some(field.into()), ..ErrorResponse::new(400, "parameter_invalid", message) }
    }

    /// 400 for a required parameter that is missing.
    pub fn missing(field: impl Into<String>) -> Self {
        let field = field.into();
        ErrorResponse {
            message: format!("{field} is required"),
            field: Some(field),
            ..ErrorResponse::new(400, "parameter_not_found", "")
        }
    }

    /// The JSON body of the response.
    pub fn document(&self, request_id: &str) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(field) = &self.field {
            error["field"] = json!(field);
        }
        json!({"type": "error.list", "request_id": request_id, "errors": [error]})
    }
}
