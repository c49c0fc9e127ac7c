//! The flags about changes: whether they are made, and who consents to them.

use clap::Args;

/// Consent given before a command runs. The greater of two applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// None, but the user can be prompted.
    #[default]
    Open,
    /// None, and nobody can be prompted: a program runs the command.
    Withheld,
    /// To changes that can be undone.
    Reversible,
    /// To everything the command does.
    Full,
}

#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct ConsentFlags {
    /// Show the request without sending it
    #[arg(long)]
    pub dry_run: bool,
    /// Succeed if the record to create already exists (409)
    #[arg(long)]
    pub idempotent: bool,
    /// Succeed if the record to delete does not exist (404)
    #[arg(long)]
    pub ignore_missing: bool,
    /// Confirm destructive actions, including those that cannot be undone
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Refuse all changes to the workspace [env: INTERCOM_READ_ONLY]
    #[arg(long)]
    pub read_only: bool,
    /// Never prompt; fail instead
    #[arg(long)]
    pub no_input: bool,
    /// The consent of the flags, or of what runs the command.
    #[arg(skip)]
    pub given: Consent,
}
