//! `sandbox serve` and `sandbox trigger`: a simulated workspace on this machine, and test notifications from it.

mod serve;
mod trigger;

pub use serve::ServeSandbox;
pub use trigger::TriggerWebhook;

use reqwest::Url;

use crate::cli::error::InvalidValue;

/// The address of a receiver, which is not quoted in errors because it may contain a secret.
fn receiver(flag: &str, text: &str) -> Result<String, InvalidValue> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
        _ => {
            let message =
                format!("{flag}: invalid address: expected one that begins with http:// or https://");
            Err(message.into())
        }
    }
}
