//! Where the access token comes from and where it is kept.
//!
//! Sources in order: a profile that was typed (the variable it names, its keyring entry, its token in the config
//! file), the environment, and the same three of the settings in use. The token itself never appears in
//! anything printed; what may be shown is where it came from and its masked form.

use super::environment::environment;
use super::error::Error;
use super::keyring;
use crate::api::secret::Token;
use crate::config;

/// The variables that hold a token, in their order.
pub const VARIABLES: [&str; 2] = ["INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN"];

/// A usable token and where it was found.
#[derive(Debug, Clone)]
pub struct Credential {
    pub token: Token,
    pub source: Source,
    /// The source by name: `INTERCOM_ACCESS_TOKEN`, `the keyring (profile staging)`.
    pub place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Environment,
    Keyring,
    File,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Environment => "environment",
            Source::Keyring => "keyring",
            Source::File => "config file",
        }
    }
}

/// A profile by name, with what it says for itself.
#[derive(Clone, Copy)]
pub struct Profile<'a> {
    pub name: Option<&'a str>,
    pub settings: &'a config::Settings,
}

/// The variable of the environment that holds a token, if one does.
pub fn variable() -> Option<&'static str> {
    VARIABLES.into_iter().find(|name| environment(name).is_some())
}

/// The token of the environment.
///
/// # Errors
/// When what is set cannot be a token.
pub fn of_environment() -> Result<Option<Credential>, Error> {
    let Some(name) = variable() else { return Ok(None) };
    let text = environment(name).unwrap_or_default();
    credential(&text, Source::Environment, name.to_owned()).map(Some)
}

/// The token of a profile, or of the settings without one.
///
/// # Errors
/// When what is set cannot be a token, or the variable that should hold it is not set.
pub fn of_profile(profile: Profile) -> Result<Option<Credential>, Error> {
    let of = profile.name.map(|name| format!(" (profile {name})")).unwrap_or_default();
    if let Some(name) = &profile.settings.token_env {
        let Some(text) = environment(name) else {
            let reason = format!("{name} is not set{of}; token_env expects the token in that variable");
            return Err(config::Error::Value(reason).into());
        };
        return credential(&text, Source::Environment, format!("{name}{of}")).map(Some);
    }
    if let Some(text) = keyring::read(profile.name) {
        return credential(&text, Source::Keyring, format!("the keyring{of}")).map(Some);
    }
    match profile.settings.access_token.as_deref().filter(|it| !it.trim().is_empty()) {
        Some(text) => credential(text, Source::File, format!("the config file{of}")).map(Some),
        None => Ok(None),
    }
}

fn credential(text: &str, source: Source, place: String) -> Result<Credential, Error> {
    match Token::new(text) {
        Ok(token) => Ok(Credential { token, source, place }),
        Err(error) => {
            let error = Error::Api(crate::api::Error::from(error));
            Err(Error::Token { error: Box::new(error), place })
        }
    }
}
