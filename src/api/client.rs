//! The client: every operation of the table, by name with typed models or by row with raw JSON.
//!
//! The typed functions are generated and end in `Client::call` or `Client::stream` here; the command line and the mirror use [`Client::execute`] and keep the document
//! as it was received. Both bind the same table row and leave through the same transport.

use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::executor::{Arguments, operation, operation_at, request, version_for};
use super::operation::{Answer, Effect, Operation, Paging};
use super::page_arguments::{page_size, with_size};
use super::reply::Reply;
use super::transport::{Download, Repeat, Settings, Transport};

/// How often an empty answer is not believed, and the wait after the first; it doubles.
const BLANKS: u32 = 4;
const FIRST_BLANK_PAUSE: Duration = Duration::from_millis(100);

/// A workspace reached over HTTP. Cheap to clone; clones share connections and rate limit.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    version: Option<String>,
}

/// A typed answer together with the document it was read from.
#[derive(Debug, Clone)]
pub struct Response<T> {
    value: T,
    reply: Reply,
}

impl<T> Response<T> {
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The JSON text as received, with unknown fields.
    pub fn raw(&self) -> &Bytes {
        &self.reply.body
    }

    /// Status and headers.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Client {
    /// # Errors
    /// When the TLS set-up or a setting (a header, the base URL) is unusable. Sends nothing.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Client { transport: Transport::new(settings)?, version: None })
    }

    /// Sends this `Intercom-Version` with every request, also to operations that need a later one.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The `Intercom-Version` that a request of one's own needs, where that is not the default: the
    /// forced one, or the one of the operation that its path leads to.
    pub fn version_at(&self, method: &str, path: &str) -> Option<&str> {
        version_for(&self.transport, self.version.as_deref(), operation_at(method, path))
    }

    /// The version that [`Client::with_version`] forces, if any.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The request that [`Client::execute`] would send, without its authorisation.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when an argument cannot stand in the URL.
    pub fn request(&self, operation: &Operation, arguments: &Arguments) -> Result<reqwest::Request, Error> {
        request(&self.transport, self.version.as_deref(), operation, arguments)
    }

    /// The request for the first page of a walk with this page size.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn first_page_request(
        &self,
        operation: &Operation,
        arguments: &Arguments,
        per_page: Option<u32>,
    ) -> Result<reqwest::Request, Error> {
        let size = page_size(operation, per_page);
        self.request(operation, &with_size(operation, arguments.clone(), size)?)
    }

    /// Sends one operation and returns the document as received.
    ///
    /// # Errors
    /// Everything the transport reports, among it every status that is no success.
    pub async fn execute(&self, operation: &Operation, arguments: &Arguments) -> Result<Reply, Error> {
        let request = self.request(operation, arguments)?;
        self.transport.send(request, repeat(operation)).await
    }

    /// Like [`Client::execute`], for reading what must be there: a success without a body is asked for
    /// again before it is taken as the answer.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub async fn fetch(&self, operation: &Operation, arguments: &Arguments) -> Result<Reply, Error> {
        let mut pause = FIRST_BLANK_PAUSE;
        // Asking again must not move a scroll on.
        let blanks = if repeat(operation) == Repeat::Safe { BLANKS } else { 0 };
        for _ in 0..blanks {
            let reply = self.execute(operation, arguments).await?;
            if !reply.body.trim_ascii().is_empty() {
                return Ok(reply);
            }
            tracing::debug!(path = operation.path, "an empty answer, asking again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.execute(operation, arguments).await
    }

    /// Sends one operation whose answer is a file.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub async fn download(&self, operation: &Operation, arguments: &Arguments) -> Result<Download, Error> {
        let request = self.request(operation, arguments)?;
        self.transport.download(request, repeat(operation)).await
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        id: &'static str,
        path: &[String],
        query: &[(&str, Option<String>)],
        body: Option<&impl Serialize>,
    ) -> Result<Response<T>, Error> {
        let operation = operation(id)?;
        let reply = self.execute(operation, &Arguments::typed(path, query, body)?).await?;
        let value = match operation.answer {
            Answer::Nothing => {
                serde_json::from_str("null").map_err(|error| reply.of_another_shape(&error))?
            }
            _ => {
                let text = reply.json_text()?;
                serde_json::from_str(text).map_err(|error| reply.of_another_shape(&error))?
            }
        };
        Ok(Response { value, reply })
    }

    pub(crate) async fn stream(
        &self,
        id: &'static str,
        path: &[String],
        query: &[(&str, Option<String>)],
        body: Option<&impl Serialize>,
    ) -> Result<Download, Error> {
        self.download(operation(id)?, &Arguments::typed(path, query, body)?).await
    }
}

/// A search is a POST that only reads: sending it again changes nothing. A scroll is a GET that moves
/// on with every call: sending it again after a lost answer would skip a page.
pub(crate) fn repeat(operation: &Operation) -> Repeat {
    if operation.paging == Paging::Scroll {
        return Repeat::OnlyIfUntouched;
    }
    match operation.method.is_idempotent() || operation.effect == Effect::Read {
        true => Repeat::Safe,
        false => Repeat::OnlyIfUntouched,
    }
}
