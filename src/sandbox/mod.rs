//! An Intercom workspace in memory, served over HTTP on localhost.
//!
//! For tests, experiments and demos without an account. It reproduces the API's awkward behaviour (dates
//! compared by day, one scroll at a time, page size limits), because a sandbox that is more forgiving than the
//! API proves nothing. It must never write to disk, or make network requests other than the webhooks that its owner asked for.
//!
//! To test a program that uses this client, add the crate once more as a dev-dependency with the feature `sandbox`:
//!
//! ```toml
//! [dev-dependencies]
//! intercom-pp-cli = { version = "0.1", default-features = false, features = ["sandbox"] }
//! ```
//!
//! ```
//! use intercom::sandbox::{Fault, Options, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(Options { contacts: 7, ..Options::default() }).await?;
//! let client = sandbox.client()?;
//!
//! // The code under test.
//! let me = client.me().await?;
//! assert!(me.email.is_some());
//!
//! // What it sent.
//! let requests = sandbox.requests();
//! assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("GET", "/me"));
//!
//! // What it does when a request fails.
//! sandbox.inject_faults(|_, request| (request.path == "/me").then_some(Fault::Status(403)));
//! assert!(client.me().await.is_err_and(|error| error.is_unauthorized()));
//! # Ok(())
//! # }
//! ```
//!
//! The sandbox implements the operations that programs use most; others answer 501.

#![deny(missing_docs)]

mod admission;
mod calendar;
mod control;
mod document_quirks;
mod handlers;
mod html;
#[doc(hidden)]
pub mod model;
#[allow(missing_docs, reason = "prepares workspaces for this crate's own tests")]
mod new_records;
#[allow(missing_docs, reason = "most of it serves `sandbox trigger`")]
mod notifications;
mod options;
mod page_quirks;
mod paging;
mod quirk;
mod random;
#[allow(missing_docs, reason = "prepares workspaces for this crate's own tests")]
mod record_set;
#[allow(missing_docs, reason = "prepares workspaces for this crate's own tests")]
mod render;
mod request;
#[allow(missing_docs, reason = "prepares workspaces for this crate's own tests")]
mod response;
mod router;
mod schema;
mod search;
mod seed;
mod server;
mod validate;
mod version_shapes;
#[allow(missing_docs, reason = "prepares workspaces for this crate's own tests")]
mod workspace;

use std::time::Duration;

use reqwest::Url;

use crate::api::{self, Client, Settings, Token};

#[doc(hidden)]
pub use self::calendar::WorkspaceClock;
#[doc(hidden)]
pub use self::control::TRIGGER_PATH;
pub use self::notifications::WebhookCounts;
#[doc(hidden)]
pub use self::notifications::{InvalidOverride, Override, Trigger, TriggerError, Triggered, known_topics};
pub use self::options::{Error, Options, TOKEN, Webhooks};
#[doc(hidden)]
pub use self::quirk::NAMES as QUIRK_NAMES;
pub use self::quirk::Quirk;
#[doc(hidden)]
pub use self::record_set::{RecordSet, WorkspaceRecord};
#[doc(hidden)]
pub use self::response::ErrorResponse;
#[doc(hidden)]
pub use self::seed::story;
pub use self::server::{Fault, LoggedRequest};
use self::server::{SandboxServer, lock};
#[doc(hidden)]
pub use self::version_shapes::shape;
pub use self::workspace::Workspace;
#[doc(hidden)]
pub use self::workspace::{CompanyScroll, IdSequence, IpAllowlist};

/// A running sandbox. Stops when dropped.
pub struct Sandbox {
    server: SandboxServer,
}

impl Sandbox {
    /// Creates a workspace and serves it.
    ///
    /// # Errors
    /// If the port is in use or the time zone is unknown.
    pub async fn start(options: Options) -> Result<Sandbox, Error> {
        let mut workspace = seed::workspace(&options, options.zone()?);
        workspace.quirks.clone_from(&options.quirks);
        Ok(Sandbox { server: SandboxServer::start(options, workspace)? })
    }

    /// URL of the server, without a trailing slash.
    pub fn base_url(&self) -> String {
        self.server.base_url().to_owned()
    }

    /// The bearer token that the sandbox accepts.
    pub fn token(&self) -> &str {
        self.server.token()
    }

    /// A client of this sandbox, with the default settings.
    ///
    /// # Errors
    /// If the token in the options cannot be sent in a header.
    pub fn client(&self) -> Result<Client, api::Error> {
        let base_url = Url::parse(self.server.base_url())
            .map_err(|error| api::Error::InvalidRequest(format!("invalid base URL: {error}")))?;
        Client::new(Settings::new(base_url, Some(Token::new(self.token())?)))
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.server.state.log).clone()
    }

    /// Clears the request log.
    pub fn forget_requests(&self) {
        lock(&self.server.state.log).clear();
    }

    /// What became of the notifications about changes. All zero without [`Options::webhooks`].
    pub fn webhook_counts(&self) -> WebhookCounts {
        self.server.state.webhooks.as_ref().map_or_else(WebhookCounts::default, |sender| sender.counts())
    }

    #[doc(hidden)]
    /// Reads or changes the workspace. `act` must not send requests to the sandbox: that would deadlock.
    pub fn with_workspace<R>(&self, act: impl FnOnce(&mut Workspace) -> R) -> R {
        act(&mut lock(&self.server.state.workspace))
    }

    /// Advances the workspace's clock. The rate limit uses real time and is not affected.
    pub fn advance(&self, by: Duration) {
        self.with_workspace(|workspace| workspace.clock.advance(by));
    }

    #[doc(hidden)]
    /// Calls `hook` with every authorized request before it is handled. The hook may change the workspace, or
    /// return an error status to respond with. Replaces any earlier hook.
    pub fn intercept(
        &self,
        mut hook: impl FnMut(&mut Workspace, &LoggedRequest) -> Option<u16> + Send + 'static,
    ) {
        self.inject_faults(move |workspace, request| hook(workspace, request).map(Fault::Status));
    }

    /// Calls `hook` with every authorized request before it is handled, and fails as it says. Replaces any earlier hook.
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
