//! The client secret of the app, which signs its webhooks.
//!
//! It is read from the environment, never from an argument: other processes can see arguments. It must never be printed.

use super::error::{Error, Exit, Hint};
use crate::config::env_var;
use crate::listen::ClientSecret;

/// The variable that contains it.
pub const VARIABLE: &str = "INTERCOM_CLIENT_SECRET";

/// The client secret.
///
/// # Errors
/// If it is not set.
pub fn required() -> Result<ClientSecret, Error> {
    env_var(VARIABLE).as_deref().and_then(ClientSecret::new).ok_or_else(|| Error::Failed {
        message: "no client secret is set: the signatures of webhooks cannot be verified".to_owned(),
        exit: Exit::Configuration,
        hint: Some(
            Hint::new(format!(
                "set {VARIABLE} to the client secret of the app, which the Developer Hub shows under Basic information"
            ))
            .for_owner(),
        ),
    })
}
