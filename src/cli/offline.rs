//! Runs generated commands on the mirror instead of the workspace.

use serde_json::json;

use super::context::Context;
use super::error::{Error, Exit, Hint};
use super::flags::RunFlags;
use super::globals::DataSource;
use super::list_extent::more_hint;
use super::mirror_paths::{self, MirrorFlag};
use super::open_mirror::{check_freshness, indexed, require_synced};
use super::output::{Extent, Output, warn};
use super::surroundings;
use crate::api;
use crate::api::operation::Operation;
use crate::api::request_builder::Arguments;
use crate::mirror::Store;
use crate::mirror::offline::{OfflineAnswer, OfflineError, OfflineRequest, offline_operation};
use crate::selection::WhereFilter;

/// Number of records from which the columns of CSV and tables are taken.
const SAMPLE: u64 = 150;

/// Runs a command on the mirror.
///
/// # Errors
/// [`Error::Usage`] for commands and parameters that the mirror does not support; not found if the resource was
/// never synced.
pub async fn answer(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
    flags: &RunFlags,
    filter: Option<&WhereFilter>,
) -> Result<(), Error> {
    let Some(offline) = offline_operation(operation) else {
        return Err(Error::usage_with_hint(
            "this command only reads from the live workspace",
            Hint::new("omit ")
                .flag("data-source")
                .text(" local")
                .then("`search`, `sql`, `export` and `analytics` read the mirror"),
        ));
    };
    let path = mirror_paths::for_reading(context, &MirrorFlag::default())?;
    // Filters compare the text of messages, which is in the search index.
    let store = if filter.is_some() { indexed(&path)? } else { Store::open_read_only(&path)? };
    let state = require_synced(&store, offline.resource)?;
    let synced_at = check_freshness(context, &store, &[offline.resource])?;
    if let Some(owner) = offline.owner() {
        require_synced(&store, owner)?;
    }
    let predicate = filter.map(|filter| &filter.compiled.exact);
    let request = OfflineRequest { arguments, predicate, limit: flags.limit, all: flags.all };
    let mut meta = json!({ "source": "local", "synced_at": synced_at });
    let answer = offline.answer(&store, &request).map_err(refusal)?;
    let records = match answer {
        OfflineAnswer::Record(text) => {
            let flags = surroundings::complete(context, None, &text).await?;
            return Output::open(&flags)?.document(meta, &text, None).await;
        }
        OfflineAnswer::List(records) => records,
    };
    let output = Output::open(&context.globals.output)?;
    let mut first = Vec::new();
    records.read(Some(SAMPLE), |record| {
        first.push(record.to_owned());
        Ok::<_, Error>(())
    })?;
    let mut list = output.list(records.key, &first)?;
    records.read(None, |record| list.raw(record))?;
    let (shown, total) = (list.count(), records.total);
    let has_more = records.offset + shown < total;
    meta["count"] = json!(shown);
    meta["total_count"] = json!(total);
    meta["complete"] = json!(state.is_whole());
    meta["has_more"] = json!(has_more);
    let extent = Extent::partial(records.noun, Some(total), has_more, more_hint())
        .when_empty(format!("no {} match", records.noun.replace('_', " ")));
    list.end(meta, &extent).await
}

/// Runs a command on the mirror if the workspace cannot be reached, unless `--data-source live` is given.
///
/// # Errors
/// The given error, if the mirror cannot be used; and those of [`answer`].
pub async fn answer_if_offline(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
    flags: &RunFlags,
    filter: Option<&WhereFilter>,
    error: api::Error,
) -> Result<(), Error> {
    let is_allowed = context.globals.connection.data_source() == DataSource::Auto && error.is_offline();
    let Some(offline) = offline_operation(operation).filter(|_| is_allowed) else {
        return Err(error.into());
    };
    // The mirror was not requested, so it must be certain to belong to the credentials.
    let Some(path) = mirror_paths::of_credentials(context)? else { return Err(error.into()) };
    let state = Store::open_read_only(&path).and_then(|store| store.sync_state(offline.resource));
    if !state.is_ok_and(|state| state.is_some()) {
        return Err(error.into());
    }
    warn(&format!("{error}; using the mirror instead"));
    answer(context, operation, arguments, flags, filter).await
}

/// Words a refusal with the flags of the command.
fn refusal(error: OfflineError) -> Error {
    match error {
        OfflineError::Unsupported { parameter, reason } => Error::usage_with_hint(
            format!("--{} with --data-source local: {reason}", parameter.replace('_', "-")),
            "omit it, query the live workspace, or use `sql`",
        ),
        OfflineError::InvalidNumber { parameter, text } => {
            Error::usage(format!("--{parameter}: invalid number {text:?}: expected a whole number"))
        }
        OfflineError::EmptyPage => Error::usage("--per-page must be at least 1"),
        OfflineError::Exclusive(names) => {
            Error::usage(format!("only one of these can be used: {}", names.join(", ")))
        }
        OfflineError::UnknownZone(name) => {
            Error::usage(format!("unknown time zone of the workspace: {name:?}"))
        }
        OfflineError::NoRecord { resource, column, value } => Error::Failed {
            message: format!("no {resource} with {column} {value:?} in the mirror"),
            exit: Exit::NotFound,
            hint: Some(Hint::new("query the workspace with ").flag("data-source").text(" live")),
        },
        OfflineError::Mirror(error) => error.into(),
    }
}
