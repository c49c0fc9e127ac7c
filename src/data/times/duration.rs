//! Lengths of time in flags: `30s`, `24h`, `30d`, `3mo`.

use std::time::Duration;

use jiff::{SignedDuration, Span};

/// Parses a duration: `30s`, `500ms`, `2m`, `24h`, `30d`, `2w`, `3mo` (months of 30 days). A bare number is seconds.
///
/// # Errors
/// The accepted forms.
pub fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("invalid duration {text:?}: expected for example 30s, 5m, 24h, 30d, 2w or 3mo");
    let trimmed = text.trim();
    if let Some((number, unit)) = number_and_unit(trimmed) {
        let seconds = match unit {
            "" => Some(1),
            "d" | "day" | "days" => Some(86_400),
            "w" | "week" | "weeks" => Some(7 * 86_400),
            "mo" | "month" | "months" => Some(30 * 86_400),
            "y" | "yr" | "year" | "years" => Some(365 * 86_400),
            _ => None,
        };
        if let Some(seconds) = seconds {
            return number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(invalid);
        }
    }
    let parsed: SignedDuration = trimmed.parse().map_err(|_| invalid())?;
    Duration::try_from(parsed).map_err(|_| invalid())
}

/// Parses a number of months or years.
pub fn calendar(text: &str) -> Option<Span> {
    let (number, unit) = number_and_unit(text)?;
    let number = i32::try_from(number).ok()?;
    match unit {
        "mo" | "month" | "months" => Span::new().try_months(number).ok(),
        "y" | "yr" | "year" | "years" => Span::new().try_years(number).ok(),
        _ => None,
    }
}

/// Splits a whole number and its unit.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let (number, unit) =
        text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed() {
        assert_eq!(parse("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("2w"), Ok(Duration::from_secs(14 * 86_400)));
        assert_eq!(parse("3mo"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(parse("15"), Ok(Duration::from_secs(15)));
        assert!(parse("-5s").is_err());
    }
}
