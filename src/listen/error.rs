//! What can stop a receiver. What concerns one notification is a report, not an error.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::data::io_reason::io_reason;

/// Why a receiver cannot start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is in use or not allowed.
    #[error("cannot listen on {address}: {}", io_reason(.source))]
    Address { address: SocketAddr, source: std::io::Error },
    /// Another process works on the queue.
    #[error("the queue {} is in use by another process", .path.display())]
    Busy { path: PathBuf },
    /// The file belongs to something else, which must not be changed.
    #[error("{} is not a queue of webhooks", .path.display())]
    NotAQueue { path: PathBuf },
    /// The file was written by a later version of this program.
    #[error("the queue {} was written by a later version", .path.display())]
    LaterVersion { path: PathBuf },
    #[error("cannot use the queue {}: {reason}", .path.display())]
    Queue { path: PathBuf, reason: String },
    /// The address to forward to cannot be used.
    #[error("cannot forward: {0}")]
    Forward(String),
    #[error("cannot start a thread: {}", io_reason(.0))]
    Thread(std::io::Error),
    /// The mirror cannot be used, or belongs to another workspace.
    #[error(transparent)]
    Mirror(#[from] crate::mirror::Error),
    #[error("the server failed: {}", io_reason(.0))]
    Server(std::io::Error),
}
