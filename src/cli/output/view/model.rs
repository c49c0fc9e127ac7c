//! One record as people look at it: a title, facts, texts and a thread.
//!
//! Data only. It must not know colours, widths or the form in which times are shown: renderers decide.

/// One record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub title: String,
    /// What it is: `conversation 215470000000292`.
    pub kind: String,
    pub facts: Vec<Fact>,
    /// What the workspace itself has defined: custom attributes.
    pub attributes: Vec<Fact>,
    pub texts: Vec<Section>,
    /// Messages and events; `None` for records without a history.
    pub thread: Option<Thread>,
    /// Number of fields with content that are not shown.
    pub omitted: usize,
}

/// A labelled line, for example the assignee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub label: String,
    pub values: Vec<Datum>,
}

/// A value in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    Text(String),
    /// A word for a state, for example `open`.
    State(String),
    /// A word before a moment in epoch seconds: `since`, or nothing.
    Moment(&'static str, i64),
}

/// A long text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Empty for the main text.
    pub heading: String,
    pub text: String,
    /// The same text as Markdown, where it is the team's and may have headings.
    pub markdown: Option<String>,
}

/// The history of a record, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    pub entries: Vec<Entry>,
    /// Number of earlier messages that were left out on request.
    pub left_out: usize,
    /// Number of earlier parts that the API does not return.
    pub not_returned: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Message(Message),
    Event(Event),
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub author: String,
    pub role: Role,
    /// Whether only teammates see it.
    pub is_note: bool,
    /// Epoch seconds.
    pub at: Option<i64>,
    /// Plain text.
    pub text: String,
    /// Names and sizes of files.
    pub attachments: Vec<String>,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The type of a contact: `user` or `lead`.
    Contact(String),
    Teammate,
    Bot,
    /// Fin, or another AI agent.
    AiAgent,
}

impl Role {
    pub fn label(&self) -> &str {
        match self {
            Role::Contact(kind) => kind,
            Role::Teammate => "teammate",
            Role::Bot => "bot",
            Role::AiAgent => "AI agent",
        }
    }

    pub fn is_automatic(&self) -> bool {
        matches!(self, Role::Bot | Role::AiAgent)
    }
}

/// What somebody did, as a sentence without a full stop: `Mara closed this`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub text: String,
    /// Epoch seconds.
    pub at: Option<i64>,
}

impl View {
    /// Adds a line of texts, unless all are empty.
    pub fn fact(&mut self, label: &str, texts: impl IntoIterator<Item = impl Into<String>>) {
        let texts = texts.into_iter().map(Into::into).filter(|text| !text.trim().is_empty());
        self.line(label, texts.map(Datum::Text).collect());
    }

    /// Adds a line with a moment, if there was one.
    pub fn moment(&mut self, label: &str, word: &'static str, at: Option<i64>) {
        self.line(label, at.map(|at| Datum::Moment(word, at)).into_iter().collect());
    }

    /// Adds a line, unless it is empty.
    pub fn line(&mut self, label: &str, values: Vec<Datum>) {
        if !values.is_empty() {
            self.facts.push(Fact { label: label.to_owned(), values });
        }
    }
}

impl Thread {
    /// Keeps the last messages, and what happened after the first of them.
    pub fn keep_last(&mut self, count: usize) {
        let is_message = |entry: &Entry| matches!(entry, Entry::Message(_));
        let messages = self.entries.iter().filter(|entry| is_message(entry)).count();
        let Some(surplus) = messages.checked_sub(count).filter(|surplus| *surplus > 0) else { return };
        let positions = self.entries.iter().enumerate().filter(|(_, entry)| is_message(entry));
        let first = positions.map(|(index, _)| index).nth(surplus).unwrap_or(self.entries.len());
        self.entries.drain(..first);
        self.left_out += surplus;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_come_with_the_events_after_them() {
        let message = |text: &str| {
            Entry::Message(Message {
                author: "Ann".to_owned(),
                role: Role::Teammate,
                is_note: false,
                at: None,
                text: text.to_owned(),
                attachments: Vec::new(),
            })
        };
        let event = |text: &str| Entry::Event(Event { text: text.to_owned(), at: None });
        let entries = vec![message("a"), event("x"), message("b"), event("y"), message("c"), event("z")];
        let thread = Thread { entries: entries.clone(), ..Thread::default() };
        for (count, from, left_out) in [(9, 0, 0), (3, 0, 0), (2, 2, 1), (1, 4, 2)] {
            let mut kept = thread.clone();
            kept.keep_last(count);
            assert_eq!((&kept.entries[..], kept.left_out), (&entries[from..], left_out), "{count}");
        }
    }
}
