//! The methods of the typed client, as data: which group has them, what they take and what they return.
//!
//! Names come from the commands, so that a program reads like the command line: `contacts tags attach` is
//! `contacts().tags_attach(...)`. Nothing here may depend on a single operation.

use std::collections::{BTreeMap, BTreeSet};

use super::description::{Description, ParameterFacts, plain, reference};
use super::inline::{pascal, singular};
use super::marks::{NamedChoices, id_in_path, rust_type};
use super::names::kebab;
use super::overlay::AnswerKind;
use super::shape::choices;
use super::table::Command;
use super::types::{Answer, Kind, Types};

/// Parameters that `List` sets.
const PAGING: [&str; 5] = ["page", "per_page", "starting_after", "cursor", "scroll_param"];

/// Methods of `Client` that the generated ones must not have the names of.
const CLIENT_METHODS: [&str; 20] = [
    "builder",
    "call",
    "call_as",
    "clone",
    "download",
    "execute",
    "fetch",
    "first_page_request",
    "from_env",
    "list",
    "new",
    "pages",
    "pages_at",
    "request",
    "search",
    "stream",
    "transport",
    "version",
    "version_at",
    "with_version",
];

/// The methods of `Client` itself, and of each group by its accessor.
pub struct Groups {
    pub of_client: Vec<OperationMethod>,
    pub groups: BTreeMap<String, Vec<OperationMethod>>,
}

/// A method that sends one operation.
#[derive(Clone)]
pub struct OperationMethod {
    pub id: String,
    /// The words of its command.
    pub words: Vec<String>,
    pub name: String,
    pub help: String,
    /// `GET /contacts/{id}`.
    pub route: String,
    /// The version that it needs, if later than the oldest one, and the last one that has it.
    pub version: Option<String>,
    pub until: Option<String>,
    pub path: Vec<Parameter>,
    pub required: Vec<Parameter>,
    pub optional: Vec<Parameter>,
    pub body: Option<Kind>,
    pub returns: Returns,
    /// The type of the optional parameters, if the method takes them.
    pub parameters_type: Option<String>,
}

#[derive(Clone)]
pub struct Parameter {
    pub ident: String,
    pub wire: String,
    pub kind: Kind,
}

#[derive(Clone)]
pub enum Returns {
    /// A list of these elements.
    List(Kind),
    /// The same, found by a filter in place of a body.
    Search(Kind),
    Value(Kind),
    Nothing,
    File,
}

/// Operations that cannot be offered, with the reason, by id.
pub fn omitted(description: &Description) -> Vec<(String, String)> {
    description.operations().into_iter().filter_map(|facts| Some((facts.id, facts.other_body?))).collect()
}

/// The component that the elements of a list are, by operation id, if the description has several for all lists:
/// the one that the path is named after.
pub fn listed_alternatives(description: &Description, commands: &[Command]) -> BTreeMap<String, String> {
    let mut chosen = BTreeMap::new();
    for facts in description.operations() {
        let Some(command) = commands.iter().find(|command| command.id == facts.id) else { continue };
        let content =
            facts.response.and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")));
        let (Some(list), Some((_, media))) = (&command.list, content) else { continue };
        let mut schema = description.resolve(&media["schema"]);
        for key in list.split('.') {
            schema = description.resolve(&schema["properties"][key]);
        }
        let items = description.resolve(&schema["items"]);
        let last = facts.path.rsplit('/').find(|segment| !segment.starts_with('{')).unwrap_or_default();
        let last = plain(&singular(last));
        let alternatives =
            ["oneOf", "anyOf"].iter().filter_map(|keyword| items.get(*keyword)?.as_array()).flatten();
        let names = alternatives.filter_map(|part| reference(part)?.rsplit('/').next());
        let mut fitting = names.filter(|name| plain(name).ends_with(&last));
        if let (Some(only), None) = (fitting.next(), fitting.next()) {
            chosen.insert(facts.id.clone(), plain(only));
        }
    }
    chosen
}

impl OperationMethod {
    /// The methods of all operations of a normalized description.
    pub fn all(
        description: &Description,
        commands: &[Command],
        types: &Types,
        alternatives: &BTreeMap<String, String>,
        omitted: &[(String, String)],
        choices: &mut NamedChoices,
    ) -> Vec<Self> {
        let mut methods = Vec::new();
        for (index, facts) in description.operations().into_iter().enumerate() {
            let is_omitted = omitted.iter().any(|(id, _)| *id == facts.id);
            let command = commands.iter().find(|command| command.id == facts.id);
            let Some(command) = command.filter(|_| !is_omitted) else { continue };
            let spelling = command.readable.first().unwrap_or(&command.name);
            let signature = types.signatures.get(&format!("op{index}")).cloned().unwrap_or_default();
            let value = match &signature.answer {
                // One element that does not fit must not cost the others.
                Answer::Value(Kind::List(items)) if matches!(**items, Kind::List(_)) => {
                    Kind::List(Box::new(Kind::Json))
                }
                Answer::Value(kind) => kind.clone(),
                Answer::File | Answer::Nothing => Kind::Json,
            };
            let listed = alternatives.get(&facts.id).and_then(|name| {
                let model =
                    types.models.values().find(|model| plain(&model.name) == *name && !model.is_request)?;
                Some(Kind::Model(model.name.clone()))
            });
            let elements = command.list.as_deref().and_then(|list| types.elements(&value, list));
            let elements = elements.filter(|_| command.paging != "Paging::None");
            let elements = listed.filter(|_| elements.is_some()).or(elements);
            let is_search = signature.body.as_ref().and_then(Kind::model).is_some_and(|body| {
                let has = |wire: &str| {
                    types
                        .models
                        .get(body)
                        .is_some_and(|body| body.fields.iter().any(|field| field.wire == wire))
                };
                command.paging.starts_with("Paging::CursorInBody") && has("query") && has("pagination")
            });
            let returns = match (command.answer, elements) {
                (AnswerKind::Bytes | AnswerKind::Text, _) => Returns::File,
                (AnswerKind::Nothing, _) => Returns::Nothing,
                (AnswerKind::Json, Some(elements)) if is_search => Returns::Search(elements),
                (AnswerKind::Json, Some(elements)) => Returns::List(elements),
                (AnswerKind::Json, None) => Returns::Value(value),
            };
            let is_list = matches!(returns, Returns::List(_) | Returns::Search(_));
            let mut idents = Idents::default();
            let (in_path, in_query): (Vec<_>, Vec<_>) =
                facts.parameters.iter().partition(|parameter| parameter.in_path);
            let path = in_path.into_iter().map(|parameter| Parameter {
                ident: idents.name(&parameter.name),
                wire: parameter.name.clone(),
                kind: id_in_path(facts.path, &parameter.name)
                    .map_or(Kind::Text, |id| Kind::Marked(id.to_owned())),
            });
            let path = path.collect();
            let in_query = in_query
                .into_iter()
                .filter(|parameter| !(is_list && PAGING.contains(&parameter.name.as_str())));
            let (mut required, mut optional) = (Vec::new(), Vec::new());
            for parameter in in_query {
                let one = Parameter {
                    ident: idents.name(&parameter.name),
                    wire: parameter.name.clone(),
                    kind: query_kind(&pascal(spelling), parameter, choices),
                };
                if parameter.required { required.push(one) } else { optional.push(one) }
            }
            let whole = OperationMethod {
                id: facts.id.clone(),
                words: spelling.split(' ').map(str::to_owned).collect(),
                name: String::new(),
                help: command.help.clone(),
                route: format!("{} {}", command.method, facts.path),
                version: command.version.clone(),
                until: command.until.clone(),
                path,
                required,
                optional,
                body: signature.body.filter(|_| !is_search),
                returns,
                parameters_type: None,
            };
            methods.extend(whole.with_parameters());
        }
        methods
    }

    /// The method without its optional parameters, and one with them if there are any. A new version that adds a
    /// parameter must not change what a method takes.
    fn with_parameters(self) -> Vec<Self> {
        if self.optional.is_empty() {
            return vec![self];
        }
        let plain = OperationMethod { optional: Vec::new(), ..self.clone() };
        vec![plain, OperationMethod { parameters_type: Some(String::new()), ..self }]
    }
}

fn query_kind(operation: &str, parameter: &ParameterFacts, named: &mut NamedChoices) -> Kind {
    // A query has times as epoch seconds. One that is described as text in another form is given as text.
    let is_text = parameter.schema["type"] == "string" && parameter.schema["format"] == "date-time";
    if let Some(rust) = rust_type("", &parameter.name, &parameter.schema).filter(|_| !is_text) {
        return Kind::Marked(rust.to_owned());
    }
    let values = choices(&parameter.schema);
    match parameter.schema["type"].as_str() {
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        _ if !values.is_empty() => {
            let values = values.into_iter().map(str::to_owned).collect();
            Kind::Marked(named.name(operation, &parameter.name, values))
        }
        _ => Kind::Text,
    }
}

/// Names of arguments, each once.
#[derive(Default)]
struct Idents(BTreeSet<String>);

impl Idents {
    fn name(&mut self, wire: &str) -> String {
        let mut name = ident(wire);
        // `new` is the constructor of the parameters.
        while ["body", "filter", "new", "parameters"].contains(&name.as_str()) || !self.0.insert(name.clone())
        {
            name.push('_');
        }
        name
    }
}

/// A Rust name: `filter[a]` → `filter_a`, `type` → `type_`.
pub fn ident(name: &str) -> String {
    let mut name = kebab(name).replace('-', "_");
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if name == "_" {
        name.push('0');
    }
    if is_keyword(&name) {
        name.push('_');
    }
    name
}

/// Whether a name is not allowed in Rust. `gen` is a keyword since the edition 2024, which `syn` does not know.
pub fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<syn::Ident>(name).is_err()
}

impl Groups {
    /// Sorts methods into groups, and names them and the types of their parameters. Names of types must not be taken.
    pub fn new(methods: Vec<OperationMethod>, mut types: BTreeSet<String>) -> Self {
        let names: BTreeSet<String> = methods
            .iter()
            .filter(|method| method.words.len() > 1)
            .map(|method| accessor(&method.words[0]))
            .collect();
        let mut groups = Groups { of_client: Vec::new(), groups: BTreeMap::new() };
        let mut taken: BTreeSet<(String, String)> =
            names.iter().map(|accessor| (String::new(), accessor.clone())).collect();
        for mut method in methods {
            let first = accessor(&method.words[0]);
            let group = if method.words.len() > 1 || names.contains(&first) { first } else { String::new() };
            let rest = method.words.get(1..).unwrap_or_default();
            let rest = without_subject(rest, &method.words[0]).join("_");
            let mut name = match (group.is_empty(), rest.is_empty()) {
                (true, _) => accessor(&method.words[0]),
                (false, true) => ident(&method.id),
                (false, false) => ident(&rest),
            };
            let ending = if method.parameters_type.is_some() { "_with" } else { "" };
            if taken.contains(&(group.clone(), format!("{name}{ending}"))) {
                name = ident(&method.id);
            }
            let start = if ending.is_empty() { &name } else { name.trim_end_matches('_') };
            method.name = format!("{start}{ending}");
            while !taken.insert((group.clone(), method.name.clone())) {
                method.name.push('_');
            }
            if let Some(parameters) = &mut method.parameters_type {
                *parameters = format!("{}Params", pascal(&format!("{group}_{name}")));
                while !types.insert(parameters.clone()) {
                    parameters.push('_');
                }
            }
            if group.is_empty() {
                groups.of_client.push(method);
            } else {
                groups.groups.entry(group).or_default().push(method);
            }
        }
        groups
    }

    /// Every method with the accessor of its group, which is empty for those of `Client`.
    pub fn methods(&self) -> impl Iterator<Item = (&str, &OperationMethod)> {
        let of_client = self.of_client.iter().map(|method| ("", method));
        of_client.chain(
            self.groups
                .iter()
                .flat_map(|(group, methods)| methods.iter().map(move |method| (group.as_str(), method))),
        )
    }
}

/// The words of a method, without a last one that only repeats the group: `archive contact` of `contacts`.
fn without_subject<'a>(words: &'a [String], group: &str) -> &'a [String] {
    match words {
        [first @ .., last] if !first.is_empty() && singular(group) == *last => first,
        words => words,
    }
}

/// The name of a method of `Client`.
fn accessor(word: &str) -> String {
    let name = ident(word);
    if CLIENT_METHODS.contains(&name.as_str()) { format!("{name}_operations") } else { name }
}
