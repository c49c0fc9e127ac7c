//! Writes a view for a terminal: colours, wrapped lines, times as people say them.
//!
//! Every text passes through [`printable`] here. Colour is never the only mark: notes have a label and a bar, bots have a
//! label.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::model::{Datum, Entry, Event, Fact, Message, Section, Thread, View};
use crate::cli::output::clock::Clock;
use crate::cli::output::extent::grouped;
use crate::cli::output::palette::Palette;
use crate::data::printable::one_line;

/// How to write.
pub struct Page<'a> {
    /// In terminal columns.
    pub width: usize,
    pub clock: &'a Clock,
    pub palette: Palette,
}

/// Columns for the labels of lines, unless one is wider.
const MIN_LABELS: usize = 10;
const MAX_LABELS: usize = 24;

pub fn render(view: &View, page: &Page<'_>) -> String {
    let mut text = String::new();
    for line in wrapped(&one_line(&view.title), page.width) {
        let _ = writeln!(text, "{}", page.palette.bold(&line));
    }
    let _ = writeln!(text, "{}", page.palette.dim(&one_line(&view.kind)));
    write_facts(&mut text, &view.facts, page);
    if !view.attributes.is_empty() {
        let _ = writeln!(text, "\n{}", page.palette.bold("Attributes"));
        write_facts(&mut text, &view.attributes, page);
    }
    for section in &view.texts {
        write_section(&mut text, section, page);
    }
    if let Some(thread) = view.thread.as_ref().filter(|thread| !thread.entries.is_empty()) {
        text.push('\n');
        text.push_str(&self::thread(thread, page));
    }
    text
}

/// The messages and events of a thread.
pub fn thread(thread: &Thread, page: &Page<'_>) -> String {
    let mut text = String::new();
    if thread.not_returned > 0 {
        let count = grouped(thread.not_returned);
        let line = format!("… {count} earlier parts, which the API does not return");
        let _ = writeln!(text, "{}\n", page.palette.dim(&line));
    }
    match thread.left_out {
        0 => {}
        1 => drop(writeln!(text, "{}\n", page.palette.dim("… 1 earlier message; omit --last to see it"))),
        count => {
            let line = format!("… {count} earlier messages; omit --last to see them");
            let _ = writeln!(text, "{}\n", page.palette.dim(&line));
        }
    }
    let mut follows_event = false;
    for (index, entry) in thread.entries.iter().enumerate() {
        let is_event = matches!(entry, Entry::Event(_));
        // Events follow each other without blank lines.
        if index > 0 && !(is_event && follows_event) {
            text.push('\n');
        }
        match entry {
            Entry::Message(message) => write_message(&mut text, message, page),
            Entry::Event(event) => write_event(&mut text, event, page),
        }
        follows_event = is_event;
    }
    text
}

fn write_facts(text: &mut String, facts: &[Fact], page: &Page<'_>) {
    let widest = facts.iter().map(|fact| fact.label.width()).max().unwrap_or_default();
    facts.iter().for_each(|fact| write_fact(text, fact, widest.clamp(MIN_LABELS, MAX_LABELS), page));
}

/// Writes a line, with its label in this many columns.
fn write_fact(text: &mut String, fact: &Fact, labels: usize, page: &Page<'_>) {
    let label = one_line(&fact.label);
    let values: Vec<(String, bool)> = fact.values.iter().map(|value| datum(value, page)).collect();
    let plain = values.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>().join(" · ");
    let room = page.width.saturating_sub(labels.max(label.width()) + 3);
    let label = format!("{label}{}", " ".repeat(labels.saturating_sub(label.width())));
    let mut lines = wrapped(&plain, room).into_iter();
    let first = lines.next().unwrap_or_default();
    // States are coloured only where the line is whole, so that a style never spans two lines.
    let first = match (lines.len(), &values[..]) {
        (0, [(state, true), rest @ ..]) => {
            let rest = rest.iter().map(|(value, _)| format!(" · {value}"));
            format!("{}{}", page.palette.state(state), rest.collect::<String>())
        }
        _ => first,
    };
    let _ = writeln!(text, "  {} {first}", page.palette.dim(&label));
    for line in lines {
        let _ = writeln!(text, "  {} {line}", " ".repeat(labels));
    }
}

/// A value as text, and whether it is a state.
fn datum(value: &Datum, page: &Page<'_>) -> (String, bool) {
    match value {
        Datum::Text(text) => (one_line(text), false),
        Datum::State(state) => (one_line(state), true),
        Datum::Moment("", at) => (page.clock.full(*at), false),
        Datum::Moment(word, at) => (format!("{word} {}", page.clock.full(*at)), false),
    }
}

fn write_section(text: &mut String, section: &Section, page: &Page<'_>) {
    text.push('\n');
    if !section.heading.is_empty() {
        let _ = writeln!(text, "{}", page.palette.bold(&section.heading));
    }
    for line in section.text.lines().flat_map(|line| wrapped(&one_line(line), page.width)) {
        let _ = writeln!(text, "{line}");
    }
}

fn write_message(text: &mut String, message: &Message, page: &Page<'_>) {
    let palette = page.palette;
    let is_automatic = message.role.is_automatic() && !message.is_note;
    let author = one_line(&message.author);
    let author = if is_automatic { author } else { palette.bold(&author) };
    let label = if message.is_note { "note".to_owned() } else { one_line(message.role.label()) };
    let at = message.at.map(|at| format!(" · {}", page.clock.full(at))).unwrap_or_default();
    let (bar, label) = if message.is_note {
        (palette.yellow("┃ "), palette.yellow(&label))
    } else {
        ("  ".to_owned(), label)
    };
    let head = format!("{author} ({label}){at}");
    let head = if is_automatic { palette.dim(&head) } else { head };
    let margin = if message.is_note { bar.as_str() } else { "" };
    let _ = writeln!(text, "{margin}{head}");
    let lines = message.text.lines().flat_map(|line| wrapped(&one_line(line), page.width.saturating_sub(2)));
    for line in lines {
        let line = if is_automatic { palette.dim(&line) } else { line };
        let _ = writeln!(text, "{}", format!("{bar}{line}").trim_end());
    }
    for file in &message.attachments {
        let _ = writeln!(text, "{bar}{} {}", palette.dim("attached:"), one_line(file));
    }
}

fn write_event(text: &mut String, event: &Event, page: &Page<'_>) {
    let at = event.at.map(|at| format!(" · {}", page.clock.short(at))).unwrap_or_default();
    for (index, line) in wrapped(&format!("{}{at}", one_line(&event.text)), page.width.saturating_sub(2))
        .into_iter()
        .enumerate()
    {
        let mark = if index == 0 { "·" } else { " " };
        let _ = writeln!(text, "{}", page.palette.dim(&format!("{mark} {line}")));
    }
}

/// Breaks a line at spaces. Later lines keep its indentation. Addresses are never broken, because nobody could open
/// them.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let width = width.max(20);
    if line.width() <= width {
        return vec![line.trim_end().to_owned()];
    }
    let indent: String = line.chars().take_while(|letter| matches!(letter, ' ' | '>')).collect();
    let hanging = if line[indent.len()..].starts_with("- ") { "  " } else { "" };
    let mut lines = Vec::new();
    let mut current = indent.clone();
    let mut is_empty = true;
    for word in line[indent.len()..].split(' ').filter(|word| !word.is_empty()) {
        for piece in pieces(word, width.saturating_sub(indent.width() + hanging.len()).max(10)) {
            if !is_empty && current.width() + 1 + piece.width() > width {
                lines.push(std::mem::replace(&mut current, format!("{indent}{hanging}")));
                is_empty = true;
            }
            if !is_empty {
                current.push(' ');
            }
            current.push_str(&piece);
            is_empty = false;
        }
    }
    lines.push(current);
    lines
}

/// A word, in pieces if it is wider than a line: texts without spaces, as in Japanese.
fn pieces(word: &str, width: usize) -> Vec<String> {
    if word.width() <= width || word.contains("://") {
        return vec![word.to_owned()];
    }
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for letter in word.chars() {
        let columns = letter.width().unwrap_or(0);
        if used + columns > width {
            pieces.push(String::new());
            used = 0;
        }
        used += columns;
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::OutputFlags;
    use crate::cli::output::view::model::Role;

    fn shown(view: &View, width: usize) -> String {
        let mut flags = OutputFlags::default();
        flags.utc = true;
        let clock = Clock::of(&flags).absolute();
        render(view, &Page { width, clock: &clock, palette: Palette::default() })
    }

    fn message(author: &str, role: Role, is_note: bool, text: &str) -> Entry {
        Entry::Message(Message {
            author: author.to_owned(),
            role,
            is_note,
            at: Some(1_760_000_000),
            text: text.to_owned(),
            attachments: Vec::new(),
        })
    }

    #[test]
    fn a_thread_reads_like_a_chat() {
        let mut view =
            View { title: "Refund".to_owned(), kind: "conversation 7".to_owned(), ..View::default() };
        view.line("state", vec![Datum::State("open".to_owned()), Datum::Text("priority".to_owned())]);
        view.moment("waiting", "since", Some(1_760_000_000));
        let event = |text: &str| Entry::Event(Event { text: text.to_owned(), at: Some(1_760_000_060) });
        let mut entries = vec![
            message("Ann", Role::Contact("user".to_owned()), false, "Where is\n\nmy money?"),
            message("Mara", Role::Teammate, true, "Paid twice"),
            message("Fin", Role::AiAgent, false, "Hello"),
            event("Mara took this"),
            event("Mara closed this"),
        ];
        if let Entry::Message(note) = &mut entries[1] {
            note.attachments.push("bill.pdf".to_owned());
        }
        view.thread = Some(Thread { entries, left_out: 2, not_returned: 1_000 });
        let expected = "Refund\nconversation 7\n  state      open · priority\n  waiting    since 2025-10-09 08:53\n\n\
            … 1,000 earlier parts, which the API does not return\n\n… 2 earlier messages; omit --last to see them\n\n\
            Ann (user) · 2025-10-09 08:53\n  Where is\n\n  my money?\n\n\
            ┃ Mara (note) · 2025-10-09 08:53\n┃ Paid twice\n┃ attached: bill.pdf\n\n\
            Fin (AI agent) · 2025-10-09 08:53\n  Hello\n\n\
            · Mara took this · 2025-10-09 08:54\n· Mara closed this · 2025-10-09 08:54\n";
        assert_eq!(shown(&view, 80), expected);
    }

    #[test]
    fn lines_are_wrapped_and_addresses_stay_whole() {
        assert_eq!(wrapped("one two three four five six", 20), ["one two three four", "five six"]);
        assert_eq!(wrapped("- one two three four five", 20), ["- one two three four", "  five"]);
        let address = "https://example.com/a/very/long/address";
        assert_eq!(wrapped(&format!("see {address} now"), 20), ["see", address, "now"]);
        assert_eq!(wrapped("日本語日本語日本語日本語", 20), ["日本語日本語日本語日", "本語"]);
        assert_eq!(wrapped("", 20), [""]);
    }

    #[test]
    fn texts_cannot_control_the_terminal() {
        let hostile = "a\u{1b}[2Jb\rc\u{202e}";
        let mut view = View { title: hostile.to_owned(), kind: hostile.to_owned(), ..View::default() };
        view.fact(hostile, [hostile]);
        view.line("state", vec![Datum::State(hostile.to_owned())]);
        let text = hostile.to_owned();
        view.texts.push(Section { heading: String::new(), text, markdown: None });
        let mut message = message(hostile, Role::Contact(hostile.to_owned()), false, hostile);
        if let Entry::Message(message) = &mut message {
            message.attachments.push(hostile.to_owned());
        }
        let event = Entry::Event(Event { text: hostile.to_owned(), at: None });
        view.thread = Some(Thread { entries: vec![message, event], ..Thread::default() });
        let shown = shown(&view, 80);
        assert!(!shown.chars().any(|letter| letter != '\n' && (letter.is_control() || letter == '\u{202e}')));
        assert_eq!(shown.matches("[2Jb").count(), 11, "{shown}");
    }
}
