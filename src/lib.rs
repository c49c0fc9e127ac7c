//! A client for the Intercom API, and the parts of the program `intercom-pp-cli` that other programs can use.
//!
//! [`Client`] has a method for each operation of the API, from version 2.13 to 2.16. Requests are built with types,
//! answers are types, lists are streams, and the raw document is behind every answer. The client keeps to the rate limit,
//! sends failed reads again, and never sends a change twice.
//!
//! # Install
//!
//! ```toml
//! [dependencies]
//! intercom-pp-cli = { version = "0.1", default-features = false }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! ```no_run
//! use intercom::Client;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?; // INTERCOM_ACCESS_TOKEN, and INTERCOM_REGION unless it is us
//! let contact = client.contacts().get("665f2c0a1b2c3d4e5f607182").await?;
//! println!("{:?} {:?}", contact.name, contact.email);
//! # Ok(())
//! # }
//! ```
//!
//! `default-features = false` matters: the default feature `cli` builds the command-line program.
//!
//! | Feature | Adds |
//! |---|---|
//! | none | the client |
//! | `jiff` | conversions between [`Timestamp`] and the types of `jiff` |
//! | `filter` | filters as text, in the language of `--where`: `state = open and updated_at > 7d` |
//! | `sandbox` | [`sandbox`]: a workspace in memory, for tests |
//! | `mirror` | [`local`]: a copy of the workspace in SQLite, with sync, search, SQL and reports |
//! | `articles` | [`convert`]: the HTML of articles to Markdown and back |
//! | `webhooks` | [`webhooks`]: the notifications that Intercom sends, verified and typed |
//! | `cli` | the programs, and everything above |
//! | `keyring`, `parquet` | options of the programs |
//!
//! # Ten programs
//!
//! Each of these is a complete program in `examples/`, which runs against a sandbox in its own process:
//! `cargo run --example list_contacts`.
//!
//! ## List and filter contacts: `list_contacts`
//!
//! ```no_run
//! # use intercom::{Client, Filter, Timestamp};
//! # async fn run(client: Client, last_year: Timestamp) -> Result<(), intercom::Error> {
//! let page = client.contacts().list().per_page(5).page().await?; // derefs to a slice
//!
//! let recent = Filter::eq("role", "user") & Filter::gt("signed_up_at", last_year);
//! let mut users = client.contacts().search(recent).stream(); // one page in memory
//! while let Some(user) = users.try_next().await? {
//!     println!("{:?}", user.email);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ## Search conversations and reply: `search_and_reply`
//!
//! ```no_run
//! # use intercom::{AdminId, Client, Filter, Order, types};
//! # async fn run(client: Client, me: AdminId) -> Result<(), intercom::Error> {
//! let mentions = Filter::eq("state", "open") & Filter::contains("source.body", "invoice");
//! let search = client.conversations().search(mentions).sort("created_at", Order::Ascending).limit(50);
//! for conversation in search.all().await? {
//!     let Some(id) = conversation.id else { continue };
//!     let reply = types::ReplyConversationRequest::new("comment", "admin")
//!         .admin_id(me.clone())
//!         .body("<p>We are looking into it.</p>");
//!     client.conversations().reply(id, &reply).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ## The others
//!
//! | Program | What it shows |
//! |---|---|
//! | `create_and_tag` | creates a contact, writes a note, tags it: request types with `new` and setters |
//! | `upsert_company` | creates a company or updates it, and attaches a contact |
//! | `ticket_from_conversation` | turns a conversation into a ticket and moves it to another state |
//! | `stream_conversations` | reads all conversations with their parts, with flat memory |
//! | `errors_and_retries` | what to do about each error, and what is sent again |
//! | `refresh_one_record` | keeps a [`local`] copy up to date from webhooks |
//! | `sla_from_mirror` | reports response times, and queries the copy with SQL |
//! | `proxy_and_tracing` | custom base URL, proxy, metrics and `tracing` |
//!
//! # Requests and answers
//!
//! Operations are in groups with the names of the commands: `contacts list` is `client.contacts().list()`, see [`groups`].
//! Request bodies in [`types`] have `new(required, ...)`, `Default` if nothing is required, and a setter for each field.
//! `clear_phone()` and its like send null, which removes a value. An operation with optional parameters has a second
//! method that takes them: `get_with(id, &parameters)`. Ids that are easily mixed up are types ([`ContactId`],
//! [`ConversationId`], ...), and times are [`Timestamp`]s: whole seconds since 1970 in UTC.
//!
//! An answer is a [`Response`]: it derefs to its type, and has [`raw`](Response::raw), the document as received. Unknown
//! fields are in `extra`, unknown values of enumerations are kept as text. A field that the API sends with another type
//! than described is in `extra` too, and never an error. [`Client::call_as`] and [`List::read_as`] read answers as other
//! types, for example of your own.
//!
//! # Errors
//!
//! All functions return [`Error`], which can be matched or asked: [`status`](Error::status), [`code`](Error::code),
//! [`request_id`](Error::request_id), [`is_not_found`](Error::is_not_found).
//!
//! ```no_run
//! # use intercom::{Client, Error};
//! # async fn run(client: Client) -> Result<(), Error> {
//! match client.contacts().get("665f2c0a1b2c3d4e5f607182").await {
//!     Ok(contact) => println!("{:?}", contact.email),
//!     Err(error) if error.is_not_found() => println!("deleted"),
//!     Err(Error::RateLimited { retry_after, .. }) => println!("try again after {retry_after:?}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Retries and the rate limit
//!
//! The client spreads its requests over the rate limit that the API reports, and shares it between clones. A request that
//! only reads is sent again after a connection error, a 429 or a 5xx, with growing delays. A change is sent again only if
//! the server has certainly not processed it; otherwise the error is [`Error::OutcomeUnknown`], and the program should
//! read the record before it tries again. [`Client::builder`] sets the number of attempts, the timeout and the rate.
//!
//! # Versions of the API
//!
//! Requests are sent with API version 2.13, and operations that it does not have with the lowest version that does. Their
//! documentation says which. `api_version` of the builder raises the version of all requests.
//!
//! # Tests
//!
//! The feature `sandbox` starts a workspace in the process of a test: see [`sandbox`].
//!
//! # Stability
//!
//! The crate follows semantic versioning. Enums and structs that may grow are marked `#[non_exhaustive]`. Types in [`types`]
//! get new fields in minor versions, so build requests with `new`, `default` and setters instead of struct literals.
//! [`local`], [`convert`] and [`sandbox`] are less stable: they may change in minor versions, which the changelog announces.
//! What is hidden from this documentation belongs to the programs, and may change at any time.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
// Files are opened in `cli::files`. Modules that open files themselves are marked below, with the reason.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod api;
#[cfg(feature = "articles")]
#[allow(clippy::disallowed_methods, reason = "the articles folder, which `cli::files` has checked")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod articles;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "journals of bulk runs and imports")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod bulk;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod cli;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "the config file and the data folder")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod config;
#[cfg(feature = "articles")]
pub mod convert;
mod data;
#[cfg(feature = "filter")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod filter;
#[cfg(any(feature = "articles", feature = "filter", feature = "sandbox"))]
#[allow(missing_docs, reason = "shared by the other modules")]
mod html;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "the queue and its lock file")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod listen;
#[cfg(feature = "mirror")]
pub mod local;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod mcp;
#[cfg(feature = "mirror")]
#[allow(clippy::disallowed_methods, reason = "the mirror, its lock file and its exports")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod mirror;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod program;
#[cfg(feature = "mirror")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod report;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "filter")]
#[cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, reason = "the programs use all of it"))]
mod selection;
#[cfg(feature = "webhooks")]
pub mod webhooks;

pub use api::generated::{groups, types};
#[doc(inline)]
pub use api::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
#[doc(inline)]
pub use api::{Client, ClientBuilder, Error, Observer, Region, Response, Settings, Timestamp, Token};
#[doc(inline)]
pub use api::{Filter, List, Order, Page};
#[cfg(feature = "mirror")]
#[doc(inline)]
pub use local::Mirror;

/// The Rust examples of the documentation, compiled with its tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/library.md")]
struct Documentation;
