//! The flags about the workspace: where it is, how requests are sent, and when its mirror is used.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::api::ApiVersion;
use crate::api::region::Region;
use crate::cli::duration;
use crate::cli::error::{Error, InvalidValue};
use crate::cli::flag_values::OneOf;

const REGIONS: OneOf<Region> =
    OneOf { names: &["us", "eu", "au"], parse: |name| Ok(region(name, "--region")?) };

const SOURCES: OneOf<DataSource> = OneOf { names: &["auto", "live", "local"], parse: source };

#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct ConnectionFlags {
    /// Region of the workspace: us, eu or au [env: INTERCOM_REGION]
    #[arg(long, value_name = "REGION", value_parser = REGIONS, hide_possible_values = true)]
    pub region: Option<Region>,
    /// Server to use instead of a region's [env: INTERCOM_BASE_URL]
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Intercom-Version to send with every request
    #[arg(long, value_name = "VERSION", value_parser = api_version)]
    pub api_version: Option<ApiVersion>,
    /// Add a header to every request (repeatable)
    #[arg(id = "header", long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Timeout of one attempt, for example 30s or 2m
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Duration>,
    /// Time limit for all attempts of one request.
    #[arg(skip)]
    pub total: Option<Duration>,
    /// Send at most N requests per second, never above the server's limit
    #[arg(long, value_name = "N", value_parser = rate_limit)]
    pub rate_limit: Option<f64>,
    /// Config file [env: INTERCOM_CONFIG]
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Profile of the config file to use
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Where to read from: auto, live (workspace) or local (mirror)
    #[arg(long, value_name = "SOURCE", value_parser = SOURCES, hide_possible_values = true)]
    data_source: Option<DataSource>,
    /// Warn if the mirror is older, for example 30m
    #[arg(long, value_name = "DURATION", value_parser = max_age)]
    pub max_age: Option<Duration>,
    /// Accepted for compatibility; responses are never cached
    #[arg(long)]
    no_cache: bool,
    /// Log every request to stderr
    #[arg(long, short = 'v')]
    pub verbose: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DataSource {
    #[default]
    Auto,
    Live,
    Local,
}

impl ConnectionFlags {
    pub fn live(self) -> Self {
        ConnectionFlags { data_source: Some(DataSource::Live), ..self }
    }

    pub fn data_source(&self) -> DataSource {
        self.data_source.unwrap_or_default()
    }
}

/// A region by name; `source` is where the name was given.
///
/// # Errors
/// [`Error::Usage`] for anything but `us`, `eu` and `au`.
pub fn region(name: &str, source: &str) -> Result<Region, Error> {
    name.parse()
        .map_err(|_| Error::usage(format!("{source}: unknown region {name:?}: expected us, eu or au")))
}

fn api_version(text: &str) -> Result<ApiVersion, InvalidValue> {
    ApiVersion::typed(text).map_err(|error| InvalidValue::from(format!("--api-version: {error}")))
}

fn source(name: &str) -> Result<DataSource, InvalidValue> {
    match name {
        "auto" => Ok(DataSource::Auto),
        "live" => Ok(DataSource::Live),
        "local" => Ok(DataSource::Local),
        _ => Err(format!("--data-source: unknown source {name:?}: expected auto, live or local").into()),
    }
}

fn header(text: &str) -> Result<(String, String), InvalidValue> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("--header: invalid header {text:?}: expected 'Name: value'").into()),
    }
}

fn timeout(text: &str) -> Result<Duration, InvalidValue> {
    match duration("--timeout", text)? {
        Duration::ZERO => {
            Err("--timeout: 0 is too short: expected a duration, for example 30s".to_owned().into())
        }
        timeout => Ok(timeout),
    }
}

fn max_age(text: &str) -> Result<Duration, InvalidValue> {
    duration("--max-age", text)
}

fn duration(flag: &str, text: &str) -> Result<Duration, InvalidValue> {
    duration::parse(text).map_err(|reason| format!("{flag}: {reason}").into())
}

fn rate_limit(text: &str) -> Result<f64, InvalidValue> {
    let rate = text.parse::<f64>().ok().filter(|rate| *rate > 0.0 && rate.is_finite());
    rate.ok_or_else(|| {
        format!("--rate-limit: invalid value {text:?}: expected a positive number of requests per second")
            .into()
    })
}
