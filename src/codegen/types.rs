//! The types that typify generates, as data: what each field is in Rust and on the wire.
//!
//! typify decides names and types; its code is not used, because derives on hundreds of types take longer to compile
//! than everything else. What typify does not keep (which fields are required, null or constant) comes from the
//! normalized description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syn::{File, FnArg, ImplItem, Item, ItemStruct, Type};

use super::description::{Description, plain};
use super::marks::MARK;
use super::methods::is_keyword;
use super::shape::{REQUEST, ROLE, WIRE, choices};
use super::versions::SINCE;

/// The type of a value in Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    /// Any JSON.
    Json,
    /// Any JSON object.
    Object,
    /// An id, a time or choices.
    Marked(String),
    Model(String),
    List(Box<Kind>),
    Boxed(Box<Kind>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Required,
    Optional,
    /// Optional, and null means something else than nothing.
    Nullable,
}

#[derive(Debug, Clone)]
pub struct Field {
    pub ident: String,
    /// The name of its setter, which differs if `new` has the name.
    pub setter: String,
    pub wire: String,
    pub kind: Kind,
    pub presence: Presence,
    /// The only value.
    pub constant: Option<String>,
    /// Whether an id is an integer on the wire, or a time is text.
    pub spelling: Option<&'static str>,
    /// The version that it needs, if later than the oldest one.
    pub since: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Model {
    pub name: String,
    pub is_request: bool,
    pub fields: Vec<Field>,
}

/// What the functions of operations take and return, by function name.
#[derive(Debug, Clone, Default)]
pub struct Signature {
    pub body: Option<Kind>,
    pub answer: Answer,
}

#[derive(Debug, Clone, Default)]
pub enum Answer {
    #[default]
    Nothing,
    File,
    Value(Kind),
}

/// All types, and the signatures of all functions, by name.
pub struct Types {
    pub models: BTreeMap<String, Model>,
    pub signatures: BTreeMap<String, Signature>,
    /// The first value of each set of choices, by the name of its type.
    pub first_choices: BTreeMap<String, String>,
}

/// Reads what progenitor generated for a description.
pub fn read(file: &File, description: &Description) -> Types {
    let components: BTreeMap<String, &Value> = description.root["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| (plain(name), schema))
        .collect();
    let mut types =
        Types { models: BTreeMap::new(), signatures: BTreeMap::new(), first_choices: BTreeMap::new() };
    for item in &file.items {
        match item {
            Item::Mod(module) if module.ident == "types" => {
                let items = module.content.iter().flat_map(|(_, items)| items);
                for item in items {
                    let Item::Struct(item) = item else { continue };
                    if let Some(schema) = components.get(&plain(&item.ident.to_string())) {
                        let model = model(item, schema);
                        types.models.insert(model.name.clone(), model);
                    }
                }
            }
            Item::Impl(implementation) if implementation.trait_.is_none() => {
                for item in &implementation.items {
                    if let ImplItem::Fn(function) = item {
                        types.signatures.insert(function.sig.ident.to_string(), signature(function));
                    }
                }
            }
            _ => {}
        }
    }
    types
}

fn model(item: &ItemStruct, schema: &Value) -> Model {
    let is_request = schema[ROLE] == REQUEST;
    let properties = schema["properties"].as_object();
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let generated: Vec<(String, String, &Type)> = item
        .fields
        .iter()
        .filter_map(|field| {
            let ident = field.ident.as_ref()?.to_string();
            let wire = renamed(field).unwrap_or_else(|| ident.trim_start_matches("r#").to_owned());
            Some((ident, wire, &field.ty))
        })
        .collect();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    // In the order of the description.
    let fields = properties.into_iter().flatten().filter_map(|(name, property)| {
        let (ident, _, kind) = generated.iter().find(|(_, generated, _)| generated == name)?;
        let is_required = required.contains(name.as_str());
        let constant = match choices(property)[..] {
            [only] => Some(only.to_owned()),
            _ => None,
        };
        let kind = kind_of(kind);
        let spelling = spelling(&kind, property);
        let presence = match (is_required, property["nullable"] == true && is_request) {
            (true, _) => Presence::Required,
            (false, true) => Presence::Nullable,
            (false, false) => Presence::Optional,
        };
        let since = property[SINCE].as_str().map(str::to_owned);
        let mut ident = if is_keyword(ident) { format!("{ident}_") } else { ident.clone() };
        while !taken.insert(ident.clone()) {
            ident.push('_');
        }
        Some(Field {
            setter: ident.clone(),
            ident,
            wire: property[WIRE].as_str().unwrap_or(name).to_owned(),
            kind,
            presence,
            constant,
            spelling,
            since,
        })
    });
    let mut fields: Vec<Field> = fields.collect();
    if let Some(index) = fields.iter().position(|field| field.ident == "new") {
        let mut setter = "set_new".to_owned();
        while !taken.insert(setter.clone()) {
            setter.push('_');
        }
        fields[index].setter = setter;
    }
    Model { name: item.ident.to_string(), is_request, fields }
}

/// The name in `#[serde(rename = "...")]`.
fn renamed(field: &syn::Field) -> Option<String> {
    let mut name = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // An argument that does not parse is not `rename`.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    name
}

/// How a value is spelled on the wire, if not as its type.
fn spelling(kind: &Kind, property: &Value) -> Option<&'static str> {
    let mut leaf = property;
    while leaf["type"] == "array" {
        leaf = &leaf["items"];
    }
    match (marked(kind)?, leaf["type"].as_str()?) {
        ("Timestamp", "string") if leaf["format"] == "date-time" => Some("Rfc3339"),
        (id, "integer") if id.ends_with("Id") => Some("Integer"),
        _ => None,
    }
}

fn marked(kind: &Kind) -> Option<&str> {
    match kind {
        Kind::Marked(name) => Some(name),
        Kind::List(kind) | Kind::Boxed(kind) => marked(kind),
        _ => None,
    }
}

/// The type, without `Option`: presence comes from the description.
fn kind_of(kind: &Type) -> Kind {
    let Type::Path(path) = kind else { return Kind::Json };
    let Some(last) = path.path.segments.last() else { return Kind::Json };
    let argument = || {
        let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return Kind::Json };
        arguments
            .args
            .iter()
            .find_map(|argument| match argument {
                syn::GenericArgument::Type(kind) => Some(kind_of(kind)),
                _ => None,
            })
            .unwrap_or(Kind::Json)
    };
    let name = last.ident.to_string();
    if path.path.segments.first().is_some_and(|first| first.ident == MARK) {
        return Kind::Marked(name);
    }
    let is_foreign = path.path.leading_colon.is_some() || path.path.segments.len() == 1;
    match name.as_str() {
        "Option" if is_foreign => argument(),
        "Vec" if is_foreign => Kind::List(Box::new(argument())),
        "Box" if is_foreign => Kind::Boxed(Box::new(argument())),
        "String" if is_foreign => Kind::Text,
        "Map" | "HashMap" if is_foreign && path.path.leading_colon.is_some() => Kind::Object,
        "Value" if path.path.leading_colon.is_some() => Kind::Json,
        "str" => Kind::Text,
        "bool" => Kind::Boolean,
        "f64" | "f32" => Kind::Number,
        "i64" | "i32" | "i16" | "i8" | "u64" | "u32" | "u16" | "u8" => Kind::Integer,
        _ if path.path.leading_colon.is_some() => Kind::Json,
        _ => Kind::Model(name),
    }
}

/// The body, and the `T` of `Result<ResponseValue<T>, Error<()>>`.
fn signature(function: &syn::ImplItemFn) -> Signature {
    let body = function.sig.inputs.iter().find_map(|input| match input {
        FnArg::Typed(input) => match &*input.ty {
            Type::Reference(reference) => Some(kind_of(&reference.elem)),
            kind => Some(kind_of(kind)),
        },
        FnArg::Receiver(_) => None,
    });
    let answer = match &function.sig.output {
        syn::ReturnType::Type(_, result) => match first_argument(result).and_then(first_argument) {
            Some(Type::Path(path)) if path.path.is_ident("ByteStream") => Answer::File,
            Some(Type::Path(path)) => Answer::Value(kind_of(&Type::Path(path.clone()))),
            _ => Answer::Nothing,
        },
        syn::ReturnType::Default => Answer::Nothing,
    };
    Signature { body, answer }
}

fn first_argument(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

/// Types that are not generated.
const NATIVE: [&str; 7] =
    ["AdminId", "ArticleId", "ContactId", "ConversationId", "TagId", "TeamId", "Timestamp"];

impl Kind {
    /// The choices inside lists and boxes.
    pub fn choices(&self) -> Option<&str> {
        marked(self).filter(|name| !NATIVE.contains(name))
    }

    /// The type in Rust. `scope` is the module of models and choices, with `::`.
    pub fn rust(&self, scope: &str) -> String {
        match self {
            Kind::Text => "String".to_owned(),
            Kind::Integer => "i64".to_owned(),
            Kind::Number => "f64".to_owned(),
            Kind::Boolean => "bool".to_owned(),
            Kind::Json => "serde_json::Value".to_owned(),
            Kind::Object => "serde_json::Map<String, serde_json::Value>".to_owned(),
            Kind::Marked(name) if NATIVE.contains(&name.as_str()) => name.clone(),
            Kind::Marked(name) | Kind::Model(name) => format!("{scope}{name}"),
            Kind::List(items) => format!("Vec<{}>", items.rust(scope)),
            Kind::Boxed(inner) => format!("Box<{}>", inner.rust(scope)),
        }
    }

    /// The model inside lists and boxes.
    pub fn model(&self) -> Option<&str> {
        match self {
            Kind::Model(name) => Some(name),
            Kind::List(kind) | Kind::Boxed(kind) => kind.model(),
            _ => None,
        }
    }
}

impl Model {
    /// The items, if all that the record has is a list of them.
    pub fn items(&self) -> Option<(&Field, &Kind)> {
        const BESIDE: [&str; 8] =
            ["type", "url", "total_count", "count", "has_more", "pages", "limit", "total"];
        let mut lists = self.fields.iter().filter(|field| !BESIDE.contains(&field.wire.as_str()));
        match (lists.next(), lists.next()) {
            (Some(field @ Field { kind: Kind::List(items), .. }), None) if !self.is_request => {
                Some((field, items))
            }
            _ => None,
        }
    }
}

impl Types {
    /// A valid value of choices.
    pub fn first_choice(&self, name: &str) -> &str {
        self.first_choices.get(name).map_or("", String::as_str)
    }

    /// The type of the elements at a path of keys, `data` or `data.articles`.
    pub fn elements(&self, answer: &Kind, keys: &str) -> Option<Kind> {
        let mut kind = answer.clone();
        for key in keys.split('.') {
            let model = self.models.get(kind.model()?)?;
            kind = model.fields.iter().find(|field| field.wire == key)?.kind.clone();
        }
        match kind {
            Kind::List(elements) => Some(*elements),
            _ => None,
        }
    }

    /// The names of the models that these types need.
    pub fn needed<'a>(&self, roots: impl Iterator<Item = &'a Kind>) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        let mut open: Vec<String> = roots.filter_map(|kind| kind.model().map(str::to_owned)).collect();
        while let Some(name) = open.pop() {
            let Some(model) = self.models.get(&name) else { continue };
            if needed.insert(name) {
                open.extend(model.fields.iter().filter_map(|field| field.kind.model().map(str::to_owned)));
            }
        }
        needed
    }
}
