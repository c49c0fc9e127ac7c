//! `import`: creates records from a file of JSON lines, each exactly once.

use std::path::PathBuf;
use std::pin::pin;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use futures::TryStreamExt;
use serde_json::json;

use crate::api::identity::identity;
use crate::api::operation::Operation;
use crate::api::request_builder::operation;
use crate::bulk::import::{CreatableResource, Import, ImportPlan, ImportStatus};
use crate::bulk::import_journal::{ImportJournal, ImportLine};
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::{InputFile, OutputFile};
use crate::cli::output::progress::{Meter, Work};
use crate::cli::output::{Extent, List, Output};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::data::io_reason::io_reason;

const SENT_EARLIER: &str =
    "an earlier run sent it and got no response; check whether it exists, then use --retry-unknown";

/// Create records from a file of JSON lines, each exactly once
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Each line of the output is {line, status, id?, error?}; status is created, exists (with --idempotent), \
        skipped (created by an earlier run), failed, or unknown. The order is that of the input. Run the command \
        again to resume: the journal holds what was created, so stdin requires --journal.\n\n\
        Example: echo '{\"email\":\"cai@example.com\"}' > new.jsonl; intercom-pp-cli import contacts --input new.jsonl"
)]
pub struct ImportRecords {
    /// Resource to create (existing companies are updated)
    #[arg(
        value_name = "RESOURCE",
        value_parser = PossibleValuesParser::new(CreatableResource::ALL.map(|resource| resource.name))
            .try_map(|name| CreatableResource::named(&name).ok_or("unknown resource"))
    )]
    resource: CreatableResource,
    /// File with one JSON object per line, each the body of a create request; - is stdin
    #[arg(long, value_name = "FILE")]
    input: InputFile,
    /// Journal used to resume an interrupted import [default: FILE.journal; required with stdin]
    #[arg(long, value_name = "FILE")]
    journal: Option<OutputFile>,
    /// Retry records whose outcome is unknown (may create duplicates)
    #[arg(long)]
    retry_unknown: bool,
    /// Requests in parallel, never above the rate limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), default_value = "8")]
    concurrency: u16,
}

impl HandwrittenCommand for ImportRecords {
    const WORDS: &'static str = "import";
    const EFFECT: Effect = Effect::Write;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let operation = operation(self.resource.operation)?;
        if context.globals.consent.dry_run {
            let lines = self.lines()?;
            let columns = ["line", "status", "method", "path", "body", "error"].map(str::to_owned);
            let list = Output::open(&context.globals.output)?.list_with_columns("records", &columns)?;
            return preview(list, operation, &lines).await;
        }
        context.refuse_in_read_only_mode("import")?;
        let journal = self.journal_path()?;
        let lines = self.lines()?;
        let client = context.client()?;
        let workspace = identity(&client).await?.workspace;
        let resource = self.resource.name;
        let journal = ImportJournal::open(&journal, &format!("{workspace} {resource}"))?;
        let plan = ImportPlan::of(&journal, &lines, self.retry_unknown);
        let sends = plan.sends();
        let intent = Intent::new(format!("Create {sends} {resource}"), Confirm::Never);
        // A user who typed the name of a file wants all of it; an agent may not know how long it is.
        let is_typed = context.globals.consent.given == Consent::Open;
        context.confirm(&if is_typed { intent } else { intent.with_records(sends) })?;
        let concurrency = usize::from(self.concurrency);
        let import =
            Import::new(&client, operation, journal, context.globals.consent.idempotent, concurrency);
        let columns = ["line", "status", "id", "error"].map(str::to_owned);
        let mut list = Output::open(&context.globals.output)?.list_with_columns("records", &columns)?;
        let mut counts = ImportCounts::default();
        let work = Work { event: "import_progress", doing: "creating", noun: resource };
        let mut meter = Meter::new(&context.globals.output, work);
        let mut results = pin!(import.run(plan));
        while let Some(mut result) = results.try_next().await? {
            counts.add(result.status);
            if result.status == ImportStatus::Unknown {
                result.error.get_or_insert_with(|| json!(SENT_EARLIER));
            }
            list.row(&result)?;
            meter.show(counts.created, counts.failed, Some(sends as u64));
        }
        drop(meter);
        let meta = json!({
            "source": "live", "created": counts.created, "skipped": counts.skipped, "failed": counts.failed,
        });
        list.end(meta, &Extent::complete("records").when_empty("nothing to import")).await?;
        counts.result()
    }
}

impl ImportRecords {
    fn lines(&self) -> Result<Vec<ImportLine>, Error> {
        let unreadable =
            |error| Error::usage(format!("cannot read {}: {}", self.input.name(), io_reason(&error)));
        ImportLine::read_all(self.input.reader()?).map_err(unreadable)
    }

    /// The path of the journal. An import that cannot be resumed must never begin.
    fn journal_path(&self) -> Result<PathBuf, Error> {
        match &self.journal {
            Some(file) => file.path(),
            None if self.input.is_stdin() => Err(Error::usage_with_hint(
                "--input - requires --journal",
                Hint::new("use ")
                    .flag("journal")
                    .text(" FILE: another run can then resume without creating anything twice"),
            )),
            None => self.input.beside(".journal").path(),
        }
    }
}

#[derive(Default)]
struct ImportCounts {
    created: u64,
    skipped: u64,
    failed: u64,
}

impl ImportCounts {
    fn add(&mut self, status: ImportStatus) {
        match status {
            ImportStatus::Created => self.created += 1,
            ImportStatus::Skipped | ImportStatus::Exists => self.skipped += 1,
            ImportStatus::Failed | ImportStatus::Unknown => self.failed += 1,
        }
    }

    /// # Errors
    /// When records were not created.
    fn result(&self) -> Result<(), Error> {
        if self.failed == 0 {
            return Ok(());
        }
        let is_failure = self.created + self.skipped == 0;
        Err(Error::Failed {
            message: format!(
                "{} of {} records were not created",
                self.failed,
                self.failed + self.created + self.skipped
            ),
            exit: if is_failure { Exit::Failure } else { Exit::Partial },
            hint: Some("correct the lines and run it again: created records are skipped".into()),
        })
    }
}

/// Writes the requests without sending them.
async fn preview(mut list: List<'_>, operation: &Operation, lines: &[ImportLine]) -> Result<(), Error> {
    let mut failed = 0;
    for line in lines {
        let record = match &line.body {
            Ok(body) => json!({
                "line": line.number, "status": "would_create", "method": operation.method.as_str(),
                "path": operation.path, "body": body,
            }),
            Err(reason) => {
                failed += 1;
                json!({ "line": line.number, "status": "failed", "error": reason })
            }
        };
        list.record(&record)?;
    }
    let meta = json!({ "dry_run": true, "records": lines.len(), "failed": failed });
    list.end(meta, &Extent::complete("records").when_empty("nothing to import")).await?;
    match failed {
        0 => Ok(()),
        _ => Err(Error::usage(format!("{failed} of {} lines are not JSON objects", lines.len()))),
    }
}
