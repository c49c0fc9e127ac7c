//! `auth set-token|status|logout`: manages the access token on this machine.
//!
//! A token must never be printed beyond its last characters, nor appear in an error. `status` sends a request,
//! because only the server knows whether a token works.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::api::identity::identity;
use crate::api::secret::Token;
use crate::cli::context::Context;
use crate::cli::credentials::TokenSource;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::stdin;
use crate::cli::output::{Output, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{credentials, keyring, preview};
use crate::config;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum TokenStore {
    Auto,
    Keyring,
    File,
}

/// Save an access token in the keyring, or in the config file without a keyring
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: printf %s \"$TOKEN\" | intercom-pp-cli auth set-token -")]
pub struct SetToken {
    /// The token, or - for stdin; prompts if missing
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
    /// Where to save the token
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    store: TokenStore,
}

impl HandwrittenCommand for SetToken {
    const WORDS: &'static str = "auth set-token";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let text = match self.token.as_deref() {
            Some("-") => stdin::text().map_err(Error::usage)?,
            Some(token) => token.to_owned(),
            None => ask(context)?,
        };
        let token = Token::new(&text).map_err(|error| Error::usage(error.to_string()))?;
        let profile = context.profile()?;
        let profile = profile.as_deref();
        let path = context.config_path()?;
        if context.globals.consent.dry_run {
            let shown =
                json!({ "dry_run": true, "action": "save the token", "store": self.store, "path": path });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let in_keyring = self.store != TokenStore::File && keyring::write(profile, token.expose());
        if self.store == TokenStore::Keyring && !in_keyring {
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
        Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &result).await
    }
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
    Ok(rpassword::read_password()?)
}

/// Show which token is used, and whether the server accepts it
#[derive(Args)]
#[group(skip)]
pub struct TokenStatus {}

impl HandwrittenCommand for TokenStatus {
    const WORDS: &'static str = "auth status";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.consent.dry_run {
            return preview::show_identify(context).await;
        }
        let settings = context.settings()?;
        let credential = context.credential(&settings)?.ok_or(Error::NoToken)?;
        let target = context.api_server(&settings)?;
        let client = context.client_with(&settings, Some(credential.clone()))?;
        let me = match identity(&client).await {
            Ok(me) => me,
            Err(error) if error.status() == Some(401) => {
                return Err(Error::Failed {
                    message: format!("{} rejected the token from {}", target.base_url, credential.place),
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
        let read_only = context.read_only()?;
        let result = json!({
            "authenticated": true,
            "token": credential.token.to_string(),
            "token_source": credential.source.name(),
            "token_place": credential.place,
            "read_only": read_only.is_some(),
            "read_only_set_by": read_only,
            "base_url": target.base_url.as_str().trim_end_matches('/'),
            "region": target.region.map(|region| region.to_string()),
            "admin_id": me.admin_id,
            "admin_name": me.admin_name,
            "workspace_id": me.reported_workspace(),
            "workspace_name": me.workspace_name,
        });
        Output::open(&context.globals.output)?.report(json!({ "source": "live" }), &result).await
    }
}

/// Remove the token from the keyring and the config file
#[derive(Args)]
#[group(skip)]
pub struct Logout {}

impl HandwrittenCommand for Logout {
    const WORDS: &'static str = "auth logout";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let profile = context.profile()?;
        let profile = profile.as_deref();
        let path = context.config_path()?;
        let from_file = context.settings()?.access_token.is_some();
        if context.globals.consent.dry_run {
            let shown = json!({
                "dry_run": true, "action": "remove the token", "path": path, "token_in_file": from_file,
            });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let from_keyring = keyring::remove(profile);
        if from_file {
            config::write_key(&path, profile, "access_token", None)?;
        }
        if let Some(variable) = credentials::variable() {
            warn(&format!("{variable} is still set in this shell"));
        }
        let result = json!({ "removed_from_keyring": from_keyring, "removed_from_file": from_file });
        Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &result).await
    }
}
