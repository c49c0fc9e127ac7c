//! What a command runs with: the global flags, the settings they lead to, a client on demand, and the program
//! that it is a part of.
//!
//! Precedence everywhere: flag, environment, profile, config file, default. Nothing is read or
//! opened before a command asks for it; this type stays in the command line and is never handed to
//! a lower layer.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::catalog::Catalog;
use super::clients::Clients;
use super::credentials::{self, Credential};
use super::environment::environment;
use super::error::Error;
use super::globals::{Globals, region};
use crate::api::client::Client;
use crate::api::region::Region;
use crate::api::transport::Settings;
use crate::config::{self, Config};

pub struct Context {
    pub globals: Globals,
    pub(super) clients: Arc<Clients>,
    pub(super) program: &'static Program,
}

/// A command under way.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// The program as its own commands see it: `which` looks through all of them, `workflow run` runs some,
/// `completions` needs the whole tree. All that stands above the commands; it is handed in.
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
    /// `flag`, `environment`, `config` or `default`.
    pub source: &'static str,
}

impl Context {
    pub fn new(globals: Globals, program: &'static Program) -> Self {
        Context { globals, clients: Arc::default(), program }
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
        if let Some(text) = environment("INTERCOM_BASE_URL") {
            let url = address(&text).map_err(|it| Error::usage(format!("INTERCOM_BASE_URL: {it}")))?;
            return Ok(at(url, "environment"));
        }
        if let Some(name) = environment("INTERCOM_REGION") {
            return Ok(of(region(&name, "INTERCOM_REGION")?, "environment"));
        }
        let value = |reason: String| Error::Config(config::Error::Value(reason));
        if let Some(text) = &settings.base_url {
            return address(text).map(|it| at(it, "config")).map_err(|it| value(format!("base_url: {it}")));
        }
        if let Some(name) = &settings.region {
            return region(name, "region").map(|it| of(it, "config")).map_err(|it| value(it.to_string()));
        }
        Ok(of(Region::Us, "default"))
    }

    /// The token and where it came from; `None` when none is set anywhere.
    ///
    /// # Errors
    /// When one is set that cannot be a token.
    pub fn credential(&self, settings: &config::Settings) -> Result<Option<Credential>, Error> {
        credentials::find(self.profile()?.as_deref(), settings)
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
        if let Some(timeout) = self.globals.timeout {
            transport.timeout = timeout;
        }
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
            let (name, value) = parsed(name, value)
                .map_err(|reason| Error::Config(config::Error::Value(format!("headers: {reason}"))))?;
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
