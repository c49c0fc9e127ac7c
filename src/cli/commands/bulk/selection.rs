//! Which records a command is about: ids from arguments, stdin, a file, a filter, or a query over the
//! mirror. Each record once, in the order given.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use futures::TryStreamExt;
use serde_json::{Map, Value};

use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::{Selection, Target};
use crate::cli::commands::filter;
use crate::cli::context::Context;
use crate::cli::door::{self, Content, InputFile};
use crate::cli::error::Error;
use crate::cli::output::readable;
use crate::cli::stores;
use crate::filter::Searchable;
use crate::mirror::fields;
use crate::mirror::sql::{End, Questions, Rows, SqlLimits};

/// A record that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub id: String,
    /// What a file says of it beside its id.
    pub given: Map<String, Value>,
    /// Its document, where the choice came with it.
    pub document: Option<Value>,
}

/// Adds the ways to choose records to a command.
pub fn declare(command: Command, target: Target) -> Command {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    let mut ways = vec!["ids", "input", "sql"];
    let mut command = command
        .arg(
            Arg::new("ids")
                .value_name("ID")
                .action(ArgAction::Append)
                .help("Their ids; - reads them from stdin, one a line"),
        )
        .arg(
            door::input("input")
                .help("A file: one id or JSON object a line, or CSV with a header (.csv); - for stdin"),
        )
        .arg(
            value("map", "FIELD=COLUMN")
                .value_delimiter(',')
                .requires("input")
                .help("Which column of the file is which field, as in id=\"Contact ID\""),
        )
        .arg(value("sql", "QUERY").help("A query over the mirror: its column id, or else its first"))
        .arg(stores::argument());
    if target != Target::Companies {
        ways.push("where");
        command = command.arg(
            value("where", "FILTER")
                .help("A filter, as in state = open and team = Billing (see filter --help)"),
        );
    }
    command.group(ArgGroup::new("which").args(ways))
}

/// The records that were chosen, and the filter that they must still pass when they are changed.
///
/// # Errors
/// A usage error for none of the ways, an unreadable file or query, a wrong filter; whatever the search
/// fails with.
pub async fn choose(
    context: &Context,
    client: &Client,
    matches: &ArgMatches,
    target: Target,
) -> Result<(Vec<Chosen>, Option<Selection>), Error> {
    let mut selection = None;
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten();
    let chosen = if let Some(file) = matches.get_one::<InputFile>("input") {
        from_text(&file.text()?, file.name(), matches)?
    } else if let Some(query) = text("sql") {
        from_sql(query, &stores::for_reading(context, matches)?)?
    } else if let Some(written) = text("where") {
        let (chosen, condition) = from_filter(context, client, written, target).await?;
        selection = Some(condition);
        chosen
    } else {
        from_arguments(matches)?
    };
    let mut seen = HashSet::new();
    let chosen = chosen.into_iter().filter(|record| seen.insert(record.id.clone())).collect();
    Ok((chosen, selection))
}

fn bare(id: &str) -> Chosen {
    Chosen { id: id.trim().to_owned(), given: Map::new(), document: None }
}

fn from_arguments(matches: &ArgMatches) -> Result<Vec<Chosen>, Error> {
    let mut chosen = Vec::new();
    let ids: Vec<&String> = matches.get_many::<String>("ids").into_iter().flatten().collect();
    if ids.is_empty() {
        return Err(Error::usage_with_hint(
            "which records?",
            "give ids, --input FILE, --where FILTER or --sql QUERY",
        ));
    }
    for id in ids {
        match id.as_str() {
            "-" => chosen.extend(from_text(&Content::of_stdin().text()?, "-", matches)?),
            id => chosen.push(bare(id)),
        }
    }
    Ok(chosen)
}

/// The column of the file for each field that `--map` names.
fn columns(matches: &ArgMatches) -> Result<HashMap<String, String>, Error> {
    let pairs = matches.get_many::<String>("map").into_iter().flatten().map(|pair| {
        let (field, column) = pair
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("--map: {pair:?} is not of the form FIELD=COLUMN")))?;
        Ok((field.trim().to_owned(), column.trim().trim_matches('"').to_owned()))
    });
    pairs.collect()
}

fn from_text(text: &str, path: &str, matches: &ArgMatches) -> Result<Vec<Chosen>, Error> {
    let columns = columns(matches)?;
    let is_csv = Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    if is_csv {
        return from_csv(text, path, &columns);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match line.trim_start().starts_with('{') {
            false => Ok(bare(line)),
            true => {
                let wrong = |reason: &str| Error::usage(format!("{path}, line {}: {reason}", index + 1));
                let record: Map<String, Value> =
                    serde_json::from_str(line).map_err(|error| wrong(&error.to_string()))?;
                mapped(record, &columns).ok_or_else(|| wrong("it has no id"))
            }
        })
        .collect()
}

fn from_csv(text: &str, path: &str, columns: &HashMap<String, String>) -> Result<Vec<Chosen>, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let wrong = |error: csv::Error| Error::usage(format!("{path}: {error}"));
    let header: Vec<String> =
        reader.headers().map_err(wrong)?.iter().map(|it| it.trim().to_owned()).collect();
    for column in columns.values() {
        if !header.contains(column) {
            return Err(Error::usage(format!(
                "{path} has no column {column:?}; it has {}",
                header.join(", ")
            )));
        }
    }
    let mut chosen = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(wrong)?;
        // An empty cell says nothing of its field.
        let cells = header.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        let record: Map<String, Value> = cells.map(|(name, cell)| (name.clone(), cell.into())).collect();
        let record = mapped(record, columns);
        chosen
            .push(record.ok_or_else(|| Error::usage(format!("{path}, record {}: it has no id", index + 1)))?);
    }
    Ok(chosen)
}

/// The fields under the names that `--map` gives them. With a map, columns that it does not name are
/// left alone.
fn mapped(mut record: Map<String, Value>, columns: &HashMap<String, String>) -> Option<Chosen> {
    if !columns.is_empty() {
        let id = record.get("id").cloned().map(|id| ("id".to_owned(), id));
        let named =
            columns.iter().filter_map(|(field, column)| Some((field.clone(), record.get(column)?.clone())));
        record = id.into_iter().chain(named).collect();
    }
    let id = fields::id(&record.shift_remove("id")?)?;
    Some(Chosen { id, given: record, document: None })
}

fn from_sql(query: &str, mirror: &Path) -> Result<Vec<Chosen>, Error> {
    let mut ids = Ids::default();
    match Questions::open(mirror)?.ask(query, SqlLimits { rows: None, time: None }, &mut ids)? {
        End::Complete => Ok(ids.ids.iter().map(|id| bare(id)).collect()),
        _ => Err(Error::usage("--sql: the query was cut")),
    }
}

/// The ids that a query finds.
#[derive(Default)]
struct Ids {
    place: usize,
    ids: Vec<String>,
}

impl Rows for Ids {
    type Error = Error;

    fn columns(&mut self, names: &[String]) -> Result<(), Error> {
        self.place = names.iter().position(|name| name == "id").unwrap_or(0);
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Result<(), Error> {
        self.ids.extend(values.get(self.place).and_then(fields::id));
        Ok(())
    }
}

async fn from_filter(
    context: &Context,
    client: &Client,
    written: &str,
    target: Target,
) -> Result<(Vec<Chosen>, Selection), Error> {
    let searched = if target == Target::Contacts { Searchable::Contacts } else { Searchable::Conversations };
    let condition = filter::asked(context, client, written, searched).await?;
    let mut body = serde_json::json!({ "query": condition.query });
    if searched == Searchable::Conversations {
        // In this order what changes while pages are read comes again, and nothing is missed.
        body["sort"] = serde_json::json!({ "field": "updated_at", "order": "ascending" });
    }
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let search = operation(searched.operation())?;
    let mut pages = std::pin::pin!(client.pages(search, arguments.clone(), None));
    let mut chosen = Vec::new();
    let mut first = pages.try_next().await;
    if let Err(error) = &first
        && let Some(other) = condition.without_null(&arguments, error)
    {
        pages.set(client.pages(search, other, None));
        first = pages.try_next().await;
    }
    let mut next = first?;
    while let Some(page) = next {
        page.require_list()?;
        // The server may find more than is meant, and all that is chosen is changed.
        for raw in condition.select(client, page.items).await? {
            let document = readable(raw.get())?;
            let Some(id) = fields::id(&document["id"]) else { continue };
            chosen.push(Chosen { document: Some(document), ..bare(&id) });
        }
        next = pages.try_next().await?;
    }
    Ok((chosen, condition.selection()))
}
