//! Writes results: the envelope, the formats, and the fields selected with `--select` or `--compact`.
//!
//! Without these flags the JSON of a response is written as it was received, byte for byte. stdout carries
//! data only; notices for people go to stderr. `--jq` and TOON need the complete document, so it is collected
//! as JSON in memory and converted at the end.

pub mod cell;
pub mod clock;
pub mod compact;
mod content;
mod extent;
pub mod flags;
pub mod format;
pub mod grid;
mod human;
pub mod jq;
mod json;
mod json_printer;
mod key_columns;
mod layout;
mod list;
pub mod names;
mod pager;
pub mod palette;
pub mod progress;
mod record_lines;
mod records;
mod rows;
pub mod select;
mod sink;
mod table;
mod toon;
pub mod view;
pub mod wrap;

use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use clock::Clock;
use content::OmittedFields;
pub use extent::{Extent, NextPage, grouped, limit_for_more};
pub use flags::{Deliver, OutputFlags};
pub use format::Format;
pub use json::{parse_json, to_json, to_json_text};
pub use list::List;
use names::Names;
pub use record_lines::RecordLines;
use select::{FieldSelection, MatchedPaths};
pub use sink::Bytes;
use sink::Sink;
pub use table::{cut, terminal_width};
use view::ShownView;

use super::error::Error;
use super::streams::{self, Notice};
pub use super::streams::{notice, notice_to, progress_event, warn, warn_once};

/// The envelope of a finished document.
#[derive(serde::Deserialize)]
struct Envelope {
    meta: Box<RawValue>,
}

/// The list inside a document: its path, and how many of all records it holds.
#[derive(Debug)]
pub struct DocumentList<'a> {
    /// Dotted path of the list in the document: `data`, `data.articles`.
    pub key: &'a str,
    pub extent: Extent,
    pub shown: u64,
}

/// Writes one result.
pub struct Output<'a> {
    flags: &'a OutputFlags,
    format: Format,
    sink: Sink,
    matched: MatchedPaths,
    /// The format that the finished JSON is converted to.
    convert_to: Option<Format>,
    /// The selected fields where they differ from the flag: expanded patterns, or key fields.
    columns: Option<FieldSelection>,
    /// For a list: its extent, and the number of records shown.
    extent: Option<(Extent, u64)>,
    /// Whether a table wraps long texts instead of cutting them.
    wraps: bool,
    /// Whether a table shows words between `**` in bold.
    highlights: bool,
    /// Whether names are shown in place of ids although the columns are fixed.
    names_ids: bool,
    /// Notices for people, printed after the output.
    notes: Vec<Notice>,
}

impl<'a> Output<'a> {
    /// # Errors
    /// When the destination cannot be opened.
    pub fn open(flags: &'a OutputFlags) -> Result<Self, Error> {
        let format = flags.format_or_default();
        let convert_to = (flags.jq.is_some() || format == Format::Toon).then_some(format);
        let (format, sink) = match convert_to {
            Some(_) => (Format::Json, Sink::Memory(Vec::new())),
            None => (format, Sink::open(flags, format)?),
        };
        let (matched, columns, extent, notes) = (MatchedPaths::default(), None, None, Vec::new());
        let (wraps, highlights, names_ids) = (false, false, false);
        Ok(Output {
            flags,
            format,
            sink,
            matched,
            convert_to,
            columns,
            extent,
            wraps,
            highlights,
            names_ids,
            notes,
        })
    }

    /// Wraps long texts in tables: for columns with sentences.
    pub fn wrapped(self) -> Self {
        Output { wraps: true, ..self }
    }

    /// Shows names in place of ids in a table with fixed columns.
    pub fn naming_ids(self) -> Self {
        Output { names_ids: true, ..self }
    }

    /// Shows words between `**` in bold, in tables on a terminal with colours.
    pub fn highlighted(self) -> Self {
        Output { highlights: true, ..self }
    }

    /// Marks the document as a list that shows `shown` records.
    pub fn of(self, extent: Extent, shown: u64) -> Self {
        Output { extent: Some((extent, shown)), ..self }
    }

    /// Adds the counts of a list to its `meta`, and its notice to the notes.
    fn describe(&mut self, extent: &Extent, meta: &mut Value, shown: u64) {
        extent.describe(meta, shown);
        let note = extent.note(shown);
        self.notes.extend(note.filter(|_| self.has_notes()));
    }

    /// Whether hidden records are reported on stderr. Readers of JSON find them in `meta`, but a jq program may drop it.
    fn has_notes(&self) -> bool {
        self.format != Format::Json || self.flags.jq.is_some()
    }

    /// One record as text for people.
    fn human_record(&mut self, document: &Value) -> String {
        if let Some(shown) = view::of_record(document, self.flags) {
            self.note_omitted(shown.omitted);
            return shown.text;
        }
        let mut shown = content::details(document);
        let omitted = content::omitted_fields(document, &shown).len();
        let mut names = Names::new(&self.flags.names);
        names.learn(document);
        names.insert_into(&mut shown);
        self.note_omitted(omitted);
        human::record(&shown, &Clock::of(self.flags))
    }

    /// Reports the number of fields that a text for people leaves out.
    fn note_omitted(&mut self, omitted: usize) {
        if omitted > 0 {
            let fields = if omitted == 1 { "field" } else { "fields" };
            self.notes.push(Notice::Text(format!("+ {omitted} more {fields}: --json")));
        }
    }

    /// Writes one record as Markdown: as text or, for programs, in a field of the result.
    async fn markdown(mut self, meta: Value, shown: ShownView) -> Result<(), Error> {
        if self.format == Format::Json {
            let results = json!({ "markdown": shown.text });
            writeln!(self.sink, "{}", json!({ "meta": meta, "results": results }))?;
        } else {
            self.note_omitted(shown.omitted);
            write!(self.sink, "{}", shown.text)?;
        }
        self.finish().await
    }

    /// Writes one document: the envelope around `raw` (JSON text), or the records inside it.
    ///
    /// # Errors
    /// When the output cannot be written or delivered.
    pub async fn document(
        mut self,
        mut meta: Value,
        raw: &str,
        list: Option<DocumentList<'_>>,
    ) -> Result<(), Error> {
        if self.flags.view.markdown
            && let Some(shown) = view::of_record(&parse_json(raw)?, self.flags)
        {
            return self.markdown(meta, shown).await;
        }
        let list = list.map(|records| {
            self.extent = Some((records.extent, records.shown));
            records.key
        });
        if self.extent.is_none() && raw.starts_with('[') {
            let shown = serde_json::from_str::<Vec<&RawValue>>(raw).map_or(0, |records| records.len());
            self.extent = Some((Extent::complete("records"), shown as u64));
        }
        if self.format == Format::Json {
            if let Some((extent, shown)) = self.extent.take() {
                self.describe(&extent, &mut meta, shown);
            }
            if self.flags.select.is_none() && !self.flags.compact {
                writeln!(self.sink, "{{\"meta\":{meta},\"results\":{raw}}}")?;
            } else {
                let document = parse_json(raw)?;
                let shown = self.reduced(&document, list, &mut meta);
                writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
            }
            return self.finish().await;
        }
        let document = parse_json(raw)?;
        let list = list.and_then(|path| select::list_at(&document, path));
        if self.format == Format::Table && list.is_none() && document.is_object() {
            let text = match &self.flags.select {
                Some(_) => human::lines(&self.reduced(&document, None, &mut meta), &Clock::of(self.flags)),
                None => self.human_record(&document),
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

    /// Writes a computed document: as [`Output::document`], for what did not come from the API.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn report(self, meta: Value, document: &impl Serialize) -> Result<(), Error> {
        self.document(meta, &to_json_text(document)?, None).await
    }

    /// Writes a computed value (a dry run, a status) without an envelope.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn value(mut self, value: &impl Serialize) -> Result<(), Error> {
        let value = to_json(value)?;
        match self.format {
            Format::Table => write!(self.sink, "{}", human::lines(&value, &Clock::of(self.flags)))?,
            _ => writeln!(self.sink, "{value}")?,
        }
        self.finish().await
    }

    /// Writes text for people.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn text(mut self, text: &str) -> Result<(), Error> {
        if self.convert_to.take().is_some() {
            self.sink = Sink::open(self.flags, Format::Table)?;
        }
        self.sink.without_json();
        if let Some((extent, shown)) = self.extent.take() {
            self.describe(&extent, &mut Value::Null, shown);
        }
        write!(self.sink, "{text}")?;
        self.finish().await
    }

    /// Begins the content of a file, to which formats do not apply.
    ///
    /// # Errors
    /// When the destination cannot be opened.
    pub fn bytes(flags: &'a OutputFlags) -> Result<Bytes, Error> {
        Bytes::open(flags.deliver())
    }

    /// The document reduced by `--select` or `--compact`. Fields that `--compact` omits are listed in `meta`.
    fn reduced(&mut self, document: &Value, list: Option<&str>, meta: &mut Value) -> Value {
        if let Some(selection) = &self.flags.select {
            return selection.document(document, list, &mut self.matched);
        }
        let is_one = document.is_object() && list.is_none();
        let cut = if is_one { content::cut_texts(document) } else { Vec::new() };
        if !cut.is_empty() {
            meta["cut"] = json!(cut);
        }
        let shown = if is_one { content::details(document) } else { compact::compact(document, list) };
        let records = |value: &Value| match list {
            Some(path) => select::list_at(value, path).cloned().unwrap_or_default(),
            None => value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]),
        };
        let mut omitted = OmittedFields::default();
        for (record, shown) in records(document).iter().zip(records(&shown).iter()) {
            omitted.add(record, shown);
        }
        omitted.describe(meta);
        shown
    }

    async fn finish(self) -> Result<(), Error> {
        let mut notes = self.notes;
        if let Some(selection) = &self.flags.select {
            for path in self.columns.as_ref().unwrap_or(selection).unknown(&self.matched) {
                let note = format!("warning: --select: no record has the field {path:?}");
                notes.push(Notice::Text(note));
            }
        }
        match self.convert_to {
            None => self.sink.finish(self.format.content_type()).await?,
            Some(format) => {
                let content = self.sink.into_memory();
                // A jq program may drop `meta`; a capture keeps it.
                if let Some(capture) = streams::current()
                    && let Ok(envelope) = serde_json::from_slice::<Envelope>(&content)
                {
                    capture.keep_meta(envelope.meta.get());
                }
                let text = match &self.flags.jq {
                    Some(program) => program.run(&content, format).await?,
                    None => toon::encode_document(&content)?,
                };
                // The values of a jq program are lines.
                let written =
                    if self.flags.jq.is_some() && format == Format::Json { Format::Ndjson } else { format };
                let mut sink = Sink::open(self.flags, written)?;
                sink.write_all(text.as_bytes())?;
                sink.finish(format.content_type()).await?;
            }
        }
        // Notices about a table belong below it.
        for note in notes {
            notice_to(streams::current().as_deref(), note);
        }
        Ok(())
    }
}

/// Checks that the output can be written, before a request changes anything.
///
/// # Errors
/// When the folder of the file cannot be written.
pub fn check_delivery(flags: &OutputFlags) -> Result<(), Error> {
    match flags.deliver() {
        Deliver::File(_) => Sink::direct(flags.deliver()).map(drop),
        Deliver::Stdout | Deliver::Webhook(_) => Ok(()),
    }
}
