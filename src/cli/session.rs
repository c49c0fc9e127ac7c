//! Commands that run inside this process: for the MCP server, and for workflows.
//!
//! A session holds what its commands have in common: the settings that its owner chose, which no
//! command can change, and the connections.

use std::path::PathBuf;
use std::sync::Arc;

use super::clients::Clients;
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
    db: Option<String>,
}

impl Session {
    /// A session with the settings of a command line.
    pub fn of(context: Context) -> Self {
        Session {
            globals: context.globals.for_session(),
            clients: context.clients,
            program: context.program,
            db: None,
        }
    }

    /// A session for the steps of a command.
    pub fn for_steps(context: &Context) -> Self {
        Session {
            globals: context.globals.for_steps(),
            clients: Arc::clone(&context.clients),
            program: context.program,
            db: None,
        }
    }

    /// The session with this mirror.
    pub fn with_mirror(self, db: Option<String>) -> Self {
        Session { db, ..self }
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
        let mirror = self.db.clone().map(PathBuf::from).or_else(|| stores::known(&context).ok().flatten());
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

    /// Runs the command of these words, which begin after the program's name.
    ///
    /// # Errors
    /// As the command line.
    pub async fn run(&self, arguments: &[String]) -> Result<(), Error> {
        let program = "intercom-pp-cli".to_owned();
        let mut typed: Vec<String> = std::iter::once(program).chain(arguments.iter().cloned()).collect();
        if let Some(db) = &self.db
            && self.takes_db(arguments)
        {
            let end = typed.iter().position(|word| word == "--").unwrap_or(typed.len());
            typed.insert(end, format!("--db={db}"));
        }
        let matches = (self.program.tree)(&typed).try_get_matches_from(&typed)?;
        let (words, levels) = levels(&matches);
        let leaf = levels[levels.len() - 1];
        let globals = Globals::read(&levels)?.under(&self.globals);
        let context = self.with(globals);
        (self.program.dispatch)(&context, &words, leaf).await
    }

    fn with(&self, globals: Globals) -> Context {
        Context { globals, clients: Arc::clone(&self.clients), program: self.program }
    }

    /// Whether the command has the flag for a mirror and was not given it.
    fn takes_db(&self, arguments: &[String]) -> bool {
        let given = arguments.iter().any(|word| word == "--db" || word.starts_with("--db="));
        let catalog = (self.program.catalog)();
        let has = |words: &str| {
            catalog.entry(words).is_some_and(|entry| entry.parameters.iter().any(|it| it.name == "db"))
        };
        let words: Vec<&str> =
            arguments.iter().take_while(|it| !it.starts_with('-')).map(String::as_str).collect();
        !given && (1..=words.len().min(3)).any(|count| has(&words[..count].join(" ")))
    }
}
