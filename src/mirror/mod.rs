//! The mirror: a local copy of a workspace in one SQLite file, the sync that keeps it up to date, and queries.
//!
//! Layer: above `api`, below `report`. It must never write to the workspace, print, or hold a whole resource in
//! memory.

pub mod aggregate;
pub mod author;
mod cadence;
mod columns;
mod contact_details;
pub mod conversation;
mod conversation_details;
mod count_check;
mod dangling_links;
mod deletions;
pub mod error;
pub mod events;
pub mod forget;
mod fts_query;
mod grams;
pub mod lenient;
mod list;
mod lock;
mod names;
#[cfg(feature = "parquet")]
pub mod parquet;
mod pending;
mod permissions;
mod plan;
mod presence;
mod projection;
mod prune;
mod quarantine;
pub mod read;
mod rereads;
pub mod resources;
pub mod schema;
pub mod search;
mod search_index;
pub mod search_sql;
mod search_type;
mod segments;
pub mod sql;
pub mod state;
mod statistics;
pub mod status;
pub mod store;
pub mod sync;
mod sync_context;
pub mod upsert_contact;
pub mod write;

pub use crate::html::plain;
pub use error::{Error, Holder};
pub use events::{Cause, Event, Observer, ResourceOutcome, Summary};
pub use resources::ResourceName;
pub use state::SyncState;
pub use status::{Sizes, Status, status, status_with};
pub use store::{Store, Workspace, default_path};
pub use sync::sync;
pub use sync_context::SyncOptions;
pub use tokio_util::sync::CancellationToken;
