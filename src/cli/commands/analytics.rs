//! `analytics`: counts mirrored records by their fields.

use std::collections::HashMap;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::output::{Extent, Output, limit_for_more};
use crate::cli::{mirror_paths, open_mirror, time};
use crate::mirror::aggregate::{GroupField, GroupSource, Period};
use crate::mirror::read::RecordQuery;
use crate::mirror::{ResourceName, Store};

pub fn command() -> Command {
    Command::new("analytics")
        .about("Count mirrored records by any of their fields")
        .arg(open_mirror::resource_argument())
        .arg(
            Arg::new("by")
                .long("by")
                .value_name("FIELDS")
                .value_delimiter(',')
                .required(true)
                .help("Columns, paths in the documents (source.author.type; each list element counts) or times by period (created_at:month)"),
        )
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("TIME")
                .help("Only records created since then, for example 2024-01-01 or 30d"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("100")
                .help("Show the N most frequent groups; meta.groups counts all of them"),
        )
        .arg(mirror_paths::argument())
        .after_help("Example: intercom-pp-cli analytics conversations --by state,created_at:month --since 2024-01-01")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let name = matches.get_one::<String>("resource").map_or("", String::as_str);
    let resource = open_mirror::resource(name)?;
    let names = matches.get_many::<String>("by").into_iter().flatten();
    let fields = names.map(|text| field(resource, text)).collect::<Result<Vec<_>, _>>()?;
    let store =
        Store::open_read_only(&mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?)?;
    open_mirror::require_synced(&store, resource)?;
    let mut choice = RecordQuery::default();
    if let Some(since) =
        time::since(context, matches.get_one::<String>("since").map(String::as_str), time::SHORTEST_PERIOD)?
    {
        choice = choice.only("created_at >= ?", since);
    }
    let counts = store.counts(resource, &fields, &choice)?;
    let unknown: Vec<&str> = fields
        .iter()
        .zip(&counts.seen)
        .filter(|(_, seen)| !**seen)
        .map(|(field, _)| field.name.as_str())
        .collect();
    if !unknown.is_empty() && counts.records > 0 {
        return Err(Error::usage_with_hint(
            format!("--by: no record has the field {}", unknown.join(", ")),
            Hint::new("list the columns with ")
                .run("sql --schema")
                .or("see the documents with ")
                .run("export"),
        ));
    }
    let synced_at = open_mirror::check_freshness(context, &store, &[resource])?;
    let limit = matches.get_one::<u32>("limit").map_or(100, |limit| *limit as usize);
    let groups = sorted(counts.groups);
    let columns: Vec<String> =
        fields.iter().map(|field| field.name.clone()).chain(["count".to_owned()]).collect();
    let mut list = Output::open(&context.globals.output)?.list_with_columns("groups", &columns)?;
    for (values, count) in groups.iter().take(limit) {
        let cells = values.iter().cloned().chain([json!(count)]);
        list.record(&columns.iter().cloned().zip(cells).collect::<Map<_, _>>().into())?;
    }
    let meta = json!({
        "source": "local", "synced_at": synced_at, "records": counts.records, "groups": groups.len(),
    });
    let extent = Extent::partial("groups", Some(groups.len() as u64), groups.len() > limit, limit_for_more());
    list.end(meta, &extent.when_empty(format!("no {resource} to count"))).await
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

/// Most frequent first, then by value.
fn sorted(groups: HashMap<Vec<String>, u64>) -> Vec<(Vec<Value>, u64)> {
    let mut groups: Vec<(Vec<String>, u64)> = groups.into_iter().collect();
    groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let value = |text: String| serde_json::from_str(&text).unwrap_or_default();
    groups.into_iter().map(|(values, count)| (values.into_iter().map(value).collect(), count)).collect()
}
