//! Changes many records safely: plan, apply, journal, undo.
//!
//! Layer: above `mirror`, below `cli`. Planning only reads; a plan has the current state of every record and the change
//! to send. Applying never sends a change twice: after a lost response, the record is read before the change is sent
//! again. Every step is on disk before and after it happens, so a run can be killed at any time, resumed and undone.
//! This module must never print or ask for confirmation.

pub mod append_log;
pub mod apply;
pub mod change;
pub mod contact_fields;
pub mod directory;
pub mod error;
pub mod import;
pub mod import_journal;
pub mod incident;
pub mod journal;
pub mod merge;
pub mod phrase_match;
pub mod plan;
pub mod planner;
pub mod read;
mod record_state;
pub mod report;
pub mod run;
pub mod selection;
pub mod shared_identifier;
mod state;
pub mod tags;
pub mod target;
pub mod undo;
pub mod workspace_lock;

pub use apply::{Applier, ApplyProgress};
pub use change::{Assignee, Change};
pub use error::{Error, NotFoundKind};
pub use journal::{RecordStatus, RunJournal};
pub use plan::{BulkPlan, Head, PlannedRecord, SelectionFilter};
pub use target::BulkTarget;
