//! The flags that name a tag, and `bulk-tag` and `bulk-untag`.

use clap::Args;
use serde_json::{Value, json};

use super::command::BulkChange;
use super::selection::{NoFilter, WhereFlag};
use crate::api::client::Client;
use crate::bulk::tags::{self, ResolvedTag, TagRef};
use crate::bulk::{BulkTarget, Change};
use crate::cli::error::Error;
use crate::cli::output::warn;
use crate::cli::registry::Effect;
use crate::cli::time::Times;

/// An existing tag, by name or id.
#[derive(Debug, Args)]
#[group(skip)]
pub struct TagChoice {
    /// Tag name (exact match)
    #[arg(long, value_name = "NAME", required_unless_present_any = ["tag_id", "resume", "plan"])]
    pub tag: Option<String>,
    /// Tag id
    #[arg(long, value_name = "ID", conflicts_with = "tag")]
    pub tag_id: Option<String>,
}

/// A tag to attach, which may be new.
#[derive(Debug, Args)]
#[group(skip)]
pub struct TagFlags {
    #[command(flatten)]
    pub choice: TagChoice,
    /// Fail if the tag does not exist
    #[arg(long)]
    pub no_create: bool,
}

impl TagChoice {
    fn tag_ref(&self) -> TagRef {
        match (&self.tag_id, &self.tag) {
            (Some(id), _) => TagRef::Id(id.trim().to_owned()),
            (None, name) => TagRef::Name(name.clone().unwrap_or_default()),
        }
    }
}

impl TagFlags {
    /// # Errors
    /// Not found for an unknown id, and for an unknown name with `--no-create`.
    pub async fn resolve(&self, client: &Client) -> Result<ResolvedTag, Error> {
        let wanted = self.choice.tag_ref();
        if matches!(&wanted, TagRef::Name(name) if name.trim().is_empty()) {
            return Err(Error::usage("--tag is empty"));
        }
        let tag = tags::resolve(client, wanted, !self.no_create).await?;
        if let Some(other) = &tag.case_variant {
            warn(&format!(
                "{:?} would be a new tag next to {other:?}; some workspaces treat both as one tag and refuse the \
                 new one. To use the existing tag, pass --tag {other:?}",
                tag.name
            ));
        }
        Ok(tag)
    }

    async fn change(&self, client: &Client) -> Result<(Change, Value), Error> {
        let tag = self.resolve(client).await?;
        Ok((tag.change(), tag.about()))
    }
}

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
