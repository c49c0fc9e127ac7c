//! Lengths of time and sizes of files as people write them: `45 s`, `17 h 38 min`, `1 d 4 h`, `740 KB`.
//!
//! For people only: rounding loses information, so documents for programs keep seconds.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Days in a month and a year, only for lengths where a day more or less does not matter.
const MONTH: u64 = 30 * DAY;
const YEAR: u64 = 365 * DAY;

/// A length in seconds, in its two largest units: `1 d 4 h`, `17 h 38 min`, `3 min`, `45 s`.
pub fn length(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "-".to_owned();
    }
    if seconds < 10.0 && seconds.fract() != 0.0 {
        return format!("{seconds:.1} s");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above; rounds")]
    let seconds = seconds.round() as u64;
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        // Seconds matter little beside minutes, and minutes beside days.
        MINUTE..HOUR if seconds < 10 * MINUTE => two(seconds, MINUTE, "min", 1, "s"),
        MINUTE..DAY => two(rounded(seconds, MINUTE), HOUR, "h", MINUTE, "min"),
        _ => two(rounded(seconds, HOUR), DAY, "d", HOUR, "h"),
    }
}

/// A length in seconds, in its largest unit: `2 h`, `3 d`, `5 mo`.
pub fn largest_unit(seconds: u64) -> String {
    let units = [(YEAR, "y"), (MONTH, "mo"), (DAY, "d"), (HOUR, "h"), (MINUTE, "min")];
    let unit = units.iter().find(|(unit, _)| seconds >= *unit);
    unit.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

/// A size in bytes, in decimal units as in file managers: `740 KB`, `1.2 GB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1_000.0;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1_000.0;
        unit += 1;
    }
    // Beside KB, a fraction is noise.
    let decimals = usize::from(size < 9.95 && unit > 0);
    format!("{size:.decimals$} {}", UNITS[unit])
}

fn rounded(seconds: u64, unit: u64) -> u64 {
    (seconds + unit / 2) / unit * unit
}

/// The whole units of a length, and the rest in smaller ones.
fn two(seconds: u64, large: u64, large_name: &str, small: u64, small_name: &str) -> String {
    let (whole, rest) = (seconds / large, seconds % large / small);
    match (whole, rest) {
        (0, rest) => format!("{rest} {small_name}"),
        (whole, 0) => format!("{whole} {large_name}"),
        (whole, rest) => format!("{whole} {large_name} {rest} {small_name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_at_most_two_units() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.25, "0.2 s"),
            (45.0, "45 s"),
            (60.0, "1 min"),
            (90.4, "1 min 30 s"),
            (659.0, "11 min"),
            (3_600.0, "1 h"),
            (63_462.0, "17 h 38 min"),
            (86_399.0, "24 h"),
            (100_590.0, "1 d 4 h"),
            (241_446.0, "2 d 19 h"),
            (86_400.0 * 40.0, "40 d"),
        ] {
            assert_eq!(length(seconds), text, "{seconds}");
        }
        assert_eq!((length(f64::NAN), length(-1.0)), ("-".to_owned(), "-".to_owned()));
    }

    #[test]
    fn a_size_has_three_digits_at_most() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 KB"),
            (757_760, "758 KB"),
            (999_600, "1.0 MB"),
            (12_345_678, "12 MB"),
            (1_234_567_890, "1.2 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn the_largest_unit_is_never_rounded_up() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (119, "1 min"), (7_199, "1 h"), (86_400 * 3, "3 d")]
        {
            assert_eq!(largest_unit(seconds), text, "{seconds}");
        }
        assert_eq!(largest_unit(YEAR * 2), "2 y");
        assert_eq!(largest_unit(MONTH), "1 mo");
    }
}
