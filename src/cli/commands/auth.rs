//! `auth set-token|status|logout`: manages the access token on this machine.
//!
//! A token must never be printed beyond its last characters, nor appear in an error. `status` sends a request,
//! because only the server knows whether a token works.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::api::identity::identity;
use crate::api::secret::Token;
use crate::cli::context::Context;
use crate::cli::credentials::TokenSource;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::stdin;
use crate::cli::output::{Output, warn};
use crate::cli::{credentials, keyring, preview};
use crate::config;

pub fn command() -> Command {
    Command::new("auth")
        .about("Save, check or remove the access token")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("set-token")
                .about("Save an access token in the keyring, or in the config file without a keyring")
                .arg(
                    Arg::new("token")
                        .value_name("TOKEN")
                        .help("The token, or - for stdin; prompts if missing"),
                )
                .arg(
                    Arg::new("store")
                        .long("store")
                        .value_name("WHERE")
                        .value_parser(["auto", "keyring", "file"])
                        .default_value("auto")
                        .help("Where to save the token"),
                )
                .after_help("Example: printf %s \"$TOKEN\" | intercom-pp-cli auth set-token -"),
        )
        .subcommand(
            Command::new("status").about("Show which token is used, and whether the server accepts it"),
        )
        .subcommand(Command::new("logout").about("Remove the token from the keyring and the config file"))
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
    if context.globals.consent.dry_run {
        let shown = json!({ "dry_run": true, "action": "save the token", "store": store, "path": path });
        return Output::open(&context.globals.output)?.value(&shown).await;
    }
    let in_keyring = store != "file" && keyring::write(profile, token.expose());
    if store == "keyring" && !in_keyring {
        return Err(Error::usage_with_hint(
            "no keyring found",
            Hint::new("save the token in the config file with ").flag("store").text(" file"),
        ));
    }
    // Once the token is in the keyring, a copy in the file must not stay readable.
    config::write_key(&path, profile, "access_token", (!in_keyring).then(|| token.expose()))?;
    if let Some(variable) = credentials::variable() {
        let unless = profile.map(|name| format!(" unless --profile {name} is typed")).unwrap_or_default();
        warn(&format!("{variable} is set and overrides the token you just saved{unless}"));
    }
    let source = if in_keyring { TokenSource::Keyring } else { TokenSource::File };
    let result = json!({ "stored_in": source.name(), "path": (!in_keyring).then_some(path) });
    Output::open(&context.globals.output)?
        .document(json!({ "source": "local" }), &result.to_string(), None)
        .await
}

fn ask(context: &Context) -> Result<String, Error> {
    if context.globals.consent.no_input || !stdin::is_terminal() {
        return Err(Error::usage_with_hint(
            "no token given",
            Hint::new("pass it on stdin: auth set-token -").for_owner(),
        ));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "Access token (hidden): ").and_then(|()| stderr.flush())?;
    let token = rpassword::read_password()?;
    Ok(token)
}

async fn status(context: &Context) -> Result<(), Error> {
    if context.globals.consent.dry_run {
        return preview::show_identify(context).await;
    }
    let settings = context.settings()?;
    let credential = context.credential(&settings)?.ok_or(Error::NoToken)?;
    let target = context.api_server(&settings)?;
    let shown = (credential.token.to_string(), credential.source.name());
    let place = credential.place.clone();
    let client = context.client_with(&settings, Some(credential))?;
    let me = match identity(&client).await {
        Ok(me) => me,
        Err(error) if error.status() == Some(401) => {
            return Err(Error::Failed {
                message: format!("{} rejected the token from {place}", target.base_url),
                exit: Exit::Authentication,
                hint: Some(
                    Hint::new("run ")
                        .run("doctor")
                        .text(" to try the other regions")
                        .or("save a new token with ")
                        .run("auth set-token")
                        .for_owner(),
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
        "admin_id": me.admin_id,
        "admin_name": me.admin_name,
        "workspace_id": me.reported_workspace(),
        "workspace_name": me.workspace_name,
    });
    Output::open(&context.globals.output)?
        .document(json!({ "source": "live" }), &result.to_string(), None)
        .await
}

async fn logout(context: &Context) -> Result<(), Error> {
    let profile = context.profile()?;
    let profile = profile.as_deref();
    let path = context.config_path()?;
    let settings = context.settings()?;
    if context.globals.consent.dry_run {
        let in_file = settings.access_token.is_some();
        let shown =
            json!({ "dry_run": true, "action": "remove the token", "path": path, "token_in_file": in_file });
        return Output::open(&context.globals.output)?.value(&shown).await;
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
    Output::open(&context.globals.output)?
        .document(json!({ "source": "local" }), &result.to_string(), None)
        .await
}
