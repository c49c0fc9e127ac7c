//! Collects everything that the mirror knows about one contact.
//!
//! Text by customers is marked with `untrusted`, because readers must treat it as data. Resources that were never
//! synced are reported, so that an empty list is not mistaken for a complete one.

mod activity;
mod find;
mod live;
mod overview;
mod records;
mod threads;

pub use find::find_contact;
pub use live::{ContactReport, refreshed_contact_360};
pub use overview::{Contact360, ContactOptions, contact_360};
pub use records::ContactLabel;
pub use threads::{ConversationSummary, ThreadMessage};
