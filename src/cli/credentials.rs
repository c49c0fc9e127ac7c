//! Finds the access token.
//!
//! Sources in order: the profile given with --profile (the variable in `token_env`, its keyring entry, its token in
//! the config file), the environment, and the same three for the current settings. The token must never be printed,
//! only its source and its masked form.

use super::error::Error;
use super::keyring::{self, Secret};
use crate::api::secret::Token;
use crate::config;
use crate::config::env_var;

/// The variables that may contain a token, in order of precedence.
pub const VARIABLES: [&str; 2] = ["INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN"];

/// A valid token and its source.
#[derive(Debug, Clone)]
pub struct Credential {
    pub token: Token,
    pub source: TokenSource,
    /// The source in words: `INTERCOM_ACCESS_TOKEN`, `the keyring (profile staging)`.
    pub place: String,
    /// The profile that it was read from, if any.
    pub profile: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    Environment,
    Keyring,
    File,
}

impl TokenSource {
    pub fn name(self) -> &'static str {
        match self {
            TokenSource::Environment => "environment",
            TokenSource::Keyring => "keyring",
            TokenSource::File => "config file",
        }
    }
}

/// A profile and its settings.
#[derive(Clone, Copy)]
pub struct Profile<'a> {
    pub name: Option<&'a str>,
    pub settings: &'a config::Settings,
}

/// The variable that contains a token, if one is set.
pub fn variable() -> Option<&'static str> {
    VARIABLES.into_iter().find(|name| env_var(name).is_some())
}

/// The token from the environment.
///
/// # Errors
/// If the token is malformed.
pub fn of_environment() -> Result<Option<Credential>, Error> {
    let Some(name) = variable() else { return Ok(None) };
    let text = env_var(name).unwrap_or_default();
    credential(&text, TokenSource::Environment, name.to_owned(), None).map(Some)
}

/// The token of a profile, or of the settings outside of profiles.
///
/// # Errors
/// If the token is malformed, or the variable named by `token_env` is not set.
pub fn of_profile(profile: Profile) -> Result<Option<Credential>, Error> {
    if profile.settings.token_env.is_none()
        && let Some(text) = keyring::read(Secret::Token, profile.name)
    {
        let place = format!("the keyring{}", suffix(profile.name));
        return credential(&text, TokenSource::Keyring, place, profile.name).map(Some);
    }
    of_settings(profile)
}

/// The token that the settings contain or whose variable they name, without the keyring.
///
/// # Errors
/// As [`of_profile`].
pub fn of_settings(profile: Profile) -> Result<Option<Credential>, Error> {
    let suffix = suffix(profile.name);
    if let Some(name) = &profile.settings.token_env {
        let Some(text) = env_var(name) else {
            let reason = format!("{name} is not set{suffix}; token_env expects the token in that variable");
            return Err(config::Error::Value(reason).into());
        };
        return credential(&text, TokenSource::Environment, format!("{name}{suffix}"), profile.name)
            .map(Some);
    }
    match profile.settings.access_token.as_deref().filter(|text| !text.trim().is_empty()) {
        Some(text) => {
            credential(text, TokenSource::File, format!("the config file{suffix}"), profile.name).map(Some)
        }
        None => Ok(None),
    }
}

fn suffix(profile: Option<&str>) -> String {
    profile.map(|name| format!(" (profile {name})")).unwrap_or_default()
}

fn credential(
    text: &str,
    source: TokenSource,
    place: String,
    profile: Option<&str>,
) -> Result<Credential, Error> {
    match Token::new(text) {
        Ok(token) => Ok(Credential { token, source, place, profile: profile.map(str::to_owned) }),
        Err(error) => {
            let error = Error::Api(crate::api::Error::from(error));
            Err(Error::Token { error: Box::new(error), place, hint: None })
        }
    }
}
