//! The flags that name a tag.

use clap::Args;
use serde_json::Value;

use crate::api::client::Client;
use crate::bulk::Change;
use crate::bulk::tags::{self, ResolvedTag, TagRef};
use crate::cli::error::Error;
use crate::cli::output::warn;

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
    pub fn tag_ref(&self) -> TagRef {
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

    /// # Errors
    /// As [`TagFlags::resolve`].
    pub async fn change(&self, client: &Client) -> Result<(Change, Value), Error> {
        let tag = self.resolve(client).await?;
        Ok((tag.change(), tag.about()))
    }
}
