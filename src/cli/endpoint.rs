//! Runs one operation of the table: bind, show or confirm, send, write the answer.

use std::io::{IsTerminal, Write};
use std::path::Path;

use clap::ArgMatches;
use futures::{StreamExt, TryStreamExt};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::arguments;
use super::capture;
use super::commands::filter;
use super::context::Context;
use super::error::{Error, Exit};
use super::globals::{DataSource, Deliver};
use super::local;
use super::output::{Format, Output, warn};
use super::preview;
use crate::api;
use crate::api::client::Client;
use crate::api::executor::Arguments;
use crate::api::operation::{Answer, Effect, Operation, Paging};
use crate::api::page_arguments::page_size;
use crate::api::paging::Page;
use crate::api::reply::Reply;
use crate::api::transport::Download;

/// # Errors
/// Everything that can go wrong between the terminal and the server.
pub async fn run(
    context: &Context,
    operation: &'static Operation,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let query = filter::of_search(context, operation, matches).await?;
    let arguments = arguments::bind(operation, matches, query)?;
    if context.globals.data_source == DataSource::Local {
        return local::answer(context, operation, &arguments, matches).await;
    }
    if context.globals.dry_run {
        return dry_run(context, operation, arguments, matches).await;
    }
    if operation.effect == Effect::Destructive {
        let path = context.client_for_preview()?.request(operation, &arguments)?.url().path().to_owned();
        confirm(context, &format!("{} {path}", operation.method.as_str()))?;
    }
    let client = context.client()?;
    let walks = operation.paging != Paging::None && (matches.get_flag("all") || limit(matches).is_some());
    match operation.answer {
        Answer::Bytes => download(context, &client, operation, &arguments, matches).await,
        _ if walks => list(context, &client, operation, arguments, matches).await,
        _ => once(context, &client, operation, &arguments, matches).await,
    }
}

fn limit(matches: &ArgMatches) -> Option<u64> {
    matches.get_one::<u64>("limit").copied()
}

async fn dry_run(
    context: &Context,
    operation: &Operation,
    arguments: Arguments,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let client = context.client_for_preview()?;
    let walks = operation.paging != Paging::None && (matches.get_flag("all") || limit(matches).is_some());
    let request = match walks {
        true => {
            client.first_page_request(operation, &arguments, wish(operation, &arguments, limit(matches)))?
        }
        false => client.request(operation, &arguments)?,
    };
    preview::show(context, &client, &request).await
}

/// Asks before something is overwritten or removed; refuses where nobody can be asked.
///
/// # Errors
/// [`Error::Usage`] when it was not confirmed.
pub fn confirm(context: &Context, action: &str) -> Result<(), Error> {
    if context.globals.yes {
        return Ok(());
    }
    let refused = |reason: &str| {
        Error::usage_with_hint(
            format!("{action}: {reason}"),
            "confirm with --yes, or look first with --dry-run",
        )
    };
    if context.globals.no_input || !capture::has_stdin() || !std::io::stdin().is_terminal() {
        return Err(refused("this overwrites or removes something and was not confirmed"));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "{action} overwrites or removes something. Go on? [y/N] ")
        .and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(refused("not confirmed")),
    }
}

async fn once(
    context: &Context,
    client: &Client,
    operation: &Operation,
    arguments: &Arguments,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let reply = match operation.effect {
        Effect::Read if operation.answer == Answer::Json => client.fetch(operation, arguments).await,
        _ => client.execute(operation, arguments).await,
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) if operation.effect == Effect::Read => {
            return local::stand_in(context, operation, arguments, matches, error).await;
        }
        Err(error) => return nothing_to_do(context, operation.method.as_str(), error).await,
    };
    if operation.answer == Answer::Text && matches.get_flag("text") {
        let mut text = Output::bytes(&context.globals)?;
        text.write(&reply.body)?;
        return text.end().await;
    }
    let (raw, list) = document(operation, arguments, reply)?;
    let shown = Output::open(&context.globals)?.document(meta(), &raw, list.as_deref()).await;
    if shown.is_err() && operation.effect != Effect::Read {
        warn("the change was made all the same; do not send it again");
    }
    shown
}

fn meta() -> Value {
    json!({ "source": "live" })
}

/// The answer as JSON text and the key of its list. A success that needs no answer may be empty.
fn document(
    operation: &Operation,
    arguments: &Arguments,
    reply: Reply,
) -> Result<(String, Option<String>), Error> {
    let empty = reply.body.iter().all(u8::is_ascii_whitespace);
    match operation.answer {
        Answer::Text => Ok((json!(String::from_utf8_lossy(&reply.body)).to_string(), None)),
        Answer::Nothing if reply.json_text().is_err() => Ok(("null".to_owned(), None)),
        // Reporting a change that was made as failed would have it made again.
        _ if empty && operation.effect != Effect::Read => Ok(("null".to_owned(), None)),
        _ => {
            let text = reply.json_text()?.to_owned();
            let list = text.trim_start().starts_with('{').then(|| Page::read(operation, arguments, reply));
            Ok((text, list.transpose()?.and_then(|page| page.key)))
        }
    }
}

/// `--idempotent` and `--ignore-missing`: what is already so needs no doing.
///
/// # Errors
/// The error itself otherwise.
pub async fn nothing_to_do(context: &Context, method: &str, error: api::Error) -> Result<(), Error> {
    let reason = match (method, error.status()) {
        ("POST", Some(409)) if context.globals.idempotent => "already_exists",
        ("DELETE", Some(404)) if context.globals.ignore_missing => "already_deleted",
        _ => return Err(error.into()),
    };
    // What would be printed is an id, and there is none.
    if Format::of(&context.globals) == Format::Quiet {
        return Ok(());
    }
    let meta = json!({ "source": "live", "status": "noop", "reason": reason });
    let result = json!({ "status": "noop", "reason": reason }).to_string();
    Output::open(&context.globals)?.document(meta, &result, None).await
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

/// Writes records as their pages arrive. The document is closed also when a page fails, and says so.
async fn list(
    context: &Context,
    client: &Client,
    operation: &'static Operation,
    arguments: Arguments,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let limit = limit(matches);
    let size = wish(operation, &arguments, limit);
    let mut pages = std::pin::pin!(client.pages(operation, arguments.clone(), size));
    // Nothing is written before the first page is here: a failed request leaves stdout empty.
    let first = match pages.try_next().await {
        Ok(Some(first)) => first,
        Ok(None) => return Ok(()),
        Err(error) => return local::stand_in(context, operation, &arguments, matches, error).await,
    };
    let Some(key) = first.key.clone().or_else(|| first.is_empty_list().then(|| "data".to_owned())) else {
        warn("the answer holds no list; it is shown as it is");
        return Output::open(&context.globals)?.document(meta(), first.reply.json_text()?, None).await;
    };
    let mut list = Output::open(&context.globals)?.list(&key, &first.items)?;
    let mut next = Some(Ok(first));
    let (mut fetched, mut failure, mut more) = (0_u64, None, false);
    while let Some(page) = next {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                failure = Some(error);
                break;
            }
        };
        fetched += 1;
        for (index, record) in page.items.iter().enumerate() {
            list.raw(record)?;
            more = limit == Some(list.count()) && (index + 1 < page.items.len() || page.next.is_some());
            if limit == Some(list.count()) {
                break;
            }
        }
        next = if limit == Some(list.count()) { None } else { pages.next().await };
    }
    let meta = json!({
        "source": "live", "count": list.count(), "pages": fetched, "complete": failure.is_none(), "has_more": more || failure.is_some(),
    });
    match failure {
        // A file that is there already is worth more than a part of the new one.
        Some(error) if context.globals.deliver != Deliver::Stdout => Err(error.into()),
        Some(error) => list.end(meta).await.and(Err(error.into())),
        None => list.end(meta).await,
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
    let out = matches.get_one::<String>("out").map(String::as_str);
    let to_stdout = matches!(out, None | Some("-"));
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
    let path = &capture::allowed(Path::new(out.unwrap_or_default())).map_err(Error::usage)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let mut bytes = 0;
    while let Some(chunk) = download.chunk().await? {
        file.write_all(&chunk)?;
        bytes += chunk.len();
    }
    refuse_nothing(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    let result = json!({ "path": path, "bytes": bytes }).to_string();
    Output::open(&context.globals)?.document(meta(), &result, None).await
}
