//! How answers reach the reader: the envelope, the formats, and what is left out on request.
//!
//! Without `--select` or `--compact` the JSON of the answer is written as it was received, byte for
//! byte. stdout carries data only; whatever is said to people goes to stderr. `--jq` and TOON need the
//! whole document: it is made as JSON in memory, and changed at the end.

pub mod compact;
mod content;
mod extent;
pub mod format;
mod grid;
pub mod jq;
mod layout;
mod list;
pub mod names;
mod people;
pub mod printable;
mod records;
pub mod select;
mod sink;
mod toon;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::value::RawValue;
use serde_json::{Value, json};

use content::LeftOut;
pub use extent::{Extent, NextPage, grouped};
pub use format::Format;
pub use grid::{cut, room};
use list::Columns;
pub use list::List;
use names::Names;
use select::{Matched, Selection};
use sink::Sink;

use super::capture::{self, Capture};
use super::error::{Error, Exit};
use super::globals::{Deliver, Globals};

/// A document with what is known about its records.
#[derive(serde::Deserialize)]
struct Envelope {
    meta: Box<RawValue>,
}

/// Where a document holds its records, and how many of all they are. A document cannot show a list without it.
#[derive(Debug)]
pub struct Records<'a> {
    /// The path of the list in the document: `data`, `data.articles`.
    pub key: &'a str,
    pub extent: Extent,
    pub shown: u64,
}

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
    /// Of the records, if the answer is a list.
    extent: Option<(Extent, u64)>,
    /// Whether a table breaks long texts over several lines instead of cutting them.
    wraps: bool,
    /// Lines for people, written once the output is out.
    notes: Vec<String>,
}

impl Format {
    /// The format that the flags ask for; by default a table on a terminal and JSON elsewhere.
    pub fn of(globals: &Globals) -> Self {
        let to_terminal = globals.deliver == Deliver::Stdout
            && capture::current().is_none()
            && std::io::stdout().is_terminal();
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
        let (matched, columns, extent, notes) = (Matched::default(), None, None, Vec::new());
        Ok(Output { globals, format, sink, matched, after, columns, extent, wraps: false, notes })
    }

    /// The output of sentences, which nobody wants to see cut.
    pub fn wrapped(self) -> Self {
        Output { wraps: true, ..self }
    }

    /// The output of a document that is a list of `shown` records.
    pub fn of(self, extent: Extent, shown: u64) -> Self {
        Output { extent: Some((extent, shown)), ..self }
    }

    /// Puts the counts of a list into its `meta`, and its line for people among the notes.
    fn describe(&mut self, extent: &Extent, meta: &mut Value, shown: u64) {
        extent.describe(meta, shown);
        let note = extent.note(shown);
        self.notes.extend(note.filter(|_| self.has_notes()));
    }

    /// Whether people hear of what is not shown. A reader of JSON finds it in `meta`; a jq program may drop that.
    fn has_notes(&self) -> bool {
        self.format != Format::Json || self.globals.jq.is_some()
    }

    /// One record as people read it.
    fn one_for_people(&mut self, document: &Value) -> String {
        let mut shown = content::of_one(document);
        let left_out = content::left_out(document, &shown).len();
        let mut names = Names::new(&self.globals.names);
        names.learn(document);
        names.put_into(&mut shown);
        if left_out > 0 {
            let fields = if left_out == 1 { "field" } else { "fields" };
            self.notes.push(format!("+ {left_out} more {fields}: --json"));
        }
        people::record(&shown)
    }

    /// Writes one document: the envelope around `raw` (JSON text), or the records inside it.
    /// `list` is the place of the list inside the document (`data`, `data.articles`), if it is one.
    ///
    /// # Errors
    /// When the output cannot be written or delivered.
    pub async fn document(
        mut self,
        mut meta: Value,
        raw: &str,
        list: Option<Records<'_>>,
    ) -> Result<(), Error> {
        let list = list.map(|records| {
            self.extent = Some((records.extent, records.shown));
            records.key
        });
        if self.extent.is_none() && raw.starts_with('[') {
            let shown = serde_json::from_str::<Vec<&RawValue>>(raw).map_or(0, |records| records.len());
            self.extent = Some((Extent::whole("records"), shown as u64));
        }
        if self.format == Format::Json {
            if let Some((extent, shown)) = self.extent.take() {
                self.describe(&extent, &mut meta, shown);
            }
            if self.globals.select.is_none() && !self.globals.compact {
                writeln!(self.sink, "{{\"meta\":{meta},\"results\":{raw}}}")?;
            } else {
                let document = readable(raw)?;
                let shown = self.reduced(&document, list, &mut meta);
                writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
            }
            return self.finish().await;
        }
        let document = readable(raw)?;
        let list = list.and_then(|place| select::list_at(&document, place));
        if self.format == Format::Table && list.is_none() && document.is_object() {
            let text = match &self.globals.select {
                Some(_) => people::lines(&self.reduced(&document, None, &mut meta)),
                None => self.one_for_people(&document),
            };
            write!(self.sink, "{text}")?;
            return self.finish().await;
        }
        let is_list = list.is_some() || document.is_array();
        let records = match (list, &document) {
            (Some(records), _) | (None, Value::Array(records)) => records.clone(),
            (None, Value::Null) => Vec::new(),
            (None, record) => vec![record.clone()],
        };
        let extent = self.extent.take().map(|(extent, _)| extent);
        let mut list = List::open(self, "", &records)?;
        for record in &records {
            list.record(record)?;
        }
        match extent.filter(|_| is_list) {
            Some(extent) => list.end(meta, &extent).await,
            None => list.close(meta).await,
        }
    }

    /// Writes rows that were worked out here: `results` is the array of them, and every column is of interest.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn table(mut self, mut meta: Value, rows: &[Value], extent: &Extent) -> Result<(), Error> {
        if self.format == Format::Json {
            let document = Value::Array(rows.to_vec());
            let shown = match &self.globals.select {
                Some(selection) => selection.document(&document, None, &mut self.matched),
                None => document,
            };
            self.describe(extent, &mut meta, rows.len() as u64);
            writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
            return self.finish().await;
        }
        let mut list = List::begin(self, "", rows, Columns::Found)?;
        for row in rows {
            list.record(row)?;
        }
        list.end(meta, extent).await
    }

    /// The same for a single row: `results` is the row itself.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn table_of_one(mut self, meta: Value, row: &Value) -> Result<(), Error> {
        if self.format != Format::Json {
            let mut list = List::begin(self, "", std::slice::from_ref(row), Columns::Found)?;
            list.record(row)?;
            return list.close(meta).await;
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
        if let Some((extent, shown)) = self.extent.take() {
            self.describe(&extent, &mut Value::Null, shown);
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
        List::begin(self, key, &[names.collect::<serde_json::Map<_, _>>().into()], Columns::Named)
    }

    /// The document with what was asked for. What `--compact` left out is named in `meta`.
    fn reduced(&mut self, document: &Value, list: Option<&str>, meta: &mut Value) -> Value {
        if let Some(selection) = &self.globals.select {
            return selection.document(document, list, &mut self.matched);
        }
        let is_one = document.is_object() && list.is_none();
        let shown = if is_one { content::of_one(document) } else { compact::compact(document, list) };
        let records = |value: &Value| match list {
            Some(place) => select::list_at(value, place).cloned().unwrap_or_default(),
            None => value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]),
        };
        let mut left_out = LeftOut::default();
        for (record, shown) in records(document).iter().zip(records(&shown).iter()) {
            left_out.note(record, shown);
        }
        left_out.tell(meta);
        shown
    }

    async fn finish(self) -> Result<(), Error> {
        let mut notes = self.notes;
        if let Some(selection) = &self.globals.select {
            for path in self.columns.as_ref().unwrap_or(selection).unknown(&self.matched) {
                notes.push(format!("warning: --select: no record has the field {path:?}"));
            }
        }
        match self.after {
            None => self.sink.finish(self.format.content_type()).await?,
            Some(format) => {
                let content = self.sink.into_memory();
                // A program may drop what is known about its records; who captures keeps it.
                if let Some(capture) = capture::current() {
                    let envelope = serde_json::from_slice::<Envelope>(&content);
                    envelope.map(|envelope| capture.keep_meta(envelope.meta.get())).unwrap_or_default();
                }
                let text = match &self.globals.jq {
                    Some(program) => program.run(&content, format).await?,
                    None => toon::encoded(&content)?,
                };
                let mut sink = Sink::open(&self.globals.deliver)?;
                sink.write_all(text.as_bytes())?;
                sink.finish(format.content_type()).await?;
            }
        }
        // After the output: what is said of a table belongs below it.
        notes.iter().for_each(|note| tell(note));
        Ok(())
    }
}

/// The JSON of a document or a record, which may hold what fits no value: a number beyond all bounds, or very deep
/// nesting. It must not be replaced by an empty value.
///
/// # Errors
/// When it cannot be read.
pub fn readable(raw: &str) -> Result<Value, Error> {
    serde_json::from_str(raw).map_err(|error| Error::Finding {
        message: format!("cannot read the answer: {error}"),
        exit: Exit::Failure,
        hint: Some("--json without --select and --compact shows it as it came".to_owned()),
    })
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

/// Warns of what holds for the whole process, however often it is come upon.
pub fn warn_once(message: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_new = SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(message.to_owned());
    if is_new {
        warn(message);
    }
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
        None => eprintln!("{}", printable::lines(message)),
    }
}
