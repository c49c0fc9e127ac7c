//! The forms in which answers can be written.

use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Ndjson,
    Csv,
    Plain,
    Quiet,
    Table,
    Toon,
}

impl Format {
    /// The name under which `--format` knows it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Plain => "plain",
            Format::Quiet => "quiet",
            Format::Table => "table",
            Format::Toon => "toon",
        }
    }

    /// What a webhook is told that it gets.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson",
            Format::Csv => "text/csv",
            Format::Plain | Format::Quiet | Format::Table | Format::Toon => "text/plain; charset=utf-8",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Format::Json),
            "ndjson" => Ok(Format::Ndjson),
            "csv" => Ok(Format::Csv),
            "plain" => Ok(Format::Plain),
            "quiet" => Ok(Format::Quiet),
            "table" => Ok(Format::Table),
            "toon" => Ok(Format::Toon),
            _ => Err(format!("{text:?} is none of json, ndjson, csv, plain, table, quiet, toon")),
        }
    }
}
