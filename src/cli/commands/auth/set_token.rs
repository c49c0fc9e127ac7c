//! `auth set-token`: saves a token without checking it, for scripts and machines without a network.

use clap::Args;
use serde_json::json;

use super::{ask_for_token, token, warn_of_variable};
use crate::cli::context::Context;
use crate::cli::credentials::TokenSource;
use crate::cli::error::Error;
use crate::cli::files::stdin;
use crate::cli::output::Output;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::token_store::{self, TokenStore};

/// Save an access token without checking it
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: printf %s \"$TOKEN\" | intercom-pp-cli auth set-token -")]
pub struct SetToken {
    /// The token, or - for stdin; prompts if missing
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
    /// Where to save the token; auto is the keyring, or the config file without a keyring
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    store: TokenStore,
}

impl HandwrittenCommand for SetToken {
    const WORDS: &'static str = "auth set-token";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let token = match self.token.as_deref() {
            Some("-") => token(&stdin::text().map_err(Error::usage)?)?,
            Some(text) => token(text)?,
            None => ask_for_token(context, "auth set-token -")?,
        };
        let profile = context.profile()?;
        let profile = profile.as_deref();
        let path = context.config_path()?;
        if context.globals.consent.dry_run {
            let shown =
                json!({ "dry_run": true, "action": "save the token", "store": self.store, "path": path });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        // The new token may belong to another workspace.
        let unknown = [("workspace", None), ("workspace_id", None)];
        let source = token_store::save(&path, profile, &token, self.store, &unknown)?;
        warn_of_variable(profile);
        let path = (source == TokenSource::File).then_some(path);
        let result = json!({ "stored_in": source.name(), "path": path });
        Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &result).await
    }
}
