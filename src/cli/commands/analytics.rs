//! `analytics`: counts mirrored records by their fields.

use clap::{ArgAction, Args};
use serde_json::{Map, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::open_mirror::{self, ResourceArgument};
use crate::cli::output::{Extent, Output, limit_for_more};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::time;
use crate::data::spelling::nearest;
use crate::mirror::aggregate::{GroupField, GroupSource, Period};
use crate::mirror::read::RecordQuery;
use crate::mirror::{ResourceName, Store};

/// Count mirrored records by any of their fields
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli analytics conversations --by state,created_at:month --since 2024-01-01"
)]
pub struct Analytics {
    #[command(flatten)]
    resource: ResourceArgument,
    /// Columns, paths in the documents (source.author.type; each list element counts) or times by period (created_at:month)
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', action = ArgAction::Set, required = true)]
    by: Vec<String>,
    /// Only records created since then, for example 2024-01-01 or 30d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Show the N most frequent groups; meta.groups counts all of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value = "100")]
    limit: u32,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for Analytics {
    const WORDS: &'static str = "analytics";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let resource = self.resource.name()?;
        let fields = self.by.iter().map(|text| field(resource, text)).collect::<Result<Vec<_>, _>>()?;
        let store = Store::open_read_only(&mirror_paths::for_reading(context, &self.mirror)?)?;
        open_mirror::require_synced(&store, resource)?;
        let mut choice = RecordQuery::default();
        if let Some(since) = time::since(context, self.since.as_deref(), time::SHORTEST_PERIOD)? {
            choice = choice.only("created_at >= ?", since);
        }
        let counts = store.counts(resource, &fields, &choice)?;
        let seen = fields.iter().zip(&counts.seen);
        let unknown: Vec<&str> =
            seen.filter(|(_, seen)| !**seen).map(|(field, _)| field.name.as_str()).collect();
        if !unknown.is_empty() && counts.records > 0 {
            let columns: Vec<&str> = resource.typed_columns().iter().map(|column| column.name).collect();
            let similar = unknown.iter().find_map(|name| nearest(name, &columns));
            let similar = similar.map(|name| format!(": did you mean {name:?}?")).unwrap_or_default();
            return Err(Error::usage_with_hint(
                format!("--by: no record has the field {}{similar}", unknown.join(", ")),
                Hint::new("list the columns with ")
                    .run("sql --schema")
                    .or("see the documents with ")
                    .run("export"),
            ));
        }
        let synced_at = open_mirror::check_freshness(context, &store, &[resource])?;
        let limit = self.limit as usize;
        let columns: Vec<String> =
            fields.iter().map(|field| field.name.clone()).chain(["count".to_owned()]).collect();
        let output = Output::open(&context.globals.output)?.naming_ids();
        let mut list = output.list_with_columns("groups", &columns)?;
        for (values, count) in counts.groups.iter().take(limit) {
            let cells = values.iter().cloned().chain([json!(count)]);
            list.record(&columns.iter().cloned().zip(cells).collect::<Map<_, _>>().into())?;
        }
        let groups = counts.groups.len();
        let meta = json!({
            "source": "local", "synced_at": synced_at, "records": counts.records, "groups": groups,
        });
        let extent = Extent::partial("groups", Some(groups as u64), groups > limit, limit_for_more());
        list.end(meta, &extent.when_empty(format!("no {resource} to count"))).await
    }
}

fn field(resource: ResourceName, text: &str) -> Result<GroupField, Error> {
    let text = text.trim();
    let (name, period) = match text.split_once(':') {
        None => (text, None),
        Some((name, period)) => (name, Some(period.parse::<Period>()?)),
    };
    let path: Vec<String> = name.split('.').map(|segment| segment.trim().to_owned()).collect();
    if path.iter().any(String::is_empty) {
        return Err(Error::usage(format!(
            "--by: invalid field {text:?}: expected for example state or source.author.type"
        )));
    }
    let by = match resource.typed_columns().into_iter().find(|column| column.name == name) {
        Some(column) => GroupSource::Column(column),
        None => GroupSource::Path(path),
    };
    Ok(GroupField { name: text.to_owned(), by, period })
}
