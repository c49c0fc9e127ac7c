//! `auth switch`: sets the default profile, like `profile use`. On a terminal it asks which one.

use std::fmt::Write as _;
use std::io::Write;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::files::stdin;
use crate::cli::profiles;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::data::printable;

/// Use another profile by default
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "`intercom-pp-cli auth list` shows the names.\n\nExample: intercom-pp-cli auth switch staging"
)]
pub struct SwitchProfile {
    /// Name of the profile; asks on a terminal if missing
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl HandwrittenCommand for SwitchProfile {
    const WORDS: &'static str = "auth switch";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let name = match self.name {
            Some(name) => name,
            None => ask(context)?,
        };
        profiles::switch(context, Some(&name)).await
    }
}

/// Lists the profiles and reads a number or a name.
fn ask(context: &Context) -> Result<String, Error> {
    let all = profiles::all(context)?;
    let names: Vec<&str> = all.iter().map(|profile| profile.name.as_str()).collect();
    if names.is_empty() {
        return Err(Error::usage_with_hint(
            "no profile is saved",
            Hint::new("save one with ").run("auth login --profile NAME"),
        ));
    }
    if context.globals.consent.no_input || !stdin::is_terminal() {
        return Err(Error::usage_with_hint(
            format!("no profile given: expected {}", names.join(", ")),
            Hint::default().run("auth list").text(" shows their workspaces"),
        ));
    }
    let mut question = String::new();
    for (index, profile) in all.iter().enumerate() {
        let workspace = profile.workspace.as_deref().map(|name| format!("  {name}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(question, "{:>3}  {}{workspace}", index + 1, profile.name);
    }
    question.push_str("Number or name: ");
    let mut stderr = std::io::stderr();
    stderr.write_all(printable::lines(&question).as_bytes()).and_then(|()| stderr.flush())?;
    let answer = stdin::line()?;
    chosen(answer.trim(), &names)
}

fn chosen(answer: &str, names: &[&str]) -> Result<String, Error> {
    let by_number = answer.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
    // A profile may have a number as its name.
    let by_name = names.iter().find(|name| **name == answer);
    match by_name.or(by_number) {
        Some(name) => Ok((*name).to_owned()),
        None if answer.is_empty() => Err(Error::Declined("the profile is unchanged")),
        None => Err(Error::usage(format!("unknown profile {answer:?}: expected {}", names.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_chosen_by_number_or_name() {
        let names = ["eu", "staging"];
        assert_eq!(chosen("2", &names).unwrap(), "staging");
        assert_eq!(chosen("eu", &names).unwrap(), "eu");
        for wrong in ["0", "3", "us"] {
            assert!(matches!(chosen(wrong, &names), Err(Error::Usage { .. })), "{wrong}");
        }
        assert!(matches!(chosen("", &names), Err(Error::Declined(_))));
    }
}
