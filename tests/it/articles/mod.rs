//! End-to-end tests of the help center as files: the binary against a sandbox with realistic articles.

mod converter;
mod files;
mod gate;
mod help_center;
mod new_files;
mod push;
mod round_trip;
mod team;
mod versions;
