//! What the owner of the server allows and wants, from the command line it was started with.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use crate::cli::capture::Files;
use crate::cli::catalog;
use crate::cli::door::OwnerFile;
use crate::cli::error::Error;

#[derive(Debug, Clone)]
pub struct Options {
    pub allow_writes: bool,
    pub allow_destructive: bool,
    /// The settings forbid changes, whatever the flags allow.
    pub read_only: bool,
    pub listed: Listed,
    /// Where an agent may name files.
    pub root: Option<PathBuf>,
    /// Limits of one answer.
    pub max_rows: usize,
    pub max_bytes: usize,
    /// The mirror's file, where it is not the one of the workspace.
    pub db: Option<PathBuf>,
}

/// Which tools a client is told of. All can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// Finding and running commands, and the headline tools.
    Few,
    /// Those, and the tools of these groups.
    Groups(Vec<String>),
    All,
}

impl Options {
    /// # Errors
    /// [`Error::Usage`] for a group that does not exist, or a root that is no folder.
    pub fn read(matches: &ArgMatches) -> Result<Self, Error> {
        let number = |name: &str| matches.get_one::<u32>(name).map_or(100, |it| *it as usize);
        let groups: Vec<String> =
            matches.get_many::<String>("toolsets").into_iter().flatten().cloned().collect();
        let listed = match (matches.get_flag("all-tools"), groups.is_empty()) {
            (true, _) => Listed::All,
            (false, true) => Listed::Few,
            (false, false) => Listed::Groups(known(groups)?),
        };
        Ok(Options {
            allow_writes: matches.get_flag("allow-writes"),
            allow_destructive: matches.get_flag("allow-destructive"),
            read_only: false,
            listed,
            root: matches.get_one::<OwnerFile>("root").map(|named| folder(&named.path()?)).transpose()?,
            max_rows: number("max-rows"),
            max_bytes: number("max-bytes"),
            db: matches.get_one::<OwnerFile>("db").map(OwnerFile::path).transpose()?,
        })
    }

    /// These options where the settings forbid changes of the workspace, or do not.
    pub fn limited(self, read_only: bool) -> Self {
        Options { allow_writes: self.allow_writes && !read_only, read_only, ..self }
    }

    /// Which files a call may touch.
    pub fn files(&self) -> Files {
        self.root.clone().map_or(Files::None, Files::Below)
    }
}

fn folder(path: &Path) -> Result<PathBuf, Error> {
    match std::fs::canonicalize(path) {
        Ok(folder) if folder.is_dir() => Ok(folder),
        _ => Err(Error::usage_with_hint(
            format!("--root: {} is not a folder", path.display()),
            "name a folder that exists, and that holds nothing an agent must not see",
        )),
    }
}

fn known(groups: Vec<String>) -> Result<Vec<String>, Error> {
    let entries = catalog().entries();
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.group()).collect();
    names.sort_unstable();
    names.dedup();
    match groups.iter().find(|group| !names.contains(&group.as_str())) {
        None => Ok(groups),
        Some(group) => Err(Error::usage_with_hint(
            format!("--toolsets: there is no group {group:?}"),
            format!("known: {}", names.join(", ")),
        )),
    }
}
