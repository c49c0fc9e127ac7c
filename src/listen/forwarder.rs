//! Passes notifications on to another server: the bytes as received, with their signature, in the order of arrival.
//!
//! A notification that was not accepted stays in the queue, and those after it wait, until the server accepts it or
//! refuses it for good. After a kill the last one may be sent again: its receiver recognizes the id.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::queue::{Queue, Stored, Work};
use super::report::{Report, Reporter};
use crate::api::transport::{foreign_client, retry_after};
use crate::webhooks::{Notification, SIGNATURE_HEADER};

const FIRST_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The longest wait that a server may ask for.
const MAX_REQUESTED_DELAY: Duration = Duration::from_secs(60 * 60);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long it sends what is left after it was asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Forwards to one address.
pub struct Forwarder {
    client: Client,
    url: Url,
    queue: Queue,
    reporter: Arc<Reporter>,
}

/// What became of an attempt.
enum Outcome {
    Accepted,
    /// To be tried again, perhaps after the wait that the server asked for.
    Failed {
        reason: String,
        wait: Option<Duration>,
    },
    Refused(String),
}

impl Forwarder {
    /// # Errors
    /// [`Error::Forward`] if the address cannot be used.
    pub fn new(url: Url, queue: Queue, reporter: Arc<Reporter>) -> Result<Self, Error> {
        let client = foreign_client(&url).map_err(|error| Error::Forward(error.to_string()))?;
        Ok(Forwarder { client, url, queue, reporter })
    }

    /// Forwards until `stop`, and then what is left, as long as the server accepts it.
    ///
    /// # Errors
    /// If the queue cannot be read or written.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), Error> {
        let mut stored = self.queue.stored();
        let mut deadline = None;
        loop {
            let batch = self.queue.next(Work::Forward).await?;
            if batch.is_empty() {
                if stop.is_cancelled() {
                    return Ok(());
                }
                tokio::select! {
                    _ = stored.changed() => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
            for notification in batch {
                if stop.is_cancelled() {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + DRAIN);
                    if Instant::now() >= deadline {
                        return Ok(());
                    }
                }
                if !self.forward(&notification, stop).await {
                    return Ok(());
                }
                self.queue.finish(Work::Forward, vec![notification.seq]).await?;
            }
        }
    }

    /// Sends a notification until it is accepted or refused. Returns `false` if it was stopped before.
    async fn forward(&self, notification: &Stored, stop: &CancellationToken) -> bool {
        let mut delay = FIRST_DELAY;
        let mut is_delayed = false;
        loop {
            match self.attempt(notification).await {
                Outcome::Accepted => {
                    if is_delayed {
                        self.reporter.report(&Report::Resumed);
                    }
                    return true;
                }
                Outcome::Refused(reason) => {
                    let (id, topic) = match Notification::parse(&notification.body) {
                        Ok(read) => (read.id.unwrap_or_else(|| "without an id".to_owned()), read.topic),
                        Err(_) => (String::new(), String::new()),
                    };
                    self.reporter.report(&Report::GivenUp { id, topic, reason });
                    return true;
                }
                Outcome::Failed { reason, wait } => {
                    if !is_delayed {
                        self.reporter.report(&Report::Delayed(reason));
                    }
                    is_delayed = true;
                    let wait = wait.map_or(delay, |wait| wait.clamp(FIRST_DELAY, MAX_REQUESTED_DELAY));
                    delay = (delay * 2).min(MAX_DELAY);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => return false,
                    }
                }
            }
        }
    }

    async fn attempt(&self, notification: &Stored) -> Outcome {
        let mut headers = HeaderMap::new();
        let content_type = notification.content_type.as_deref().unwrap_or("application/json");
        if let Ok(value) = HeaderValue::from_str(content_type) {
            headers.insert(CONTENT_TYPE, value);
        }
        if let Ok(value) = HeaderValue::from_str(&notification.signature) {
            headers.insert(SIGNATURE_HEADER, value);
        }
        let request = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .timeout(ATTEMPT_TIMEOUT)
            .body(notification.body.clone());
        let response = match request.send().await {
            Ok(response) => response,
            // The address may contain a secret.
            Err(error) => {
                let reason = if error.is_timeout() {
                    format!("no answer within {} s", ATTEMPT_TIMEOUT.as_secs())
                } else {
                    format!("the server cannot be reached: {}", error.without_url())
                };
                return Outcome::Failed { reason, wait: None };
            }
        };
        let (status, wait) = (response.status(), retry_after(response.headers()));
        let reason = format!("the server answered {status}");
        match status {
            _ if status.is_success() => Outcome::Accepted,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Outcome::Failed { reason, wait }
            }
            _ if status.is_client_error() => Outcome::Refused(reason),
            // A redirect is not followed: its target may be another owner's. Nothing is lost meanwhile.
            _ => Outcome::Failed { reason, wait },
        }
    }
}
