//! The workspace that the examples run against: a real one if `INTERCOM_ACCESS_TOKEN` is set, or else a sandbox in this
//! process. Examples that change something always use the sandbox.

#![allow(dead_code, reason = "each example uses a part")]

use std::error::Error;

use intercom::Client;
use intercom::sandbox::{Options, Sandbox};

/// A client, and the sandbox that it talks to unless the workspace is real.
pub struct Workspace {
    pub client: Client,
    pub sandbox: Option<Sandbox>,
}

/// Connects to the workspace of the token in the environment, or else to a sandbox.
pub async fn connect() -> Result<Workspace, Box<dyn Error>> {
    if std::env::var_os("INTERCOM_ACCESS_TOKEN").is_none() {
        return sandbox().await;
    }
    Ok(Workspace { client: Client::from_env()?, sandbox: None })
}

/// Starts a sandbox: 200 contacts, 300 conversations and everything else that a workspace has.
pub async fn sandbox() -> Result<Workspace, Box<dyn Error>> {
    let sandbox = Sandbox::start(Options::default().with_story()).await?;
    Ok(Workspace { client: sandbox.client()?, sandbox: Some(sandbox) })
}
