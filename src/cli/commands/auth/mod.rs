//! `auth`: manages the access token on this machine.
//!
//! A token must never be printed beyond its last characters, nor appear in an error, nor be taken from the command line
//! by a new command: other programs can read command lines.

mod list;
mod login;
mod logout;
mod set_client_secret;
mod set_token;
mod status;
mod switch;
mod target;

use std::io::Write;

pub use list::ListLogins;
pub use login::Login;
pub use logout::Logout;
pub use set_client_secret::SetClientSecret;
pub use set_token::SetToken;
pub use status::TokenStatus;
pub use switch::SwitchProfile;

use crate::api::secret::Token;
use crate::cli::context::Context;
use crate::cli::credentials;
use crate::cli::error::{Error, Hint};
use crate::cli::files::stdin;
use crate::cli::output::warn;

/// Asks for a token without showing it. `command` is what reads it from stdin.
fn ask_for_token(context: &Context, command: &'static str) -> Result<Token, Error> {
    if context.globals.consent.no_input || !stdin::is_terminal() {
        return Err(Error::usage_with_hint(
            "no token given",
            Hint::new("pass it on stdin: ").run(command).for_owner(),
        ));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "Access token (hidden): ").and_then(|()| stderr.flush())?;
    token(&rpassword::read_password()?)
}

fn token(text: &str) -> Result<Token, Error> {
    Token::new(text).map_err(|error| Error::usage(error.to_string()))
}

/// Warns if a variable takes precedence over the token that was just saved.
fn warn_of_variable(profile: Option<&str>) {
    if let Some(variable) = credentials::variable() {
        let unless = profile.map(|name| format!(" unless --profile {name} is typed")).unwrap_or_default();
        warn(&format!("{variable} is set and overrides the token you just saved{unless}"));
    }
}
