//! Answers of generated commands from the mirror instead of the workspace.
//!
//! A list is whole, a filter is honoured or refused by name: nothing that was asked for is ever left out
//! without a word. Where the mirror holds nothing to answer with, that is an error, not an empty list.

mod choice;
mod table;

use clap::ArgMatches;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::choice::{choice, given, refuse, searched};
use self::table::{Answer, local};
use super::commands::filter::Condition;
use super::context::Context;
use super::endpoint;
use super::error::{Error, Exit};
use super::globals::DataSource;
use super::mirrored::{indexed, say_how_old, synced};
use super::output::{Extent, Output, warn};
use super::stores;
use crate::api;
use crate::api::operation::Operation;
use crate::api::request_builder::Arguments;
use crate::mirror::read::{Choice, as_listed};
use crate::mirror::{ResourceName, Store, SyncState};

/// Answers a command from the mirror.
///
/// # Errors
/// [`Error::Usage`] for what the mirror cannot answer, with the name of the filter if that is why; not
/// found when it holds nothing of the kind.
pub async fn answer(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    condition: Option<&Condition>,
) -> Result<(), Error> {
    let Some((local, resource)) = local(operation) else {
        return Err(Error::usage_with_hint(
            "this command reads from the live workspace only",
            "leave out --data-source local; `search`, `sql`, `export` and `analytics` work on the mirror",
        ));
    };
    let path = stores::for_reading(context, matches)?;
    // Messages are compared as people read them, which the index holds.
    let store = if condition.is_some() { indexed(&path)? } else { Store::open_read_only(&path)? };
    let state = synced(&store, resource)?;
    let synced_at = say_how_old(context, &store, &[resource])?;
    let meta = |more: Value| {
        let mut meta = json!({ "source": "local", "synced_at": synced_at });
        merge(&mut meta, more);
        meta
    };
    match local.answer {
        Answer::One(column) => {
            refuse(&arguments.query, &[])?;
            let asked = arguments.path.first().map_or("", String::as_str);
            one(context, &store, resource, column, asked, meta(json!({}))).await
        }
        Answer::ListUnless(names, _) if names.iter().any(|name| given(&arguments.query, name).is_some()) => {
            refuse(&arguments.query, names)?;
            let [(column, asked)] = &arguments.query[..] else {
                return Err(Error::usage(format!("give one of {}", names.join(", "))));
            };
            one(context, &store, resource, column, asked, meta(json!({}))).await
        }
        Answer::Notes(key) => {
            let choice = choice(local, &arguments.query, matches)?;
            let notes = store.notes_of(owner(&store, ResourceName::Contacts, arguments)?)?;
            let total = notes.len() as u64;
            let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let chosen = notes.into_iter().skip(whole(choice.offset));
            let chosen = chosen.take(whole(choice.limit.unwrap_or(u64::MAX)));
            let chosen: Vec<_> = chosen.filter_map(|raw| RawValue::from_string(raw).ok()).collect();
            let mut list = Output::open(&context.globals)?.list(key, &chosen)?;
            chosen.iter().try_for_each(|note| list.raw(note))?;
            let shown = list.count();
            let extent = extent("notes", total, choice.offset + shown < total);
            list.end(meta(counted(shown, total, choice.offset + shown < total, &state)), &extent).await
        }
        Answer::Linked(key, condition) => {
            let other = if resource == ResourceName::Contacts {
                ResourceName::Companies
            } else {
                ResourceName::Contacts
            };
            synced(&store, other)?;
            let owner = owner(&store, other, arguments)?;
            let choice = choice(local, &arguments.query, matches)?.only(condition, owner.to_owned());
            list(context, &store, resource, key, &choice, meta, &state).await
        }
        Answer::Search(key) => {
            let body = arguments.body.as_deref().unwrap_or_default();
            let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
            if let Some(condition) = condition {
                body["query"] = condition.exact.clone();
            }
            let zone = store.workspace()?.and_then(|workspace| workspace.timezone);
            let choice = searched(resource, &body, zone.as_deref(), matches)?;
            list(context, &store, resource, key, &choice, meta, &state).await
        }
        Answer::List(key) | Answer::ListUnless(_, key) => {
            let choice = choice(local, &arguments.query, matches)?;
            list(context, &store, resource, key, &choice, meta, &state).await
        }
    }
}

/// The chosen records, under a key.
async fn list(
    context: &Context,
    store: &Store,
    resource: ResourceName,
    key: &str,
    choice: &Choice,
    meta: impl Fn(Value) -> Value,
    state: &SyncState,
) -> Result<(), Error> {
    let total = store.count(resource, choice)?;
    let mut first = Vec::new();
    let page = Choice { limit: Some(choice.limit.unwrap_or(FIRST).min(FIRST)), ..choice.clone() };
    store.documents(resource, &page, |raw| {
        first.extend(RawValue::from_string(as_listed(resource, raw).into_owned()));
        Ok::<_, Error>(())
    })?;
    let mut list = Output::open(&context.globals)?.list(key, &first)?;
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
    Extent::part(what, Some(total), has_more, endpoint::MORE)
        .or(format!("no {} match", what.replace('_', " ")))
}

fn counted(shown: u64, total: u64, more: bool, state: &SyncState) -> Value {
    json!({ "count": shown, "total_count": total, "complete": state.is_whole(), "has_more": more })
}

/// The id in the path, of a record that must be in the mirror: a list of something that is not there is no
/// empty list.
fn owner<'a>(store: &Store, resource: ResourceName, arguments: &'a Arguments) -> Result<&'a str, Error> {
    let asked = arguments.path.first().map_or("", String::as_str);
    match store.with_parts(resource, asked)? {
        Some(_) => Ok(asked),
        None => Err(absent(resource, "id", asked)),
    }
}

fn absent(resource: ResourceName, column: &str, asked: &str) -> Error {
    Error::Finding {
        message: format!("the mirror has no {column} {asked:?} among its {resource}"),
        exit: Exit::NotFound,
        hint: Some("ask the workspace itself with --data-source live".to_owned()),
    }
}

/// The record whose column holds a value.
async fn one(
    context: &Context,
    store: &Store,
    resource: ResourceName,
    column: &str,
    asked: &str,
    meta: Value,
) -> Result<(), Error> {
    let raw = one_document(store, resource, column, asked)?.ok_or_else(|| absent(resource, column, asked))?;
    Output::open(&context.globals)?.document(meta, &raw, None).await
}

/// Records from which the columns of a line format are taken.
const FIRST: u64 = 150;

/// Answers from the mirror when the workspace cannot be reached and the user did not insist on it.
///
/// # Errors
/// The error itself, unless the mirror can stand in; and as [`answer`].
pub async fn stand_in(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    condition: Option<&Condition>,
    error: api::Error,
) -> Result<(), Error> {
    let able = context.globals.data_source == DataSource::Auto && error.is_offline();
    // Nobody asked for the mirror, so it must be the right one beyond doubt.
    let Some((_, resource)) = local(operation).filter(|_| able) else { return Err(error.into()) };
    let Some(path) = stores::known(context)? else { return Err(error.into()) };
    if !Store::open_read_only(&path).and_then(|store| store.sync_state(resource)).is_ok_and(|it| it.is_some())
    {
        return Err(error.into());
    }
    warn(&format!("{error}; answering from the mirror"));
    answer(context, operation, arguments, matches, condition).await
}

fn one_document(
    store: &Store,
    resource: ResourceName,
    column: &str,
    asked: &str,
) -> Result<Option<String>, Error> {
    if column == "id" {
        return Ok(store.with_parts(resource, asked)?);
    }
    let mut found = None;
    let choice =
        Choice { limit: Some(1), ..Choice::default() }.only(&format!("{column} = ?"), asked.to_owned());
    store.documents(resource, &choice, |raw| {
        found = Some(raw.to_owned());
        Ok::<_, Error>(())
    })?;
    Ok(found)
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
