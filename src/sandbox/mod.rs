//! An Intercom workspace in memory, served over HTTP on localhost.
//!
//! For tests, experiments and demos without an account. It reproduces the API's awkward behaviour (dates
//! compared by day, one scroll at a time, page size limits), because a sandbox that is more forgiving than the
//! API proves nothing. It must never write to disk or make network requests.

mod admission;
mod calendar;
mod document_quirks;
mod handlers;
mod html;
pub mod model;
mod new_records;
mod options;
mod page_quirks;
mod paging;
mod quirk;
mod random;
mod record_set;
mod render;
mod request;
mod response;
mod router;
mod schema;
mod search;
mod seed;
mod server;
mod validate;
mod version_shapes;
mod workspace;

use std::time::Duration;

pub use self::calendar::WorkspaceClock;
pub use self::options::{Error, Options, TOKEN};
pub use self::quirk::{NAMES as QUIRK_NAMES, Quirk};
pub use self::record_set::{RecordSet, WorkspaceRecord};
pub use self::response::ErrorResponse;
pub use self::seed::story;
pub use self::server::{Fault, LoggedRequest};
use self::server::{SandboxServer, lock};
pub use self::version_shapes::shape;
pub use self::workspace::{CompanyScroll, IdSequence, IpAllowlist, Workspace};

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
