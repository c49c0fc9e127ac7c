//! `import`: creates records from a file of JSON lines, each exactly once.
//!
//! Before a record is sent and after its answer a line goes to a journal beside the input. A run that
//! was interrupted or failed in part is simply run again: what was created is not created again, and what
//! nobody can know about is left alone and reported until the user says otherwise.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};

use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};
use crate::api::operation::Operation;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::journal::{Journal, Known, Line};
use crate::cli::output::{List, Output};

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
        .about("Create records from a file with one JSON object per line, each exactly once")
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .required(true)
                .value_parser(CREATED_BY.map(|(name, _)| name))
                .help("What the lines are (companies that exist are updated)"),
        )
        .arg(
            Arg::new("input")
                .long("input")
                .value_name("FILE")
                .required(true)
                .help("One JSON object per line: the body of the create request"),
        )
        .arg(Arg::new("journal").long("journal").value_name("FILE").help(
            "Where it is noted what was created, so that another run goes on [default: FILE.journal]",
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
             skipped (by an earlier run), failed, or unknown.\n\n\
             Example: echo '{\"email\":\"cai@example.com\"}' > new.jsonl; intercom-pp-cli import contacts --input new.jsonl",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let resource = matches.get_one::<String>("resource").map_or("", String::as_str);
    let created_by = CREATED_BY.iter().find(|(name, _)| *name == resource).map_or("", |(_, id)| id);
    let operation = operation(created_by)?;
    let input = matches.get_one::<String>("input").map(PathBuf::from).unwrap_or_default();
    let lines = read(&input)?;
    let columns = ["line", "status", "id", "error"].map(str::to_owned);
    if context.globals.dry_run {
        let columns = ["line", "status", "method", "path", "body", "error"].map(str::to_owned);
        let list = Output::open(&context.globals)?.rows("records", &columns)?;
        return preview(list, operation, &lines).await;
    }
    let client = context.client()?;
    let workspace = workspace(&client).await?;
    let path = matches.get_one::<String>("journal").map(PathBuf::from).unwrap_or_else(|| {
        let mut path = input.clone().into_os_string();
        path.push(".journal");
        path.into()
    });
    let mut journal = Journal::open(&path, &format!("{workspace} {resource}"))?;
    let mut list = Output::open(&context.globals)?.rows("records", &columns)?;
    let mut tally = Tally::default();

    let mut waiting = Vec::new();
    for line in &lines {
        match (journal.known(&line.key), &line.body) {
            (_, Err(reason)) => tally.tell(&mut list, line, "failed", json!({ "error": reason }))?,
            (Known::Created(id), _) => tally.tell(&mut list, line, "skipped", json!({ "id": id }))?,
            (Known::Sent, _) if !matches.get_flag("retry-unknown") => {
                let reason =
                    "an earlier run sent it and never saw the answer; look, then use --retry-unknown";
                tally.tell(&mut list, line, "unknown", json!({ "error": reason }))?;
            }
            (Known::Nothing | Known::Sent, Ok(body)) => waiting.push((line, body)),
        }
    }

    let concurrency = matches.get_one::<u16>("concurrency").map_or(8, |it| usize::from(*it));
    let shared = std::sync::Mutex::new(&mut journal);
    let mut answers = stream::iter(waiting)
        .map(|(line, body)| {
            let (client, shared) = (&client, &shared);
            async move {
                let note = |act: &dyn Fn(&mut Journal) -> Result<(), Error>| {
                    act(&mut shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
                };
                note(&|journal| journal.sending(&line.key))?;
                let sent = send(context, client, operation, body).await;
                match &sent {
                    Sent::Created(id) | Sent::Exists(id) => {
                        note(&|journal| journal.created(&line.key, id.as_deref()))?;
                    }
                    Sent::Failed(_) => note(&|journal| journal.failed(&line.key))?,
                    Sent::Unknown(_) => {}
                }
                Ok::<_, Error>((line, sent))
            }
        })
        .buffer_unordered(concurrency);
    while let Some(answer) = answers.next().await {
        let (line, sent) = answer?;
        match sent {
            Sent::Created(id) => tally.tell(&mut list, line, "created", json!({ "id": id }))?,
            Sent::Exists(id) => tally.tell(&mut list, line, "exists", json!({ "id": id }))?,
            Sent::Failed(reason) => tally.tell(&mut list, line, "failed", json!({ "error": reason }))?,
            Sent::Unknown(reason) => tally.tell(&mut list, line, "unknown", json!({ "error": reason }))?,
        }
    }
    drop(answers);
    list.end(json!({ "source": "live", "created": tally.created, "skipped": tally.skipped, "failed": tally.failed }))
        .await?;
    tally.verdict()
}

/// The lines of the input. Equal lines are different records, told apart by their number.
fn read(path: &std::path::Path) -> Result<Vec<Line>, Error> {
    let failed = |error| Error::usage(format!("cannot read {}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let (mut lines, mut before) = (Vec::new(), HashMap::new());
    for (index, text) in std::io::BufReader::new(file).lines().enumerate() {
        let text = text.map_err(failed)?;
        if !text.trim().is_empty() {
            lines.push(Line::new(index as u64 + 1, text.trim(), &mut before));
        }
    }
    Ok(lines)
}

/// The workspace that the token belongs to: a journal is good for one only.
async fn workspace(client: &Client) -> Result<String, Error> {
    let reply = client.execute(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    Ok(me["app"]["id_code"].as_str().unwrap_or("unknown").to_owned())
}

enum Sent {
    Created(Option<String>),
    Exists(Option<String>),
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
        Err(error) if error.is_conflict() && context.globals.idempotent => Sent::Exists(None),
        Err(error) => {
            let reason = json!({
                "message": error.to_string(), "http_status": error.status(), "code": error.code(),
                "request_id": error.request_id(),
            });
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
    list.end(json!({ "dry_run": true, "records": lines.len(), "failed": failed })).await?;
    match failed {
        0 => Ok(()),
        _ => Err(Error::usage(format!("{failed} of {} lines are no JSON objects", lines.len()))),
    }
}
