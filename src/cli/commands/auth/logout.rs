//! `auth logout`: removes the token of a profile from this machine. The token itself stays valid until it is revoked in
//! Intercom.

use clap::Args;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Output, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::token_store::RemovedToken;
use crate::cli::{credentials, token_store};
use crate::config::Config;

/// Remove the token from the keyring and the config file
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli auth logout")]
pub struct Logout {}

impl HandwrittenCommand for Logout {
    const WORDS: &'static str = "auth logout";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let path = context.config_path()?;
        let config = Config::read(&path)?;
        let profile = config.current(context.globals.connection.profile.as_deref());
        let own = match profile {
            None => &config.settings,
            Some(name) => config.named(name)?,
        };
        if context.globals.consent.dry_run {
            let shown = json!({
                "dry_run": true,
                "action": "remove the token",
                "path": path,
                "token_in_file": own.access_token.is_some(),
            });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let removed = token_store::remove(&path, profile, own)?;
        if let Some(variable) = credentials::variable() {
            warn(&format!("{variable} is still set in this shell"));
        }
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            let inherits = profile.is_some() && config.settings.access_token.is_some();
            let sentence = sentence(removed, profile, &path.display().to_string());
            let note = if inherits { " The profile now uses the token at the top of the file." } else { "" };
            return output.text(&format!("{sentence}{note}\n")).await;
        }
        let RemovedToken { from_keyring, from_file } = removed;
        let result = json!({ "removed_from_keyring": from_keyring, "removed_from_file": from_file });
        output.report(json!({ "source": "local" }), &result).await
    }
}

fn sentence(removed: RemovedToken, profile: Option<&str>, path: &str) -> String {
    let owner = profile.map(|name| format!(" of profile {name}")).unwrap_or_default();
    let place = match (removed.from_keyring, removed.from_file) {
        (true, true) => format!("the keyring and {path}"),
        (true, false) => "the keyring".to_owned(),
        (false, true) => path.to_owned(),
        (false, false) => return format!("No token{owner} is saved on this machine; nothing was removed."),
    };
    format!("Removed the token{owner} from {place}. It stays valid until it is revoked in Intercom.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_what_was_removed_and_where() {
        let removed = |from_keyring, from_file| RemovedToken { from_keyring, from_file };
        let text = sentence(removed(false, true), Some("eu"), "c.toml");
        assert!(text.starts_with("Removed the token of profile eu from c.toml."), "{text}");
        assert!(sentence(removed(false, false), None, "c.toml").contains("nothing was removed"));
    }
}
