//! How answers reach the reader: the envelope, the formats, and what is left out on request.
//!
//! Without `--select` or `--compact` the JSON of the answer is written as it was received, byte for
//! byte. stdout carries data only; whatever is said to people goes to stderr. `--jq` and TOON need the
//! whole document: it is made as JSON in memory, and changed at the end.

pub mod compact;
pub mod format;
mod grid;
pub mod jq;
mod list;
mod people;
mod records;
pub mod select;
mod sink;
mod toon;

use std::io::{IsTerminal, Write};

use serde_json::value::RawValue;
use serde_json::{Value, json};

pub use format::Format;
pub use list::List;
use select::{Matched, Selection};
use sink::Sink;

use super::capture::{self, Capture};
use super::error::Error;
use super::globals::{Deliver, Globals};

/// One answer on its way out.
pub struct Output<'a> {
    globals: &'a Globals,
    format: Format,
    sink: Sink,
    matched: Matched,
    /// The format that the finished JSON is turned into.
    after: Option<Format>,
    /// What is selected, where that differs from the flag: patterns filled in, or key fields.
    columns: Option<Selection>,
}

impl Format {
    /// The format that the flags ask for; by default a table on a terminal and JSON elsewhere.
    pub fn of(globals: &Globals) -> Self {
        let to_terminal =
            globals.deliver == Deliver::Stdout && capture::has_stdin() && std::io::stdout().is_terminal();
        match globals {
            Globals { format: Some(format), .. } => *format,
            Globals { quiet: true, .. } => Format::Quiet,
            Globals { csv: true, .. } => Format::Csv,
            Globals { plain: true, .. } => Format::Plain,
            Globals { ndjson: true, .. } => Format::Ndjson,
            Globals { json: true, .. } => Format::Json,
            Globals { human_friendly: true, .. } => Format::Table,
            _ if to_terminal => Format::Table,
            _ => Format::Json,
        }
    }
}

impl<'a> Output<'a> {
    /// # Errors
    /// When the place of delivery cannot be opened.
    pub fn open(globals: &'a Globals) -> Result<Self, Error> {
        let wanted = Format::of(globals);
        let after = (globals.jq.is_some() || wanted == Format::Toon).then_some(wanted);
        let (format, sink) = match after {
            Some(_) => (Format::Json, Sink::Memory(Vec::new())),
            None => (wanted, Sink::open(&globals.deliver)?),
        };
        Ok(Output { globals, format, sink, matched: Matched::default(), after, columns: None })
    }

    /// Writes one document: the envelope around `raw` (JSON text), or the records inside it.
    /// `list` is the place of the list inside the document (`data`, `data.articles`), if it is one.
    ///
    /// # Errors
    /// When the output cannot be written or delivered.
    pub async fn document(mut self, meta: Value, raw: &str, list: Option<&str>) -> Result<(), Error> {
        if self.format == Format::Json && self.globals.select.is_none() && !self.globals.compact {
            writeln!(self.sink, "{{\"meta\":{meta},\"results\":{raw}}}")?;
            return self.finish().await;
        }
        let document: Value = serde_json::from_str(raw).unwrap_or_default();
        if self.format == Format::Json {
            let shown = self.reduced(&document, list);
            writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
            return self.finish().await;
        }
        let list = list.and_then(|place| select::list_at(&document, place));
        if self.format == Format::Table && list.is_none() && document.is_object() {
            let shown = self.reduced(&document, None);
            write!(self.sink, "{}", people::lines(&shown))?;
            return self.finish().await;
        }
        let records = match (list, &document) {
            (Some(records), _) | (None, Value::Array(records)) => records.clone(),
            (None, Value::Null) => Vec::new(),
            (None, record) => vec![record.clone()],
        };
        let mut list = List::open(self, "", &records)?;
        for record in &records {
            list.record(record)?;
        }
        list.end(meta).await
    }

    /// Writes rows that were worked out here: `results` is the array of them, and every column is of interest.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn table(mut self, meta: Value, rows: &[Value]) -> Result<(), Error> {
        if self.format == Format::Json {
            let document = Value::Array(rows.to_vec());
            let shown = match &self.globals.select {
                Some(selection) => selection.document(&document, None, &mut self.matched),
                None => document,
            };
            writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
            return self.finish().await;
        }
        let mut list = List::begin(self, "", rows, false)?;
        for row in rows {
            list.record(row)?;
        }
        list.end(meta).await
    }

    /// The same for a single row: `results` is the row itself.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn table_of_one(mut self, meta: Value, row: &Value) -> Result<(), Error> {
        if self.format != Format::Json {
            return self.table(meta, std::slice::from_ref(row)).await;
        }
        let shown = match &self.globals.select {
            Some(selection) => selection.document(row, None, &mut self.matched),
            None => row.clone(),
        };
        writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
        self.finish().await
    }

    /// Writes a JSON value that is no answer of the API (a dry run, a status): no envelope.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn value(mut self, value: &Value) -> Result<(), Error> {
        match self.format {
            Format::Table => write!(self.sink, "{}", people::lines(value))?,
            _ => writeln!(self.sink, "{value}")?,
        }
        self.finish().await
    }

    /// Writes text made for people.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn text(mut self, text: &str) -> Result<(), Error> {
        if self.after.take().is_some() {
            self.sink = Sink::open(&self.globals.deliver)?;
        }
        write!(self.sink, "{text}")?;
        self.finish().await
    }

    /// Begins the content of a file, which no format applies to.
    ///
    /// # Errors
    /// When the place of delivery cannot be opened.
    pub fn bytes(globals: &'a Globals) -> Result<Bytes, Error> {
        Ok(Bytes(Sink::open(&globals.deliver)?))
    }

    /// Begins a list whose records are written one by one. `key` is the list's place in the document,
    /// `first` the records of its first page.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub fn list(self, key: &str, first: &[Box<RawValue>]) -> Result<List<'a>, Error> {
        let first = match self.format {
            Format::Json | Format::Ndjson | Format::Quiet => Vec::new(),
            _ => first.iter().filter_map(|record| serde_json::from_str(record.get()).ok()).collect(),
        };
        List::open(self, key, &first)
    }

    /// Begins a list whose columns are known beforehand and all of interest, also for a table.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub fn rows(self, key: &str, columns: &[String]) -> Result<List<'a>, Error> {
        let names = columns.iter().map(|name| (name.clone(), Value::Null));
        List::begin(self, key, &[names.collect::<serde_json::Map<_, _>>().into()], false)
    }

    fn reduced(&mut self, document: &Value, list: Option<&str>) -> Value {
        match &self.globals.select {
            Some(selection) => selection.document(document, list, &mut self.matched),
            None => compact::compact(document, list),
        }
    }

    async fn finish(self) -> Result<(), Error> {
        if let Some(selection) = &self.globals.select {
            for path in self.columns.as_ref().unwrap_or(selection).unknown(&self.matched) {
                warn(&format!("--select: no record has the field {path:?}"));
            }
        }
        let Some(format) = self.after else { return self.sink.finish(self.format.content_type()).await };
        let content = self.sink.into_memory();
        let text = match &self.globals.jq {
            Some(program) => program.run(&content, format).await?,
            None => toon::encoded(&content)?,
        };
        let mut sink = Sink::open(&self.globals.deliver)?;
        sink.write_all(text.as_bytes())?;
        sink.finish(format.content_type()).await
    }
}

/// The content of a file on its way out.
pub struct Bytes(Sink);

impl Bytes {
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        Ok(self.0.write_all(content)?)
    }

    /// # Errors
    /// When it cannot be written or delivered.
    pub async fn end(self) -> Result<(), Error> {
        self.0.finish("application/octet-stream").await
    }
}

/// Makes sure that there is a place for the output, before anything is done that has one.
///
/// # Errors
/// When the folder of the file cannot be written.
pub fn check_delivery(globals: &Globals) -> Result<(), Error> {
    match globals.deliver {
        Deliver::File(_) => Sink::open(&globals.deliver).map(drop),
        Deliver::Stdout | Deliver::Webhook(_) => Ok(()),
    }
}

/// Says something to people, on stderr.
pub fn warn(message: &str) {
    tell(&format!("warning: {message}"));
}

/// Says something to people, on stderr, without calling it a warning.
pub fn tell(message: &str) {
    tell_to(capture::current().as_deref(), message);
}

/// Says something to whoever captures, or on stderr.
#[allow(clippy::print_stderr, reason = "the one place that tells")]
pub fn tell_to(capture: Option<&Capture>, message: &str) {
    match capture {
        Some(capture) => capture.say(message),
        None => eprintln!("{message}"),
    }
}
