//! Filters in the language of `--where` for programs.
//!
//! The text is parsed at once, its names are looked up by the search that uses it. Dates and times without a zone are
//! in UTC, except for days of contacts, which are those of the workspace.

use std::str::FromStr;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{SkippedRecord, WhereFilter, directory};
use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::operation::Operation;
use crate::api::request_builder::Arguments;
use crate::api::search_filter::Filter;
use crate::api::tested_search::{RecordTest, UnresolvedFilter};
use crate::api::version::ApiVersion;
use crate::data::times::Times;
use crate::filter::{self, Directory, Expression, Searchable};

/// A parsed text.
#[derive(Debug)]
struct TextFilter {
    text: String,
    expression: Expression,
}

impl Filter {
    /// Parses a filter in the language of `--where`, for searches of conversations, contacts and tickets:
    /// `state = open and team = "Billing" and updated_at > 7d`.
    ///
    /// Teams, teammates, tags, segments, companies and contacts can be given by name; the search looks them up before
    /// its first page. Every record that the search returns is tested again, so that exactly the matching ones come,
    /// whatever the server does. Therefore pages have no [`total_count`](crate::Page::total_count).
    ///
    /// Such a filter cannot be combined with others by `&` and `|`: write the whole filter as text.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the position of what cannot be parsed. Unknown fields and names are reported by
    /// the search.
    pub fn parse(text: &str) -> Result<Filter, Error> {
        let expression = filter::parse(text).map_err(|error| invalid(&error, text))?;
        let parsed = TextFilter { text: text.to_owned(), expression };
        Ok(Filter::unresolved(text, Arc::new(parsed)))
    }
}

/// Like [`Filter::parse`].
impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Filter::parse(text)
    }
}

fn invalid(error: &filter::Error, text: &str) -> Error {
    Error::InvalidRequest(format!("invalid filter, {}", error.pointing(text)))
}

impl UnresolvedFilter for TextFilter {
    fn resolve<'a>(
        &'a self,
        client: &'a Client,
        search: &'static Operation,
    ) -> BoxFuture<'a, Result<Arc<dyn RecordTest>, Error>> {
        async move {
            let searched = Searchable::of(search.id).ok_or_else(|| {
                Error::InvalidRequest(format!("{} does not take a filter from text", search.path))
            })?;
            let version = client.requested_version().parse::<ApiVersion>();
            let version = version.map_err(|error| Error::InvalidRequest(error.to_string()))?;
            let compares_days =
                searched == Searchable::Contacts && !version.has(&ApiVersion::EXACT_CONTACT_TIMES);
            let names = directory(client, &self.expression, searched, version.clone()).await?;
            let zone = names.zone.clone().filter(|_| compares_days).unwrap_or(TimeZone::UTC);
            let times = Times::at(Timestamp::now(), zone);
            let names = Directory { version: Some(version), ..names };
            let compiled = filter::compile(&self.expression, searched, &names, &|text| times.moment(text))
                .map_err(|error| invalid(&error, &self.text))?;
            let test: Arc<dyn RecordTest> =
                Arc::new(WhereFilter::new(compiled, searched, names.zone, report_skipped));
            Ok(test)
        }
        .boxed()
    }
}

/// The list that uses the filter ends with an error; this says which record was the first.
fn report_skipped(SkippedRecord { searched, id }: SkippedRecord<'_>) {
    tracing::warn!(%searched, id, "a record does not show all fields in the filter");
}

impl RecordTest for WhereFilter {
    fn query(&self) -> &Value {
        &self.compiled.query
    }

    fn without_null(&self, arguments: &Arguments, error: &Error) -> Option<Arguments> {
        WhereFilter::without_null(self, arguments, error)
    }

    fn select<'a>(
        &'a self,
        client: &'a Client,
        records: Vec<Box<RawValue>>,
    ) -> BoxFuture<'a, Result<Vec<Box<RawValue>>, Error>> {
        WhereFilter::select(self, client, records).boxed()
    }

    fn has_skipped(&self) -> bool {
        WhereFilter::has_skipped(self)
    }
}
