//! The checks for people: a mark, the finding and the hint of each, and a last line that sums up.

use std::fmt::Write;

use super::findings::{CheckStatus, DoctorCheck, Findings};
use crate::cli::output::palette::Palette;
use crate::cli::output::wrap::wrapped;
use crate::data::printable::one_line;

/// Columns before the text of a check: mark, name and the spaces after them.
const INDENT: usize = 14;
/// Longest line, because wide paragraphs are hard to read.
const READABLE: usize = 100;

/// Hints are never cut, and never broken inside of what to type.
pub fn render(findings: &Findings, width: Option<usize>, palette: Palette) -> String {
    let width = width.unwrap_or(READABLE).min(READABLE).saturating_sub(INDENT).max(20);
    let mut text = String::new();
    for check in &findings.checks {
        let (mark, name) = (mark(check.verdict, palette), check.check);
        let indent = " ".repeat(INDENT);
        let mut lead = format!("{mark} {name:<width$}", width = INDENT - 2);
        for line in wrapped(&one_line(&check.detail), width) {
            let line = if check.verdict == CheckStatus::Skipped { palette.dim(&line) } else { line };
            let _ = writeln!(text, "{lead}{line}");
            lead.clone_from(&indent);
        }
        if let Some(hint) = hint(check) {
            for line in wrapped(&format!("hint: {}", one_line(&hint)), width) {
                let _ = writeln!(text, "{indent}{}", palette.cyan(&line));
            }
        }
    }
    let _ = writeln!(text, "\n{}", summary(findings, palette));
    text
}

/// The hint of a check that did not pass.
fn hint(check: &DoctorCheck) -> Option<String> {
    check.hint.as_ref().map(ToString::to_string).filter(|hint| !hint.is_empty())
}

fn mark(verdict: CheckStatus, palette: Palette) -> String {
    match verdict {
        CheckStatus::Ok => palette.green("✓"),
        CheckStatus::Warning => palette.yellow("!"),
        CheckStatus::Failure => palette.red("✗"),
        CheckStatus::Skipped => palette.dim("–"),
    }
}

fn summary(findings: &Findings, palette: Palette) -> String {
    let count = |verdict| findings.checks.iter().filter(|check| check.verdict == verdict).count();
    let (passed, warnings) = (count(CheckStatus::Ok), count(CheckStatus::Warning));
    let (failed, skipped) = (count(CheckStatus::Failure), count(CheckStatus::Skipped));
    let noun =
        |count: usize, noun: &str| if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") };
    let mut parts = vec![format!("{} passed", noun(passed, "check"))];
    if warnings > 0 {
        parts.push(palette.yellow(&noun(warnings, "warning")));
    }
    if failed > 0 {
        parts.push(palette.red(&format!("{failed} failed")));
    }
    if skipped > 0 {
        parts.push(format!("{skipped} skipped"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::error::{Exit, Hint};

    #[test]
    fn hints_are_whole_and_the_last_line_sums_up() {
        let mut findings = Findings::default();
        findings.ok("config", "fine");
        findings.warning("clock", "this machine is 3 min ahead of the server", "set the clock");
        let hint = Hint::new("set INTERCOM_ACCESS_TOKEN or run ").run("auth set-token --profile somewhere");
        findings.failure("token", Exit::Authentication, "no access token set", hint);
        findings.skipped("server", "needs a token");
        let text = render(&findings, Some(60), Palette::default());
        let expected = "✓ config      fine
! clock       this machine is 3 min ahead of the server
              hint: set the clock
✗ token       no access token set
              hint: set INTERCOM_ACCESS_TOKEN or run
              `intercom-pp-cli auth set-token --profile somewhere`
– server      needs a token

1 check passed, 1 warning, 1 failed, 1 skipped
";
        assert_eq!(text, expected);
    }
}
