//! Selects records of the workspace by a filter: looks up its names, and tests every record that a search returns.
//!
//! Servers differ in what a search compares, so no record may be shown or changed before it was tested here. Must not
//! depend on flags, and must never print.

mod contact;
mod filtered_page;
mod names;
mod where_filter;

pub use contact::find_contacts;
pub use names::{NameSource, stored_zone};
pub use where_filter::{SkippedRecord, WhereFilter};
