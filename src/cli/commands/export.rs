//! `export`: a whole resource out of the mirror, for other programs to load.
//!
//! What is exported and what is said about it are two things: with `--output` the format and the selection
//! are the file's, and the summary on stdout is left whole. `--format` goes before the flags that every
//! command has; without it they choose the format.

use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::door::{self, OutputFile};
use crate::cli::error::{Error, Exit};
use crate::cli::globals::{Deliver, Globals, Suggested};
use crate::cli::output::{Extent, Format, Output};
use crate::cli::{mirrored, stores, time};
use crate::mirror::read::{Choice, readable};
use crate::mirror::{ResourceName, Store};

pub fn command() -> Command {
    let names: Vec<&'static str> = ResourceName::ALL.iter().map(|it| it.as_str()).collect();
    Command::new("export")
        .about("Write a mirrored resource as NDJSON, CSV or Parquet")
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .required(true)
                .value_parser(Suggested(names.clone()))
                .hide_possible_values(true)
                .help(names.join(", ")),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["ndjson", "csv", "parquet"])
                .default_value("ndjson")
                .help("Documents as received (ndjson), typed columns (csv, as --csv), or typed columns with documents (parquet)"),
        )
        .arg(
            door::output("output")
                .short('o')
                .value_name("PATH")
                .help("Write here instead of stdout, in one step; a folder for partitions"),
        )
        .arg(
            Arg::new("partition-by")
                .long("partition-by")
                .value_name("PERIOD")
                .value_parser(["month"])
                .help("Parquet: one file for each month of created_at, in folders that say so"),
        )
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("TIME")
                .help("Only records made since then: a date, or 30d"),
        )
        .arg(stores::argument())
        .after_help(
            "Without --output, --json makes one document of it, {results: {RESOURCE: [...]}, meta}, and --plain and --quiet \
             work as everywhere. With --output they are about the summary that is printed then.\n\n\
             Example: intercom-pp-cli export conversations --format csv --output conversations.csv",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let name = matches.get_one::<String>("resource").map_or("", String::as_str);
    let resource = mirrored::resource(name)?;
    let store = Store::open_read_only(&stores::for_reading(context, matches)?)?;
    mirrored::synced(&store, resource)?;
    let mut choice = Choice::default();
    if let Some(since) = time::since(context, matches, "since", time::SHORTEST_PERIOD)? {
        if !resource.has_column("created_at") {
            return Err(Error::usage(format!("--since: {resource} do not tell when they were made")));
        }
        choice = choice.only("created_at >= ?", since);
    }
    let output = matches.get_one::<OutputFile>("output");
    let format = wanted(context, matches, output.is_some());
    let partitioned = matches.get_one::<String>("partition-by").is_some();
    if format.is_some() && partitioned {
        return Err(Error::usage("--partition-by works with --format parquet"));
    }
    let synced_at = mirrored::say_how_old(context, &store, &[resource])?;
    let Some(format) = format else {
        let Some(file) = output else {
            return Err(Error::usage(
                "Parquet is not made for a terminal or a pipe: name a place with --output",
            ));
        };
        let path = file.path()?;
        let (rows, files) = parquet(&store, resource, choice, &path, partitioned)?;
        return said(context, &path, rows, files).await;
    };
    let globals = Globals {
        format: Some(format),
        deliver: output.map_or_else(|| context.globals.deliver.clone(), |file| Deliver::File(file.clone())),
        ..context.globals.clone()
    };
    let meta = json!({ "source": "local", "synced_at": synced_at });
    let rows = match format {
        Format::Csv | Format::Plain | Format::Table if globals.select.is_none() => {
            typed(&globals, &store, resource, &choice, meta).await?
        }
        _ => documents(&globals, &store, resource, &choice, meta).await?,
    };
    match output {
        Some(file) => said(context, &file.path()?, rows, 1).await,
        None => Ok(()),
    }
}

/// The format of what is exported: `--format`, else that of the flags; `None` is Parquet.
fn wanted(context: &Context, matches: &ArgMatches, to_file: bool) -> Option<Format> {
    if matches.value_source("format") == Some(ValueSource::CommandLine) {
        return matches.get_one::<String>("format").and_then(|format| format.parse().ok());
    }
    let globals = &context.globals;
    Some(match to_file {
        // What is written into a file is no JSON document, and no list for a terminal either.
        true if globals.csv => Format::Csv,
        true => Format::Ndjson,
        // Lines suit a pipe and a terminal better than a table or one document that nobody asked for.
        false if globals.json || globals.csv || globals.plain || globals.quiet || globals.human_friendly => {
            Format::of(globals)
        }
        false => globals.format.unwrap_or(Format::Ndjson),
    })
}

/// The documents as received, or the fields of `--select`.
async fn documents(
    globals: &Globals,
    store: &Store,
    resource: ResourceName,
    choice: &Choice,
    meta: Value,
) -> Result<u64, Error> {
    let mut list = Output::open(globals)?.list(resource.as_str(), &[])?;
    store.documents(resource, choice, |raw| match serde_json::from_str::<&RawValue>(raw) {
        Ok(document) => list.raw(document),
        Err(_) => Err(damaged(resource)),
    })?;
    let rows = list.count();
    list.end(meta, &Extent::whole(resource.as_str())).await?;
    Ok(rows)
}

/// The columns of the table.
async fn typed(
    globals: &Globals,
    store: &Store,
    resource: ResourceName,
    choice: &Choice,
    meta: Value,
) -> Result<u64, Error> {
    let columns = resource.typed_columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let titles: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut list = Output::open(globals)?.rows(resource.as_str(), &titles)?;
    store.cells(resource, &names, choice, |cells| {
        let fields = columns.iter().zip(cells);
        let record: Map<String, Value> =
            fields.map(|(column, cell)| (column.name.to_owned(), readable(column.kind, *cell))).collect();
        list.record(&record.into())
    })?;
    let rows = list.count();
    list.end(meta, &Extent::whole(resource.as_str())).await?;
    Ok(rows)
}

fn damaged(resource: ResourceName) -> Error {
    Error::Finding {
        message: format!("{resource}: a stored document is no JSON"),
        exit: Exit::Failure,
        hint: Some("bring it back with `intercom-pp-cli sync --full`".to_owned()),
    }
}

/// What a file holds now, on stdout.
async fn said(context: &Context, path: &Path, rows: u64, files: u64) -> Result<(), Error> {
    let result = json!({ "path": path, "rows": rows, "files": files }).to_string();
    let globals = Globals {
        csv: false,
        csv_raw: false,
        ndjson: false,
        select: None,
        jq: None,
        ..context.globals.clone()
    };
    Output::open(&globals)?.document(json!({ "source": "local" }), &result, None).await
}

/// Rows and files that were written.
#[cfg(feature = "parquet")]
fn parquet(
    store: &Store,
    resource: ResourceName,
    choice: Choice,
    path: &Path,
    partitioned: bool,
) -> Result<(u64, u64), Error> {
    use crate::mirror::parquet::{to_file, to_months};
    let written = match partitioned {
        true => to_months(store, resource, choice, path)?,
        false => to_file(store, resource, &choice, path)?,
    };
    Ok((written.rows, written.files))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Store, _: ResourceName, _: Choice, _: &Path, _: bool) -> Result<(u64, u64), Error> {
    Err(Error::usage("this build has no Parquet: install it with `--features parquet`"))
}
