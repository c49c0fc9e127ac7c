//! Which records of the mirror a command asks for: its query, the body of a search, `--limit` and pages.
//!
//! A parameter that the mirror cannot honour is refused by its name.

use clap::ArgMatches;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::table::{Filter, Local};
use crate::cli::error::Error;
use crate::mirror::read::Choice;
use crate::mirror::{self, ResourceName};

/// Which records the query and `--limit` choose.
pub(super) fn choice(
    local: &Local,
    query: &[(String, String)],
    matches: &ArgMatches,
) -> Result<Choice, Error> {
    let names: Vec<&str> = local.filters.iter().map(|(name, _)| *name).chain(["page", "per_page"]).collect();
    refuse(query, &names)?;
    let mut choice = Choice::default();
    for (name, filter) in local.filters {
        choice = match (filter, given(query, name)) {
            (Filter::Includes(_), Some("true")) => choice,
            (Filter::Includes(column), _) => choice.only(&format!("{column} IS NOT ?"), 1),
            (_, None) => choice,
            (Filter::Is(column), Some(value)) => choice.only(&format!("{column} = ?"), value.to_owned()),
            (Filter::From(column), Some(value)) => {
                choice.only(&format!("{column} >= ?"), number(name, value)?)
            }
            (Filter::Until(column), Some(value)) => {
                choice.only(&format!("{column} <= ?"), number(name, value)?)
            }
        };
    }
    let whole = |name: &str| given(query, name).map(|value| number(name, value)).transpose();
    paged(choice, whole("per_page")?, whole("page")?, matches)
}

/// Which records the body of a search and `--limit` choose.
pub(super) fn searched(
    resource: ResourceName,
    body: &Value,
    zone: Option<&str>,
    matches: &ArgMatches,
) -> Result<Choice, Error> {
    let known = ["query", "sort", "pagination"];
    let names = body.as_object().into_iter().flat_map(|fields| fields.keys());
    if let Some(name) = names.into_iter().find(|name| !known.contains(&name.as_str())) {
        return Err(refused(name, "the mirror cannot honour it"));
    }
    let pagination = &body["pagination"];
    let names = pagination.as_object().into_iter().flat_map(|fields| fields.keys());
    if let Some(name) = names.into_iter().find(|name| *name != "per_page") {
        return Err(refused(name, "the mirror cannot honour it"));
    }
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name)
            .map_err(|_| Error::usage(format!("the workspace's time zone {name:?} is not known here")))?,
    };
    let choice = mirror::predicate::narrow(resource, body, &zone, Choice::default())?;
    paged(choice, pagination["per_page"].as_i64(), None, matches)
}

/// `--limit` and pages. Following the pages to the end is one list here.
fn paged(
    mut choice: Choice,
    size: Option<i64>,
    page: Option<i64>,
    matches: &ArgMatches,
) -> Result<Choice, Error> {
    let walks = matches.try_get_one::<bool>("all").ok().flatten().copied().unwrap_or(false);
    let limit = limit(matches);
    match (size, page) {
        (None, None) => {}
        (None, Some(_)) => return Err(refused("page", "it needs per_page beside it")),
        (Some(size), page) => {
            let size = u64::try_from(size).ok().filter(|size| *size > 0);
            let size = size.ok_or_else(|| Error::usage("--per-page must be at least 1"))?;
            let page = u64::try_from(page.unwrap_or(1)).unwrap_or(1).max(1);
            choice.offset = (page - 1).saturating_mul(size);
            choice.limit = (!walks && limit.is_none()).then_some(size);
        }
    }
    choice.limit = limit.or(choice.limit);
    Ok(choice)
}

fn limit(matches: &ArgMatches) -> Option<u64> {
    matches.try_get_one::<u64>("limit").ok().flatten().copied()
}

fn number(name: &str, text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::usage(format!("--{name}: {text:?} is no whole number")))
}

/// Refuses every parameter that is none of these.
pub(super) fn refuse(query: &[(String, String)], known: &[&str]) -> Result<(), Error> {
    match query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(refused(name, "the mirror cannot honour it")),
    }
}

fn refused(name: &str, reason: &str) -> Error {
    Error::usage_with_hint(
        format!("--{} with --data-source local: {reason}", name.replace('_', "-")),
        "leave it out, ask the live workspace, or use `sql`",
    )
}

pub(super) fn given<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}
