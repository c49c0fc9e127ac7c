//! The records of a workspace, and their JSON documents.
//!
//! Records must know nothing about requests. Derived values (counts, statistics, links) are computed on output
//! and never stored, so they cannot become stale.

pub mod activity_kinds;
pub mod admin;
pub mod article;
pub mod banner;
pub mod company;
pub mod contact;
pub mod conversation;
pub mod data_connector;
pub mod fin;
pub mod knowledge;
pub mod plain;
pub mod reporting_job;
pub mod statistics;
pub mod tagging;
pub mod ticket;
