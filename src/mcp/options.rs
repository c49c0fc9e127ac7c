//! The server's options, from the command line it was started with. An agent can never change them.

use std::path::{Path, PathBuf};

use super::command::ServeMcp;
use crate::api::commands::OPERATIONS;
use crate::cli::error::Error;
use crate::cli::files::OwnerFile;
use crate::cli::registry::Registry;
use crate::cli::streams::FilePolicy;

#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub allow_writes: bool,
    pub allow_destructive: bool,
    /// Set by the configuration; overrides the flags above.
    pub read_only: bool,
    pub tool_set: ToolSet,
    /// The folder in which an agent may name files.
    pub root: Option<PathBuf>,
    /// Limits of one result, in rows and in bytes.
    pub max_rows: usize,
    pub max_bytes: usize,
    /// The mirror's file, unless it is the default of the workspace.
    pub db: Option<PathBuf>,
}

/// Which tools are listed. Unlisted ones can be called as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolSet {
    /// The tools that find and run commands, and the most used commands.
    Few,
    /// The same, plus the tools of these groups.
    Groups(Vec<String>),
    All,
}

impl ServerOptions {
    /// # Errors
    /// [`Error::Usage`] for an unknown group, or a root that is not a folder.
    pub fn of(arguments: ServeMcp, registry: &Registry) -> Result<Self, Error> {
        let tool_set = match (arguments.all_tools, arguments.toolsets.is_empty()) {
            (true, _) => ToolSet::All,
            (false, true) => ToolSet::Few,
            (false, false) => ToolSet::Groups(check_groups(arguments.toolsets, registry)?),
        };
        Ok(ServerOptions {
            allow_writes: arguments.allow_writes,
            allow_destructive: arguments.allow_destructive,
            read_only: false,
            tool_set,
            root: arguments.root.map(|file| folder(&file.path()?)).transpose()?,
            max_rows: arguments.max_rows as usize,
            max_bytes: arguments.max_bytes as usize,
            db: arguments.mirror.db.as_ref().map(OwnerFile::path).transpose()?,
        })
    }

    /// Applies the read-only setting.
    pub fn with_read_only(self, read_only: bool) -> Self {
        ServerOptions { allow_writes: self.allow_writes && !read_only, read_only, ..self }
    }

    /// The files that a call may name.
    pub fn files(&self) -> FilePolicy {
        self.root.clone().map_or(FilePolicy::None, FilePolicy::Below)
    }
}

fn folder(path: &Path) -> Result<PathBuf, Error> {
    match std::fs::canonicalize(path) {
        Ok(folder) if folder.is_dir() => Ok(folder),
        _ => Err(Error::usage_with_hint(
            format!("--root: {} is not a folder", path.display()),
            "use an existing folder that contains nothing an agent must not see",
        )),
    }
}

fn check_groups(groups: Vec<String>, registry: &Registry) -> Result<Vec<String>, Error> {
    let operations = OPERATIONS.iter().map(|operation| operation.command);
    let commands = operations.chain(registry.commands().map(|command| command.words));
    let mut names: Vec<&str> = commands.filter_map(|words| words.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    match groups.iter().find(|group| !names.contains(&group.as_str())) {
        None => Ok(groups),
        Some(group) => Err(Error::usage_with_hint(
            format!("--toolsets: unknown group {group:?}"),
            format!("expected one of: {}", names.join(", ")),
        )),
    }
}
