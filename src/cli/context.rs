//! What a command runs with: global flags, settings, and a client on demand.
//!
//! Precedence everywhere: flag (a typed --profile counts as one), environment, profile in use, config file,
//! default. Nothing is read or opened before a command needs it. This type is never passed to a lower layer.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::clients::Clients;
use super::credentials::{self, Credential};
use super::error::Error;
use super::globals::{Globals, region};
use super::output::OutputFlags;
use super::output::names::NameLookup;
use super::output::warn_once;
use crate::api::ApiVersion;
use crate::api::client::Client;
use crate::api::region::Region;
use crate::api::transport::Settings;
use crate::config::env_var;
use crate::config::{self, Config};
use crate::report::business_hours;

pub struct Context {
    pub globals: Globals,
    pub(super) clients: Arc<Clients>,
    /// The mirror that the owner of an MCP server chose for all calls.
    pub(super) db: Option<PathBuf>,
}

/// The server that requests are sent to.
#[derive(Debug, Clone)]
pub struct ApiServer {
    pub base_url: Url,
    /// `None` if a base URL was given instead of a region.
    pub region: Option<Region>,
    /// `flag`, `profile`, `environment`, `config` or `default`.
    pub source: &'static str,
}

/// A profile of the config file. The server and the token of one chosen with `--profile` take precedence over the
/// environment together, so that no token is sent to a server that it was not meant for.
struct NamedProfile {
    name: String,
    /// The settings of the profile alone.
    own: config::Settings,
    /// The settings of the profile over those at the top of the file.
    merged: config::Settings,
}

impl NamedProfile {
    /// The token of the profile, else the one at the top of the file, which is not the profile's.
    fn credential(&self) -> Result<Option<Credential>, Error> {
        let own =
            credentials::of_profile(credentials::Profile { name: Some(&self.name), settings: &self.own })?;
        if own.is_some() {
            return Ok(own);
        }
        credentials::of_settings(credentials::Profile { name: None, settings: &self.merged })
    }

    fn has_token(&self) -> Result<bool, Error> {
        Ok(self.credential()?.is_some())
    }

    fn has_server(&self) -> bool {
        self.merged.base_url.is_some() || self.merged.region.is_some()
    }
}

impl Context {
    pub fn new(globals: Globals) -> Self {
        Context { globals, clients: Arc::default(), db: None }
    }

    /// Applies the flags saved in the current profile. An unreadable config file is ignored here, and reported when
    /// a setting is needed.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown flag or an invalid value in the profile.
    pub fn with_profile(self) -> Result<Self, Error> {
        let settings = self.settings().unwrap_or_default();
        if settings.defaults.is_empty() {
            return Ok(self);
        }
        let globals = self.globals.with_defaults(&Globals::of_flags(&settings.defaults)?)?;
        Ok(Context { globals, ..self })
    }

    /// These settings; outside of any profile if the typed one does not exist yet.
    pub fn with_profile_if(&self, exists: bool) -> Self {
        let mut globals = self.globals.clone();
        if !exists {
            globals.connection.profile = None;
        }
        Context { globals, clients: Arc::clone(&self.clients), db: self.db.clone() }
    }

    /// The same settings, but never the mirror.
    pub fn always_live(&self) -> Self {
        let mut globals = self.globals.clone();
        globals.connection = globals.connection.live();
        Context { globals, clients: Arc::clone(&self.clients), db: self.db.clone() }
    }

    /// The same settings without a typed server, to find the one that a saved token belongs to.
    pub fn without_typed_server(&self) -> Self {
        let mut globals = self.globals.clone();
        globals.connection.region = None;
        globals.connection.base_url = None;
        Context { globals, clients: Arc::clone(&self.clients), db: self.db.clone() }
    }

    /// Sets the lookup of record names for tables.
    pub fn with_names(self, names: NameLookup) -> Self {
        let mut globals = self.globals;
        globals.output.names = names;
        Context { globals, ..self }
    }

    /// The same context with other output flags.
    pub fn with_output(&self, output: OutputFlags) -> Self {
        let mut globals = self.globals.clone();
        globals.output = output;
        Context { globals, clients: Arc::clone(&self.clients), db: self.db.clone() }
    }

    /// # Errors
    /// If no path is given and the home directory is unknown.
    pub fn config_path(&self) -> Result<PathBuf, Error> {
        match (&self.globals.connection.config, env_var("INTERCOM_CONFIG")) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(path)) => Ok(path.into()),
            (None, None) => Ok(config::default_path()?),
        }
    }

    /// The settings of the current profile.
    ///
    /// # Errors
    /// If the file named by flag or environment does not exist, or the file is invalid.
    pub fn settings(&self) -> Result<config::Settings, Error> {
        let path = self.config_path()?;
        let is_explicit = self.globals.connection.config.is_some() || env_var("INTERCOM_CONFIG").is_some();
        if is_explicit && !path.exists() {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::Config(config::Error::Read { path, source: missing }));
        }
        let config = Config::read(&path)?;
        Ok(config.profile(config.current(self.globals.connection.profile.as_deref()))?)
    }

    /// The API version in effect: `--api-version`, else that of the profile or the config file, else the default one.
    ///
    /// # Errors
    /// [`Error::Config`] for an invalid version in the config file; those of [`Self::settings`].
    pub fn api_version(&self) -> Result<ApiVersion, Error> {
        if let Some(version) = &self.globals.connection.api_version {
            return Ok(version.clone());
        }
        let configured = configured_version(&self.settings()?)?;
        Ok(configured.unwrap_or_else(ApiVersion::pinned))
    }

    /// The time zone of typed dates: `--utc` or `--timezone`, else that of the office hours, else UTC.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown zone in the config file.
    pub fn zone(&self) -> Result<TimeZone, Error> {
        if let Some(zone) = self.globals.output.named_zone() {
            return Ok(zone);
        }
        let configured = Config::read(&self.config_path()?)?.office_hours.and_then(|hours| hours.timezone);
        let zone = configured.map(|name| business_hours::zone(&name)).transpose();
        let zone =
            zone.map_err(|reason| Error::Config(config::Error::Value(format!("office_hours: {reason}"))))?;
        Ok(zone.unwrap_or(TimeZone::UTC))
    }

    /// The name of the current profile: `--profile`, or that of the config file.
    ///
    /// # Errors
    /// If the config file is invalid.
    pub fn profile(&self) -> Result<Option<String>, Error> {
        if let Some(name) = &self.globals.connection.profile {
            return Ok(Some(name.clone()));
        }
        Ok(Config::read(&self.config_path()?)?.profile)
    }

    /// # Errors
    /// For an unknown region or invalid base URL: a usage error if it was typed or set in the environment, a
    /// configuration error if it is in the file.
    pub fn api_server(&self, settings: &config::Settings) -> Result<ApiServer, Error> {
        let parse_url = |text: &str| {
            let url = Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            url.ok_or_else(|| format!("invalid URL {text:?}: expected an http or https address"))
        };
        let at = |base_url: Url, source| ApiServer { base_url, region: None, source };
        let of =
            |region: Region, source| ApiServer { base_url: region.base_url(), region: Some(region), source };
        if let Some(text) = &self.globals.connection.base_url {
            return parse_url(text)
                .map(|url| at(url, "flag"))
                .map_err(|reason| Error::usage(format!("--base-url: {reason}")));
        }
        if let Some(region) = self.globals.connection.region {
            return Ok(of(region, "flag"));
        }
        let config_error = |reason: String| Error::Config(config::Error::Value(reason));
        let of_settings = |settings: &config::Settings, source| match (&settings.base_url, &settings.region) {
            (Some(text), _) => parse_url(text)
                .map(|url| Some(at(url, source)))
                .map_err(|reason| config_error(format!("base_url: {reason}"))),
            (None, Some(name)) => region(name, "region")
                .map(|region| Some(of(region, source)))
                .map_err(|error| config_error(error.to_string())),
            (None, None) => Ok(None),
        };
        let variable =
            ["INTERCOM_BASE_URL", "INTERCOM_REGION"].into_iter().find(|name| env_var(name).is_some());
        if let Some(typed) = self.typed_profile()? {
            let own = of_settings(&typed.own, "profile")?;
            let server = if own.is_some() { own } else { of_settings(&typed.merged, "config")? };
            match (server, variable) {
                (Some(server), Some(variable)) => {
                    let origin = if server.source == "profile" { "the profile" } else { "the config file" };
                    warn_once(&format!(
                        "using the server of {origin} because of --profile {}; {variable} is ignored",
                        typed.name
                    ));
                    return Ok(server);
                }
                (Some(server), None) => return Ok(server),
                (None, Some(variable)) if typed.has_token()? => {
                    warn_once(&format!(
                        "--profile {} has no server: its token is sent to the server in {variable}",
                        typed.name
                    ));
                }
                (None, _) => {}
            }
        }
        if let Some(text) = env_var("INTERCOM_BASE_URL") {
            let url =
                parse_url(&text).map_err(|reason| Error::usage(format!("INTERCOM_BASE_URL: {reason}")))?;
            return Ok(at(url, "environment"));
        }
        if let Some(name) = env_var("INTERCOM_REGION") {
            return Ok(of(region(&name, "INTERCOM_REGION")?, "environment"));
        }
        let server = of_settings(settings, "config")?;
        Ok(server.unwrap_or_else(|| of(Region::Us, "default")))
    }

    /// The token and its source; `None` if no token is set.
    ///
    /// # Errors
    /// If a malformed token is set.
    pub fn credential(&self, settings: &config::Settings) -> Result<Option<Credential>, Error> {
        let typed = self.typed_profile()?;
        if let Some(typed) = &typed
            && let Some(credential) = typed.credential()?
        {
            if let Some(variable) = credentials::variable()
                && env_var(variable).as_deref() != Some(credential.token.expose())
            {
                let has_token = typed.own.access_token.is_some() || typed.own.token_env.is_some();
                let is_shared = credential.source == credentials::TokenSource::File && !has_token;
                let origin = if is_shared { "the config file" } else { "the profile" };
                warn_once(&format!(
                    "using the token of {origin} because of --profile {}; {variable} is ignored",
                    typed.name
                ));
            }
            return Ok(Some(credential));
        }
        if let Some(credential) = credentials::of_environment()? {
            if let Some(typed) = typed.filter(NamedProfile::has_server) {
                warn_once(&format!(
                    "--profile {} has no token: the token in {} is sent to its server",
                    typed.name, credential.place
                ));
            }
            return Ok(Some(credential));
        }
        match self.profile()?.map(|name| self.named_profile(name)).transpose()?.flatten() {
            Some(profile) => profile.credential(),
            None => credentials::of_profile(credentials::Profile { name: None, settings }),
        }
    }

    /// The profile chosen with `--profile`. As a flag, it takes precedence over the environment.
    fn typed_profile(&self) -> Result<Option<NamedProfile>, Error> {
        let Some(name) = &self.globals.connection.profile else { return Ok(None) };
        self.named_profile(name.clone())
    }

    /// A profile of the config file; `None` if the file does not have it.
    fn named_profile(&self, name: String) -> Result<Option<NamedProfile>, Error> {
        let config = Config::read(&self.config_path()?)?;
        let Some(own) = config.profiles.get(&name).cloned() else { return Ok(None) };
        let merged = config.profile(Some(&name))?;
        Ok(Some(NamedProfile { name, own, merged }))
    }

    /// Warns once about unknown keys in the config file.
    pub fn warn_of_unknown_keys(&self) {
        // An unreadable file is reported when a setting is needed.
        let Ok(path) = self.config_path() else { return };
        for unknown in config::unknown_keys(&path).unwrap_or_default() {
            warn_once(&format!("{}: {unknown}", path.display()));
        }
    }

    /// A client that can send requests.
    ///
    /// # Errors
    /// If no token is set, or a setting is invalid.
    pub fn client(&self) -> Result<Client, Error> {
        let settings = self.settings()?;
        let server = self.api_server(&settings)?;
        let credential = self.credential(&settings)?.ok_or(Error::NoToken)?;
        self.client_at(&settings, Some(credential), server.base_url)
    }

    /// A client for showing requests, which needs no token.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn client_for_preview(&self) -> Result<Client, Error> {
        let settings = self.settings()?;
        let credential = self.credential(&settings)?;
        self.client_with(&settings, credential)
    }

    /// A client for these settings and this credential.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn client_with(
        &self,
        settings: &config::Settings,
        credential: Option<Credential>,
    ) -> Result<Client, Error> {
        let server = self.api_server(settings)?;
        self.client_at(settings, credential, server.base_url)
    }

    /// A client for a server other than the one in the settings, so that `doctor` can try other regions.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn client_at(
        &self,
        settings: &config::Settings,
        credential: Option<Credential>,
        base_url: Url,
    ) -> Result<Client, Error> {
        let mut transport = Settings::new(base_url, credential.map(|credential| credential.token));
        transport.headers = self.headers(settings)?;
        transport.rate_limit = self.globals.connection.rate_limit;
        transport.read_only = self.read_only()?;
        if let Some(timeout) = self.globals.connection.timeout {
            transport.timeout = timeout;
        }
        transport.total = self.globals.connection.total;
        if let Some(version) = configured_version(settings)? {
            transport.api_version = version.to_string();
        }
        let client = self.clients.get(transport)?;
        Ok(match &self.globals.connection.api_version {
            Some(version) => client.with_version(version.to_string()),
            None => client,
        })
    }

    fn headers(&self, settings: &config::Settings) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let parse = |name: &str, value: &str| {
            let name = HeaderName::try_from(name).map_err(|_| format!("invalid header name {name:?}"))?;
            let value =
                HeaderValue::try_from(value).map_err(|_| format!("invalid value of the header {name}"))?;
            Ok::<_, String>((name, value))
        };
        for (name, value) in &settings.headers {
            let (name, mut value) = parse(name, value)
                .map_err(|reason| Error::Config(config::Error::Value(format!("headers: {reason}"))))?;
            // Possibly a secret, and a preview may be read by others than the owner of the config file.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        for (name, value) in &self.globals.connection.headers {
            let (name, value) =
                parse(name, value).map_err(|reason| Error::usage(format!("--header: {reason}")))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

/// The API version of a profile or of the config file, if it sets one.
fn configured_version(settings: &config::Settings) -> Result<Option<ApiVersion>, Error> {
    let version = settings.api_version.as_deref().map(ApiVersion::typed).transpose();
    version.map_err(|error| Error::Config(config::Error::Value(format!("api_version: {error}"))))
}
