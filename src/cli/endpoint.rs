//! Runs an operation: binds its arguments, previews or confirms it, sends it, and writes the result.

use std::io::{IsTerminal, Write};

use clap::ArgMatches;
use futures::{StreamExt, TryStreamExt};
use reqwest::header::CONTENT_TYPE;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::arguments;
use super::commands::filter::{self, WhereFilter};
use super::confirmation;
use super::context::Context;
use super::error::{Error, Exit, Hint};
use super::files::OutputFile;
use super::filtered_page;
use super::globals::DataSource;
use super::offline;
use super::output::{Deliver, DocumentList, Extent, Format, NextPage, Output, notice, warn};
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
/// Usage errors, and those of the API and the output.
pub async fn run(
    context: &Context,
    operation: &'static Operation,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let condition = filter::from_search(context, operation, matches).await?;
    let condition = condition.as_ref();
    let arguments =
        arguments::bind(context, operation, matches, condition.map(|condition| condition.query.clone()))?;
    if context.globals.connection.data_source() == DataSource::Local {
        return offline::answer(context, operation, &arguments, matches, condition).await;
    }
    if context.globals.consent.dry_run {
        return dry_run(context, operation, arguments, matches, condition).await;
    }
    let action = match operation.effect {
        Effect::Read => None,
        _ => Some(confirmation::confirm(context, operation, &arguments).await?),
    };
    let client = context.client()?;
    let walks = operation.paging != Paging::None && (matches.get_flag("all") || limit(matches).is_some());
    match operation.answer {
        Answer::Bytes => download(context, &client, operation, &arguments, matches).await,
        _ if walks => list(context, &client, operation, arguments, matches, condition).await,
        _ if condition.is_some() => {
            one_page(context, &client, operation, &arguments, matches, condition).await
        }
        _ => single_request(context, &client, operation, &arguments, matches, action.as_deref()).await,
    }
}

fn limit(matches: &ArgMatches) -> Option<u64> {
    matches.get_one::<u64>("limit").copied()
}

/// Number of records to fetch for `--limit`. With a filter, one more, to find out whether there are more.
fn record_budget(matches: &ArgMatches, condition: Option<&WhereFilter>) -> Option<u64> {
    limit(matches).map(|limit| limit.saturating_add(u64::from(condition.is_some())))
}

async fn dry_run(
    context: &Context,
    operation: &Operation,
    arguments: Arguments,
    matches: &ArgMatches,
    condition: Option<&WhereFilter>,
) -> Result<(), Error> {
    let client = context.client_for_preview()?;
    let walks = operation.paging != Paging::None && (matches.get_flag("all") || limit(matches).is_some());
    let request = if walks {
        let size = walk_page_size(operation, &arguments, record_budget(matches, condition));
        client.first_page_request(operation, &arguments, size)?
    } else {
        client.request(operation, &arguments)?
    };
    preview::show(context, &client, &request).await
}

/// Sends a single request. `action` describes a change.
async fn single_request(
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
            return offline::answer_if_offline(context, operation, arguments, matches, None, error).await;
        }
        Err(error) => return success_if_no_op(context, operation.method.as_str(), error).await,
    };
    if operation.answer == Answer::Text && matches.get_flag("text") {
        let mut text = Output::bytes(&context.globals.output)?;
        text.write(&reply.body)?;
        return text.end().await;
    }
    let (raw, page) = document(operation, arguments, reply)?;
    let records = page.as_ref().and_then(|page| {
        let advice =
            if operation.paging == Paging::None { "the API returns no more".into() } else { more_hint() };
        let extent = first_page(operation, arguments, page, advice);
        let extent = extent.followed_by(next_page(operation, page.next.as_ref()));
        Some(DocumentList { key: page.key.as_deref()?, extent, shown: page.items.len() as u64 })
    });
    let shown = Output::open(&context.globals.output)?.document(meta(), &raw, records).await;
    match action {
        Some(_) if shown.is_err() => {
            warn("the change was made, only its output failed: do not send it again")
        }
        // The response may be a bare id, which does not say what happened.
        Some(action) if context.globals.output.format_or_default() == Format::Table => {
            notice(&confirmation::done(action))
        }
        _ => {}
    }
    shown
}

/// Fetches one page of the records that match the filter.
async fn one_page(
    context: &Context,
    client: &Client,
    operation: &'static Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
    condition: Option<&WhereFilter>,
) -> Result<(), Error> {
    let Some(filter) = condition else {
        return single_request(context, client, operation, arguments, matches, None).await;
    };
    let page = match filtered_page::page(client, operation, arguments, filter).await {
        Ok(page) => page,
        Err(error) => {
            return offline::answer_if_offline(context, operation, arguments, matches, condition, error)
                .await;
        }
    };
    let mut meta = meta();
    if let Some(count) = page.at_most {
        meta["total_count_at_most"] = json!(count);
    }
    let records = page.list.as_deref().map(|key| {
        let total = page.total.filter(|total| *total >= page.shown);
        let extent = extent(operation, total, page.has_more, more_hint());
        let extent = extent.followed_by(next_page(operation, page.next.as_ref()));
        DocumentList { key, extent, shown: page.shown }
    });
    Output::open(&context.globals.output)?.document(meta, &page.text, records).await
}

fn meta() -> Value {
    json!({ "source": "live" })
}

/// The flags for the rest of a list.
pub fn more_hint() -> Hint {
    Hint::default().flag("all").text(" or ").flag("limit").text(" N for more")
}

/// The extent of a list of which one page is shown; `advice` says how to get the rest.
pub fn first_page(operation: &Operation, arguments: &Arguments, page: &Page, advice: Hint) -> Extent {
    let shown = page.items.len() as u64;
    let total = page.total.filter(|total| *total >= shown);
    let is_short = is_first_page(&arguments.query, arguments.body.as_deref())
        && total.is_some_and(|total| total > shown);
    extent(operation, total, page.next.is_some() || page.has_more || is_short, advice)
}

/// The flag for the next page.
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

fn extent(operation: &Operation, total: Option<u64>, has_more: bool, advice: Hint) -> Extent {
    let what = records(operation);
    let extent = Extent::partial(what.clone(), total, has_more, advice);
    let is_search = operation.path.ends_with("/search");
    if is_search { extent.when_empty(format!("no {what} match")) } else { extent }
}

/// The records that an operation lists, in the plural: the last noun of its path.
fn records(operation: &Operation) -> String {
    let is_noun = |word: &&str| !word.starts_with('{') && !["", "search", "list", "scroll"].contains(word);
    let word = operation.path.split('/').rfind(is_noun).unwrap_or("records");
    word.replace('_', " ")
}

/// The response as JSON text, and as a page if it may be a list. Responses to changes may be empty.
fn document(
    operation: &Operation,
    arguments: &Arguments,
    reply: Reply,
) -> Result<(String, Option<Page>), Error> {
    let empty = reply.body.iter().all(u8::is_ascii_whitespace);
    match operation.answer {
        Answer::Text => Ok((json!(String::from_utf8_lossy(&reply.body)).to_string(), None)),
        Answer::Nothing if reply.json_text().is_err() => Ok(("null".to_owned(), None)),
        // An error would make the caller repeat a change that was made.
        _ if empty && operation.effect != Effect::Read => Ok(("null".to_owned(), None)),
        _ => {
            let text = reply.json_text()?.to_owned();
            let list = text.trim_start().starts_with('{').then(|| Page::read(operation, arguments, reply));
            Ok((text, list.transpose()?))
        }
    }
}

/// `--idempotent` and `--ignore-missing`: creating a record that exists, and deleting one that does not, succeed as
/// no-ops. An archived or ambiguous match does not count as existing.
///
/// # Errors
/// The given error in all other cases.
pub async fn success_if_no_op(context: &Context, method: &str, error: api::Error) -> Result<(), Error> {
    let (reason, id) = match (method, error.status(), error.conflict()) {
        ("POST", _, Some(Conflict::Exists { id })) if context.globals.consent.idempotent => {
            ("already_exists", id)
        }
        ("DELETE", Some(404 | 410), _) if context.globals.consent.ignore_missing => ("already_deleted", None),
        _ => return Err(error.into()),
    };
    if id.is_none() && context.globals.output.format_or_default() == Format::Quiet {
        return Ok(());
    }
    let meta = json!({ "source": "live", "status": "noop", "reason": reason });
    let mut result = json!({ "status": "noop", "reason": reason });
    if let Some(id) = id {
        result["id"] = json!(id);
    }
    Output::open(&context.globals.output)?.document(meta, &result.to_string(), None).await
}

/// The page size for several pages: `per_page` if given, else the smaller of the limit and the maximum.
fn walk_page_size(operation: &Operation, arguments: &Arguments, limit: Option<u64>) -> Option<u32> {
    let in_query = arguments.query.iter().find(|(name, _)| name == "per_page");
    let in_body = || {
        let body: Value = serde_json::from_slice(arguments.body.as_deref()?).ok()?;
        body["pagination"]["per_page"].as_u64().and_then(|size| u32::try_from(size).ok())
    };
    let size = in_query.and_then(|(_, size)| size.parse().ok()).or_else(in_body);
    size.or_else(|| page_size(operation, limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX))))
}

/// The records that match the filter.
async fn matching(
    client: &Client,
    condition: Option<&WhereFilter>,
    records: &[Box<RawValue>],
) -> Result<Vec<Box<RawValue>>, api::Error> {
    match condition {
        Some(condition) => condition.select(client, records.to_vec()).await,
        None => Ok(records.to_vec()),
    }
}

/// Writes records as their pages arrive. If a page fails, the document is still completed, and marked incomplete.
async fn list(
    context: &Context,
    client: &Client,
    operation: &'static Operation,
    arguments: Arguments,
    matches: &ArgMatches,
    condition: Option<&WhereFilter>,
) -> Result<(), Error> {
    let limit = limit(matches);
    let size = walk_page_size(operation, &arguments, record_budget(matches, condition));
    let mut pages = std::pin::pin!(client.pages(operation, arguments.clone(), size));
    // Write nothing before the first page has arrived, so that a failed request leaves stdout empty.
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
            return offline::answer_if_offline(context, operation, &arguments, matches, condition, error)
                .await;
        }
    };
    let Some(key) = first.key.clone().or_else(|| first.is_empty_list().then(|| "data".to_owned())) else {
        warn("the response contains no list and is shown unchanged");
        return Output::open(&context.globals.output)?.document(meta(), first.reply.json_text()?, None).await;
    };
    let shown = matching(client, condition, &first.items).await?;
    let mut list = Output::open(&context.globals.output)?.list(&key, &shown)?;
    let (mut total, mut end) = (first.total, None);
    let mut next = Some(Ok(first));
    let (mut fetched, mut failure, mut more) = (0_u64, None, false);
    'pages: while let Some(page) = next {
        let page = match page {
            Ok(page) => page,
            // The limit was reached before; only whether there is more is unknown.
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
            if fetched == 1 { shown.clone() } else { matching(client, condition, &page.items).await? };
        for record in &records {
            // One record above the limit proves that there is more.
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
        // Without a filter, a next page means more records; with one, they may not match.
        more |= is_full && condition.is_none() && page.next.is_some();
        next = if more || (is_full && condition.is_none()) { None } else { pages.next().await };
    }
    // Compare the server's count with the records received, unless the limit cut the list.
    let missing = end.filter(|end: &Coverage| !more && !end.complete);
    let is_full = limit == Some(list.count());
    more |= is_full && missing.is_some();
    let missing = missing.filter(|_| !is_full);
    let failure = failure.or_else(|| missing.as_ref().map(incomplete_list));
    let has_more = more || failure.is_some();
    let count = list.count();
    // The server's search may count more records than match the filter.
    let is_exact = condition.is_none();
    total = missing.and_then(|end| end.total).or(total).filter(|total| is_exact && *total >= count);
    let meta = json!({ "source": "live", "count": count, "pages": fetched, "complete": failure.is_none() });
    let total = if has_more { total } else { Some(count) };
    let extent = extent(operation, total, has_more, more_hint()).with_error(failure.is_some());
    match failure {
        // Do not replace an existing file with an incomplete one.
        Some(error) if *context.globals.output.deliver() != Deliver::Stdout => Err(error),
        Some(error) => list.end(meta, &extent).await.and(Err(error)),
        None => list.end(meta, &extent).await,
    }
}

/// The error for a list that ended before all records were received.
fn incomplete_list(end: &Coverage) -> Error {
    Error::Failed {
        message: format!(
            "the list is incomplete: {}",
            end.reason.as_deref().unwrap_or("records are missing")
        ),
        exit: Exit::Partial,
        hint: Some("run it again: records that change while a list is fetched can be missed".into()),
    }
}

/// Writes a file inside the JSON document, if `--json` is given without `--out`.
async fn inline(context: &Context, mut download: Download) -> Result<(), Error> {
    use base64::Engine;
    let mut content = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        content.extend_from_slice(&chunk);
    }
    refuse_empty(content.len())?;
    let kind = download.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let encoded = base64::engine::general_purpose::STANDARD.encode(&content);
    let result = json!({ "bytes": content.len(), "content_type": kind, "base64": encoded }).to_string();
    Output::open(&context.globals.output)?.document(meta(), &result, None).await
}

/// Refuses HTML, for example a login page or an error page of a proxy.
fn refuse_page(download: &Download) -> Result<(), Error> {
    let kind = download.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_html = kind.trim_start().to_ascii_lowercase().starts_with("text/html");
    if is_html { Err(not_a_file("a web page")) } else { Ok(()) }
}

fn refuse_empty(bytes: usize) -> Result<(), Error> {
    if bytes == 0 { Err(not_a_file("nothing")) } else { Ok(()) }
}

fn not_a_file(content: &str) -> Error {
    Error::Failed {
        message: format!("the server sent {content} instead of the file"),
        exit: Exit::Failure,
        hint: Some(Hint::new("try again later").then("").run("doctor").text(" checks the address")),
    }
}

/// Streams a file to `--out`, replacing it atomically, or to stdout if that is not a terminal.
async fn download(
    context: &Context,
    client: &Client,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let out = matches.get_one::<OutputFile>("out");
    let to_stdout = out.is_none_or(OutputFile::is_stdout);
    let to_terminal =
        context.globals.output.format_or_default() == Format::Table && std::io::stdout().is_terminal();
    if out.is_none() && *context.globals.output.deliver() == Deliver::Stdout && to_terminal {
        return Err(Error::usage(
            "a file cannot be printed to a terminal: use --out PATH, or pipe the output",
        ));
    }
    let mut download = client.download(operation, arguments).await?;
    refuse_page(&download)?;
    if out.is_none()
        && context.globals.output.format_or_default() == Format::Json
        && context.globals.output.format().is_some()
    {
        return inline(context, download).await;
    }
    if to_stdout {
        let mut file = Output::bytes(&context.globals.output)?;
        let mut bytes = 0;
        while let Some(chunk) = download.chunk().await? {
            file.write(&chunk)?;
            bytes += chunk.len();
        }
        refuse_empty(bytes)?;
        return file.end().await;
    }
    let Some(out) = out else { return Ok(()) };
    let mut file = out.replace()?;
    let mut bytes = 0;
    while let Some(chunk) = download.chunk().await? {
        file.write_all(&chunk)?;
        bytes += chunk.len();
    }
    refuse_empty(bytes)?;
    let path = file.finish()?;
    let result = json!({ "path": path, "bytes": bytes }).to_string();
    Output::open(&context.globals.output)?.document(meta(), &result, None).await
}
