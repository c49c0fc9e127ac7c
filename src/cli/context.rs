//! What a command runs with: the global flags, the settings they lead to, a client on demand, and the program
//! that it is a part of.
//!
//! Precedence everywhere: flag (a typed --profile counts as one), environment, profile in use, config file, default. Nothing is read or
//! opened before a command asks for it; this type stays in the command line and is never handed to
//! a lower layer.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use jiff::tz::TimeZone;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::catalog::Catalog;
use super::clients::Clients;
use super::credentials::{self, Credential};
use super::environment::environment;
use super::error::Error;
use super::globals::{Globals, region};
use super::output::names::Directory;
use super::output::warn_once;
use crate::api::client::Client;
use crate::api::region::Region;
use crate::api::transport::Settings;
use crate::config::{self, Config};
use crate::report::office;

pub struct Context {
    pub globals: Globals,
    pub(super) clients: Arc<Clients>,
    pub(super) program: &'static Program,
    /// The mirror that a server's owner named for all of its calls.
    pub(super) db: Option<PathBuf>,
}

/// A command under way.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// The program as its own commands see it: `which` looks through all of them, `workflow run` runs some,
/// `man` needs the whole tree. All that stands above the commands; it is handed in.
pub struct Program {
    /// The command line as far as these words need it.
    pub tree: fn(&[String]) -> Command,
    /// The whole command line.
    pub whole_tree: fn() -> Command,
    pub catalog: fn() -> &'static Catalog,
    /// Runs the command of these words.
    pub dispatch: for<'a> fn(&'a Context, &'a [&'a str], &'a ArgMatches) -> Running<'a>,
}

/// Where requests go, and why.
#[derive(Debug, Clone)]
pub struct Target {
    pub base_url: Url,
    /// `None` when a base URL was given instead of a region.
    pub region: Option<Region>,
    /// `flag`, `profile`, `environment`, `config` or `default`.
    pub source: &'static str,
}

/// A profile that was typed. Its server and its token come from the config file together, so that a token is never
/// sent to a server of the environment that it was not meant for, nor the other way round.
struct Typed {
    name: String,
    /// What the profile says for itself.
    own: config::Settings,
    /// The same over the settings at the top of the file.
    merged: config::Settings,
}

impl Typed {
    fn credential(&self) -> Result<Option<Credential>, Error> {
        let of =
            |settings| credentials::of_profile(credentials::Profile { name: Some(&self.name), settings });
        let own = of(&self.own)?;
        if own.is_some() { Ok(own) } else { of(&self.merged) }
    }

    fn has_token(&self) -> Result<bool, Error> {
        Ok(self.credential()?.is_some())
    }

    fn has_server(&self) -> bool {
        self.merged.base_url.is_some() || self.merged.region.is_some()
    }
}

impl Context {
    pub fn new(globals: Globals, program: &'static Program) -> Self {
        Context { globals, clients: Arc::default(), program, db: None }
    }

    /// The context with the flags, too, that the profile in use was saved with. A config file that cannot
    /// be read is reported by whoever needs it.
    ///
    /// # Errors
    /// [`Error::Config`] when the profile holds a flag that no command has, or a value of the wrong shape.
    pub fn with_profile(self) -> Result<Self, Error> {
        let settings = self.settings().unwrap_or_default();
        if settings.defaults.is_empty() {
            return Ok(self);
        }
        let globals = self.globals.over(Globals::of_flags(&settings.defaults)?);
        Ok(Context { globals, ..self })
    }

    /// The context with what its tables may call ids.
    pub fn with_names(self, names: Directory) -> Self {
        Context { globals: Globals { names, ..self.globals }, ..self }
    }

    /// All commands as data.
    pub fn catalog(&self) -> &'static Catalog {
        (self.program.catalog)()
    }

    /// # Errors
    /// When there is no home directory and no other place is named.
    pub fn config_path(&self) -> Result<PathBuf, Error> {
        match (&self.globals.config, environment("INTERCOM_CONFIG")) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(path)) => Ok(path.into()),
            (None, None) => Ok(config::default_path()?),
        }
    }

    /// The settings of the file under the chosen profile.
    ///
    /// # Errors
    /// When the file named by flag or environment does not exist, or any is unusable.
    pub fn settings(&self) -> Result<config::Settings, Error> {
        let path = self.config_path()?;
        let named = self.globals.config.is_some() || environment("INTERCOM_CONFIG").is_some();
        if named && !path.exists() {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::Config(config::Error::Read { path, source: missing }));
        }
        let config = Config::read(&path)?;
        Ok(config.profile(config.current(self.globals.profile.as_deref()))?)
    }

    /// The zone of dates: `--timezone`, else that of the office hours, else UTC.
    ///
    /// # Errors
    /// A usage error for an unknown zone that was typed, a configuration error for one in the file.
    pub fn zone(&self) -> Result<TimeZone, Error> {
        if let Some(name) = &self.globals.timezone {
            return office::zone(name).map_err(|reason| Error::usage(format!("--timezone: {reason}")));
        }
        let configured = Config::read(&self.config_path()?)?.office_hours.and_then(|hours| hours.timezone);
        let zone = configured.map(|name| office::zone(&name)).transpose();
        let zone =
            zone.map_err(|reason| Error::Config(config::Error::Value(format!("office_hours: {reason}"))))?;
        Ok(zone.unwrap_or(TimeZone::UTC))
    }

    /// The name of the profile in use: the one that was named, or the config file's.
    ///
    /// # Errors
    /// When the config file is unusable.
    pub fn profile(&self) -> Result<Option<String>, Error> {
        if let Some(name) = &self.globals.profile {
            return Ok(Some(name.clone()));
        }
        Ok(Config::read(&self.config_path()?)?.profile)
    }

    /// # Errors
    /// A usage error for an unknown region or base URL that was typed or set in the environment, a
    /// configuration error for one in the file.
    pub fn target(&self, settings: &config::Settings) -> Result<Target, Error> {
        let address = |text: &str| {
            let url =
                Url::parse(text).ok().filter(|it| matches!(it.scheme(), "http" | "https") && it.has_host());
            url.ok_or_else(|| format!("{text:?} is no http or https address"))
        };
        let at = |base_url: Url, source| Target { base_url, region: None, source };
        let of =
            |region: Region, source| Target { base_url: region.base_url(), region: Some(region), source };
        if let Some(text) = &self.globals.base_url {
            return address(text)
                .map(|it| at(it, "flag"))
                .map_err(|it| Error::usage(format!("--base-url: {it}")));
        }
        if let Some(region) = self.globals.region {
            return Ok(of(region, "flag"));
        }
        let value = |reason: String| Error::Config(config::Error::Value(reason));
        let of_settings = |settings: &config::Settings, source| match (&settings.base_url, &settings.region) {
            (Some(text), _) => {
                address(text).map(|it| Some(at(it, source))).map_err(|it| value(format!("base_url: {it}")))
            }
            (None, Some(name)) => {
                region(name, "region").map(|it| Some(of(it, source))).map_err(|it| value(it.to_string()))
            }
            (None, None) => Ok(None),
        };
        let variable =
            ["INTERCOM_BASE_URL", "INTERCOM_REGION"].into_iter().find(|it| environment(it).is_some());
        if let Some(typed) = self.typed_profile()? {
            let own = of_settings(&typed.own, "profile")?;
            let target = if own.is_some() { own } else { of_settings(&typed.merged, "config")? };
            match (target, variable) {
                (Some(target), Some(variable)) => {
                    let place = if target.source == "profile" {
                        "its own server"
                    } else {
                        "the config file's server"
                    };
                    warn_once(&format!("--profile {} has {place}; {variable} is ignored", typed.name));
                    return Ok(target);
                }
                (Some(target), None) => return Ok(target),
                (None, Some(variable)) if typed.has_token()? => {
                    warn_once(&format!(
                        "--profile {} names no server: its token is sent to the server of {variable}",
                        typed.name
                    ));
                }
                (None, _) => {}
            }
        }
        if let Some(text) = environment("INTERCOM_BASE_URL") {
            let url = address(&text).map_err(|it| Error::usage(format!("INTERCOM_BASE_URL: {it}")))?;
            return Ok(at(url, "environment"));
        }
        if let Some(name) = environment("INTERCOM_REGION") {
            return Ok(of(region(&name, "INTERCOM_REGION")?, "environment"));
        }
        let target = of_settings(settings, "config")?;
        Ok(target.unwrap_or_else(|| of(Region::Us, "default")))
    }

    /// The token and where it came from; `None` when none is set anywhere.
    ///
    /// # Errors
    /// When one is set that cannot be a token.
    pub fn credential(&self, settings: &config::Settings) -> Result<Option<Credential>, Error> {
        let typed = self.typed_profile()?;
        if let Some(typed) = &typed
            && let Some(found) = typed.credential()?
        {
            if let Some(variable) = credentials::variable()
                && environment(variable).as_deref() != Some(found.token.expose())
            {
                let own = typed.own.access_token.is_some() || typed.own.token_env.is_some();
                let file = found.source == credentials::Source::File && !own;
                let place = if file { "the config file's token" } else { "its own token" };
                warn_once(&format!("--profile {} has {place}; {variable} is ignored", typed.name));
            }
            return Ok(Some(found));
        }
        if let Some(found) = credentials::of_environment()? {
            if let Some(typed) = typed.filter(Typed::has_server) {
                warn_once(&format!(
                    "--profile {} has no token: that of {} is sent to its server",
                    typed.name, found.place
                ));
            }
            return Ok(Some(found));
        }
        let name = self.profile()?;
        credentials::of_profile(credentials::Profile { name: name.as_deref(), settings })
    }

    /// The profile that was typed. It counts like flags, so the environment does not go before it.
    fn typed_profile(&self) -> Result<Option<Typed>, Error> {
        let Some(name) = &self.globals.profile else { return Ok(None) };
        let config = Config::read(&self.config_path()?)?;
        let Some(own) = config.profiles.get(name) else { return Ok(None) };
        let merged = config.profile(Some(name))?;
        Ok(Some(Typed { name: name.clone(), own: own.clone(), merged }))
    }

    /// An error about authentication says where the token came from that was refused.
    pub fn with_token_place(&self, error: Error) -> Error {
        if !error.is_about_token() {
            return error;
        }
        let found = self.settings().and_then(|settings| self.credential(&settings));
        match found {
            Ok(Some(credential)) => Error::Token { error: Box::new(error), place: credential.place },
            _ => error,
        }
    }

    /// Says once which keys of the config file mean nothing: misspelt, most likely.
    pub fn warn_of_unknown_keys(&self) {
        // A file that cannot be read is reported by whoever needs it.
        let Ok(path) = self.config_path() else { return };
        for unknown in config::unknown_keys(&path).unwrap_or_default() {
            warn_once(&format!("{}: {unknown}", path.display()));
        }
    }

    /// A client that can send.
    ///
    /// # Errors
    /// When no token is set, or a setting is unusable.
    pub fn client(&self) -> Result<Client, Error> {
        let settings = self.settings()?;
        let target = self.target(&settings)?;
        let credential = self.credential(&settings)?.ok_or(Error::NoToken)?;
        self.client_at(&settings, Some(credential), target.base_url)
    }

    /// A client that may lack a token: good for showing requests.
    ///
    /// # Errors
    /// When a setting is unusable.
    pub fn client_for_preview(&self) -> Result<Client, Error> {
        let settings = self.settings()?;
        let credential = self.credential(&settings)?;
        self.client_with(&settings, credential)
    }

    /// A client for these settings and this credential.
    ///
    /// # Errors
    /// When a setting is unusable.
    pub fn client_with(
        &self,
        settings: &config::Settings,
        credential: Option<Credential>,
    ) -> Result<Client, Error> {
        let target = self.target(settings)?;
        self.client_at(settings, credential, target.base_url)
    }

    /// A client for another address than the settings': how `doctor` tries the other regions.
    ///
    /// # Errors
    /// When a setting is unusable.
    pub fn client_at(
        &self,
        settings: &config::Settings,
        credential: Option<Credential>,
        base_url: Url,
    ) -> Result<Client, Error> {
        let mut transport = Settings::new(base_url, credential.map(|it| it.token));
        transport.headers = self.headers(settings)?;
        transport.rate_limit = self.globals.rate_limit;
        transport.read_only = self.read_only()?;
        if let Some(timeout) = self.globals.timeout {
            transport.timeout = timeout;
        }
        transport.total = self.globals.total;
        if let Some(version) = &settings.api_version {
            transport.api_version = version.clone();
        }
        let client = self.clients.reach(transport)?;
        Ok(match &self.globals.api_version {
            Some(version) => client.with_version(version),
            None => client,
        })
    }

    fn headers(&self, settings: &config::Settings) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let parsed = |name: &str, value: &str| {
            let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header name"))?;
            let value = HeaderValue::try_from(value)
                .map_err(|_| format!("the value of {name} is no header value"))?;
            Ok::<_, String>((name, value))
        };
        for (name, value) in &settings.headers {
            let (name, mut value) = parsed(name, value)
                .map_err(|reason| Error::Config(config::Error::Value(format!("headers: {reason}"))))?;
            // It may be a secret, and whoever reads a preview need not be the owner of the file.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        for (name, value) in &self.globals.headers {
            let (name, value) =
                parsed(name, value).map_err(|reason| Error::usage(format!("--header: {reason}")))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}
