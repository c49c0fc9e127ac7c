//! Colours and weights of text on a terminal.
//!
//! Colour is decoration: nothing may be readable by its colour only. Text is never styled for a file, a pipe, or a
//! terminal that does not want it (`NO_COLOR`, `--no-color`, `TERM=dumb`).

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};

use super::flags::OutputFlags;
use crate::cli::streams;

/// Styles text, or leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Palette {
    is_on: bool,
}

impl Palette {
    /// For stdout.
    pub fn of(flags: &OutputFlags) -> Self {
        let is_wanted =
            !flags.no_color && *flags.deliver() == super::Deliver::Stdout && streams::current().is_none();
        Palette { is_on: is_wanted && anstream::AutoStream::choice(&std::io::stdout()) != ColorChoice::Never }
    }

    /// For stderr.
    pub fn of_errors(no_color: bool) -> Self {
        let is_wanted = !no_color && streams::current().is_none();
        Palette { is_on: is_wanted && anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never }
    }

    /// Whether text is styled at all.
    pub fn is_on(self) -> bool {
        self.is_on
    }

    pub fn bold(self, text: &str) -> String {
        self.styled(text, Style::new().bold())
    }

    /// For what matters less: bots, hints, technical fields.
    pub fn dim(self, text: &str) -> String {
        self.styled(text, Style::new().dimmed())
    }

    pub fn red(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Red)
    }

    pub fn green(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Green)
    }

    pub fn yellow(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Yellow)
    }

    pub fn cyan(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Cyan)
    }

    /// The state of a record or a check, by its word.
    pub fn state(self, state: &str) -> String {
        match state.to_lowercase().replace(' ', "_").as_str() {
            "open" | "published" | "ok" | "done" | "resolved" | "active" | "complete" => self.green(state),
            "snoozed" | "waiting" | "waiting_on_customer" | "draft" | "warning" | "warn" | "paused" => {
                self.yellow(state)
            }
            "error" | "failed" | "fail" | "breached" | "conflict" | "missing" => self.red(state),
            "closed" | "archived" | "skipped" => self.dim(state),
            "submitted" | "in_progress" | "running" | "planned" => self.cyan(state),
            _ => state.to_owned(),
        }
    }

    fn coloured(self, text: &str, colour: AnsiColor) -> String {
        self.styled(text, Style::new().fg_color(Some(colour.into())))
    }

    fn styled(self, text: &str, style: Style) -> String {
        if self.is_on && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_plain_unless_it_is_for_a_terminal() {
        let plain = Palette::default();
        assert_eq!((plain.bold("a"), plain.state("open")), ("a".to_owned(), "open".to_owned()));
        let colours = Palette { is_on: true };
        assert_eq!(colours.bold("a"), "\u{1b}[1ma\u{1b}[0m");
        assert_eq!(colours.state("open"), "\u{1b}[32mopen\u{1b}[0m");
        assert_eq!(colours.state("In progress"), "\u{1b}[36mIn progress\u{1b}[0m");
        assert_eq!((colours.state("other"), colours.red("")), ("other".to_owned(), String::new()));
    }
}
