//! `status`: what the mirror holds, how old it is, and whether it is complete.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Output};
use crate::cli::{mirrored, stores, time};
use crate::mirror::{Sizes, Status, Store, status_with};

pub fn command() -> Command {
    Command::new("status")
        .about("What the mirror holds: rows, watermark, age, completeness, deletions and size of each resource")
        .arg(
            Arg::new("fail-if")
                .long("fail-if")
                .value_name("CONDITIONS")
                .value_delimiter(',')
                .help("Exit with 6 if one of these holds: stale=DURATION, incomplete, partial, gone"),
        )
        .arg(
            Arg::new("sizes")
                .long("sizes")
                .action(ArgAction::SetTrue)
                .help("Measure the sizes of a large mirror too, which reads the whole file"),
        )
        .arg(stores::argument())
        .after_help(
            "stale=1h holds when a resource was read to its end more than an hour ago, or never; incomplete when the last \
             sync did not reach the end of one, or nothing was synced; partial when only newer records are mirrored; gone when \
             the workspace counts fewer records than are stored. The status is printed in any case.\n\n\
             Example: intercom-pp-cli status --select resource,rows,state\n\
             Example: intercom-pp-cli status --fail-if stale=1d,incomplete",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let conditions = conditions(matches)?;
    let path = stores::for_reading(context, matches)?;
    let store = Store::open_read_only(&path)?;
    let sizes = if matches.get_flag("sizes") { Sizes::Exact } else { Sizes::Quick };
    let resources = status_with(&store, Timestamp::now().as_second(), sizes)?;
    let known = || resources.iter().filter(|one| !matches!(one.state, "never" | "skipped"));
    let oldest = known().map(|one| one.watermark).min().flatten();
    let meta = json!({
        "source": "local",
        "store": path,
        "workspace": store.workspace()?,
        "bytes": std::fs::metadata(&path).map(|file| file.len()).ok(),
        "complete": known().count() > 0 && known().all(|one| one.state == "complete"),
        "quarantined": resources.iter().map(|one| one.quarantined.len()).sum::<usize>(),
        "synced_at": oldest.map(moment),
        "gone": known().map(|one| one.gone).sum::<u64>(),
    });
    mirrored::warn_of_age(context, oldest);
    let rows: Vec<Value> = resources.iter().map(row).collect();
    let output = Output::open(&context.globals)?.of(Extent::whole("resources"), rows.len() as u64);
    output.document(meta, &Value::Array(rows).to_string(), None).await?;
    let known: Vec<&Status> = known().collect();
    let failed: Vec<String> = conditions.iter().filter_map(|condition| condition.failure(&known)).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::Finding {
        message: failed.join("; "),
        exit: Exit::Partial,
        hint: Some("run `intercom-pp-cli sync`".to_owned()),
    })
}

/// Something that a monitor wants to know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Stale(Duration),
    Incomplete,
    Partial,
    Gone,
}

impl Condition {
    fn parse(text: &str) -> Result<Self, Error> {
        let expected = "expected stale=DURATION, incomplete, partial or gone";
        match text.trim().split_once('=') {
            None if text.trim() == "incomplete" => Ok(Condition::Incomplete),
            None if text.trim() == "partial" => Ok(Condition::Partial),
            None if text.trim() == "gone" => Ok(Condition::Gone),
            Some(("stale", age)) => {
                let age = time::duration(age)
                    .map_err(|reason| Error::usage(format!("--fail-if stale: {reason}")))?;
                Ok(Condition::Stale(age))
            }
            _ => Err(Error::usage(format!("--fail-if: unknown condition {text:?}: {expected}"))),
        }
    }

    /// What is wrong, in words, with the resources that have been synced.
    fn failure(self, known: &[&Status]) -> Option<String> {
        let holds = |one: &&&Status| match self {
            Condition::Stale(most) => {
                let most = i64::try_from(most.as_secs()).unwrap_or(i64::MAX);
                one.age.is_none_or(|age| age > most)
            }
            Condition::Incomplete => one.state == "incomplete",
            Condition::Partial => one.state == "partial",
            Condition::Gone => one.gone > 0,
        };
        let names: Vec<&str> = known.iter().filter(holds).map(|one| one.resource.as_str()).collect();
        let (word, also) = match self {
            Condition::Stale(_) => ("stale", known.is_empty()),
            Condition::Incomplete => ("incomplete", known.is_empty()),
            Condition::Partial => ("partial", false),
            Condition::Gone => ("gone", false),
        };
        if also {
            return Some(format!("{word}: nothing has been synced"));
        }
        (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
    }
}

fn conditions(matches: &ArgMatches) -> Result<Vec<Condition>, Error> {
    let texts = matches.get_many::<String>("fail-if").into_iter().flatten();
    texts.map(|text| Condition::parse(text)).collect()
}

/// Times as people and programs both read them.
fn row(one: &Status) -> Value {
    json!({
        "resource": one.resource,
        "rows": one.rows,
        "state": one.state,
        "watermark": one.watermark.map(moment),
        "since": one.floor.map(moment),
        "age_seconds": one.age,
        "pruned_at": one.pruned_at.map(moment),
        "gone": one.gone,
        "deletions_checked_at": one.deletions_checked_at.map(moment),
        "deletions_under_way": one.deletions_under_way,
        "bytes": one.bytes,
        "bytes_estimated": one.bytes_estimated,
        "quarantined": one.quarantined,
        "reason": one.reason,
    })
}

fn moment(seconds: i64) -> Value {
    Timestamp::from_second(seconds).map_or(Value::Null, |at| at.to_string().into())
}
