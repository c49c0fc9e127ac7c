//! `import`: creates records from JSON lines, each exactly once.
//!
//! Before a record is sent and after its answer a line goes to a journal beside the input. A run that
//! was interrupted or failed in part is simply run again: what was created is not created again, and what
//! nobody can know about is left alone and reported until the user says otherwise.

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
use crate::bulk::error::told;
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::door::{self, InputFile, OutputFile};
use crate::cli::error::{Error, Exit};
use crate::cli::journal::{Journal, Known, Line};
use crate::cli::output::{Extent, List, Output};
use crate::mirror::store::UNKNOWN;

/// What some editors begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Resources that can be created, and the operation that does it.
const CREATED_BY: [(&str, &str); 11] = [
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
        .about("Create records from lines of one JSON object each, exactly once")
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .required(true)
                .value_parser(CREATED_BY.map(|(name, _)| name))
                .help("What the lines are (companies that exist are updated)"),
        )
        .arg(
            door::input("input")
                .required(true)
                .help("One JSON object per line: the body of the create request; - is stdin"),
        )
        .arg(door::output("journal").help(
            "Where it is noted what was created, so that another run goes on [default: FILE.journal; stdin has none]",
        ))
        .arg(
            Arg::new("retry-unknown")
                .long("retry-unknown")
                .action(ArgAction::SetTrue)
                .help("Send records again of which an earlier run cannot tell whether they were created"),
        )
        .arg(
            Arg::new("concurrency")
                .long("concurrency")
                .value_name("N")
                .value_parser(clap::value_parser!(u16).range(1..=64))
                .default_value("8")
                .help("Records sent at the same time; the rate limit holds whatever this is"),
        )
        .after_help(
            "Each line of the output is {line, status, id?, error?}; status is created, exists (with --idempotent), \
             skipped (by an earlier run), failed, or unknown. They stand in the order of the input. Stdin needs a \
             --journal: nothing else tells a second run what the first one did.\n\n\
             Example: echo '{\"email\":\"cai@example.com\"}' > new.jsonl; intercom-pp-cli import contacts --input new.jsonl",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let resource = matches.get_one::<String>("resource").map_or("", String::as_str);
    let created_by = CREATED_BY.iter().find(|(name, _)| *name == resource).map_or("", |(_, id)| id);
    let operation = operation(created_by)?;
    let input = matches.get_one::<InputFile>("input").ok_or_else(|| Error::usage("missing: --input"))?;
    if context.globals.dry_run {
        let lines = read(input)?;
        let columns = ["line", "status", "method", "path", "body", "error"].map(str::to_owned);
        let list = Output::open(&context.globals)?.rows("records", &columns)?;
        return preview(list, operation, &lines).await;
    }
    context.refuse_in_read_only_mode("import")?;
    let journal = journal_path(input, matches)?;
    let lines = read(input)?;
    let client = context.client()?;
    let workspace = workspace(&client).await?;
    let mut journal = Journal::open(&journal, &format!("{workspace} {resource}"))?;
    let retry = matches.get_flag("retry-unknown");
    let due: Vec<(&Line, Due)> = lines.iter().map(|line| (line, due(&journal, line, retry))).collect();
    let sends = due.iter().filter(|(_, due)| matches!(due, Due::Send(_))).count();
    let intent = Intent::new(format!("Create {sends} {resource}"), Confirm::Never);
    // Whoever typed the name of a file wants all of it; an agent or a program may not know how long it is.
    let is_typed = context.globals.consent == Consent::Open;
    context.agree(&if is_typed { intent } else { intent.of_many(sends) })?;
    let import = Import {
        context,
        client: &client,
        operation,
        journal: Mutex::new(&mut journal),
        concurrency: matches.get_one::<u16>("concurrency").map_or(8, |it| usize::from(*it)),
    };
    let columns = ["line", "status", "id", "error"].map(str::to_owned);
    let mut list = Output::open(&context.globals)?.rows("records", &columns)?;
    let tally = import.carry_out(due, &mut list).await?;
    let meta = json!({ "source": "live", "created": tally.created, "skipped": tally.skipped, "failed": tally.failed });
    list.end(meta, &Extent::whole("records").or("nothing to import")).await?;
    tally.verdict()
}

/// What sending the lines needs.
struct Import<'a> {
    context: &'a Context,
    client: &'a Client,
    operation: &'a Operation,
    /// Never locked across an `await`.
    journal: Mutex<&'a mut Journal>,
    concurrency: usize,
}

impl Import<'_> {
    /// Sends what is due, several lines at the same time, and tells of each line in its turn.
    async fn carry_out(&self, due: Vec<(&Line, Due<'_>)>, list: &mut List<'_>) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let each = stream::iter(due).map(|(line, due)| async move {
            match due {
                Due::Told(told) => Ok((line, told)),
                Due::Send(body) => Ok::<_, Error>((line, self.line(line, body).await?)),
            }
        });
        let mut answers = each.buffered(self.concurrency);
        while let Some(answer) = answers.next().await {
            let (line, sent) = answer?;
            let (status, more) = match sent {
                Sent::Created(id) => ("created", json!({ "id": id })),
                Sent::Exists(id) => ("exists", json!({ "id": id })),
                Sent::Skipped(id) => ("skipped", json!({ "id": id })),
                Sent::Failed(reason) => ("failed", json!({ "error": reason })),
                Sent::Unknown(reason) => ("unknown", json!({ "error": reason })),
            };
            tally.tell(list, line, status, more)?;
        }
        Ok(tally)
    }

    async fn line(&self, line: &Line, body: &Map<String, Value>) -> Result<Sent, Error> {
        self.note(|journal| journal.sending(&line.key))?;
        let sent = send(self.context, self.client, self.operation, body).await;
        match &sent {
            Sent::Created(id) | Sent::Exists(id) => {
                self.note(|journal| journal.created(&line.key, id.as_deref()))?;
            }
            Sent::Failed(_) => self.note(|journal| journal.failed(&line.key))?,
            Sent::Skipped(_) | Sent::Unknown(_) => {}
        }
        Ok(sent)
    }

    fn note(&self, act: impl FnOnce(&mut Journal) -> Result<(), Error>) -> Result<(), Error> {
        act(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where it is noted what was done. A run that nobody can go on with must not begin.
fn journal_path(input: &InputFile, matches: &ArgMatches) -> Result<PathBuf, Error> {
    match (matches.get_one::<OutputFile>("journal"), input.is_stdin()) {
        (Some(file), _) => file.path(),
        (None, true) => Err(Error::usage_with_hint(
            "--input - needs a --journal",
            "name a file with --journal: it lets another run go on without creating anything twice",
        )),
        (None, false) => input.beside(".journal").path(),
    }
}

/// What is to be done about a line.
enum Due<'a> {
    Send(&'a Map<String, Value>),
    /// Nothing; this is said of it.
    Told(Sent),
}

fn due<'a>(journal: &Journal, line: &'a Line, retry: bool) -> Due<'a> {
    match (journal.known(&line.key), &line.body) {
        (_, Err(reason)) => Due::Told(Sent::Failed(json!(reason))),
        (Known::Created(id), _) => Due::Told(Sent::Skipped(id)),
        (Known::Sent, _) if !retry => Due::Told(Sent::Unknown(json!(
            "an earlier run sent it and never saw the answer; look, then use --retry-unknown"
        ))),
        (Known::Nothing | Known::Sent, Ok(body)) => Due::Send(body),
    }
}

/// The lines of the input. Equal lines are different records, told apart by their number.
fn read(input: &InputFile) -> Result<Vec<Line>, Error> {
    let failed = |error| Error::usage(format!("cannot read {}: {error}", input.name()));
    let reader = input.reader()?;
    let (mut lines, mut before) = (Vec::new(), HashMap::new());
    for (index, bytes) in reader.split(b'\n').enumerate() {
        let bytes = bytes.map_err(failed)?;
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| index == 0).unwrap_or(&bytes);
        if !bytes.trim_ascii().is_empty() {
            lines.push(Line::new(index as u64 + 1, bytes.trim_ascii(), &mut before));
        }
    }
    Ok(lines)
}

/// The workspace that the token belongs to: a journal is good for one only.
async fn workspace(client: &Client) -> Result<String, Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    Ok(crate::mirror::fields::id(&me["app"]["id_code"]).unwrap_or_else(|| UNKNOWN.to_owned()))
}

enum Sent {
    Created(Option<String>),
    Exists(Option<String>),
    /// An earlier run created it.
    Skipped(Option<String>),
    /// The server certainly did not create it.
    Failed(Value),
    /// Nobody knows.
    Unknown(Value),
}

async fn send(context: &Context, client: &Client, operation: &Operation, body: &Map<String, Value>) -> Sent {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    match client.execute(operation, &arguments).await {
        Ok(reply) => {
            let answer: Value =
                reply.json_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            Sent::Created(crate::mirror::fields::id(&answer["id"]))
        }
        Err(error) => {
            if let Some(Conflict::Exists { id }) = error.conflict()
                && context.globals.idempotent
            {
                return Sent::Exists(id);
            }
            let reason = told(&error);
            match error.status() {
                Some(400..=407 | 409..=499) => Sent::Failed(reason),
                None if error.is_offline() => Sent::Failed(reason),
                _ => Sent::Unknown(reason),
            }
        }
    }
}

#[derive(Default)]
struct Tally {
    created: u64,
    skipped: u64,
    failed: u64,
}

impl Tally {
    fn tell(&mut self, list: &mut List<'_>, line: &Line, status: &str, more: Value) -> Result<(), Error> {
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

    fn verdict(&self) -> Result<(), Error> {
        if self.failed == 0 {
            return Ok(());
        }
        let nothing = self.created + self.skipped == 0;
        Err(Error::Finding {
            message: format!(
                "{} of {} records were not created",
                self.failed,
                self.failed + self.created + self.skipped
            ),
            exit: if nothing { Exit::Failure } else { Exit::Partial },
            hint: Some(
                "correct the lines and run it again: what was created is not created twice".to_owned(),
            ),
        })
    }
}

/// What would be sent, line by line.
async fn preview(mut list: List<'_>, operation: &Operation, lines: &[Line]) -> Result<(), Error> {
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
    list.end(meta, &Extent::whole("records").or("nothing to import")).await?;
    match failed {
        0 => Ok(()),
        _ => Err(Error::usage(format!("{failed} of {} lines are no JSON objects", lines.len()))),
    }
}
