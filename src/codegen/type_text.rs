//! The text of the types of requests and answers.

use std::collections::{BTreeMap, BTreeSet};

use super::client::Generated;
use super::inline::pascal;
use super::method_text::{group_name, put};
use super::methods::{OperationMethod, Parameter, Returns};
use super::overlay::Overlay;
use super::types::{Field, Kind, Model, Presence};

/// Appends the module of the types that methods use.
pub fn write(text: &mut String, generated: &Generated, overlay: &Overlay) {
    text.push_str(
        "/// The types of requests and answers.\n///\n\
         /// Requests have `new`, with the required fields, and a method for each optional one. Answers keep what does not\n\
         /// fit their fields in `extra`, and all of their fields are optional: the API leaves out what a record does not\n\
         /// have. Fields are named as on the wire; times are in UTC.\n\
         #[allow(missing_docs, reason = \"fields are named as in the documentation of the API\")]\n\
         #[allow(clippy::all)]\npub mod types {\n    \
         #[allow(unused_imports)]\n    \
         use crate::api::model::{list_model, model, parameters};\n    \
         #[allow(unused_imports)]\n    use crate::api::open_enum::open_enum;\n    \
         #[allow(unused_imports)]\n    \
         use crate::api::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId, Timestamp};\n\n",
    );
    let uses = uses(generated);
    let returning = returning(generated);
    let needed = generated.types.needed(roots(generated));
    let mut choices: BTreeSet<&str> = BTreeSet::new();
    for name in &needed {
        let Some(model) = generated.types.models.get(name) else { continue };
        choices.extend(model.fields.iter().filter_map(|field| field.kind.choices()));
        write_model(text, model, uses.get(name.as_str()), returning.get(name.as_str()), overlay);
    }
    for (group, method) in generated.groups.methods() {
        let parameters = method.required.iter().chain(&method.optional);
        choices.extend(parameters.filter_map(|parameter| parameter.kind.choices()));
        if let Some(name) = &method.parameters_type {
            write_parameters(text, name, group, method, overlay);
        }
    }
    for one in generated.choices.iter().filter(|one| choices.contains(one.name.as_str())) {
        write_choices(text, &one.name, &one.values);
    }
    text.push_str("}\n");
}

/// The types that methods take and return.
fn roots(generated: &Generated) -> impl Iterator<Item = &Kind> {
    generated.groups.methods().flat_map(|(_, method)| {
        let returned = match &method.returns {
            Returns::List(kind) | Returns::Search(kind) | Returns::Value(kind) => Some(kind),
            Returns::Nothing | Returns::File => None,
        };
        returned.into_iter().chain(&method.body)
    })
}

/// What a type is for: a link to the method, and the operation.
struct Use<'a> {
    link: String,
    id: &'a str,
}

/// The first method that takes each body.
fn uses(generated: &Generated) -> BTreeMap<&str, Use<'_>> {
    let mut uses = BTreeMap::new();
    for (group, method) in generated.groups.methods() {
        if let Some(body) = method.body.as_ref().and_then(Kind::model) {
            uses.entry(body).or_insert_with(|| Use { link: link(group, method), id: &method.id });
        }
    }
    uses
}

/// The methods that return each type, without those that differ in their parameters only.
fn returning(generated: &Generated) -> BTreeMap<&str, Vec<String>> {
    let mut returning: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (group, method) in generated.groups.methods().filter(|(_, method)| method.parameters_type.is_none()) {
        if let Returns::List(kind) | Returns::Search(kind) | Returns::Value(kind) = &method.returns
            && let Some(model) = kind.model()
        {
            returning.entry(model).or_default().push(link(group, method));
        }
    }
    returning
}

fn link(group: &str, method: &OperationMethod) -> String {
    let name = &method.name;
    match group {
        "" => format!("[`Client::{name}`](crate::Client::{name})"),
        group => {
            let group = group_name(group);
            format!("[`{group}::{name}`](crate::api::groups::{group}::{name})")
        }
    }
}

fn write_model(
    text: &mut String,
    model: &Model,
    used: Option<&Use>,
    returning: Option<&Vec<String>>,
    overlay: &Overlay,
) {
    let Model { name, is_request, fields } = model;
    let items = model.items().filter(|(field, _)| field.presence == Presence::Optional);
    let documentation = match (used, is_request, items) {
        (Some(used), ..) => format!("Body of {}.", used.link),
        (None, true, _) => format!("{}, in requests.", sentence(name)),
        (None, false, Some(_)) => format!("{}: a slice of its items.", sentence(name)),
        (None, false, None) => format!("{}, as the API returns it.", sentence(name)),
    };
    let has_default = fields.iter().all(|field| field.presence != Presence::Required);
    put(text, format_args!("    model! {{\n        /// {documentation}\n"));
    if let Some(methods) = returning {
        put(text, format_args!("        ///\n        /// Returned by {}.\n", methods.join(", ")));
    }
    if has_default {
        text.push_str("        #[derive(Default)]\n");
    }
    if !is_request {
        text.push_str("        #[non_exhaustive]\n");
    }
    put(text, format_args!("        pub struct {name} {{\n"));
    let sections = [
        ("required", Presence::Required),
        ("optional", Presence::Optional),
        ("nullable", Presence::Nullable),
    ];
    for (section, presence) in sections {
        let mut fields = fields.iter().filter(|field| field.presence == presence).peekable();
        if fields.peek().is_none() {
            put(text, format_args!("            {section} {{}}\n"));
            continue;
        }
        put(text, format_args!("            {section} {{\n"));
        for field in fields {
            for line in field_documentation(field, used, overlay) {
                put(text, format_args!("                /// {line}\n"));
            }
            let Field { ident, kind, wire, .. } = field;
            put(text, format_args!("                {ident}: {} = {wire:?},\n", kind.rust("")));
        }
        text.push_str("            }\n");
    }
    let spelled: String =
        fields.iter().filter_map(|field| Some(format!(" {:?} {},", field.wire, field.spelling?))).collect();
    put(text, format_args!("            spelled {{{spelled} }}\n        }}\n    }}\n\n"));
    if let Some((field, items)) = items {
        put(text, format_args!("    list_model!({name}, {}: {});\n\n", field.ident, items.rust("")));
    }
    if *is_request {
        write_setters(text, model, used, overlay);
    }
}

fn field_documentation(field: &Field, used: Option<&Use>, overlay: &Overlay) -> Vec<String> {
    let mut lines = Vec::new();
    let help = used.map_or("", |used| overlay.flag_help(used.id, &field.wire));
    if !help.is_empty() {
        lines.push(format!("{help}."));
    } else if let Some(constant) = &field.constant {
        lines.push(format!("Always `{constant}`."));
    }
    if let Some(version) = &field.since {
        lines.push(format!("Needs API version {version}."));
    }
    lines
}

/// The constructor, the setters, and the default of a request.
fn write_setters(text: &mut String, model: &Model, used: Option<&Use>, overlay: &Overlay) {
    let Model { name, fields, .. } = model;
    let mut given: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for field in fields {
        let ident = &field.ident;
        match (&field.constant, field.presence) {
            (Some(constant), Presence::Required) => values.push(format!("{ident}: {constant:?}.into()")),
            (None, Presence::Required) => {
                let (argument, value) = argument(ident, &field.kind);
                given.push(argument);
                values.push(format!("{ident}: {value}"));
            }
            _ => values.push(format!("{ident}: None")),
        }
    }
    values.push("extra: Default::default()".to_owned());
    put(
        text,
        format_args!(
            "    impl {name} {{\n        /// {}\n        pub fn new({}) -> Self {{\n            \
             {name} {{ {} }}\n        }}\n\n",
            if given.is_empty() {
                "A request with no field set."
            } else {
                "A request with its required fields."
            },
            given.join(", "),
            values.join(", ")
        ),
    );
    let mut taken: BTreeSet<String> = BTreeSet::from(["new".to_owned(), "extra".to_owned()]);
    taken.extend(fields.iter().map(|field| field.setter.clone()));
    for field in fields {
        let Field { ident, setter, wire, .. } = field;
        let (argument, value) = argument(ident, &field.kind);
        let documentation = field_documentation(field, used, overlay).join(" ");
        let title = if documentation.starts_with("Needs") || documentation.is_empty() {
            format!("Sets `{wire}`. {documentation}").trim_end().to_owned()
        } else {
            documentation
        };
        let value = match field.presence {
            Presence::Required => value,
            Presence::Optional => format!("Some({value})"),
            Presence::Nullable => format!("Some(Some({value}))"),
        };
        put(
            text,
            format_args!(
                "        /// {title}\n        #[must_use]\n        pub fn {setter}(mut self, {argument}) -> Self {{\n            \
                 self.{ident} = {value};\n            self\n        }}\n\n"
            ),
        );
        let mut clear = format!("clear_{ident}");
        while field.presence == Presence::Nullable && !taken.insert(clear.clone()) {
            clear.push('_');
        }
        if field.presence == Presence::Nullable {
            put(
                text,
                format_args!(
                    "        /// Sends null for `{wire}`, which removes its value.\n        #[must_use]\n        \
                     pub fn {clear}(mut self) -> Self {{\n            self.{ident} = Some(None);\n            self\n        \
                     }}\n\n"
                ),
            );
        }
    }
    text.push_str(
        "        /// Sets a field that this type does not have, by its name on the wire.\n        #[must_use]\n        \
         pub fn extra(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {\n            \
         self.extra.insert(name.into(), value.into());\n            self\n        }\n    }\n\n",
    );
    let is_constant =
        fields.iter().all(|field| field.presence != Presence::Required || field.constant.is_some());
    let has_required = fields.iter().any(|field| field.presence == Presence::Required);
    if is_constant && has_required {
        put(
            text,
            format_args!(
                "    impl Default for {name} {{\n        fn default() -> Self {{\n            Self::new()\n        }}\n    }}\n\n"
            ),
        );
    }
}

/// How a value is given, and the expression for the field.
fn argument(ident: &str, kind: &Kind) -> (String, String) {
    match kind {
        Kind::List(items) if !matches!(**items, Kind::List(_)) => (
            format!("{ident}: impl IntoIterator<Item = impl Into<{}>>", items.rust("")),
            format!("{ident}.into_iter().map(Into::into).collect()"),
        ),
        Kind::Object => (
            format!("{ident}: impl IntoIterator<Item = (impl Into<String>, impl Into<serde_json::Value>)>"),
            format!("{ident}.into_iter().map(|(name, value)| (name.into(), value.into())).collect()"),
        ),
        kind => (format!("{ident}: impl Into<{}>", kind.rust("")), format!("{ident}.into()")),
    }
}

fn write_parameters(text: &mut String, name: &str, group: &str, method: &OperationMethod, overlay: &Overlay) {
    put(
        text,
        format_args!(
            "    parameters! {{\n        /// Optional parameters of {}.\n        pub struct {name} {{\n",
            link(group, method)
        ),
    );
    for Parameter { ident, wire, kind, .. } in &method.optional {
        let help = overlay.flag_help(&method.id, wire);
        let title =
            if help.is_empty() { format!("The query parameter `{wire}`.") } else { format!("{help}.") };
        let rust = kind.rust("");
        put(
            text,
            format_args!(
                "            /// {title}\n            {ident}: {rust}, impl Into<{rust}> = {wire:?},\n"
            ),
        );
    }
    text.push_str("        }\n    }\n\n");
}

fn write_choices(text: &mut String, name: &str, values: &[String]) {
    put(
        text,
        format_args!("    open_enum! {{\n        /// {}.\n        pub enum {name} {{\n", sentence(name)),
    );
    let mut taken = BTreeSet::from(["Other".to_owned(), "Self".to_owned()]);
    for value in values {
        let mut variant = variant(value);
        while !taken.insert(variant.clone()) {
            variant.push('_');
        }
        put(text, format_args!("            {variant} = {value:?},\n"));
    }
    text.push_str("        }\n    }\n\n");
}

/// A Rust name for a value: `in_progress` → `InProgress`, `!=` → `NotEqual`, `` → `Empty`.
fn variant(value: &str) -> String {
    const SYMBOLS: [(char, &str); 9] = [
        ('=', "Equal"),
        ('!', "Not"),
        ('<', "Less"),
        ('>', "Greater"),
        ('~', "Tilde"),
        ('^', "Caret"),
        ('$', "Dollar"),
        ('+', "Plus"),
        ('-', "Minus"),
    ];
    let words = value.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words
        .map(|word| {
            let is_upper = word.len() > 1 && word.chars().all(|letter| !letter.is_ascii_lowercase());
            let rest = if is_upper { word[1..].to_ascii_lowercase() } else { word[1..].to_owned() };
            word[..1].to_ascii_uppercase() + &rest
        })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("V{name}");
    }
    if !name.is_empty() {
        return name;
    }
    let symbols: String = value
        .chars()
        .filter_map(|letter| Some(SYMBOLS.iter().find(|(symbol, _)| *symbol == letter)?.1))
        .collect();
    if symbols.is_empty() { "Empty".to_owned() } else { symbols }
}

/// `TicketType` → `Ticket type`.
fn sentence(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in pascal(name).chars().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            text.push(' ');
            text.push(letter.to_ascii_lowercase());
        } else {
            text.push(letter);
        }
    }
    text
}
