//! `filter explain`: what a filter means to the API's search and to the mirror. And what all commands with
//! `--where` share: reading it with the names of the workspace.

use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::api::client::Client;
use crate::api::operation::Operation;
use crate::bulk::lists::{self, Named};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::globals::DataSource;
use crate::cli::output::{Output, warn};
use crate::cli::{mirrored, stores, time};
use crate::filter::{self, Directory, Expression, NameOf, Searched};
use crate::mirror::read::Choice;
use crate::mirror::{self, Store};

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
             Values with spaces or operators are quoted (\"...\" or '...'). null is the absence of a value. Times are epoch \
             seconds, dates, or spans before now, so `updated_at > 7d` means in the last seven days. Times of contacts \
             are compared by whole days of the workspace: > is after that day, < before it.\n\n\
             Teams, teammates and tags are given by name or id, teammates by e-mail address as well. For tags, = and in want the whole name, ~ any part of it.\n\n\
             Grammar:\n\
             \u{20}  filter   = all { \"or\" all }\n\
             \u{20}  all      = one { \"and\" one }\n\
             \u{20}  one      = \"(\" filter \")\" | test\n\
             \u{20}  test     = field operator value | field [ \"not\" ] \"in\" \"(\" value { \",\" value } \")\"\n\
             \u{20}  field, value = word | quoted text (\\ before a quotation mark or another \\)",
        )
        .subcommand(
            Command::new("explain")
                .about("Show a filter as the API's predicate and as SQL for the mirror")
                .arg(Arg::new("filter").value_name("FILTER").required(true).help("The filter"))
                .arg(
                    Arg::new("resource")
                        .long("resource")
                        .value_name("RESOURCE")
                        .value_parser(Searched::ALL.map(Searched::as_str))
                        .default_value("conversations")
                        .help("What is searched"),
                )
                .arg(stores::argument())
                .after_help("Example: intercom-pp-cli filter explain 'state = open and team = Support and updated_at > 7d'"),
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let written = matches.get_one::<String>("filter").map_or("", String::as_str);
    let resource = matches.get_one::<String>("resource").map_or("conversations", String::as_str);
    let searched: Searched = resource.parse().map_err(Error::usage)?;
    let expression = parse(written)?;
    let store = match stores::for_reading(context, matches) {
        Ok(path) => Some(Store::open_read_only(&path)?),
        Err(_) if stores::named(matches).is_none() => None,
        Err(error) => return Err(error),
    };
    let needed = filter::names_needed(&expression, searched);
    // Names are asked from the workspace, and from the mirror when that is wanted or cannot be.
    let local = context.globals.data_source == DataSource::Local;
    let directory = match (needed.is_empty(), &store) {
        (true, _) => Directory::default(),
        (false, Some(store)) if local => mirrored(store)?,
        (false, _) => directory(&context.client()?, &expression, searched).await?,
    };
    let predicate = compile(&expression, written, searched, &directory)?;
    let zone = zone(store.as_ref())?;
    let sql = match sql(searched, &predicate, &zone) {
        Ok(sql) => json!(sql),
        Err(error) => {
            warn(&error.to_string());
            Value::Null
        }
    };
    let explained = json!({
        "resource": searched.as_str(), "filter": expression.to_string(), "predicate": predicate, "sql": sql,
    });
    Output::open(&context.globals)?
        .document(json!({ "source": if local { "local" } else { "live" } }), &explained.to_string(), None)
        .await
}

/// # Errors
/// A usage error that points at the place.
pub fn parse(written: &str) -> Result<Expression, Error> {
    filter::parse(written).map_err(|error| wrong(&error, written))
}

fn wrong(error: &filter::Error, written: &str) -> Error {
    Error::usage_with_hint(
        format!("the filter, {}", error.pointing(written)),
        "`intercom-pp-cli filter --help` tells how filters are written",
    )
}

fn compile(
    expression: &Expression,
    written: &str,
    searched: Searched,
    directory: &Directory,
) -> Result<Value, Error> {
    let now = Timestamp::now();
    let moment = |text: &str| time::epoch_seconds(text, now);
    filter::compile(expression, searched, directory, &moment).map_err(|error| wrong(&error, written))
}

/// The predicate of a filter, with the names of the workspace.
///
/// # Errors
/// A usage error that points at the place; when the workspace does not tell its names.
pub async fn predicate(client: &Client, written: &str, searched: Searched) -> Result<Value, Error> {
    let expression = parse(written)?;
    let directory = directory(client, &expression, searched).await?;
    compile(&expression, written, searched, &directory)
}

/// The predicate of a filter, with the names of a mirror.
///
/// # Errors
/// As [`predicate`].
fn predicate_for_mirror(store: &Store, written: &str, searched: Searched) -> Result<Value, Error> {
    compile(&parse(written)?, written, searched, &mirrored(store)?)
}

/// What `--where` of a search command says; `None` without it.
///
/// # Errors
/// As [`predicate`]; in a dry run names come from the mirror, since nothing may be asked.
pub async fn of_search(
    context: &Context,
    operation: &Operation,
    matches: &ArgMatches,
) -> Result<Option<Value>, Error> {
    let Some(searched) = Searched::ALL.into_iter().find(|it| it.operation() == operation.id) else {
        return Ok(None);
    };
    let Some(written) = matches.get_one::<String>("where") else { return Ok(None) };
    let nameless = filter::names_needed(&parse(written)?, searched).is_empty();
    if nameless {
        return compile(&parse(written)?, written, searched, &Directory::default()).map(Some);
    }
    let predicate = match context.globals.dry_run || context.globals.data_source == DataSource::Local {
        true => {
            let store = Store::open_read_only(&stores::for_reading(context, matches)?)?;
            predicate_for_mirror(&store, written, searched)?
        }
        false => predicate(&context.client()?, written, searched).await?,
    };
    Ok(Some(predicate))
}

/// The names that a filter needs.
async fn directory(client: &Client, expression: &Expression, searched: Searched) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    let pairs = |list: Vec<Named>| list.into_iter().map(|it| (it.id, it.name)).collect();
    for of in filter::names_needed(expression, searched) {
        match of {
            NameOf::Tag => directory.tags = pairs(lists::tags(client).await?),
            NameOf::Team => directory.teams = pairs(lists::teams(client).await?),
            NameOf::Admin => {
                let admins = lists::admins(client).await?;
                let address = |it: &Named| Some((it.id.clone(), it.email.clone()?));
                directory.emails = admins.iter().filter_map(address).collect();
                directory.admins = pairs(admins);
            }
        }
    }
    Ok(directory)
}

fn mirrored(store: &Store) -> Result<Directory, Error> {
    let pairs = |table: &str, column: &str| -> Result<Vec<(String, String)>, mirror::Error> {
        let sql = format!("SELECT id, coalesce({column}, '') FROM {table}");
        let mut statement = store.connection().prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    Ok(Directory {
        tags: pairs("tags", "name")?,
        teams: pairs("teams", "name")?,
        admins: pairs("admins", "name")?,
        emails: pairs("admins", "email")?,
    })
}

fn zone(store: Option<&Store>) -> Result<TimeZone, Error> {
    let name = store.map(Store::workspace).transpose()?.flatten().and_then(|workspace| workspace.timezone);
    Ok(name.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC))
}

/// A statement that selects the same records from the mirror.
fn sql(searched: Searched, predicate: &Value, zone: &TimeZone) -> Result<String, Error> {
    let resource = mirrored::resource(searched.as_str())?;
    let body = json!({ "query": predicate });
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
