//! Finds the client secret of the app, which signs its webhooks.
//!
//! Sources in order: the profile given with --profile, the environment, the profile in use, and the top of the config
//! file; for each, the keyring first. It is never an argument: other processes can see arguments. It must never be
//! printed.

use super::context::Context;
use super::error::{Error, Exit, Hint};
use super::keyring::{self, Secret};
use crate::config::{Config, env_var};
use crate::listen::ClientSecret;

/// The variable that may contain it.
pub const VARIABLE: &str = "INTERCOM_CLIENT_SECRET";

/// The client secret.
///
/// # Errors
/// If none is set, or the config file cannot be used.
pub fn required(context: &Context) -> Result<ClientSecret, Error> {
    let found = match &context.globals.connection.profile {
        Some(typed) => of_profile(context, typed)?,
        None => None,
    };
    let found = match found.or_else(|| env_var(VARIABLE)) {
        Some(found) => Some(found),
        None => saved(context)?,
    };
    found.as_deref().and_then(ClientSecret::new).ok_or_else(missing)
}

/// The one saved for a profile alone.
fn of_profile(context: &Context, name: &str) -> Result<Option<String>, Error> {
    if let Some(secret) = keyring::read(Secret::Client, Some(name)) {
        return Ok(Some(secret));
    }
    let config = Config::read(&context.config_path()?)?;
    Ok(config.profiles.get(name).and_then(|own| own.client_secret.clone()))
}

/// The one saved for the current settings.
fn saved(context: &Context) -> Result<Option<String>, Error> {
    let profile = context.profile()?;
    let own = match &profile {
        Some(name) => of_profile(context, name)?,
        None => None,
    };
    if own.is_some() {
        return Ok(own);
    }
    if let Some(secret) = keyring::read(Secret::Client, None) {
        return Ok(Some(secret));
    }
    Ok(context.settings()?.client_secret)
}

fn missing() -> Error {
    let hint =
        Hint::new("save the client secret, which the Developer Hub shows under Basic information, with ")
            .run("auth set-client-secret")
            .for_owner()
            .or(format!("set {VARIABLE}"))
            .for_owner();
    Error::Failed {
        message: "no client secret is set: the signatures of webhooks cannot be verified".to_owned(),
        exit: Exit::Configuration,
        hint: Some(hint),
    }
}
