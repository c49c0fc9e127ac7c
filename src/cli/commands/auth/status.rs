//! `auth status`: the token, the server and the files that commands use. Sends one request, because only the server knows
//! whether a token works; `--offline` sends none.

use clap::Args;
use serde_json::json;

use crate::api::identity::{Identity, identity};
use crate::cli::context::Context;
use crate::cli::credentials::TokenSource;
use crate::cli::error::Error;
use crate::cli::output::Output;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{mirror_paths, preview};

/// Show the token, server and files in use, and whether the server accepts the token
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli auth status --offline")]
pub struct TokenStatus {
    /// Show the settings without sending a request
    #[arg(long)]
    offline: bool,
}

impl HandwrittenCommand for TokenStatus {
    const WORDS: &'static str = "auth status";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.consent.dry_run {
            return preview::show_identify(context).await;
        }
        let settings = context.settings()?;
        let credential = context.credential(&settings)?.ok_or(Error::NoToken)?;
        let server = context.api_server(&settings)?;
        let me = if self.offline {
            None
        } else {
            let client = context.client_with(&settings, Some(credential.clone()))?;
            Some(identity(&client).await?)
        };
        // The workspace of the login belongs to the saved token only.
        let is_saved = settings.access_token.as_deref() == Some(credential.token.expose())
            || credential.source == TokenSource::Keyring;
        let saved = is_saved.then_some(&settings);
        let read_only = context.read_only()?;
        let result = json!({
            "authenticated": me.as_ref().map(|_| true),
            "token": credential.token.to_string(),
            "token_source": credential.source.name(),
            "token_place": credential.place,
            "read_only": read_only.is_some(),
            "read_only_set_by": read_only,
            "base_url": server.base_url.as_str().trim_end_matches('/'),
            "region": server.region.map(|region| region.to_string()),
            "admin_id": me.as_ref().and_then(|me| me.admin_id.as_deref()),
            "admin_name": me.as_ref().and_then(|me| me.admin_name.as_deref()),
            "workspace_id": match &me {
                Some(me) => me.reported_workspace(),
                None => saved.and_then(|saved| saved.workspace_id.as_deref()),
            },
            "workspace_name": match &me {
                Some(Identity { workspace_name, .. }) => workspace_name.as_deref(),
                None => saved.and_then(|saved| saved.workspace.as_deref()),
            },
            // Later fields follow the earlier ones: scripts read columns of CSV by their position.
            "profile": context.profile()?,
            "region_source": server.source,
            "config_file": context.config_path()?,
            "mirror_file": mirror_paths::of_credentials(context).ok().flatten(),
        });
        let meta = json!({ "source": if me.is_some() { "live" } else { "local" } });
        Output::open(&context.globals.output)?.report(meta, &result).await
    }
}
