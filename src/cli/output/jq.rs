//! `--jq PROGRAM`: the document through a program of the jq language.
//!
//! The program sees what would be printed as JSON, the envelope included: `--jq X` does what a pipe
//! into `jq -c X` does. A program that cannot be read is refused before anything is sent.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data, unwrap_valr};
use jaq_json::{Val, read};

use super::{Format, toon};
use crate::cli::error::{Error, Exit};

/// A program that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    text: String,
}

impl Program {
    /// # Errors
    /// [`Error::Usage`] for what is no program.
    pub fn parse(text: &str) -> Result<Self, Error> {
        compiled(text).map(|_| Program { text: text.to_owned() })
    }

    /// What the program makes of a JSON document, one value per line. Line formats get bare strings.
    ///
    /// # Errors
    /// When the program fails on the document.
    pub fn run(&self, json: &[u8], format: Format) -> Result<String, Error> {
        let failed = |reason: String| Error::Finding {
            message: format!("--jq: {reason}"),
            exit: Exit::Failure,
            hint: Some("look at the document without --jq; its fields are .meta and .results".to_owned()),
        };
        let filter = compiled(&self.text)?;
        let mut lines = String::new();
        // Followed output is several documents.
        for input in read::parse_many(json) {
            let input = input.map_err(|error| failed(format!("the document is no JSON: {error}")))?;
            let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
            for value in filter.id.run((context, input)).map(unwrap_valr) {
                let value = value.map_err(|error| failed(error.to_string()))?;
                lines.push_str(&shown(&value, format)?);
            }
        }
        Ok(lines)
    }
}

fn shown(value: &Val, format: Format) -> Result<String, Error> {
    match (value, format) {
        (Val::TStr(text) | Val::BStr(text), Format::Plain | Format::Quiet) => {
            Ok(format!("{}\n", String::from_utf8_lossy(text)))
        }
        (_, Format::Toon) => toon::encoded(value.to_string().as_bytes()),
        _ => Ok(format!("{value}\n")),
    }
}

fn compiled(text: &str) -> Result<Filter<data::JustLut<Val>>, Error> {
    let refused = || {
        Error::usage_with_hint(
            format!("--jq: {text:?} is no program of the jq language"),
            "write it as for jq, as in --jq '.results.data[].id'",
        )
    };
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: text, path: () });
    let modules = modules.map_err(|_| refused())?;
    Compiler::default().with_funs(functions).compile(modules).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str =
        r#"{"meta":{},"results":{"data":[{"id":"123456789012345","n":9007199254740993},{"id":"b","n":2}]}}"#;

    fn run(program: &str, format: Format) -> String {
        Program::parse(program).unwrap().run(DOCUMENT.as_bytes(), format).unwrap()
    }

    #[test]
    fn a_program_sees_the_envelope() {
        assert_eq!(
            run(".results.data[] | {id}", Format::Json),
            "{\"id\":\"123456789012345\"}\n{\"id\":\"b\"}\n"
        );
        assert_eq!(run(".results.data[0].n", Format::Json), "9007199254740993\n");
        assert_eq!(run(".results.data | map(.id) | join(\" \")", Format::Plain), "123456789012345 b\n");
        assert_eq!(run(".results.data[] | select(.id | test(\"^b\")) | .n", Format::Json), "2\n");
    }

    #[test]
    fn what_fails_says_so() {
        assert_eq!(Program::parse(".[").err().map(|it| it.exit()), Some(Exit::Usage));
        let failed = Program::parse(".results.data.id").unwrap().run(DOCUMENT.as_bytes(), Format::Json);
        assert_eq!(failed.err().map(|it| it.exit()), Some(Exit::Failure));
    }
}
