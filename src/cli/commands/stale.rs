//! `conversations stale`: lists open conversations without a recent message.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Output, limit_for_more};
use crate::cli::{mirror_paths, open_mirror, time};
use crate::mirror::{ResourceName, Store};
use crate::report::stale::{StaleOptions, stale};

/// Shorter durations are mistakes: `1m` was meant as a month.
const MIN_IDLE: Duration = Duration::from_secs(600);

pub fn command() -> Command {
    Command::new("stale")
        .about("List open conversations in the mirror without a recent message")
        .arg(
            Arg::new("idle").long("idle").value_name("DURATION").default_value("7d").help(
                "No message for at least this long, for example 7d or 12h; notes and tags do not count",
            ),
        )
        .arg(Arg::new("assigned-to").long("assigned-to").value_name("WHO").help(
            "Only those assigned to this teammate or team (name, id or e-mail address); none for unassigned",
        ))
        .arg(
            Arg::new("snoozed")
                .long("snoozed")
                .action(ArgAction::SetTrue)
                .help("Include snoozed conversations, which reopen by themselves"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Maximum number of conversations, longest idle first"),
        )
        .arg(mirror_paths::argument())
        .after_help("Example: intercom-pp-cli conversations stale --idle 7d --assigned-to none --limit 10")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let text = |name: &str| matches.get_one::<String>(name);
    let idle = time::duration(text("idle").map_or("7d", String::as_str));
    let idle = idle.map_err(|reason| Error::usage(format!("--idle: {reason}")))?;
    if idle < MIN_IDLE {
        return Err(Error::usage(format!(
            "--idle: {:?} is too short: expected at least 10 minutes; a month is 1mo",
            text("idle").map_or("", String::as_str)
        )));
    }
    let store = Store::open_read_only(&mirror_paths::for_reading(context, matches)?)?;
    let options = StaleOptions {
        idle: i64::try_from(idle.as_secs()).unwrap_or(i64::MAX),
        now: Timestamp::now().as_second(),
        assigned_to: text("assigned-to").cloned(),
        snoozed: matches.get_flag("snoozed"),
    };
    let mut found = stale(&store, &options)?;
    let resources = [ResourceName::Conversations, ResourceName::ConversationParts];
    let synced_at = open_mirror::check_freshness(context, &store, &resources)?;
    let all = found.len();
    found.truncate(matches.get_one::<u32>("limit").map_or(usize::MAX, |limit| *limit as usize));
    let rows: Vec<Value> =
        found.iter().map(|conversation| serde_json::to_value(conversation).unwrap_or_default()).collect();
    let meta = json!({
        "source": "local", "synced_at": synced_at, "conversations": all, "has_more": all > rows.len(),
        "idle_seconds": options.idle,
    });
    let extent = Extent::partial("conversations", Some(all as u64), all > rows.len(), limit_for_more());
    let extent = extent.when_empty(format!(
        "no open conversation has been idle for {}",
        text("idle").map_or("7d", String::as_str)
    ));
    Output::open(&context.globals)?.table(meta, &rows, &extent).await
}
