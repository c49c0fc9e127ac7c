//! The profile that a token is saved in, and the servers that it is tried with.

use std::path::PathBuf;

use reqwest::Url;

use crate::api::region::Region;
use crate::cli::context::Context;
use crate::cli::credentials::{self, Profile};
use crate::cli::error::{Error, Hint};
use crate::cli::profiles;
use crate::config::{Config, Settings};

/// Where a token is saved.
pub struct Target {
    pub path: PathBuf,
    pub profile: Option<String>,
    /// The settings of the profile alone.
    pub own: Settings,
    /// The settings of the profile over those at the top of the file.
    pub merged: Settings,
    /// The context for requests: a profile that does not exist yet has no settings.
    pub context: Context,
    /// Whether commands without `--profile` have no token yet.
    pub is_first: bool,
    /// Whether commands without `--profile` use these settings.
    pub is_default: bool,
    /// Named profiles whose region is that at the top of the file.
    pub without_server: Vec<String>,
}

/// The servers that may accept a token.
pub enum Servers {
    /// In this order.
    Regions(Vec<Region>),
    /// This one alone: the token must not be sent elsewhere.
    Only(Server),
}

/// A server, and what named it.
pub struct Server {
    pub url: Url,
    pub region: Option<Region>,
    /// As in `ApiServer`.
    pub source: &'static str,
}

impl Target {
    /// # Errors
    /// If the name of the profile or the config file is invalid, or the profile reads its token from a variable.
    pub fn of(context: &Context) -> Result<Self, Error> {
        let path = context.config_path()?;
        let config = Config::read(&path)?;
        let profile = config.current(context.globals.connection.profile.as_deref()).map(str::to_owned);
        let (own, merged, exists) = match &profile {
            None => (config.settings.clone(), config.settings.clone(), true),
            Some(name) => match config.profiles.get(name) {
                Some(own) => (own.clone(), config.profile(Some(name))?, true),
                None => (Settings::default(), config.settings.clone(), false),
            },
        };
        if let Some(name) = profile.as_deref().filter(|_| !exists) {
            profiles::check_name(name)?;
        }
        if let Some(variable) = &own.token_env {
            let what =
                profile.as_ref().map_or("the config file".to_owned(), |name| format!("profile {name}"));
            return Err(Error::usage_with_hint(
                format!("{what} takes its token from the variable {variable} (token_env)"),
                Hint::new(format!("set {variable}"))
                    .or(format!("remove token_env from {}", path.display()))
                    .or("use another profile with ")
                    .flag("profile")
                    .for_owner(),
            ));
        }
        let has_default = credentials::of_profile(Profile { name: None, settings: &config.settings })
            .map_or(true, |credential| credential.is_some());
        let bare = config.profiles.iter().filter(|(_, own)| own.region.is_none() && own.base_url.is_none());
        Ok(Target {
            without_server: bare.map(|(name, _)| name.clone()).collect(),
            is_default: config.profile == profile,
            is_first: config.profile.is_none() && !has_default,
            context: context.with_profile_if(exists),
            path,
            profile,
            own,
            merged,
        })
    }

    /// The name of the profile for messages.
    pub fn name(&self) -> String {
        self.profile.as_ref().map_or("the default settings".to_owned(), |name| format!("profile {name}"))
    }

    /// The servers to try: the one that was typed, set in the environment or configured by its address, else all
    /// regions, the configured one first.
    ///
    /// # Errors
    /// If the region or the base URL is invalid.
    pub fn servers(&self) -> Result<Servers, Error> {
        let server = self.context.api_server(&self.merged)?;
        let is_chosen = matches!(server.source, "flag" | "environment");
        Ok(match server.region.filter(|_| !is_chosen) {
            Some(first) => {
                let rest = Region::ALL.into_iter().filter(|region| *region != first);
                Servers::Regions(std::iter::once(first).chain(rest).collect())
            }
            None => {
                Servers::Only(Server { url: server.base_url, region: server.region, source: server.source })
            }
        })
    }
}
