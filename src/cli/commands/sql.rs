//! `sql`: one statement of the user's own over the mirror, which it cannot change.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::door::stdin;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, List, Output};
use crate::cli::{mirrored, stores, time};
use crate::mirror::ResourceName;
use crate::mirror::sql::{End, Questions, Relation, Rows, SqlLimits};

pub fn command() -> Command {
    Command::new("sql")
        .about("Ask the mirror one question in SQL; it can be read and not changed")
        .arg(
            Arg::new("statement")
                .value_name("SELECT")
                .required_unless_present("schema")
                .allow_hyphen_values(true)
                .help("One statement of SQLite's dialect, or - to read it from stdin"),
        )
        .arg(
            Arg::new("schema")
                .long("schema")
                .action(ArgAction::SetTrue)
                .conflicts_with("statement")
                .help("Show the tables, views and columns instead"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u64))
                .default_value("10000")
                .help("At most N rows; exit with 6 when there are more; 0 for all"),
        )
        .arg(
            Arg::new("max-time")
                .long("max-time")
                .value_name("DURATION")
                .default_value("30s")
                .help("Stop the statement after this time and exit with 6; 0 for never"),
        )
        .arg(stores::argument())
        .after_help(
            "Example: intercom-pp-cli sql \"SELECT team, count(*) AS n FROM inbox WHERE state = 'open' GROUP BY team\"",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let path = stores::for_reading(context, matches)?;
    let store = mirrored::indexed(&path)?;
    if matches.get_flag("schema") {
        return schema(context, &store.relations()?).await;
    }
    let statement = statement(matches)?;
    let limits = SqlLimits {
        rows: matches.get_one::<u64>("limit").copied().filter(|rows| *rows > 0),
        time: max_time(matches)?,
    };
    let synced_at = mirrored::say_how_old(context, &store, ResourceName::ALL)?;
    drop(store);
    let mut table = Printed { context, names: Vec::new(), list: None };
    let asked = Questions::open(&path)?.ask(&statement, limits, &mut table);
    let Some(list) = table.list else { return asked.map(drop) };
    let rows = list.count();
    let complete = asked.as_ref().is_ok_and(|end| *end == End::Complete);
    let mut meta = json!({ "source": "local", "synced_at": synced_at, "count": rows, "complete": complete });
    if asked.as_ref().is_ok_and(|end| *end == End::Rows) {
        meta["limit_reached"] = json!(true);
    }
    let is_cut = asked.as_ref().is_ok_and(|end| *end != End::Complete);
    let extent = Extent::part("rows", None, is_cut, "").with_error(is_cut);
    list.end(meta, &extent).await?;
    let (message, hint) = match asked? {
        End::Complete => return Ok(()),
        End::Rows => {
            (format!("cut after {rows} rows: there are more"), "raise --limit, or --limit 0 for all rows")
        }
        End::Time => (
            format!(
                "cut after {} s with {rows} rows: the statement took too long",
                limits.time.unwrap_or_default().as_secs_f64()
            ),
            "narrow it down, use typed columns instead of raw, or raise --max-time",
        ),
    };
    Err(Error::Finding { message, exit: Exit::Partial, hint: Some(hint.to_owned()) })
}

fn statement(matches: &ArgMatches) -> Result<String, Error> {
    match matches.get_one::<String>("statement").map(String::as_str) {
        Some("-") => stdin::text().map_err(Error::usage),
        text => Ok(text.unwrap_or_default().to_owned()),
    }
}

fn max_time(matches: &ArgMatches) -> Result<Option<Duration>, Error> {
    let text = matches.get_one::<String>("max-time").map_or("0", String::as_str);
    let time = time::duration(text).map_err(|reason| Error::usage(format!("--max-time: {reason}")))?;
    Ok(Some(time).filter(|time| !time.is_zero()))
}

/// Rows on their way out.
struct Printed<'a> {
    context: &'a Context,
    names: Vec<String>,
    list: Option<List<'a>>,
}

impl Rows for Printed<'_> {
    type Error = Error;

    fn columns(&mut self, names: &[String]) -> Result<(), Error> {
        self.names = names.to_vec();
        self.list = Some(Output::open(&self.context.globals)?.rows("rows", names)?);
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Result<(), Error> {
        let record: Map<String, Value> = self.names.iter().cloned().zip(values).collect();
        self.list.as_mut().map_or(Ok(()), |list| list.record(&record.into()))
    }
}

/// One record per table or view; for people, one line per column.
async fn schema(context: &Context, relations: &[Relation]) -> Result<(), Error> {
    let mut list = Output::open(&context.globals)?
        .wrapped()
        .rows("relations", &["name", "kind", "about", "columns"].map(str::to_owned))?;
    for relation in relations {
        let columns: Vec<String> = relation
            .columns
            .iter()
            .map(|(name, kind)| if kind.is_empty() { name.clone() } else { format!("{name} {kind}") })
            .collect();
        list.record(&json!({
            "name": relation.name, "kind": relation.kind, "about": relation.about, "columns": columns.join(", "),
        }))?;
    }
    let notes = "times are epoch seconds (UTC), or text in UTC in views; ids are text; flags are 0 and 1; \
                 raw is the document as received: raw ->> '$.a.b'";
    list.end(json!({ "source": "local", "notes": notes }), &Extent::whole("tables")).await
}
