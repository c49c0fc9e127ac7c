//! Exports a mirrored resource as Parquet: typed columns, and the document as text in `raw`.
//!
//! Times are UTC timestamps, so that DuckDB, Spark, Trino and warehouses need no conversion. At most one row group
//! may be in memory, and an incomplete file must never appear under its final name.

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

use super::Store;
use super::read::{ColumnType, RecordQuery, TypedColumn};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Limits of a row group: rows, and bytes of text.
const MAX_ROWS: usize = 20_000;
const MAX_BYTES: usize = 16 << 20;
/// The partition of records without `created_at`.
const NO_MONTH: &str = "unknown";

/// The number of exported rows and files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportedFiles {
    pub rows: u64,
    pub files: u64,
}

/// Writes one file, replacing an existing one atomically.
///
/// # Errors
/// [`Error::File`] if it cannot be written.
pub fn to_file(
    store: &Store,
    resource: ResourceName,
    choice: &RecordQuery,
    path: &Path,
) -> Result<ExportedFiles, Error> {
    let columns = columns(resource);
    let mut file = ParquetWriter::create(&columns, resource, path)?;
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    store.cells(resource, &names, choice, |cells| file.row(cells))?;
    Ok(ExportedFiles { rows: file.close()?, files: 1 })
}

/// Writes one file per month of `created_at`: `created_month=2026-05/conversations.parquet`.
///
/// # Errors
/// As [`to_file`], and if the resource has no column `created_at`.
pub fn to_months(
    store: &Store,
    resource: ResourceName,
    choice: RecordQuery,
    folder: &Path,
) -> Result<ExportedFiles, Error> {
    if !resource.has_column("created_at") {
        return Err(Error::InvalidQuery(format!(
            "cannot partition {resource} by month: no column created_at"
        )));
    }
    let columns = columns(resource);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let created_at = names.iter().position(|name| *name == "created_at").unwrap_or_default();
    let choice = RecordQuery { oldest_first: true, ..choice };
    let mut open: Option<(String, ParquetWriter<'_>)> = None;
    let mut files = ExportedFiles::default();
    store.cells(resource, &names, &choice, |cells| {
        let month = month(cells.get(created_at));
        if open.as_ref().is_none_or(|(current, _)| *current != month) {
            if let Some((_, previous)) = open.take() {
                files.rows += previous.close()?;
            }
            let path = folder.join(format!("created_month={month}")).join(format!("{resource}.parquet"));
            open = Some((month, ParquetWriter::create(&columns, resource, &path)?));
            files.files += 1;
        }
        open.as_mut().map_or(Ok(()), |(_, table)| table.row(cells))
    })?;
    if let Some((_, last)) = open {
        files.rows += last.close()?;
    }
    Ok(files)
}

fn columns(resource: ResourceName) -> Vec<TypedColumn> {
    let mut columns = resource.typed_columns();
    columns.push(TypedColumn { name: "raw", kind: ColumnType::Text });
    columns
}

fn month(cell: Option<&ValueRef<'_>>) -> String {
    let seconds = cell.and_then(|cell| cell.as_i64().ok());
    let moment = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.map_or(NO_MONTH.to_owned(), |moment| moment.strftime("%Y-%m").to_string())
}

/// A file being written.
struct ParquetWriter<'a> {
    path: PathBuf,
    writer: SerializedFileWriter<NamedTempFile>,
    columns: Vec<ColumnBuffer<'a>>,
    buffered: usize,
    bytes: usize,
    rows: u64,
}

/// The values of one column in the current row group.
struct ColumnBuffer<'a> {
    typed: &'a TypedColumn,
    /// The definition level of each row: 1 if it has a value, otherwise 0.
    present: Vec<i16>,
    texts: Vec<ByteArray>,
    numbers: Vec<i64>,
    reals: Vec<f64>,
    flags: Vec<bool>,
}

impl<'a> ParquetWriter<'a> {
    fn create(columns: &'a [TypedColumn], resource: ResourceName, path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = NamedTempFile::new_in(folder).map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = SerializedFileWriter::new(file, schema(columns, resource)?, Arc::new(properties))
            .map_err(|error| file_error(path, error))?;
        let columns = columns.iter().map(ColumnBuffer::new).collect();
        Ok(ParquetWriter { path: path.to_owned(), writer, columns, buffered: 0, bytes: 0, rows: 0 })
    }

    fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Error> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += column.push(*cell);
        }
        self.buffered += 1;
        self.rows += 1;
        if self.buffered >= MAX_ROWS || self.bytes >= MAX_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.buffered > 0 {
            self.write_group().map_err(|error| file_error(&self.path, error))?;
        }
        (self.buffered, self.bytes) = (0, 0);
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column()? {
                column.write(writer)?;
            }
        }
        group.close().map(drop)
    }

    /// Completes the file and moves it to its path. Returns the number of rows.
    fn close(mut self) -> Result<u64, Error> {
        self.flush()?;
        let file = self.writer.into_inner().map_err(|error| file_error(&self.path, error))?;
        let failed = |source| Error::File { path: self.path.clone(), source };
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(self.rows)
    }
}

fn file_error(path: &Path, error: ParquetError) -> Error {
    Error::File { path: path.to_owned(), source: std::io::Error::other(error) }
}

impl<'a> ColumnBuffer<'a> {
    fn new(typed: &'a TypedColumn) -> Self {
        ColumnBuffer {
            typed,
            present: Vec::new(),
            texts: Vec::new(),
            numbers: Vec::new(),
            reals: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// Adds a cell and returns its size in bytes. A cell of the wrong type becomes null.
    fn push(&mut self, cell: ValueRef<'_>) -> usize {
        let (is_valid, bytes) = match (self.typed.kind, cell) {
            (ColumnType::Text, ValueRef::Text(text)) => {
                self.texts.push(text.to_vec().into());
                (true, text.len())
            }
            (ColumnType::Text, ValueRef::Integer(number)) => {
                self.texts.push(number.to_string().into_bytes().into());
                (true, 8)
            }
            (ColumnType::Integer, ValueRef::Integer(number)) => {
                self.numbers.push(number);
                (true, 8)
            }
            (ColumnType::Number, ValueRef::Integer(number)) => {
                self.reals.push(number as f64);
                (true, 8)
            }
            (ColumnType::Number, ValueRef::Real(number)) => {
                self.reals.push(number);
                (true, 8)
            }
            (ColumnType::Time, ValueRef::Integer(seconds)) => {
                self.numbers.push(seconds.saturating_mul(1_000_000));
                (true, 8)
            }
            (ColumnType::Flag, ValueRef::Integer(flag)) => {
                self.flags.push(flag != 0);
                (true, 1)
            }
            _ => (false, 0),
        };
        self.present.push(i16::from(is_valid));
        bytes
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(&self.present[..]);
        match self.typed.kind {
            ColumnType::Text => {
                writer.typed::<ByteArrayType>().write_batch(&self.texts, present, None)?;
            }
            ColumnType::Integer | ColumnType::Time => {
                writer.typed::<Int64Type>().write_batch(&self.numbers, present, None)?;
            }
            ColumnType::Number => {
                writer.typed::<DoubleType>().write_batch(&self.reals, present, None)?;
            }
            ColumnType::Flag => {
                writer.typed::<BoolType>().write_batch(&self.flags, present, None)?;
            }
        }
        writer.close()?;
        *self = ColumnBuffer::new(self.typed);
        Ok(())
    }
}

fn schema(columns: &[TypedColumn], resource: ResourceName) -> Result<TypePtr, Error> {
    let invalid = |error: ParquetError| Error::InvalidQuery(error.to_string());
    let field = |column: &TypedColumn| {
        let (physical, logical) = match column.kind {
            ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnType::Integer => (Physical::INT64, None),
            ColumnType::Number => (Physical::DOUBLE, None),
            ColumnType::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            ColumnType::Flag => (Physical::BOOLEAN, None),
        };
        let built = Type::primitive_type_builder(column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build();
        built.map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>().map_err(invalid)?;
    let schema = Type::group_type_builder(resource.as_str()).with_fields(fields).build().map_err(invalid)?;
    Ok(Arc::new(schema))
}
