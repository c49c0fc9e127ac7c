//! One attempt to deliver a notification: signed, posted, and answered or not.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, StatusCode, Url};

use super::envelope::Envelope;
use crate::api::transport::foreign_client;
use crate::webhooks::{SIGNATURE_HEADER, sign};

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Not the name of the vendor's service: a receiver should be able to recognize a sandbox.
const AGENT: &str = concat!("intercom-pp-cli-sandbox/", env!("CARGO_PKG_VERSION"));

/// Posts notifications to one address.
#[derive(Clone)]
pub struct Post {
    client: Client,
    url: Url,
    client_secret: String,
}

impl Post {
    /// # Errors
    /// A sentence that says why the address cannot be used. It does not contain the address, which may hold a secret.
    pub fn new(url: &str, client_secret: &str) -> Result<Self, String> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("expected an address that begins with http:// or https://")?;
        let client = foreign_client(&url).map_err(|error| error.to_string())?;
        Ok(Post { client, url, client_secret: client_secret.to_owned() })
    }

    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The status of the answer.
    ///
    /// # Errors
    /// A clause that says why nobody answered.
    pub async fn send(&self, envelope: &Envelope, attempt: u32) -> Result<StatusCode, String> {
        let body = envelope.document(attempt).to_string().into_bytes();
        let request = self
            .client
            .post(self.url.clone())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(SIGNATURE_HEADER, sign(&self.client_secret, &body))
            .timeout(TIMEOUT)
            .body(body);
        match request.send().await {
            Ok(response) => Ok(response.status()),
            Err(error) if error.is_timeout() => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
            Err(error) => Err(format!("the receiver cannot be reached: {}", error.without_url())),
        }
    }
}
