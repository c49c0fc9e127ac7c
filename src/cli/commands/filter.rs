//! `filter explain`: what a filter means to the API's search and to the mirror. And what all commands with
//! `--where` share: reading it with the names of the workspace.

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
use crate::bulk::Selection;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::globals::DataSource;
use crate::cli::output::{Output, warn};
use crate::cli::time::Times;
use crate::cli::{mirrored, stores};
use crate::filter::{self, CompiledFilter, Directory, Expression, NamedRecord, Searchable};
use crate::mirror::predicate::Verdict;
use crate::mirror::read::Choice;
use crate::mirror::{self, ResourceName, Store, fields};

pub fn command() -> Command {
    Command::new("filter")
        .about("The language of --where: choosing records by what they are")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(
            "A filter compares fields with values and joins comparisons with `and`, `or` and parentheses:\n\n\
             \u{20}  state = open and team = \"Billing\" and updated_at > 7d and tags !~ vip\n\
             \u{20}  source.body ~ refund or (priority = priority and assignee = null)\n\
             \u{20}  state in (open, snoozed)\n\n\
             Operators: = != > >= < <= ~ (contains) !~ ^ (begins with) $ (ends with) in, not in. Which of them a field \
             takes is checked, as are the limits of the search: groups two deep, 15 members each.\n\n\
             Values with spaces or operators are quoted (\"...\" or '...'). null is the absence of a value: `team = null` (or 0) \
             is nobody's, `tags = null` untagged, `last_seen_at = null` never seen. Times are epoch \
             seconds, dates, or spans before now, so `updated_at > 7d` means in the last seven days; = with a date is any \
             time of that day. Times of contacts, and their attributes that hold dates, are compared by whole days of the \
             workspace: > is after that day, < before it.\n\n\
             Teams, teammates, tags, segments, companies and ticket types are given by name or id, teammates by e-mail \
             address as well, contacts by e-mail address, external id, telephone number or id, states of tickets by \
             category or label. E-mail addresses and telephone numbers fit in every spelling. For tags, = and in want \
             the whole name, ~ any part of it. Attributes are custom_attributes.NAME for contacts and \
             ticket_attribute.NAME for tickets; a name with spaces is quoted: custom_attributes.\"Seats left\".\n\n\
             Servers differ in what they compare, so every record that one finds is tested again before it is shown or \
             changed. What a search does not show is read from the record. What no record shows (segments, for example) \
             is the server's to decide where it was asked just that; otherwise the record is left out with a warning. A \
             bulk change tests each record once more right before it is changed.\n\n\
             Grammar:\n\
             \u{20}  filter   = all { \"or\" all }\n\
             \u{20}  all      = one { \"and\" one }\n\
             \u{20}  one      = \"(\" filter \")\" | test\n\
             \u{20}  test     = field operator value | field [ \"not\" ] \"in\" \"(\" value { \",\" value } \")\"\n\
             \u{20}  field    = word | quoted text | word. directly before quoted text\n\
             \u{20}  value    = word | quoted text (\\ before a quotation mark or another \\)",
        )
        .subcommand(
            Command::new("explain")
                .about("Show a filter as the API's predicate and as SQL for the mirror")
                .arg(Arg::new("filter").value_name("FILTER").required(true).help("The filter"))
                .arg(
                    Arg::new("resource")
                        .long("resource")
                        .value_name("RESOURCE")
                        .value_parser(Searchable::ALL.map(Searchable::as_str))
                        .default_value("conversations")
                        .help("What is searched"),
                )
                .arg(stores::argument())
                .after_help(
                    "Run the SQL with `intercom-pp-cli sql`: it uses functions of this program (lower for every alphabet, \
                     phone_digits), so other SQLite clients may answer differently or refuse it.\n\n\
                     Example: intercom-pp-cli filter explain 'state = open and team = Support and updated_at > 7d'",
                ),
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let written = matches.get_one::<String>("filter").map_or("", String::as_str);
    let resource = matches.get_one::<String>("resource").map_or("conversations", String::as_str);
    let searched: Searchable = resource.parse().map_err(Error::usage)?;
    let expression = parse(written)?;
    let store = match stores::for_reading(context, matches).and_then(|path| mirrored::indexed(&path)) {
        Ok(store) => Some(store),
        Err(_) if stores::named(context, matches)?.is_none() => None,
        Err(error) => return Err(error),
    };
    // Names are asked from the workspace, and from the mirror when that is wanted or cannot be.
    let local = context.globals.data_source == DataSource::Local;
    let directory = match &store {
        _ if !needs_names(&expression, searched) => Directory::default(),
        Some(store) if local => names::mirrored(store, &expression, searched)?,
        _ => names::live(&context.client()?, &expression, searched).await?,
    };
    let compiled = compile(context, &expression, written, searched, &directory)?;
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
    let explained = json!({
        "resource": searched.as_str(), "filter": expression.to_string(), "predicate": compiled.query,
        "exact": compiled.exact, "sql": sql,
    });
    Output::open(&context.globals)?
        .document(json!({ "source": if local { "local" } else { "live" } }), &explained.to_string(), None)
        .await
}

/// A filter that is asked of a server, and then of each document that it sends.
#[derive(Debug)]
pub struct Condition {
    /// For the search. It may find more than is meant.
    pub query: Value,
    /// The same for a server that refuses null as a value.
    without_null: Option<Value>,
    /// Whether this server does.
    refuses_null: AtomicBool,
    /// What is meant, for the mirror.
    pub exact: Value,
    resource: ResourceName,
    zone: Option<TimeZone>,
    warned: AtomicBool,
    /// Records that were read because the search did not show enough of them.
    read: AtomicUsize,
}

/// The most records that are read one by one for a filter.
const MOST_READ: usize = 5_000;
/// Reads at the same time.
const READS: usize = 16;

impl Condition {
    /// Those of the documents that are meant, with their bytes. What a document does not show is read from its
    /// record; what the record does not show either is the server's to decide where it was asked just that, and
    /// is left out otherwise.
    ///
    /// # Errors
    /// When the workspace does not answer.
    pub async fn select<T: Borrow<RawValue>>(
        &self,
        client: &Client,
        documents: Vec<T>,
    ) -> Result<Vec<T>, api::Error> {
        let verdicts: Vec<bool> = stream::iter(documents.iter().map(Borrow::borrow))
            .map(|raw: &RawValue| self.is_meant(client, raw))
            .buffered(READS)
            .try_collect()
            .await?;
        Ok(documents.into_iter().zip(verdicts).filter_map(|(raw, meant)| meant.then_some(raw)).collect())
    }

    async fn is_meant(&self, client: &Client, raw: &RawValue) -> Result<bool, api::Error> {
        // A record that cannot be read is for the reader to see.
        let Ok(document) = serde_json::from_str::<Value>(raw.get()) else { return Ok(true) };
        let id = fields::id(&document["id"]);
        let mut verdict = self.judge(&document, false);
        if verdict == Verdict::Incomplete
            && self.read.fetch_add(1, Ordering::Relaxed) < MOST_READ
            && let Some(id) = &id
        {
            verdict = match read(client, self.resource, id).await {
                Ok(record) => self.judge(&record, true),
                // What is gone cannot be shown or changed.
                Err(error) if error.is_not_found() => Verdict::Refused,
                Err(error) if error.status().is_some() => Verdict::Unknown,
                Err(error) => return Err(error),
            };
        }
        if !matches!(verdict, Verdict::Selected | Verdict::Refused)
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            warn(&format!(
                "left out {} {} and others that do not show all that the filter compares; sync, then use --data-source local or --sql",
                self.resource.as_str().trim_end_matches('s'),
                id.unwrap_or_default(),
            ));
        }
        Ok(verdict == Verdict::Selected)
    }

    fn judge(&self, document: &Value, is_record: bool) -> Verdict {
        let zone = self.zone.as_ref();
        let query = match &self.without_null {
            Some(other) if self.refuses_null.load(Ordering::Relaxed) => other,
            _ => &self.query,
        };
        mirror::predicate::judge(self.resource, &self.exact, query, document, zone, is_record)
    }

    /// The arguments of the search without nulls, after a server has refused those with them.
    pub fn without_null(&self, arguments: &Arguments, error: &api::Error) -> Option<Arguments> {
        let other = self.without_null.as_ref().filter(|_| error.status() == Some(400))?;
        let mut body: Value = serde_json::from_slice(arguments.body.as_deref()?).ok()?;
        body["query"] = other.clone();
        self.refuses_null.store(true, Ordering::Relaxed);
        Some(Arguments { body: Some(body.to_string().into_bytes()), ..arguments.clone() })
    }

    /// The condition as a run remembers it.
    pub fn selection(&self) -> Selection {
        let zone = self.zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
        Selection { exact: self.exact.clone(), zone }
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
/// A usage error that points at the place.
pub fn parse(written: &str) -> Result<Expression, Error> {
    filter::parse(written).map_err(|error| wrong(&error, written))
}

fn wrong(error: &filter::Error, written: &str) -> Error {
    Error::usage_with_hint(
        format!("the filter, {}", error.pointing(written)),
        "`intercom-pp-cli filter --help` shows how filters are written",
    )
}

fn compile(
    context: &Context,
    expression: &Expression,
    written: &str,
    searched: Searchable,
    directory: &Directory,
) -> Result<CompiledFilter, Error> {
    // Contacts are compared by days of the workspace; everything else, by moments.
    let zone = match (searched, &directory.zone) {
        (Searchable::Contacts, zone) => zone.clone().unwrap_or(TimeZone::UTC),
        _ => context.zone()?,
    };
    let times = Times::at(Timestamp::now(), zone);
    let moment = |text: &str| times.moment(text);
    let configured = || context.settings().ok().and_then(|settings| settings.api_version.clone());
    let version = context.globals.api_version.clone().or_else(configured);
    let has_graded_priorities = version.is_some_and(|version| has_graded_priorities(&version));
    let directory = Directory { has_graded_priorities, ..directory.clone() };
    filter::compile(expression, searched, &directory, &moment).map_err(|error| wrong(&error, written))
}

/// Versions are numbers such as 2.16; a name such as Unstable is later than all of them.
fn has_graded_priorities(version: &str) -> bool {
    let number =
        version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    number.is_none_or(|number: (u32, u32)| number >= (2, 16))
}

fn condition(
    context: &Context,
    expression: &Expression,
    written: &str,
    searched: Searchable,
    directory: Directory,
) -> Result<Condition, Error> {
    let CompiledFilter { query, without_null, exact } =
        compile(context, expression, written, searched, &directory)?;
    let resource = mirrored::resource(searched.as_str())?;
    Ok(Condition {
        query,
        without_null,
        refuses_null: AtomicBool::new(false),
        exact,
        resource,
        zone: directory.zone,
        warned: AtomicBool::new(false),
        read: AtomicUsize::new(0),
    })
}

/// Whether a filter means nothing without the names of a workspace, or its time zone.
fn needs_names(expression: &Expression, searched: Searchable) -> bool {
    !filter::required_names(expression, searched).is_empty()
        || filter::compares_days(expression, searched, &Directory::default())
}

/// What a filter means in a workspace.
///
/// # Errors
/// A usage error that points at the place; when the workspace does not answer with its names.
pub async fn asked(
    context: &Context,
    client: &Client,
    written: &str,
    searched: Searchable,
) -> Result<Condition, Error> {
    let expression = parse(written)?;
    let directory = names::live(client, &expression, searched).await?;
    condition(context, &expression, written, searched, directory)
}

/// What `--where` of a search command says; `None` without it.
///
/// # Errors
/// As [`asked`]; in a dry run names come from the mirror, since nothing may be asked.
pub async fn of_search(
    context: &Context,
    operation: &Operation,
    matches: &ArgMatches,
) -> Result<Option<Condition>, Error> {
    let Some(searched) = Searchable::ALL.into_iter().find(|it| it.operation() == operation.id) else {
        return Ok(None);
    };
    let Some(written) = matches.get_one::<String>("where") else { return Ok(None) };
    if !context.globals.dry_run && context.globals.data_source != DataSource::Local {
        return asked(context, &context.client()?, written, searched).await.map(Some);
    }
    let expression = parse(written)?;
    let store = stores::for_reading(context, matches).and_then(|path| Ok(Store::open_read_only(&path)?));
    // These only make an answer better; the filter means the same without them.
    let helpful = [NamedRecord::ContactAttribute, NamedRecord::TicketAttribute];
    let directory = match store {
        Ok(store) => names::mirrored(&store, &expression, searched)?,
        Err(_) if filter::required_names(&expression, searched).iter().all(|of| helpful.contains(of)) => {
            Directory::default()
        }
        Err(error) => return Err(error),
    };
    condition(context, &expression, written, searched, directory).map(Some)
}

/// A statement that selects the same records from the mirror.
fn sql(searched: Searchable, exact: &Value, zone: &TimeZone) -> Result<String, Error> {
    let resource = mirrored::resource(searched.as_str())?;
    let body = json!({ "query": exact });
    let choice = mirror::predicate::narrow(resource, &body, zone, Choice::default())?;
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
