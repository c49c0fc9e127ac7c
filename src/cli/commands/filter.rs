//! `filter explain` shows a filter as an API search and as SQL. Also resolves `--where` for all commands.
//!
//! Servers differ in what a search compares, so no record may be shown or changed before it was tested against the
//! filter here.

mod names;

use std::borrow::Borrow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::{Arg, ArgMatches, Command};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value as Cell;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api;
use crate::api::client::Client;
use crate::api::operation::Operation;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::SelectionFilter;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, HintTopic};
use crate::cli::globals::DataSource;
use crate::cli::output::{Output, warn};
use crate::cli::time::Times;
use crate::cli::{mirror_paths, open_mirror};
use crate::data::lenient;
use crate::filter::{self, CompiledFilter, Directory, Expression, NamedRecord, Searchable};
use crate::mirror::read::RecordQuery;
use crate::mirror::search_sql::Judgement;
use crate::mirror::{self, ResourceName, Store};

/// The language of `--where`.
pub const AFTER_HELP: &str = "A filter compares fields with values and joins comparisons with `and`, `or` and parentheses:\n\n\
             \u{20}  state = open and team = \"Billing\" and updated_at > 7d and tags !~ vip\n\
             \u{20}  source.body ~ refund or (priority = priority and assignee = null)\n\
             \u{20}  state in (open, snoozed)\n\n\
             Operators: = != > >= < <= ~ (contains) !~ ^ (starts with) $ (ends with) in, not in. Operators that a field \
             does not support are errors, as are filters beyond the limits of the search: groups two deep, 15 members each.\n\n\
             Quote values with spaces or operators (\"...\" or '...'). null means no value: `team = null` (or 0) \
             is unassigned, `tags = null` untagged, `last_seen_at = null` never seen. Times are epoch \
             seconds, dates, or spans before now: `updated_at > 7d` means in the last seven days, and = with a date means any \
             time of that day. Times and date attributes of contacts are compared by whole days in the workspace's time \
             zone: > means after that day, < before it.\n\n\
             Use the name or id of teams, teammates, tags, segments, companies and ticket types (for teammates also the e-mail \
             address); the e-mail address, external id, telephone number or id of contacts; and the category or label \
             of ticket states. E-mail addresses and telephone numbers match in any spelling. For tags, = and in match \
             the exact name, ~ any part of it. Attributes are custom_attributes.NAME for contacts and \
             ticket_attribute.NAME for tickets; quote names with spaces: custom_attributes.\"Seats left\".\n\n\
             Servers differ in what they compare, so every record found is tested again before it is shown or changed. Fields \
             missing from the search result are read from the record. For fields that no record shows (for example \
             segments), the server decides if the search compared exactly that; otherwise the record is skipped with a \
             warning. A bulk change tests each record once more right before it is changed.\n\n\
             Grammar:\n\
             \u{20}  filter   = all { \"or\" all }\n\
             \u{20}  all      = one { \"and\" one }\n\
             \u{20}  one      = \"(\" filter \")\" | test\n\
             \u{20}  test     = field operator value | field [ \"not\" ] \"in\" \"(\" value { \",\" value } \")\"\n\
             \u{20}  field    = word | quoted text | word. directly before quoted text\n\
             \u{20}  value    = word | quoted text (\\ before a quotation mark or another \\)";

pub fn command() -> Command {
    Command::new("filter")
        .about("Explain and check --where filters")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("explain")
                .about("Show a filter as an API search and as SQL for the mirror")
                .arg(Arg::new("filter").value_name("FILTER").required(true).help("Filter to explain"))
                .arg(
                    Arg::new("resource")
                        .long("resource")
                        .value_name("RESOURCE")
                        .value_parser(Searchable::ALL.map(Searchable::as_str))
                        .default_value("conversations")
                        .help("Resource that the filter applies to"),
                )
                .arg(mirror_paths::argument())
                .after_help(
                    "Run the SQL with `intercom-pp-cli sql`. It uses functions of this program (Unicode lower, phone_digits), so \
                     results in other SQLite clients may differ.\n\n\
                     Example: intercom-pp-cli filter explain 'state = open and team = Support and updated_at > 7d'",
                ),
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let filter_text = matches.get_one::<String>("filter").map_or("", String::as_str);
    let resource = matches.get_one::<String>("resource").map_or("conversations", String::as_str);
    let searched: Searchable = resource.parse().map_err(Error::usage)?;
    let expression = parse(filter_text)?;
    let store = match mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))
        .and_then(|path| open_mirror::indexed(&path))
    {
        Ok(store) => Some(store),
        Err(_) if mirror_paths::explicit(context, &mirror_paths::MirrorFlag::of(matches))?.is_none() => None,
        Err(error) => return Err(error),
    };
    // Names come from the mirror with --data-source local, else from the workspace.
    let local = context.globals.connection.data_source() == DataSource::Local;
    let directory = match &store {
        _ if !needs_names(&expression, searched) => Directory::default(),
        Some(store) if local => names::mirrored(store, &expression, searched)?,
        _ => names::live(&context.client()?, &expression, searched).await?,
    };
    let compiled = compile(context, &expression, filter_text, searched, &directory)?;
    let zone = match directory.zone {
        Some(zone) => zone,
        None => store.as_ref().map(names::stored_zone).transpose()?.unwrap_or(TimeZone::UTC),
    };
    let sql = match sql(searched, &compiled.exact, &zone) {
        Ok(sql) => json!(sql),
        Err(error) => {
            warn(&error.to_string());
            Value::Null
        }
    };
    let explanation = json!({
        "resource": searched.as_str(), "filter": expression.to_string(), "predicate": compiled.query,
        "exact": compiled.exact, "sql": sql,
    });
    Output::open(&context.globals.output)?
        .document(json!({ "source": if local { "local" } else { "live" } }), &explanation.to_string(), None)
        .await
}

/// A compiled `--where` filter: a search query, and a test for each document found.
#[derive(Debug)]
pub struct WhereFilter {
    /// Query for the search, which may find more records than the filter selects.
    pub query: Value,
    /// Alternative query for servers that reject null values.
    without_null: Option<Value>,
    /// Whether this server rejects null values.
    rejects_null: AtomicBool,
    /// The exact predicate, for the mirror.
    pub exact: Value,
    resource: ResourceName,
    zone: Option<TimeZone>,
    warned: AtomicBool,
    /// Number of records read because the search result was incomplete.
    read: AtomicUsize,
}

/// Maximum number of records read one by one for a filter.
const MAX_READS: usize = 5_000;
/// Concurrent reads.
const READ_CONCURRENCY: usize = 16;

impl WhereFilter {
    /// The documents that the filter selects, unchanged. Missing fields are read from the record. For fields that the
    /// record does not show either, the server decides if the search compared exactly that; otherwise the record is
    /// skipped.
    ///
    /// # Errors
    /// When a request fails.
    pub async fn select<T: Borrow<RawValue>>(
        &self,
        client: &Client,
        documents: Vec<T>,
    ) -> Result<Vec<T>, api::Error> {
        let verdicts: Vec<bool> = stream::iter(documents.iter().map(Borrow::borrow))
            .map(|raw: &RawValue| self.selects(client, raw))
            .buffered(READ_CONCURRENCY)
            .try_collect()
            .await?;
        Ok(documents
            .into_iter()
            .zip(verdicts)
            .filter_map(|(raw, is_selected)| is_selected.then_some(raw))
            .collect())
    }

    async fn selects(&self, client: &Client, raw: &RawValue) -> Result<bool, api::Error> {
        // Show invalid documents instead of hiding them.
        let Ok(document) = serde_json::from_str::<Value>(raw.get()) else { return Ok(true) };
        let id = lenient::id(&document["id"]);
        let mut verdict = self.judge(&document, false);
        if verdict == Judgement::Incomplete
            && self.read.fetch_add(1, Ordering::Relaxed) < MAX_READS
            && let Some(id) = &id
        {
            verdict = match read(client, self.resource, id).await {
                Ok(record) => self.judge(&record, true),
                // A deleted record cannot be shown or changed.
                Err(error) if error.is_not_found() => Judgement::Excluded,
                Err(error) if error.status().is_some() => Judgement::Undecided,
                Err(error) => return Err(error),
            };
        }
        if !matches!(verdict, Judgement::Selected | Judgement::Excluded)
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            warn(&format!(
                "skipped {} {} and others that do not show all fields in the filter; sync, then use --data-source local or --sql",
                self.resource.as_str().trim_end_matches('s'),
                id.unwrap_or_default(),
            ));
        }
        Ok(verdict == Judgement::Selected)
    }

    fn judge(&self, document: &Value, is_record: bool) -> Judgement {
        let zone = self.zone.as_ref();
        let query = match &self.without_null {
            Some(other) if self.rejects_null.load(Ordering::Relaxed) => other,
            _ => &self.query,
        };
        mirror::search_sql::judge(self.resource, &self.exact, query, document, zone, is_record)
    }

    /// The arguments of the search without null values, after a server rejected them.
    pub fn without_null(&self, arguments: &Arguments, error: &api::Error) -> Option<Arguments> {
        let other = self.without_null.as_ref().filter(|_| error.status() == Some(400))?;
        let mut body: Value = serde_json::from_slice(arguments.body.as_deref()?).ok()?;
        body["query"] = other.clone();
        self.rejects_null.store(true, Ordering::Relaxed);
        Some(Arguments { body: Some(body.to_string().into_bytes()), ..arguments.clone() })
    }

    /// The filter as saved with a bulk run.
    pub fn selection(&self) -> SelectionFilter {
        let zone = self.zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
        SelectionFilter { exact: self.exact.clone(), zone }
    }
}

async fn read(client: &Client, resource: ResourceName, id: &str) -> Result<Value, api::Error> {
    let name = match resource {
        ResourceName::Contacts => "ShowContact",
        ResourceName::Tickets => "getTicket",
        _ => "retrieveConversation",
    };
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    let reply = client.fetch(operation(name)?, &arguments).await?;
    serde_json::from_str(reply.json_text()?).map_err(|error| reply.wrong_shape(&error))
}

/// # Errors
/// A usage error that points at the position.
pub fn parse(filter_text: &str) -> Result<Expression, Error> {
    filter::parse(filter_text).map_err(|error| usage_error(&error, filter_text))
}

fn usage_error(error: &filter::Error, filter_text: &str) -> Error {
    Error::usage_with_hint(
        format!("invalid filter, {}", error.pointing(filter_text)),
        Hint::default()
            .run("filter --help")
            .text(" describes the filter language")
            .about(HintTopic::FilterLanguage),
    )
}

fn compile(
    context: &Context,
    expression: &Expression,
    filter_text: &str,
    searched: Searchable,
    directory: &Directory,
) -> Result<CompiledFilter, Error> {
    // Contacts are compared by days in the workspace's time zone, everything else by exact times.
    let zone = match (searched, &directory.zone) {
        (Searchable::Contacts, zone) => zone.clone().unwrap_or(TimeZone::UTC),
        _ => context.zone()?,
    };
    let times = Times::at(Timestamp::now(), zone);
    let parse_time = |text: &str| times.moment(text);
    let configured = || context.settings().ok().and_then(|settings| settings.api_version.clone());
    let version = context.globals.connection.api_version.clone().or_else(configured);
    let has_graded_priorities = version.is_some_and(|version| has_graded_priorities(&version));
    let directory = Directory { has_graded_priorities, ..directory.clone() };
    filter::compile(expression, searched, &directory, &parse_time)
        .map_err(|error| usage_error(&error, filter_text))
}

/// Versions are numbers such as 2.16. A name such as Unstable is newer than all of them.
fn has_graded_priorities(version: &str) -> bool {
    let number =
        version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    number.is_none_or(|number: (u32, u32)| number >= (2, 16))
}

fn where_filter(
    context: &Context,
    expression: &Expression,
    filter_text: &str,
    searched: Searchable,
    directory: Directory,
) -> Result<WhereFilter, Error> {
    let CompiledFilter { query, without_null, exact } =
        compile(context, expression, filter_text, searched, &directory)?;
    let resource = open_mirror::resource(searched.as_str())?;
    Ok(WhereFilter {
        query,
        without_null,
        rejects_null: AtomicBool::new(false),
        exact,
        resource,
        zone: directory.zone,
        warned: AtomicBool::new(false),
        read: AtomicUsize::new(0),
    })
}

/// Whether a filter depends on the names in a workspace, or on its time zone.
fn needs_names(expression: &Expression, searched: Searchable) -> bool {
    !filter::required_names(expression, searched).is_empty()
        || filter::compares_days(expression, searched, &Directory::default())
}

/// Compiles a filter with names from the workspace.
///
/// # Errors
/// A usage error that points at the position; when a request fails.
pub async fn resolve(
    context: &Context,
    client: &Client,
    filter_text: &str,
    searched: Searchable,
) -> Result<WhereFilter, Error> {
    let expression = parse(filter_text)?;
    let directory = names::live(client, &expression, searched).await?;
    where_filter(context, &expression, filter_text, searched, directory)
}

/// The filter of `--where` in a search command; `None` without the flag.
///
/// # Errors
/// As [`resolve`]. In a dry run names come from the mirror, because nothing may be sent.
pub async fn from_search(
    context: &Context,
    operation: &Operation,
    matches: &ArgMatches,
) -> Result<Option<WhereFilter>, Error> {
    let Some(searched) = Searchable::ALL.into_iter().find(|resource| resource.operation() == operation.id)
    else {
        return Ok(None);
    };
    let Some(filter_text) = matches.get_one::<String>("where") else { return Ok(None) };
    if !context.globals.consent.dry_run && context.globals.connection.data_source() != DataSource::Local {
        return resolve(context, &context.client()?, filter_text, searched).await.map(Some);
    }
    let expression = parse(filter_text)?;
    let store = mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))
        .and_then(|path| Ok(Store::open_read_only(&path)?));
    // The meaning of a filter does not depend on these names.
    let optional = [NamedRecord::ContactAttribute, NamedRecord::TicketAttribute];
    let directory = match store {
        Ok(store) => names::mirrored(&store, &expression, searched)?,
        Err(_)
            if filter::required_names(&expression, searched).iter().all(|name| optional.contains(name)) =>
        {
            Directory::default()
        }
        Err(error) => return Err(error),
    };
    where_filter(context, &expression, filter_text, searched, directory).map(Some)
}

/// An SQL statement that selects the same records from the mirror.
fn sql(searched: Searchable, exact: &Value, zone: &TimeZone) -> Result<String, Error> {
    let resource = open_mirror::resource(searched.as_str())?;
    let body = json!({ "query": exact });
    let choice = mirror::search_sql::narrow(resource, &body, zone, RecordQuery::default())?;
    let (mut condition, mut values, mut quoted) = (String::new(), choice.values.iter(), false);
    for letter in choice.conditions.join(" AND ").chars() {
        quoted ^= letter == '\'';
        match letter {
            '?' if !quoted => condition.push_str(&values.next().map(literal).unwrap_or_default()),
            letter => condition.push(letter),
        }
    }
    Ok(format!("SELECT id FROM {searched} WHERE {condition}"))
}

fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Null | Cell::Blob(_) => "NULL".to_owned(),
    }
}
