//! The flags about output: its format, its fields, and where it goes.
//!
//! Several flags name a format; [`OutputFlags::format`] is the only place that decides between them.

use std::io::IsTerminal;

use clap::Args;
use jiff::tz::TimeZone;

use super::format::Format;
use super::jq::JqProgram;
use super::names::NameLookup;
use super::select::FieldSelection;
use super::view::options::ViewOptions;
use crate::cli::error::InvalidValue;
use crate::cli::files::OutputFile;
use crate::cli::flag_values::OneOf;
use crate::cli::streams;
use crate::report::business_hours;

const FORMATS: OneOf<Format> = OneOf {
    names: &["json", "ndjson", "csv", "plain", "table", "quiet", "toon"],
    parse: |text| text.parse().map_err(|reason| InvalidValue::from(format!("--format: {reason}"))),
};

const PROGRESS_FORMS: OneOf<ProgressForm> =
    OneOf { names: &ProgressForm::NAMES, parse: |text| Ok(ProgressForm::parse(text)?) };

#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct OutputFlags {
    /// Print one JSON document on stdout, and errors as JSON on stderr
    #[arg(long)]
    json: bool,
    /// Print one JSON record per line
    #[arg(long)]
    ndjson: bool,
    /// Print CSV that is safe to open in a spreadsheet
    #[arg(long)]
    csv: bool,
    /// With --csv, do not escape cells that begin with = + - @
    #[arg(long)]
    pub csv_raw: bool,
    /// Print tab-separated lines
    #[arg(long)]
    plain: bool,
    /// Print only the id of each record, one per line
    #[arg(long)]
    quiet: bool,
    /// Format: json, ndjson, csv, plain, table, quiet or toon (JSON in fewer tokens)
    // Its id differs from its name, because commands may declare a `--format` themselves.
    #[arg(id = "output-format", long = "format", value_name = "FORMAT", value_parser = FORMATS, hide_possible_values = true)]
    typed_format: Option<Format>,
    /// Print only these fields of the records or results: a,b.c,*_at,name:d.e
    #[arg(long, value_name = "FIELDS", value_parser = selection)]
    pub select: Option<FieldSelection>,
    /// Transform the JSON with a jq program, for at most 10 s (INTERCOM_JQ_SECONDS sets the limit)
    #[arg(long, value_name = "PROGRAM", value_parser = program)]
    pub jq: Option<JqProgram>,
    /// Print only key fields: ids, names, states, times
    #[arg(long)]
    pub compact: bool,
    /// Print a table even if the output is not a terminal
    #[arg(long)]
    human_friendly: bool,
    /// For agents: --json --compact --no-input --no-color, and --yes for changes that can be undone
    #[arg(long)]
    pub agent: bool,
    /// Print without colours [env: NO_COLOR]
    #[arg(long)]
    pub no_color: bool,
    /// Print without a pager (INTERCOM_PAGER or PAGER names it)
    #[arg(long)]
    pub no_pager: bool,
    /// In tables, show all columns and whole texts
    #[arg(long)]
    pub wide: bool,
    /// Progress on stderr: text, json (one event per line) or none [default: json with --json, else text]
    #[arg(long, value_name = "FORM", value_parser = PROGRESS_FORMS, hide_possible_values = true)]
    progress: Option<ProgressForm>,
    /// Time zone of dates, for example Europe/Dublin [default: that of the office hours, else UTC; tables: the system's]
    #[arg(long, value_name = "ZONE", value_parser = timezone)]
    pub timezone: Option<TimeZone>,
    /// Show and read times in UTC
    #[arg(long)]
    pub utc: bool,
    /// Send the output to stdout, file:PATH (written atomically) or webhook:URL
    #[arg(long, value_name = "WHERE", value_parser = deliver)]
    deliver: Option<Deliver>,
    /// Names of records whose ids are shown in tables.
    #[arg(skip)]
    pub names: NameLookup,
    /// How to show a single record to people.
    #[arg(skip)]
    pub view: ViewOptions,
}

/// The value of `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProgressForm {
    /// Events with `--json`, otherwise text.
    #[default]
    Auto,
    Text,
    Json,
    None,
}

impl ProgressForm {
    pub const NAMES: [&'static str; 4] = ["auto", "text", "json", "none"];

    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(ProgressForm::Auto),
            "text" => Ok(ProgressForm::Text),
            "json" => Ok(ProgressForm::Json),
            "none" => Ok(ProgressForm::None),
            _ => Err(format!("--progress: unknown form {text:?}: expected auto, text, json or none")),
        }
    }
}

/// Where the output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Deliver {
    #[default]
    Stdout,
    File(OutputFile),
    Webhook(String),
}

impl OutputFlags {
    /// The format that the flags ask for.
    pub fn format(&self) -> Option<Format> {
        let flags = [
            (self.quiet, Format::Quiet),
            (self.is_csv(), Format::Csv),
            (self.plain, Format::Plain),
            (self.ndjson, Format::Ndjson),
            (self.json || self.agent, Format::Json),
            (self.human_friendly, Format::Table),
        ];
        let flag = flags.into_iter().find(|(is_on, _)| *is_on).map(|(_, format)| format);
        self.typed_format.or(flag)
    }

    /// The format of the output: by default a table on a terminal and JSON elsewhere.
    pub fn format_or_default(&self) -> Format {
        // Who names a destination wants the same output everywhere, and a jq program needs JSON.
        let is_for_people = || self.deliver.is_none() && self.jq.is_none() && self.to_terminal();
        let default = || if is_for_people() { Format::Table } else { Format::Json };
        self.format().unwrap_or_else(default)
    }

    /// Whether the output goes to a terminal.
    pub fn to_terminal(&self) -> bool {
        *self.deliver() == Deliver::Stdout && streams::current().is_none() && std::io::stdout().is_terminal()
    }

    pub(super) fn progress_form(&self) -> ProgressForm {
        self.progress.unwrap_or_default()
    }

    /// Whether the output is text for people as the command chooses, without fields or a program that the user named.
    pub fn is_for_people(&self) -> bool {
        self.format_or_default() == Format::Table && self.select.is_none() && self.jq.is_none()
    }

    pub fn deliver(&self) -> &Deliver {
        self.deliver.as_ref().unwrap_or(&Deliver::Stdout)
    }

    pub fn with_format(self, format: Format) -> Self {
        OutputFlags { typed_format: Some(format), ..self }
    }

    /// Whether the flags contradict `--jq`, which prints JSON.
    pub fn contradict_jq(&self) -> bool {
        let is_table = matches!(self.typed_format, Some(Format::Csv | Format::Table));
        self.jq.is_some() && (self.is_csv() || is_table)
    }

    /// Whether a flag, not `--format`, asks for CSV.
    pub fn is_csv(&self) -> bool {
        self.csv || self.csv_raw
    }

    /// Whether `--quiet` is given, whatever the format.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// For output that never ends: lines, unless another format is named or prints lines as well. A terminal gets lines
    /// of text, unless flags about JSON are given.
    pub fn for_stream(self) -> Self {
        let is_kept = self.typed_format.is_some() || self.quiet || self.is_csv() || self.plain;
        let is_for_people = self.is_for_people() && !self.compact;
        if is_kept || is_for_people { self } else { self.with_format(Format::Ndjson) }
    }

    /// For the summary of what was written to a file: the flags about records and lines apply to the file.
    pub fn for_summary(self) -> Self {
        OutputFlags { csv: false, csv_raw: false, ndjson: false, select: None, jq: None, ..self }
    }

    /// For answers that are short already.
    pub fn without_compact(self) -> Self {
        OutputFlags { compact: false, ..self }
    }

    /// Whether the flags ask for a format, or for fields of the JSON.
    pub fn ask_for_data(&self) -> bool {
        self.format().is_some() || self.compact || self.select.is_some() || self.jq.is_some()
    }

    /// Whether a single record is shown as a view for people.
    pub fn shows_view(&self) -> bool {
        self.is_for_people() || self.view.markdown
    }

    /// The time zone in which tables and texts for people show times.
    pub fn zone(&self) -> TimeZone {
        self.named_zone().unwrap_or_else(TimeZone::system)
    }

    /// The time zone that `--utc` or `--timezone` names.
    pub fn named_zone(&self) -> Option<TimeZone> {
        if self.utc { Some(TimeZone::UTC) } else { self.timezone.clone() }
    }

    pub fn delivered_to(self, deliver: Deliver) -> Self {
        OutputFlags { deliver: Some(deliver), ..self }
    }
}

fn selection(text: &str) -> Result<FieldSelection, InvalidValue> {
    Ok(FieldSelection::parse(text)?)
}

fn program(text: &str) -> Result<JqProgram, InvalidValue> {
    Ok(JqProgram::parse(text)?)
}

fn timezone(text: &str) -> Result<TimeZone, InvalidValue> {
    business_hours::zone(text).map_err(|reason| format!("--timezone: {reason}").into())
}

fn deliver(text: &str) -> Result<Deliver, InvalidValue> {
    match text.split_once(':') {
        None if text == "stdout" => Ok(Deliver::Stdout),
        Some(("file", path)) if !path.is_empty() => Ok(Deliver::File(path.to_owned().into())),
        Some(("webhook", url)) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Deliver::Webhook(url.to_owned()))
        }
        _ => {
            Err(format!("--deliver: unknown target {text:?}: expected stdout, file:PATH or webhook:URL")
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_forms_are_refused_with_the_known_ones() {
        for name in ProgressForm::NAMES {
            assert!(ProgressForm::parse(name).is_ok(), "{name}");
        }
        assert!(ProgressForm::parse("bars").unwrap_err().contains("auto, text, json or none"));
    }
}
