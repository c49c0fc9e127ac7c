//! Translates query parameters, search bodies, limits and pages into a selection of mirrored records.
//!
//! Parameters that the mirror does not support are refused by name.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::request::{OfflineError, OfflineRequest};
use super::table::{OfflineOperation, QueryFilter};
use crate::mirror::resources::ResourceName;
use crate::mirror::store::read::RecordQuery;
use crate::mirror::store::{Store, search_sql};

/// The records selected by query parameters.
pub fn of_query(
    operation: &OfflineOperation,
    request: &OfflineRequest<'_>,
) -> Result<RecordQuery, OfflineError> {
    let query = &request.arguments.query;
    let names: Vec<&str> =
        operation.filters.iter().map(|(name, _)| *name).chain(["page", "per_page"]).collect();
    refuse_unsupported(query, &names)?;
    let integer = |name: &str| value_of(query, name).map(|value| number(name, value)).transpose();
    let mut choice = RecordQuery::default();
    for (name, filter) in operation.filters {
        choice = match (filter, value_of(query, name)) {
            (QueryFilter::Includes(_), Some("true")) => choice,
            (QueryFilter::Includes(column), _) => choice.only(&format!("{column} IS NOT ?"), 1),
            (_, None) => choice,
            (QueryFilter::Is(column), Some(value)) => choice.only(&format!("{column} = ?"), value.to_owned()),
            (QueryFilter::From(column), Some(value)) => {
                choice.only(&format!("{column} >= ?"), number(name, value)?)
            }
            (QueryFilter::Until(column), Some(value)) => {
                choice.only(&format!("{column} <= ?"), number(name, value)?)
            }
        };
    }
    paged(choice, integer("per_page")?, integer("page")?, request)
}

/// The records selected by the body of a search.
pub fn of_search(
    store: &Store,
    resource: ResourceName,
    request: &OfflineRequest<'_>,
) -> Result<RecordQuery, OfflineError> {
    let mut body = match request.arguments.body.as_deref() {
        None | Some([]) => Value::Null,
        Some(body) => serde_json::from_slice(body).map_err(|_| unsupported("body", NOT_SUPPORTED))?,
    };
    if let Some(predicate) = request.predicate {
        body["query"] = predicate.clone();
    }
    let pagination = &body["pagination"];
    for (object, supported) in [(&body, &["query", "sort", "pagination"][..]), (pagination, &["per_page"])] {
        let mut names = object.as_object().into_iter().flat_map(|fields| fields.keys());
        if let Some(name) = names.find(|name| !supported.contains(&name.as_str())) {
            return Err(unsupported(name, NOT_SUPPORTED));
        }
    }
    let zone = match store.workspace()?.and_then(|workspace| workspace.timezone) {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(&name).map_err(|_| OfflineError::UnknownZone(name))?,
    };
    let choice = search_sql::narrow(resource, &body, &zone, RecordQuery::default())?;
    paged(choice, pagination["per_page"].as_i64(), None, request)
}

/// Applies the page and the limit.
fn paged(
    mut choice: RecordQuery,
    size: Option<i64>,
    page: Option<i64>,
    request: &OfflineRequest<'_>,
) -> Result<RecordQuery, OfflineError> {
    match (size, page) {
        (None, None) => {}
        (None, Some(_)) => return Err(unsupported("page", "per_page is required as well")),
        (Some(size), page) => {
            let size = u64::try_from(size).ok().filter(|size| *size > 0).ok_or(OfflineError::EmptyPage)?;
            let page = u64::try_from(page.unwrap_or(1)).unwrap_or(1).max(1);
            choice.offset = (page - 1).saturating_mul(size);
            choice.limit = (!request.all).then_some(size);
        }
    }
    choice.limit = request.limit.or(choice.limit);
    Ok(choice)
}

fn number(name: &str, text: &str) -> Result<i64, OfflineError> {
    let invalid = |_| OfflineError::InvalidNumber { parameter: name.to_owned(), text: text.to_owned() };
    text.parse().map_err(invalid)
}

const NOT_SUPPORTED: &str = "not supported by the mirror";

/// Refuses all parameters except these.
pub fn refuse_unsupported(query: &[(String, String)], supported: &[&str]) -> Result<(), OfflineError> {
    match query.iter().find(|(name, _)| !supported.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(unsupported(name, NOT_SUPPORTED)),
    }
}

fn unsupported(name: &str, reason: &'static str) -> OfflineError {
    OfflineError::Unsupported { parameter: name.to_owned(), reason }
}

pub fn value_of<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}
