//! What a command writes and says, kept in memory instead of on the process's streams.
//!
//! The MCP server and workflows run commands inside their own process: output, warnings and files named
//! in arguments go through here then, so that no command needs to know. Outside of [`Capture::scope`]
//! nothing changes. What is captured is bounded; a command that exceeds the bound fails.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static CAPTURE: Arc<Capture>;
}

/// Which files a captured command may touch.
#[derive(Debug, Clone, Default)]
pub enum Files {
    /// As the user of the command line may.
    #[default]
    All,
    /// Only those below this folder.
    Below(PathBuf),
    None,
}

/// What hears a command speak.
type Listener = dyn Fn(&str) + Send + Sync;

/// The streams of one command.
pub struct Capture {
    output: Mutex<Vec<u8>>,
    /// Most bytes of output.
    limit: usize,
    files: Files,
    said: Mutex<Vec<String>>,
    listener: Option<Box<Listener>>,
}

impl Capture {
    pub fn new(limit: usize, files: Files) -> Self {
        Capture { output: Mutex::default(), limit, files, said: Mutex::default(), listener: None }
    }

    /// Hears what the command says while it runs.
    pub fn heard_by(self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Capture { listener: Some(Box::new(listener)), ..self }
    }

    /// Runs a command with these streams.
    pub async fn scope<T>(self: &Arc<Self>, command: impl Future<Output = T>) -> T {
        CAPTURE.scope(Arc::clone(self), command).await
    }

    /// What was written, leaving nothing.
    pub fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut *self.output.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was said so far, leaving nothing.
    pub fn take_said(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what is said to people.
    pub fn say(&self, message: &str) {
        if let Some(listener) = &self.listener {
            listener(message);
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        // Progress can be endless; the newest is what counts.
        if said.len() == 100 {
            said.remove(0);
        }
        said.push(message.to_owned());
    }
}

impl io::Write for &Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.len() + bytes.len() > self.limit {
            let reason = format!("the answer is larger than {} bytes", self.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The streams of the command that runs, if they are captured.
pub fn current() -> Option<Arc<Capture>> {
    CAPTURE.try_with(Arc::clone).ok()
}

/// The path under which a file named in an argument may be used.
///
/// # Errors
/// A sentence that says why it must not be used.
pub fn allowed(path: &Path) -> Result<PathBuf, String> {
    match current().as_deref() {
        None | Some(Capture { files: Files::All, .. }) => Ok(path.to_owned()),
        Some(Capture { files: Files::None, .. }) => {
            Err("files are not allowed here; give the value itself".to_owned())
        }
        Some(Capture { files: Files::Below(root), .. }) => below(root, path),
    }
}

/// Whether stdin belongs to the command that runs.
pub fn has_stdin() -> bool {
    current().is_none()
}

/// The path below a folder that exists; relative paths start there. Links are followed before it is
/// decided, and a path that does not exist yet is judged by its nearest folder that does.
///
/// # Errors
/// When it leads out of the folder.
pub fn below(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let outside = || format!("{} is not below the allowed folder", path.display());
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    let wanted = root.join(path);
    if wanted.components().any(|part| part == std::path::Component::ParentDir) {
        return Err(outside());
    }
    let mut known = wanted.as_path();
    let real = loop {
        match known.canonicalize() {
            Ok(real) => break real,
            // A link that leads nowhere could lead anywhere once its target exists.
            Err(_) if known.symlink_metadata().is_ok() => return Err(outside()),
            Err(_) => known = known.parent().ok_or_else(outside)?,
        }
    };
    let rest = wanted.strip_prefix(known).map_err(|_| outside())?;
    let real = if rest.as_os_str().is_empty() { real } else { real.join(rest) };
    if real.starts_with(&root) { Ok(real) } else { Err(outside()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_paths_below_the_root_are_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let (root, secret) = (folder.path().join("root"), folder.path().join("secret"));
        std::fs::create_dir_all(root.join("in")).unwrap();
        std::fs::write(&secret, "s").unwrap();
        let real = root.canonicalize().unwrap();
        assert_eq!(below(&root, Path::new("in/new.csv")), Ok(real.join("in/new.csv")));
        assert_eq!(below(&root, Path::new("new/deep.csv")), Ok(real.join("new/deep.csv")));
        assert_eq!(below(&root, &real.join("in")), Ok(real.join("in")));
        for path in ["../secret", "in/../../secret", "/etc/passwd", "new/../../secret"] {
            assert!(below(&root, Path::new(path)).is_err(), "{path}");
        }
        assert!(below(&root, &secret).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_cannot_lead_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(folder.path(), root.join("up")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("later"), root.join("dangling")).unwrap();
        for path in ["up/secret", "up", "dangling", "dangling/x"] {
            assert!(below(&root, Path::new(path)).is_err(), "{path}");
        }
    }

    #[tokio::test]
    async fn output_is_bounded_and_speech_is_heard() {
        let capture = Arc::new(Capture::new(4, Files::None));
        let (written, allowed) = capture
            .scope(async {
                let capture = current().unwrap();
                capture.say("hello");
                ((&*capture).write(b"12345").is_err(), allowed(Path::new("x")).is_ok())
            })
            .await;
        assert!(written && !allowed);
        assert_eq!(capture.take_said(), ["hello"]);
        assert!(capture.take_output().is_empty() && current().is_none());
    }
}
