//! Results of the checks.

use serde::Serialize;

use crate::cli::error::{Error, Exit, Hint};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    Ok,
    Warning,
    Failure,
    Skipped,
}

#[derive(Debug, Serialize)]
pub struct DoctorCheck {
    pub check: &'static str,
    pub verdict: CheckStatus,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
}

/// Results so far, and the exit code of the first failure.
#[derive(Default, Serialize)]
pub struct Findings {
    pub checks: Vec<DoctorCheck>,
    #[serde(skip)]
    pub exit: Option<Exit>,
}

impl Findings {
    pub fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, CheckStatus::Ok, detail, None);
    }

    pub fn warning(&mut self, check: &'static str, detail: impl Into<String>, hint: impl Into<Hint>) {
        self.add(check, CheckStatus::Warning, detail, Some(hint.into()));
    }

    pub fn skipped(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, CheckStatus::Skipped, detail, None);
    }

    pub fn failure(
        &mut self,
        check: &'static str,
        exit: Exit,
        detail: impl Into<String>,
        hint: impl Into<Hint>,
    ) {
        self.exit.get_or_insert(exit);
        self.add(check, CheckStatus::Failure, detail, Some(hint.into()));
    }

    pub fn error(&mut self, check: &'static str, error: &Error, hint: impl Into<Hint>) {
        self.failure(check, error.exit(), error.to_string(), hint);
    }

    fn add(
        &mut self,
        check: &'static str,
        verdict: CheckStatus,
        detail: impl Into<String>,
        hint: Option<Hint>,
    ) {
        self.checks.push(DoctorCheck { check, verdict, detail: detail.into(), hint });
    }
}

/// What to do about a token that does not work.
pub fn new_token() -> Hint {
    Hint::new("save a new token with ").run("auth login").for_owner()
}
