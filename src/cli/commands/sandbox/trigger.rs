//! `sandbox trigger`: sends one signed notification, to try a receiver of webhooks.
//!
//! A running sandbox sends it to the address of its webhooks, or this program sends it to `--to`. It must never send an
//! access token to a server that is not a sandbox of the user: the regions of Intercom are refused.

use clap::Args;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::receiver;
use crate::api;
use crate::api::transport::Idempotency;
use crate::cli::client_secret;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint, InvalidValue};
use crate::cli::output::Output;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::sandbox::{
    InvalidOverride, Options, Override, TRIGGER_PATH, Trigger, TriggerError, Triggered, Webhooks,
    known_topics,
};

/// Send one signed notification about a record of the sandbox
#[derive(Args)]
#[group(skip)]
#[command(after_help = "\
Without --to, the running sandbox sends it to the address of its --webhooks. INTERCOM_BASE_URL names the sandbox.
With --to, it is about a record of a new sandbox, and is signed with --client-secret, INTERCOM_CLIENT_SECRET or the
secret of `auth set-client-secret`.

Example: intercom-pp-cli sandbox trigger conversation.user.replied --to http://127.0.0.1:4242/ --client-secret try-it --dry-run")]
pub struct TriggerWebhook {
    /// Topic, for example contact.user.created; --list prints all
    #[arg(value_name = "TOPIC", required_unless_present = "list")]
    topic: Option<String>,
    /// Replace a value of the item (repeatable): source.body=Hello; the value is JSON or text
    #[arg(long = "override", value_name = "PATH=VALUE", value_parser = parse_override)]
    overrides: Vec<Override>,
    /// Send it to this address instead of that of a running sandbox
    #[arg(long, value_name = "URL", value_parser = to)]
    to: Option<String>,
    /// Sign it with this secret; requires --to
    #[arg(long, value_name = "SECRET", requires = "to")]
    client_secret: Option<String>,
    /// Print the topics
    #[arg(long, conflicts_with_all = ["topic", "overrides", "to", "client_secret"])]
    list: bool,
}

fn to(text: &str) -> Result<String, InvalidValue> {
    receiver("--to", text)
}

fn parse_override(text: &str) -> Result<Override, InvalidValue> {
    text.parse().map_err(|error: InvalidOverride| format!("--override: {error}").into())
}

impl HandwrittenCommand for TriggerWebhook {
    const WORDS: &'static str = "sandbox trigger";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let Some(topic) = self.topic else {
            let topics: Vec<_> = known_topics().map(|topic| json!({ "topic": topic })).collect();
            return Output::open(&context.globals.output)?
                .report(json!({ "source": "local" }), &topics)
                .await;
        };
        let trigger = Trigger { topic, overrides: self.overrides };
        trigger.check_topic().map_err(failed)?;
        let triggered = match self.to {
            None => ask_sandbox(context, &trigger).await?,
            Some(url) => {
                let client_secret = match self.client_secret {
                    Some(secret) => secret,
                    None => client_secret::required(context)?.expose().to_owned(),
                };
                let webhooks = Webhooks::new(url, client_secret);
                let prepared = trigger.prepare(Options::default().with_story(), &webhooks).map_err(failed)?;
                if context.globals.consent.dry_run {
                    let shown = json!({
                        "dry_run": true, "action": "send a notification", "url": webhooks.url,
                        "notification": prepared.document(),
                    });
                    return Output::open(&context.globals.output)?.value(&shown).await;
                }
                Some(prepared.send().await)
            }
        };
        let Some(triggered) = triggered else { return Ok(()) };
        Output::open(&context.globals.output)?.report(json!({ "source": "live" }), &triggered).await?;
        accepted(&triggered)
    }
}

/// Lets the running sandbox send it. `None` after a dry run.
async fn ask_sandbox(context: &Context, trigger: &Trigger) -> Result<Option<Triggered>, Error> {
    let server = context.api_server(&context.settings()?)?;
    if server.region.is_some() {
        let hint = Hint::new("start one with ")
            .run("sandbox serve --webhooks URL --client-secret SECRET")
            .text(", and set INTERCOM_BASE_URL as it prints")
            .or("name a receiver with ")
            .flag("to");
        return Err(Error::usage_with_hint("no running sandbox is named", hint));
    }
    if context.globals.consent.dry_run {
        let shown = json!({
            "dry_run": true, "action": "send a notification", "topic": trigger.topic, "server": server.base_url.as_str(),
        });
        Output::open(&context.globals.output)?.value(&shown).await?;
        return Ok(None);
    }
    let client = context.client()?;
    let mut request = client.transport().request(Method::POST, TRIGGER_PATH, &[])?;
    *request.body_mut() = Some(trigger.body().into());
    let reply = client.transport().send(request, Idempotency::NotIdempotent).await.map_err(refused)?;
    let triggered = reply.json_text().ok().and_then(|text| serde_json::from_str(text).ok());
    triggered.map(Some).ok_or_else(not_a_sandbox)
}

fn refused(error: api::Error) -> Error {
    let hint = || Hint::new("start it with ").run("sandbox serve --webhooks URL --client-secret SECRET");
    match error.status() {
        Some(409) => Error::Failed {
            message: "the sandbox sends no webhooks: it was started without --webhooks".to_owned(),
            exit: Exit::Configuration,
            hint: Some(hint().or("name a receiver with ").flag("to")),
        },
        Some(404) if error.code() != Some("not_found") => not_a_sandbox(),
        _ => error.into(),
    }
}

fn not_a_sandbox() -> Error {
    Error::Failed {
        message: "the server did not answer as a sandbox".to_owned(),
        exit: Exit::Failure,
        hint: Some(Hint::new("set INTERCOM_BASE_URL as ").run("sandbox serve").text(" prints it")),
    }
}

fn failed(error: TriggerError) -> Error {
    let message = error.to_string();
    match error {
        TriggerError::UnknownTopic { .. } => {
            Error::usage_with_hint(message, Hint::new("list the topics with ").run("sandbox trigger --list"))
        }
        _ => Error::usage(message),
    }
}

/// An error unless the receiver answered with 2xx.
fn accepted(triggered: &Triggered) -> Result<(), Error> {
    let reason = match (triggered.status, &triggered.error) {
        (Some(200..=299), _) => return Ok(()),
        (Some(status), _) => {
            let status = StatusCode::from_u16(status).map_or(status.to_string(), |known| known.to_string());
            format!("the receiver answered {status}")
        }
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let hint = match triggered.status {
        Some(401 | 403) => Some(Hint::new("sign it with the secret of the receiver")),
        _ => None,
    };
    Err(Error::Failed { message: format!("not accepted: {reason}"), exit: Exit::Failure, hint })
}
