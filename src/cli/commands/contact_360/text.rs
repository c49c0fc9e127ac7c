//! Renders a contact for a terminal.

use std::fmt::Write;

use jiff::Timestamp;

use crate::report::contact_360::{Contact360, ConversationSummary, Message};

pub fn render(found: &Contact360) -> String {
    let mut text = String::new();
    let contact = &found.contact;
    let field = |name: &str| contact[name].as_str().filter(|value| !value.is_empty()).map(plain);
    let id = field("id").unwrap_or_default();
    let title = field("name").or_else(|| field("email")).unwrap_or_else(|| id.clone());
    let _ = writeln!(text, "{title}");
    let about = ["role", "email", "phone", "external_id", "id"].iter().filter_map(|name| field(name));
    let _ = writeln!(text, "  {}", about.collect::<Vec<_>>().join(" · "));
    let names = |names: Vec<String>| if names.is_empty() { "-".to_owned() } else { names.join(", ") };
    let companies =
        found.companies.iter().map(|company| company["name"].as_str().or(company["id"].as_str()).map(plain));
    let _ = writeln!(text, "  companies: {}", names(companies.flatten().collect()));
    let entries = |list: &[crate::report::contact_360::NamedRecord]| {
        names(list.iter().map(|entry| plain(entry.name.as_deref().unwrap_or(&entry.id))).collect())
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
            let title = ticket.title.as_deref().map(plain).unwrap_or_default();
            let state = ticket.state.as_deref().unwrap_or("?");
            let _ = writeln!(text, "  {}  {:<22} {title}", day(ticket.updated_at), plain(state));
        }
    }
    if !found.notes.is_empty() {
        let _ = writeln!(text, "\nNotes");
        for note in &found.notes {
            let author = note.author.as_deref().map(plain).unwrap_or_default();
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
        let assignees: Vec<String> = assignees.into_iter().flatten().map(plain).collect();
        let _ = writeln!(
            text,
            "  {}  {:<8} {}  {}",
            day(conversation.updated_at),
            plain(&conversation.state),
            plain(&conversation.id),
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

fn message(text: &mut String, message: &Message, words: &str) {
    let author = message.author.as_deref().map(plain).unwrap_or_default();
    let lines: Vec<String> = words.lines().map(plain).collect();
    let _ = writeln!(text, "      {} {author}: {}", message.written_by, lines.join("\n        "));
}

fn day(at: Option<i64>) -> String {
    let day = at.and_then(|at| Timestamp::from_second(at).ok());
    day.map_or_else(|| "-".to_owned(), |day| day.strftime("%Y-%m-%d").to_string())
}

/// Replaces control characters, which a terminal would interpret.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn shortened(text: &str) -> String {
    let line = plain(text);
    if line.chars().count() > 100 { line.chars().take(99).chain(['…']).collect() } else { line }
}
