//! Keeps a folder of Markdown files and the help center in step.
//!
//! The folder holds one file per article and language for authors, and in a hidden folder the HTML that the
//! server last had. What a colleague changed on the server in the meantime is merged block by block, or
//! reported as a conflict and left unchanged. This module talks to the API and to one folder, and must never
//! write outside that folder.

mod conflict;
mod decide;
mod download;
pub mod error;
pub mod finding;
pub mod folder;
pub mod gate;
mod layout;
pub mod lint;
mod lock;
mod manifest;
mod order;
pub mod outcome;
mod outgoing;
mod placement;
pub mod pull;
pub mod push;
mod rebase;
mod relink;
mod remote;
pub mod resolve;
pub mod selection;
pub mod status;
mod version;
mod working_copy;
