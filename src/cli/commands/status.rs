//! `status`: what the mirror holds, how old it is, and whether it is complete.

use clap::{ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::Output;
use crate::cli::stores;
use crate::mirror::{Status, Store, status};

pub fn command() -> Command {
    Command::new("status")
        .about("What the mirror holds: rows, watermark, age, completeness and size of each resource")
        .arg(stores::argument())
        .after_help("Example: intercom-pp-cli status --select resource,rows,state")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let path = stores::for_reading(context, matches)?;
    let store = Store::open_read_only(&path)?;
    let resources = status(&store, Timestamp::now().as_second())?;
    let known = || resources.iter().filter(|one| !matches!(one.state, "never" | "skipped"));
    let meta = json!({
        "source": "local",
        "store": path,
        "workspace": store.workspace()?,
        "bytes": std::fs::metadata(&path).map(|file| file.len()).ok(),
        "complete": known().count() > 0 && known().all(|one| one.state == "complete"),
        "synced_at": known().map(|one| one.watermark).min().flatten().map(moment),
    });
    let rows: Vec<Value> = resources.iter().map(row).collect();
    Output::open(&context.globals)?.document(meta, &Value::Array(rows).to_string(), None).await
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
        "bytes": one.bytes,
        "reason": one.reason,
    })
}

fn moment(seconds: i64) -> Value {
    Timestamp::from_second(seconds).map_or(Value::Null, |at| at.to_string().into())
}
