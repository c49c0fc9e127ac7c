//! `--verbose`: one line on stderr for every request, for example `GET /contacts 200 34 ms`.
//!
//! Shows method, path, status and duration, never headers, bodies or the query, which can hold secrets and personal
//! data. Other events of the library follow in words.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::streams::{Notice, notice_to};

/// Prints the requests of this process from now on.
pub fn print_requests() {
    let targets = Targets::new().with_target("intercom", Level::DEBUG);
    let subscriber = tracing_subscriber::registry().with(RequestLines.with_filter(targets));
    // Fails only if a subscriber is already set, which then receives the events.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct RequestLines;

impl<S: Subscriber> Layer<S> for RequestLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        notice_to(None, Notice::Text(fields.line()));
    }
}

/// The fields of an event.
#[derive(Debug, Default)]
struct EventFields {
    message: String,
    method: String,
    path: String,
    status: Option<u64>,
    milliseconds: Option<u64>,
    /// All other fields, as `name=value`.
    others: String,
}

impl EventFields {
    fn line(&self) -> String {
        let EventFields { message, method, path, status, milliseconds, others } = self;
        if method.is_empty() {
            return format!("{message}{others}");
        }
        let result = status.map_or_else(|| message.clone(), |status| status.to_string());
        let duration = milliseconds.map(|duration| format!(" {duration} ms")).unwrap_or_default();
        format!("{method} {path} {result}{duration}{others}")
    }
}

impl Visit for EventFields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = Some(value),
            "ms" => self.milliseconds = Some(value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "method" => write!(self.method, "{value:?}"),
            "path" => write!(self.path, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line() {
        let request = EventFields {
            method: "GET".to_owned(),
            path: "/contacts".to_owned(),
            message: "response".to_owned(),
            status: Some(200),
            milliseconds: Some(34),
            others: String::new(),
        };
        assert_eq!(request.line(), "GET /contacts 200 34 ms");
        let lost = EventFields { status: None, message: "timed out".to_owned(), ..request };
        assert_eq!(lost.line(), "GET /contacts timed out 34 ms");
        let other = EventFields {
            message: "retrying".to_owned(),
            others: " wait_ms=200".to_owned(),
            ..EventFields::default()
        };
        assert_eq!(other.line(), "retrying wait_ms=200");
    }
}
