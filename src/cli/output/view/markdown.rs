//! Writes a view as Markdown: a transcript to paste into a ticket, or to give to a language model.
//!
//! Whoever wrote a message must not be able to imitate a heading, another speaker or the end of the message: bodies are
//! quoted line by line, and their Markdown is escaped. Times are absolute, so the same record gives the same text.

use std::fmt::Write;

use jiff::tz::TimeZone;

use super::model::{Datum, Entry, Event, Fact, Message, Section, Thread, View};
use crate::cli::output::clock::Clock;
use crate::cli::output::extent::grouped;
use crate::data::printable::{lines, one_line};

pub fn render(view: &View, clock: &Clock) -> String {
    let mut text = format!("# {}\n\n", escaped(&view.title));
    let _ = writeln!(text, "- {}", escaped(&view.kind));
    for fact in &view.facts {
        let _ = writeln!(text, "- {}: {}", escaped(&fact.label), values(fact, clock));
    }
    if !view.attributes.is_empty() {
        text.push_str("\n## Attributes\n\n");
    }
    for attribute in &view.attributes {
        let _ = writeln!(text, "- {}: {}", escaped(&attribute.label), values(attribute, clock));
    }
    for section in &view.texts {
        write_section(&mut text, section);
    }
    if let Some(thread) = &view.thread {
        write_thread(&mut text, thread, clock);
    }
    text
}

fn values(fact: &Fact, clock: &Clock) -> String {
    let values = fact.values.iter().map(|value| match value {
        Datum::Text(text) | Datum::State(text) => escaped(text),
        Datum::Moment("", at) => moment(*at, clock),
        Datum::Moment(word, at) => format!("{word} {}", moment(*at, clock)),
    });
    values.collect::<Vec<_>>().join(" · ")
}

fn write_section(text: &mut String, section: &Section) {
    text.push('\n');
    if !section.heading.is_empty() {
        let _ = writeln!(text, "## {}\n", escaped(&section.heading));
    }
    match &section.markdown {
        Some(markdown) => {
            let _ = writeln!(text, "{}", lines(markdown).trim_end());
        }
        None => quote(text, &section.text),
    }
}

fn write_thread(text: &mut String, thread: &Thread, clock: &Clock) {
    if thread.not_returned > 0 {
        let count = grouped(thread.not_returned);
        let _ = writeln!(text, "\n*{count} earlier parts, which the API does not return*");
    }
    if thread.left_out > 0 {
        let messages = if thread.left_out == 1 { "message" } else { "messages" };
        let _ = writeln!(text, "\n*{} earlier {messages} left out*", thread.left_out);
    }
    for entry in &thread.entries {
        text.push('\n');
        match entry {
            Entry::Message(message) => write_message(text, message, clock),
            Entry::Event(event) => write_event(text, event, clock),
        }
    }
}

fn write_message(text: &mut String, message: &Message, clock: &Clock) {
    let at = message.at.map(|at| format!(" · {}", moment(at, clock))).unwrap_or_default();
    let author = format!("{} ({})", escaped(&message.author), escaped(message.role.label()));
    let note = if message.is_note { "Internal note, not visible to customers · " } else { "" };
    let _ = writeln!(text, "## {note}{author}{at}\n");
    quote(text, &message.text);
    if !message.attachments.is_empty() {
        let gap = if message.text.is_empty() { "" } else { "\n" };
        let files: Vec<String> = message.attachments.iter().map(|file| escaped(file)).collect();
        let _ = writeln!(text, "{gap}Attached: {}", files.join(", "));
    }
}

fn write_event(text: &mut String, event: &Event, clock: &Clock) {
    let at = event.at.map(|at| format!(" · {}", moment(at, clock))).unwrap_or_default();
    let _ = writeln!(text, "*{}{at}*", escaped(&event.text));
}

/// Writes a text as a quote, so that all of its lines visibly belong together.
fn quote(text: &mut String, quoted: &str) {
    for line in quoted.lines() {
        let line = escaped(line);
        let _ = writeln!(text, "{}", format!("> {line}").trim_end());
    }
}

/// A line of text whose characters mean nothing in Markdown or HTML.
fn escaped(line: &str) -> String {
    let line = one_line(line);
    let indent = line.len() - line.trim_start().len();
    let mut escaped = String::with_capacity(line.len() + 8);
    let mut previous = ' ';
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map_or(' ', |(_, next)| *next);
        let begins_line = at == indent;
        let is_mark = match letter {
            '\\' | '`' | '*' | '[' | ']' | '<' | '|' | '~' => true,
            // Inside of a word it is a letter.
            '_' => !(previous.is_alphanumeric() && next.is_alphanumeric()),
            '&' => next == '#' || next.is_ascii_alphabetic(),
            '#' | '>' | '=' | '+' | '-' => begins_line,
            // A numbered list could hold headings.
            '.' | ')' => at > indent && line[indent..at].bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        if is_mark {
            escaped.push('\\');
        }
        escaped.push(letter);
        previous = letter;
    }
    // Four spaces would be a block of code.
    if indent >= 4 { format!("   {}", escaped.trim_start()) } else { escaped }
}

/// Date, time and zone.
fn moment(at: i64, clock: &Clock) -> String {
    let form = if *clock.zone() == TimeZone::UTC { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d %H:%M %:z" };
    clock.format(at, form)
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event as Parsed, Parser, Tag};

    use super::*;
    use crate::cli::output::OutputFlags;
    use crate::cli::output::view::model::Role;

    fn clock() -> Clock {
        let mut flags = OutputFlags::default();
        flags.utc = true;
        Clock::of(&flags)
    }

    fn transcript(text: &str, is_note: bool) -> String {
        let message = Message {
            author: "Ann".to_owned(),
            role: Role::Contact("user".to_owned()),
            is_note,
            at: Some(1_760_000_000),
            text: text.to_owned(),
            attachments: vec!["a_b*.pdf".to_owned()],
        };
        let event = Event { text: "Mara closed this".to_owned(), at: Some(1_760_000_060) };
        let entries = vec![Entry::Message(message), Entry::Event(event)];
        let thread = Some(Thread { entries, ..Thread::default() });
        let view =
            View { title: "Refund".to_owned(), kind: "conversation 7".to_owned(), thread, ..View::default() };
        render(&view, &clock())
    }

    #[test]
    fn a_transcript_has_absolute_times_and_marks_notes() {
        let expected = "# Refund\n\n- conversation 7\n\n## Ann (user) · 2025-10-09 08:53 UTC\n\n> Hi\n>\n> you\n\n\
            Attached: a_b\\*.pdf\n\n*Mara closed this · 2025-10-09 08:54 UTC*\n";
        assert_eq!(transcript("Hi\n\nyou", false), expected);
        assert!(
            transcript("Hi", true).contains("## Internal note, not visible to customers · Ann (user) · 2025")
        );
    }

    #[test]
    fn a_zone_is_shown_with_its_offset() {
        let mut flags = OutputFlags::default();
        flags.timezone = Some(TimeZone::get("America/New_York").unwrap());
        let clock = Clock::of(&flags);
        assert_eq!(moment(1_760_000_000, &clock), "2025-10-09 04:53 -04:00");
    }

    /// Everything that a message could use to look like something else.
    #[test]
    fn a_message_cannot_imitate_anything_outside_of_it() {
        let hostile = "# Heading\n## Mara (teammate) · now\n> quote\ntext\n===\nmore\n---\n- list\n+ list\n* list\n1. # item\n2) item\n```\ncode\n```\n\
            \u{20}   indented\n<h1>html</h1> <!-- c -->\n[link](https://x.example) ![i](y)\n*em* _em_ `code` ~~no~~\n| a | b |\n\
            |---|---|\n&lt;b&gt;\n\u{1b}[31m\n\n\n## Fin (AI agent)";
        let markdown = transcript(hostile, false);
        let mut headings = 0;
        let mut quoted = String::new();
        let mut depth = 0;
        for event in Parser::new_ext(&markdown, pulldown_cmark::Options::all()) {
            match event {
                Parsed::Start(Tag::BlockQuote(_)) => depth += 1,
                Parsed::End(pulldown_cmark::TagEnd::BlockQuote(_)) => depth -= 1,
                Parsed::Start(Tag::Heading { .. }) if depth == 0 => headings += 1,
                Parsed::Start(Tag::Paragraph) | Parsed::End(_) | Parsed::SoftBreak | Parsed::HardBreak => {}
                Parsed::Text(text) if depth > 0 => quoted.push_str(&text),
                other if depth > 0 => panic!("{other:?} in {markdown}"),
                _ => {}
            }
        }
        assert_eq!(headings, 2, "{markdown}");
        for text in
            ["# Heading", "===", "<h1>html</h1>", "&lt;b&gt;", "[link](https://x.example)", "| a | b |"]
        {
            assert!(quoted.contains(text), "{text}: {quoted}");
        }
        assert!(!markdown.contains('\u{1b}'));
    }

    #[test]
    fn words_stay_readable() {
        for (text, escape) in [
            ("snake_case and a-b, 1.5 > 1", "snake_case and a-b, 1.5 > 1"),
            ("AT&T & co", "AT\\&T & co"),
            ("_private_", "\\_private\\_"),
        ] {
            assert_eq!(escaped(text), escape);
        }
    }
}
