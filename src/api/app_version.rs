//! The version that the app of a token answers when a request names none.
//!
//! Intercom keeps it in the settings of the app. No command depends on it, because every other request names its version.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};

use super::client::Client;
use super::error::Error;
use super::transport::Idempotency;

const VERSION: HeaderName = HeaderName::from_static("intercom-version");

/// Asks without a version, and reads the one that the response names; `None` if it names none.
///
/// # Errors
/// Those of [`super::Transport::send`].
pub async fn app_version(client: &Client) -> Result<Option<String>, Error> {
    let transport = client.transport();
    let mut request = transport.request(Method::GET, "/me", &[])?;
    request.headers_mut().insert(VERSION, HeaderValue::from_static(""));
    let reply = transport.send(request, Idempotency::of(&Method::GET)).await?;
    let version = reply.headers.get(VERSION).and_then(|version| version.to_str().ok());
    Ok(version.map(|version| version.trim().to_owned()).filter(|version| !version.is_empty()))
}
