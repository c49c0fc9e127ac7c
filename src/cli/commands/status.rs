//! `status`: shows what the mirror holds, how old it is, and whether it is complete.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::output::{Extent, Output};
use crate::cli::{mirror_paths, open_mirror, time};
use crate::mirror::{Sizes, Status, Store, status_with};

pub fn command() -> Command {
    Command::new("status")
        .about("Show rows, age, completeness and size of each resource in the mirror")
        .arg(
            Arg::new("fail-if")
                .long("fail-if")
                .value_name("CONDITIONS")
                .value_delimiter(',')
                .help("Exit with code 6 if any of these is true: stale=DURATION, incomplete, partial, gone"),
        )
        .arg(
            Arg::new("sizes")
                .long("sizes")
                .action(ArgAction::SetTrue)
                .help("Measure the sizes of a large mirror exactly, which reads the whole file"),
        )
        .arg(mirror_paths::argument())
        .after_help(
            "Conditions: stale=1h if the last complete sync of any resource is more than an hour ago; incomplete if the last \
             sync of any resource did not finish, or nothing was synced; partial if only newer records are mirrored; gone if \
             the workspace has fewer records than the mirror. The status is always printed.\n\n\
             Example: intercom-pp-cli status --select resource,rows,state\n\
             Example: intercom-pp-cli status --fail-if stale=1d,incomplete",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let conditions = conditions(matches)?;
    let path = mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?;
    let store = Store::open_read_only(&path)?;
    let sizes = if matches.get_flag("sizes") { Sizes::Exact } else { Sizes::Quick };
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
        "synced_at": oldest.map(format_time),
        "gone": synced().map(|status| status.gone).sum::<u64>(),
    });
    open_mirror::warn_of_age(context, oldest);
    let rows: Vec<Value> = resources.iter().map(row).collect();
    let output = Output::open(&context.globals.output)?.of(Extent::complete("resources"), rows.len() as u64);
    output.document(meta, &Value::Array(rows).to_string(), None).await?;
    let synced: Vec<&Status> = synced().collect();
    let failed: Vec<String> = conditions.iter().filter_map(|condition| condition.failure(&synced)).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::Failed {
        message: failed.join("; "),
        exit: Exit::Partial,
        hint: Some(Hint::new("run ").run("sync")),
    })
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
                let age = time::duration(age)
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

fn conditions(matches: &ArgMatches) -> Result<Vec<FailureCondition>, Error> {
    let texts = matches.get_many::<String>("fail-if").into_iter().flatten();
    texts.map(|text| FailureCondition::parse(text)).collect()
}

/// A row with times in ISO 8601, for people and programs.
fn row(status: &Status) -> Value {
    json!({
        "resource": status.resource,
        "rows": status.rows,
        "state": status.state,
        "watermark": status.watermark.map(format_time),
        "since": status.floor.map(format_time),
        "age_seconds": status.age,
        "pruned_at": status.pruned_at.map(format_time),
        "gone": status.gone,
        "deletions_checked_at": status.deletions_checked_at.map(format_time),
        "deletions_under_way": status.deletions_under_way,
        "bytes": status.bytes,
        "bytes_estimated": status.bytes_estimated,
        "quarantined": status.quarantined,
        "reason": status.reason,
    })
}

fn format_time(seconds: i64) -> Value {
    Timestamp::from_second(seconds).map_or(Value::Null, |at| at.to_string().into())
}
