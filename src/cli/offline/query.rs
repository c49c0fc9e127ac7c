//! Translates query parameters, search bodies, `--limit` and pages into a selection of mirrored records.
//!
//! Parameters that the mirror does not support are refused by name.

use clap::ArgMatches;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::table::{OfflineCommand, QueryFilter};
use crate::cli::error::Error;
use crate::mirror::read::RecordQuery;
use crate::mirror::{self, ResourceName};

/// The records selected by query parameters and `--limit`.
pub(super) fn of_query(
    command: &OfflineCommand,
    query: &[(String, String)],
    matches: &ArgMatches,
) -> Result<RecordQuery, Error> {
    let names: Vec<&str> =
        command.filters.iter().map(|(name, _)| *name).chain(["page", "per_page"]).collect();
    refuse_unsupported(query, &names)?;
    let mut choice = RecordQuery::default();
    for (name, filter) in command.filters {
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
    let integer = |name: &str| value_of(query, name).map(|value| number(name, value)).transpose();
    paged(choice, integer("per_page")?, integer("page")?, matches)
}

/// The records selected by the body of a search and `--limit`.
pub(super) fn of_search(
    resource: ResourceName,
    body: &Value,
    zone: Option<&str>,
    matches: &ArgMatches,
) -> Result<RecordQuery, Error> {
    let supported = ["query", "sort", "pagination"];
    let names = body.as_object().into_iter().flat_map(|fields| fields.keys());
    if let Some(name) = names.into_iter().find(|name| !supported.contains(&name.as_str())) {
        return Err(unsupported(name, "not supported by the mirror"));
    }
    let pagination = &body["pagination"];
    let names = pagination.as_object().into_iter().flat_map(|fields| fields.keys());
    if let Some(name) = names.into_iter().find(|name| *name != "per_page") {
        return Err(unsupported(name, "not supported by the mirror"));
    }
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name)
            .map_err(|_| Error::usage(format!("unknown time zone of the workspace: {name:?}")))?,
    };
    let choice = mirror::search_sql::narrow(resource, body, &zone, RecordQuery::default())?;
    paged(choice, pagination["per_page"].as_i64(), None, matches)
}

/// Applies `--limit` and pages. With `--all`, all remaining records form one list.
fn paged(
    mut choice: RecordQuery,
    size: Option<i64>,
    page: Option<i64>,
    matches: &ArgMatches,
) -> Result<RecordQuery, Error> {
    let fetches_all = matches.try_get_one::<bool>("all").ok().flatten().copied().unwrap_or(false);
    let limit = limit(matches);
    match (size, page) {
        (None, None) => {}
        (None, Some(_)) => return Err(unsupported("page", "per_page is required as well")),
        (Some(size), page) => {
            let size = u64::try_from(size).ok().filter(|size| *size > 0);
            let size = size.ok_or_else(|| Error::usage("--per-page must be at least 1"))?;
            let page = u64::try_from(page.unwrap_or(1)).unwrap_or(1).max(1);
            choice.offset = (page - 1).saturating_mul(size);
            choice.limit = (!fetches_all && limit.is_none()).then_some(size);
        }
    }
    choice.limit = limit.or(choice.limit);
    Ok(choice)
}

fn limit(matches: &ArgMatches) -> Option<u64> {
    matches.try_get_one::<u64>("limit").ok().flatten().copied()
}

fn number(name: &str, text: &str) -> Result<i64, Error> {
    text.parse()
        .map_err(|_| Error::usage(format!("--{name}: invalid number {text:?}: expected a whole number")))
}

/// Refuses all parameters except these.
pub(super) fn refuse_unsupported(query: &[(String, String)], supported: &[&str]) -> Result<(), Error> {
    match query.iter().find(|(name, _)| !supported.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(unsupported(name, "not supported by the mirror")),
    }
}

fn unsupported(name: &str, reason: &str) -> Error {
    Error::usage_with_hint(
        format!("--{} with --data-source local: {reason}", name.replace('_', "-")),
        "omit it, query the live workspace, or use `sql`",
    )
}

pub(super) fn value_of<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}
