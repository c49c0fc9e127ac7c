//! `bulk-tag` and `bulk-untag`.

use clap::Args;
use serde_json::{Value, json};

use super::command::BulkChange;
use super::selection::{NoFilter, WhereFlag};
use super::tag_flags::{TagChoice, TagFlags};
use crate::api::client::Client;
use crate::bulk::tags;
use crate::bulk::{BulkTarget, Change};
use crate::cli::error::Error;
use crate::cli::registry::Effect;
use crate::cli::time::Times;

#[derive(Args)]
#[group(skip)]
pub struct TagConversations {
    #[command(flatten)]
    tag: TagFlags,
}

impl BulkChange for TagConversations {
    const WORDS: &'static str = "conversations bulk-tag";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Tag many conversations";
    const EXAMPLE: &'static str =
        "conversations bulk-tag --where 'state = open and updated_at > 7d' --tag follow-up";
    type Filter = WhereFlag;

    fn tag(&self) -> Option<&TagChoice> {
        Some(&self.tag.choice)
    }

    async fn resolve(&self, client: &Client, _: &Times) -> Result<(Change, Value), Error> {
        self.tag.change(client).await
    }
}

#[derive(Args)]
#[group(skip)]
pub struct TagContacts {
    #[command(flatten)]
    tag: TagFlags,
}

impl BulkChange for TagContacts {
    const WORDS: &'static str = "contacts bulk-tag";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Contacts;
    const ABOUT: &'static str = "Tag many contacts";
    const EXAMPLE: &'static str =
        "contacts bulk-tag --where 'last_seen_at < 30d and role = user' --tag dormant";
    type Filter = WhereFlag;

    fn tag(&self) -> Option<&TagChoice> {
        Some(&self.tag.choice)
    }

    async fn resolve(&self, client: &Client, _: &Times) -> Result<(Change, Value), Error> {
        self.tag.change(client).await
    }
}

#[derive(Args)]
#[group(skip)]
pub struct TagCompanies {
    #[command(flatten)]
    tag: TagFlags,
}

impl BulkChange for TagCompanies {
    const WORDS: &'static str = "companies bulk-tag";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Companies;
    const ABOUT: &'static str = "Tag many companies";
    const EXAMPLE: &'static str =
        "companies bulk-tag --sql 'SELECT id FROM companies WHERE monthly_spend > 100' --tag key-account";
    type Filter = NoFilter;

    fn tag(&self) -> Option<&TagChoice> {
        Some(&self.tag.choice)
    }

    async fn resolve(&self, client: &Client, _: &Times) -> Result<(Change, Value), Error> {
        let tag = self.tag.resolve(client).await?;
        tags::check_unique_spelling(client, &tag.name).await?;
        Ok((tag.change(), tag.about()))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct UntagConversations {
    #[command(flatten)]
    choice: TagChoice,
}

impl BulkChange for UntagConversations {
    const WORDS: &'static str = "conversations bulk-untag";
    const EFFECT: Effect = Effect::Destructive;
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Remove a tag from many conversations";
    const EXAMPLE: &'static str = "conversations bulk-untag --where 'state = closed' --tag refund";
    type Filter = WhereFlag;

    fn tag(&self) -> Option<&TagChoice> {
        Some(&self.choice)
    }

    async fn resolve(&self, client: &Client, _: &Times) -> Result<(Change, Value), Error> {
        let tag = tags::existing(client, self.choice.tag_ref()).await?;
        let about = json!({ "tag": tag.name, "tag_id": tag.id });
        Ok((Change::Untag { tag_id: tag.id, tag: tag.name }, about))
    }
}
