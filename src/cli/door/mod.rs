//! The one door to the files that arguments name, and to stdin.
//!
//! An argument that may name a file has one of these types, and what it holds can only be opened here. So the
//! rules for a command that runs for somebody else (no file, or only those below a folder; no stdin) are kept
//! by every command, also by one whose author never thought of them. `clippy.toml` forbids other ways to files.

mod below;
pub mod stdin;

use std::any::TypeId;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, value_parser};
use serde_json::Value;

use super::capture::{self, Files};
use super::error::Error;
use crate::config::write_private;

/// What an argument does with the file that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    /// A folder whose files are read or written.
    Folder,
    /// A file of whoever runs the program, which a call on behalf of others must not name.
    Owner,
}

/// A file that is read; `-` is stdin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile(String);

/// A file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile(PathBuf);

/// A folder whose files are read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// A file that only whoever runs the program may name: a mirror, a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerFile(PathBuf);

/// A text that may come from a file: the text itself, `@FILE`, or `-` for stdin; `@@` begins a text with `@`.
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

/// What the argument does with a file, if it is declared as one that names a file.
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

/// A flag that names a file to read.
pub fn input(name: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(InputFile))
}

/// A flag that names a file to write.
pub fn output(name: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(OutputFile))
}

/// A flag that takes a text, or the file that holds it.
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
    /// When the file must not be opened, or cannot be.
    pub fn reader(&self) -> Result<Box<dyn BufRead>, Error> {
        if self.is_stdin() {
            return Ok(Box::new(stdin::lines().map_err(Error::usage)?));
        }
        let path = allowed(Path::new(&self.0))?;
        let file = std::fs::File::open(path).map_err(|error| unreadable(&self.0, &error))?;
        Ok(Box::new(BufReader::new(file)))
    }

    /// The whole text, without a byte order mark.
    ///
    /// # Errors
    /// When the file must not be read, or cannot be.
    pub fn text(&self) -> Result<String, Error> {
        let mut text = String::new();
        self.reader()?.read_to_string(&mut text).map_err(|error| unreadable(&self.0, &error))?;
        Ok(without_mark(text))
    }

    /// The file of this name with something added to it.
    pub fn beside(&self, suffix: &str) -> OutputFile {
        OutputFile(format!("{}{suffix}", self.0).into())
    }
}

impl OutputFile {
    pub fn is_stdout(&self) -> bool {
        self.0.as_os_str() == "-"
    }

    /// Where the file may be written, for a layer that keeps files of its own kind there.
    ///
    /// # Errors
    /// When it must not be written.
    pub fn path(&self) -> Result<PathBuf, Error> {
        allowed(&self.0)
    }

    /// Replaces the file in one step; only its owner can read it.
    ///
    /// # Errors
    /// When it must not be written, or cannot be.
    pub fn write_private(&self, content: &[u8]) -> Result<(), Error> {
        Ok(write_private(&self.path()?, content)?)
    }

    /// Begins a new content for the file, which stays as it is until the content is whole.
    ///
    /// # Errors
    /// When it must not be written, or its folder cannot be.
    pub fn replace(&self) -> Result<Replacement, Error> {
        let path = self.path()?;
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(".".as_ref());
        Ok(Replacement { file: tempfile::NamedTempFile::new_in(folder)?, path })
    }
}

impl Folder {
    /// # Errors
    /// When its files must not be used.
    pub fn path(&self) -> Result<PathBuf, Error> {
        allowed(&self.0)
    }

    /// The folder, made where there is none.
    ///
    /// # Errors
    /// When it must not be used, or cannot be made.
    pub fn made(&self) -> Result<PathBuf, Error> {
        let path = self.path()?;
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl OwnerFile {
    /// # Errors
    /// When somebody else than the owner has named it.
    pub fn path(&self) -> Result<PathBuf, Error> {
        match capture::files() {
            Files::All => Ok(self.0.clone()),
            Files::Below(_) | Files::None => Err(not_here()),
        }
    }
}

impl Content {
    /// What was typed, for values that never come from a file.
    pub fn typed(&self) -> &str {
        &self.0
    }

    /// Standard input, as a switch of its own asks for it.
    pub fn of_stdin() -> Self {
        Content("-".to_owned())
    }

    /// # Errors
    /// When the file must not be read, or cannot be.
    pub fn text(&self) -> Result<String, Error> {
        if capture::is_literal(&self.0) {
            return Ok(self.0.clone());
        }
        match (self.0.trim(), self.0.strip_prefix('@')) {
            ("-", _) => stdin::text().map(without_mark).map_err(Error::usage),
            (_, Some(literal)) if literal.starts_with('@') => Ok(literal.to_owned()),
            (_, Some(path)) => InputFile(path.trim().to_owned()).text(),
            (_, None) => Ok(self.0.clone()),
        }
    }

    /// # Errors
    /// As [`Content::text`], and when it is not JSON.
    pub fn json(&self) -> Result<Value, Error> {
        let given = Content(self.0.trim().to_owned());
        serde_json::from_str(&given.text()?).map_err(|error| Error::usage(format!("not valid JSON: {error}")))
    }
}

/// New content of a file, beside it until it is whole.
pub struct Replacement {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Replacement {
    /// Puts the new content in the place of the old one.
    ///
    /// # Errors
    /// When it cannot be written.
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

/// The path under which a file may be used by the command that runs.
fn allowed(path: &Path) -> Result<PathBuf, Error> {
    match capture::files() {
        Files::All => Ok(path.to_owned()),
        Files::None => Err(not_here()),
        Files::Below(root) => below::below(&root, path).map_err(|reason| {
            Error::usage_with_hint(reason, "name a path below the folder given with --root")
        }),
    }
}

fn not_here() -> Error {
    Error::usage_with_hint(
        "files are not allowed here",
        "give the value itself (@@ begins a text with @), or ask the owner to start the server with --root FOLDER",
    )
}

fn unreadable(name: &str, error: &std::io::Error) -> Error {
    Error::usage(format!("cannot read {name}: {error}"))
}

/// Editors on some systems begin a file with a byte order mark.
fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::capture::Capture;

    async fn inside<T>(files: Files, act: impl FnOnce() -> T) -> T {
        Arc::new(Capture::new(1 << 20, files)).scope(async { act() }).await
    }

    #[tokio::test]
    async fn nothing_opens_a_file_that_the_owner_did_not_allow() {
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
        for files in [Files::None, Files::Below(root.clone())] {
            let opened = inside(files, || opens(name.clone())).await;
            assert_eq!(opened, [false; 10]);
        }
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "{}");
        let opened = inside(Files::Below(root), || opens("mine".to_owned())).await;
        assert_eq!(opened, [true, true, true, true, true, true, true, false, false, false]);
    }

    #[test]
    fn a_text_may_begin_with_an_at_sign() {
        assert_eq!(Content::from("@@ann: hello".to_owned()).text().unwrap(), "@ann: hello");
        assert_eq!(Content::from("a@b".to_owned()).text().unwrap(), "a@b");
        assert!(Content::from("@/no/such/file".to_owned()).text().is_err());
    }
}
