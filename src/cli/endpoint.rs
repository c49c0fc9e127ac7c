//! Runs one operation of the table: bind, show or confirm, send, write the answer.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use clap::ArgMatches;
use futures::{StreamExt, TryStreamExt};
use reqwest::header::CONTENT_TYPE;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::arguments;
use super::commands::filter::{self, Condition};
use super::context::Context;
use super::door::OutputFile;
use super::error::{Error, Exit};
use super::globals::{DataSource, Deliver};
use super::local;
use super::naming;
use super::narrowed;
use super::output::{Extent, Format, NextPage, Output, Records, tell, warn};
use super::preview;
use crate::api;
use crate::api::client::Client;
use crate::api::conflict::Conflict;
use crate::api::operation::{Answer, Effect, Operation, Paging};
use crate::api::page_arguments::page_size;
use crate::api::paging::{Coverage, Next, Page, is_first_page};
use crate::api::reply::Reply;
use crate::api::request_builder::Arguments;
use crate::api::transport::Download;

/// # Errors
/// Everything that can go wrong between the terminal and the server.
pub async fn run(
    context: &Context,
    operation: &'static Operation,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let condition = filter::of_search(context, operation, matches).await?;
    let condition = condition.as_ref();
    let arguments =
        arguments::bind(context, operation, matches, condition.map(|condition| condition.query.clone()))?;
    if context.globals.data_source == DataSource::Local {
        return local::answer(context, operation, &arguments, matches, condition).await;
    }
    if context.globals.dry_run {
        return dry_run(context, operation, arguments, matches, condition).await;
    }
    let action = match operation.effect {
        Effect::Read => None,
        _ => Some(naming::agree(context, operation, &arguments).await?),
    };
    let client = context.client()?;
    let walks = operation.paging != Paging::None && (matches.get_flag("all") || limit(matches).is_some());
    match operation.answer {
        Answer::Bytes => download(context, &client, operation, &arguments, matches).await,
        _ if walks => list(context, &client, operation, arguments, matches, condition).await,
        _ if condition.is_some() => {
            one_page(context, &client, operation, &arguments, matches, condition).await
        }
        _ => once(context, &client, operation, &arguments, matches, action.as_deref()).await,
    }
}

fn limit(matches: &ArgMatches) -> Option<u64> {
    matches.get_one::<u64>("limit").copied()
}

/// How many records are looked at for `--limit`: with a filter, one more says whether there is more.
fn looked_at(matches: &ArgMatches, condition: Option<&Condition>) -> Option<u64> {
    limit(matches).map(|limit| limit.saturating_add(u64::from(condition.is_some())))
}

async fn dry_run(
    context: &Context,
    operation: &Operation,
    arguments: Arguments,
    matches: &ArgMatches,
    condition: Option<&Condition>,
) -> Result<(), Error> {
    let client = context.client_for_preview()?;
    let walks = operation.paging != Paging::None && (matches.get_flag("all") || limit(matches).is_some());
    let request = match walks {
        true => {
            let size = wish(operation, &arguments, looked_at(matches, condition));
            client.first_page_request(operation, &arguments, size)?
        }
        false => client.request(operation, &arguments)?,
    };
    preview::show(context, &client, &request).await
}

/// One call. `action` says in words what it changes.
async fn once(
    context: &Context,
    client: &Client,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    action: Option<&str>,
) -> Result<(), Error> {
    let reply = match operation.effect {
        Effect::Read if operation.answer == Answer::Json => client.fetch(operation, arguments).await,
        _ => client.execute(operation, arguments).await,
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) if operation.effect == Effect::Read => {
            return local::stand_in(context, operation, arguments, matches, None, error).await;
        }
        Err(error) => return nothing_to_do(context, operation.method.as_str(), error).await,
    };
    if operation.answer == Answer::Text && matches.get_flag("text") {
        let mut text = Output::bytes(&context.globals)?;
        text.write(&reply.body)?;
        return text.end().await;
    }
    let (raw, page) = document(operation, arguments, reply)?;
    let records = page.as_ref().and_then(|page| {
        let advice = if operation.paging == Paging::None { "the API shows no more" } else { MORE };
        let extent = first_page(operation, arguments, page, advice);
        let extent = extent.followed_by(next_page(operation, page.next.as_ref()));
        Some(Records { key: page.key.as_deref()?, extent, shown: page.items.len() as u64 })
    });
    let shown = Output::open(&context.globals)?.document(meta(), &raw, records).await;
    match action {
        Some(_) if shown.is_err() => warn("the change was made all the same; do not send it again"),
        // An answer may be a bare id, which means nothing to a person.
        Some(action) if Format::of(&context.globals) == Format::Table => tell(&naming::done(action)),
        _ => {}
    }
    shown
}

/// One page of what a filter selects.
async fn one_page(
    context: &Context,
    client: &Client,
    operation: &'static Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    condition: Option<&Condition>,
) -> Result<(), Error> {
    let Some(selected) = condition else {
        return once(context, client, operation, arguments, matches, None).await;
    };
    let page = match narrowed::page(client, operation, arguments, selected).await {
        Ok(page) => page,
        Err(error) => {
            return local::stand_in(context, operation, arguments, matches, condition, error).await;
        }
    };
    let mut meta = meta();
    if let Some(count) = page.at_most {
        meta["total_count_at_most"] = json!(count);
    }
    let records = page.list.as_deref().map(|key| {
        let total = page.total.filter(|total| *total >= page.shown);
        let extent = extent(operation, total, page.has_more, MORE);
        let extent = extent.followed_by(next_page(operation, page.next.as_ref()));
        Records { key, extent, shown: page.shown }
    });
    Output::open(&context.globals)?.document(meta, &page.text, records).await
}

fn meta() -> Value {
    json!({ "source": "live" })
}

/// What to type for the rest of a list.
pub const MORE: &str = "--all or --limit N for more";

/// How much of a list its first page is; `advice` is what to type for the rest.
pub fn first_page(
    operation: &Operation,
    arguments: &Arguments,
    page: &Page,
    advice: impl Into<Cow<'static, str>>,
) -> Extent {
    let shown = page.items.len() as u64;
    let total = page.total.filter(|total| *total >= shown);
    let is_short = is_first_page(&arguments.query, arguments.body.as_deref())
        && total.is_some_and(|total| total > shown);
    extent(operation, total, page.next.is_some() || page.has_more || is_short, advice)
}

/// What to add to the same command for the page after this one.
fn next_page(operation: &Operation, next: Option<&Next>) -> Option<NextPage> {
    let (name, cursor) = match next? {
        Next::StartingAfter(cursor) => ("starting_after", cursor.clone()),
        Next::Page(page) => ("page", page.to_string()),
        Next::Scroll(cursor) => ("scroll_param", cursor.clone()),
        Next::Query(name, value) => (name.as_str(), value.clone()),
    };
    let names = [name.to_owned(), format!("pagination.{name}")];
    let parameter =
        operation.parameters.iter().find(|parameter| names.iter().any(|name| name == parameter.name))?;
    Some(NextPage { flag: format!("--{}", parameter.flag), cursor })
}

fn extent(
    operation: &Operation,
    total: Option<u64>,
    has_more: bool,
    advice: impl Into<Cow<'static, str>>,
) -> Extent {
    let what = records(operation);
    let extent = Extent::part(what.clone(), total, has_more, advice);
    match operation.path.ends_with("/search") {
        true => extent.or(format!("no {what} match")),
        false => extent,
    }
}

/// What an operation lists, in the plural: the last word of its path that names records.
fn records(operation: &Operation) -> String {
    let named = |word: &&str| !word.starts_with('{') && !["", "search", "list", "scroll"].contains(word);
    let word = operation.path.split('/').rfind(named).unwrap_or("records");
    word.replace('_', " ")
}

/// The answer as JSON text, and as a page if it may be a list. A success that needs no answer may be empty.
fn document(
    operation: &Operation,
    arguments: &Arguments,
    reply: Reply,
) -> Result<(String, Option<Page>), Error> {
    let empty = reply.body.iter().all(u8::is_ascii_whitespace);
    match operation.answer {
        Answer::Text => Ok((json!(String::from_utf8_lossy(&reply.body)).to_string(), None)),
        Answer::Nothing if reply.json_text().is_err() => Ok(("null".to_owned(), None)),
        // Reporting a change that was made as failed would have it made again.
        _ if empty && operation.effect != Effect::Read => Ok(("null".to_owned(), None)),
        _ => {
            let text = reply.json_text()?.to_owned();
            let list = text.trim_start().starts_with('{').then(|| Page::read(operation, arguments, reply));
            Ok((text, list.transpose()?))
        }
    }
}

/// `--idempotent` and `--ignore-missing`: a create that finds its record, and a delete that finds none, have
/// nothing left to do. An archived or ambiguous match is not the record that was asked for.
///
/// # Errors
/// The error itself otherwise.
pub async fn nothing_to_do(context: &Context, method: &str, error: api::Error) -> Result<(), Error> {
    let (reason, id) = match (method, error.status(), error.conflict()) {
        ("POST", _, Some(Conflict::Exists { id })) if context.globals.idempotent => ("already_exists", id),
        ("DELETE", Some(404 | 410), _) if context.globals.ignore_missing => ("already_deleted", None),
        _ => return Err(error.into()),
    };
    if id.is_none() && Format::of(&context.globals) == Format::Quiet {
        return Ok(());
    }
    let meta = json!({ "source": "live", "status": "noop", "reason": reason });
    let mut result = json!({ "status": "noop", "reason": reason });
    if let Some(id) = id {
        result["id"] = json!(id);
    }
    Output::open(&context.globals)?.document(meta, &result.to_string(), None).await
}

/// The page size for a walk: what was asked for, the limit if that is less than a page, or the most.
fn wish(operation: &Operation, arguments: &Arguments, limit: Option<u64>) -> Option<u32> {
    let asked =
        arguments.query.iter().find(|(name, _)| name == "per_page").and_then(|(_, it)| it.parse().ok());
    let asked = asked.or_else(|| {
        let body: Value = serde_json::from_slice(arguments.body.as_deref()?).ok()?;
        body["pagination"]["per_page"].as_u64().and_then(|it| u32::try_from(it).ok())
    });
    asked.or_else(|| page_size(operation, limit.map(|it| u32::try_from(it).unwrap_or(u32::MAX))))
}

/// Those of the records that are meant.
async fn meant(
    client: &Client,
    condition: Option<&Condition>,
    records: &[Box<RawValue>],
) -> Result<Vec<Box<RawValue>>, api::Error> {
    match condition {
        Some(condition) => condition.select(client, records.to_vec()).await,
        None => Ok(records.to_vec()),
    }
}

/// Writes records as their pages arrive. The document is closed also when a page fails, and says so.
async fn list(
    context: &Context,
    client: &Client,
    operation: &'static Operation,
    arguments: Arguments,
    matches: &ArgMatches,
    condition: Option<&Condition>,
) -> Result<(), Error> {
    let limit = limit(matches);
    let size = wish(operation, &arguments, looked_at(matches, condition));
    let mut pages = std::pin::pin!(client.pages(operation, arguments.clone(), size));
    // Nothing is written before the first page is here: a failed request leaves stdout empty.
    let mut first = pages.try_next().await;
    if let (Some(condition), Err(error)) = (condition, &first)
        && let Some(other) = condition.without_null(&arguments, error)
    {
        pages.set(client.pages(operation, other, size));
        first = pages.try_next().await;
    }
    let first = match first {
        Ok(Some(first)) => first,
        Ok(None) => return Ok(()),
        Err(error) => {
            return local::stand_in(context, operation, &arguments, matches, condition, error).await;
        }
    };
    let Some(key) = first.key.clone().or_else(|| first.is_empty_list().then(|| "data".to_owned())) else {
        warn("the answer holds no list; it is shown as it is");
        return Output::open(&context.globals)?.document(meta(), first.reply.json_text()?, None).await;
    };
    let shown = meant(client, condition, &first.items).await?;
    let mut list = Output::open(&context.globals)?.list(&key, &shown)?;
    let (mut total, mut end) = (first.total, None);
    let mut next = Some(Ok(first));
    let (mut fetched, mut failure, mut more) = (0_u64, None, false);
    'pages: while let Some(page) = next {
        let page = match page {
            Ok(page) => page,
            // All that was wanted is here; only whether there is more is not known.
            Err(_) if limit == Some(list.count()) => {
                more = true;
                break;
            }
            Err(error) => {
                failure = Some(Error::from(error));
                break;
            }
        };
        fetched += 1;
        end = page.end.clone();
        let records =
            if fetched == 1 { shown.clone() } else { meant(client, condition, &page.items).await? };
        for record in &records {
            // One more than was wanted: whether there is more is known only then.
            if limit == Some(list.count()) {
                more = true;
                break;
            }
            if let Err(error) = list.raw(record) {
                failure = Some(error);
                break 'pages;
            }
        }
        let is_full = limit == Some(list.count());
        // Without a filter, what another page holds is more; with one, it may not be meant.
        more |= is_full && condition.is_none() && page.next.is_some();
        next = if more || (is_full && condition.is_none()) { None } else { pages.next().await };
    }
    // The list's own counts are held against what came, unless the user wanted no more.
    let missing = end.filter(|end: &Coverage| !more && !end.complete);
    let is_full = limit == Some(list.count());
    more |= is_full && missing.is_some();
    let missing = missing.filter(|_| !is_full);
    let failure = failure.or_else(|| missing.as_ref().map(lacking));
    let has_more = more || failure.is_some();
    let count = list.count();
    // The server's count is that of its own search, which may find more than the filter means.
    let is_exact = condition.is_none();
    total = missing.and_then(|end| end.total).or(total).filter(|total| is_exact && *total >= count);
    let meta = json!({ "source": "live", "count": count, "pages": fetched, "complete": failure.is_none() });
    let total = if has_more { total } else { Some(count) };
    let extent = extent(operation, total, has_more, MORE).with_error(failure.is_some());
    match failure {
        // A file that is there already is worth more than a part of the new one.
        Some(error) if context.globals.deliver != Deliver::Stdout => Err(error),
        Some(error) => list.end(meta, &extent).await.and(Err(error)),
        None => list.end(meta, &extent).await,
    }
}

/// A list that ended before everything had come that it counts.
fn lacking(end: &Coverage) -> Error {
    Error::Finding {
        message: format!(
            "the list is not complete: {}",
            end.reason.as_deref().unwrap_or("records are missing")
        ),
        exit: Exit::Partial,
        hint: Some("run it again: records that change while a list is read can move past it".to_owned()),
    }
}

/// A file inside the JSON document that was asked for, where no place for it was named.
async fn inline(context: &Context, mut download: Download) -> Result<(), Error> {
    use base64::Engine;
    let mut content = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        content.extend_from_slice(&chunk);
    }
    refuse_nothing(content.len())?;
    let kind = download.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let encoded = base64::engine::general_purpose::STANDARD.encode(&content);
    let result = json!({ "bytes": content.len(), "content_type": kind, "base64": encoded }).to_string();
    Output::open(&context.globals)?.document(meta(), &result, None).await
}

/// A login page or a proxy's notice must not be taken for the file.
fn refuse_page(download: &Download) -> Result<(), Error> {
    let kind = download.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.trim_start().to_ascii_lowercase().starts_with("text/html") {
        true => Err(no_file("a web page")),
        false => Ok(()),
    }
}

fn refuse_nothing(bytes: usize) -> Result<(), Error> {
    if bytes == 0 { Err(no_file("nothing")) } else { Ok(()) }
}

fn no_file(instead: &str) -> Error {
    Error::Finding {
        message: format!("the server sent {instead} instead of the file"),
        exit: Exit::Failure,
        hint: Some("try again later; `intercom-pp-cli doctor` checks the address".to_owned()),
    }
}

/// Streams a file to `--out`, replacing it in one step, or to stdout when that is no terminal.
async fn download(
    context: &Context,
    client: &Client,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let out = matches.get_one::<OutputFile>("out");
    let to_stdout = out.is_none_or(OutputFile::is_stdout);
    let to_terminal = Format::of(&context.globals) == Format::Table && std::io::stdout().is_terminal();
    if out.is_none() && context.globals.deliver == Deliver::Stdout && to_terminal {
        return Err(Error::usage("this is a file: name a place for it with --out PATH, or pipe the output"));
    }
    let mut download = client.download(operation, arguments).await?;
    refuse_page(&download)?;
    if out.is_none() && Format::of(&context.globals) == Format::Json && context.globals.json {
        return inline(context, download).await;
    }
    if to_stdout {
        let mut file = Output::bytes(&context.globals)?;
        let mut bytes = 0;
        while let Some(chunk) = download.chunk().await? {
            file.write(&chunk)?;
            bytes += chunk.len();
        }
        refuse_nothing(bytes)?;
        return file.end().await;
    }
    let Some(out) = out else { return Ok(()) };
    let mut file = out.replace()?;
    let mut bytes = 0;
    while let Some(chunk) = download.chunk().await? {
        file.write_all(&chunk)?;
        bytes += chunk.len();
    }
    refuse_nothing(bytes)?;
    let path = file.finish()?;
    let result = json!({ "path": path, "bytes": bytes }).to_string();
    Output::open(&context.globals)?.document(meta(), &result, None).await
}
