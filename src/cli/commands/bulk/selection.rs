//! Selects the records that a command changes: ids from arguments, stdin or a file, a filter, or a query of the
//! mirror. Each record is selected once, in the given order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use futures::TryStreamExt;
use serde_json::{Map, Value};

use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::{BulkTarget, SelectionFilter};
use crate::cli::commands::filter;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::files::{self, Content, InputFile};
use crate::cli::mirror_paths;
use crate::cli::output::parse_json;
use crate::data::lenient;
use crate::filter::Searchable;
use crate::mirror::sql::{RowSink, SqlEnd, SqlLimits, SqlSession};

#[derive(Debug, Clone, PartialEq)]
pub struct SelectedRecord {
    pub id: String,
    /// Its fields in the input file, without the id.
    pub fields: Map<String, Value>,
    /// Its document, if the search returned it.
    pub document: Option<Value>,
}

/// Adds the flags that select records to a command.
pub fn add_arguments(command: Command, target: BulkTarget) -> Command {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    let mut selectors = vec!["ids", "input", "sql"];
    let mut command = command
        .arg(
            Arg::new("ids")
                .value_name("ID")
                .action(ArgAction::Append)
                .help("Ids to change; - reads them from stdin, one per line"),
        )
        .arg(
            files::input("input")
                .help("File with one id or JSON object per line, or CSV with a header (.csv); - for stdin"),
        )
        .arg(
            value("map", "FIELD=COLUMN")
                .value_delimiter(',')
                .requires("input")
                .help("Columns of the file to use for fields, for example id=\"Contact ID\""),
        )
        .arg(
            value("sql", "QUERY")
                .help("Query of the mirror; its id column is used, or else its first column"),
        )
        .arg(mirror_paths::argument());
    if target != BulkTarget::Companies {
        selectors.push("where");
        command = command.arg(
            value("where", "FILTER")
                .help("Filter, for example state = open and team = Billing (see filter --help)"),
        );
    }
    command.group(ArgGroup::new("which").args(selectors))
}

/// Returns the selected records, and the filter that they must still match when they are changed.
///
/// # Errors
/// A usage error for a missing or invalid selection; file and API errors.
pub async fn select(
    context: &Context,
    client: &Client,
    matches: &ArgMatches,
    target: BulkTarget,
) -> Result<(Vec<SelectedRecord>, Option<SelectionFilter>), Error> {
    let mut selection = None;
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten();
    let selected = if let Some(file) = matches.get_one::<InputFile>("input") {
        from_text(&file.text()?, file.name(), matches)?
    } else if let Some(query) = text("sql") {
        from_sql(query, &mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?)?
    } else if let Some(filter_text) = text("where") {
        let (selected, condition) = from_filter(context, client, filter_text, target).await?;
        selection = Some(condition);
        selected
    } else {
        from_arguments(matches)?
    };
    let mut seen = HashSet::new();
    let selected = selected.into_iter().filter(|record| seen.insert(record.id.clone())).collect();
    Ok((selected, selection))
}

fn with_id(id: &str) -> SelectedRecord {
    SelectedRecord { id: id.trim().to_owned(), fields: Map::new(), document: None }
}

fn from_arguments(matches: &ArgMatches) -> Result<Vec<SelectedRecord>, Error> {
    let mut selected = Vec::new();
    let ids: Vec<&String> = matches.get_many::<String>("ids").into_iter().flatten().collect();
    if ids.is_empty() {
        return Err(Error::usage_with_hint(
            "no records selected",
            Hint::new("pass ids, ")
                .flag("input")
                .text(" FILE, ")
                .flag("where")
                .text(" FILTER or ")
                .flag("sql")
                .text(" QUERY"),
        ));
    }
    for id in ids {
        match id.as_str() {
            "-" => selected.extend(from_text(&Content::of_stdin().text()?, "-", matches)?),
            id => selected.push(with_id(id)),
        }
    }
    Ok(selected)
}

/// The columns of `--map`, by field.
fn columns(matches: &ArgMatches) -> Result<HashMap<String, String>, Error> {
    let pairs = matches.get_many::<String>("map").into_iter().flatten().map(|pair| {
        let (field, column) = pair
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("--map: invalid {pair:?}: expected FIELD=COLUMN")))?;
        Ok((field.trim().to_owned(), column.trim().trim_matches('"').to_owned()))
    });
    pairs.collect()
}

fn from_text(text: &str, path: &str, matches: &ArgMatches) -> Result<Vec<SelectedRecord>, Error> {
    let columns = columns(matches)?;
    let is_csv = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_csv {
        return from_csv(text, path, &columns);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            if !line.trim_start().starts_with('{') {
                return Ok(with_id(line));
            }
            let invalid = |reason: &str| Error::usage(format!("{path}, line {}: {reason}", index + 1));
            let record: Map<String, Value> =
                serde_json::from_str(line).map_err(|error| invalid(&error.to_string()))?;
            apply_map(record, &columns).ok_or_else(|| invalid("no id"))
        })
        .collect()
}

fn from_csv(text: &str, path: &str, columns: &HashMap<String, String>) -> Result<Vec<SelectedRecord>, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let invalid = |error: csv::Error| Error::usage(format!("{path}: {error}"));
    let header: Vec<String> =
        reader.headers().map_err(invalid)?.iter().map(|name| name.trim().to_owned()).collect();
    for column in columns.values() {
        if !header.contains(column) {
            return Err(Error::usage(format!(
                "{path}: unknown column {column:?}: expected one of {}",
                header.join(", ")
            )));
        }
    }
    let mut selected = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(invalid)?;
        // An empty cell leaves the field unchanged.
        let cells = header.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        let record: Map<String, Value> = cells.map(|(name, cell)| (name.clone(), cell.into())).collect();
        let record = apply_map(record, columns);
        selected.push(record.ok_or_else(|| Error::usage(format!("{path}, record {}: no id", index + 1)))?);
    }
    Ok(selected)
}

/// Renames columns to the fields of `--map`. With a map, other columns are ignored.
fn apply_map(mut record: Map<String, Value>, columns: &HashMap<String, String>) -> Option<SelectedRecord> {
    if !columns.is_empty() {
        let id = record.get("id").cloned().map(|id| ("id".to_owned(), id));
        let mapped =
            columns.iter().filter_map(|(field, column)| Some((field.clone(), record.get(column)?.clone())));
        record = id.into_iter().chain(mapped).collect();
    }
    let id = lenient::id(&record.shift_remove("id")?)?;
    Some(SelectedRecord { id, fields: record, document: None })
}

fn from_sql(query: &str, mirror: &Path) -> Result<Vec<SelectedRecord>, Error> {
    let mut ids = IdCollector::default();
    match SqlSession::open(mirror)?.query(query, SqlLimits { rows: None, time: None }, &mut ids)? {
        SqlEnd::Complete => Ok(ids.ids.iter().map(|id| with_id(id)).collect()),
        _ => Err(Error::usage("--sql: the query was stopped before its last row")),
    }
}

/// Collects the ids that a query returns.
#[derive(Default)]
struct IdCollector {
    column: usize,
    ids: Vec<String>,
}

impl RowSink for IdCollector {
    type Error = Error;

    fn columns(&mut self, names: &[String]) -> Result<(), Error> {
        self.column = names.iter().position(|name| name == "id").unwrap_or(0);
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Result<(), Error> {
        self.ids.extend(values.get(self.column).and_then(lenient::id));
        Ok(())
    }
}

async fn from_filter(
    context: &Context,
    client: &Client,
    filter_text: &str,
    target: BulkTarget,
) -> Result<(Vec<SelectedRecord>, SelectionFilter), Error> {
    let searched =
        if target == BulkTarget::Contacts { Searchable::Contacts } else { Searchable::Conversations };
    let condition = filter::resolve(context, client, filter_text, searched).await?;
    let mut body = serde_json::json!({ "query": condition.query });
    if searched == Searchable::Conversations {
        // With this order, records that change during pagination reappear at the end, so none is missed.
        body["sort"] = serde_json::json!({ "field": "updated_at", "order": "ascending" });
    }
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let search = operation(searched.operation())?;
    let mut pages = std::pin::pin!(client.pages(search, arguments.clone(), None));
    let mut selected = Vec::new();
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
        // The server can return records that do not match exactly, and every selected record is changed.
        for raw in condition.select(client, page.items).await? {
            let document = parse_json(raw.get())?;
            let Some(id) = lenient::id(&document["id"]) else { continue };
            selected.push(SelectedRecord { document: Some(document), ..with_id(&id) });
        }
        next = pages.try_next().await?;
    }
    Ok((selected, condition.selection()))
}
