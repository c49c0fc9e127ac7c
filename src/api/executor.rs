//! Binds arguments to a row of the operation table and makes the request.
//!
//! Values arrive here as they go onto the wire. Parsing what a person typed is the command line's
//! matter; whether the values suffice is the server's.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

use super::commands::OPERATIONS;
use super::error::Error;
use super::operation::{Answer, Method, Operation};
use super::transport::Transport;

/// Everything but the unreserved characters of RFC 3986 is encoded, so that no value can leave its
/// path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Values for one call of an operation.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// One value per `{placeholder}`, in path order, not yet encoded.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    /// The body as JSON text.
    pub body: Option<Vec<u8>>,
}

impl Arguments {
    pub(crate) fn typed(
        path: &[String],
        query: &[(&str, Option<String>)],
        body: Option<&impl Serialize>,
    ) -> Result<Self, Error> {
        let query = query.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
        let body = body.map(serde_json::to_vec).transpose();
        Ok(Arguments {
            path: path.to_vec(),
            query: query.collect(),
            body: body.map_err(|error| Error::InvalidRequest(error.to_string()))?,
        })
    }
}

/// The row of an operation id, as written in the description.
///
/// # Errors
/// [`Error::InvalidRequest`] when the table has no such operation.
pub fn operation(id: &str) -> Result<&'static Operation, Error> {
    OPERATIONS
        .iter()
        .find(|operation| operation.id == id)
        .ok_or_else(|| Error::InvalidRequest(format!("this API version has no operation {id}")))
}

/// The operation that a path without query leads to; where several fit, the one with the fewest
/// placeholders.
pub fn operation_at(method: &str, path: &str) -> Option<&'static Operation> {
    let fits = |operation: &&Operation| {
        let (mut template, mut given) = (operation.path.split('/'), path.trim_end_matches('/').split('/'));
        loop {
            match (template.next(), given.next()) {
                (None, None) => return operation.method.as_str() == method,
                (Some(one), Some(other)) if one.starts_with('{') || one == other => {}
                _ => return false,
            }
        }
    };
    OPERATIONS.iter().filter(fits).min_by_key(|operation| operation.path.matches('{').count())
}

/// The version to send for an operation: the forced one, or the one it needs if that is later than
/// the default.
pub(crate) fn version_for<'a>(
    transport: &Transport,
    forced: Option<&'a str>,
    operation: Option<&'a Operation>,
) -> Option<&'a str> {
    let needed = operation.and_then(|operation| operation.version);
    forced.or_else(|| needed.filter(|needed| later(needed, transport.api_version())))
}

pub(crate) fn request(
    transport: &Transport,
    version: Option<&str>,
    operation: &Operation,
    arguments: &Arguments,
) -> Result<reqwest::Request, Error> {
    let path = fill(operation.path, &arguments.path)?;
    let method = match operation.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
        Method::Patch => reqwest::Method::PATCH,
    };
    let mut request = transport.request(method, &path, &arguments.query)?;
    if matches!(operation.answer, Answer::Bytes | Answer::Text) {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    }
    if let Some(version) = version_for(transport, version, Some(operation)) {
        let version = HeaderValue::from_str(version)
            .map_err(|_| Error::InvalidRequest(format!("{version:?} is no API version")))?;
        request.headers_mut().insert(HeaderName::from_static("intercom-version"), version);
    }
    if let Some(body) = &arguments.body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.clone().into());
    }
    Ok(request)
}

/// Fills the path template. An empty value would address the list instead of one record, and dots
/// alone would be resolved away by the URL rules: both are refused.
fn fill(template: &str, values: &[String]) -> Result<String, Error> {
    let mut path = String::with_capacity(template.len() + 24);
    let mut values = values.iter();
    for (index, piece) in template.split('{').enumerate() {
        let Some((name, rest)) = piece.split_once('}').filter(|_| index > 0) else {
            path.push_str(piece);
            continue;
        };
        match values.next().map(String::as_str) {
            None | Some("") => return Err(Error::InvalidRequest(format!("{name} must not be empty"))),
            Some(value @ ("." | "..")) => {
                return Err(Error::InvalidRequest(format!("{value:?} is no {name}")));
            }
            Some(value) => path.extend(utf8_percent_encode(value, SEGMENT)),
        }
        path.push_str(rest);
    }
    Ok(path)
}

/// Whether `one` is a later API version than `other`: `2.14` > `2.9`; a name (`Preview`, `Unstable`)
/// is later than any number.
fn later(one: &str, other: &str) -> bool {
    let parts =
        |version: &str| -> Option<Vec<u32>> { version.split('.').map(|it| it.parse().ok()).collect() };
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one > other,
        (None, Some(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_values_stay_in_their_segment() {
        let fill = |value: &str| fill("/contacts/{id}/tags", &[value.to_owned()]);
        assert_eq!(fill("a/b?c#d e").unwrap(), "/contacts/a%2Fb%3Fc%23d%20e/tags");
        assert_eq!(fill("5f-x_y.z~").unwrap(), "/contacts/5f-x_y.z~/tags");
        assert!(fill("").is_err());
        assert!(fill("..").is_err());
        assert!(super::fill("/a/{x}/{y}", &["1".into()]).is_err());
    }

    #[test]
    fn a_path_leads_to_its_operation() {
        let id = |method, path| operation_at(method, path).map(|operation| operation.id);
        assert_eq!(id("GET", "/companies/scroll"), Some("scrollOverAllCompanies"));
        assert_eq!(id("GET", "/companies/5"), Some("RetrieveACompanyById"));
        assert_eq!(id("GET", "/nothing"), None);
        assert_eq!(id("PATCH", "/companies/5"), None);
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(later("2.14", "2.9"));
        assert!(!later("2.13", "2.13"));
        assert!(!later("2.14", "Preview"));
        assert!(later("Preview", "2.14"));
    }
}
