//! The text of the groups and methods of the typed client.

use std::fmt::Write as _;

use super::client::Generated;
use super::inline::pascal;
use super::methods::{OperationMethod, Parameter, Returns};
use super::types::Kind;

/// Appends the methods of `Client` and the module of the groups.
pub fn write(text: &mut String, generated: &Generated) {
    text.push_str(
        "use super::client::{Client, Response};\n\
         use super::error::Error;\n\
         #[allow(unused_imports)]\n\
         use super::model::{Query, in_query};\n\
         #[allow(unused_imports)]\n\
         use super::{Download, Filter, List};\n\
         #[allow(unused_imports)]\n\
         use super::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId, Timestamp};\n\n\
         /// The operations, by group.\nimpl Client {\n",
    );
    for (group, methods) in &generated.groups.groups {
        let name = group_name(group);
        put(
            text,
            format_args!(
                "    /// Operations on {}: {}.\n    ///\n    /// Requests nothing.\n    pub fn {group}(&self) -> groups::{name}<'_> {{\n        \
                 groups::{name}(self)\n    }}\n\n",
                words(group),
                listing(&name, methods)
            ),
        );
    }
    for method in &generated.groups.of_client {
        write_method(text, method, "", "self");
    }
    text.push_str("}\n\n");
    text.push_str(
        "/// The operations of the API, a type for each group, with the names of the commands.\n///\n\
         /// `client.contacts()` and its like return them. Each method names the request that it sends and the version of\n\
         /// the API that it needs, if that is not the lowest one. A method that ends with `_with` also takes the optional\n\
         /// parameters of its operation.\n\
         pub mod groups {\n    use super::*;\n\n",
    );
    for (group, methods) in &generated.groups.groups {
        let name = group_name(group);
        put(
            text,
            format_args!(
                "    /// Operations on {}, from [`Client::{group}`].\n    #[derive(Debug, Clone, Copy)]\n    \
                 pub struct {name}<'c>(pub(super) &'c Client);\n\n    impl {name}<'_> {{\n",
                words(group)
            ),
        );
        for method in methods {
            write_method(text, method, &name, "self.0");
        }
        text.push_str("    }\n\n");
    }
    text.push_str("}\n\n");
    for (id, kind) in &generated.omitted {
        put(text, format_args!("// {id} takes {kind}: use the transport.\n"));
    }
}

/// `help_center` → `help center`.
fn words(name: &str) -> String {
    name.trim_matches('_').replace('_', " ")
}

/// Links to the methods of a group, each once.
fn listing(group: &str, methods: &[OperationMethod]) -> String {
    let plain = methods.iter().filter(|method| method.parameters_type.is_none());
    let links = plain.map(|OperationMethod { name, .. }| format!("[`{name}`](groups::{group}::{name})"));
    links.collect::<Vec<_>>().join(", ")
}

fn write_method(text: &mut String, method: &OperationMethod, group: &str, client: &str) {
    let indent = if group.is_empty() { "    " } else { "        " };
    write_documentation(text, method, indent);
    let mut arguments: Vec<String> = Vec::new();
    for Parameter { ident, kind, .. } in &method.path {
        arguments.push(match kind {
            Kind::Marked(id) => format!("{ident}: impl Into<{id}>"),
            _ => format!("{ident}: impl std::fmt::Display"),
        });
    }
    for Parameter { ident, kind, .. } in &method.required {
        arguments.push(match kind {
            Kind::Text => format!("{ident}: impl AsRef<str>"),
            Kind::Marked(_) => format!("{ident}: impl Into<{}>", rust(kind)),
            _ => format!("{ident}: {}", rust(kind)),
        });
    }
    if let Some(parameters) = &method.parameters_type {
        arguments.push(format!("parameters: &types::{parameters}"));
    }
    if let Some(body) = &method.body {
        arguments.push(match body {
            Kind::List(items) => format!("body: &Vec<{}>", rust(items)),
            body => format!("body: &{}", rust(body)),
        });
    }
    if matches!(method.returns, Returns::Search(_)) {
        arguments.push("filter: impl Into<Filter>".to_owned());
    }
    let arguments: String = arguments.iter().map(|argument| format!(", {argument}")).collect();
    let (id, name) = (&method.id, &method.name);
    let (path, query) = (path(method), query(method));
    let body = if method.body.is_some() { "Some(body)" } else { "None::<&()>" };
    let (keyword, returned, call) = match &method.returns {
        Returns::List(kind) => (
            "",
            format!("List<{}>", rust(kind)),
            format!("List::new({client}, {id:?}, &[{path}], {query}, {body})"),
        ),
        Returns::Search(kind) => (
            "",
            format!("List<{}>", rust(kind)),
            format!("List::search({client}, {id:?}, &[{path}], {query}, filter)"),
        ),
        Returns::Value(kind) => {
            ("async ", response(&rust(kind)), called(client, "call", id, &path, &query, body))
        }
        Returns::Nothing => ("async ", response("()"), called(client, "call", id, &path, &query, body)),
        Returns::File => (
            "async ",
            "Result<Download, Error>".to_owned(),
            called(client, "stream", id, &path, &query, body),
        ),
    };
    put(
        text,
        format_args!(
            "{indent}pub {keyword}fn {name}(&self{arguments}) -> {returned} {{\n{indent}    {call}\n{indent}}}\n\n"
        ),
    );
}

fn response(kind: &str) -> String {
    format!("Result<Response<{kind}>, Error>")
}

fn called(client: &str, method: &str, id: &str, path: &str, query: &str, body: &str) -> String {
    format!("{client}.{method}({id:?}, &[{path}], {query}, {body}).await")
}

fn write_documentation(text: &mut String, method: &OperationMethod, indent: &str) {
    let mut lines = match method.parameters_type {
        None => vec![format!("{}.", method.help)],
        Some(_) => vec![format!("{}; with optional parameters.", method.help)],
    };
    lines.extend([String::new(), format!("`{}`", method.route)]);
    if let Some(version) = &method.version {
        lines.extend([
            String::new(),
            format!("Needs API version {version}, and is sent with it or a later one."),
        ]);
    }
    if let Some(until) = &method.until {
        lines.extend([String::new(), format!("Versions after {until} do not have it.")]);
    }
    lines.push(String::new());
    match method.returns {
        Returns::List(_) | Returns::Search(_) => {
            lines.push(
                "Requests nothing, and reports no error, before the list is read: see [`List`].".to_owned(),
            );
        }
        _ => lines.extend(["# Errors".to_owned(), errors(method)]),
    }
    for line in lines {
        put(text, format_args!("{}\n", format!("{indent}/// {line}").trim_end()));
    }
}

/// The errors of a call that a program may want to match.
fn errors(method: &OperationMethod) -> String {
    let is_read = method.route.starts_with("GET ");
    let missing = (!method.path.is_empty()).then_some("[`Error::NotFound`] if the record does not exist");
    let unknown = (!is_read).then_some("[`Error::OutcomeUnknown`] if a change may have been made");
    let named: Vec<&str> = missing.into_iter().chain(unknown).collect();
    if named.is_empty() {
        "See [`Error`].".to_owned()
    } else {
        format!("{}; others: see [`Error`].", named.join("; "))
    }
}

fn path(method: &OperationMethod) -> String {
    let values = method.path.iter().map(|Parameter { ident, kind, .. }| match kind {
        Kind::Marked(_) => format!("{ident}.into().into_string()"),
        _ => format!("{ident}.to_string()"),
    });
    values.collect::<Vec<_>>().join(", ")
}

/// An expression for the query.
fn query(method: &OperationMethod) -> String {
    let values: Vec<String> = method
        .required
        .iter()
        .map(|Parameter { ident, wire, kind, .. }| match kind {
            Kind::Text => format!("({wire:?}, Some({ident}.as_ref().to_owned()))"),
            Kind::Marked(_) => {
                format!("({wire:?}, Some(in_query(&Into::<{}>::into({ident}))))", rust(kind))
            }
            _ => format!("({wire:?}, Some(in_query(&{ident})))"),
        })
        .collect();
    let required = values.join(", ");
    match (&method.parameters_type, values.is_empty()) {
        (None, _) => format!("&[{required}]"),
        (Some(_), true) => "&Query::values(parameters)".to_owned(),
        (Some(_), false) => format!("&[vec![{required}], Query::values(parameters)].concat()"),
    }
}

/// A type, seen from the groups.
fn rust(kind: &Kind) -> String {
    kind.rust("types::")
}

/// The name of the type of a group. What generated code uses keeps its name.
pub fn group_name(group: &str) -> String {
    const USED: [&str; 25] = [
        "AdminId",
        "ArticleId",
        "AsRef",
        "Box",
        "Client",
        "ContactId",
        "ConversationId",
        "Copy",
        "Download",
        "Error",
        "Filter",
        "Into",
        "List",
        "None",
        "Option",
        "Query",
        "Response",
        "Result",
        "Self",
        "Some",
        "String",
        "TagId",
        "TeamId",
        "Timestamp",
        "Vec",
    ];
    let name = pascal(group);
    if USED.contains(&name.as_str()) {
        format!("{name}Group")
    } else if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name
    } else {
        format!("Group{name}")
    }
}

/// Appends formatted text; writing to a `String` cannot fail.
pub fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}
