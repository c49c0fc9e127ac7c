//! Where the access token comes from and where it is kept.
//!
//! Sources in order: environment, the variable that the profile names, keyring, config file. The token itself never appears in anything
//! printed; what may be shown is its source and its masked form.

use super::environment::environment;
use super::error::Error;
use super::keyring;
use crate::api::secret::Token;
use crate::config;

/// A usable token and where it was found.
#[derive(Debug, Clone)]
pub struct Credential {
    pub token: Token,
    pub source: Source,
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

/// # Errors
/// When what is set cannot be a token.
pub fn find(profile: Option<&str>, settings: &config::Settings) -> Result<Option<Credential>, Error> {
    let credential = |text: &str, source| {
        let token = Token::new(text).map_err(crate::api::Error::from)?;
        Ok(Some(Credential { token, source }))
    };
    if let Some(text) = environment("INTERCOM_ACCESS_TOKEN") {
        return credential(&text, Source::Environment);
    }
    if let Some(name) = &settings.token_env {
        return match environment(name) {
            Some(text) => credential(&text, Source::Environment),
            None => Err(config::Error::Value(format!(
                "the variable {name}, which should hold the token, is not set"
            ))
            .into()),
        };
    }
    if let Some(text) = keyring::read(profile) {
        return credential(&text, Source::Keyring);
    }
    match settings.access_token.as_deref().filter(|it| !it.trim().is_empty()) {
        Some(text) => credential(text, Source::File),
        None => Ok(None),
    }
}
