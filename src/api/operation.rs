//! The shape of one row of the operation table in `generated/commands.rs`.
//!
//! The table is the single description that the command line, the executor, the sandbox and every
//! listing of commands are built from. These types hold facts only: nothing here parses arguments,
//! sends a request or knows about a terminal.

/// One operation of the API: what it is called, what it sends, and what may be expected back.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Operation id of the API description, e.g. `listContacts`.
    pub id: &'static str,
    /// The command users rely on, words separated by one space, e.g. `contacts list`.
    pub command: &'static str,
    /// Other spellings of the whole command; the first one is what people are shown.
    pub readable: &'static [&'static str],
    /// One line of help, in our words.
    pub help: &'static str,
    pub method: Method,
    /// Path template, e.g. `/contacts/{id}`. Every `{name}` has a [`Place::Path`] parameter.
    pub path: &'static str,
    pub effect: Effect,
    /// Lowest `Intercom-Version` that has the operation, when above the pinned one.
    pub version: Option<&'static str>,
    pub paging: Paging,
    /// Path, query and body parameters, path parameters first and in path order.
    pub parameters: &'static [Parameter],
    /// The request body, if the operation takes one.
    pub body: Option<Body>,
    pub answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
}

/// What an operation does to the workspace, in the sense of an agent's permission to call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// Adds something, or changes it in a way that can be taken back.
    Write,
    /// Overwrites or removes something: asks for `--yes`.
    Destructive,
}

/// How a list continues after its first page. `max` is the largest page the API accepts; 0 when it is
/// not known whether a size may be asked for at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// The operation is no list.
    None,
    /// A list whose one answer holds everything.
    Whole,
    /// `starting_after` and `per_page` in the query.
    Cursor { max: u32 },
    /// `pagination.starting_after` and `pagination.per_page` in the body.
    CursorInBody { max: u32 },
    /// `page` (from 1) and `per_page` in the query.
    Page { max: u32 },
    /// `scroll_param` in the query; the page size is the server's.
    Scroll,
}

/// One value that the operation takes.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Wire name; dotted when it is a field of an object, e.g. `pagination.per_page`.
    pub name: &'static str,
    /// Long flag without dashes (`pagination-per-page`), or the positional's name.
    pub flag: &'static str,
    pub place: Place,
    pub kind: Kind,
    pub required: bool,
    /// JSON text to send when the value is required and not given: its only choice, or its default.
    pub default: Option<&'static str>,
    /// One line of help, in our words; empty where the name says it all.
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
}

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    /// Seconds since the epoch on the wire; people may also write a date or `30d`.
    Time,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A list of scalars: the flag is repeated.
    List(Scalar),
    /// Any JSON value.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    String,
    Integer,
    Number,
    Boolean,
}

/// The request body of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    pub required: bool,
    /// JSON Schema 2020-12 as JSON text; `#/$defs/<name>` refers into the table's `DEFINITIONS`.
    pub schema: &'static str,
}

/// What a success carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Json,
    /// Text that is not JSON, e.g. a transcript.
    Text,
    /// A file to be streamed to disk.
    Bytes,
    /// No content.
    Nothing,
}

impl Operation {
    /// Every spelling of the command, the one that people are shown first.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.readable.iter().copied().chain([self.command])
    }
}

impl Method {
    /// The method as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
        }
    }

    /// Whether sending the request twice leaves the same state as sending it once (RFC 9110 §9.2.2).
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }
}
