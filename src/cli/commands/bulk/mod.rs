//! Commands that change many records. Each makes its own plan; [`execute`] carries all of them out the same way.

mod command;
mod contacts;
mod conversations;
pub mod execute;
mod incident_tag;
mod report;
mod runs;
mod selection;
mod tag;
mod tag_flags;
mod words;

pub use command::BulkCommand;
pub use contacts::{ArchiveContacts, UpdateContacts};
pub use conversations::{
    AnnotateConversations, AssignConversations, CloseConversations, SnoozeConversations,
};
pub use incident_tag::TagIncident;
pub use runs::{ListRuns, UndoRun};
pub use tag::{TagCompanies, TagContacts, TagConversations, UntagConversations};
