//! The mirror: a local copy of a workspace in one SQLite file, the sync that keeps it up to date, and queries.
//!
//! `sync` fetches over the network, `store` reads and writes the file. `sync` uses `store`, never the other way round;
//! both use the declarations in this folder, such as `resources` and `conversation`. The mirror must never write to
//! the workspace, print, or hold a whole resource in memory.

pub mod author;
pub mod conversation;
mod error;
pub mod follow;
pub mod offline;
mod projection;
#[cfg(feature = "cli")]
pub mod registry;
mod resources;
mod spelling;
mod store;
mod sync;

pub use error::{Error, Holder};
pub use resources::{ResourceName, UnknownResource};
pub use store::contacts::{ContactSummary, matching_contacts};
#[cfg(feature = "cli")]
pub use store::default_path;
#[cfg(feature = "parquet")]
pub use store::parquet;
pub use store::state::SyncState;
pub use store::status::{Sizes, Status, status, status_with};
pub use store::upsert_contact::ContactList;
pub use store::write::{WriteCounts, lacks_parts};
pub use store::{Store, Workspace, aggregate, read, schema, search, search_sql, sql};
pub use sync::events::{Cause, Event, Observer, ResourceOutcome, Summary};
pub use sync::refresh::{Fetched, RecordRefresh};
pub use sync::refresh_contact::contact_search;
pub use sync::sync;
pub use sync::sync_context::SyncOptions;
