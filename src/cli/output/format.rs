//! The output formats, and how flags and webhooks name them.

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
    /// The value of `--format`.
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

    /// The content type that is sent to a webhook.
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
            _ => Err(format!(
                "unknown format {text:?}: expected json, ndjson, csv, plain, table, quiet or toon"
            )),
        }
    }
}
