//! `api <METHOD> <PATH>`: sends any request, for endpoints without a command.
//!
//! Uses the same transport as every command. A full URL is refused, because the token must never be sent to another
//! server.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use crate::api::effect;
use crate::api::operation;
use crate::api::paging::Page;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation_at};
use crate::api::transport::Idempotency;
use crate::cli::consent::Intent;
use crate::cli::context::Context;
use crate::cli::endpoint::success_if_no_op;
use crate::cli::error::{Error, Hint};
use crate::cli::files::Content;
use crate::cli::list_extent::first_page;
use crate::cli::output::{Extent, Output};
use crate::cli::preview;
use crate::cli::registry::{Effect, HandwrittenCommand};

/// Send any request to the API, for example api GET /me
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli api GET /contacts --query per_page=5")]
pub struct CallApi {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_name = "METHOD")]
    method: String,
    /// Path of the endpoint, for example /contacts/search
    #[arg(value_name = "ADDRESS")]
    path: String,
    /// Query parameter (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    query: Vec<String>,
    /// Request body: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body_json: Option<Content>,
    /// Read the request body from stdin
    #[arg(long, conflicts_with = "body_json")]
    stdin: bool,
}

impl HandwrittenCommand for CallApi {
    const WORDS: &'static str = "api";
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let method = method(&self.method)?;
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(Error::usage(format!(
                "invalid path {:?}: expected one leading slash, for example /contacts",
                self.path
            )));
        }
        let (path, query) = query(&self.path, &self.query)?;
        let body = self.body_json.or_else(|| self.stdin.then(Content::of_stdin));
        let body = body.map(|body| body.json()).transpose()?;

        let client =
            if context.globals.consent.dry_run { context.client_for_preview()? } else { context.client()? };
        let mut request = client.transport().request(method.clone(), &path, &query)?;
        if let Some(version) = client.version_at(method.as_str(), &path) {
            let value =
                version.parse().map_err(|_| Error::usage(format!("invalid API version {version:?}")))?;
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
        if effect != operation::Effect::Read {
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
fn query(path: &str, pairs: &[String]) -> Result<(String, Vec<(String, String)>), Error> {
    let (path, inline) = path.split_once('?').unwrap_or((path, ""));
    let mut query: Vec<(String, String)> = reqwest::Url::parse(&format!("http://localhost/?{inline}"))
        .map_or_else(|_| Vec::new(), |url| url.query_pairs().into_owned().collect());
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Error::usage(format!("--query: invalid parameter {pair:?}: expected KEY=VALUE"))
        })?;
        query.push((name.to_owned(), value.to_owned()));
    }
    Ok((path.to_owned(), query))
}
