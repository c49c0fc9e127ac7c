//! The kinds of callouts, and the colours that distinguish them.
//!
//! The kind is inferred from the colour. The style of an existing callout must never be replaced because of
//! that.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callout {
    Note,
    Tip,
    Important,
    Warning,
    Caution,
}

impl Callout {
    pub const ALL: [Callout; 5] =
        [Callout::Note, Callout::Tip, Callout::Important, Callout::Warning, Callout::Caution];

    /// The kind that the background colour suggests.
    pub fn of_style(style: &str) -> Self {
        let Some((red, green, blue)) = style.split("background-color").nth(1).and_then(colour) else {
            return Callout::Note;
        };
        let (high, low) = (red.max(green).max(blue), red.min(green).min(blue));
        match high - low {
            ..=12 => Callout::Note,
            _ if high == green && red < green - 6 => Callout::Tip,
            _ if low == blue && red - green <= 45 => Callout::Warning,
            _ if high == red && blue <= red - 25 => Callout::Caution,
            _ if red > green + 6 => Callout::Important,
            _ => Callout::Note,
        }
    }

    /// The style of a new callout.
    pub fn style(self) -> &'static str {
        match self {
            Callout::Note => "background-color: #e3e7fa80; border-color: #334bfa33;",
            Callout::Tip => "background-color: #d7efdc80; border-color: #1bb15733;",
            Callout::Important => "background-color: #ecdffb80; border-color: #8f5ed333;",
            Callout::Warning => "background-color: #feedaf80; border-color: #fbc91633;",
            Callout::Caution => "background-color: #fed9db80; border-color: #e8434333;",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Callout::Note => "NOTE",
            Callout::Tip => "TIP",
            Callout::Important => "IMPORTANT",
            Callout::Warning => "WARNING",
            Callout::Caution => "CAUTION",
        }
    }
}

/// The first `#rrggbb` in a text.
fn colour(text: &str) -> Option<(i32, i32, i32)> {
    let digits = text.split('#').nth(1)?.get(..6)?;
    let part = |at: usize| i32::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some((part(0)?, part(2)?, part(4)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_new_callout_is_recognized() {
        for kind in Callout::ALL {
            assert_eq!(Callout::of_style(kind.style()), kind);
        }
        assert_eq!(Callout::of_style(""), Callout::Note);
    }
}
