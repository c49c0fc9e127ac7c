//! The result of an SQL statement.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Error;
use crate::mirror;
use crate::mirror::sql::{RowSink, SqlEnd};

/// The rows of a statement, all in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The names of the columns. A name that occurs twice gets a number: `id`, `id_2`.
    pub columns: Vec<String>,
    /// The rows, each with as many values as there are columns. Times are epoch seconds, flags 0 and 1, bytes
    /// hexadecimal text.
    pub rows: Vec<Vec<Value>>,
    /// How the statement ended: with all rows, or at a limit.
    pub end: SqlEnd,
}

impl Rows {
    /// Whether these are all rows of the result.
    pub fn is_complete(&self) -> bool {
        self.end == SqlEnd::Complete
    }

    /// The rows as values of a type that has a field for each column.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidDocument`](super::ErrorKind::InvalidDocument) if a row does not have this type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        let record = |row: &Vec<Value>| {
            let fields: Map<String, Value> = self.columns.iter().cloned().zip(row.iter().cloned()).collect();
            serde_json::from_value(Value::Object(fields)).map_err(Error::document)
        };
        self.rows.iter().map(record).collect()
    }
}

/// Collects the rows of a statement.
#[derive(Default)]
pub(super) struct RowCollector {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl RowSink for RowCollector {
    type Error = mirror::Error;

    fn columns(&mut self, names: &[String]) -> Result<(), mirror::Error> {
        self.columns = names.to_vec();
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Result<(), mirror::Error> {
        self.rows.push(values);
        Ok(())
    }
}
