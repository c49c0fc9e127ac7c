//! Receives the webhooks of an app: verifies, stores, answers, and works afterwards.
//!
//! A notification is answered with 200 only when it is safe on disk, so a kill at any time loses nothing. Work on it
//! (printing, forwarding, applying to the mirror) reads the queue, never the request. Nothing here prints: what the owner should know is
//! reported to a [`Reporter`].

mod apply;
mod error;
mod forwarder;
mod line;
mod patterns;
mod queue;
mod receiver;
mod report;

pub use apply::{Applier, ApplierOptions};
pub use error::Error;
pub use forwarder::Forwarder;
pub use line::line;
pub use patterns::{InvalidPattern, TopicPattern, TopicPatterns};
pub use queue::{Incoming, Queue, Stored, Work};
pub use receiver::{HEALTH_PATH, Receiver, ReceiverOptions};
pub use report::{Report, Reporter};

use std::fmt;

/// The client secret of an app. Printing it shows a mask.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// The secret without surrounding white space; `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| ClientSecret(text.to_owned()))
    }

    /// The secret itself. Never print or log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientSecret(****)")
    }
}
