//! Prints errors, as text with a hint or as one JSON object. No other module prints an error that ends a command.

use std::io::Write;

use clap::error::ErrorKind;
use serde_json::{Value, json};

use super::{Error, Exit};
use crate::api;
use crate::api::conflict::Conflict;
use crate::cli::output::palette::Palette;
use crate::data::printable;

impl Error {
    /// Prints the error on stderr (help and version on stdout) and returns the exit code. `words` are those of the
    /// command that was typed, empty for none.
    pub fn report(&self, as_json: bool, words: &str, palette: Palette) -> Exit {
        match self {
            Error::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Exit::Success,
            // Without arguments, a group shows its commands. That is an answer, not an error.
            Error::Clap(error)
                if !as_json && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
            {
                let mut stdout = anstream::stdout();
                let _ = write!(stdout, "{}", error.render().ansi());
                return Exit::Success;
            }
            Error::Clap(error) if !error.use_stderr() => {
                // There is nobody to report a closed stream to.
                let _ = error.print();
                return self.exit();
            }
            _ => {}
        }
        let text =
            if as_json { format!("{}\n", self.to_json(Some(words))) } else { self.as_text(words, palette) };
        // If stderr is closed, there is nowhere left to report it.
        let _ = std::io::stderr().write_all(text.as_bytes());
        self.exit()
    }

    fn as_text(&self, words: &str, palette: Palette) -> String {
        if matches!(self, Error::Declined(_)) {
            // Declining is not an error.
            return format!("{self}\n");
        }
        let hint = self.hint().map(|hint| hint.for_command(words).to_string());
        let line = |label: String, text: &str| format!("{label} {}\n", printable::lines(text));
        let error = line(palette.bold(&palette.red("error:")), &self.to_string());
        error + &hint.map(|hint| line(palette.cyan("hint:"), &hint)).unwrap_or_default()
    }

    /// The error as one JSON object.
    pub fn as_json(&self) -> Value {
        self.to_json(None)
    }

    fn to_json(&self, words: Option<&str>) -> Value {
        let api = self.api();
        let conflict = api.and_then(api::Error::conflict);
        let mut error = json!({
            "error": {
                "kind": self.kind(),
                "message": self.to_string(),
                "exit_code": self.exit() as u8,
                "http_status": api.and_then(api::Error::status),
                "code": api.and_then(api::Error::code),
                "request_id": api.and_then(api::Error::request_id),
                "merged_into": api.and_then(api::Error::merged_into),
                "existing_id": conflict.as_ref().and_then(Conflict::id),
                "hint": self.hint().map(|hint| match words {
                    Some(words) => hint.for_command(words),
                    None => hint,
                }),
            }
        });
        if let Error::Token { place, .. } = self {
            error["error"]["token_place"] = json!(place);
        }
        if let Error::Unconfirmed { records, .. } = self {
            error["error"]["unconfirmed"] = json!({ "records": records });
        }
        if let Some(fields) = error["error"].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        error
    }
}
