//! The streams of the protocol, out of reach of everything else in the process.
//!
//! stdin and stdout move to descriptors of their own; in their places stand an empty stdin and stderr.
//! Whatever a command, a library or a panic prints or reads by mistake cannot disturb the protocol.

use std::fs::File;

use tokio::fs::File as Stream;

/// Takes the streams. Must be called once.
///
/// # Errors
/// When the process has no such streams.
#[cfg(unix)]
pub fn take() -> std::io::Result<(Stream, Stream)> {
    use std::os::fd::AsFd;
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    let output = std::io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    Ok((Stream::from_std(File::from(input)), Stream::from_std(File::from(output))))
}

/// Takes the streams. Must be called once.
///
/// # Errors
/// When the process has no such streams.
#[cfg(windows)]
pub fn take() -> std::io::Result<(Stream, Stream)> {
    use std::os::windows::io::AsHandle;
    let input = std::io::stdin().as_handle().try_clone_to_owned()?;
    let output = std::io::stdout().as_handle().try_clone_to_owned()?;
    Ok((Stream::from_std(File::from(input)), Stream::from_std(File::from(output))))
}
