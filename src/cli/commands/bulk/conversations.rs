//! `conversations bulk-assign`, `bulk-close`, `bulk-snooze` and `bulk-reply-note`.

use clap::Args;
use serde_json::Value;

use super::command::BulkChange;
use super::selection::WhereFlag;
use crate::api::client::Client;
use crate::bulk::{Assignee, BulkTarget, Change, NotFoundKind, directory};
use crate::cli::error::Error;
use crate::cli::files::Content;
use crate::cli::registry::Effect;
use crate::cli::snooze_time::snooze_time;
use crate::cli::time::Times;

#[derive(Args)]
#[group(skip)]
pub struct AssignConversations {
    /// Team to assign to
    #[arg(long, value_name = "NAME|ID")]
    team: Option<String>,
    /// Teammate to assign to
    #[arg(long, value_name = "NAME|EMAIL|ID", conflicts_with = "team")]
    admin: Option<String>,
    /// Remove the assigned teammate
    #[arg(long, conflicts_with_all = ["team", "admin"])]
    nobody: bool,
}

impl BulkChange for AssignConversations {
    const WORDS: &'static str = "conversations bulk-assign";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Assign many conversations to a team or teammate";
    const EXAMPLE: &'static str =
        "conversations bulk-assign --where 'team = null and state = open' --team Support";
    type Filter = WhereFlag;

    async fn resolve(&self, client: &Client, _: &Times) -> Result<(Change, Value), Error> {
        let to = match (self.nobody, &self.team, &self.admin) {
            (true, ..) => Assignee::nobody(),
            (false, Some(team), _) => {
                let teams = directory::teams(client).await?;
                Assignee::Team(directory::pick(&teams, NotFoundKind::Team, team)?.id.clone())
            }
            (false, None, Some(admin)) => {
                let admins = directory::admins(client).await?;
                Assignee::Admin(directory::pick(&admins, NotFoundKind::Teammate, admin)?.id.clone())
            }
            (false, None, None) => {
                return Err(Error::usage("no assignee given: use --team, --admin or --nobody"));
            }
        };
        Ok((Change::Assign { to, close: false }, Value::Null))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct CloseConversations {}

impl BulkChange for CloseConversations {
    const WORDS: &'static str = "conversations bulk-close";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Close many conversations";
    const EXAMPLE: &'static str =
        "conversations bulk-close --where 'state = open and updated_at < 30d' --limit 500";
    type Filter = WhereFlag;

    async fn resolve(&self, _: &Client, _: &Times) -> Result<(Change, Value), Error> {
        Ok((Change::Close, Value::Null))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct SnoozeConversations {
    /// When to reopen them: tomorrow or monday (at 09:00), 'monday 14:00', 3h, 2d, or a date
    #[arg(long, value_name = "TIME", required_unless_present_any = ["resume", "plan"])]
    until: Option<String>,
}

impl BulkChange for SnoozeConversations {
    const WORDS: &'static str = "conversations bulk-snooze";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Snooze many conversations";
    const EXAMPLE: &'static str =
        "conversations bulk-snooze --where 'state = open and team = Support' --until +2d";
    type Filter = WhereFlag;

    async fn resolve(&self, _: &Client, times: &Times) -> Result<(Change, Value), Error> {
        let until = snooze_time(times, self.until.as_deref().unwrap_or_default())?;
        Ok((Change::Snooze { until }, Value::Null))
    }
}

#[derive(Args)]
#[group(skip)]
pub struct AnnotateConversations {
    /// Text of the note, may contain HTML; @FILE reads a file, - reads stdin
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        required_unless_present_any = ["resume", "plan"]
    )]
    body: Option<Content>,
}

impl BulkChange for AnnotateConversations {
    const WORDS: &'static str = "conversations bulk-reply-note";
    const EFFECT: Effect = Effect::Write;
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const ABOUT: &'static str = "Add the same internal note to many conversations";
    const EXAMPLE: &'static str =
        "conversations bulk-reply-note --where 'updated_at > 1d and state = open' --body 'Known incident'";
    type Filter = WhereFlag;

    async fn resolve(&self, _: &Client, _: &Times) -> Result<(Change, Value), Error> {
        let body = self.body.as_ref().map(Content::text).transpose()?.unwrap_or_default();
        if body.trim().is_empty() {
            return Err(Error::usage("--body is empty"));
        }
        Ok((Change::Note { body }, Value::Null))
    }
}
