//! Compiles `--where`, and chooses whether its names come from the workspace or the mirror.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::context::Context;
use super::error::{Error, Hint, HintTopic};
use super::globals::DataSource;
use super::mirror_paths::{self, MirrorFlag};
use super::output::warn;
use super::time::Times;
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
    pub fn needs_names(&self) -> bool {
        !filter::required_names(&self.expression, self.searched).is_empty()
            || filter::compares_days(&self.expression, self.searched, &Directory::default())
    }

    /// # Errors
    /// When a required list cannot be read.
    pub async fn directory<S: NameSource>(&self, source: &S) -> Result<Directory, Error>
    where
        Error: From<S::Error>,
    {
        Ok(selection::directory(source, &self.expression, self.searched).await?)
    }

    /// # Errors
    /// A usage error that points at the position; an invalid setting.
    pub fn compile(&self, context: &Context, directory: &Directory) -> Result<CompiledFilter, Error> {
        // Contacts are compared by days in the workspace's time zone, everything else by exact times.
        let zone = match (self.searched, &directory.zone) {
            (Searchable::Contacts, zone) => zone.clone().unwrap_or(TimeZone::UTC),
            _ => context.zone()?,
        };
        let times = Times::at(Timestamp::now(), zone);
        let configured = || context.settings().ok().and_then(|settings| settings.api_version);
        let version = context.globals.connection.api_version.clone().or_else(configured);
        let has_graded_priorities = version.is_some_and(|version| has_graded_priorities(&version));
        let directory = Directory { has_graded_priorities, ..directory.clone() };
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

/// Versions are numbers such as 2.16. A name such as Unstable is newer than all of them.
fn has_graded_priorities(version: &str) -> bool {
    let number =
        version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    number.is_none_or(|number: (u32, u32)| number >= (2, 16))
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
    let directory = typed.directory(client).await?;
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
        Ok(store) => typed.directory(&StoredNames(&store)).await?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graded_priorities_start_with_a_version() {
        let versions = ["2.9", "2.15", "2.16", "3.0", "Unstable"];
        assert_eq!(versions.map(has_graded_priorities), [false, false, true, true, true]);
    }
}
