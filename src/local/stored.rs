//! A document of the mirror, as a type and as received.

use std::ops::Deref;

use serde::de::DeserializeOwned;

use super::Error;

/// A stored record. Dereferences to its type; [`Stored::raw`] is the document that the API sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    record: T,
    raw: String,
}

impl<T: DeserializeOwned> Stored<T> {
    pub(super) fn read(raw: String) -> Result<Self, Error> {
        let record = serde_json::from_str(&raw).map_err(Error::document)?;
        Ok(Stored { record, raw })
    }
}

impl<T> Stored<T> {
    /// The JSON document as received. Conversations and tickets have their parts in it.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The record, without its document.
    pub fn into_inner(self) -> T {
        self.record
    }
}

impl<T> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}
