//! A hint: what to do after an error, as data.
//!
//! A hint is attached where the cause is known, or in `hints.rs`. Here it becomes text for a terminal; `mcp/error_result.rs`
//! renders the same data for agents, which have arguments instead of flags and cannot change the owner's settings.
//! A rendered hint must never be parsed.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// What a hint is about. Agents have their own way to some of these subjects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HintTopic {
    /// The steps of the hint.
    #[default]
    Steps,
    /// The arguments of the command, as in its `--help`.
    Arguments,
    /// Which command to use.
    FindCommand,
    /// The language of `--where`.
    FilterLanguage,
    /// That no access token is set.
    MissingToken,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HintPiece {
    Text(Cow<'static, str>),
    /// A command of this program, without the program's name.
    Command(Cow<'static, str>),
    /// A flag without its dashes.
    Flag(Cow<'static, str>),
    /// Names that people gave to records, which agents must not obey.
    Names(Vec<String>),
    /// That the help of the command that was typed shows its arguments.
    Help,
}

/// One way to do a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HintAlternative {
    pub pieces: Vec<HintPiece>,
    /// Whether only the owner of the machine can do it: it concerns settings that no agent can change.
    pub is_for_owner: bool,
}

/// Steps, each with its alternatives. Never empty once built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    pub topic: HintTopic,
    steps: Vec<Vec<HintAlternative>>,
}

impl Hint {
    /// A hint that begins with a text.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Hint::default().text(text)
    }

    pub fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        match text.into() {
            text if text.is_empty() => self,
            text => self.with(HintPiece::Text(text)),
        }
    }

    /// Names a command to run, without the program's name.
    pub fn run(self, words: impl Into<Cow<'static, str>>) -> Self {
        self.with(HintPiece::Command(words.into()))
    }

    /// Names a flag, without its dashes.
    pub fn flag(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(HintPiece::Flag(name.into()))
    }

    pub fn names(self, names: &[String]) -> Self {
        self.with(HintPiece::Names(names.to_vec()))
    }

    /// Begins another way to do the same step.
    pub fn or(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        match self.steps.last_mut() {
            Some(step) => step.push(HintAlternative::default()),
            None => self.steps.push(vec![HintAlternative::default()]),
        }
        self.text(text)
    }

    /// Begins another step.
    pub fn then(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.steps.push(vec![HintAlternative::default()]);
        self.text(text)
    }

    /// Marks the latest alternative as one for the owner of the machine.
    pub fn for_owner(mut self) -> Self {
        self.latest().is_for_owner = true;
        self
    }

    pub fn about(self, topic: HintTopic) -> Self {
        Hint { topic, ..self }
    }

    /// Whether all that it says is for the owner of the machine.
    pub fn is_for_owner(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().flatten().all(|alternative| alternative.is_for_owner)
    }

    /// Whether it quotes names that people gave to records.
    pub fn has_names(&self) -> bool {
        let mut pieces = self.steps.iter().flatten().flat_map(|alternative| &alternative.pieces);
        pieces.any(|piece| matches!(piece, HintPiece::Names(_)))
    }

    /// The alternatives to include as text; steps without any are left out.
    pub fn render(
        &self,
        includes: impl Fn(&HintAlternative) -> bool,
        piece_text: impl Fn(&HintPiece) -> String,
    ) -> String {
        let steps = self.steps.iter().filter_map(|step| {
            let included = step.iter().filter(|alternative| includes(alternative));
            let texts: Vec<String> = included
                .map(|alternative| alternative.pieces.iter().map(&piece_text).collect::<String>())
                .collect();
            (!texts.is_empty()).then(|| texts.join(", or "))
        });
        steps.collect::<Vec<_>>().join("; ")
    }

    /// Refers to the help of the command that was typed.
    pub fn help(self) -> Self {
        self.with(HintPiece::Help)
    }

    /// Names the command whose help it refers to. `words` are those of the command; empty for the program.
    pub fn for_command(mut self, words: &str) -> Self {
        let line = if words.is_empty() { "--help".to_owned() } else { format!("{words} --help") };
        for alternative in self.steps.iter_mut().flatten() {
            alternative.pieces = std::mem::take(&mut alternative.pieces)
                .into_iter()
                .flat_map(|piece| match piece {
                    HintPiece::Help => vec![
                        HintPiece::Command(line.clone().into()),
                        HintPiece::Text(" shows what it accepts".into()),
                    ],
                    other => vec![other],
                })
                .collect();
        }
        self
    }

    fn with(mut self, piece: HintPiece) -> Self {
        self.latest().pieces.push(piece);
        self
    }

    fn latest(&mut self) -> &mut HintAlternative {
        if self.steps.is_empty() {
            self.steps.push(vec![HintAlternative::default()]);
        }
        let step = self.steps.len() - 1;
        let alternative = self.steps[step].len() - 1;
        &mut self.steps[step][alternative]
    }
}

impl From<&'static str> for Hint {
    fn from(text: &'static str) -> Self {
        Hint::new(text)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Hint::new(text)
    }
}

/// As shown in a terminal.
impl fmt::Display for HintPiece {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HintPiece::Text(text) => out.write_str(text),
            HintPiece::Command(words) => write!(out, "`intercom-pp-cli {words}`"),
            HintPiece::Flag(name) => write!(out, "--{name}"),
            HintPiece::Names(names) => out.write_str(&names.join(", ")),
            HintPiece::Help => out.write_str("add --help to the command to see what it accepts"),
        }
    }
}

/// As shown in a terminal.
impl fmt::Display for Hint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(|_| true, HintPiece::to_string))
    }
}

/// As shown in a terminal.
impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_commands_and_flags_as_typed() {
        let hint =
            Hint::new("run ").run("sync").text(" first").or("name the mirror with ").flag("db").for_owner();
        let hint = hint.then("known: ").names(&["Ann".to_owned(), "Bob".to_owned()]);
        assert_eq!(
            hint.to_string(),
            "run `intercom-pp-cli sync` first, or name the mirror with --db; known: Ann, Bob"
        );
        let help = Hint::default().help();
        assert_eq!(
            help.clone().for_command("tags list").to_string(),
            "`intercom-pp-cli tags list --help` shows what it accepts"
        );
        assert_eq!(help.to_string(), "add --help to the command to see what it accepts");
        assert!(hint.has_names() && !Hint::default().flag("limit").has_names());
        assert_eq!(
            Hint::default().run("status").text(" shows it").to_string(),
            "`intercom-pp-cli status` shows it"
        );
    }
}
