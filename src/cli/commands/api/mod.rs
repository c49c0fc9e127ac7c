//! `api`: sends any request, for endpoints without a command.
//!
//! Uses the same transport and the same consent as every command. A full URL is refused, because the token must never be
//! sent to another server.

mod fields;
mod versions;

use clap::Args;
use futures::TryStreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use self::fields::Field;
pub use self::versions::ListVersions;
use crate::api::client::Client;
use crate::api::effect;
use crate::api::operation::{self, Operation};
use crate::api::paging::RawPage;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation_at, values_at};
use crate::api::transport::Idempotency;
use crate::cli::consent::Intent;
use crate::cli::context::Context;
use crate::cli::endpoint::{every_page, success_if_no_op};
use crate::cli::error::{Error, Hint};
use crate::cli::files::{Content, InputFile};
use crate::cli::list_extent::first_page;
use crate::cli::output::{Extent, Format, Output, notice};
use crate::cli::preview;
use crate::cli::registry::{Effect, HandwrittenCommand};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Send any request to the API
#[derive(Args)]
#[group(skip)]
#[command(
    override_usage = "intercom-pp-cli api [METHOD] <ENDPOINT> [OPTIONS]",
    after_help = "\
Fields build the body: a[b]=c is a field of an object, a[]=c an element of a list. With GET, or beside
a body, they become query parameters. -q is short for --jq, -H for --header.

Example: intercom-pp-cli api /contacts/search -F 'query[field]=role' -f 'query[operator]==' -f 'query[value]=user'

More:
  intercom-pp-cli api me
  intercom-pp-cli api GET /contacts --query per_page=5
  intercom-pp-cli api /conversations --paginate --jq '.results.conversations | length'
  intercom-pp-cli api -X PUT /contacts/ID -f name=Ann -F 'custom_attributes[seats]=9'
  intercom-pp-cli api /tags --input tag.json -i
  intercom-pp-cli api versions"
)]
pub struct CallApi {
    /// Path of the endpoint, for example /contacts/search
    #[arg(value_name = "ENDPOINT")]
    path: String,
    /// The endpoint, if the method is in front of it.
    #[arg(value_name = "ENDPOINT", hide = true)]
    after_method: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE [default: GET, or POST with fields or a body]
    #[arg(long, short = 'X', value_name = "METHOD")]
    method: Option<String>,
    /// Add a text field: KEY=VALUE (repeatable)
    #[arg(long, short = 'f', value_name = "KEY=VALUE")]
    raw_field: Vec<String>,
    /// Add a field whose value may be true, false, null, a number, @FILE or @- for stdin (repeatable)
    #[arg(long, short = 'F', value_name = "KEY=VALUE")]
    field: Vec<Content>,
    /// Read the request body from a file; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["body_json", "stdin"])]
    input: Option<InputFile>,
    /// Query parameter (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    query: Vec<String>,
    /// Request body: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body_json: Option<Content>,
    /// Read the request body from stdin
    #[arg(long, conflicts_with = "body_json")]
    stdin: bool,
    /// Fetch all pages and print one document
    #[arg(long)]
    paginate: bool,
    /// With --paginate, print the documents of all pages as a list
    #[arg(long, requires = "paginate")]
    slurp: bool,
    /// Show the status and the headers of the response: in `meta` of JSON, else on stderr
    #[arg(long, short = 'i', conflicts_with = "paginate")]
    include: bool,
    /// The global flag, which is short here. Its value is read there.
    #[arg(id = "header", long = "header", short = 'H', value_name = "NAME: VALUE", hide = true)]
    _headers: Vec<String>,
    /// The global flag, which is short here. Its value is read there.
    #[arg(id = "jq", long = "jq", short = 'q', value_name = "PROGRAM", hide = true)]
    _jq: Option<String>,
}

/// A request before it is built.
struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl HandwrittenCommand for CallApi {
    const WORDS: &'static str = "api";
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let (paginate, slurp, include) = (self.paginate, self.slurp, self.include);
        let call = self.call()?;
        let client =
            if context.globals.consent.dry_run { context.client_for_preview()? } else { context.client()? };
        let request = call.request(&client)?;
        if context.globals.consent.dry_run {
            return preview::show(context, &client, &request).await;
        }
        if paginate {
            let (operation, arguments) = call.list()?;
            return if slurp {
                slurped(context, &client, operation, arguments).await
            } else {
                every_page(context, &client, operation, arguments).await
            };
        }
        let Call { method, path, query, body } = call;
        let (effect, confirm) = effect::of_request(method.as_str(), &path);
        if effect != operation::Effect::Read {
            let records = effect::records(body.as_ref());
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
        let mut meta = json!({ "source": "live" });
        if include {
            show_head(context, &reply, &mut meta);
        }
        let mut output = Output::open(&context.globals.output)?;
        if let Some((extent, shown)) = listed(&method, &path, &query, reply) {
            output = output.of(extent, shown);
        }
        output.document(meta, &raw, None).await
    }
}

impl CallApi {
    fn call(self) -> Result<Call, Error> {
        let body = match (&self.input, self.body_json, self.stdin) {
            (Some(file), _, _) => {
                let text = file.text()?;
                let body = serde_json::from_str(&text);
                Some(body.map_err(|error| Error::usage(format!("--input: not valid JSON: {error}")))?)
            }
            (None, Some(content), _) => Some(content.json()?),
            (None, None, true) => Some(Content::of_stdin().json()?),
            (None, None, false) => None,
        };
        let raw = self.raw_field.iter().map(|text| Field::raw(text));
        let fields: Vec<Field> = raw.chain(self.field.iter().map(Field::typed)).collect::<Result<_, _>>()?;
        let (typed, endpoint) = split_method(self.path, self.after_method, self.method)?;
        let method = match typed {
            Some(method) => self::method(&method)?,
            None if body.is_some() || !fields.is_empty() => Method::POST,
            None => Method::GET,
        };
        let (path, mut query) = query(&path(&endpoint)?, &self.query)?;
        let body = match body {
            None if method != Method::GET && !fields.is_empty() => Some(fields::object(fields)?),
            body => {
                query.extend(fields.into_iter().map(Field::into_parameter));
                body
            }
        };
        Ok(Call { method, path, query, body })
    }
}

impl Call {
    fn request(&self, client: &Client) -> Result<reqwest::Request, Error> {
        let Call { method, path, query, body } = self;
        let mut request = client.transport().request(method.clone(), path, query)?;
        if let Some(version) = client.version_at(method.as_str(), path) {
            let value =
                version.parse().map_err(|_| Error::usage(format!("invalid API version {version:?}")))?;
            request.headers_mut().insert("intercom-version", value);
        }
        if let Some(body) = body {
            *request.body_mut() = Some(body.to_string().into());
        }
        Ok(request)
    }

    /// The list that this request begins.
    fn list(self) -> Result<(&'static Operation, Arguments), Error> {
        let Call { method, path, query, body } = self;
        let operation = operation_at(method.as_str(), &path);
        let operation = operation.filter(|operation| operation.effect == operation::Effect::Read);
        let Some(operation) = operation else {
            return Err(Error::usage_with_hint(
                format!("--paginate: {method} {path} is not a list that this program knows"),
                Hint::new("fetch one page at a time with ").flag("query").text(" starting_after=CURSOR"),
            ));
        };
        let path = values_at(operation, &path);
        Ok((operation, Arguments { path, query, body: body.map(|body| body.to_string().into_bytes()) }))
    }
}

/// Writes the documents of all pages as one list.
async fn slurped(
    context: &Context,
    client: &Client,
    operation: &Operation,
    arguments: Arguments,
) -> Result<(), Error> {
    let pages = client.pages(operation, arguments, None);
    let texts: Vec<String> =
        pages.and_then(|page| async move { page.reply.json_text().map(str::to_owned) }).try_collect().await?;
    let meta = json!({ "source": "live", "pages": texts.len() });
    let output = Output::open(&context.globals.output)?;
    output.document(meta, &format!("[{}]", texts.join(",")), None).await
}

/// Adds status and headers to `meta`. Without it, or if a jq program may drop it, they are a notice.
fn show_head(context: &Context, reply: &Reply, meta: &mut Value) {
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<(String, String)> =
        reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    if matches!(context.globals.output.format_or_default(), Format::Json | Format::Toon) {
        let fields: serde_json::Map<String, Value> =
            headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        meta["status"] = json!(reply.status.as_u16());
        meta["headers"] = json!(fields);
        if context.globals.output.jq.is_none() {
            return;
        }
    }
    notice(&format!("HTTP {}", reply.status));
    headers.iter().for_each(|(name, value)| notice(&format!("{name}: {value}")));
}

/// How much of a list the response holds, for operations that return one.
fn listed(method: &Method, path: &str, query: &[(String, String)], reply: Reply) -> Option<(Extent, u64)> {
    let operation = operation_at(method.as_str(), path)?;
    let arguments = Arguments { query: query.to_vec(), ..Arguments::default() };
    let page = RawPage::read(operation, &arguments, reply).ok().filter(|page| page.key.is_some())?;
    let spelling = operation.spellings().next()?;
    let advice = Hint::default()
        .flag("paginate")
        .text(" fetches all pages")
        .then(format!("`{spelling}` has "))
        .flag("all")
        .text(" and ")
        .flag("limit");
    Some((first_page(operation, &arguments, &page, advice), page.items.len() as u64))
}

/// The method and the endpoint: `GET /me`, `/me`, or `-X GET /me`.
fn split_method(
    first: String,
    second: Option<String>,
    flag: Option<String>,
) -> Result<(Option<String>, String), Error> {
    match (second, flag) {
        (Some(endpoint), None) => Ok((Some(first), endpoint)),
        (Some(endpoint), Some(flag)) if flag.eq_ignore_ascii_case(&first) => Ok((Some(first), endpoint)),
        (Some(_), Some(flag)) => {
            Err(Error::usage(format!("two methods given: {first} and --method {flag}: expected one")))
        }
        (None, _) if METHODS.contains(&first.to_ascii_uppercase().as_str()) => Err(Error::usage_with_hint(
            format!("no endpoint given after {first}"),
            Hint::new("for example ").run("api GET /me"),
        )),
        (None, flag) => Ok((flag, first)),
    }
}

fn method(text: &str) -> Result<Method, Error> {
    let upper = text.to_ascii_uppercase();
    let known =
        METHODS.contains(&upper.as_str()).then(|| Method::from_bytes(upper.as_bytes()).ok()).flatten();
    known.ok_or_else(|| {
        Error::usage_with_hint(format!("unknown HTTP method {text:?}"), "use GET, POST, PUT, PATCH or DELETE")
    })
}

/// The path of an endpoint; the leading slash may be left out.
fn path(endpoint: &str) -> Result<String, Error> {
    let rest = endpoint.strip_prefix('/').unwrap_or(endpoint);
    if rest.is_empty() || rest.starts_with('/') || rest.contains("://") {
        return Err(Error::usage_with_hint(
            format!("invalid endpoint {endpoint:?}: expected a path, for example /contacts"),
            Hint::new("leave out the server, which the settings name: for example ").run("api /me"),
        ));
    }
    Ok(format!("/{rest}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn split(first: &str, second: Option<&str>, flag: Option<&str>) -> Option<(Option<String>, String)> {
        split_method(first.to_owned(), second.map(str::to_owned), flag.map(str::to_owned)).ok()
    }

    #[test]
    fn the_method_is_in_front_of_the_endpoint_or_a_flag() {
        let pair = |method: &str, path: &str| Some((Some(method.to_owned()), path.to_owned()));
        assert_eq!(split("GET", Some("/me"), None), pair("GET", "/me"));
        assert_eq!(split("/me", None, Some("PUT")), pair("PUT", "/me"));
        assert_eq!(split("put", Some("/me"), Some("PUT")), pair("put", "/me"));
        assert_eq!(split("/me", None, None), Some((None, "/me".to_owned())));
        assert_eq!(split("GET", Some("/me"), Some("PUT")), None);
        assert_eq!(split("delete", None, None), None);
    }

    #[test]
    fn an_endpoint_is_a_path_with_or_without_its_slash() {
        assert_eq!(path("me").unwrap(), "/me");
        assert_eq!(path("/contacts/1").unwrap(), "/contacts/1");
        for wrong in ["", "/", "//evil.example/", "https://evil.example/"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }
}
