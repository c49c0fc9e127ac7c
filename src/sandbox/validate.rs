//! Validates a request against the operation table: parameter types in the query, and the schema of the body.
//!
//! Deliberately stricter than the handlers need: a request that is valid here should be valid for the real API.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};

use super::response::ErrorResponse;
use super::schema::{SchemaViolation, ViolationKind, first_violation};
use super::version_shapes;
use crate::api::ApiVersion;
use crate::api::operation::{Kind, Operation, Parameter, Place};

/// Validates the types of known query parameters. Unknown parameters are ignored.
pub fn check_query(operation: &Operation, query: &[(String, String)]) -> Result<(), ErrorResponse> {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query) {
        match query.iter().find(|(name, _)| name == parameter.name) {
            Some((_, value)) => check_value(parameter, value)?,
            None if parameter.required && parameter.kind != Kind::Json => {
                return Err(ErrorResponse::missing(parameter.name));
            }
            None => {}
        }
    }
    Ok(())
}

fn check_value(parameter: &Parameter, value: &str) -> Result<(), ErrorResponse> {
    let invalid = |expected: &str| {
        Err(ErrorResponse::invalid(parameter.name, format!("{} must be {expected}", parameter.name)))
    };
    match parameter.kind {
        Kind::Integer | Kind::Time if value.parse::<i64>().is_err() => invalid("an integer"),
        Kind::Number if value.parse::<f64>().is_err() => invalid("a number"),
        Kind::Boolean if !matches!(value, "true" | "false") => invalid("true or false"),
        Kind::Choice(choices) if !choices.contains(&value) => {
            invalid(&format!("one of {}", choices.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Parses and validates the body, and gives it the form that handlers read. Returns `Null` if it is empty.
pub fn check_body(version: &ApiVersion, operation: &Operation, bytes: &[u8]) -> Result<Value, ErrorResponse> {
    let mut body = if bytes.iter().all(u8::is_ascii_whitespace) {
        Value::Null
    } else {
        serde_json::from_slice(bytes)
            .map_err(|_| ErrorResponse::new(400, "parameter_invalid", "The body is not valid JSON"))?
    };
    version_shapes::read_request(version, operation.id, &mut body)?;
    match &operation.body {
        None if body.is_null() || body == json!({}) => Ok(Value::Null),
        None => Err(ErrorResponse::new(400, "parameter_invalid", "This operation does not accept a body")),
        Some(description) if body.is_null() => {
            if description.required {
                Err(ErrorResponse::new(400, "parameter_not_found", "This operation requires a body"))
            } else {
                Ok(Value::Null)
            }
        }
        Some(description) => check_schema(description.schema, &body).map(|()| body),
    }
}

fn check_schema(schema: &'static str, body: &Value) -> Result<(), ErrorResponse> {
    // Search queries are validated when they are compiled.
    match parsed_schema(schema).and_then(|schema| first_violation(&schema, body, Some("query"))) {
        None => Ok(()),
        Some(SchemaViolation { field, kind: ViolationKind::Missing, .. }) => {
            Err(ErrorResponse::missing(field))
        }
        Some(SchemaViolation { field, .. }) if field.is_empty() => Err(ErrorResponse::new(
            400,
            "parameter_invalid",
            "The body does not match the schema of this operation",
        )),
        Some(SchemaViolation { field, .. }) => {
            Err(ErrorResponse::invalid(field.clone(), format!("{field} has an invalid type or value")))
        }
    }
}

type Schemas = HashMap<&'static str, Option<Arc<Value>>>;

static SCHEMAS: LazyLock<Mutex<Schemas>> = LazyLock::new(Mutex::default);

/// Parses and caches a schema. Returns `None` if it is not valid JSON.
fn parsed_schema(schema: &'static str) -> Option<Arc<Value>> {
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    schemas.entry(schema).or_insert_with(|| serde_json::from_str(schema).ok().map(Arc::new)).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::commands::OPERATIONS;

    #[test]
    fn errors_name_the_invalid_field() {
        let check = |id: &str, body: Value| {
            let operation = OPERATIONS.iter().find(|operation| operation.id == id).unwrap();
            check_body(&ApiVersion::Number(2, 13), operation, body.to_string().as_bytes())
                .map_err(|error| (error.code, error.field))
        };
        let field = |name: &str| Some(name.to_owned());
        let invalid = check("CreateContact", json!({"email": 7}));
        assert_eq!(invalid.unwrap_err(), ("parameter_invalid", field("email")));
        let missing = check("MergeContact", json!({"from": "a"}));
        assert_eq!(missing.unwrap_err(), ("parameter_not_found", field("into")));
        let nested = check("createConversation", json!({"body": "a", "from": {"type": "user"}}));
        assert_eq!(nested.unwrap_err(), ("parameter_not_found", field("from.id")));
        assert!(check("SearchContacts", json!({"query": 7})).is_ok());
        assert!(check("listTags", json!({})).is_ok());
        assert!(check("listTags", json!({"a": 1})).is_err());
    }
}
