//! `export`: writes a mirrored resource in a format that other programs can load.
//!
//! With `--output`, the format and `--select` apply to the file, never to the summary on stdout. `--format` takes
//! precedence over the global format flags.

use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum, value_parser};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::OutputFile;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::open_mirror::{self, ResourceArgument};
use crate::cli::output::{Deliver, Extent, Format, Output, OutputFlags};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::time;
use crate::mirror::read::{RecordQuery, cell_to_json};
use crate::mirror::{ResourceName, Store};

/// Export a mirrored resource as NDJSON, CSV or Parquet
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Without --output, --json writes one document {results: {RESOURCE: [...]}, meta}, and --plain and \
        --quiet apply to the records. With --output, these flags apply to the printed summary.\n\n\
        Example: intercom-pp-cli export conversations --format csv --output conversations.csv"
)]
pub struct ExportResource {
    #[command(flatten)]
    resource: ResourceArgument,
    #[command(flatten)]
    format: FormatFlag,
    /// Write to this file instead of stdout, or to this folder with --partition-by
    #[arg(short, long, value_name = "PATH")]
    output: Option<OutputFile>,
    /// With Parquet: write one file per month of created_at, in one folder per month
    #[arg(long, value_name = "PERIOD")]
    partition_by: Option<PartitionPeriod>,
    /// Only records created since then, for example 2024-01-01 or 30d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    mirror: MirrorFlag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    Ndjson,
    Csv,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PartitionPeriod {
    Month,
}

/// `--format`; `None` if it was not typed, because the global flags apply before its default.
struct FormatFlag(Option<ExportFormat>);

impl Args for FormatFlag {
    fn augment_args(command: Command) -> Command {
        command.arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(value_parser!(ExportFormat))
                .default_value("ndjson")
                .help("ndjson: documents as received; csv: typed columns, as --csv; parquet: typed columns and documents"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FormatFlag {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_typed = matches.value_source("format") == Some(ValueSource::CommandLine);
        Ok(FormatFlag(matches.get_one::<ExportFormat>("format").copied().filter(|_| is_typed)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl FormatFlag {
    /// The format of the exported records: the typed one, else that of the global flags; `None` means Parquet.
    fn resolve(&self, flags: &OutputFlags, to_file: bool) -> Option<Format> {
        let format = flags.format();
        match self.0 {
            Some(ExportFormat::Parquet) => None,
            Some(ExportFormat::Csv) => Some(Format::Csv),
            Some(ExportFormat::Ndjson) => Some(Format::Ndjson),
            // The other flags apply to the summary.
            None if to_file => Some(if flags.is_csv() { Format::Csv } else { Format::Ndjson }),
            // By default lines, also on a terminal.
            None => Some(format.unwrap_or(Format::Ndjson)),
        }
    }
}

impl HandwrittenCommand for ExportResource {
    const WORDS: &'static str = "export";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let resource = self.resource.name()?;
        let store = Store::open_read_only(&mirror_paths::for_reading(context, &self.mirror)?)?;
        open_mirror::require_synced(&store, resource)?;
        let mut choice = RecordQuery::default();
        if let Some(since) = time::since(context, self.since.as_deref(), time::SHORTEST_PERIOD)? {
            if !resource.has_column("created_at") {
                return Err(Error::usage(format!("--since: {resource} have no creation time")));
            }
            choice = choice.only("created_at >= ?", since);
        }
        let format = self.format.resolve(&context.globals.output, self.output.is_some());
        let partitioned = self.partition_by == Some(PartitionPeriod::Month);
        if format.is_some() && partitioned {
            return Err(Error::usage("--partition-by requires --format parquet"));
        }
        let synced_at = open_mirror::check_freshness(context, &store, &[resource])?;
        let output = self.output.as_ref();
        let Some(format) = format else {
            let Some(file) = output else {
                return Err(Error::usage("Parquet cannot be written to stdout: use --output PATH"));
            };
            let path = file.path()?;
            let (rows, files) = parquet(&store, resource, choice, &path, partitioned)?;
            return print_summary(context, &path, rows, files).await;
        };
        let flags = context.globals.output.clone().with_format(format);
        let flags = match output {
            Some(file) => flags.delivered_to(Deliver::File(file.clone())),
            None => flags,
        };
        let meta = json!({ "source": "local", "synced_at": synced_at });
        let rows = match format {
            Format::Csv | Format::Plain | Format::Table if flags.select.is_none() => {
                typed(&flags, &store, resource, &choice, meta).await?
            }
            _ => documents(&flags, &store, resource, &choice, meta).await?,
        };
        match output {
            Some(file) => print_summary(context, &file.path()?, rows, 1).await,
            None => Ok(()),
        }
    }
}

/// Writes the documents as received, or the fields of `--select`.
async fn documents(
    flags: &OutputFlags,
    store: &Store,
    resource: ResourceName,
    choice: &RecordQuery,
    meta: Value,
) -> Result<u64, Error> {
    let mut list = Output::open(flags)?.list(resource.as_str(), &[])?;
    store.documents(resource, choice, |raw| match serde_json::from_str::<&RawValue>(raw) {
        Ok(document) => list.raw(document),
        Err(_) => Err(damaged(resource)),
    })?;
    let rows = list.count();
    list.end(meta, &Extent::complete(resource.as_str())).await?;
    Ok(rows)
}

/// Writes the typed columns.
async fn typed(
    flags: &OutputFlags,
    store: &Store,
    resource: ResourceName,
    choice: &RecordQuery,
    meta: Value,
) -> Result<u64, Error> {
    let columns = resource.typed_columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let titles: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut list = Output::open(flags)?.list_with_columns(resource.as_str(), &titles)?;
    store.cells(resource, &names, choice, |cells| {
        let fields = columns.iter().zip(cells);
        let record: Map<String, Value> =
            fields.map(|(column, cell)| (column.name.to_owned(), cell_to_json(column.kind, *cell))).collect();
        list.record(&record.into())
    })?;
    let rows = list.count();
    list.end(meta, &Extent::complete(resource.as_str())).await?;
    Ok(rows)
}

fn damaged(resource: ResourceName) -> Error {
    Error::Failed {
        message: format!("{resource}: invalid JSON in a stored document"),
        exit: Exit::Failure,
        hint: Some(Hint::new("fetch it again with ").run("sync --full")),
    }
}

/// Prints what was written to a file, on stdout.
async fn print_summary(context: &Context, path: &Path, rows: u64, files: u64) -> Result<(), Error> {
    let summary = json!({ "path": path, "rows": rows, "files": files });
    Output::open(&context.globals.output.clone().for_summary())?
        .report(json!({ "source": "local" }), &summary)
        .await
}

/// Writes Parquet and returns the numbers of rows and files.
#[cfg(feature = "parquet")]
fn parquet(
    store: &Store,
    resource: ResourceName,
    choice: RecordQuery,
    path: &Path,
    partitioned: bool,
) -> Result<(u64, u64), Error> {
    use crate::mirror::parquet::{to_file, to_months};
    let written = if partitioned {
        to_months(store, resource, choice, path)?
    } else {
        to_file(store, resource, &choice, path)?
    };
    Ok((written.rows, written.files))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Store, _: ResourceName, _: RecordQuery, _: &Path, _: bool) -> Result<(u64, u64), Error> {
    Err(Error::usage("this build does not support Parquet: install it with `--features parquet`"))
}
