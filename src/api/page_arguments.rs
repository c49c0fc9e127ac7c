//! How an operation is asked for a page and for its size: in the query or in the body.
//!
//! Knows where the values go, not what they are: following a list is `paging.rs`.

use serde_json::{Value, json};

use super::error::Error;
use super::executor::Arguments;
use super::operation::{Operation, Paging};

/// The page size to ask for: the wish within what the operation accepts, its maximum without a wish;
/// `None` leaves it to the server.
pub fn page_size(operation: &Operation, wish: Option<u32>) -> Option<u32> {
    match operation.paging {
        Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max } => {
            if max == 0 {
                wish
            } else {
                Some(wish.unwrap_or(max).clamp(1, max))
            }
        }
        Paging::None | Paging::Whole | Paging::Scroll => None,
    }
}

/// The arguments, asking for pages of this size.
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
        _ => set_in_query(&mut arguments, "per_page", size.to_string()),
    }
    Ok(arguments)
}

/// Puts a value into the query, in place of one that is there.
pub(super) fn set_in_query(arguments: &mut Arguments, name: &str, value: String) {
    arguments.query.retain(|(other, _)| other != name);
    arguments.query.push((name.to_owned(), value));
}

/// Puts a value into the body's `pagination`, in place of one that is there.
///
/// # Errors
/// [`Error::InvalidRequest`] when the body is no JSON object.
pub(super) fn set_in_body(arguments: &mut Arguments, name: &str, value: Value) -> Result<(), Error> {
    let no_object = || Error::InvalidRequest("a search body must be a JSON object".into());
    let mut body: Value = match &arguments.body {
        Some(body) => {
            serde_json::from_slice(body).map_err(|error| Error::InvalidRequest(error.to_string()))?
        }
        None => json!({}),
    };
    let pagination =
        body.as_object_mut().ok_or_else(no_object)?.entry("pagination").or_insert_with(|| json!({}));
    if !pagination.is_object() {
        *pagination = json!({});
    }
    pagination[name] = value;
    arguments.body = Some(body.to_string().into_bytes());
    Ok(())
}
