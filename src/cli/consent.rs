//! Consent to changes, and the prompt that asks for it.
//!
//! `--agent` consents to changes that can be undone. Other changes, and changes to many records, need `--yes`, an
//! answered prompt, or a confirmed MCP call. Consent is passed as data: no layer may add `--yes` on somebody's behalf.

use std::io::Write;

use super::context::Context;
use super::error::{Error, Hint};
use super::files::stdin;
pub use super::globals::Consent;
pub use crate::api::operation::Confirm;
use crate::data::printable;

/// Maximum number of records changed without confirmation.
pub const UNASKED: usize = 100;

/// What a command is about to do.
#[derive(Debug, Clone)]
pub struct Intent {
    /// In the imperative, for example `Delete contact Ann (ann@example.com)`.
    pub action: String,
    /// A sentence, or empty.
    pub consequence: String,
    pub confirm: Confirm,
    pub records: usize,
    /// Whether the change can be undone although it needs explicit confirmation.
    pub can_be_undone: bool,
    /// What an answer of no leaves, for example `not deleted`.
    pub declined: &'static str,
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
            declined: "nothing was changed",
        }
    }

    pub fn with_records(self, records: usize) -> Self {
        Intent { records, ..self }
    }

    /// Marks a change that needs explicit confirmation only because its records were not reviewed one by one.
    pub fn undoable(self) -> Self {
        Intent { can_be_undone: true, ..self }
    }

    pub fn with_consequence(self, consequence: impl Into<String>) -> Self {
        Intent { consequence: consequence.into(), ..self }
    }

    /// Says what an answer of no leaves.
    pub fn or_else(self, declined: &'static str) -> Self {
        Intent { declined, ..self }
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
            (false, Confirm::Explicit) if !self.can_be_undone => {
                "the change cannot be undone and was not confirmed".to_owned()
            }
            (false, _) => "the change was not confirmed".to_owned(),
        };
        let hint = match (consent, self.is_mass()) {
            (Consent::Reversible, _) if self.can_be_undone => {
                Hint::default().flag("agent").text(" does not confirm this: add ").flag("yes")
            }
            (Consent::Reversible, _) => Hint::default()
                .flag("agent")
                .text(" only confirms changes that can be undone: add ")
                .flag("yes"),
            (_, true) => {
                Hint::new("confirm with ").flag("yes").or("change fewer records with ").flag("limit")
            }
            (_, false) => Hint::new("confirm with ").flag("yes").or("preview with ").flag("dry-run"),
        };
        Error::Unconfirmed { action: self.action.clone(), reason, records: self.records, hint }
    }
}

impl Context {
    /// Whether a change to the workspace needs a prompt.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] in read-only mode; [`Error::Unconfirmed`] if consent is missing and nobody can be
    /// prompted.
    pub fn needs_confirmation(&self, intent: &Intent) -> Result<bool, Error> {
        self.refuse_in_read_only_mode(&intent.action)?;
        self.needs_local_confirmation(intent)
    }

    /// Whether a local change needs a prompt. Read-only mode allows local changes.
    fn needs_local_confirmation(&self, intent: &Intent) -> Result<bool, Error> {
        let consent = self.globals.consent.given;
        if intent.is_covered(consent) {
            return Ok(false);
        }
        if self.globals.consent.no_input || consent == Consent::Withheld || !stdin::is_terminal() {
            return Err(intent.refused(consent));
        }
        Ok(true)
    }

    /// Returns once a change to the workspace is confirmed; prompts if necessary.
    ///
    /// # Errors
    /// Those of [`Context::needs_confirmation`]; [`Error::Declined`] if the answer is no.
    pub fn confirm(&self, intent: &Intent) -> Result<(), Error> {
        if self.needs_confirmation(intent)? { prompt(intent) } else { Ok(()) }
    }

    /// Returns once a local change is confirmed; prompts if necessary.
    ///
    /// # Errors
    /// Those of [`Context::confirm`], except [`Error::ReadOnly`].
    pub fn confirm_local(&self, intent: &Intent) -> Result<(), Error> {
        if self.needs_local_confirmation(intent)? { prompt(intent) } else { Ok(()) }
    }
}

/// Asks for the number of records if there are many, and for `y` otherwise.
fn prompt(intent: &Intent) -> Result<(), Error> {
    let Intent { action, consequence, records, .. } = intent;
    let (question, accepted) = if intent.is_mass() {
        (format!("Type {records} to confirm: "), vec![records.to_string()])
    } else {
        ("[y/N] ".to_owned(), vec!["y".to_owned(), "yes".to_owned()])
    };
    let space = if consequence.is_empty() { "" } else { " " };
    let mut stderr = std::io::stderr();
    let question = printable::one_line(&format!("{action}?{space}{consequence} {question}"));
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush())?;
    let answer = stdin::line()?;
    if accepted.contains(&answer.trim().to_lowercase()) {
        Ok(())
    } else {
        Err(Error::Declined(intent.declined))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irreversible_and_mass_changes_need_full_consent() {
        let intent = |confirm| Intent::new("Do it", confirm);
        for (intent, covered_from) in [
            (intent(Confirm::Never), Consent::Open),
            (intent(Confirm::Never).with_records(UNASKED), Consent::Open),
            (intent(Confirm::Ask), Consent::Reversible),
            (intent(Confirm::Explicit), Consent::Full),
            (intent(Confirm::Never).with_records(UNASKED + 1), Consent::Full),
            (intent(Confirm::Ask).with_records(UNASKED + 1), Consent::Full),
        ] {
            for consent in [Consent::Open, Consent::Withheld, Consent::Reversible, Consent::Full] {
                assert_eq!(intent.is_covered(consent), consent >= covered_from, "{intent:?} {consent:?}");
            }
        }
    }
}
