//! The streams of the protocol, out of reach of everything else in the process, and its signals.
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

/// Waits for a signal to stop. Commands listen for signals as well, which keeps these from ending the
/// process by themselves.
#[cfg(unix)]
pub async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        },
        // Without a handler of ours the signal ends the process.
        Err(_) => std::future::pending().await,
    }
}

/// Waits for a signal to stop.
#[cfg(not(unix))]
pub async fn told_to_stop() {
    // Without a handler of ours the signal ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
