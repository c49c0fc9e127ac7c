//! Runs the user's own SQL statements against the mirror, which they must never change.
//!
//! Three guards, each sufficient in common cases: the file is opened read-only, `query_only` is set, and an authorizer
//! allows only reads. The authorizer also stops what the others do not cover, such as attaching another file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::Store;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Interval between checks of the time limit, in steps of SQLite's virtual machine.
const STEPS: i32 = 2000;
/// Maximum bytes of a value, far more than any document has. Limits the memory that a statement can use.
const LARGEST_VALUE: i32 = 64 << 20;
/// Functions with access beyond the database.
const FORBIDDEN: [&str; 5] = ["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"];

/// Limits of one statement; `None` means no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlLimits {
    /// The most rows.
    pub rows: Option<u64>,
    /// The longest time.
    pub time: Option<Duration>,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlEnd {
    /// All rows were read.
    Complete,
    /// The row limit was reached, and there are more rows.
    Rows,
    /// The time limit was reached.
    Time,
}

/// A table or view, as `sql --schema` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relation {
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    pub about: &'static str,
    /// Names and types.
    pub columns: Vec<(String, String)>,
}

/// Receives the rows of a statement. Each has as many values as there are columns.
pub trait RowSink {
    type Error: From<Error>;

    /// Called once, before the first row.
    ///
    /// # Errors
    /// Any error ends the statement.
    fn columns(&mut self, names: &[String]) -> Result<(), Self::Error>;

    /// # Errors
    /// Any error ends the statement.
    fn row(&mut self, values: Vec<Value>) -> Result<(), Self::Error>;
}

/// A mirror opened for the user's statements.
#[derive(Debug)]
pub struct SqlSession {
    connection: Connection,
    refused: Arc<Mutex<Option<String>>>,
}

impl SqlSession {
    /// # Errors
    /// As [`Store::open_read_only`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut connection = Store::open_read_only(path)?.connection;
        // Connect the virtual tables before the authorizer is set, because that declares them.
        for table in ["texts_index", "texts_words"] {
            let connect = format!("SELECT count(*) FROM {table} LIMIT 0");
            connection.query_row(&connect, [], |_| Ok(())).or_else(ignore_empty)?;
        }
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST_VALUE)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        let refused = Arc::new(Mutex::new(None));
        let refusal = Arc::clone(&refused);
        connection.authorizer(Some(move |context: AuthContext<'_>| match forbidden(&context.action) {
            None => Authorization::Allow,
            Some(reason) => {
                *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                Authorization::Deny
            }
        }))?;
        Ok(SqlSession { connection, refused })
    }

    /// Runs one read-only statement.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] if the statement is invalid or does more than read, and any error of `rows`.
    pub fn query<R: RowSink>(
        &mut self,
        sql: &str,
        limits: SqlLimits,
        rows: &mut R,
    ) -> Result<SqlEnd, R::Error> {
        let deadline = limits.time.map(|time| Instant::now() + time);
        let is_too_late = move || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.connection.progress_handler(STEPS, Some(is_too_late)).map_err(Error::from)?;
        let explain = |error| R::Error::from(self.explain(error));
        let mut statement = self.connection.prepare(sql).map_err(explain)?;
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(Error::InvalidQuery("only statements that read are allowed".to_owned()).into());
        }
        let names = distinct(statement.column_names());
        let mut result = statement.query([]).map_err(explain)?;
        let mut count = 0;
        loop {
            let row = match result.next() {
                Ok(row) => Ok(row),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                    Err(SqlEnd::Time)
                }
                Err(error) => return Err(explain(error)),
            };
            // An invalid statement may fail only at its first row, and must not produce output.
            if count == 0 {
                rows.columns(&names)?;
            }
            let row = match row {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(SqlEnd::Complete),
                Err(end) => return Ok(end),
            };
            if limits.rows == Some(count) {
                return Ok(SqlEnd::Rows);
            }
            let cell = |at| row.get_ref(at).map(json_of);
            let values = (0..names.len()).map(cell).collect::<Result<_, _>>().map_err(explain)?;
            rows.row(values)?;
            count += 1;
        }
    }

    fn explain(&self, error: rusqlite::Error) -> Error {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (refused, error) {
            (Some(what), _) => Error::InvalidQuery(format!("only reading is allowed, not {what}")),
            (None, rusqlite::Error::MultipleStatement) => {
                Error::InvalidQuery("expected one statement, not several".to_owned())
            }
            (None, rusqlite::Error::InvalidParameterCount(..)) => Error::InvalidQuery(
                "parameters are not supported: write the values into the statement".to_owned(),
            ),
            (None, rusqlite::Error::SqlInputError { msg, .. }) => invalid_query(msg),
            (None, rusqlite::Error::SqliteFailure(failure, message)) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure => {
                    Error::Database(rusqlite::Error::SqliteFailure(failure, message))
                }
                _ => invalid_query(message.unwrap_or_else(|| failure.to_string())),
            },
            (None, error) => Error::Database(error),
        }
    }
}

/// SQLite has one code for all errors in a statement, so only its message says what is wrong.
fn invalid_query(message: String) -> Error {
    if message.starts_with("no such ") { Error::UnknownName(message) } else { Error::InvalidQuery(message) }
}

fn ignore_empty(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        error => Err(error),
    }
}

/// Describes a forbidden action; `None` for reads.
fn forbidden(action: &AuthAction<'_>) -> Option<String> {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name }
            if !FORBIDDEN.iter().any(|name| name.eq_ignore_ascii_case(function_name)) =>
        {
            None
        }
        // Used by the full-text index itself.
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

/// Makes column names unique, as JSON and CSV require.
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

/// Numbers that JSON cannot represent become null; bytes become hexadecimal.
fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

/// Descriptions of the tables and views.
/// The relations that are not resources, which describe themselves.
const ABOUT: &[(&str, &str)] = &[
    ("inbox", "Conversations in readable form: team, assignee, author, opening message, tags, times"),
    ("messages", "Conversation parts in readable form: author, plain text, assignee"),
    ("conversation_tags", "Which tags a conversation has"),
    ("conversation_contacts", "Which contacts take part in a conversation"),
    (
        "conversation_timelines",
        "First message, first response, closes and time spans of each conversation, for reports",
    ),
    ("conversation_parts_state", "When the parts of each conversation were fetched"),
    ("contact_companies", "Which companies a contact belongs to"),
    ("contact_tags", "Which tags a contact has"),
    ("contact_segments", "Which segments a contact is in"),
    ("contact_subscriptions", "Which subscriptions a contact has"),
    ("contact_notes", "Notes about contacts"),
    ("contact_segments_state", "When the members of each segment were fetched, and how many it had"),
    ("ticket_contacts", "Which contacts a ticket is about"),
    ("texts", "The plain text of all records: title, body, and the record it belongs to"),
    ("texts_index", "Full-text index over texts: SELECT ... FROM texts_index WHERE texts_index MATCH 'word'"),
    ("texts_words", "The words of texts_index and how many texts have them: term, doc, cnt"),
    ("sync_failures", "Records that could not be fetched, and when they are retried"),
    ("sync_rereads", "Records that later syncs fetch again although they do not count as changed"),
    ("article_statistics_state", "When the statistics of each article were fetched"),
    ("sync_seen", "Records that the current listing has returned"),
    ("ticket_parts_state", "When the parts of each ticket were fetched"),
    ("contact_lists_state", "When the longer lists of each contact were fetched"),
    ("sync_state", "Sync state of each resource"),
    ("workspace", "The workspace that this mirror belongs to"),
];

impl Store {
    /// The tables and views that statements can use, views first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn relations(&self) -> Result<Vec<Relation>, Error> {
        let sql = "SELECT name, type FROM sqlite_schema
                   WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                     AND name NOT LIKE 'texts\\_index\\__%' ESCAPE '\\' AND name NOT IN ('texts_due', 'erasures')
                   ORDER BY type = 'table', name";
        let mut statement = self.connection.prepare(sql)?;
        let names = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(String, String)>, _>>()?;
        let mut columns = self.connection.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let mut relations = Vec::with_capacity(names.len());
        for (name, kind) in names {
            let columns = columns
                .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let resource = name.parse::<ResourceName>().ok().map(|name| name.resource().about);
            let other = || ABOUT.iter().find(|(known, _)| *known == name).map(|(_, about)| *about);
            let about = resource.or_else(other).unwrap_or("");
            relations.push(Relation { name, kind, about, columns });
        }
        Ok(relations)
    }
}
