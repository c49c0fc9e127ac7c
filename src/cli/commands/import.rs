//! `import`: creates records from JSON lines, each exactly once.
//!
//! A journal beside the input records each line before it is sent and after the response. Running an interrupted or
//! partly failed import again resumes it: created records must never be created twice. Records with an unknown
//! outcome are reported, and only sent again with `--retry-unknown`.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};

use crate::api::client::Client;
use crate::api::conflict::Conflict;
use crate::api::operation::Operation;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::error::error_json;
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::{self, InputFile, OutputFile};
use crate::cli::import_journal::{ImportJournal, ImportLine, ImportState};
use crate::cli::output::{Extent, List, Output};
use crate::data::lenient;
use crate::data::workspace::id_code;

/// Some editors write this at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Resources that can be created, and their create operations.
const CREATE_OPERATIONS: [(&str, &str); 11] = [
    ("contacts", "CreateContact"),
    ("companies", "createOrUpdateCompany"),
    ("tickets", "createTicket"),
    ("conversations", "createConversation"),
    ("articles", "createArticle"),
    ("internal_articles", "createInternalArticle"),
    ("collections", "createCollection"),
    ("news_items", "createNewsItem"),
    ("tags", "createTag"),
    ("data_attributes", "createDataAttribute"),
    ("events", "createDataEvent"),
];

pub fn command() -> Command {
    Command::new("import")
        .about("Create records from a file of JSON lines, each exactly once")
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .required(true)
                .value_parser(CREATE_OPERATIONS.map(|(name, _)| name))
                .help("Resource to create (existing companies are updated)"),
        )
        .arg(
            files::input("input")
                .required(true)
                .help("File with one JSON object per line, each the body of a create request; - is stdin"),
        )
        .arg(files::output("journal").help(
            "Journal used to resume an interrupted import [default: FILE.journal; required with stdin]",
        ))
        .arg(
            Arg::new("retry-unknown")
                .long("retry-unknown")
                .action(ArgAction::SetTrue)
                .help("Retry records whose outcome is unknown (may create duplicates)"),
        )
        .arg(
            Arg::new("concurrency")
                .long("concurrency")
                .value_name("N")
                .value_parser(clap::value_parser!(u16).range(1..=64))
                .default_value("8")
                .help("Requests in parallel, never above the rate limit"),
        )
        .after_help(
            "Each line of the output is {line, status, id?, error?}; status is created, exists (with --idempotent), \
             skipped (created by an earlier run), failed, or unknown. The order is that of the input. Run the command \
             again to resume: the journal holds what was created, so stdin requires --journal.\n\n\
             Example: echo '{\"email\":\"cai@example.com\"}' > new.jsonl; intercom-pp-cli import contacts --input new.jsonl",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let resource = matches.get_one::<String>("resource").map_or("", String::as_str);
    let create = CREATE_OPERATIONS.iter().find(|(name, _)| *name == resource).map_or("", |(_, id)| id);
    let operation = operation(create)?;
    let input = matches.get_one::<InputFile>("input").ok_or_else(|| Error::missing("input"))?;
    if context.globals.consent.dry_run {
        let lines = read(input)?;
        let columns = ["line", "status", "method", "path", "body", "error"].map(str::to_owned);
        let list = Output::open(&context.globals.output)?.list_with_columns("records", &columns)?;
        return preview(list, operation, &lines).await;
    }
    context.refuse_in_read_only_mode("import")?;
    let journal = journal_path(input, matches)?;
    let lines = read(input)?;
    let client = context.client()?;
    let workspace = workspace(&client).await?;
    let mut journal = ImportJournal::open(&journal, &format!("{workspace} {resource}"))?;
    let retry = matches.get_flag("retry-unknown");
    let steps: Vec<(&ImportLine, ImportStep)> =
        lines.iter().map(|line| (line, step(&journal, line, retry))).collect();
    let sends = steps.iter().filter(|(_, step)| matches!(step, ImportStep::Send(_))).count();
    let intent = Intent::new(format!("Create {sends} {resource}"), Confirm::Never);
    // A user who typed the name of a file wants all of it; an agent may not know how long it is.
    let is_typed = context.globals.consent.given == Consent::Open;
    context.confirm(&if is_typed { intent } else { intent.with_records(sends) })?;
    let import = Import {
        context,
        client: &client,
        operation,
        journal: Mutex::new(&mut journal),
        concurrency: matches.get_one::<u16>("concurrency").map_or(8, |concurrency| usize::from(*concurrency)),
    };
    let columns = ["line", "status", "id", "error"].map(str::to_owned);
    let mut list = Output::open(&context.globals.output)?.list_with_columns("records", &columns)?;
    let counts = import.run(steps, &mut list).await?;
    let meta = json!({ "source": "live", "created": counts.created, "skipped": counts.skipped, "failed": counts.failed });
    list.end(meta, &Extent::complete("records").when_empty("nothing to import")).await?;
    counts.result()
}

/// One run of an import.
struct Import<'a> {
    context: &'a Context,
    client: &'a Client,
    operation: &'a Operation,
    /// Never locked across an `await`.
    journal: Mutex<&'a mut ImportJournal>,
    concurrency: usize,
}

impl Import<'_> {
    /// Sends several lines in parallel, and writes the results in the order of the input.
    async fn run(
        &self,
        steps: Vec<(&ImportLine, ImportStep<'_>)>,
        list: &mut List<'_>,
    ) -> Result<ImportCounts, Error> {
        let mut counts = ImportCounts::default();
        let each = stream::iter(steps).map(|(line, step)| async move {
            match step {
                ImportStep::Report(result) => Ok((line, result)),
                ImportStep::Send(body) => Ok::<_, Error>((line, self.line(line, body).await?)),
            }
        });
        let mut results = each.buffered(self.concurrency);
        while let Some(result) = results.next().await {
            let (line, result) = result?;
            let (status, more) = match result {
                LineResult::Created(id) => ("created", json!({ "id": id })),
                LineResult::Exists(id) => ("exists", json!({ "id": id })),
                LineResult::Skipped(id) => ("skipped", json!({ "id": id })),
                LineResult::Failed(reason) => ("failed", json!({ "error": reason })),
                LineResult::Unknown(reason) => ("unknown", json!({ "error": reason })),
            };
            counts.record(list, line, status, more)?;
        }
        Ok(counts)
    }

    async fn line(&self, line: &ImportLine, body: &Map<String, Value>) -> Result<LineResult, Error> {
        self.record(|journal| journal.sending(&line.key))?;
        let result = send(self.context, self.client, self.operation, body).await;
        match &result {
            LineResult::Created(id) | LineResult::Exists(id) => {
                self.record(|journal| journal.created(&line.key, id.as_deref()))?;
            }
            LineResult::Failed(_) => self.record(|journal| journal.failed(&line.key))?,
            LineResult::Skipped(_) | LineResult::Unknown(_) => {}
        }
        Ok(result)
    }

    fn record(&self, act: impl FnOnce(&mut ImportJournal) -> Result<(), Error>) -> Result<(), Error> {
        act(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The path of the journal. An import that cannot be resumed must never begin.
fn journal_path(input: &InputFile, matches: &ArgMatches) -> Result<PathBuf, Error> {
    match (matches.get_one::<OutputFile>("journal"), input.is_stdin()) {
        (Some(file), _) => file.path(),
        (None, true) => Err(Error::usage_with_hint(
            "--input - requires --journal",
            Hint::new("use ")
                .flag("journal")
                .text(" FILE: another run can then resume without creating anything twice"),
        )),
        (None, false) => input.beside(".journal").path(),
    }
}

/// What to do with a line.
enum ImportStep<'a> {
    Send(&'a Map<String, Value>),
    /// Report this result without sending the line.
    Report(LineResult),
}

fn step<'a>(journal: &ImportJournal, line: &'a ImportLine, retry: bool) -> ImportStep<'a> {
    match (journal.state(&line.key), &line.body) {
        (_, Err(reason)) => ImportStep::Report(LineResult::Failed(json!(reason))),
        (ImportState::Created(id), _) => ImportStep::Report(LineResult::Skipped(id)),
        (ImportState::Sent, _) if !retry => ImportStep::Report(LineResult::Unknown(json!(
            "an earlier run sent it and got no response; check whether it exists, then use --retry-unknown"
        ))),
        (ImportState::New | ImportState::Sent, Ok(body)) => ImportStep::Send(body),
    }
}

/// The lines of the input. Equal lines are separate records, distinguished by number.
fn read(input: &InputFile) -> Result<Vec<ImportLine>, Error> {
    let failed = |error| Error::usage(format!("cannot read {}: {error}", input.name()));
    let reader = input.reader()?;
    let (mut lines, mut before) = (Vec::new(), HashMap::new());
    for (index, bytes) in reader.split(b'\n').enumerate() {
        let bytes = bytes.map_err(failed)?;
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| index == 0).unwrap_or(&bytes);
        if !bytes.trim_ascii().is_empty() {
            lines.push(ImportLine::new(index as u64 + 1, bytes.trim_ascii(), &mut before));
        }
    }
    Ok(lines)
}

/// The workspace of the token. A journal is only valid for one workspace.
async fn workspace(client: &Client) -> Result<String, Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    Ok(id_code(&me))
}

/// The result of importing one line.
enum LineResult {
    Created(Option<String>),
    Exists(Option<String>),
    /// An earlier run created it.
    Skipped(Option<String>),
    /// The server did not create it.
    Failed(Value),
    /// The server may have created it.
    Unknown(Value),
}

async fn send(
    context: &Context,
    client: &Client,
    operation: &Operation,
    body: &Map<String, Value>,
) -> LineResult {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    match client.execute(operation, &arguments).await {
        Ok(reply) => {
            let created: Value =
                reply.json_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            LineResult::Created(lenient::id(&created["id"]))
        }
        Err(error) => {
            if let Some(Conflict::Exists { id }) = error.conflict()
                && context.globals.consent.idempotent
            {
                return LineResult::Exists(id);
            }
            let reason = error_json(&error);
            match error.status() {
                Some(400..=407 | 409..=499) => LineResult::Failed(reason),
                None if error.is_offline() => LineResult::Failed(reason),
                _ => LineResult::Unknown(reason),
            }
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
    /// Counts a line and writes its record.
    fn record(
        &mut self,
        list: &mut List<'_>,
        line: &ImportLine,
        status: &str,
        more: Value,
    ) -> Result<(), Error> {
        match status {
            "created" => self.created += 1,
            "skipped" | "exists" => self.skipped += 1,
            _ => self.failed += 1,
        }
        let mut record =
            Map::from_iter([("line".to_owned(), json!(line.number)), ("status".into(), json!(status))]);
        if let Value::Object(more) = more {
            record.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        }
        list.record(&record.into())
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
