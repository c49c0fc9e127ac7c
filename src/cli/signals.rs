//! Ctrl-C and SIGTERM as a request to stop, for commands that finish what is under way.

use std::io::IsTerminal;

use super::output::tell;
use crate::mirror::Stop;

/// Asks `stop` when the process is interrupted, and tells people what that means.
pub fn stop_on_signals(stop: Stop, meaning: &'static str) {
    tokio::spawn(async move {
        if interrupted().await.is_err() {
            return;
        }
        stop.ask();
        if std::io::stderr().is_terminal() {
            tell(meaning);
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
