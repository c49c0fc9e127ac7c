//! The client: every operation of the table, as a typed function or by table row with raw JSON.
//!
//! The generated functions call `Client::call` or `Client::stream`. The command line and the mirror use
//! [`Client::execute`] and keep the raw document. Both use the same table row and the same transport.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::operation::{Answer, Effect, Operation, Paging};
use super::page_arguments::{page_size, with_size};
use super::reply::Reply;
use super::request_builder::{Arguments, operation, operation_at, request};
use super::transport::{Download, Idempotency, Settings, Transport};
use super::version::ApiVersion;
use super::version_history::{self, later};

/// How many empty responses to a read are retried. The delay starts here and doubles.
const EMPTY_RETRIES: u32 = 4;
const FIRST_EMPTY_DELAY: Duration = Duration::from_millis(100);

/// A client for one workspace. Cheap to clone; clones share connections and the rate limit.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    version: Option<String>,
}

/// A typed response together with the document it was read from.
#[derive(Debug, Clone)]
pub struct Response<T> {
    value: T,
    reply: Reply,
}

impl<T> Response<T> {
    /// The value without the document it was read from.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The JSON text as received, unknown fields included.
    pub fn raw(&self) -> &Bytes {
        &self.reply.body
    }

    /// Status and headers.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The id of the request, which Intercom's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.reply.request_id()
    }

    /// The same response with another value, made from this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        Response { value: change(self.value), reply: self.reply }
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl fmt::Debug for Client {
    /// Never shows the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("transport", &self.transport)
            .field("version", &self.version)
            .finish()
    }
}

impl Client {
    /// A client with these settings. Programs use [`Client::builder`] or [`Client::from_env`].
    ///
    /// # Errors
    /// When the TLS set-up or a setting (a header, the base URL) is unusable. Sends nothing.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Client { transport: Transport::new(settings)?, version: None })
    }

    /// Sends this `Intercom-Version` instead of the default one. Operations, parameters and values that need a later
    /// version are sent with that one.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The `Intercom-Version` to send with a hand-made request, if it is not the default: the requested one, or
    /// the one that the operation at this path needs.
    pub fn version_at(&self, method: &str, path: &str) -> Option<String> {
        let needed = operation_at(method, path).and_then(|operation| operation.version);
        let version = self.requested_version();
        let sent = needed.map_or_else(|| version.to_owned(), |needed| later(version, needed).to_owned());
        (sent != self.transport.api_version()).then_some(sent)
    }

    /// The `Intercom-Version` that a call is sent with.
    pub fn version_of(&self, operation: &Operation, arguments: &Arguments) -> String {
        version_history::version_of(operation, arguments, self.requested_version())
    }

    /// The version that was asked for, or the default one.
    pub fn requested_version(&self) -> &str {
        self.version().unwrap_or(self.transport.api_version())
    }

    /// The version that [`Client::with_version`] forces, if any.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The transport, for requests that are not in the operation table.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The version in effect: the one that operations are sent with unless they need a later one. Decides the shape of
    /// answers, and of requests that differ between versions.
    pub fn api_version(&self) -> ApiVersion {
        ApiVersion::from_text(self.version().unwrap_or_else(|| self.transport.api_version()))
    }

    /// The request that [`Client::execute`] would send, without the authorization header.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when an argument cannot be part of the URL.
    pub fn request(&self, operation: &Operation, arguments: &Arguments) -> Result<reqwest::Request, Error> {
        let version = self.version_of(operation, arguments);
        let arguments = version_history::adapted(operation, arguments, &version)?;
        let version = (version != self.transport.api_version()).then_some(version);
        request(self.transport.base_url(), version.as_deref(), operation, &arguments)
    }

    /// The request for the first page, with this page size.
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

    /// Sends one operation and returns the raw document.
    ///
    /// # Errors
    /// Any transport error, including every status that is not a success.
    pub async fn execute(&self, operation: &Operation, arguments: &Arguments) -> Result<Reply, Error> {
        let request = self.request(operation, arguments)?;
        self.transport.send(request, idempotency(operation)).await
    }

    /// Like [`Client::execute`], for reads that must return a body: an empty success is retried before it is
    /// accepted.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub async fn fetch(&self, operation: &Operation, arguments: &Arguments) -> Result<Reply, Error> {
        let mut delay = FIRST_EMPTY_DELAY;
        // Retrying a scroll would skip a page.
        let retries = if idempotency(operation) == Idempotency::Idempotent { EMPTY_RETRIES } else { 0 };
        for _ in 0..retries {
            let reply = self.execute(operation, arguments).await?;
            if !reply.body.trim_ascii().is_empty() {
                return Ok(reply);
            }
            tracing::debug!(path = operation.path, "empty response, retrying");
            tokio::time::sleep(delay).await;
            delay *= 2;
        }
        self.execute(operation, arguments).await
    }

    /// Sends one operation that returns a file.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub async fn download(&self, operation: &Operation, arguments: &Arguments) -> Result<Download, Error> {
        let request = self.request(operation, arguments)?;
        self.transport.download(request, idempotency(operation)).await
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        id: &'static str,
        path: &[String],
        query: &[(&str, Option<String>)],
        body: Option<&impl Serialize>,
    ) -> Result<Response<T>, Error> {
        self.call_as(operation(id)?, &Arguments::typed(path, query, body)?).await
    }

    /// Sends one operation and reads the answer as any type, for example [`serde_json::Value`] or a struct with only the
    /// fields that a program needs.
    ///
    /// # Errors
    /// As [`Client::execute`]; [`Error::UnexpectedResponse`] if the answer does not have this type.
    pub async fn call_as<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        arguments: &Arguments,
    ) -> Result<Response<T>, Error> {
        let reply = self.execute(operation, arguments).await?;
        let text = if operation.answer == Answer::Nothing { "null" } else { reply.json_text()? };
        let value = serde_json::from_str(text).map_err(|error| reply.wrong_shape(&error))?;
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

/// A search is a POST that only reads, so repeating it changes nothing. A scroll is a GET that advances with
/// every call, so repeating it after a lost response would skip a page.
pub(crate) fn idempotency(operation: &Operation) -> Idempotency {
    let is_read = operation.method.is_idempotent() || operation.effect == Effect::Read;
    if is_read && operation.paging != Paging::Scroll {
        Idempotency::Idempotent
    } else {
        Idempotency::NotIdempotent
    }
}
