//! `sql`: runs one SQL statement of the user on the mirror.
//!
//! The statement must never change the mirror, nor run without a time limit unless the user asked for that.

use clap::Args;
use serde_json::{Map, Value, json};

use super::sql_names::with_similar_name;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::stdin;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::{Extent, List, Output};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{duration, open_mirror};
use crate::mirror::ResourceName;
use crate::mirror::sql::{Relation, RowSink, SqlEnd, SqlLimits, SqlSession};

/// Run one read-only SQL statement on the mirror
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli sql \"SELECT team, count(*) AS n FROM inbox WHERE state = 'open' GROUP BY \
        team\""
)]
pub struct QueryMirror {
    /// SQLite statement, or - to read it from stdin
    #[arg(value_name = "SELECT", required_unless_present = "schema", allow_hyphen_values = true)]
    statement: Option<String>,
    /// Show the tables, views and columns
    #[arg(long, conflicts_with = "statement")]
    schema: bool,
    /// Maximum number of rows, 0 for all; exit code 6 if there are more
    #[arg(long, value_name = "N", default_value = "10000")]
    limit: u64,
    /// Stop after this time with exit code 6; 0 for no limit
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    max_time: String,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for QueryMirror {
    const WORDS: &'static str = "sql";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let path = mirror_paths::for_reading(context, &self.mirror)?;
        let store = open_mirror::indexed(&path)?;
        if self.schema {
            return schema(context, &store.relations()?).await;
        }
        let statement = match self.statement.as_deref() {
            Some("-") => stdin::text().map_err(Error::usage)?,
            text => text.unwrap_or_default().to_owned(),
        };
        let time = duration::parse(&self.max_time)
            .map_err(|reason| Error::usage(format!("--max-time: {reason}")))?;
        let limits = SqlLimits {
            rows: Some(self.limit).filter(|rows| *rows > 0),
            time: Some(time).filter(|time| !time.is_zero()),
        };
        let synced_at = open_mirror::check_freshness(context, &store, ResourceName::ALL)?;
        drop(store);
        let mut table = SqlRows { context, names: Vec::new(), list: None };
        let result = SqlSession::open(&path)?
            .query(&statement, limits, &mut table)
            .map_err(|error| with_similar_name(error, &statement, &path));
        let Some(list) = table.list else { return result.map(drop) };
        let rows = list.count();
        let complete = result.as_ref().is_ok_and(|end| *end == SqlEnd::Complete);
        let mut meta =
            json!({ "source": "local", "synced_at": synced_at, "count": rows, "complete": complete });
        if result.as_ref().is_ok_and(|end| *end == SqlEnd::Rows) {
            meta["limit_reached"] = json!(true);
        }
        let is_cut = result.as_ref().is_ok_and(|end| *end != SqlEnd::Complete);
        let extent = Extent::partial("rows", None, is_cut, "").with_error(is_cut);
        list.end(meta, &extent).await?;
        let (message, hint) = match result? {
            SqlEnd::Complete => return Ok(()),
            SqlEnd::Rows => (
                format!("stopped after {rows} rows: the result has more"),
                Hint::new("raise ").flag("limit").or("use ").flag("limit").text(" 0 for all rows"),
            ),
            SqlEnd::Time => (
                format!(
                    "stopped after {} s with {rows} rows: the statement took too long",
                    time.as_secs_f64()
                ),
                Hint::new("narrow it down, use typed columns instead of raw").or("raise ").flag("max-time"),
            ),
        };
        Err(Error::Failed { message, exit: Exit::Partial, hint: Some(hint) })
    }
}

/// Writes the rows of the result.
struct SqlRows<'a> {
    context: &'a Context,
    names: Vec<String>,
    list: Option<List<'a>>,
}

impl RowSink for SqlRows<'_> {
    type Error = Error;

    fn columns(&mut self, names: &[String]) -> Result<(), Error> {
        self.names = names.to_vec();
        self.list = Some(Output::open(&self.context.globals.output)?.list_with_columns("rows", names)?);
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Result<(), Error> {
        let record: Map<String, Value> = self.names.iter().cloned().zip(values).collect();
        self.list.as_mut().map_or(Ok(()), |list| list.record(&record.into()))
    }
}

/// Lists the tables and views with their columns.
async fn schema(context: &Context, relations: &[Relation]) -> Result<(), Error> {
    let mut list = Output::open(&context.globals.output)?
        .wrapped()
        .list_with_columns("relations", &["name", "kind", "about", "columns"].map(str::to_owned))?;
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
    list.end(json!({ "source": "local", "notes": notes }), &Extent::complete("tables")).await
}
