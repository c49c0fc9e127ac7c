//! What a sandbox contains and how it is served, and why it can fail to start.

#![deny(missing_docs)]

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use super::quirk::Quirk;
use crate::api::ApiVersion;

/// The default access token.
pub const TOKEN: &str = "sandbox-token";

/// The contents of the workspace, and how it is served. The defaults make a small workspace with everything in it.
///
/// ```
/// use intercom::sandbox::Options;
///
/// let options = Options { contacts: 3, conversations: 0, ..Options::default() };
/// assert_eq!(options.token(), intercom::sandbox::TOKEN);
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    /// 0 selects any free port.
    pub port: u16,
    /// Equal seeds produce equal workspaces.
    pub seed: u64,
    /// Number of contacts.
    pub contacts: usize,
    /// Number of companies.
    pub companies: usize,
    /// Number of conversations.
    pub conversations: usize,
    /// Number of parts per conversation, on average.
    pub parts_per_conversation: usize,
    /// Number of tickets.
    pub tickets: usize,
    /// Number of calls. With none of them the workspace has no phone, and refuses to list calls.
    pub calls: usize,
    /// Number of articles.
    pub articles: usize,
    /// Number of teammates.
    pub admins: usize,
    /// Number of teams.
    pub teams: usize,
    /// The accepted bearer token; [`TOKEN`] when `None`.
    pub token: Option<String>,
    /// Requests per window of ten seconds.
    pub rate_limit: u32,
    /// Minimum duration of each request.
    pub latency: Duration,
    /// Start time of the workspace's clock, in epoch seconds. All seed data is older.
    pub now: i64,
    /// `US`, `EU` or `AU`, as reported by `/me`.
    pub region: String,
    /// The app's API version, which answers requests that do not name one.
    pub api_version: ApiVersion,
    /// IANA name of the zone that defines calendar days. Falls back to UTC on systems without a time zone
    /// database.
    pub timezone: String,
    /// The first is the default locale; more than one enables multilingual help.
    pub locales: Vec<String>,
    /// Whether to add prepared cases to the generated data: an incident in the last day, duplicate leads, translations
    /// that need work.
    pub story: bool,
    /// Deviations from the default behaviour.
    pub quirks: Vec<Quirk>,
    /// Where to send notifications about changes. The default sends none.
    pub webhooks: Option<Webhooks>,
}

/// Where a sandbox sends notifications about changes that are made through its API, and how awkwardly.
///
/// ```
/// use intercom::sandbox::{Options, Webhooks};
///
/// let webhooks = Webhooks::new("http://127.0.0.1:4242/", "a-made-up-secret");
/// let options = Options { webhooks: Some(webhooks), ..Options::default() };
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhooks {
    /// An address that begins with `http://` or `https://`.
    pub url: String,
    /// Signs the notifications, as the client secret of an app does.
    pub client_secret: String,
    /// How many of a hundred notifications are sent twice, with the same id.
    pub repeat_percent: u8,
    /// Whether notifications are sent in another order than that of the changes.
    pub shuffle: bool,
}

impl Webhooks {
    /// Sends each notification once, in order.
    pub fn new(url: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let (url, client_secret) = (url.into(), client_secret.into());
        Webhooks { url, client_secret, repeat_percent: 0, shuffle: false }
    }
}

/// Hides the secret.
impl fmt::Debug for Webhooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Webhooks")
            .field("url", &self.url)
            .field("repeat_percent", &self.repeat_percent)
            .field("shuffle", &self.shuffle)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: 0,
            seed: 1,
            contacts: 200,
            companies: 40,
            conversations: 300,
            parts_per_conversation: 5,
            tickets: 60,
            calls: 0,
            articles: 40,
            admins: 8,
            teams: 4,
            token: None,
            rate_limit: 1_667,
            latency: Duration::ZERO,
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64),
            region: "US".to_owned(),
            api_version: ApiVersion::pinned(),
            timezone: "America/Los_Angeles".to_owned(),
            locales: vec!["en".to_owned()],
            story: false,
            quirks: Vec::new(),
            webhooks: None,
        }
    }
}

impl Options {
    /// Adds the prepared cases, French as the second language of the help center, and a phone.
    pub fn with_story(self) -> Self {
        Options { story: true, calls: 6, locales: vec!["en".to_owned(), "fr".to_owned()], ..self }
    }

    /// The accepted bearer token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or(TOKEN)
    }

    /// The time zone.
    ///
    /// # Errors
    /// If it is unknown.
    #[doc(hidden)]
    pub fn zone(&self) -> Result<TimeZone, Error> {
        match TimeZone::get(&self.timezone) {
            Ok(zone) => Ok(zone),
            Err(_) if jiff::tz::db().is_definitively_empty() => Ok(TimeZone::UTC),
            Err(_) => Err(Error::TimeZone(self.timezone.clone())),
        }
    }
}

/// Why a sandbox failed to start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is in use.
    #[error("cannot listen on port {port}: {source}")]
    Bind {
        /// The requested port.
        port: u16,
        /// The reason.
        source: std::io::Error,
    },
    /// The system refused a thread or a socket.
    #[error("cannot start the server: {0}")]
    Serve(std::io::Error),
    /// The time zone is unknown.
    #[error("unknown time zone {0:?}: expected an IANA name, for example Europe/Berlin")]
    TimeZone(String),
    /// Notifications cannot be sent to this address.
    #[error("invalid address of webhooks: {0}")]
    Webhooks(String),
}
