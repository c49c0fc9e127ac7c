//! Read-only mode: no request that changes the workspace is sent.
//!
//! The client enforces this for all commands. Commands also check it first, so that they fail before preparing a change
//! that would be refused. Local files may still change.

use super::context::Context;
use super::error::{Error, Hint};
use crate::config::env_var;

const VARIABLE: &str = "INTERCOM_READ_ONLY";

impl Context {
    /// Where read-only mode is set, if it is on. No source can switch off what another one has set.
    ///
    /// # Errors
    /// For an invalid value of the variable, and those of [`Context::settings`].
    pub fn read_only(&self) -> Result<Option<String>, Error> {
        if self.globals.consent.read_only {
            return Ok(Some("--read-only".to_owned()));
        }
        match env_var(VARIABLE).map(|value| value.to_lowercase()).as_deref() {
            None | Some("0" | "false" | "no" | "off") => {}
            Some("1" | "true" | "yes" | "on") => return Ok(Some(VARIABLE.to_owned())),
            Some(other) => {
                let message = format!("{VARIABLE}: unknown value {other:?}: expected 1 or 0");
                return Err(Error::usage_with_hint(
                    message,
                    Hint::new(format!("set {VARIABLE}=1")).for_owner().or("unset it"),
                ));
            }
        }
        if self.settings()?.read_only != Some(true) {
            return Ok(None);
        }
        let profile = self.profile()?.map(|name| format!(" (profile {name})")).unwrap_or_default();
        Ok(Some(format!("read_only in {}{profile}", self.config_path()?.display())))
    }

    /// # Errors
    /// [`Error::ReadOnly`] if the mode is on.
    pub fn refuse_in_read_only_mode(&self, action: &str) -> Result<(), Error> {
        match self.read_only()? {
            None => Ok(()),
            Some(set_by) => Err(Error::ReadOnly { action: action.to_owned(), set_by }),
        }
    }
}
