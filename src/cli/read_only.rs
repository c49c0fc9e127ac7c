//! Read-only mode: nothing that changes the workspace leaves this machine.
//!
//! The client refuses such requests whatever command makes them; commands ask here first, so that nobody
//! waits for a plan that cannot be carried out. Files of this machine may still be changed.

use super::context::Context;
use super::environment::environment;
use super::error::Error;

const VARIABLE: &str = "INTERCOM_READ_ONLY";

impl Context {
    /// Where read-only mode was set, if it is on. Any place is enough: none can switch off what another set.
    ///
    /// # Errors
    /// For a value of the variable that means neither on nor off, and as [`Context::settings`].
    pub fn read_only(&self) -> Result<Option<String>, Error> {
        if self.globals.read_only {
            return Ok(Some("--read-only".to_owned()));
        }
        match environment(VARIABLE).map(|value| value.to_lowercase()).as_deref() {
            None | Some("0" | "false" | "no" | "off") => {}
            Some("1" | "true" | "yes" | "on") => return Ok(Some(VARIABLE.to_owned())),
            Some(other) => {
                let message = format!("{VARIABLE}: unknown value {other:?}: expected 1 or 0");
                return Err(Error::usage_with_hint(message, format!("set {VARIABLE}=1, or unset it")));
            }
        }
        if self.settings()?.read_only != Some(true) {
            return Ok(None);
        }
        let profile = self.profile()?.map(|name| format!(" (profile {name})")).unwrap_or_default();
        Ok(Some(format!("read_only in {}{profile}", self.config_path()?.display())))
    }

    /// # Errors
    /// [`Error::ReadOnly`] when the mode is on.
    pub fn refuse_in_read_only_mode(&self, action: &str) -> Result<(), Error> {
        match self.read_only()? {
            None => Ok(()),
            Some(set_by) => Err(Error::ReadOnly { action: action.to_owned(), set_by }),
        }
    }
}
