//! MCP resources: reference documents, made by running commands so that they are always current.

use rmcp::model::Resource;

/// A resource, and the command lines that produce it.
pub struct ResourceSpec {
    pub uri: &'static str,
    name: &'static str,
    about: &'static str,
    /// Whether all of its text is written by this program.
    pub is_own: bool,
    /// The name and the command line of each part.
    pub parts: &'static [(&'static str, &'static [&'static str])],
}

pub const RESOURCES: [ResourceSpec; 4] = [
    ResourceSpec {
        uri: "intercom://mirror/schema",
        name: "Mirror schema",
        about: "Tables, views and columns of the local mirror, for sql",
        is_own: true,
        parts: &[("schema", &["sql", "--schema", "--json"])],
    },
    ResourceSpec {
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
    ResourceSpec {
        uri: "intercom://filter/grammar",
        name: "Filter grammar",
        about: "Syntax of the API's and the mirror's searches",
        is_own: true,
        parts: &[],
    },
    ResourceSpec {
        uri: "intercom://commands",
        name: "Commands",
        about: "Summary of all commands, exit codes and envelopes",
        is_own: true,
        parts: &[("commands", &["agent-context", "--compact", "--json"])],
    },
];

pub fn list() -> Vec<Resource> {
    let described = RESOURCES.iter().map(|resource| {
        Resource::new(resource.uri, resource.name)
            .with_description(resource.about)
            .with_mime_type("application/json")
    });
    described.collect()
}

/// The command's name: the words of a command line before its flags.
pub fn words(line: &[&str]) -> String {
    let words: Vec<&str> = line.iter().take_while(|word| !word.starts_with('-')).copied().collect();
    words.join(" ")
}

/// The grammar of the API's searches. The help of `filter` and `search` covers the mirror's.
pub const GRAMMAR: &str = r#"A search of contacts, conversations or tickets takes `query`: one filter or a group.
filter: {"field": NAME, "operator": OPERATOR, "value": VALUE}
group:  {"operator": "AND" | "OR", "value": [filters or groups]}; at most two levels, fifteen filters a group
operators: =  !=  IN  NIN  <  >  ~ (contains)  !~  ^ (begins)  $ (ends)
times are epoch seconds; contacts compare them by day in the workspace's time zone, conversations to the second
source.body of a conversation is its first message only, matched by word: = with two words finds nothing, ~ does
example: {"operator":"AND","value":[{"field":"state","operator":"=","value":"open"},{"field":"updated_at","operator":">","value":1760000000}]}
"#;
