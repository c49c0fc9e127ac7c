//! Commands that change many records: each makes a plan, and all of them carry it out in the same way.

pub mod changes;
mod contact_fields;
pub mod incident_tag;
mod progress;
mod report;
pub mod running;
pub mod runs;
mod selection;
