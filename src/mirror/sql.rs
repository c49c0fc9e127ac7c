//! One statement of the user's own against the mirror, which it can read and never change.
//!
//! Three guards, each sufficient for the common cases: the file is opened read-only, `query_only` is
//! set, and an authorizer lets through nothing but reading. The last one also stops what the others do
//! not know about, such as attaching another file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::Error;
use super::store::Store;

/// How often the clock is looked at, in steps of SQLite's machine.
const STEPS: i32 = 2000;
/// Bytes of one value; documents are far smaller, and memory is not for the taking.
const LARGEST_VALUE: i32 = 64 << 20;
/// Functions that reach beyond the database.
const FORBIDDEN: [&str; 5] = ["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"];

/// How much a statement may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlLimits {
    pub rows: Option<u64>,
    pub time: Option<Duration>,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All its rows have been read.
    Complete,
    /// There are more rows than were allowed.
    Rows,
    /// Its time ran out.
    Time,
}

/// A table or view, as `sql --schema` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relation {
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    pub about: &'static str,
    /// Name and type.
    pub columns: Vec<(String, String)>,
}

/// Receives what a statement finds. Every row has as many values as there are columns.
pub trait Rows {
    type Error: From<Error>;

    /// Called once, before the first row.
    ///
    /// # Errors
    /// Whatever stops the reading.
    fn columns(&mut self, names: &[String]) -> Result<(), Self::Error>;

    /// # Errors
    /// Whatever stops the reading.
    fn row(&mut self, values: Vec<Value>) -> Result<(), Self::Error>;
}

/// A mirror opened for statements that are not this program's own.
#[derive(Debug)]
pub struct Questions {
    connection: Connection,
    refused: Arc<Mutex<Option<String>>>,
}

impl Questions {
    /// # Errors
    /// As [`Store::open_read_only`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut connection = Store::open_read_only(path)?.connection;
        // Connected before the guard is up: connecting a virtual table declares it.
        for table in ["texts_index", "texts_words"] {
            let connect = format!("SELECT count(*) FROM {table} LIMIT 0");
            connection.query_row(&connect, [], |_| Ok(())).or_else(empty)?;
        }
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST_VALUE)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        let refused = Arc::new(Mutex::new(None));
        let told = Arc::clone(&refused);
        connection.authorizer(Some(move |context: AuthContext<'_>| match forbidden(&context.action) {
            None => Authorization::Allow,
            Some(reason) => {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                Authorization::Deny
            }
        }))?;
        Ok(Questions { connection, refused })
    }

    /// Runs one statement that reads.
    ///
    /// # Errors
    /// [`Error::Question`] when it is no such statement or is wrong, and whatever `rows` fails with.
    pub fn ask<R: Rows>(&mut self, sql: &str, limits: SqlLimits, rows: &mut R) -> Result<End, R::Error> {
        let deadline = limits.time.map(|time| Instant::now() + time);
        let too_late = move || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.connection.progress_handler(STEPS, Some(too_late)).map_err(Error::from)?;
        let explained = |error| R::Error::from(self.explain(error));
        let mut statement = self.connection.prepare(sql).map_err(explained)?;
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(Error::Question("only statements that read are allowed".to_owned()).into());
        }
        let names = distinct(statement.column_names());
        let mut found = statement.query([]).map_err(explained)?;
        let mut count = 0;
        loop {
            let row = match found.next() {
                Ok(row) => Ok(row),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                    Err(End::Time)
                }
                Err(error) => return Err(explained(error)),
            };
            // Nothing is written before the first row is here: a wrong statement leaves no output.
            if count == 0 {
                rows.columns(&names)?;
            }
            let row = match row {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(End::Complete),
                Err(end) => return Ok(end),
            };
            if limits.rows == Some(count) {
                return Ok(End::Rows);
            }
            let cell = |at| row.get_ref(at).map(json_of);
            let values = (0..names.len()).map(cell).collect::<Result<_, _>>().map_err(explained)?;
            rows.row(values)?;
            count += 1;
        }
    }

    fn explain(&self, error: rusqlite::Error) -> Error {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (refused, error) {
            (Some(what), _) => Error::Question(format!("only reading is allowed, not {what}")),
            (None, rusqlite::Error::MultipleStatement) => {
                Error::Question("one statement at a time, please".to_owned())
            }
            (None, rusqlite::Error::InvalidParameterCount(..)) => {
                Error::Question("a statement cannot have parameters: write the values into it".to_owned())
            }
            (None, rusqlite::Error::SqlInputError { msg, .. }) => Error::Question(msg),
            (None, rusqlite::Error::SqliteFailure(failure, message)) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure => {
                    Error::Database(rusqlite::Error::SqliteFailure(failure, message))
                }
                _ => Error::Question(message.unwrap_or_else(|| failure.to_string())),
            },
            (None, error) => Error::Database(error),
        }
    }
}

fn empty(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        error => Err(error),
    }
}

/// What a statement must not do, in words; `None` for reading.
fn forbidden(action: &AuthAction<'_>) -> Option<String> {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name }
            if !FORBIDDEN.iter().any(|name| name.eq_ignore_ascii_case(function_name)) =>
        {
            None
        }
        // The full-text index asks this for itself.
        AuthAction::Pragma { pragma_name: "data_version", pragma_value: None } => None,
        AuthAction::Function { function_name } => Some(format!("the function {function_name}")),
        AuthAction::Pragma { pragma_name, .. } => Some(format!("PRAGMA {pragma_name}")),
        AuthAction::Attach { .. } => Some("attaching another file".to_owned()),
        AuthAction::Detach { .. } => Some("DETACH".to_owned()),
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => Some(format!("changing {table_name}")),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => Some("transactions".to_owned()),
        _ => Some("changing the database".to_owned()),
    }
}

/// Column names for JSON and CSV, where each may stand only once.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        let mut candidate = name.to_owned();
        let mut count = 2;
        while distinct.contains(&candidate) {
            candidate = format!("{name}_{count}");
            count += 1;
        }
        distinct.push(candidate);
    }
    distinct
}

/// A number that JSON has no form for is null; bytes are hexadecimal.
fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

/// What the tables and views are for.
const ABOUT: &[(&str, &str)] = &[
    (
        "inbox",
        "Conversations for people: team, assignee, who started it, opening message, tags, readable times",
    ),
    ("messages", "Conversation parts for people: author's name, plain text, to whom it was assigned"),
    ("contacts", "People: users and leads"),
    ("companies", "Companies"),
    ("conversations", "Conversations without their parts"),
    ("conversation_parts", "Everything written or done in a conversation after its opening message"),
    ("conversation_tags", "Which tags a conversation has"),
    ("conversation_contacts", "Which contacts take part in a conversation"),
    (
        "conversation_timelines",
        "First message, first answer, closes and spans of each conversation, as reports need them",
    ),
    ("conversation_parts_state", "How far the parts of each conversation are fetched"),
    ("contact_companies", "Which companies a contact belongs to"),
    ("contact_tags", "Which tags a contact has"),
    ("contact_segments", "Which segments a contact is in"),
    ("contact_subscriptions", "Which subscriptions a contact has"),
    ("contact_notes", "Notes about contacts"),
    ("contact_segments_state", "How many contacts each segment is known to have"),
    ("tickets", "Tickets without their parts"),
    ("ticket_parts", "Everything written or done in a ticket"),
    ("ticket_contacts", "Which contacts a ticket is about"),
    ("ticket_types", "Types of tickets"),
    ("ticket_states", "States of tickets"),
    ("articles", "Help center articles"),
    ("internal_articles", "Articles for teammates only"),
    ("collections", "Collections of articles"),
    ("help_centers", "Help centers"),
    ("news_items", "News items"),
    ("segments", "Segments of people and companies"),
    ("data_attributes", "Attributes of contacts and companies"),
    ("subscription_types", "Types of subscriptions"),
    ("calls", "Phone calls"),
    ("activity_logs", "What teammates did in the workspace"),
    ("admins", "Teammates"),
    ("teams", "Teams"),
    ("tags", "Tags"),
    ("texts", "The plain text of every record that has any: title, body, and the record it belongs to"),
    ("texts_index", "Full-text index over texts: SELECT ... FROM texts_index WHERE texts_index MATCH 'word'"),
    ("texts_words", "The words of texts_index and how many texts have them: term, doc, cnt"),
    ("sync_failures", "Records that could not be fetched, and when they are asked for again"),
    ("sync_rereads", "What later syncs fetch again although it does not count as changed"),
    ("article_statistics_state", "When the statistics of each article were fetched"),
    ("sync_seen", "What a sync under way has come across"),
    ("ticket_parts_state", "How far the parts of each ticket are fetched"),
    ("contact_lists_state", "How far the longer lists of each contact are fetched"),
    ("sync_state", "How far the mirror of each resource has come"),
    ("workspace", "Whose data this is"),
];

impl Store {
    /// The tables and views that a statement can name, views first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn relations(&self) -> Result<Vec<Relation>, Error> {
        let sql = "SELECT name, type FROM sqlite_schema
                   WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                     AND name NOT LIKE 'texts\\_index\\__%' ESCAPE '\\' AND name NOT IN ('texts_due', 'erasures')
                   ORDER BY type = 'table', name";
        let mut statement = self.connection.prepare(sql)?;
        let named = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(String, String)>, _>>()?;
        let mut columns = self.connection.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let mut relations = Vec::with_capacity(named.len());
        for (name, kind) in named {
            let columns = columns
                .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let about = ABOUT.iter().find(|(known, _)| *known == name).map_or("", |(_, about)| about);
            relations.push(Relation { name, kind, about, columns });
        }
        Ok(relations)
    }
}
