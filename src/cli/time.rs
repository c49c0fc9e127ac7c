//! The times in flags, read in the same way for all commands.
//!
//! Dates are in the time zone of `--timezone`, else of the office hours in the config file, else UTC, unless they
//! contain an offset or a zone.

use jiff::Timestamp;

use super::context::Context;
use super::error::{Error, Hint};
pub use crate::data::times::{SHORTEST_PERIOD, Times};

/// The current time, with dates in the time zone of the flags.
///
/// # Errors
/// Those of [`Context::zone`].
pub fn times(context: &Context) -> Result<Times, Error> {
    Ok(Times::at(Timestamp::now(), context.zone()?))
}

/// `--since` in epoch seconds. A span must be at least `shortest` seconds long.
///
/// # Errors
/// [`Error::Usage`] for an invalid time; see [`Times::since`].
pub fn since(context: &Context, since: Option<&str>, shortest: i64) -> Result<Option<i64>, Error> {
    let Some(text) = since else { return Ok(None) };
    let moment = times(context)?.since(text, shortest);
    moment.map(Some).map_err(|reason| Error::usage(format!("--since: {reason}")))
}

/// `--since` and `--until` in epoch seconds.
///
/// # Errors
/// Those of [`since`], and an empty period.
pub fn period(
    context: &Context,
    start: Option<&str>,
    end: Option<&str>,
    shortest: i64,
) -> Result<(Option<i64>, Option<i64>), Error> {
    let since = since(context, start, shortest)?;
    let until = end.map(|text| times(context)?.until(text).map_err(until_error));
    let until = until.transpose()?;
    check_period(since, until)?;
    Ok((since, until))
}

fn until_error(reason: String) -> Error {
    Error::usage(format!("--until: {reason}"))
}

/// Refuses an empty period.
///
/// # Errors
/// If both ends are given and `until` is not later than `since`.
pub fn check_period(since: Option<i64>, until: Option<i64>) -> Result<(), Error> {
    if since.zip(until).is_some_and(|(since, until)| since >= until) {
        return Err(Error::usage_with_hint(
            "--until must be later than --since",
            Hint::new("the end is not part of the period: for a single day, ")
                .flag("until")
                .text(" is the next day"),
        ));
    }
    Ok(())
}
