//! Turns Ctrl-C and SIGTERM into a cancellation, for commands that finish pending work first.

use std::io::IsTerminal;

use tokio_util::sync::CancellationToken;

use super::output::notice;

/// Cancels `stop` on a signal, and prints a notice about what happens next.
pub fn stop_on_signals(stop: CancellationToken, message: &'static str) {
    tokio::spawn(async move {
        if interrupted().await.is_err() {
            return;
        }
        stop.cancel();
        if std::io::stderr().is_terminal() {
            notice(message);
        }
    });
}

#[cfg(unix)]
async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
