//! Time zones by their IANA names.

use jiff::tz::TimeZone;

/// The time zone of an IANA name.
///
/// # Errors
/// A message with similar names.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name.trim()).map_err(|_| {
        let lower = name.trim().to_lowercase();
        let city = lower.rsplit('/').next().unwrap_or(&lower).replace(' ', "_");
        let stem: String = city.chars().take(4).collect();
        let similar: Vec<String> = jiff::tz::db()
            .available()
            .map(|zone| zone.to_string())
            .filter(|zone| {
                !stem.is_empty()
                    && zone.to_lowercase().rsplit('/').next().is_some_and(|city| city.starts_with(&stem))
            })
            .take(5)
            .collect();
        if similar.is_empty() {
            format!("unknown time zone {name:?}: expected an IANA name, for example Europe/Dublin or UTC")
        } else {
            format!("unknown time zone {name:?}: did you mean {}?", similar.join(", "))
        }
    })
}
