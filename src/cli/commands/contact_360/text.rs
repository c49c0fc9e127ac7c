//! Renders a contact for a terminal.

use std::fmt::Write;

use jiff::Timestamp;

use crate::data::printable::one_line;
use crate::report::contact_360::{Contact360, ContactLabel, ConversationSummary, ThreadMessage};

pub fn render(found: &Contact360) -> String {
    let mut text = String::new();
    let contact = &found.contact;
    let field = |name: &str| contact[name].as_str().filter(|value| !value.is_empty()).map(one_line);
    let id = field("id").unwrap_or_default();
    let title = field("name").or_else(|| field("email")).unwrap_or_else(|| id.clone());
    let _ = writeln!(text, "{title}");
    let about = ["role", "email", "phone", "external_id", "id"].iter().filter_map(|name| field(name));
    let _ = writeln!(text, "  {}", about.collect::<Vec<_>>().join(" · "));
    let names = |names: Vec<String>| if names.is_empty() { "-".to_owned() } else { names.join(", ") };
    let companies = found
        .companies
        .iter()
        .map(|company| company["name"].as_str().or(company["id"].as_str()).map(one_line));
    let _ = writeln!(text, "  companies: {}", names(companies.flatten().collect()));
    let entries = |list: &[ContactLabel]| {
        names(list.iter().map(|entry| one_line(entry.name.as_deref().unwrap_or(&entry.id))).collect())
    };
    let _ = writeln!(text, "  tags: {}   segments: {}", entries(&found.tags), entries(&found.segments));
    let stats = &found.stats;
    let _ = writeln!(
        text,
        "  {} conversations, {} open; {} tickets, {} open; last seen {}",
        stats.conversations,
        stats.open_conversations,
        stats.tickets,
        stats.open_tickets,
        day(stats.last_seen_at)
    );
    conversations(&mut text, "Open conversations", &found.open_conversations);
    conversations(&mut text, "Recent conversations", &found.recent_conversations);
    if !found.tickets.is_empty() {
        let _ = writeln!(text, "\nTickets");
        for ticket in &found.tickets {
            let title = ticket.title.as_deref().map(one_line).unwrap_or_default();
            let state = ticket.state.as_deref().unwrap_or("?");
            let _ = writeln!(text, "  {}  {:<22} {title}", day(ticket.updated_at), one_line(state));
        }
    }
    if !found.notes.is_empty() {
        let _ = writeln!(text, "\nNotes");
        for note in &found.notes {
            let author = note.author.as_deref().map(one_line).unwrap_or_default();
            let _ = writeln!(text, "  {}  {author}: {}", day(note.created_at), shortened(&note.text));
        }
    }
    text
}

fn conversations(text: &mut String, title: &str, list: &[ConversationSummary]) {
    if list.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for conversation in list {
        let assignees = [conversation.assignee.as_deref(), conversation.team.as_deref()];
        let assignees: Vec<String> = assignees.into_iter().flatten().map(one_line).collect();
        let _ = writeln!(
            text,
            "  {}  {:<8} {}  {}",
            day(conversation.updated_at),
            one_line(&conversation.state),
            one_line(&conversation.id),
            assignees.join(" / ")
        );
        match &conversation.messages {
            Some(messages) => messages.iter().for_each(|entry| message(text, entry, &entry.text)),
            None => {
                if let Some(last) = &conversation.last_message {
                    message(text, last, &shortened(&last.text));
                }
            }
        }
    }
}

fn message(text: &mut String, message: &ThreadMessage, words: &str) {
    let author = message.author.as_deref().map(one_line).unwrap_or_default();
    let lines: Vec<String> = words.lines().map(one_line).collect();
    let _ = writeln!(text, "      {} {author}: {}", message.written_by, lines.join("\n        "));
}

fn day(at: Option<i64>) -> String {
    let day = at.and_then(|at| Timestamp::from_second(at).ok());
    day.map_or_else(|| "-".to_owned(), |day| day.strftime("%Y-%m-%d").to_string())
}

fn shortened(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() > 100 { line.chars().take(99).chain(['…']).collect() } else { line }
}
