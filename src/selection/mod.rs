//! Selects records of the workspace by a filter: looks up its names, and tests every record that a search returns.
//!
//! Servers differ in what a search compares, so no record may be shown or changed before it was tested here. Must not
//! depend on flags, and must never print.

#[cfg(feature = "cli")]
mod contact;
mod filtered_page;
#[cfg(feature = "mirror")]
mod mirror_names;
mod names;
mod text_filter;
mod where_filter;

#[cfg(feature = "cli")]
pub use contact::find_contacts;
#[cfg(feature = "mirror")]
pub use mirror_names::{StoredNames, stored_zone};
pub use names::{NameSource, directory};
pub use where_filter::{SkippedRecord, WhereFilter};
