//! Commands that change many records. Each makes its own plan; [`execute`] carries all of them out the same way.

pub mod commands;
mod contact_fields;
pub mod execute;
pub mod incident_tag;
mod plan;
mod progress;
mod report;
pub mod runs;
mod selection;
