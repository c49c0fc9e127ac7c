//! Streams the body of a response, so that files of any size can be downloaded.
//!
//! Never retries once the headers have arrived: the reader may have consumed a part of the file.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream};
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};

use super::call::RequestLabel;
use super::connection::cause;
use crate::api::error::Error;

/// A response whose body has not been read yet.
pub struct Download {
    /// The HTTP status, which is a success.
    pub status: StatusCode,
    /// The headers as received.
    pub headers: HeaderMap,
    response: Response,
    label: RequestLabel,
    chunk_timeout: Duration,
}

impl Download {
    pub(super) fn new(mut response: Response, label: RequestLabel, chunk_timeout: Duration) -> Self {
        let headers = std::mem::take(response.headers_mut());
        Download { status: response.status(), headers, response, label, chunk_timeout }
    }

    /// The length of the body in bytes, if the headers state it.
    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next chunk; `None` at the end of the file.
    ///
    /// # Errors
    /// If no chunk arrives within the timeout or the body ends early: the file is incomplete.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let RequestLabel { method, path } = &self.label;
        match tokio::time::timeout(self.chunk_timeout, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => {
                Err(Error::Network { method: method.clone(), path: path.clone(), cause: cause(error) })
            }
            Err(_) => {
                Err(Error::Timeout { method: method.clone(), path: path.clone(), after: self.chunk_timeout })
            }
        }
    }

    /// The chunks as a stream that ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> {
        stream::try_unfold(self, |mut download| async move {
            Ok(download.chunk().await?.map(|chunk| (chunk, download)))
        })
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Download").field("status", &self.status).finish_non_exhaustive()
    }
}
