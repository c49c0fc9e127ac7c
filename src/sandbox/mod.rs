//! An Intercom workspace in memory, served over HTTP on localhost.
//!
//! For tests, experiments and demos without an account. It reproduces the API's awkward behaviour (dates
//! compared by day, one scroll at a time, page size limits), because a sandbox that is more forgiving than the
//! API proves nothing. It must never write to disk or make network requests.

mod admission;
mod calendar;
mod clock;
mod document_quirks;
mod handlers;
mod html;
pub mod model;
mod page_quirks;
mod paging;
mod quirk;
mod random;
mod render;
mod request;
mod response;
mod router;
mod schema;
mod search;
mod seed;
mod server;
mod table;
mod validate;
mod workspace;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

pub use self::clock::WorkspaceClock;
pub use self::quirk::{NAMES as QUIRK_NAMES, PathPattern, Quirk};
pub use self::response::ErrorResponse;
use self::server::{Server, lock};
pub use self::table::{Record, Table};
pub use self::workspace::{CompanyScroll, IdSequence, Workspace};

/// The default access token.
pub const TOKEN: &str = "sandbox-token";

/// The contents of the workspace, and how it is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// 0 selects any free port.
    pub port: u16,
    /// Equal seeds produce equal workspaces.
    pub seed: u64,
    pub contacts: usize,
    pub companies: usize,
    pub conversations: usize,
    /// On average.
    pub parts_per_conversation: usize,
    pub tickets: usize,
    /// With none of them the workspace has no phone, and refuses to list calls.
    pub calls: usize,
    pub articles: usize,
    pub admins: usize,
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
    /// IANA name of the zone that defines calendar days. Falls back to UTC on systems without a time zone
    /// database.
    pub timezone: String,
    /// The first is the default locale; more than one enables multilingual help.
    pub locales: Vec<String>,
    /// Deviations from the default behaviour.
    pub quirks: Vec<Quirk>,
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
            timezone: "America/Los_Angeles".to_owned(),
            locales: vec!["en".to_owned()],
            quirks: Vec::new(),
        }
    }
}

impl Options {
    fn token(&self) -> &str {
        self.token.as_deref().unwrap_or(TOKEN)
    }

    fn zone(&self) -> Result<TimeZone, Error> {
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
    #[error("cannot listen on port {port}: {source}")]
    Bind { port: u16, source: std::io::Error },
    #[error("cannot start the server: {0}")]
    Serve(std::io::Error),
    #[error("unknown time zone {0:?}: expected an IANA name, for example Europe/Berlin")]
    TimeZone(String),
}

/// A request that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The raw query string; may be empty.
    pub query: String,
    /// Id of the operation, if the method and path match one.
    pub operation: Option<&'static str>,
    pub status: u16,
}

/// A fault to inject into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Respond with this status, without handling the request.
    Status(u16),
    /// Handle the request, then close the connection without a response.
    Drop,
    /// Handle the request, then cut the response body off in the middle.
    Truncate,
    /// Handle the request, then send an empty response body.
    Blank,
}

/// A running sandbox. Stops when dropped.
pub struct Sandbox {
    server: Server,
}

impl Sandbox {
    /// Creates a workspace and serves it.
    ///
    /// # Errors
    /// If the port is in use or the time zone is unknown.
    pub async fn start(options: Options) -> Result<Sandbox, Error> {
        let mut workspace = seed::workspace(&options, options.zone()?);
        workspace.quirks.clone_from(&options.quirks);
        Ok(Sandbox { server: Server::start(options, workspace)? })
    }

    /// URL of the server, without a trailing slash.
    pub fn base_url(&self) -> String {
        self.server.base_url().to_owned()
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.server.state.log).clone()
    }

    /// Clears the request log.
    pub fn forget_requests(&self) {
        lock(&self.server.state.log).clear();
    }

    /// Reads or changes the workspace. `act` must not send requests to the sandbox: that would deadlock.
    pub fn with_workspace<R>(&self, act: impl FnOnce(&mut Workspace) -> R) -> R {
        act(&mut lock(&self.server.state.workspace))
    }

    /// Advances the workspace's clock. The rate limit uses real time and is not affected.
    pub fn advance(&self, by: Duration) {
        self.with_workspace(|workspace| workspace.clock.advance(by));
    }

    /// Calls `hook` with every authorized request before it is handled. The hook may change the workspace, or
    /// return an error status to respond with. Replaces any earlier hook.
    pub fn intercept(
        &self,
        mut hook: impl FnMut(&mut Workspace, &LoggedRequest) -> Option<u16> + Send + 'static,
    ) {
        self.inject_faults(move |workspace, request| hook(workspace, request).map(Fault::Status));
    }

    /// Like [`Sandbox::intercept`], for every kind of fault.
    pub fn inject_faults(
        &self,
        hook: impl FnMut(&mut Workspace, &LoggedRequest) -> Option<Fault> + Send + 'static,
    ) {
        *lock(&self.server.state.request_hook) = Some(Box::new(hook));
    }

    /// Stops the server and releases the port.
    pub async fn stop(self) {
        drop(self);
    }
}
