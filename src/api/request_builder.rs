//! Builds the request for a row of the operation table and its arguments.
//!
//! Values arrive here in wire format: the command line parses what was typed, and the server validates it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Request, Url};
use serde::Serialize;

use super::commands::OPERATIONS;
use super::error::Error;
use super::operation::{Answer, Method, Operation};

/// Encodes everything but the unreserved characters of RFC 3986, so that no value can leave its path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Values for one call of an operation.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// One value per `{placeholder}`, in path order, not encoded.
    pub path: Vec<String>,
    /// Names and values of the query, not encoded. A name may occur more than once.
    pub query: Vec<(String, String)>,
    /// The body as JSON text.
    pub body: Option<Vec<u8>>,
}

impl Arguments {
    /// The arguments of an operation on one record.
    pub fn of_record(id: &str) -> Self {
        Arguments { path: vec![id.to_owned()], ..Arguments::default() }
    }

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

/// Finds an operation by its id in the description.
///
/// # Errors
/// [`Error::InvalidRequest`] if the table does not have it.
pub fn operation(id: &str) -> Result<&'static Operation, Error> {
    OPERATIONS
        .iter()
        .find(|operation| operation.id == id)
        .ok_or_else(|| Error::InvalidRequest(format!("unknown operation {id:?} in this API version")))
}

/// Finds the operation at a path without query; if several match, the one with the fewest placeholders.
pub fn operation_at(method: &str, path: &str) -> Option<&'static Operation> {
    let matches = |operation: &&Operation| {
        let (mut template, mut given) = (operation.path.split('/'), path.trim_end_matches('/').split('/'));
        loop {
            match (template.next(), given.next()) {
                (None, None) => return operation.method.as_str() == method,
                (Some(one), Some(other)) if one.starts_with('{') || one == other => {}
                _ => return false,
            }
        }
    };
    OPERATIONS.iter().filter(matches).min_by_key(|operation| operation.path.matches('{').count())
}

/// The values in a path, which is percent-encoded, for the placeholders of an operation.
pub fn values_at(operation: &Operation, path: &str) -> Vec<String> {
    let segments = operation.path.split('/').zip(path.split('/'));
    let values = segments.filter(|(template, _)| template.starts_with('{'));
    values.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned()).collect()
}

/// A request below the base URL. `path` starts with `/` and is already percent-encoded.
///
/// # Errors
/// [`Error::InvalidRequest`] if the path would not be part of the URL unchanged.
pub(super) fn request_at(
    base_url: &Url,
    method: reqwest::Method,
    path: &str,
    query: &[(String, String)],
) -> Result<Request, Error> {
    let mut url = base_url.clone();
    let whole = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&whole);
    // Dots could leave the base path, and other characters could end up in another part of the URL.
    if !path.starts_with('/') || url.path() != whole {
        return Err(Error::InvalidRequest(format!("invalid API path {path:?}")));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(Request::new(method, url))
}

/// The request of an operation, with this version if it is not the default one.
pub(super) fn request(
    base_url: &Url,
    version: Option<&str>,
    operation: &Operation,
    arguments: &Arguments,
) -> Result<Request, Error> {
    if let Some(kind) = operation.other_body {
        let (method, path) = (operation.method.as_str(), operation.path);
        return Err(Error::InvalidRequest(format!(
            "{method} {path} takes {kind}: only JSON bodies can be sent"
        )));
    }
    let path = fill(operation.path, &arguments.path)?;
    let method = match operation.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
        Method::Patch => reqwest::Method::PATCH,
    };
    let mut request = request_at(base_url, method, &path, &arguments.query)?;
    // Downloads of exports are refused without exactly this type.
    let accepted = match operation.answer {
        Answer::Bytes => Some("application/octet-stream"),
        Answer::Text => Some("*/*"),
        Answer::Json | Answer::Nothing => None,
    };
    if let Some(accepted) = accepted {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accepted));
    }
    if let Some(version) = version {
        let version = HeaderValue::from_str(version)
            .map_err(|_| Error::InvalidRequest(format!("invalid API version {version:?}")))?;
        request.headers_mut().insert(HeaderName::from_static("intercom-version"), version);
    }
    if let Some(body) = &arguments.body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.clone().into());
    }
    Ok(request)
}

/// Fills in the path template. Rejects empty values, which would address the list instead of one record, and
/// values of dots only, which URL resolution would remove.
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
                return Err(Error::InvalidRequest(format!("invalid {name} {value:?}")));
            }
            Some(value) => path.extend(utf8_percent_encode(value, SEGMENT)),
        }
        path.push_str(rest);
    }
    Ok(path)
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
    fn an_operation_is_found_by_its_path() {
        let id = |method, path| operation_at(method, path).map(|operation| operation.id);
        assert_eq!(id("GET", "/companies/scroll"), Some("scrollOverAllCompanies"));
        assert_eq!(id("GET", "/companies/5"), Some("RetrieveACompanyById"));
        assert_eq!(id("GET", "/nothing"), None);
        assert_eq!(id("PATCH", "/companies/5"), None);
    }

    #[test]
    fn an_operation_whose_body_is_not_json_is_not_sent() {
        let upload =
            Operation { other_body: Some("multipart/form-data"), ..*operation("createTag").unwrap() };
        let url = Url::parse("https://api.intercom.io/").unwrap();
        let refused = request(&url, None, &upload, &Arguments::default()).unwrap_err();
        assert_eq!(refused.to_string(), "POST /tags takes multipart/form-data: only JSON bodies can be sent");
    }

    #[test]
    fn the_values_of_a_path_fill_its_template_again() {
        let operation = operation("listTagsForAContact").unwrap();
        let path = "/contacts/a%2Fb/tags";
        assert_eq!(values_at(operation, path), ["a/b"]);
        assert_eq!(fill(operation.path, &values_at(operation, path)).unwrap(), path);
    }
}
