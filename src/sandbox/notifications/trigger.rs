//! Sends one notification by hand: a real record of the workspace, in the form of any topic.
//!
//! There is one attempt only, and its answer is the result.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::envelope::{Envelope, notification_id};
use super::overrides::{InvalidOverride, Override};
use super::post::Post;
use super::sender::Sender;
use super::{Occurrence, example};
use crate::data::spelling;
use crate::sandbox::options::{Options, Webhooks};
use crate::sandbox::random::Random;
use crate::sandbox::seed;
use crate::sandbox::workspace::Workspace;
use crate::webhooks::TOPICS;

/// What to send.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub topic: String,
    pub overrides: Vec<Override>,
}

/// The same in the body of a request to a running sandbox.
#[derive(Debug, Serialize, Deserialize)]
struct TriggerBody {
    topic: String,
    #[serde(default)]
    overrides: Vec<(String, Value)>,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggered {
    pub id: Option<String>,
    pub topic: String,
    pub url: String,
    /// The status of the answer; `None` if nobody answered.
    pub status: Option<u16>,
    /// Why nobody answered.
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TriggerError {
    /// Not a topic, with the nearest one.
    #[error("unknown topic {topic:?}{}", .nearest.map(|name| format!(": did you mean {name:?}?")).unwrap_or_default())]
    UnknownTopic { topic: String, nearest: Option<&'static str> },
    #[error("the workspace has no record for {0}")]
    NoRecord(String),
    #[error("--override: {0}")]
    Override(#[from] InvalidOverride),
    /// The address of the receiver.
    #[error("invalid address of webhooks: {0}")]
    Address(String),
}

/// The topics that can be sent.
pub fn known_topics() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().copied().filter(|topic| example::is_known(topic))
}

impl Trigger {
    /// Reads the body of a request; `None` if it has another form.
    pub fn read(body: &[u8]) -> Option<Self> {
        let TriggerBody { topic, overrides } = serde_json::from_slice(body).ok()?;
        let overrides = overrides.into_iter().map(|(path, value)| Override::new(&path, value)).collect();
        Some(Trigger { topic, overrides })
    }

    /// The body of a request to a running sandbox.
    pub fn body(&self) -> String {
        let overrides = self.overrides.iter().map(|one| (one.path().to_owned(), one.value().clone()));
        let body = TriggerBody { topic: self.topic.clone(), overrides: overrides.collect() };
        serde_json::json!(body).to_string()
    }

    /// # Errors
    /// [`TriggerError::UnknownTopic`].
    pub fn check_topic(&self) -> Result<(), TriggerError> {
        let topics: Vec<_> = known_topics().collect();
        if topics.contains(&self.topic.as_str()) {
            return Ok(());
        }
        let nearest = spelling::nearest(&self.topic, &topics);
        Err(TriggerError::UnknownTopic { topic: self.topic.clone(), nearest })
    }

    /// The notification, about a record of this workspace.
    ///
    /// # Errors
    /// If the topic is unknown, the workspace has no record for it, or an override does not fit.
    pub fn envelope(&self, workspace: &Workspace, sender: &Sender) -> Result<Envelope, TriggerError> {
        self.check_topic()?;
        let item = example::item(workspace, &self.topic);
        let item = item.ok_or_else(|| TriggerError::NoRecord(self.topic.clone()))?;
        let mut envelope = sender.envelope(Occurrence::new(self.topic.clone(), item), workspace.now());
        for one in &self.overrides {
            one.apply(&mut envelope.item)?;
        }
        Ok(envelope)
    }

    /// A notification about a record of a new workspace like that of `sandbox serve`, and what posts it.
    ///
    /// # Errors
    /// As [`Trigger::envelope`], and if the address cannot be used.
    pub fn prepare(&self, options: Options, webhooks: &Webhooks) -> Result<Prepared, TriggerError> {
        self.check_topic()?;
        let zone = options.zone().map_err(|error| TriggerError::Address(error.to_string()))?;
        let workspace = seed::workspace(&options, zone);
        let (sender, _) = Sender::new(webhooks, &options, &workspace.id).map_err(TriggerError::Address)?;
        let envelope = self.envelope(&workspace, &sender)?;
        // A receiver would take a second call within the second for a repeat of the first.
        let nanoseconds =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let seed = options.now.unsigned_abs().rotate_left(32) ^ u64::from(nanoseconds);
        let id = envelope.id.map(|_| notification_id(&Random::new(seed).uuid()));
        Ok(Prepared { envelope: Envelope { id, ..envelope }, post: sender.post().clone() })
    }
}

/// A notification that can be looked at before it is sent.
pub struct Prepared {
    envelope: Envelope,
    post: Post,
}

impl Prepared {
    pub fn new(envelope: Envelope, post: Post) -> Self {
        Prepared { envelope, post }
    }

    pub fn document(&self) -> Value {
        self.envelope.document(1)
    }

    pub async fn send(self) -> Triggered {
        let answer = self.post.send(&self.envelope, 1).await;
        Triggered {
            id: self.envelope.id,
            topic: self.envelope.topic,
            url: self.post.url().to_owned(),
            status: answer.as_ref().ok().map(|status| status.as_u16()),
            error: answer.err(),
        }
    }
}
