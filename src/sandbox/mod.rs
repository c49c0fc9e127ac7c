//! An Intercom workspace in memory, served over HTTP on this machine.
//!
//! For tests, for trying things out, and for demonstrations without an account. It follows the real
//! service where that is awkward (dates that compare by day, one scroll at a time, pages that refuse
//! to grow), because a sandbox that is kinder than the service proves nothing. It keeps nothing on
//! disk and never calls anybody.

mod answer;
mod clock;
mod gate;
mod handlers;
mod hours;
mod html;
pub mod model;
mod paging;
mod random;
mod render;
mod request;
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

pub use self::answer::Problem;
pub use self::clock::Clock;
use self::server::{Server, lock};
pub use self::table::{Record, Table};
pub use self::workspace::{Scroll, Sequence, Workspace};

/// The token that is accepted unless the options say otherwise.
pub const TOKEN: &str = "sandbox-token";

/// What to serve and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// 0 takes any free port.
    pub port: u16,
    /// Equal seeds make equal workspaces.
    pub seed: u64,
    pub contacts: usize,
    pub companies: usize,
    pub conversations: usize,
    /// The average.
    pub parts_per_conversation: usize,
    pub tickets: usize,
    pub articles: usize,
    pub admins: usize,
    pub teams: usize,
    /// The accepted bearer token; [`TOKEN`] when `None`.
    pub token: Option<String>,
    /// Calls per window of ten seconds.
    pub rate_limit: u32,
    /// How long each answer takes at least.
    pub latency: Duration,
    /// Epoch seconds that the workspace's clock starts at; everything in the seed lies before it.
    pub now: i64,
    /// `US`, `EU` or `AU`, as `/me` tells it.
    pub region: String,
    /// IANA name. Decides which day a moment belongs to. Where the system has no time zone
    /// database, the workspace lives in UTC.
    pub timezone: String,
    /// The first is the main language; more than one switches multilingual help on.
    pub locales: Vec<String>,
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

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on port {port}: {source}")]
    Bind { port: u16, source: std::io::Error },
    #[error("cannot serve: {0}")]
    Serve(std::io::Error),
    #[error("unknown time zone {0:?}")]
    TimeZone(String),
}

/// One call that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// As it was sent; empty when there was none.
    pub query: String,
    /// Id of the operation, when the path leads to one.
    pub operation: Option<&'static str>,
    pub status: u16,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This status is answered, and nothing is done.
    Status(u16),
    /// The call is carried out, but the connection is closed instead of answering.
    Drop,
    /// The call is carried out, but the answer ends in the middle.
    Truncate,
    /// The call is carried out, but the answer has no body.
    Blank,
}

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    server: Server,
}

impl Sandbox {
    /// Fills a workspace and serves it.
    ///
    /// # Errors
    /// A port that is taken, or a time zone that does not exist.
    pub async fn start(options: Options) -> Result<Sandbox, Error> {
        let workspace = seed::workspace(&options, options.zone()?);
        Ok(Sandbox { server: Server::start(options, workspace)? })
    }

    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.server.base_url().to_owned()
    }

    /// All calls so far, oldest first.
    pub fn requests(&self) -> Vec<Served> {
        lock(&self.server.shared.log).clone()
    }

    /// Forgets the calls so far.
    pub fn forget_requests(&self) {
        lock(&self.server.shared.log).clear();
    }

    /// Reads or changes the workspace itself. Do not call the sandbox from inside.
    pub fn with_workspace<R>(&self, act: impl FnOnce(&mut Workspace) -> R) -> R {
        act(&mut lock(&self.server.shared.workspace))
    }

    /// Moves the workspace's clock on; the rate limit goes by real time and does not notice.
    pub fn advance(&self, by: Duration) {
        self.with_workspace(|workspace| workspace.clock.advance(by));
    }

    /// Lets `act` see every admitted call before it is handled, to change the workspace under a
    /// caller's feet or to fail: a status it returns is answered instead. Replaces an earlier one.
    pub fn intercept(&self, mut act: impl FnMut(&mut Workspace, &Served) -> Option<u16> + Send + 'static) {
        self.disturb(move |workspace, served| act(workspace, served).map(Fault::Status));
    }

    /// Like [`Sandbox::intercept`], for every kind of fault.
    pub fn disturb(&self, act: impl FnMut(&mut Workspace, &Served) -> Option<Fault> + Send + 'static) {
        *lock(&self.server.shared.interception) = Some(Box::new(act));
    }

    /// Stops serving and frees the port.
    pub async fn stop(self) {
        drop(self);
    }
}
