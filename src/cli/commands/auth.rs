//! `auth set-token|status|logout`: the access token of this machine.
//!
//! A token is never printed, not even in part beyond its last characters, and never taken into an
//! error. `status` asks the server, because only it knows whether a token works.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use crate::api;
use crate::api::client::Client;
use crate::api::error::Unexpected;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::api::secret::Token;
use crate::cli::context::Context;
use crate::cli::credentials::Source;
use crate::cli::door::stdin;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Output, warn};
use crate::cli::{credentials, keyring, preview};
use crate::config;

pub fn command() -> Command {
    Command::new("auth")
        .about("The access token: set it, check it, forget it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("set-token")
                .about("Keep an access token in the keyring, or in the config file where there is none")
                .arg(
                    Arg::new("token")
                        .value_name("TOKEN")
                        .help("The token, or - for stdin; without it you are asked"),
                )
                .arg(
                    Arg::new("store")
                        .long("store")
                        .value_name("WHERE")
                        .value_parser(["auto", "keyring", "file"])
                        .default_value("auto")
                        .help("Where to keep it"),
                )
                .after_help("Example: printf %s \"$TOKEN\" | intercom-pp-cli auth set-token -"),
        )
        .subcommand(
            Command::new("status").about("Show which token is used and whether the server accepts it"),
        )
        .subcommand(Command::new("logout").about("Forget the token in keyring and config file"))
}

pub async fn run(context: &Context, action: &str, matches: &ArgMatches) -> Result<(), Error> {
    match action {
        "set-token" => set_token(context, matches).await,
        "status" => status(context).await,
        _ => logout(context).await,
    }
}

async fn set_token(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let text = match matches.get_one::<String>("token").map(String::as_str) {
        Some("-") => stdin::text().map_err(Error::usage)?,
        Some(token) => token.to_owned(),
        None => ask(context)?,
    };
    let token = Token::new(&text).map_err(|error| Error::usage(error.to_string()))?;
    let profile = context.profile()?;
    let profile = profile.as_deref();
    let path = context.config_path()?;
    let store = matches.get_one::<String>("store").map_or("auto", String::as_str);
    if context.globals.dry_run {
        let shown = json!({ "dry_run": true, "action": "keep the token", "store": store, "path": path });
        return Output::open(&context.globals)?.value(&shown).await;
    }
    let kept = match store {
        "file" => false,
        _ => keyring::write(profile, token.expose()),
    };
    if store == "keyring" && !kept {
        return Err(Error::usage_with_hint(
            "there is no keyring here",
            "keep it in the config file with --store file",
        ));
    }
    // A token left in the file would stay readable there after it moved to the keyring.
    config::write_key(&path, profile, "access_token", (!kept).then(|| token.expose()))?;
    if let Some(variable) = credentials::variable() {
        let unless = profile.map(|name| format!(" unless --profile {name} is typed")).unwrap_or_default();
        warn(&format!("{variable} is set and overrides the token you just saved{unless}"));
    }
    let source = if kept { Source::Keyring } else { Source::File };
    let result = json!({ "stored_in": source.name(), "path": (!kept).then_some(path) });
    Output::open(&context.globals)?.document(json!({ "source": "local" }), &result.to_string(), None).await
}

fn ask(context: &Context) -> Result<String, Error> {
    if context.globals.no_input || !stdin::is_terminal() {
        return Err(Error::usage_with_hint("no token was given", "pass it on stdin: auth set-token -"));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "Access token (it is not shown): ").and_then(|()| stderr.flush())?;
    let token = rpassword::read_password()?;
    Ok(token)
}

async fn status(context: &Context) -> Result<(), Error> {
    if context.globals.dry_run {
        return preview::show_identify(context).await;
    }
    let settings = context.settings()?;
    let credential = context.credential(&settings)?.ok_or(Error::NoToken)?;
    let target = context.target(&settings)?;
    let shown = (credential.token.to_string(), credential.source.name());
    let place = credential.place.clone();
    let client = context.client_with(&settings, Some(credential))?;
    let me = match identify(&client).await {
        Ok((_, me)) => me,
        Err(error) if error.status() == Some(401) => {
            return Err(Error::Finding {
                message: format!("{} does not accept the token from {place}", target.base_url),
                exit: Exit::Authentication,
                hint: Some(
                    "`intercom-pp-cli doctor` tries the other regions; `auth set-token` keeps a new one"
                        .into(),
                ),
            });
        }
        Err(error) => return Err(error.into()),
    };
    let result = json!({
        "authenticated": true,
        "token": shown.0,
        "token_source": shown.1,
        "token_place": place,
        "read_only": context.read_only()?.is_some(),
        "read_only_set_by": context.read_only()?,
        "base_url": target.base_url.as_str().trim_end_matches('/'),
        "region": target.region.map(|region| region.to_string()),
        "admin_id": me["id"],
        "admin_name": me["name"],
        "workspace_id": me["app"]["id_code"],
        "workspace_name": me["app"]["name"],
    });
    Output::open(&context.globals)?.document(json!({ "source": "live" }), &result.to_string(), None).await
}

/// Whom the token belongs to, and the answer that says so.
///
/// # Errors
/// Whatever the transport reports; an answer that names neither a teammate nor a workspace, as that of a
/// server which is not Intercom's.
pub async fn identify(client: &Client) -> Result<(Reply, Value), api::Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    match ["id", "app", "type"].iter().all(|field| me[*field].is_null()) {
        true => {
            Err(reply
                .unexpected(Unexpected::Shape, Some("it names neither teammate nor workspace".to_owned())))
        }
        false => Ok((reply, me)),
    }
}

async fn logout(context: &Context) -> Result<(), Error> {
    let profile = context.profile()?;
    let profile = profile.as_deref();
    let path = context.config_path()?;
    let settings = context.settings()?;
    if context.globals.dry_run {
        let in_file = settings.access_token.is_some();
        let shown =
            json!({ "dry_run": true, "action": "forget the token", "path": path, "token_in_file": in_file });
        return Output::open(&context.globals)?.value(&shown).await;
    }
    let from_keyring = keyring::remove(profile);
    let from_file = settings.access_token.is_some();
    if from_file {
        config::write_key(&path, profile, "access_token", None)?;
    }
    if let Some(variable) = credentials::variable() {
        warn(&format!("{variable} is still set in this shell"));
    }
    let result = json!({ "removed_from_keyring": from_keyring, "removed_from_file": from_file });
    Output::open(&context.globals)?.document(json!({ "source": "local" }), &result.to_string(), None).await
}
