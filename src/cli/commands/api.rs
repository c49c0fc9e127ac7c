//! `api <METHOD> <PATH>`: sends any request, for endpoints without a command.
//!
//! Uses the same transport as every command. A full URL is refused, because the token must never be sent to another
//! server.

use clap::{Arg, ArgAction, ArgMatches, Command};
use reqwest::Method;
use serde_json::json;

use crate::api::effect;
use crate::api::operation::Effect;
use crate::api::paging::Page;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation_at};
use crate::api::transport::Idempotency;
use crate::cli::consent::Intent;
use crate::cli::context::Context;
use crate::cli::endpoint::{first_page, success_if_no_op};
use crate::cli::error::{Error, Hint};
use crate::cli::output::{Extent, Output};
use crate::cli::{arguments, files, preview};

pub fn command() -> Command {
    Command::new("api")
        .about("Send any request to the API, for example api GET /me")
        .arg(Arg::new("method").value_name("METHOD").required(true).help("GET, POST, PUT, PATCH or DELETE"))
        .arg(
            Arg::new("path")
                .value_name("ADDRESS")
                .required(true)
                .help("Path of the endpoint, for example /contacts/search"),
        )
        .arg(
            Arg::new("query")
                .long("query")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("Query parameter (repeatable)"),
        )
        .arg(files::content("body-json").value_name("JSON").help("Request body: JSON, @FILE, or - for stdin"))
        .arg(
            Arg::new("stdin")
                .long("stdin")
                .action(ArgAction::SetTrue)
                .conflicts_with("body-json")
                .help("Read the request body from stdin"),
        )
        .after_help("Example: intercom-pp-cli api GET /contacts --query per_page=5")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let method = method(text("method").unwrap_or_default())?;
    let path = text("path").unwrap_or_default();
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(Error::usage(format!(
            "invalid path {path:?}: expected one leading slash, for example /contacts"
        )));
    }
    let (path, query) = query(path, matches)?;
    let body = arguments::body_content(matches).map(|body| body.json()).transpose()?;

    let client =
        if context.globals.consent.dry_run { context.client_for_preview()? } else { context.client()? };
    let mut request = client.transport().request(method.clone(), &path, &query)?;
    if let Some(version) = client.version_at(method.as_str(), &path) {
        let value = version.parse().map_err(|_| Error::usage(format!("invalid API version {version:?}")))?;
        request.headers_mut().insert("intercom-version", value);
    }
    let records = effect::records(body.as_ref());
    if let Some(body) = body {
        *request.body_mut() = Some(body.to_string().into());
    }
    if context.globals.consent.dry_run {
        return preview::show(context, &client, &request).await;
    }
    let (effect, confirm) = effect::of_request(method.as_str(), &path);
    if effect != Effect::Read {
        context.confirm(&Intent::new(format!("{method} {path}"), confirm).with_records(records))?;
    }
    let reply = match client.transport().send(request, Idempotency::of(&method)).await {
        Ok(reply) => reply,
        Err(error) => return success_if_no_op(context, method.as_str(), error).await,
    };
    let raw = match reply.json_text() {
        Ok(text) => text.to_owned(),
        Err(_) if reply.body.iter().all(u8::is_ascii_whitespace) && method != Method::GET => {
            "null".to_owned()
        }
        Err(error) => return Err(error.into()),
    };
    let mut output = Output::open(&context.globals.output)?;
    if let Some((extent, shown)) = listed(&method, &path, &query, reply) {
        output = output.of(extent, shown);
    }
    output.document(json!({ "source": "live" }), &raw, None).await
}

/// How much of a list the response holds, for operations that return one.
fn listed(method: &Method, path: &str, query: &[(String, String)], reply: Reply) -> Option<(Extent, u64)> {
    let operation = operation_at(method.as_str(), path)?;
    let arguments = Arguments { query: query.to_vec(), ..Arguments::default() };
    let page = Page::read(operation, &arguments, reply).ok().filter(|page| page.key.is_some())?;
    let spelling = operation.spellings().next()?;
    let advice = Hint::new(format!("`{spelling}` has ")).flag("all").text(" and ").flag("limit");
    Some((first_page(operation, &arguments, &page, advice), page.items.len() as u64))
}

fn method(text: &str) -> Result<Method, Error> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => Method::from_bytes(upper.as_bytes())
            .map_err(|_| Error::usage(format!("invalid HTTP method {text:?}"))),
        _ => Err(Error::usage_with_hint(
            format!("unknown HTTP method {text:?}"),
            "use GET, POST, PUT, PATCH or DELETE",
        )),
    }
}

/// Splits the path from its query, and adds the parameters of `--query`.
fn query(path: &str, matches: &ArgMatches) -> Result<(String, Vec<(String, String)>), Error> {
    let (path, inline) = path.split_once('?').unwrap_or((path, ""));
    let mut query: Vec<(String, String)> = reqwest::Url::parse(&format!("http://localhost/?{inline}"))
        .map_or_else(|_| Vec::new(), |url| url.query_pairs().into_owned().collect());
    for pair in matches.get_many::<String>("query").into_iter().flatten() {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Error::usage(format!("--query: invalid parameter {pair:?}: expected KEY=VALUE"))
        })?;
        query.push((name.to_owned(), value.to_owned()));
    }
    Ok((path.to_owned(), query))
}
