//! Checks a call against its row of the operation table: types in the query, the schema of the body.
//!
//! Stricter than a handler needs, on purpose: what passes here should pass at the real service.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};

use super::answer::Problem;
use super::schema::Kind::Missing;
use super::schema::{Offence, offence};
use crate::api::operation::{Kind, Operation, Parameter, Place};

/// Checks the query. What the table does not name passes; what it names has to have its type.
pub fn check_query(operation: &Operation, query: &[(String, String)]) -> Result<(), Problem> {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query) {
        match query.iter().find(|(name, _)| name == parameter.name) {
            Some((_, value)) => check_value(parameter, value)?,
            None if parameter.required && parameter.kind != Kind::Json => {
                return Err(Problem::missing(parameter.name));
            }
            None => {}
        }
    }
    Ok(())
}

fn check_value(parameter: &Parameter, value: &str) -> Result<(), Problem> {
    let wrong =
        |what: &str| Err(Problem::invalid(parameter.name, format!("{} must be {what}", parameter.name)));
    match parameter.kind {
        Kind::Integer | Kind::Time if value.parse::<i64>().is_err() => wrong("a whole number"),
        Kind::Number if value.parse::<f64>().is_err() => wrong("a number"),
        Kind::Boolean if !matches!(value, "true" | "false") => wrong("true or false"),
        Kind::Choice(choices) if !choices.contains(&value) => {
            wrong(&format!("one of {}", choices.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Reads and checks the body. No body is `Null`.
pub fn check_body(operation: &Operation, bytes: &[u8]) -> Result<Value, Problem> {
    let body = if bytes.iter().all(u8::is_ascii_whitespace) {
        Value::Null
    } else {
        serde_json::from_slice(bytes)
            .map_err(|_| Problem::new(400, "parameter_invalid", "The body is no valid JSON"))?
    };
    match &operation.body {
        None if body.is_null() || body == json!({}) => Ok(Value::Null),
        None => Err(Problem::new(400, "parameter_invalid", "This operation takes no body")),
        Some(description) if body.is_null() => {
            if description.required {
                Err(Problem::new(400, "parameter_not_found", "This operation needs a body"))
            } else {
                Ok(Value::Null)
            }
        }
        Some(description) => check_schema(description.schema, &body).map(|()| body),
    }
}

fn check_schema(schema: &'static str, body: &Value) -> Result<(), Problem> {
    // The search language is checked where it is understood.
    match compiled(schema).and_then(|schema| offence(&schema, body, Some("query"))) {
        None => Ok(()),
        Some(Offence { field, kind: Missing, .. }) => Err(Problem::missing(field)),
        Some(Offence { field, .. }) if field.is_empty() => Err(Problem::new(
            400,
            "parameter_invalid",
            "The body has none of the forms that this operation takes",
        )),
        Some(Offence { field, .. }) => {
            Err(Problem::invalid(field.clone(), format!("{field} has a wrong type or value")))
        }
    }
}

type Schemas = HashMap<&'static str, Option<Arc<Value>>>;

static SCHEMAS: LazyLock<Mutex<Schemas>> = LazyLock::new(Mutex::default);

/// The parsed schema, kept for the next call; `None` for one that is no JSON.
fn compiled(schema: &'static str) -> Option<Arc<Value>> {
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    schemas.entry(schema).or_insert_with(|| serde_json::from_str(schema).ok().map(Arc::new)).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::commands::OPERATIONS;

    #[test]
    fn the_field_at_fault_is_named() {
        let check = |id: &str, body: Value| {
            let operation = OPERATIONS.iter().find(|operation| operation.id == id).unwrap();
            check_body(operation, body.to_string().as_bytes())
                .map_err(|problem| (problem.code, problem.field))
        };
        let named = |field: &str| Some(field.to_owned());
        let wrong = check("CreateContact", json!({"email": 7}));
        assert_eq!(wrong.unwrap_err(), ("parameter_invalid", named("email")));
        let missing = check("MergeContact", json!({"from": "a"}));
        assert_eq!(missing.unwrap_err(), ("parameter_not_found", named("into")));
        let nested = check("createConversation", json!({"body": "a", "from": {"type": "user"}}));
        assert_eq!(nested.unwrap_err(), ("parameter_not_found", named("from.id")));
        assert!(check("SearchContacts", json!({"query": 7})).is_ok());
        assert!(check("listTags", json!({})).is_ok());
        assert!(check("listTags", json!({"a": 1})).is_err());
    }
}
