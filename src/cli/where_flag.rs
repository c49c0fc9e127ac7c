//! Compiles `--where`, and chooses whether its names come from the workspace or the mirror.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::context::Context;
use super::error::{Error, Hint, HintTopic};
use super::globals::DataSource;
use super::mirror_paths::{self, MirrorFlag};
use super::output::warn;
use super::time::Times;
use crate::api::ApiVersion;
use crate::api::client::Client;
use crate::api::operation::Operation;
use crate::filter::{self, CompiledFilter, Directory, Expression, NamedRecord, Searchable};
use crate::mirror::Store;
use crate::selection::{self, NameSource, SkippedRecord, StoredNames, WhereFilter};

/// A filter as typed, for one kind of record.
pub struct TypedFilter<'t> {
    text: &'t str,
    pub searched: Searchable,
    pub expression: Expression,
}

impl<'t> TypedFilter<'t> {
    /// # Errors
    /// A usage error that points at the position.
    pub fn parse(text: &'t str, searched: Searchable) -> Result<Self, Error> {
        let expression = filter::parse(text).map_err(|error| usage_error(&error, text))?;
        Ok(TypedFilter { text, searched, expression })
    }

    /// Whether it depends on the names in a workspace, or on its time zone.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn needs_names(&self, context: &Context) -> Result<bool, Error> {
        let directory = Directory { version: Some(context.api_version()?), ..Directory::default() };
        Ok(!filter::required_names(&self.expression, self.searched).is_empty()
            || filter::compares_days(&self.expression, self.searched, &directory))
    }

    /// # Errors
    /// When a required list cannot be read; an invalid setting.
    pub async fn directory<S: NameSource>(&self, context: &Context, source: &S) -> Result<Directory, Error>
    where
        Error: From<S::Error>,
    {
        Ok(selection::directory(source, &self.expression, self.searched, context.api_version()?).await?)
    }

    /// # Errors
    /// A usage error that points at the position; an invalid setting.
    pub fn compile(&self, context: &Context, directory: &Directory) -> Result<CompiledFilter, Error> {
        let version = context.api_version()?;
        let compares_days =
            self.searched == Searchable::Contacts && !version.has(&ApiVersion::EXACT_CONTACT_TIMES);
        // Days are those of the workspace, exact times those of the person who types them.
        let zone =
            if compares_days { directory.zone.clone().unwrap_or(TimeZone::UTC) } else { context.zone()? };
        let times = Times::at(Timestamp::now(), zone);
        let directory = Directory { version: Some(version), ..directory.clone() };
        filter::compile(&self.expression, self.searched, &directory, &|text| times.moment(text))
            .map_err(|error| usage_error(&error, self.text))
    }

    fn with_names(&self, context: &Context, directory: Directory) -> Result<WhereFilter, Error> {
        let compiled = self.compile(context, &directory)?;
        Ok(WhereFilter::new(compiled, self.searched, directory.zone, warn_of_skipped))
    }
}

fn usage_error(error: &filter::Error, text: &str) -> Error {
    Error::usage_with_hint(
        format!("invalid filter, {}", error.pointing(text)),
        Hint::default()
            .run("filter --help")
            .text(" describes the filter language")
            .about(HintTopic::FilterLanguage),
    )
}

fn warn_of_skipped(SkippedRecord { searched, id }: SkippedRecord<'_>) {
    let noun = searched.as_str().trim_end_matches('s');
    warn(&format!(
        "skipped {noun} {id} and others that do not show all fields in the filter; sync, then use --data-source local or --sql"
    ));
}

/// Compiles a filter with names from the workspace.
///
/// # Errors
/// A usage error that points at the position; when a request fails.
pub async fn resolve(
    context: &Context,
    client: &Client,
    text: &str,
    searched: Searchable,
) -> Result<WhereFilter, Error> {
    let typed = TypedFilter::parse(text, searched)?;
    let directory = typed.directory(context, client).await?;
    typed.with_names(context, directory)
}

/// The filter of a search command; `None` without the flag.
///
/// # Errors
/// As [`resolve`]. In a dry run names come from the mirror, because nothing may be sent.
pub async fn of_search(
    context: &Context,
    operation: &Operation,
    text: Option<&str>,
) -> Result<Option<WhereFilter>, Error> {
    let (Some(searched), Some(text)) = (Searchable::of(operation.id), text) else { return Ok(None) };
    if !context.globals.consent.dry_run && context.globals.connection.data_source() != DataSource::Local {
        return resolve(context, &context.client()?, text, searched).await.map(Some);
    }
    let typed = TypedFilter::parse(text, searched)?;
    let store = mirror_paths::for_reading(context, &MirrorFlag::default())
        .and_then(|path| Ok(Store::open_read_only(&path)?));
    // The meaning of a filter does not depend on these names.
    let optional = [NamedRecord::ContactAttribute, NamedRecord::TicketAttribute];
    let directory = match store {
        Ok(store) => typed.directory(context, &StoredNames(&store)).await?,
        Err(error) => {
            let required = filter::required_names(&typed.expression, searched);
            if !required.iter().all(|name| optional.contains(name)) {
                return Err(error);
            }
            Directory::default()
        }
    };
    typed.with_names(context, directory).map(Some)
}
