//! Renders a contact for a terminal.

use std::fmt::Write;

use serde_json::json;

use crate::cli::output::cell;
use crate::cli::output::clock::Clock;
use crate::cli::output::grouped;
use crate::cli::output::names::Names;
use crate::cli::output::palette::Palette;
use crate::data::lenient;
use crate::data::printable::one_line;
use crate::mirror::ResourceName;
use crate::report::contact_360::{Contact360, ContactLabel, ConversationSummary, ThreadMessage};

/// How to write.
pub struct Sheet<'a> {
    /// In terminal columns.
    pub width: usize,
    pub clock: &'a Clock,
    pub palette: Palette,
}

/// Columns for the labels of lines.
const LABELS: usize = 9;
const INDENT: usize = 2;
/// Columns before a message under its conversation.
const MESSAGE_INDENT: usize = 6;

pub fn render(found: &Contact360, sheet: &Sheet<'_>, names: &mut Names) -> String {
    let mut text = String::new();
    let contact = &found.contact;
    let field = |name: &str| contact[name].as_str().filter(|value| !value.is_empty()).map(one_line);
    let id = field("id").unwrap_or_default();
    let title = field("name").or_else(|| field("email")).unwrap_or_else(|| id.clone());
    let _ = writeln!(text, "{}", sheet.palette.bold(&title));
    let _ = writeln!(text, "{}", sheet.palette.dim(&format!("contact {id}")));
    let about = ["role", "email", "phone", "external_id"].iter().filter_map(|name| field(name));
    sheet.fact(&mut text, "person", &about.collect::<Vec<_>>().join(" · "));
    sheet.fact(
        &mut text,
        "merged",
        &found.merged.iter().map(|id| one_line(id)).collect::<Vec<_>>().join(", "),
    );
    let companies = found.companies.iter().filter_map(|company| {
        let name = company["name"].as_str().map(str::to_owned);
        let known = name.or_else(|| names.of(ResourceName::Companies, &company["id"]));
        known.or_else(|| lenient::id(&company["id"])).map(|name| one_line(&name))
    });
    let companies: Vec<String> = companies.collect();
    sheet.fact(&mut text, if companies.len() == 1 { "company" } else { "companies" }, &companies.join(", "));
    let mut labels = |list: &[ContactLabel], resource| {
        let label = |entry: &ContactLabel| {
            let known = entry.name.clone().or_else(|| names.of(resource, &json!(entry.id)));
            one_line(known.as_deref().unwrap_or(&entry.id))
        };
        list.iter().map(label).collect::<Vec<String>>().join(", ")
    };
    sheet.fact(&mut text, "tags", &labels(&found.tags, ResourceName::Tags));
    sheet.fact(&mut text, "segments", &labels(&found.segments, ResourceName::Segments));
    let stats = &found.stats;
    if let Some(at) = stats.last_seen_at {
        sheet.fact(&mut text, "last seen", &sheet.clock.full(at));
    }
    let conversations = counted(stats.conversations, "conversation", stats.open_conversations);
    let tickets = counted(stats.tickets, "ticket", stats.open_tickets);
    sheet.fact(&mut text, "total", &format!("{conversations} · {tickets}"));
    sheet.conversations(&mut text, "Open conversations", &found.open_conversations);
    // The open ones are already on the screen.
    let is_shown = |id: &str| found.open_conversations.iter().any(|open| open.id == id);
    let recent: Vec<_> = found.recent_conversations.iter().filter(|recent| !is_shown(&recent.id)).collect();
    sheet.conversations(&mut text, "Recent conversations", recent);
    if !found.tickets.is_empty() {
        let _ = writeln!(text, "\n{}", sheet.palette.bold("Tickets"));
        for ticket in &found.tickets {
            let title = ticket.title.as_deref().unwrap_or_default();
            let state = ticket.state.as_deref().unwrap_or("?").replace('_', " ");
            let words =
                [sheet.time(ticket.updated_at), one_line(&state), one_line(&ticket.id), one_line(title)];
            sheet.record(&mut text, &words);
        }
    }
    if !found.notes.is_empty() {
        let _ = writeln!(text, "\n{}", sheet.palette.bold("Notes"));
        for note in &found.notes {
            let author = note.author.as_deref().map(one_line).unwrap_or_default();
            let _ = writeln!(text, "  {} · {author}", sheet.time(note.created_at));
            sheet.paragraph(&mut text, MESSAGE_INDENT, &shortened(&note.text));
        }
    }
    text
}

impl Sheet<'_> {
    /// A labelled line; nothing for an empty value.
    fn fact(&self, text: &mut String, label: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let room = self.width.saturating_sub(INDENT + LABELS + 1);
        for (at, line) in cell::wrap(value, room).iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let _ = writeln!(text, "  {} {line}", self.palette.dim(&format!("{label:<LABELS$}")));
        }
    }

    fn conversations<'c>(
        &self,
        text: &mut String,
        title: &str,
        list: impl IntoIterator<Item = &'c ConversationSummary>,
    ) {
        let mut list = list.into_iter().peekable();
        if list.peek().is_none() {
            return;
        }
        let _ = writeln!(text, "\n{}", self.palette.bold(title));
        for conversation in list {
            let assignees = [conversation.assignee.as_deref(), conversation.team.as_deref()];
            let assignees: Vec<String> = assignees.into_iter().flatten().map(one_line).collect();
            let words = [
                self.time(conversation.updated_at),
                one_line(&conversation.state),
                one_line(&conversation.id),
                assignees.join(" / "),
            ];
            self.record(text, &words);
            match &conversation.messages {
                Some(messages) => messages.iter().for_each(|entry| self.message(text, entry, &entry.text)),
                None => {
                    if let Some(last) = &conversation.last_message {
                        self.message(text, last, &shortened(&last.text));
                    }
                }
            }
        }
    }

    /// Time, state, id and what else there is, in one line.
    fn record(&self, text: &mut String, [time, state, id, rest]: &[String; 4]) {
        let line = format!("  {time:<16}  {state:<11}  {id:<15}  ");
        let rest = cell::cut(rest, self.width.saturating_sub(line.chars().count()));
        let coloured =
            line.replacen(state.as_str(), &self.palette.state(state), usize::from(!state.is_empty()));
        let _ = writeln!(text, "{}", format!("{coloured}{rest}").trim_end());
    }

    fn message(&self, text: &mut String, message: &ThreadMessage, words: &str) {
        let author = message.author.as_deref().map(one_line).unwrap_or_default();
        let by = match (author.as_str(), message.written_by) {
            ("", by) => by.to_owned(),
            (author, "contact" | "teammate") => author.to_owned(),
            (author, by) => format!("{author} ({by})"),
        };
        self.paragraph(text, MESSAGE_INDENT, &format!("{by}: {words}"));
    }

    fn paragraph(&self, text: &mut String, indent: usize, words: &str) {
        for line in
            words.lines().flat_map(|line| cell::wrap(&one_line(line), self.width.saturating_sub(indent)))
        {
            let _ = writeln!(text, "{}", format!("{:indent$}{line}", "").trim_end());
        }
    }

    fn time(&self, at: Option<i64>) -> String {
        at.map_or_else(|| "–".to_owned(), |at| self.clock.short(at))
    }
}

/// `1 ticket, 1 open`.
fn counted(count: impl TryInto<u64>, noun: &str, open: impl TryInto<u64>) -> String {
    let (count, open) = (count.try_into().unwrap_or(0), open.try_into().unwrap_or(0));
    let plural = if count == 1 { "" } else { "s" };
    let open = if open == 0 { String::new() } else { format!(", {} open", grouped(open)) };
    format!("{} {noun}{plural}{open}", grouped(count))
}

fn shortened(text: &str) -> String {
    cell::cut(&one_line(text), 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(counted(1_u64, "ticket", 1_u64), "1 ticket, 1 open");
        assert_eq!(counted(2_u64, "ticket", 0_u64), "2 tickets");
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        let clock = Clock::of(&crate::cli::output::OutputFlags::default());
        let sheet = Sheet { width: 40, clock: &clock, palette: Palette::default() };
        let mut text = String::new();
        sheet.fact(&mut text, "person", "user · nadia@kestrel-coffee.example · +353 21 555 0142");
        sheet.paragraph(&mut text, MESSAGE_INDENT, "Two customers just tried again, and it still fails.");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert_eq!(text.lines().count(), 5, "{text}");
    }
}
