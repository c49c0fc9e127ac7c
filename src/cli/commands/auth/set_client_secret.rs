//! `auth set-client-secret`: saves the secret that signs the webhooks of the app, for `listen`.

use std::io::Write;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use crate::cli::client_secret::VARIABLE;
use crate::cli::context::Context;
use crate::cli::credentials::TokenSource;
use crate::cli::error::{Error, Hint};
use crate::cli::files::stdin;
use crate::cli::output::{Output, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::token_store::{self, RemovedToken, TokenStore};
use crate::config::{Config, env_var};
use crate::listen::ClientSecret;

/// Save the client secret of the app, which signs its webhooks
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: printf %s \"$SECRET\" | intercom-pp-cli auth set-client-secret -")]
pub struct SetClientSecret {
    /// - reads the secret from stdin; prompts if missing
    #[arg(value_name = "SOURCE", value_parser = PossibleValuesParser::new(["-"]), hide_possible_values = true, allow_hyphen_values = true)]
    source: Option<String>,
    /// Where to save it; auto is the keyring, or the config file without a keyring
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    store: TokenStore,
    /// Remove the saved one instead
    #[arg(long, conflicts_with = "source")]
    remove: bool,
}

impl HandwrittenCommand for SetClientSecret {
    const WORDS: &'static str = "auth set-client-secret";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let path = context.config_path()?;
        let profile = context.profile()?;
        let profile = profile.as_deref();
        if context.globals.consent.dry_run {
            let action = if self.remove { "remove the client secret" } else { "save the client secret" };
            let shown = json!({ "dry_run": true, "action": action, "store": self.store, "path": path });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let result = if self.remove {
            let config = Config::read(&path)?;
            let own = profile.map_or(Ok(&config.settings), |name| config.named(name))?;
            let RemovedToken { from_keyring, from_file } =
                token_store::remove_client_secret(&path, profile, own)?;
            json!({ "removed_from_keyring": from_keyring, "removed_from_file": from_file })
        } else {
            let secret = self.read(context)?;
            let source = token_store::save_client_secret(&path, profile, &secret, self.store)?;
            let path = (source == TokenSource::File).then_some(path);
            json!({ "stored_in": source.name(), "path": path })
        };
        if env_var(VARIABLE).is_some() {
            warn(&format!("{VARIABLE} is set, and overrides a saved client secret"));
        }
        Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &result).await
    }
}

impl SetClientSecret {
    fn read(&self, context: &Context) -> Result<ClientSecret, Error> {
        let text = if self.source.is_some() {
            stdin::text().map_err(Error::usage)?
        } else if context.globals.consent.no_input || !stdin::is_terminal() {
            let hint = Hint::new("pass it on stdin: ").run("auth set-client-secret -").for_owner();
            return Err(Error::usage_with_hint("no client secret given", hint));
        } else {
            let mut stderr = std::io::stderr();
            write!(stderr, "Client secret (hidden): ").and_then(|()| stderr.flush())?;
            rpassword::read_password()?
        };
        match ClientSecret::new(&text) {
            Some(secret) if !secret.expose().contains(char::is_whitespace) => Ok(secret),
            Some(_) => Err(Error::usage("the client secret contains white space: copy the secret alone")),
            None => Err(Error::usage("the client secret is empty")),
        }
    }
}
