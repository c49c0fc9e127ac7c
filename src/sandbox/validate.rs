//! Checks a call against its row of the operation table: types in the query, the schema of the body.
//!
//! Stricter than a handler needs, on purpose: what passes here should pass at the real service.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::answer::Problem;
use crate::api::commands::DEFINITIONS;
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
    let Some(validator) = validator(schema) else { return Ok(()) };
    let mut offences = validator.iter_errors(body).filter(|error| !is_about_query(error));
    offences.next().map_or(Ok(()), |offence| Err(describe(closest(&offence))))
}

/// The search language is checked where it is understood.
fn is_about_query(error: &ValidationError) -> bool {
    error.instance_path().to_string().starts_with("/query")
}

/// Of a body that fits none of several forms, what is wrong with the form it comes closest to.
fn closest<'a, 'i>(error: &'a ValidationError<'i>) -> &'a ValidationError<'i> {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let nearest = context.iter().min_by_key(|errors| errors.len()).and_then(|errors| errors.first());
            nearest.map_or(error, closest)
        }
        _ => error,
    }
}

fn describe(offence: &ValidationError) -> Problem {
    let field = offence.instance_path().to_string().trim_start_matches('/').replace('/', ".");
    match offence.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            Problem::missing(if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") })
        }
        _ if field.is_empty() => {
            Problem::new(400, "parameter_invalid", "The body has none of the forms that this operation takes")
        }
        _ => Problem::invalid(field.clone(), format!("{field} has a wrong type or value")),
    }
}

type Validators = HashMap<&'static str, Option<Arc<Validator>>>;

static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);

/// The compiled schema, kept for the next call; `None` for a schema that cannot be compiled.
fn validator(schema: &'static str) -> Option<Arc<Validator>> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    validators.entry(schema).or_insert_with(|| compile(schema).map(Arc::new)).clone()
}

fn compile(schema: &str) -> Option<Validator> {
    let mut schema: Value = serde_json::from_str(schema).ok()?;
    schema.as_object_mut()?.insert("$defs".to_owned(), serde_json::from_str(DEFINITIONS).ok()?);
    jsonschema::draft202012::new(&schema).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::commands::OPERATIONS;

    #[test]
    fn every_body_schema_of_the_table_compiles() {
        for body in OPERATIONS.iter().filter_map(|operation| operation.body.as_ref()) {
            assert!(compile(body.schema).is_some(), "{}", body.schema);
        }
    }

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
