//! The record types of a workspace, and their JSON documents.
//!
//! Records must know nothing about requests. Derived values (counts, statistics, links) are computed on output
//! and never stored, so they cannot become stale.

pub mod article;
pub mod call;
pub mod company;
pub mod contact;
pub mod conversation;
pub mod people;
pub mod setup;
pub mod statistics;
pub mod ticket;
