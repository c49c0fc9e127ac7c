//! What a command does, so far as whoever lets it run has to know: a server for agents, a workflow.

/// What a command does, in the sense of an agent's permission to run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// Changes files of this machine: the mirror, exports, articles. The workspace stays as it is.
    Local,
    /// Adds something to the workspace, or changes it in a way that can be taken back.
    Write,
    /// Overwrites or removes something in the workspace, reaches customers, or does what cannot be taken back.
    Destructive,
    /// For people at a terminal: takes secrets, never ends, or prints for a shell.
    Terminal,
}

impl Effect {
    pub fn name(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Local => "local",
            Effect::Write => "write",
            Effect::Destructive => "destructive",
            Effect::Terminal => "terminal",
        }
    }
}
