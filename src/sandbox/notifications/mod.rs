//! The webhooks of a sandbox: which notifications its changes lead to, what is in them, and how they are delivered.
//!
//! No handler knows about them. While a request is handled, the record sets keep what each written record was before
//! (`record_set.rs`). Afterwards `changes.rs` compares that with what the record became, and a difference leads to a
//! topic: a part that was not there before to `conversation.user.replied`, a record that is gone to `contact.deleted`. So an
//! operation is announced by what it did, also one that is added later. A write that changes nothing that a topic is
//! about is not announced. `tests/it/sandbox/webhook_topics.rs` calls every operation that writes such records.
//!
//! Sending must never delay an answer of the sandbox, and must never grow without limit.

mod changes;
mod contacts;
mod conversations;
mod envelope;
mod example;
mod items;
mod others;
mod overrides;
mod post;
mod sender;
mod shape;
mod trigger;

pub use changes::Recording;
pub use overrides::{InvalidOverride, Override};
pub use sender::{Sender, WebhookCounts, Worker};
pub use trigger::{Prepared, Trigger, TriggerError, Triggered, known_topics};

use serde_json::Value;

/// Something to notify about: a topic and its item, in the form of the API until `shape.rs` has finished it.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    pub topic: String,
    pub item: Value,
}

impl Occurrence {
    pub fn new(topic: impl Into<String>, item: Value) -> Self {
        Occurrence { topic: topic.into(), item }
    }
}
