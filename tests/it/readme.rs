//! `demo` runs without an account, as the README says. The commands of the README and of `docs/` run in `documents`, those of
//! `--help` in `cli/help`.

use crate::support;
use crate::support::{binary, stderr, stdout};

#[test]
fn the_demo_answers_without_an_account() {
    let home = tempfile::tempdir().unwrap();
    let output = binary(home.path()).arg("demo").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for expected in [
        "first p50",
        "Support",
        "(all)",
        "Latest conversations of Nadia Okafor",
        "sandbox serve",
        "auth login",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}: {text}");
    let json = support::document(&binary(home.path()).args(["demo", "--json"]).output().unwrap());
    assert_eq!(json["results"]["sync"]["complete"], true);
    assert!(json["results"]["sla"]["total"]["first_response_p50_minutes"].as_f64().unwrap() > 1.0);
}
