//! The only access to stdin and to files named by arguments.
//!
//! An argument that may name a file has one of these types, and only this module can open it. Every command therefore
//! obeys the file policy of an MCP server or a workflow (no files or only those below a folder, and no stdin), even if
//! its author did not think of it. `clippy.toml` forbids opening files elsewhere.

mod below;
pub mod stdin;

use std::any::TypeId;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, value_parser};
use serde_json::Value;

use super::error::Error;
use super::streams::{self, FilePolicy};
use crate::config::write_private;
use crate::data::io_reason::io_reason;

/// What a command does with the file named by an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    /// A folder whose files are read or written.
    Folder,
    /// A file that only the user of the command line may name, not an MCP client or a workflow.
    Owner,
}

/// A file to read; `-` is stdin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile(String);

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile(PathBuf);

/// A folder of files to read and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// A file that only the user of the command line may name, for example a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerFile(PathBuf);

/// A text, `@FILE`, or `-` for stdin. `@@` escapes a text that begins with `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl From<String> for InputFile {
    fn from(typed: String) -> Self {
        InputFile(typed)
    }
}

impl From<String> for OutputFile {
    fn from(typed: String) -> Self {
        OutputFile(typed.into())
    }
}

impl From<String> for Folder {
    fn from(typed: String) -> Self {
        Folder(typed.into())
    }
}

impl From<String> for OwnerFile {
    fn from(typed: String) -> Self {
        OwnerFile(typed.into())
    }
}

impl From<String> for Content {
    fn from(typed: String) -> Self {
        Content(typed)
    }
}

/// The access of an argument, if its type names a file.
pub fn access(argument: &Arg) -> Option<Access> {
    let kind = argument.get_value_parser().type_id();
    let types = [
        (TypeId::of::<InputFile>(), Access::Read),
        (TypeId::of::<OutputFile>(), Access::Write),
        (TypeId::of::<Folder>(), Access::Folder),
        (TypeId::of::<OwnerFile>(), Access::Owner),
    ];
    types.into_iter().find(|(declared, _)| kind == *declared).map(|(_, access)| access)
}

/// A flag that names a file to write.
pub fn output(name: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(OutputFile))
}

/// A flag that takes a text or a file.
pub fn content(name: &'static str) -> Arg {
    Arg::new(name).long(name).allow_hyphen_values(true).value_parser(value_parser!(Content))
}

impl InputFile {
    pub fn name(&self) -> &str {
        &self.0
    }

    pub fn is_stdin(&self) -> bool {
        self.0 == "-"
    }

    /// # Errors
    /// If the file is not allowed, or cannot be opened.
    pub fn reader(&self) -> Result<Box<dyn BufRead>, Error> {
        if self.is_stdin() {
            return Ok(Box::new(stdin::lines().map_err(Error::usage)?));
        }
        let path = allowed(Path::new(&self.0))?;
        let file = std::fs::File::open(path).map_err(|error| unreadable(&self.0, &error))?;
        Ok(Box::new(BufReader::new(file)))
    }

    /// Reads the file, without a byte order mark.
    ///
    /// # Errors
    /// If the file is not allowed, or cannot be read.
    pub fn text(&self) -> Result<String, Error> {
        let mut text = String::new();
        self.reader()?.read_to_string(&mut text).map_err(|error| unreadable(&self.0, &error))?;
        Ok(without_byte_order_mark(text))
    }

    /// A file next to this one, whose name has a suffix added.
    pub fn beside(&self, suffix: &str) -> OutputFile {
        OutputFile(format!("{}{suffix}", self.0).into())
    }
}

impl OutputFile {
    pub fn is_stdout(&self) -> bool {
        self.0.as_os_str() == "-"
    }

    /// The path, for layers that write the file themselves.
    ///
    /// # Errors
    /// If the file is not allowed.
    pub fn path(&self) -> Result<PathBuf, Error> {
        allowed(&self.0)
    }

    /// Replaces the file atomically, readable by the owner only.
    ///
    /// # Errors
    /// If the file is not allowed, or cannot be written.
    pub fn write_private(&self, content: &[u8]) -> Result<(), Error> {
        Ok(write_private(&self.path()?, content)?)
    }

    /// Starts an atomic replacement: the file is unchanged until [`Replacement::finish`].
    ///
    /// # Errors
    /// If the file is not allowed, or its folder cannot be written.
    pub fn replace(&self) -> Result<Replacement, Error> {
        let path = self.path()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
        Ok(Replacement { file: tempfile::NamedTempFile::new_in(folder)?, path })
    }
}

impl Folder {
    /// # Errors
    /// If the folder is not allowed.
    pub fn path(&self) -> Result<PathBuf, Error> {
        allowed(&self.0)
    }

    /// Creates the folder if it does not exist.
    ///
    /// # Errors
    /// If the folder is not allowed, or cannot be created.
    pub fn create(&self) -> Result<PathBuf, Error> {
        let path = self.path()?;
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Creates the folder if it does not exist, and writes files with these names to it.
    ///
    /// # Errors
    /// Those of [`Folder::create`], or if a file cannot be written.
    pub fn write(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        let path = self.create()?;
        files.iter().try_for_each(|(name, content)| Ok(std::fs::write(path.join(name), content)?))
    }
}

impl OwnerFile {
    /// # Errors
    /// If an MCP client or a workflow named it.
    pub fn path(&self) -> Result<PathBuf, Error> {
        match streams::file_policy() {
            FilePolicy::All => Ok(self.0.clone()),
            FilePolicy::Below(_) | FilePolicy::None => Err(not_here()),
        }
    }
}

impl Content {
    /// The argument as typed.
    pub fn typed(&self) -> &str {
        &self.0
    }

    /// Standard input, for flags such as `--stdin`.
    pub fn of_stdin() -> Self {
        Content("-".to_owned())
    }

    /// # Errors
    /// If the file is not allowed, or cannot be read.
    pub fn text(&self) -> Result<String, Error> {
        if streams::is_literal(&self.0) {
            return Ok(self.0.clone());
        }
        match (self.0.trim(), self.0.strip_prefix('@')) {
            ("-", _) => stdin::text().map(without_byte_order_mark).map_err(Error::usage),
            (_, Some(literal)) if literal.starts_with('@') => Ok(literal.to_owned()),
            (_, Some(path)) => InputFile(path.trim().to_owned()).text(),
            (_, None) => Ok(self.0.clone()),
        }
    }

    /// # Errors
    /// Those of [`Content::text`], and invalid JSON.
    pub fn json(&self) -> Result<Value, Error> {
        let content = Content(self.0.trim().to_owned());
        serde_json::from_str(&content.text()?)
            .map_err(|error| Error::usage(format!("not valid JSON: {error}")))
    }
}

/// A temporary file that replaces another one when it is finished.
pub struct Replacement {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Replacement {
    /// Replaces the old file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> std::io::Result<PathBuf> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Ok(self.path)
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// The path of a file that the running command may access.
fn allowed(path: &Path) -> Result<PathBuf, Error> {
    match streams::file_policy() {
        FilePolicy::All => Ok(path.to_owned()),
        FilePolicy::None => Err(not_here()),
        FilePolicy::Below(root) => below::below(&root, path).map_err(|reason| {
            Error::usage_with_hint(reason, "name a path below the folder given with --root")
        }),
    }
}

fn not_here() -> Error {
    Error::usage_with_hint(
        "files are not allowed here",
        "pass the value itself (write @@ for a leading @), or ask the owner to start the server with --root FOLDER",
    )
}

fn unreadable(name: &str, error: &std::io::Error) -> Error {
    Error::usage(format!("cannot read {name}: {}", io_reason(error)))
}

/// Some editors write a byte order mark at the beginning of a file.
fn without_byte_order_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::streams::Capture;

    async fn captured<T>(files: FilePolicy, run: impl FnOnce() -> T) -> T {
        Arc::new(Capture::new(1 << 20, files)).scope(async { run() }).await
    }

    #[tokio::test]
    async fn files_that_the_owner_did_not_allow_cannot_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (root, secret) = (folder.path().join("root"), folder.path().join("secret"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(&secret, "{}").unwrap();
        std::fs::write(root.join("mine"), "{}").unwrap();
        let name = secret.to_string_lossy().into_owned();
        let opens = |name: String| {
            let file = OutputFile::from(name.clone());
            [
                InputFile::from(name.clone()).text().is_ok(),
                InputFile::from(name.clone()).reader().is_ok(),
                Content::from(format!("@{name}")).text().is_ok(),
                Content::from(format!(" @{name}")).json().is_ok(),
                file.path().is_ok() || file.replace().is_ok() || file.write_private(b"x").is_ok(),
                InputFile::from(name.clone()).beside(".journal").path().is_ok(),
                Folder::from(name.clone()).path().is_ok(),
                OwnerFile::from(name).path().is_ok(),
                InputFile::from("-".to_owned()).reader().is_ok(),
                Content::from(" - ".to_owned()).text().is_ok(),
            ]
        };
        for files in [FilePolicy::None, FilePolicy::Below(root.clone())] {
            let opened = captured(files, || opens(name.clone())).await;
            assert_eq!(opened, [false; 10]);
        }
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "{}");
        let opened = captured(FilePolicy::Below(root), || opens("mine".to_owned())).await;
        assert_eq!(opened, [true, true, true, true, true, true, true, false, false, false]);
    }

    #[test]
    fn a_text_can_begin_with_an_at_sign() {
        assert_eq!(Content::from("@@ann: hello".to_owned()).text().unwrap(), "@ann: hello");
        assert_eq!(Content::from("a@b".to_owned()).text().unwrap(), "a@b");
        assert!(Content::from("@/no/such/file".to_owned()).text().is_err());
    }
}
