//! The row type of the operation table in `generated/commands.rs`.
//!
//! The command line, the request builder, the sandbox and all command listings are built from this one table.
//! These types hold facts only: nothing here parses arguments, sends a request or knows about a terminal.

/// One operation of the API: its name, its parameters and its response.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Operation id in the API description, e.g. `listContacts`.
    pub id: &'static str,
    /// The stable command name, words separated by one space, e.g. `contacts list`.
    pub command: &'static str,
    /// Other spellings of the whole command. The first one is shown in help.
    pub readable: &'static [&'static str],
    /// One line of help, in our words.
    pub help: &'static str,
    /// Arguments of an example call, as typed after the words of the command.
    pub example: Option<&'static str>,
    /// The HTTP method.
    pub method: Method,
    /// Path template, e.g. `/contacts/{id}`. Every `{name}` has a [`Place::Path`] parameter.
    pub path: &'static str,
    /// What it does to the workspace.
    pub effect: Effect,
    /// Whether it adds a record and leaves all others unchanged.
    pub is_additive: bool,
    /// The confirmation that the command line requires.
    pub confirm: Confirm,
    /// Lowest `Intercom-Version` that has the operation, when later than the oldest one.
    pub version: Option<&'static str>,
    /// Last `Intercom-Version` that has the operation, when a later one lacks it.
    pub until: Option<&'static str>,
    /// Whether it is a list, and how its next page is requested.
    pub paging: Paging,
    /// Where the description puts the records of a list, e.g. `data` or `data.articles`.
    pub list: Option<&'static str>,
    /// Path, query and body parameters, path parameters first and in path order.
    pub parameters: &'static [Parameter],
    /// The request body, if the operation takes one.
    pub body: Option<Body>,
    /// The media types of a body that is not JSON. Such an operation is never sent.
    pub other_body: Option<&'static str>,
    /// The content of its successful response.
    pub answer: Answer,
}

/// The HTTP methods of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, acts, or searches; not idempotent.
    Post,
    /// Changes the given fields of a record, or creates it.
    Put,
    /// Removes.
    Delete,
    /// Changes the given fields of a record; not idempotent.
    Patch,
}

/// What an operation does to the workspace. Decides whether an agent may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing. Searches read, although they are sent with POST.
    Read,
    /// Adds a record, or changes one in a way that another call can undo.
    Write,
    /// Overwrites, removes, reaches customers, or changes many records.
    Destructive,
}

/// The confirmation that an operation needs before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirm {
    /// None.
    Never,
    /// `--yes` or `--agent`: the operation can be undone.
    Ask,
    /// `--yes`, given explicitly: the operation cannot be undone.
    Explicit,
}

/// How a list continues after its first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// Not a list.
    None,
    /// A list without page parameters: one response holds everything, or says how to get the next page.
    Whole,
    /// `starting_after` and `per_page` in the query.
    Cursor {
        /// The largest page size, in records; 0 if unknown.
        max: u32,
    },
    /// `pagination.starting_after` and `pagination.per_page` in the body.
    CursorInBody {
        /// The largest page size, in records; 0 if unknown.
        max: u32,
    },
    /// `page` (from 1) and `per_page` in the query.
    Page {
        /// The largest page size, in records; 0 if unknown.
        max: u32,
    },
    /// `scroll_param` in the query; the server chooses the page size.
    Scroll,
}

/// One parameter of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Wire name; dotted when it is a field of an object, e.g. `pagination.per_page`.
    pub name: &'static str,
    /// Long flag without dashes (`pagination-per-page`), or the name of the positional argument.
    pub flag: &'static str,
    /// The part of the request that has the value.
    pub place: Place,
    /// The type of the value.
    pub kind: Kind,
    /// Whether the API refuses a request without the value.
    pub required: bool,
    /// JSON text to send when the value is required but not given: its only choice, or its default.
    pub default: Option<&'static str>,
    /// One line of help, in our words; empty if the name is enough.
    pub help: &'static str,
    /// How it differs between API versions; `None` if all versions of the operation have it alike.
    pub history: Option<&'static History>,
}

/// How a parameter differs between API versions.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// Lowest `Intercom-Version` that has the parameter.
    pub since: Option<&'static str>,
    /// Last `Intercom-Version` that has the parameter.
    pub until: Option<&'static str>,
    /// The version from which on values are sent as another type, and that type.
    pub retyped: Option<(&'static str, Retyped)>,
    /// Values of a [`Kind::Choice`] that need a later version, with that version.
    pub values: &'static [(&'static str, &'static str)],
}

/// How a value of the earlier type is sent to a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retyped {
    /// An integer is sent as text.
    Text,
    /// The text of an integer is sent as an integer.
    Integer,
    /// Each text of a list is sent as an object with this field.
    Wrapped(&'static str),
}

/// An API version that the table was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescribedVersion {
    /// Its `Intercom-Version`, for example `2.13`.
    pub number: &'static str,
    /// How many operations its description has.
    pub operations: usize,
}

/// The part of a request that has a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A segment of the path, percent-encoded when the request is built.
    Path,
    /// The query of the URL.
    Query,
    /// A field of the JSON body.
    Body,
}

/// The type of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// A number without a fraction.
    Integer,
    /// A number that may have a fraction.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Epoch seconds on the wire; the command line also accepts a date or `30d`.
    Time,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A list of scalars; the flag is repeatable.
    List(Scalar),
    /// Any JSON value.
    Json,
}

/// The type of the elements of a [`Kind::List`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Text.
    String,
    /// A number without a fraction.
    Integer,
    /// A number that may have a fraction.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// The request body of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    /// Whether the API refuses a request without a body.
    pub required: bool,
    /// JSON Schema 2020-12 as JSON text; `#/$defs/<name>` refers to [`DEFINITIONS`](super::commands::DEFINITIONS).
    pub schema: &'static str,
}

/// The content of a successful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// One JSON document.
    Json,
    /// Text that is not JSON, e.g. a transcript.
    Text,
    /// A file to be streamed to disk.
    Bytes,
    /// No content.
    Nothing,
}

/// The value that `text` names, ignoring case and separators; an exact match wins.
pub fn choice<'a, T: AsRef<str>>(values: &'a [T], text: &str) -> Option<&'a str> {
    let folded = |text: &str| -> String {
        text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let mut values = values.iter().map(AsRef::as_ref);
    let exact = values.clone().find(|value| *value == text);
    exact.or_else(|| values.find(|value| folded(value) == folded(text)))
}

impl Operation {
    /// Whether a call must give this value itself. A value with a default is not demanded, and neither is an
    /// object with a required field that has its own flag.
    pub fn demands(&self, parameter: &Parameter) -> bool {
        let is_part = |other: &Parameter| {
            let rest = other.name.strip_prefix(parameter.name).and_then(|rest| rest.strip_prefix('.'));
            other.place == parameter.place && rest.is_some()
        };
        let by_parts = self.parameters.iter().any(|other| is_part(other) && other.required);
        parameter.required && parameter.default.is_none() && !by_parts
    }

    /// The parameter that takes the whole object this value is a field of.
    pub fn object_of(&self, parameter: &Parameter) -> Option<&'static Parameter> {
        let (object, _) = parameter.name.rsplit_once('.')?;
        self.parameters.iter().find(|other| other.place == parameter.place && other.name == object)
    }

    /// Every spelling of the command, starting with the one shown in help.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.readable.iter().copied().chain([self.command])
    }
}

impl Method {
    /// The method as sent on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
        }
    }

    /// Whether sending the request twice has the same effect as sending it once (RFC 9110 §9.2.2).
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }
}
