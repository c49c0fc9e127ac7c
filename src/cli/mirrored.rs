//! Opening a mirror for a command that asks it, and a word about how far it can be trusted.
//!
//! A mirror that is old, partial or was never made answers with a warning or an error, never with less
//! than the whole and no word about it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::context::Context;
use super::error::{Error, Exit};
use super::output::warn;
use crate::mirror::{self, ResourceName, Store, SyncState};
use crate::report::timelines;

/// Opens a mirror whose texts are up to date. While a sync is writing they may be a little behind, which
/// is said.
///
/// # Errors
/// As [`Store::open_read_only`].
pub fn indexed(path: &Path) -> Result<Store, Error> {
    let store = Store::open_read_only(path)?;
    if !store.texts_due()? {
        return Ok(store);
    }
    match Store::open(path).and_then(|mut store| store.index()) {
        Ok(_) => {}
        Err(error @ (mirror::Error::Database(_) | mirror::Error::File { .. })) => {
            warn(&format!("the newest records cannot be searched yet: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(store)
}

/// Opens a mirror whose timelines are stored, as far as that is possible: what is not is worked out with
/// every report, which takes longer and comes to the same.
///
/// # Errors
/// As [`Store::open_read_only`].
pub fn with_timelines(path: &Path) -> Result<Store, Error> {
    let store = Store::open_read_only(path)?;
    if timelines::is_stored(&store)? {
        return Ok(store);
    }
    if let Ok(writable) = Store::open(path) {
        // Another process may be writing, or the file be on a medium that cannot be written.
        let _ = timelines::refresh(&writable);
    }
    Ok(store)
}

/// A mirrored resource by its name.
///
/// # Errors
/// [`Error::Usage`] with the names that there are.
pub fn resource(name: &str) -> Result<ResourceName, Error> {
    name.parse().map_err(|_| {
        let known: Vec<&str> = ResourceName::ALL.iter().map(|it| it.as_str()).collect();
        Error::usage_with_hint(
            format!("{name:?} is not a mirrored resource"),
            format!("known: {}", known.join(", ")),
        )
    })
}

/// How far a resource has been synced.
///
/// # Errors
/// Not found when it never was.
pub fn synced(store: &Store, resource: ResourceName) -> Result<SyncState, Error> {
    store.sync_state(resource)?.ok_or_else(|| Error::Finding {
        message: format!("{resource} have not been synced"),
        exit: Exit::NotFound,
        hint: Some(format!("run `intercom-pp-cli sync --resources {resource}` first")),
    })
}

/// The moment up to which all of these resources are mirrored, and warnings about what is not.
///
/// # Errors
/// When the mirror cannot be read.
pub fn say_how_old(
    context: &Context,
    store: &Store,
    resources: &[ResourceName],
) -> Result<Option<i64>, Error> {
    let mut oldest: Option<i64> = None;
    let (mut incomplete, mut partial) = (Vec::new(), Vec::new());
    for resource in resources {
        let Some(state) = store.sync_state(*resource)? else { continue };
        // What the workspace does not offer has no end to be reached.
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
        warn(&format!("the last sync did not reach the end of {names}; run `intercom-pp-cli sync`"));
    }
    if !partial.is_empty() {
        let names = partial.join(", ");
        warn(&format!(
            "the mirror holds only the newer {names} (`intercom-pp-cli status` tells since when); `intercom-pp-cli sync --full` fetches all"
        ));
    }
    warn_of_age(context, oldest);
    Ok(oldest)
}

/// Warns when the mirror is older than `--max-age`. `synced_at` is epoch seconds.
pub fn warn_of_age(context: &Context, synced_at: Option<i64>) {
    if let Some(notice) = notice_of_age(context.globals.max_age, synced_at, Timestamp::now().as_second()) {
        warn(&notice);
    }
}

/// `now` is epoch seconds, too. What was never synced has no age.
fn notice_of_age(most: Option<Duration>, synced_at: Option<i64>, now: i64) -> Option<String> {
    let age = now.saturating_sub(synced_at?);
    let most = i64::try_from(most?.as_secs()).unwrap_or(i64::MAX);
    let is_old = age > most;
    is_old.then(|| format!("the mirror is {}; run `intercom-pp-cli sync`", old(age)))
}

/// An age in words, such as `5 minutes old`.
pub fn old(seconds: i64) -> String {
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
    fn only_what_is_older_than_allowed_is_old() {
        let hour = Some(Duration::from_secs(3_600));
        let notice = notice_of_age(hour, Some(1_000), 1_000 + 3_601).unwrap();
        assert!(notice.contains("60 minutes old") && notice.contains("sync"), "{notice}");
        assert_eq!(notice_of_age(hour, Some(1_000), 1_000 + 3_600), None);
        let second = Some(Duration::from_secs(1));
        let notice = notice_of_age(second, Some(1_000), 1_000 + 45).unwrap();
        assert!(notice.contains("45 seconds old"), "{notice}");
        assert_eq!([old(1), old(119), old(120)], ["1 second old", "119 seconds old", "2 minutes old"]);
        assert_eq!([old(7_200), old(200_000)], ["2 hours old", "2 days old"]);
        // A clock that was set back makes nothing old, and neither does the lack of a limit or of a sync.
        assert_eq!(notice_of_age(hour, Some(9_000), 1_000), None);
        assert_eq!(notice_of_age(None, Some(1_000), i64::MAX), None);
        assert_eq!(notice_of_age(hour, None, 9_000), None);
        assert!(notice_of_age(Some(Duration::ZERO), Some(i64::MIN), i64::MAX).is_some());
    }
}
