//! Consent: who has agreed to what, and the one place where a command asks for it.
//!
//! What can be taken back is agreed to by `--agent`; what cannot, and what changes many records, only by `--yes`,
//! by a person who was asked, or by the confirmation of an MCP call. Consent is handed over as data: no layer
//! may type a flag on somebody's behalf.

use std::io::Write;

use super::context::Context;
use super::door::stdin;
use super::error::Error;
use super::output::printable;
pub use crate::api::operation::Confirm;

/// So many records are changed without asking.
pub const UNASKED: usize = 100;

/// What was agreed to before a command ran. The greater of two holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Nothing; a person at the terminal typed the command and can be asked.
    #[default]
    Open,
    /// Nothing; a program made the call, and nobody can be asked.
    Withheld,
    /// To what can be taken back.
    Reversible,
    /// To everything that the command does.
    Full,
}

/// What a command is about to do.
#[derive(Debug, Clone)]
pub struct Intent {
    /// In the imperative: `Delete contact Ann (ann@example.com)`.
    pub action: String,
    /// A sentence on what that means.
    pub consequence: String,
    pub confirm: Confirm,
    pub records: usize,
    /// Whether there is a way back, although it has to be confirmed explicitly.
    pub can_be_undone: bool,
}

impl Intent {
    pub fn new(action: impl Into<String>, confirm: Confirm) -> Self {
        let consequence = match confirm {
            Confirm::Explicit => "This cannot be undone.",
            Confirm::Never | Confirm::Ask => "",
        };
        Intent {
            action: action.into(),
            consequence: consequence.to_owned(),
            confirm,
            records: 1,
            can_be_undone: false,
        }
    }

    pub fn of_many(self, records: usize) -> Self {
        Intent { records, ..self }
    }

    /// For what is confirmed explicitly because nobody looked at each record.
    pub fn that_can_be_undone(self) -> Self {
        Intent { can_be_undone: true, ..self }
    }

    pub fn with_consequence(self, consequence: impl Into<String>) -> Self {
        Intent { consequence: consequence.into(), ..self }
    }

    fn is_mass(&self) -> bool {
        self.records > UNASKED
    }

    /// Whether this consent covers the change.
    fn is_covered(&self, consent: Consent) -> bool {
        let needed = if self.is_mass() { Confirm::Explicit } else { self.confirm };
        match needed {
            Confirm::Never => true,
            Confirm::Ask => consent >= Consent::Reversible,
            Confirm::Explicit => consent == Consent::Full,
        }
    }

    fn refused(&self, consent: Consent) -> Error {
        let reason = match (self.is_mass(), self.confirm) {
            (true, _) => format!("more than {UNASKED} records need --yes"),
            (false, Confirm::Explicit) if self.can_be_undone => "this was not confirmed".to_owned(),
            (false, Confirm::Explicit) => "this cannot be undone and was not confirmed".to_owned(),
            (false, _) => "this changes something and was not confirmed".to_owned(),
        };
        let hint = match (consent, self.is_mass()) {
            (Consent::Reversible, _) if self.can_be_undone => "--agent does not confirm this: add --yes",
            (Consent::Reversible, _) => "--agent confirms what can be undone; for this, add --yes",
            (_, true) => "confirm with --yes, or change fewer with --limit",
            (_, false) => "confirm with --yes, or look first with --dry-run",
        };
        Error::Unconfirmed {
            message: format!("{}: {reason}", self.action),
            records: self.records,
            hint: hint.to_owned(),
        }
    }
}

impl Context {
    /// Whether a person has to be asked before this change.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] in read-only mode; [`Error::Unconfirmed`] when consent is missing and there is
    /// nobody to ask.
    pub fn must_ask(&self, intent: &Intent) -> Result<bool, Error> {
        self.refuse_in_read_only_mode(&intent.action)?;
        self.must_ask_here(intent)
    }

    /// The same for a change of this machine, which read-only mode allows.
    fn must_ask_here(&self, intent: &Intent) -> Result<bool, Error> {
        let consent = self.globals.consent;
        if intent.is_covered(consent) {
            return Ok(false);
        }
        match self.globals.no_input || consent == Consent::Withheld || !stdin::is_terminal() {
            true => Err(intent.refused(consent)),
            false => Ok(true),
        }
    }

    /// Returns when a change of the workspace may be made; asks for it where nobody has agreed yet.
    ///
    /// # Errors
    /// As [`Context::must_ask`]; [`Error::Declined`] when the person who was asked said no.
    pub fn agree(&self, intent: &Intent) -> Result<(), Error> {
        if self.must_ask(intent)? { ask(intent) } else { Ok(()) }
    }

    /// The same for a change of this machine.
    ///
    /// # Errors
    /// As [`Context::agree`].
    pub fn agree_here(&self, intent: &Intent) -> Result<(), Error> {
        if self.must_ask_here(intent)? { ask(intent) } else { Ok(()) }
    }
}

/// Many records are confirmed by their number, everything else by a letter.
fn ask(intent: &Intent) -> Result<(), Error> {
    let Intent { action, consequence, records, .. } = intent;
    let (question, wanted) = match intent.is_mass() {
        true => (format!("Type {records} to confirm: "), vec![records.to_string()]),
        false => ("[y/N] ".to_owned(), vec!["y".to_owned(), "yes".to_owned()]),
    };
    let space = if consequence.is_empty() { "" } else { " " };
    let mut stderr = std::io::stderr();
    let question = printable::one_line(&format!("{action}?{space}{consequence} {question}"));
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush())?;
    let answer = stdin::line()?;
    if wanted.contains(&answer.trim().to_lowercase()) { Ok(()) } else { Err(Error::Declined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_consent_covers_what_cannot_be_undone() {
        let one = |confirm| Intent::new("Do it", confirm);
        for (intent, covered_from) in [
            (one(Confirm::Never), Consent::Open),
            (one(Confirm::Never).of_many(UNASKED), Consent::Open),
            (one(Confirm::Ask), Consent::Reversible),
            (one(Confirm::Explicit), Consent::Full),
            (one(Confirm::Never).of_many(UNASKED + 1), Consent::Full),
            (one(Confirm::Ask).of_many(UNASKED + 1), Consent::Full),
        ] {
            for consent in [Consent::Open, Consent::Withheld, Consent::Reversible, Consent::Full] {
                assert_eq!(intent.is_covered(consent), consent >= covered_from, "{intent:?} {consent:?}");
            }
        }
    }
}
