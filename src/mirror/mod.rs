//! A local copy of a workspace in one SQLite file, and keeping it up to date.
//!
//! Layer: above `api`, below `report`. It never writes to the workspace, never prints, and never
//! holds a whole resource in memory.

pub mod author;
mod cadence;
mod columns;
pub mod conversation;
pub mod counts;
mod deletions;
pub mod error;
pub mod events;
pub mod fields;
pub mod forget;
mod grams;
mod lists;
mod lock;
mod names;
mod orphans;
mod outline;
#[cfg(feature = "parquet")]
pub mod parquet;
mod parts;
pub mod person;
mod phrase;
mod plan;
pub mod predicate;
mod presence;
mod private;
mod prune;
mod quarantine;
mod queue;
pub mod read;
mod rereads;
pub mod resources;
mod run;
pub mod schema;
pub mod search;
mod search_type;
mod segments;
pub mod sql;
pub mod state;
mod statistics;
pub mod status;
mod stop;
pub mod store;
mod surplus;
pub mod sync;
mod texts;
mod walk;
pub mod write;

pub use crate::html::plain;
pub use error::{Error, Holder};
pub use events::{Cause, Event, Observer, Outcome, Summary};
pub use resources::ResourceName;
pub use run::SyncOptions;
pub use state::SyncState;
pub use status::{Sizes, Status, status, status_with};
pub use stop::Stop;
pub use store::{Store, Workspace, default_path};
pub use sync::sync;
