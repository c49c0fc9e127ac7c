//! The records of a workspace, and how each is written as JSON.
//!
//! A record knows nothing of requests. What can be derived (counts, statistics, links) is derived
//! when it is shown and never stored, so it cannot become untrue.

pub mod article;
pub mod company;
pub mod contact;
pub mod conversation;
pub mod people;
pub mod setup;
pub mod statistics;
pub mod ticket;
