//! Prints errors, as text with a hint or as one JSON object. No other module prints an error that ends a command.

use std::io::Write;

use serde_json::{Value, json};

use super::{Error, Exit};
use crate::api;
use crate::api::conflict::Conflict;
use crate::data::printable;

impl Error {
    /// Prints the error on stderr (help and version on stdout) and returns the exit code.
    pub fn report(&self, as_json: bool) -> Exit {
        match self {
            Error::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Exit::Success,
            Error::Clap(error) if !as_json || !error.use_stderr() => {
                // There is nobody to report a closed stream to.
                let _ = error.print();
                return self.exit();
            }
            _ => {}
        }
        let text = if as_json { format!("{}\n", self.as_json()) } else { self.as_text() };
        // If stderr is closed, there is nowhere left to report it.
        let _ = std::io::stderr().write_all(text.as_bytes());
        self.exit()
    }

    fn as_text(&self) -> String {
        if matches!(self, Error::Declined) {
            // Declining is not an error.
            return format!("{self}\n");
        }
        let hint = self.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
        printable::lines(&format!("error: {self}\n{hint}"))
    }

    /// The error as one JSON object.
    pub fn as_json(&self) -> Value {
        let message = match self {
            Error::Clap(error) => {
                let text = error.render().to_string();
                text.trim_start_matches("error: ")
                    .split("\n\nUsage:")
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            }
            other => other.to_string(),
        };
        let api = self.api();
        let conflict = api.and_then(api::Error::conflict);
        let mut error = json!({
            "error": {
                "kind": self.kind(),
                "message": message,
                "exit_code": self.exit() as u8,
                "http_status": api.and_then(api::Error::status),
                "code": api.and_then(api::Error::code),
                "request_id": api.and_then(api::Error::request_id),
                "merged_into": api.and_then(api::Error::merged_into),
                "existing_id": conflict.as_ref().and_then(Conflict::id),
                "hint": self.hint(),
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
