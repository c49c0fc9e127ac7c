//! What was looked at, and what is wrong with it.

use serde::Serialize;

use crate::cli::error::Exit;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warning,
    Failure,
    Skipped,
}

#[derive(Debug, Serialize)]
pub struct Check {
    pub check: &'static str,
    pub verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What was found so far, and the exit code of the first failure.
#[derive(Default)]
pub struct Findings {
    pub checks: Vec<Check>,
    pub exit: Option<Exit>,
}

impl Findings {
    pub fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, Verdict::Ok, detail, None);
    }

    pub fn warning(&mut self, check: &'static str, detail: impl Into<String>, hint: &str) {
        self.add(check, Verdict::Warning, detail, Some(hint));
    }

    pub fn skipped(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, Verdict::Skipped, detail, None);
    }

    pub fn failure(&mut self, check: &'static str, exit: Exit, detail: impl Into<String>, hint: &str) {
        self.exit.get_or_insert(exit);
        self.add(check, Verdict::Failure, detail, Some(hint));
    }

    fn add(&mut self, check: &'static str, verdict: Verdict, detail: impl Into<String>, hint: Option<&str>) {
        self.checks.push(Check { check, verdict, detail: detail.into(), hint: hint.map(str::to_owned) });
    }
}
