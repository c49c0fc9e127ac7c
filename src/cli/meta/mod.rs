//! Commands about commands: they find, describe, complete and run the others.
//!
//! They take the list of all commands as an argument, and must never import it.

mod agent_context;
pub(crate) mod command_document;
mod completions;
mod describe;
mod help;
mod man;
mod which;
mod workflow;

use super::registry::Registration;

/// In the order of the help.
pub const COMMANDS: &[Registration] = &[
    Registration::meta::<completions::Completions>(),
    Registration::meta::<man::Man>(),
    Registration::meta::<help::ShowHelp>(),
    Registration::meta::<agent_context::AgentContext>(),
    Registration::meta::<which::Which>(),
    Registration::meta::<describe::Describe>(),
    Registration::meta::<workflow::WorkflowRun>(),
];
