//! `conversations stale`: lists open conversations without a recent message.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::{Extent, Output, limit_for_more};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{duration, open_mirror};
use crate::data::span;
use crate::mirror::{ResourceName, Store};
use crate::report::stale::{StaleConversation, StaleOptions, stale};

/// Shorter durations are mistakes: `1m` was meant as a month.
const MIN_IDLE: Duration = Duration::from_secs(600);

/// List open conversations in the mirror without a recent message
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli conversations stale --idle 7d --assigned-to none --limit 10"
)]
pub struct StaleConversations {
    /// No message for at least this long, for example 7d or 12h; notes and tags do not count
    #[arg(long, value_name = "DURATION", default_value = "7d")]
    idle: String,
    /// Only those assigned to this teammate or team (name, id or email address); none for unassigned
    #[arg(long, value_name = "WHO")]
    assigned_to: Option<String>,
    /// Include snoozed conversations, which reopen by themselves
    #[arg(long)]
    snoozed: bool,
    /// Maximum number of conversations, longest idle first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for StaleConversations {
    const WORDS: &'static str = "conversations stale";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let idle = duration::parse(&self.idle).map_err(|reason| Error::usage(format!("--idle: {reason}")))?;
        if idle < MIN_IDLE {
            return Err(Error::usage(format!(
                "--idle: {:?} is too short: expected at least 10 minutes; a month is 1mo",
                self.idle
            )));
        }
        let store = Store::open_read_only(&mirror_paths::for_reading(context, &self.mirror)?)?;
        let options = StaleOptions {
            idle: i64::try_from(idle.as_secs()).unwrap_or(i64::MAX),
            now: Timestamp::now().as_second(),
            assigned_to: self.assigned_to,
            snoozed: self.snoozed,
        };
        let mut found = stale(&store, &options)?;
        let resources = [ResourceName::Conversations, ResourceName::ConversationParts];
        let synced_at = open_mirror::check_freshness(context, &store, &resources)?;
        let all = found.len();
        found.truncate(self.limit.map_or(usize::MAX, |limit| limit as usize));
        let meta = json!({
            "source": "local", "synced_at": synced_at, "conversations": all, "has_more": all > found.len(),
            "idle_seconds": options.idle,
        });
        let extent = Extent::partial("conversations", Some(all as u64), all > found.len(), limit_for_more());
        let extent = extent.when_empty(format!("no open conversation has been idle for {}", self.idle));
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            let text = if found.is_empty() { String::new() } else { table(context, &found, options.now) };
            return output.of(extent, found.len() as u64).text(&text).await;
        }
        output.rows(meta, &found, &extent).await
    }
}

/// `now` is epoch seconds.
fn table(context: &Context, found: &[StaleConversation], now: i64) -> String {
    let mut grid = Grid::new(&[
        ("id", Shape::Text),
        ("idle", Shape::Text),
        ("last message", Shape::Text),
        ("contact", Shape::Flexible(16)),
        ("title", Shape::Flexible(16)),
        ("assignee", Shape::Flexible(12)),
        ("team", Shape::Flexible(12)),
        ("state", Shape::Text),
    ]);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for row in found {
        grid.row([
            row.id.clone(),
            span::length((now - row.last_message_at) as f64),
            row.last_message_by.clone(),
            text(&row.contact),
            text(&row.title),
            text(&row.assignee),
            text(&row.team),
            row.state.clone(),
        ]);
    }
    grid.print(&context.globals.output, |palette, column, cell| match column {
        "state" => palette.state(cell),
        // The team has not answered yet.
        "last message" if cell == "contact" => palette.yellow(cell),
        _ => cell.to_owned(),
    })
}
