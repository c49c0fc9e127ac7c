//! A file on its way: the body of an answer, read piece by piece so that its size does not matter.
//!
//! Once the headers are here nothing is tried again: the reader has seen a part of the file.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream};
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};

use super::Name;
use super::connection::cause;
use crate::api::error::Error;

/// An answer whose body is still to be read.
pub struct Download {
    pub status: StatusCode,
    pub headers: HeaderMap,
    response: Response,
    name: Name,
    patience: Duration,
}

impl Download {
    pub(super) fn new(mut response: Response, name: Name, patience: Duration) -> Self {
        let headers = std::mem::take(response.headers_mut());
        Download { status: response.status(), headers, response, name, patience }
    }

    /// The length of the body in bytes, if known beforehand.
    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece; `None` at the proper end.
    ///
    /// # Errors
    /// When the server falls silent or the body ends early: what was read is not the whole file.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let Name { method, path } = &self.name;
        match tokio::time::timeout(self.patience, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => {
                Err(Error::Network { method: method.clone(), path: path.clone(), cause: cause(error) })
            }
            Err(_) => {
                Err(Error::Timeout { method: method.clone(), path: path.clone(), after: self.patience })
            }
        }
    }

    /// The pieces as a stream that ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> {
        stream::try_unfold(self, |mut download| async move {
            Ok(download.chunk().await?.map(|piece| (piece, download)))
        })
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Download").field("status", &self.status).finish_non_exhaustive()
    }
}
