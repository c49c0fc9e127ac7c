//! Runs commands inside this process, for the MCP server and for workflows.
//!
//! A session holds what its commands share: the connections, and its owner's settings, which no command can change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::clients::Clients;
use super::consent::Consent;
use super::context::Context;
use super::dispatch::dispatch;
use super::error::Error;
use super::globals::Globals;
use super::mirror_paths;
use super::registry::Registry;
use super::tree;
use crate::mirror::Store;

#[derive(Clone)]
pub(crate) struct Session {
    globals: Globals,
    clients: Arc<Clients>,
    registry: &'static Registry,
    /// The mirror for commands without `--db`.
    db: Option<PathBuf>,
}

impl Session {
    /// A session with the settings of a command line.
    pub fn of(context: &Context, registry: &'static Registry) -> Self {
        Session {
            globals: context.globals.for_session(),
            clients: Arc::clone(&context.clients),
            registry,
            db: context.db.clone(),
        }
    }

    /// A session for the steps of a workflow.
    pub fn for_steps(context: &Context, registry: &'static Registry) -> Self {
        Session {
            globals: context.globals.for_steps(),
            clients: Arc::clone(&context.clients),
            registry,
            db: context.db.clone(),
        }
    }

    /// All commands that this session can run.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// Sets the mirror.
    pub fn with_mirror(self, db: Option<PathBuf>) -> Self {
        Session { db, ..self }
    }

    /// Sets the time limit of each request, including retries.
    pub fn with_total(mut self, total: Duration) -> Self {
        self.globals.connection.total = Some(total);
        self
    }

    /// A context with the session's settings, for work outside of a command.
    pub fn context(&self) -> Context {
        self.with(self.globals.clone())
    }

    /// Describes the workspace in one line, from the mirror and the settings, without a request.
    pub fn description(&self) -> String {
        let context = self.context();
        let server = context.settings().and_then(|settings| context.api_server(&settings));
        let server =
            server.map_or_else(|_| "an unknown server".to_owned(), |server| server.base_url.to_string());
        let profile = self
            .globals
            .connection
            .profile
            .as_deref()
            .map(|name| format!(", profile {name:?}"))
            .unwrap_or_default();
        let mirror = self.db.clone().or_else(|| mirror_paths::of_credentials(&context).ok().flatten());
        let workspace = mirror.and_then(|path| Store::open_read_only(&path).ok()?.workspace().ok()?);
        match workspace {
            Some(workspace) => {
                let name = workspace.name.unwrap_or_else(|| workspace.id_code.clone());
                format!(
                    "Intercom workspace {name:?} ({}) at {server}{profile}, with a local mirror.",
                    workspace.id_code
                )
            }
            None => format!("Intercom workspace at {server}{profile}, without a local mirror."),
        }
    }

    /// Whether the settings forbid changes to the workspace.
    ///
    /// # Errors
    /// As [`Context::read_only`].
    pub fn is_read_only(&self) -> Result<bool, Error> {
        Ok(self.context().read_only()?.is_some())
    }

    /// Runs a command. `arguments` exclude the program's name; `consent` is added to any consent in the arguments.
    ///
    /// # Errors
    /// Those of the command line.
    pub async fn run(&self, arguments: &[String], consent: Consent) -> Result<(), Error> {
        let program = "intercom-pp-cli".to_owned();
        let typed: Vec<String> = std::iter::once(program).chain(arguments.iter().cloned()).collect();
        let matches = tree::command(self.registry, &typed).try_get_matches_from(&typed)?;
        let (words, levels) = tree::levels(&matches);
        let leaf = levels[levels.len() - 1];
        let mut globals = Globals::read(&levels)?.with_session(&self.globals)?;
        globals.consent.given = globals.consent.given.max(consent);
        let context = self.with(globals);
        dispatch(&context, self.registry, &words, leaf).await
    }

    fn with(&self, globals: Globals) -> Context {
        Context { globals, clients: Arc::clone(&self.clients), db: self.db.clone() }
    }
}
