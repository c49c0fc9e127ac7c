//! Parquet files of a mirrored resource: typed columns, and the document as text in `raw`.
//!
//! Times are timestamps in UTC, so that DuckDB, Spark, Trino and warehouses need no conversion. A row
//! group is written as soon as it is full; no more than one is ever in memory. A file appears under its
//! name only when it is whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use rusqlite::types::ValueRef;
use tempfile::NamedTempFile;

use super::error::Error;
use super::read::{Choice, Kind, Typed};
use super::resources::ResourceName;
use super::store::Store;

/// A row group is full with so many rows, or so many bytes of text.
const ROWS: usize = 20_000;
const BYTES: usize = 16 << 20;
/// Where records without a time of their own go.
const NO_MONTH: &str = "unknown";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub rows: u64,
    pub files: u64,
}

/// Writes one file, replacing it in one step.
///
/// # Errors
/// [`Error::File`] when it cannot be written.
pub fn to_file(
    store: &Store,
    resource: ResourceName,
    choice: &Choice,
    path: &Path,
) -> Result<Written, Error> {
    let columns = columns(resource);
    let mut file = Table::create(&columns, resource, path)?;
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    store.cells(resource, &names, choice, |cells| file.row(cells))?;
    Ok(Written { rows: file.close()?, files: 1 })
}

/// Writes one file for each month of `created_at`: `created_month=2026-05/conversations.parquet`.
///
/// # Errors
/// As [`to_file`], and when the resource does not tell when its records were made.
pub fn to_months(
    store: &Store,
    resource: ResourceName,
    choice: Choice,
    folder: &Path,
) -> Result<Written, Error> {
    if !resource.has_column("created_at") {
        return Err(Error::Question(format!("{resource} have no created_at to be partitioned by")));
    }
    let columns = columns(resource);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let made = names.iter().position(|name| *name == "created_at").unwrap_or_default();
    let choice = Choice { by_age: true, ..choice };
    let mut open: Option<(String, Table<'_>)> = None;
    let mut written = Written::default();
    store.cells(resource, &names, &choice, |cells| {
        let month = month(cells.get(made));
        if open.as_ref().is_none_or(|(current, _)| *current != month) {
            if let Some((_, done)) = open.take() {
                written.rows += done.close()?;
            }
            let path = folder.join(format!("created_month={month}")).join(format!("{resource}.parquet"));
            open = Some((month, Table::create(&columns, resource, &path)?));
            written.files += 1;
        }
        open.as_mut().map_or(Ok(()), |(_, table)| table.row(cells))
    })?;
    if let Some((_, last)) = open {
        written.rows += last.close()?;
    }
    Ok(written)
}

fn columns(resource: ResourceName) -> Vec<Typed> {
    let mut columns = resource.typed_columns();
    columns.push(Typed { name: "raw", kind: Kind::Text });
    columns
}

fn month(cell: Option<&ValueRef<'_>>) -> String {
    let seconds = cell.and_then(|cell| cell.as_i64().ok());
    let moment = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.map_or(NO_MONTH.to_owned(), |moment| moment.strftime("%Y-%m").to_string())
}

/// One file while it is written.
struct Table<'a> {
    path: PathBuf,
    writer: SerializedFileWriter<NamedTempFile>,
    columns: Vec<Column<'a>>,
    buffered: usize,
    bytes: usize,
    rows: u64,
}

/// The values of one column in the row group under way.
struct Column<'a> {
    typed: &'a Typed,
    /// 1 where there is a value, 0 where there is none.
    present: Vec<i16>,
    texts: Vec<ByteArray>,
    numbers: Vec<i64>,
    reals: Vec<f64>,
    flags: Vec<bool>,
}

impl<'a> Table<'a> {
    fn create(columns: &'a [Typed], resource: ResourceName, path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = NamedTempFile::new_in(folder).map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = SerializedFileWriter::new(file, schema(columns, resource)?, Arc::new(properties))
            .map_err(|error| refused(path, error))?;
        let columns = columns.iter().map(Column::new).collect();
        Ok(Table { path: path.to_owned(), writer, columns, buffered: 0, bytes: 0, rows: 0 })
    }

    fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Error> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += column.push(*cell);
        }
        self.buffered += 1;
        self.rows += 1;
        match self.buffered >= ROWS || self.bytes >= BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.buffered > 0 {
            self.group().map_err(|error| refused(&self.path, error))?;
        }
        (self.buffered, self.bytes) = (0, 0);
        Ok(())
    }

    fn group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column()? {
                column.write(writer)?;
            }
        }
        group.close().map(drop)
    }

    /// Ends the file and puts it in its place; returns its rows.
    fn close(mut self) -> Result<u64, Error> {
        self.flush()?;
        let file = self.writer.into_inner().map_err(|error| refused(&self.path, error))?;
        let failed = |source| Error::File { path: self.path.clone(), source };
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(self.rows)
    }
}

fn refused(path: &Path, error: ParquetError) -> Error {
    Error::File { path: path.to_owned(), source: std::io::Error::other(error) }
}

impl<'a> Column<'a> {
    fn new(typed: &'a Typed) -> Self {
        Column {
            typed,
            present: Vec::new(),
            texts: Vec::new(),
            numbers: Vec::new(),
            reals: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// Takes a cell; returns how many bytes it takes. One that does not fit its column is null.
    fn push(&mut self, cell: ValueRef<'_>) -> usize {
        let (fits, bytes) = match (self.typed.kind, cell) {
            (Kind::Text, ValueRef::Text(text)) => {
                self.texts.push(text.to_vec().into());
                (true, text.len())
            }
            (Kind::Text, ValueRef::Integer(number)) => {
                self.texts.push(number.to_string().into_bytes().into());
                (true, 8)
            }
            (Kind::Integer, ValueRef::Integer(number)) => {
                self.numbers.push(number);
                (true, 8)
            }
            (Kind::Number, ValueRef::Integer(number)) => {
                self.reals.push(number as f64);
                (true, 8)
            }
            (Kind::Number, ValueRef::Real(number)) => {
                self.reals.push(number);
                (true, 8)
            }
            (Kind::Time, ValueRef::Integer(seconds)) => {
                self.numbers.push(seconds.saturating_mul(1_000_000));
                (true, 8)
            }
            (Kind::Flag, ValueRef::Integer(flag)) => {
                self.flags.push(flag != 0);
                (true, 1)
            }
            _ => (false, 0),
        };
        self.present.push(i16::from(fits));
        bytes
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(&self.present[..]);
        match self.typed.kind {
            Kind::Text => {
                writer.typed::<ByteArrayType>().write_batch(&self.texts, present, None)?;
            }
            Kind::Integer | Kind::Time => {
                writer.typed::<Int64Type>().write_batch(&self.numbers, present, None)?;
            }
            Kind::Number => {
                writer.typed::<DoubleType>().write_batch(&self.reals, present, None)?;
            }
            Kind::Flag => {
                writer.typed::<BoolType>().write_batch(&self.flags, present, None)?;
            }
        }
        writer.close()?;
        *self = Column::new(self.typed);
        Ok(())
    }
}

fn schema(columns: &[Typed], resource: ResourceName) -> Result<TypePtr, Error> {
    let wrong = |error: ParquetError| Error::Question(error.to_string());
    let field = |column: &Typed| {
        let (physical, logical) = match column.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Integer => (Physical::INT64, None),
            Kind::Number => (Physical::DOUBLE, None),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Kind::Flag => (Physical::BOOLEAN, None),
        };
        let built = Type::primitive_type_builder(column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build();
        built.map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let schema = Type::group_type_builder(resource.as_str()).with_fields(fields).build().map_err(wrong)?;
    Ok(Arc::new(schema))
}
