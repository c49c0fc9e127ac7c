//! The streams of the protocol, isolated from the rest of the process, and its stop signals.
//!
//! On Unix, stdin and stdout are moved to new descriptors and replaced by an empty stdin and by stderr, so that
//! nothing a command, a library or a panic prints or reads can corrupt the protocol.

use std::fs::File;

use tokio::fs::File as Stream;

/// Takes the streams. Must be called once.
///
/// # Errors
/// If the process has no such streams.
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
/// If the process has no such streams.
#[cfg(windows)]
pub fn take() -> std::io::Result<(Stream, Stream)> {
    use std::os::windows::io::AsHandle;
    let input = std::io::stdin().as_handle().try_clone_to_owned()?;
    let output = std::io::stdout().as_handle().try_clone_to_owned()?;
    Ok((Stream::from_std(File::from(input)), Stream::from_std(File::from(output))))
}

/// Waits for a stop signal. Needed because commands install handlers, which disable the default action.
#[cfg(unix)]
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        },
        // Without our handler, the signal ends the process.
        Err(_) => std::future::pending().await,
    }
}

/// Waits for a stop signal.
#[cfg(not(unix))]
pub async fn stop_signal() {
    // Without our handler, the signal ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
