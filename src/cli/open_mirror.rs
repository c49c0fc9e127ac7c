//! Opens a mirror for reading, and warns if it is old or incomplete.
//!
//! Results from an old, partial or missing mirror must come with a warning or an error.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::error::{Error, Exit, Hint};
use super::flag_values::Suggested;
use super::output::warn;
use crate::mirror::{ResourceName, Store, SyncState, UnknownResource};
use crate::report::timeline_cache;

/// Opens a mirror with an up-to-date search index. Warns if the index cannot be updated because a sync is running.
///
/// # Errors
/// Those of [`Store::open_read_only`].
pub fn indexed(path: &Path) -> Result<Store, Error> {
    let store = Store::open_read_only(path)?;
    if let Some(error) = store.update_index()? {
        warn(&format!("the latest records cannot be searched yet: {error}"));
    }
    Ok(store)
}

/// Opens a mirror with an up-to-date timeline cache. If the cache cannot be written, reports compute the timelines,
/// which is slower.
///
/// # Errors
/// Those of [`Store::open_read_only`].
pub fn with_timelines(path: &Path) -> Result<Store, Error> {
    let store = Store::open_read_only(path)?;
    timeline_cache::prepare(&store)?;
    Ok(store)
}

/// The argument of a command that reads one resource.
#[derive(Args)]
#[group(skip)]
pub struct ResourceArgument {
    #[arg(
        value_name = "RESOURCE",
        value_parser = Suggested(ResourceName::ALL.iter().map(|resource| resource.as_str().to_owned()).collect()),
        hide_possible_values = true,
        help = ResourceName::all_names()
    )]
    resource: String,
}

impl ResourceArgument {
    /// # Errors
    /// Those of [`resource`].
    pub fn name(&self) -> Result<ResourceName, Error> {
        resource(&self.resource)
    }
}

/// A mirrored resource by its name.
///
/// # Errors
/// [`Error::Usage`] with the valid names.
pub fn resource(name: &str) -> Result<ResourceName, Error> {
    name.parse().map_err(|error: UnknownResource| Error::usage(error.to_string()))
}

/// The sync state of a resource.
///
/// # Errors
/// Not found if it has never been synced.
pub fn require_synced(store: &Store, resource: ResourceName) -> Result<SyncState, Error> {
    store.sync_state(resource)?.ok_or_else(|| Error::Failed {
        message: format!("{resource} have not been synced"),
        exit: Exit::NotFound,
        hint: Some(Hint::new("run ").run(format!("sync --resources {resource}")).text(" first")),
    })
}

/// The time up to which all of these resources are mirrored, in epoch seconds. Warns if they are old or incomplete.
///
/// # Errors
/// If the mirror cannot be read.
pub fn check_freshness(
    context: &Context,
    store: &Store,
    resources: &[ResourceName],
) -> Result<Option<i64>, Error> {
    let mut oldest: Option<i64> = None;
    let (mut incomplete, mut partial) = (Vec::new(), Vec::new());
    for resource in resources {
        let Some(state) = store.sync_state(*resource)? else { continue };
        // Skipped: the workspace does not offer this resource.
        if !state.complete && !state.skipped {
            incomplete.push(resource.as_str());
        }
        if state.floor.is_some() {
            partial.push(resource.as_str());
        }
        oldest = match (oldest, state.watermark) {
            (Some(oldest), Some(watermark)) => Some(oldest.min(watermark)),
            (oldest, watermark) => oldest.or(watermark),
        };
    }
    if !incomplete.is_empty() {
        let names = incomplete.join(", ");
        warn(&format!("the last sync of {names} did not finish; run `intercom-pp-cli sync`"));
    }
    if !partial.is_empty() {
        let names = partial.join(", ");
        warn(&format!(
            "the mirror contains only newer {names} (`intercom-pp-cli status` shows since when); `intercom-pp-cli sync --full` fetches all"
        ));
    }
    warn_of_age(context, oldest);
    Ok(oldest)
}

/// Warns when the mirror is older than `--max-age`. `synced_at` is epoch seconds.
pub fn warn_of_age(context: &Context, synced_at: Option<i64>) {
    if let Some(notice) =
        notice_of_age(context.globals.connection.max_age, synced_at, Timestamp::now().as_second())
    {
        warn(&notice);
    }
}

/// `now` is epoch seconds. A resource that was never synced has no age.
fn notice_of_age(max_age: Option<Duration>, synced_at: Option<i64>, now: i64) -> Option<String> {
    let age = now.saturating_sub(synced_at?);
    let max_age = i64::try_from(max_age?.as_secs()).unwrap_or(i64::MAX);
    let is_old = age > max_age;
    is_old.then(|| format!("the mirror is {}; run `intercom-pp-cli sync`", age_text(age)))
}

/// An age in words, for example `5 minutes old`.
pub fn age_text(seconds: i64) -> String {
    match seconds.max(0) {
        1 => "1 second old".to_owned(),
        seconds @ ..120 => format!("{seconds} seconds old"),
        seconds @ ..7_200 => format!("{} minutes old", seconds / 60),
        seconds @ ..172_800 => format!("{} hours old", seconds / 3_600),
        seconds => format!("{} days old", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_older_than_the_limit_is_old() {
        let hour = Some(Duration::from_secs(3_600));
        let notice = notice_of_age(hour, Some(1_000), 1_000 + 3_601).unwrap();
        assert!(notice.contains("60 minutes old") && notice.contains("sync"), "{notice}");
        assert_eq!(notice_of_age(hour, Some(1_000), 1_000 + 3_600), None);
        let second = Some(Duration::from_secs(1));
        let notice = notice_of_age(second, Some(1_000), 1_000 + 45).unwrap();
        assert!(notice.contains("45 seconds old"), "{notice}");
        assert_eq!(
            [age_text(1), age_text(119), age_text(120)],
            ["1 second old", "119 seconds old", "2 minutes old"]
        );
        assert_eq!([age_text(7_200), age_text(200_000)], ["2 hours old", "2 days old"]);
        // Never old: after the clock was set back, without a limit, and without a sync.
        assert_eq!(notice_of_age(hour, Some(9_000), 1_000), None);
        assert_eq!(notice_of_age(None, Some(1_000), i64::MAX), None);
        assert_eq!(notice_of_age(hour, None, 9_000), None);
        assert!(notice_of_age(Some(Duration::ZERO), Some(i64::MIN), i64::MAX).is_some());
    }
}
