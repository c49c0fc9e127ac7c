//! The global flags: declared and parsed once, so that no command reads raw matches for them.
//!
//! Parses only; nothing here acts on a flag. Flags come from several places: the levels of a command line, a session
//! that runs commands, and the defaults of a profile. They are merged as typed, so that a flag is known in one place only:
//! in the structure that declares it.

mod connection;
mod consent;
mod typed;

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

pub use self::connection::{ConnectionFlags, DataSource, region};
pub use self::consent::{Consent, ConsentFlags};
use self::typed::TypedFlags;
use super::error::{Error, Hint};
use super::flag_values::Suggested;
use super::output::flags::OutputFlags;
use super::output::format::Format;
use crate::config::{self, Flag};

pub const HEADING: &str = "Global options";

/// The parsed global flags.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Globals {
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(flatten)]
    pub consent: ConsentFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
    #[arg(skip)]
    typed: TypedFlags,
}

/// The declarations. They are added at every level of a command, so that global flags can be typed anywhere. Any value is
/// accepted here and checked by [`Globals::read`], so that `--help` works beside an invalid one.
pub fn arguments() -> Vec<Arg> {
    let declared = Globals::augment_args(Command::new("globals"));
    declared.get_arguments().map(|argument| unchecked(argument.clone().help_heading(HEADING))).collect()
}

fn unchecked(argument: Arg) -> Arg {
    if !argument.get_action().takes_values() {
        return argument;
    }
    let names = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    argument.value_parser(Suggested(names))
}

/// Whether to print errors as JSON. Works on raw arguments, because parsing itself can fail.
pub fn wants_json(arguments: &[OsString]) -> bool {
    let before_end: Vec<&OsString> = arguments.iter().take_while(|word| *word != "--").collect();
    let is_json_flag =
        |word: &OsString| ["--json", "--agent", "--ndjson", "--jq"].iter().any(|flag| word == flag);
    let is_json_format = |text: &OsString| ["json", "ndjson", "toon"].iter().any(|format| text == format);
    before_end.iter().any(|word| is_json_flag(word))
        || before_end
            .iter()
            .filter_map(|word| word.to_str()?.strip_prefix("--format="))
            .any(|format| is_json_format(&format.into()))
        || before_end.windows(2).any(|pair| pair[0] == "--format" && is_json_format(pair[1]))
}

impl Globals {
    /// Reads the flags of all levels of a command, outermost first; the innermost value takes precedence.
    ///
    /// # Errors
    /// [`Error::Usage`] for flags that contradict each other.
    pub fn read(levels: &[&ArgMatches]) -> Result<Self, Error> {
        Globals::parse(TypedFlags::of(levels, &arguments()))?.checked()
    }

    /// Refuses flags of one place that contradict each other.
    fn checked(self) -> Result<Self, Error> {
        if self.output.contradict_jq() {
            return Err(Error::usage_with_hint(
                "--jq cannot be combined with table or CSV output",
                Hint::new("omit the format")
                    .or("print lines from the program: ")
                    .flag("plain")
                    .text(" ")
                    .flag("jq")
                    .text(" '... | @csv'"),
            ));
        }
        Ok(self)
    }

    fn parse(typed: TypedFlags) -> Result<Self, Error> {
        let command = Globals::augment_args(Command::new("defaults"));
        let matches = command.try_get_matches_from(typed.command_line("defaults"))?;
        let mut globals = Globals { typed, ..Globals::from_arg_matches(&matches)? };
        let agent = globals.output.agent;
        globals.output.compact |= agent;
        globals.output.no_color |=
            agent || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        globals.consent.no_input |= agent;
        globals.consent.given = match (globals.consent.yes, agent) {
            (true, _) => Consent::Full,
            (false, true) => Consent::Reversible,
            (false, false) => Consent::Open,
        };
        Ok(globals)
    }

    /// Whether the flag with this name was typed.
    pub fn is_typed(&self, flag: &str) -> bool {
        self.typed.contains(flag)
    }

    /// The flags shared by all commands of a session: where to connect, not how to print.
    pub fn for_session(&self) -> Self {
        let mut session = Globals { connection: self.connection.clone(), ..Globals::default() };
        session.connection.verbose = false;
        session.output.no_color = self.output.no_color;
        session.output.names = self.output.names.clone();
        session.output.utc = self.output.utc;
        session.output.timezone = self.output.timezone.clone();
        session.consent.no_input = self.consent.no_input;
        session.consent.read_only = self.consent.read_only;
        session.typed = self.typed.of_session();
        session
    }

    /// The flags shared by all steps of a workflow: those of a session, and consent.
    pub fn for_steps(&self) -> Self {
        let mut steps = self.for_session();
        steps.consent = ConsentFlags { dry_run: false, ..self.consent.clone() };
        steps
    }

    /// Fills in the session's values for flags that are not set.
    ///
    /// # Errors
    /// As [`Globals::read`].
    pub fn with_session(self, session: &Self) -> Result<Self, Error> {
        let names = self.output.names.clone();
        let mut globals = Globals::parse(self.typed.over(&session.typed))?;
        globals.output.names = names;
        globals.output.no_color |= session.output.no_color;
        globals.connection.total = self.connection.total.or(session.connection.total);
        let (own, outer) = (self.consent, &session.consent);
        globals.consent.given = own.given.max(outer.given);
        globals.consent.no_input |= outer.no_input;
        globals.consent.read_only |= outer.read_only;
        globals.consent.idempotent |= outer.idempotent;
        globals.consent.ignore_missing |= outer.ignore_missing;
        Ok(globals)
    }

    /// Parses the flags of a profile as if they were typed.
    ///
    /// # Errors
    /// For an unknown flag or an invalid value.
    pub fn of_flags(flags: &BTreeMap<String, Flag>) -> Result<Self, Error> {
        // Consent, and where to read settings from and write output to, must be explicit.
        let never = ["yes", "agent", "profile", "config", "deliver", "dry-run"];
        if let Some(name) = flags.keys().find(|name| never.contains(&name.as_str())) {
            return Err(config::Error::Value(format!(
                "defaults: --{name} is only allowed on the command line"
            ))
            .into());
        }
        Globals::parse(TypedFlags::of_config(flags)).and_then(Globals::checked).map_err(|error| {
            let reason = error.to_string();
            config::Error::Value(format!("defaults: {reason}")).into()
        })
    }

    /// Fills in the defaults for flags that are not set. The format is taken as a whole from one of the two.
    ///
    /// # Errors
    /// As [`Globals::read`].
    pub fn with_defaults(self, defaults: &Self) -> Result<Self, Error> {
        let defaults = match self.output.format() {
            None => defaults.typed.clone(),
            Some(format) => defaults.typed.without_formats(format == Format::Csv),
        };
        let names = self.output.names.clone();
        let mut globals = Globals::parse(self.typed.over(&defaults))?;
        globals.output.names = names;
        Ok(globals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Globals, Error> {
        let command = Command::new("test").args(arguments()).args_override_self(true);
        let matches = command.try_get_matches_from(std::iter::once(&"test").chain(words)).unwrap();
        Globals::read(&[&matches])
    }

    fn typed(words: &[&str]) -> Globals {
        read(words).unwrap()
    }

    #[test]
    fn the_innermost_level_takes_precedence() {
        let below = Command::new("below").args(arguments()).arg(Arg::new("other").long("other"));
        let command = Command::new("test").args(arguments()).subcommand(below);
        let words = [
            "test", "--region", "us", "--header", "A: 1", "below", "--region", "eu", "--header", "B: 2", "-v",
        ];
        let matches = command.try_get_matches_from(words).unwrap();
        let (_, inner) = matches.subcommand().unwrap();
        let globals = Globals::read(&[&matches, inner]).unwrap();
        assert_eq!(globals.connection.region, Some(crate::api::Region::Eu));
        assert_eq!(globals.connection.headers.len(), 2);
        assert!(globals.connection.verbose && globals.is_typed("verbose") && !globals.is_typed("json"));
    }

    #[test]
    fn one_format_results_from_all_flags() {
        for (words, format) in [
            (&[][..], None),
            (&["--agent"], Some(Format::Json)),
            (&["--agent", "--ndjson"], Some(Format::Ndjson)),
            (&["--json", "--csv-raw"], Some(Format::Csv)),
            (&["--csv", "--quiet"], Some(Format::Quiet)),
            (&["--human-friendly"], Some(Format::Table)),
            (&["--quiet", "--format", "toon"], Some(Format::Toon)),
        ] {
            assert_eq!(typed(words).output.format(), format, "{words:?}");
        }
    }

    #[test]
    fn a_profile_supplies_what_is_not_typed() {
        let defaults =
            typed(&["--csv", "--compact", "--region", "eu", "--timeout", "9s", "--header", "A: 1"]);
        let globals = typed(&["--json", "--base-url", "http://x", "--header", "B: 2"]);
        let merged = globals.with_defaults(&defaults).unwrap();
        assert_eq!(merged.output.format(), Some(Format::Json));
        assert!(merged.output.compact);
        assert_eq!(
            (merged.connection.region, merged.connection.base_url.as_deref()),
            (None, Some("http://x"))
        );
        assert_eq!(merged.connection.headers, [("B".to_owned(), "2".to_owned())]);
        assert_eq!(merged.connection.timeout, Some(std::time::Duration::from_secs(9)));
    }

    #[test]
    fn a_typed_format_replaces_that_of_a_profile() {
        for (default, words, format, is_raw) in [
            ("--csv-raw", &["--json"][..], Format::Json, false),
            ("--csv-raw", &["--csv"], Format::Csv, true),
            ("--csv-raw", &[], Format::Csv, true),
            ("--quiet", &["--agent"], Format::Json, false),
        ] {
            let merged = typed(words).with_defaults(&typed(&[default])).unwrap();
            assert_eq!((merged.output.format(), merged.output.csv_raw), (Some(format), is_raw), "{words:?}");
        }
    }

    #[test]
    fn a_jq_program_excludes_tables_of_the_same_place_only() {
        for words in [["--csv"], ["--csv-raw"], ["--format=csv"], ["--format=table"]] {
            assert!(read(&["--jq", ".", words[0]]).is_err(), "{words:?}");
            assert!(typed(&["--jq", "."]).with_defaults(&typed(&words)).is_ok(), "{words:?}");
        }
        assert!(read(&["--jq", ".", "--human-friendly"]).is_ok());
    }

    #[test]
    fn only_the_last_value_of_a_flag_is_checked() {
        let globals = typed(&["--timeout", "x", "--timeout", "9s", "--format=xml", "--format=json"]);
        assert_eq!(globals.connection.timeout, Some(std::time::Duration::from_secs(9)));
        assert_eq!(globals.output.format(), Some(Format::Json));
        assert!(read(&["--timeout", "x"]).is_err());
    }

    #[test]
    fn a_session_shares_its_connection_and_its_limits() {
        let outer =
            typed(&["--agent", "--read-only", "--profile", "eu", "--csv", "--dry-run", "--idempotent", "-v"]);
        let merged = typed(&["--json"]).with_session(&outer.for_session()).unwrap();
        assert_eq!(
            (merged.connection.profile.as_deref(), merged.output.format()),
            (Some("eu"), Some(Format::Json))
        );
        assert!(merged.consent.read_only && merged.consent.no_input && merged.output.no_color);
        assert!(!merged.consent.dry_run && !merged.consent.idempotent && !merged.connection.verbose);
        assert_eq!(merged.consent.given, Consent::Open);
        let step = typed(&[]).with_session(&outer.for_steps()).unwrap();
        assert_eq!(step.consent.given, Consent::Reversible);
        assert!(step.consent.idempotent && !step.consent.dry_run && !step.output.compact);
    }

    #[test]
    fn a_refused_value_has_its_own_message() {
        for (words, message) in [
            (["--region", "uk"], "--region: unknown region \"uk\": expected us, eu or au"),
            (
                ["--rate-limit", "0"],
                "--rate-limit: invalid value \"0\": expected a positive number of requests per second",
            ),
            (["--timeout", "0s"], "--timeout: 0 is too short: expected a duration, for example 30s"),
            (["--header", "x"], "--header: invalid header \"x\": expected 'Name: value'"),
        ] {
            assert_eq!(read(&words).unwrap_err().to_string(), message);
        }
        let flags = BTreeMap::from([("region".to_owned(), Flag::Text("uk".to_owned()))]);
        let error = Globals::of_flags(&flags).unwrap_err();
        assert!(
            matches!(&error, Error::Config(_)) && error.to_string().contains("defaults: --region"),
            "{error}"
        );
    }
}
