//! Changing many records so that it can be trusted: plan, apply, journal, undo.
//!
//! Layer: above `mirror`, below `cli`. A plan is made by reading only and says for every record what
//! it is now and what would be sent. Applying it sends each change at most once that is known to have
//! arrived: a change whose answer was lost is looked up before it is sent again. Everything is on disk
//! before and after it happens, so a run can be killed at any moment, gone on with, and taken back.
//! Nothing here prints, asks, or decides what a run is for.

pub mod apply;
pub mod change;
pub mod error;
pub mod incident;
pub mod journal;
pub mod lists;
pub mod log;
pub mod mentions;
pub mod plan;
pub mod read;
mod state;
pub mod tags;
pub mod turn;
pub mod undo;

pub use apply::{Applier, Progress};
pub use change::{Assignee, Change, Target};
pub use error::Error;
pub use journal::{Journal, Status};
pub use plan::{Head, Record, Selection};
