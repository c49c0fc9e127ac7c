//! Runs generated commands on the mirror instead of the workspace.
//!
//! Results must never be silently incomplete: a parameter that the mirror does not support is refused by name, and
//! data that was never synced is an error, not an empty list.

mod query;
mod table;

use clap::ArgMatches;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::query::{of_query, of_search, refuse_unsupported, value_of};
use self::table::{Retrieval, offline_command};
use super::commands::filter::WhereFilter;
use super::context::Context;
use super::endpoint;
use super::error::{Error, Exit, Hint};
use super::globals::DataSource;
use super::mirror_paths;
use super::open_mirror::{check_freshness, indexed, require_synced};
use super::output::{Extent, Output, warn};
use crate::api;
use crate::api::operation::Operation;
use crate::api::request_builder::Arguments;
use crate::mirror::read::{RecordQuery, as_listed};
use crate::mirror::{ResourceName, Store, SyncState};

/// Runs a command on the mirror.
///
/// # Errors
/// [`Error::Usage`] for commands and parameters that the mirror does not support; not found if the resource was
/// never synced.
pub async fn answer(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    condition: Option<&WhereFilter>,
) -> Result<(), Error> {
    let Some((command, resource)) = offline_command(operation) else {
        return Err(Error::usage_with_hint(
            "this command only reads from the live workspace",
            Hint::new("omit ")
                .flag("data-source")
                .text(" local")
                .then("`search`, `sql`, `export` and `analytics` read the mirror"),
        ));
    };
    let path = mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?;
    // Filters compare the text of messages, which is in the search index.
    let store = if condition.is_some() { indexed(&path)? } else { Store::open_read_only(&path)? };
    let state = require_synced(&store, resource)?;
    let synced_at = check_freshness(context, &store, &[resource])?;
    let meta = |more: Value| {
        let mut meta = json!({ "source": "local", "synced_at": synced_at });
        merge(&mut meta, more);
        meta
    };
    match command.retrieval {
        Retrieval::One(column) => {
            refuse_unsupported(&arguments.query, &[])?;
            let value = arguments.path.first().map_or("", String::as_str);
            one(context, &store, resource, column, value, meta(json!({}))).await
        }
        Retrieval::ListUnless(names, _)
            if names.iter().any(|name| value_of(&arguments.query, name).is_some()) =>
        {
            refuse_unsupported(&arguments.query, names)?;
            let [(column, value)] = &arguments.query[..] else {
                return Err(Error::usage(format!("only one of these can be used: {}", names.join(", "))));
            };
            one(context, &store, resource, column, value, meta(json!({}))).await
        }
        Retrieval::Notes(key) => {
            let choice = of_query(command, &arguments.query, matches)?;
            let notes = store.notes_of(owner(&store, ResourceName::Contacts, arguments)?)?;
            let total = notes.len() as u64;
            let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let chosen = notes.into_iter().skip(count(choice.offset));
            let chosen = chosen.take(count(choice.limit.unwrap_or(u64::MAX)));
            let chosen: Vec<_> = chosen.filter_map(|raw| RawValue::from_string(raw).ok()).collect();
            let mut list = Output::open(&context.globals.output)?.list(key, &chosen)?;
            chosen.iter().try_for_each(|note| list.raw(note))?;
            let shown = list.count();
            let extent = extent("notes", total, choice.offset + shown < total);
            list.end(meta(counted(shown, total, choice.offset + shown < total, &state)), &extent).await
        }
        Retrieval::Linked(key, condition) => {
            let other = if resource == ResourceName::Contacts {
                ResourceName::Companies
            } else {
                ResourceName::Contacts
            };
            require_synced(&store, other)?;
            let owner = owner(&store, other, arguments)?;
            let choice = of_query(command, &arguments.query, matches)?.only(condition, owner.to_owned());
            list(context, &store, resource, key, &choice, meta, &state).await
        }
        Retrieval::Search(key) => {
            let body = arguments.body.as_deref().unwrap_or_default();
            let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
            if let Some(condition) = condition {
                body["query"] = condition.exact.clone();
            }
            let zone = store.workspace()?.and_then(|workspace| workspace.timezone);
            let choice = of_search(resource, &body, zone.as_deref(), matches)?;
            list(context, &store, resource, key, &choice, meta, &state).await
        }
        Retrieval::List(key) | Retrieval::ListUnless(_, key) => {
            let choice = of_query(command, &arguments.query, matches)?;
            list(context, &store, resource, key, &choice, meta, &state).await
        }
    }
}

/// Lists the selected records under a key.
async fn list(
    context: &Context,
    store: &Store,
    resource: ResourceName,
    key: &str,
    choice: &RecordQuery,
    meta: impl Fn(Value) -> Value,
    state: &SyncState,
) -> Result<(), Error> {
    let total = store.count(resource, choice)?;
    let mut first = Vec::new();
    let page = RecordQuery { limit: Some(choice.limit.unwrap_or(SAMPLE).min(SAMPLE)), ..choice.clone() };
    store.documents(resource, &page, |raw| {
        first.extend(RawValue::from_string(as_listed(resource, raw).into_owned()));
        Ok::<_, Error>(())
    })?;
    let mut list = Output::open(&context.globals.output)?.list(key, &first)?;
    store.documents(resource, choice, |raw| {
        match serde_json::from_str::<&RawValue>(&as_listed(resource, raw)) {
            Ok(record) => list.raw(record),
            Err(_) => Ok(()),
        }
    })?;
    let shown = list.count();
    let has_more = choice.offset + shown < total;
    let extent = extent(resource.as_str(), total, has_more);
    list.end(meta(counted(shown, total, has_more, state)), &extent).await
}

fn extent(what: &'static str, total: u64, has_more: bool) -> Extent {
    Extent::partial(what, Some(total), has_more, endpoint::more_hint())
        .when_empty(format!("no {} match", what.replace('_', " ")))
}

fn counted(shown: u64, total: u64, more: bool, state: &SyncState) -> Value {
    json!({ "count": shown, "total_count": total, "complete": state.is_whole(), "has_more": more })
}

/// The id in the path. Its record must be in the mirror, so that an unknown id is not reported as an empty list.
fn owner<'a>(store: &Store, resource: ResourceName, arguments: &'a Arguments) -> Result<&'a str, Error> {
    let id = arguments.path.first().map_or("", String::as_str);
    match store.with_parts(resource, id)? {
        Some(_) => Ok(id),
        None => Err(not_found(resource, "id", id)),
    }
}

fn not_found(resource: ResourceName, column: &str, value: &str) -> Error {
    Error::Failed {
        message: format!("no {resource} with {column} {value:?} in the mirror"),
        exit: Exit::NotFound,
        hint: Some(Hint::new("query the workspace with ").flag("data-source").text(" live")),
    }
}

/// Prints the record whose column has a value.
async fn one(
    context: &Context,
    store: &Store,
    resource: ResourceName,
    column: &str,
    value: &str,
    meta: Value,
) -> Result<(), Error> {
    let raw =
        one_document(store, resource, column, value)?.ok_or_else(|| not_found(resource, column, value))?;
    Output::open(&context.globals.output)?.document(meta, &raw, None).await
}

/// Number of records from which the columns of CSV and tables are taken.
const SAMPLE: u64 = 150;

/// Runs a command on the mirror if the workspace cannot be reached, unless `--data-source live` is given.
///
/// # Errors
/// The given error, if the mirror cannot be used; and those of [`answer`].
pub async fn answer_if_offline(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    condition: Option<&WhereFilter>,
    error: api::Error,
) -> Result<(), Error> {
    let is_allowed = context.globals.connection.data_source() == DataSource::Auto && error.is_offline();
    let Some((_, resource)) = offline_command(operation).filter(|_| is_allowed) else {
        return Err(error.into());
    };
    // The mirror was not requested, so it must be certain to belong to the credentials.
    let Some(path) = mirror_paths::of_credentials(context)? else { return Err(error.into()) };
    let state = Store::open_read_only(&path).and_then(|store| store.sync_state(resource));
    if !state.is_ok_and(|state| state.is_some()) {
        return Err(error.into());
    }
    warn(&format!("{error}; using the mirror instead"));
    answer(context, operation, arguments, matches, condition).await
}

fn one_document(
    store: &Store,
    resource: ResourceName,
    column: &str,
    value: &str,
) -> Result<Option<String>, Error> {
    if column == "id" {
        return Ok(store.with_parts(resource, value)?);
    }
    let mut document = None;
    let choice = RecordQuery { limit: Some(1), ..RecordQuery::default() }
        .only(&format!("{column} = ?"), value.to_owned());
    store.documents(resource, &choice, |raw| {
        document = Some(raw.to_owned());
        Ok::<_, Error>(())
    })?;
    Ok(document)
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
