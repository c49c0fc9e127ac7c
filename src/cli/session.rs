//! Commands that run inside this process: for the MCP server, and for workflows.
//!
//! A session holds what its commands have in common: the settings that its owner chose, which no
//! command can change, and the connections.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::clients::Clients;
use super::consent::Consent;
use super::context::{Context, Program};
use super::error::Error;
use super::globals::Globals;
use super::levels::levels;
use super::stores;
use crate::mirror::Store;

#[derive(Clone)]
pub(crate) struct Session {
    globals: Globals,
    clients: Arc<Clients>,
    program: &'static Program,
    /// The mirror that commands use unless they name one.
    db: Option<PathBuf>,
}

impl Session {
    /// A session with the settings of a command line.
    pub fn of(context: Context) -> Self {
        Session {
            globals: context.globals.for_session(),
            clients: context.clients,
            program: context.program,
            db: context.db,
        }
    }

    /// A session for the steps of a command.
    pub fn for_steps(context: &Context) -> Self {
        Session {
            globals: context.globals.for_steps(),
            clients: Arc::clone(&context.clients),
            program: context.program,
            db: context.db.clone(),
        }
    }

    /// The session with this mirror.
    pub fn with_mirror(self, db: Option<PathBuf>) -> Self {
        Session { db, ..self }
    }

    /// The session with this long for each call of the API, its retries included.
    pub fn with_total(mut self, total: Duration) -> Self {
        self.globals.total = Some(total);
        self
    }

    /// A context with the session's settings, for what is no command of its own.
    pub fn context(&self) -> Context {
        self.with(self.globals.clone())
    }

    /// One line on whose data the session's commands work with: from the mirror and the settings, without
    /// asking the server.
    pub fn described(&self) -> String {
        let context = self.context();
        let place = context.settings().and_then(|settings| context.target(&settings));
        let place =
            place.map_or_else(|_| "an unknown server".to_owned(), |target| target.base_url.to_string());
        let profile =
            self.globals.profile.as_deref().map(|name| format!(", profile {name:?}")).unwrap_or_default();
        let mirror = self.db.clone().or_else(|| stores::known(&context).ok().flatten());
        let workspace = mirror.and_then(|path| Store::open_read_only(&path).ok()?.workspace().ok()?);
        match workspace {
            Some(workspace) => {
                let name = workspace.name.unwrap_or_else(|| workspace.id_code.clone());
                format!(
                    "Intercom workspace {name:?} ({}) at {place}{profile}; it has a local mirror.",
                    workspace.id_code
                )
            }
            None => format!("An Intercom workspace at {place}{profile}, without a local mirror so far."),
        }
    }

    /// Whether the settings forbid changes of the workspace.
    ///
    /// # Errors
    /// As [`Context::read_only`].
    pub fn is_read_only(&self) -> Result<bool, Error> {
        Ok(self.context().read_only()?.is_some())
    }

    /// Runs the command of these words, which begin after the program's name. Beside what they say for
    /// themselves, this was agreed to.
    ///
    /// # Errors
    /// As the command line.
    pub async fn run(&self, arguments: &[String], consent: Consent) -> Result<(), Error> {
        let program = "intercom-pp-cli".to_owned();
        let typed: Vec<String> = std::iter::once(program).chain(arguments.iter().cloned()).collect();
        let matches = (self.program.tree)(&typed).try_get_matches_from(&typed)?;
        let (words, levels) = levels(&matches);
        let leaf = levels[levels.len() - 1];
        let mut globals = Globals::read(&levels)?.under(&self.globals);
        globals.consent = globals.consent.max(consent);
        let context = self.with(globals);
        (self.program.dispatch)(&context, &words, leaf).await
    }

    fn with(&self, globals: Globals) -> Context {
        Context { globals, clients: Arc::clone(&self.clients), program: self.program, db: self.db.clone() }
    }
}
