//! `api <METHOD> <PATH>`: any request, for what no command covers.
//!
//! Goes through the same transport as every command. The path is taken as written and must belong
//! to the configured server: a full address is refused, so that the token cannot be sent elsewhere.

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
use crate::cli::endpoint::{first_page, nothing_to_do};
use crate::cli::error::Error;
use crate::cli::output::{Extent, Output};
use crate::cli::{arguments, door, preview};

pub fn command() -> Command {
    Command::new("api")
        .about("Send any request: api GET /me")
        .arg(Arg::new("method").value_name("METHOD").required(true).help("GET, POST, PUT, PATCH or DELETE"))
        .arg(
            Arg::new("path")
                .value_name("ADDRESS")
                .required(true)
                .help("Path on the server, such as /contacts/search"),
        )
        .arg(
            Arg::new("query")
                .long("query")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("Query parameter; may be repeated"),
        )
        .arg(door::content("body-json").value_name("JSON").help("The body: JSON, @file, or - for stdin"))
        .arg(
            Arg::new("stdin")
                .long("stdin")
                .action(ArgAction::SetTrue)
                .conflicts_with("body-json")
                .help("The body from stdin"),
        )
        .after_help("Example: intercom-pp-cli api GET /contacts --query per_page=5")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let method = method(text("method").unwrap_or_default())?;
    let path = text("path").unwrap_or_default();
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(Error::usage(format!("{path:?} is no path; it begins with one slash, as in /contacts")));
    }
    let (path, query) = query(path, matches)?;
    let body = arguments::given_body(matches).map(|body| body.json()).transpose()?;

    let client = if context.globals.dry_run { context.client_for_preview()? } else { context.client()? };
    let mut request = client.transport().request(method.clone(), &path, &query)?;
    if let Some(version) = client.version_at(method.as_str(), &path) {
        let value = version.parse().map_err(|_| Error::usage(format!("{version:?} is no API version")))?;
        request.headers_mut().insert("intercom-version", value);
    }
    let records = effect::records(body.as_ref());
    if let Some(body) = body {
        *request.body_mut() = Some(body.to_string().into());
    }
    if context.globals.dry_run {
        return preview::show(context, &client, &request).await;
    }
    let (effect, confirm) = effect::of_request(method.as_str(), &path);
    if effect != Effect::Read {
        context.agree(&Intent::new(format!("{method} {path}"), confirm).of_many(records))?;
    }
    let reply = match client.transport().send(request, Idempotency::of(&method)).await {
        Ok(reply) => reply,
        Err(error) => return nothing_to_do(context, method.as_str(), error).await,
    };
    let raw = match reply.json_text() {
        Ok(text) => text.to_owned(),
        Err(_) if reply.body.iter().all(u8::is_ascii_whitespace) && method != Method::GET => {
            "null".to_owned()
        }
        Err(error) => return Err(error.into()),
    };
    let mut output = Output::open(&context.globals)?;
    if let Some((extent, shown)) = listed(&method, &path, &query, reply) {
        output = output.of(extent, shown);
    }
    output.document(json!({ "source": "live" }), &raw, None).await
}

/// How much of a list the answer is, where the API is known to answer with one.
fn listed(method: &Method, path: &str, query: &[(String, String)], reply: Reply) -> Option<(Extent, u64)> {
    let operation = operation_at(method.as_str(), path)?;
    let arguments = Arguments { query: query.to_vec(), ..Arguments::default() };
    let page = Page::read(operation, &arguments, reply).ok().filter(|page| page.key.is_some())?;
    let spelling = operation.spellings().next()?;
    let advice = format!("`{spelling}` has --all and --limit");
    Some((first_page(operation, &arguments, &page, advice), page.items.len() as u64))
}

fn method(text: &str) -> Result<Method, Error> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => Method::from_bytes(upper.as_bytes())
            .map_err(|_| Error::usage(format!("{text:?} is no HTTP method"))),
        _ => Err(Error::usage_with_hint(
            format!("{text:?} is no HTTP method"),
            "use GET, POST, PUT, PATCH or DELETE",
        )),
    }
}

/// The path without its query, and all query parameters.
fn query(path: &str, matches: &ArgMatches) -> Result<(String, Vec<(String, String)>), Error> {
    let (path, inline) = path.split_once('?').unwrap_or((path, ""));
    let mut query: Vec<(String, String)> = reqwest::Url::parse(&format!("http://localhost/?{inline}"))
        .map_or_else(|_| Vec::new(), |url| url.query_pairs().into_owned().collect());
    for pair in matches.get_many::<String>("query").into_iter().flatten() {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("--query: {pair:?} is not key=value")))?;
        query.push((name.to_owned(), value.to_owned()));
    }
    Ok((path.to_owned(), query))
}
