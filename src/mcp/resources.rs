//! Resources: what an agent reads before it asks.
//!
//! Each is the answer of commands, so that it is as current as they are.

use rmcp::model::Resource;

/// A document that can be read, and the command lines that make it.
pub struct Source {
    pub uri: &'static str,
    name: &'static str,
    about: &'static str,
    /// Whether it holds this program's own words alone.
    pub is_own: bool,
    /// What each part is called, and the command.
    pub parts: &'static [(&'static str, &'static [&'static str])],
}

pub const SOURCES: [Source; 4] = [
    Source {
        uri: "intercom://mirror/schema",
        name: "Mirror schema",
        about: "Tables, views and columns of the local mirror, for sql",
        is_own: true,
        parts: &[("schema", &["sql", "--schema", "--json"])],
    },
    Source {
        uri: "intercom://workspace/inventory",
        name: "Workspace inventory",
        about: "Tags, teams and teammates with their ids",
        is_own: false,
        parts: &[
            ("tags", &["tags", "list", "--json", "--compact"]),
            ("teams", &["teams", "list", "--json", "--compact"]),
            ("admins", &["admins", "list", "--json", "--compact"]),
        ],
    },
    Source {
        uri: "intercom://filter/grammar",
        name: "Filter grammar",
        about: "How the searches of the API and of the mirror are written",
        is_own: true,
        parts: &[],
    },
    Source {
        uri: "intercom://commands",
        name: "Commands",
        about: "All commands in short, with exit codes and envelopes",
        is_own: true,
        parts: &[("commands", &["agent-context", "--compact", "--json"])],
    },
];

pub fn list() -> Vec<Resource> {
    let described = SOURCES.iter().map(|source| {
        Resource::new(source.uri, source.name)
            .with_description(source.about)
            .with_mime_type("application/json")
    });
    described.collect()
}

/// The words of a command line, which stand before its flags.
pub fn words(line: &[&str]) -> String {
    let words: Vec<&str> = line.iter().take_while(|word| !word.starts_with('-')).copied().collect();
    words.join(" ")
}

/// The grammar of the API's searches; the mirror's own is told by the commands' help.
pub const GRAMMAR: &str = r#"A search of contacts, conversations or tickets takes `query`: one filter or a group.
filter: {"field": NAME, "operator": OPERATOR, "value": VALUE}
group:  {"operator": "AND" | "OR", "value": [filters or groups]}; at most two levels, fifteen filters a group
operators: =  !=  IN  NIN  <  >  ~ (contains)  !~  ^ (begins)  $ (ends)
times are epoch seconds; contacts compare them by day in the workspace's time zone, conversations to the second
source.body of a conversation is its first message only, matched by word: = with two words finds nothing, ~ does
example: {"operator":"AND","value":[{"field":"state","operator":"=","value":"open"},{"field":"updated_at","operator":">","value":1760000000}]}
"#;
