//! Sets the page and page size of a request, in the query or in the body.
//!
//! It knows where the values go, not which values to use: `paging.rs` follows the list.

use serde_json::{Map, Value, json};

use super::error::Error;
use super::operation::{Operation, Paging, Place};
use super::request_builder::Arguments;

/// The page size to request: the requested one within the operation's limits, or its maximum if none is
/// requested. `None` leaves it to the server.
pub fn page_size(operation: &Operation, requested: Option<u32>) -> Option<u32> {
    match operation.paging {
        Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max } => {
            if max == 0 {
                requested
            } else {
                Some(requested.unwrap_or(max).clamp(1, max))
            }
        }
        Paging::None | Paging::Whole | Paging::Scroll => None,
    }
}

/// The page size that the arguments request.
pub fn requested_size(arguments: &Arguments) -> Option<u32> {
    let in_query = arguments.query.iter().find(|(name, _)| name == "per_page");
    let in_body = || {
        let body: Value = serde_json::from_slice(arguments.body.as_deref()?).ok()?;
        let size = body["pagination"]["per_page"].as_u64().or_else(|| body["per_page"].as_u64());
        size?.try_into().ok()
    };
    in_query.and_then(|(_, size)| size.parse().ok()).or_else(in_body)
}

/// The arguments with this page size set.
///
/// # Errors
/// As [`set_in_body`].
pub(crate) fn with_size(
    operation: &Operation,
    mut arguments: Arguments,
    size: Option<u32>,
) -> Result<Arguments, Error> {
    let Some(size) = size else { return Ok(arguments) };
    match operation.paging {
        Paging::CursorInBody { .. } => set_in_body(&mut arguments, "per_page", json!(size))?,
        _ => set_number(operation, &mut arguments, "per_page", size.into())?,
    }
    Ok(arguments)
}

/// Sets the number or the size of a page where the operation takes it: in the query, or at the top of the body.
///
/// # Errors
/// As [`set_in_body`].
pub(super) fn set_number(
    operation: &Operation,
    arguments: &mut Arguments,
    name: &str,
    value: u64,
) -> Result<(), Error> {
    let is_field = |place: Place| {
        operation.parameters.iter().any(|parameter| parameter.place == place && parameter.name == name)
    };
    if !is_field(Place::Body) || is_field(Place::Query) {
        set_in_query(arguments, name, value.to_string());
        return Ok(());
    }
    edit_body(arguments, |body| {
        body.insert(name.to_owned(), json!(value));
    })
}

/// Sets a query value, replacing an existing one.
pub(super) fn set_in_query(arguments: &mut Arguments, name: &str, value: String) {
    arguments.query.retain(|(other, _)| other != name);
    arguments.query.push((name.to_owned(), value));
}

/// Sets a value in the body's `pagination`, replacing an existing one.
///
/// # Errors
/// [`Error::InvalidRequest`] if the body is not a JSON object.
pub(super) fn set_in_body(arguments: &mut Arguments, name: &str, value: Value) -> Result<(), Error> {
    edit_body(arguments, |body| {
        let pagination = body.entry("pagination").or_insert_with(|| json!({}));
        if !pagination.is_object() {
            *pagination = json!({});
        }
        pagination[name] = value;
    })
}

/// Sets the order of the results of a search, replacing an existing one.
///
/// # Errors
/// As [`set_in_body`].
pub(super) fn set_sort(arguments: &mut Arguments, field: &str, order: &str) -> Result<(), Error> {
    edit_body(arguments, |body| {
        body.insert("sort".to_owned(), json!({ "field": field, "order": order }));
    })
}

/// Sets the query of a search, replacing an existing one.
///
/// # Errors
/// As [`set_in_body`].
#[cfg(feature = "filter")]
pub(super) fn set_query(arguments: &mut Arguments, query: Value) -> Result<(), Error> {
    edit_body(arguments, |body| {
        body.insert("query".to_owned(), query);
    })
}

fn edit_body(arguments: &mut Arguments, edit: impl FnOnce(&mut Map<String, Value>)) -> Result<(), Error> {
    let not_an_object = || Error::InvalidRequest("invalid search body: expected a JSON object".into());
    let mut body: Value = match &arguments.body {
        Some(body) => {
            serde_json::from_slice(body).map_err(|error| Error::InvalidRequest(error.to_string()))?
        }
        None => json!({}),
    };
    edit(body.as_object_mut().ok_or_else(not_an_object)?);
    arguments.body = Some(body.to_string().into_bytes());
    Ok(())
}
