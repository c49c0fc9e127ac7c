//! Verbs for single conversations: `conversations close|open|snooze|assign|tag|untag`. `note` and `reply` are in
//! [`super::verb`], because tickets have them too.

use clap::Args;
use serde_json::{Value, json};

use super::verb::{AssigneeFlags, Verb, VerbSession, pick};
use crate::bulk::tags::ResolvedTag;
use crate::bulk::{BulkTarget, Change, NotFoundKind, directory};
use crate::cli::error::{Error, Exit};
use crate::cli::snooze_time::snooze_time;
use crate::cli::time::times;

#[derive(Args)]
#[group(skip)]
pub struct Close {}

impl Verb for Close {
    const WORDS: &'static str = "conversations close";
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Close conversations";
    const NOTES: &'static str =
        "To change all conversations that a filter selects, use `conversations bulk-close`.";
    const EXAMPLE: &'static str = "conversations close 215470000000003";

    async fn resolve(&self, _: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        Ok((Change::Close, Value::Null))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct Open {}

impl Verb for Open {
    const WORDS: &'static str = "conversations open";
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Reopen closed or snoozed conversations";
    const NOTES: &'static str = "";
    const EXAMPLE: &'static str = "conversations open 215470000000003";

    async fn resolve(&self, _: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        Ok((Change::Open, Value::Null))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct Snooze {
    /// When to reopen them: tomorrow or monday (at 09:00), 'monday 14:00', 3h, 2d, or a date
    #[arg(long, value_name = "TIME")]
    until: String,
}

impl Verb for Snooze {
    const WORDS: &'static str = "conversations snooze";
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Snooze conversations until a time";
    const NOTES: &'static str =
        "To change all conversations that a filter selects, use `conversations bulk-snooze`.";
    const EXAMPLE: &'static str = "conversations snooze 215470000000003 --until 'tomorrow 09:00'";

    async fn resolve(&self, session: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        let until = snooze_time(&times(session.context)?, &self.until)?;
        Ok((Change::Snooze { until }, json!({ "snoozed_until": until })))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct Assign {
    #[command(flatten)]
    assignee: AssigneeFlags,
}

impl Verb for Assign {
    const WORDS: &'static str = "conversations assign";
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Assign conversations to a teammate or a team";
    const NOTES: &'static str = "An assignment reopens a closed or snoozed conversation. To assign all conversations that a filter selects, use \
         `conversations bulk-assign`.";
    const EXAMPLE: &'static str = "conversations assign 215470000000003 --team Support";

    async fn resolve(&self, session: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        let (to, about) = self.assignee.resolve(session).await?;
        Ok((Change::Assign { to, close: false }, about))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct Tag {
    /// Tag to attach
    #[arg(long, value_name = "NAME|ID")]
    tag: String,
    /// Create the tag if it does not exist
    #[arg(long)]
    create: bool,
}

impl Verb for Tag {
    const WORDS: &'static str = "conversations tag";
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Tag conversations";
    const NOTES: &'static str =
        "To change all conversations that a filter selects, use `conversations bulk-tag`.";
    const EXAMPLE: &'static str = "conversations tag 215470000000003 --tag refund";

    async fn resolve(&self, session: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        let tags = directory::tags(&session.client).await?;
        let tag = match pick(&tags, NotFoundKind::Tag, &self.tag, "tags list") {
            Ok(tag) => ResolvedTag { id: Some(tag.id.clone()), name: tag.name.clone(), case_variant: None },
            Err(Error::Failed { exit: Exit::NotFound, .. }) if self.create && !self.tag.trim().is_empty() => {
                ResolvedTag { id: None, name: self.tag.trim().to_owned(), case_variant: None }
            }
            Err(error) => return Err(error),
        };
        Ok((tag.change(), tag.about()))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct Untag {
    /// Tag to remove
    #[arg(long, value_name = "NAME|ID")]
    tag: String,
}

impl Verb for Untag {
    const WORDS: &'static str = "conversations untag";
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Remove a tag from conversations";
    const NOTES: &'static str =
        "To change all conversations that a filter selects, use `conversations bulk-untag`.";
    const EXAMPLE: &'static str = "conversations untag 215470000000003 --tag refund";

    async fn resolve(&self, session: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        let tags = directory::tags(&session.client).await?;
        let tag = pick(&tags, NotFoundKind::Tag, &self.tag, "tags list")?;
        let about = json!({ "tag": tag.name, "tag_id": tag.id });
        Ok((Change::Untag { tag_id: tag.id.clone(), tag: tag.name.clone() }, about))
    }
}
