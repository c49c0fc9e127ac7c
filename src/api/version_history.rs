//! Chooses the API version of a call, and adapts values to it.
//!
//! An operation is sent with the requested version, or a later one if it, one of its parameters or one of their
//! values needs that. Fields whose type changes between versions are converted, so that callers need not know
//! the version. A value that cannot be converted is sent unchanged: the API decides about it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::commands::{SPEC_VERSION, VERSIONS};
use super::error::Error;
use super::operation::{History, Operation, Parameter, Place, Retyped};
use super::request_builder::Arguments;
use super::version::ApiVersion;

impl ApiVersion {
    /// The version that requests name unless another one is chosen.
    pub fn pinned() -> ApiVersion {
        SPEC_VERSION.parse().unwrap_or(ApiVersion::Number(2, 13))
    }

    /// The oldest version that is described.
    pub fn oldest() -> ApiVersion {
        let oldest = VERSIONS.first().and_then(|version| version.number.parse().ok());
        oldest.unwrap_or_else(ApiVersion::pinned)
    }

    /// Reads a version that a person typed.
    ///
    /// # Errors
    /// A message that lists the versions of the operation table.
    pub fn typed(text: &str) -> Result<ApiVersion, String> {
        text.parse().map_err(|_| {
            let known: Vec<&str> = VERSIONS.iter().map(|version| version.number).collect();
            let known = known.join(", ");
            format!("invalid API version {text:?}: expected {known}, a later number or Preview")
        })
    }
}

/// The later of two versions. A version that cannot be read is as late as the program was asked to send it.
pub fn later<'a>(requested: &'a str, needed: &'a str) -> &'a str {
    match (requested.parse::<ApiVersion>(), needed.parse::<ApiVersion>()) {
        (Ok(one), Ok(other)) if other > one => needed,
        _ => requested,
    }
}

/// The version of a call: the requested one within the versions that have the operation and what is sent.
pub fn version_of(operation: &Operation, arguments: &Arguments, requested: &str) -> String {
    let is_beyond = |last: &&str| later(requested, last) == requested && requested != *last;
    let base = operation.until.filter(is_beyond).unwrap_or(requested);
    let base = operation.version.map_or(base, |needed| later(base, needed));
    let history = operation.parameters.iter().filter_map(|parameter| Some((parameter, parameter.history?)));
    let needs_later =
        history.clone().any(|(_, history)| history.since.is_some() || !history.values.is_empty());
    if !needs_later {
        return base.to_owned();
    }
    let body = body_of(operation, arguments);
    let needed =
        history.filter_map(|(parameter, history)| needed(parameter, history, arguments, body.as_ref()));
    needed.fold(base, |version, needed| later(version, needed)).to_owned()
}

/// A given parameter that this version no longer has, with the last version that has it.
pub fn outdated(
    operation: &Operation,
    arguments: &Arguments,
    version: &str,
) -> Option<(&'static Parameter, &'static str)> {
    let body = body_of(operation, arguments);
    operation.parameters.iter().find_map(|parameter| {
        let until = parameter.history?.until?;
        let is_given = match parameter.place {
            Place::Path => false,
            Place::Query => arguments.query.iter().any(|(name, _)| name == parameter.name),
            Place::Body => field(body.as_ref()?, parameter.name).is_some(),
        };
        let is_beyond = until != version && later(version, until) == version;
        (is_given && is_beyond).then_some((parameter, until))
    })
}

fn needed(
    parameter: &Parameter,
    history: &History,
    arguments: &Arguments,
    body: Option<&Map<String, Value>>,
) -> Option<&'static str> {
    let texts: Vec<&str> = match parameter.place {
        Place::Path => return None,
        Place::Query => arguments
            .query
            .iter()
            .filter(|(name, _)| name == parameter.name)
            .map(|(_, value)| value.as_str())
            .collect(),
        Place::Body => vec![field(body?, parameter.name)?.as_str().unwrap_or_default()],
    };
    let first = texts.first()?;
    let of_value = history.values.iter().find(|(value, _)| value == first).map(|(_, version)| *version);
    match (history.since, of_value) {
        (Some(one), Some(other)) => Some(later(one, other)),
        (one, other) => one.or(other),
    }
}

/// The arguments as this version expects them.
///
/// # Errors
/// [`Error::InvalidRequest`] if the changed body cannot be written.
pub fn adapted<'a>(
    operation: &Operation,
    arguments: &'a Arguments,
    version: &str,
) -> Result<Cow<'a, Arguments>, Error> {
    let retyped = operation.parameters.iter().filter_map(|parameter| {
        let (since, kind) = parameter.history?.retyped?;
        let applies = parameter.place == Place::Body && later(version, since) == version;
        applies.then_some((parameter.name, kind))
    });
    let retyped: Vec<(&str, Retyped)> = retyped.collect();
    let Some(mut body) = (!retyped.is_empty()).then(|| body_of(operation, arguments)).flatten() else {
        return Ok(Cow::Borrowed(arguments));
    };
    let before = body.clone();
    for (name, kind) in retyped {
        if let Some(value) = field_mut(&mut body, name) {
            retype(value, kind);
        }
    }
    if body == before {
        return Ok(Cow::Borrowed(arguments));
    }
    let body = serde_json::to_vec(&body).map_err(|error| Error::InvalidRequest(error.to_string()))?;
    Ok(Cow::Owned(Arguments { body: Some(body), ..arguments.clone() }))
}

fn retype(value: &mut Value, kind: Retyped) {
    match (kind, &mut *value) {
        (Retyped::Text, Value::Number(number)) => *value = Value::String(number.to_string()),
        (Retyped::Integer, Value::String(text)) => {
            if let Ok(number) = text.parse::<i64>() {
                *value = number.into();
            }
        }
        (Retyped::Wrapped(field), Value::Array(items)) => {
            for item in items.iter_mut().filter(|item| item.is_string()) {
                *item = Value::Object(Map::from_iter([(field.to_owned(), item.take())]));
            }
        }
        _ => {}
    }
}

/// The body, if it is an object. Anything else is sent as it is.
fn body_of(operation: &Operation, arguments: &Arguments) -> Option<Map<String, Value>> {
    operation.body?;
    serde_json::from_slice(arguments.body.as_deref()?).ok()
}

fn field<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    match name.split_once('.') {
        Some((object, name)) => body.get(object)?.get(name),
        None => body.get(name),
    }
}

fn field_mut<'a>(body: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Value> {
    match name.split_once('.') {
        Some((object, name)) => body.get_mut(object)?.get_mut(name),
        None => body.get_mut(name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::request_builder::operation;

    fn with_body(body: &Value) -> Arguments {
        Arguments {
            path: vec!["1".into()],
            body: Some(body.to_string().into_bytes()),
            ..Arguments::default()
        }
    }

    fn version(id: &str, arguments: &Arguments, requested: &str) -> String {
        version_of(operation(id).unwrap(), arguments, requested)
    }

    #[test]
    fn an_operation_is_sent_with_the_version_that_it_needs_or_a_later_one() {
        let none = Arguments::default();
        for (id, requested, expected) in [
            ("ListContacts", "2.13", "2.13"),
            ("ListContacts", "2.16", "2.16"),
            ("ListContacts", "2.9", "2.9"),
            ("listMacros", "2.13", "2.16"),
            ("listMacros", "2.17", "2.17"),
            ("listCalls", "2.15", "2.15"),
            ("listMacros", "Preview", "Preview"),
            ("getCustomObjectInstancesByExternalId", "2.16", "2.15"),
        ] {
            let operation = operation(id).unwrap();
            assert_eq!(version_of(operation, &none, requested), expected, "{id}");
        }
    }

    #[test]
    fn a_typed_version_is_refused_with_the_known_ones() {
        let message = ApiVersion::typed("3").unwrap_err();
        assert!(message.starts_with("invalid API version \"3\": expected 2.13, 2.14"), "{message}");
        assert!(message.ends_with(", a later number or Preview"), "{message}");
    }

    #[test]
    fn parameters_fields_and_values_raise_the_version() {
        assert_eq!(version("UpdateContact", &with_body(&json!({"name": "Ann"})), "2.13"), "2.13");
        assert_eq!(version("UpdateContact", &with_body(&json!({"email_verified": true})), "2.13"), "2.16");
        let quick_reply = with_body(&json!({"message_type": "quick_reply", "type": "admin"}));
        assert_eq!(version("replyConversation", &quick_reply, "2.13"), "2.14");
        let query = vec![("retain_metrics".to_owned(), "true".to_owned())];
        let arguments = Arguments { path: vec!["1".into()], query, body: None };
        assert_eq!(version("deleteConversation", &arguments, "2.13"), "2.16");
    }

    #[test]
    fn values_are_sent_in_the_type_of_the_version() {
        let body = |id: &str, body: &Value, version: &str| -> Value {
            let arguments = with_body(body);
            let adapted = adapted(operation(id).unwrap(), &arguments, version).unwrap();
            serde_json::from_slice(adapted.body.as_deref().unwrap()).unwrap()
        };
        let owner = json!({"owner_id": 991_267_000});
        assert_eq!(body("UpdateContact", &owner, "2.13"), owner);
        assert_eq!(body("UpdateContact", &owner, "2.16"), json!({"owner_id": "991267000"}));
        let options = json!({"name": "Size", "options": ["S", "M"]});
        assert_eq!(body("createDataAttribute", &options, "2.13"), options);
        let wrapped = json!({"name": "Size", "options": [{"value": "S"}, {"value": "M"}]});
        assert_eq!(body("createDataAttribute", &options, "2.14"), wrapped);
    }
}
