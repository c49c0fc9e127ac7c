//! `status`: shows what the mirror holds, how old it is, and whether it is complete.

mod text;

use std::time::Duration;

use clap::{ArgAction, Args};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::{Extent, Output};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{duration, open_mirror};
use crate::mirror::{ResourceName, Sizes, Status, Store, status_with};

/// Show rows, age, completeness and size of each resource in the mirror
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Conditions: stale=1h if the last complete sync of any resource is more than an hour ago; incomplete \
        if the last sync of any resource did not finish, or nothing was synced; partial if only newer records are \
        mirrored; gone if the workspace has fewer records than the mirror. The status is always printed.\n\n\
        Example: intercom-pp-cli status --select resource,rows,state\n\
        Example: intercom-pp-cli status --fail-if stale=1d,incomplete"
)]
pub struct ShowMirrorStatus {
    /// Exit with code 6 if any of these is true: stale=DURATION, incomplete, partial, gone
    #[arg(long, value_name = "CONDITIONS", value_delimiter = ',', action = ArgAction::Set)]
    fail_if: Vec<String>,
    /// Measure the sizes of a large mirror exactly, which reads the whole file
    #[arg(long)]
    sizes: bool,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for ShowMirrorStatus {
    const WORDS: &'static str = "status";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let conditions = self.fail_if.iter().map(|text| FailureCondition::parse(text));
        let conditions = conditions.collect::<Result<Vec<_>, Error>>()?;
        let path = mirror_paths::for_reading(context, &self.mirror)?;
        let store = Store::open_read_only(&path)?;
        let sizes = if self.sizes { Sizes::Exact } else { Sizes::Quick };
        let resources = status_with(&store, Timestamp::now().as_second(), sizes)?;
        let synced = || resources.iter().filter(|status| !matches!(status.state, "never" | "skipped"));
        let oldest = synced().map(|status| status.watermark).min().flatten();
        let meta = json!({
            "source": "local",
            "store": path,
            "workspace": store.workspace()?,
            "bytes": std::fs::metadata(&path).map(|file| file.len()).ok(),
            "complete": synced().count() > 0 && synced().all(|status| status.state == "complete"),
            "quarantined": resources.iter().map(|status| status.quarantined.len()).sum::<usize>(),
            "synced_at": oldest.and_then(iso_time),
            "gone": synced().map(|status| status.gone).sum::<u64>(),
        });
        open_mirror::warn_of_age(context, oldest);
        if context.globals.output.is_for_people() {
            let workspace = store.workspace()?;
            let text = text::render(context, &path, workspace.as_ref(), &resources, oldest);
            Output::open(&context.globals.output)?.text(&text).await?;
        } else {
            let rows: Vec<StatusRow> = resources.iter().map(StatusRow::of).collect();
            let output =
                Output::open(&context.globals.output)?.of(Extent::complete("resources"), rows.len() as u64);
            output.report(meta, &rows).await?;
        }
        let synced: Vec<&Status> = synced().collect();
        let failed: Vec<String> =
            conditions.iter().filter_map(|condition| condition.failure(&synced)).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Error::Failed {
            message: failed.join("; "),
            exit: Exit::Partial,
            hint: Some(Hint::new("run ").run("sync")),
        })
    }
}

/// A condition of `--fail-if`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FailureCondition {
    Stale(Duration),
    Incomplete,
    Partial,
    Gone,
}

impl FailureCondition {
    fn parse(text: &str) -> Result<Self, Error> {
        let expected = "expected stale=DURATION, incomplete, partial or gone";
        match text.trim().split_once('=') {
            None if text.trim() == "incomplete" => Ok(FailureCondition::Incomplete),
            None if text.trim() == "partial" => Ok(FailureCondition::Partial),
            None if text.trim() == "gone" => Ok(FailureCondition::Gone),
            Some(("stale", age)) => {
                let age = duration::parse(age)
                    .map_err(|reason| Error::usage(format!("--fail-if stale: {reason}")))?;
                Ok(FailureCondition::Stale(age))
            }
            _ => Err(Error::usage(format!("--fail-if: unknown condition {text:?}: {expected}"))),
        }
    }

    /// Describes the failure, given the resources that have been synced; `None` if the condition is false.
    fn failure(self, synced: &[&Status]) -> Option<String> {
        let is_true = |status: &&&Status| match self {
            FailureCondition::Stale(max_age) => {
                let max_age = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
                status.age.is_none_or(|age| age > max_age)
            }
            FailureCondition::Incomplete => status.state == "incomplete",
            FailureCondition::Partial => status.state == "partial",
            FailureCondition::Gone => status.gone > 0,
        };
        let names: Vec<&str> = synced.iter().filter(is_true).map(|status| status.resource.as_str()).collect();
        let (word, is_empty) = match self {
            FailureCondition::Stale(_) => ("stale", synced.is_empty()),
            FailureCondition::Incomplete => ("incomplete", synced.is_empty()),
            FailureCondition::Partial => ("partial", false),
            FailureCondition::Gone => ("gone", false),
        };
        if is_empty {
            return Some(format!("{word}: nothing has been synced"));
        }
        (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
    }
}

/// A status with its times in ISO 8601, for people and programs.
#[derive(Serialize)]
struct StatusRow<'a> {
    resource: ResourceName,
    rows: u64,
    state: &'static str,
    watermark: Option<String>,
    since: Option<String>,
    age_seconds: Option<i64>,
    pruned_at: Option<String>,
    gone: u64,
    deletions_checked_at: Option<String>,
    deletions_under_way: bool,
    bytes: Option<u64>,
    bytes_estimated: bool,
    quarantined: &'a [String],
    reason: Option<&'a str>,
}

impl<'a> StatusRow<'a> {
    fn of(status: &'a Status) -> Self {
        StatusRow {
            resource: status.resource,
            rows: status.rows,
            state: status.state,
            watermark: status.watermark.and_then(iso_time),
            since: status.floor.and_then(iso_time),
            age_seconds: status.age,
            pruned_at: status.pruned_at.and_then(iso_time),
            gone: status.gone,
            deletions_checked_at: status.deletions_checked_at.and_then(iso_time),
            deletions_under_way: status.deletions_under_way,
            bytes: status.bytes,
            bytes_estimated: status.bytes_estimated,
            quarantined: &status.quarantined,
            reason: status.reason.as_deref(),
        }
    }
}

fn iso_time(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}
