//! Makes text safe for a terminal.
//!
//! Anybody can have written names, messages and error texts. Escape sequences in them could clear the screen, set
//! the window title or fake output; bidirectional overrides could reverse a question. No such text may reach a
//! terminal without passing through here.

/// The text on one line: line breaks and tabs become spaces as well.
pub fn one_line(text: &str) -> String {
    text.chars().map(|letter| if is_control(letter) { ' ' } else { letter }).collect()
}

/// The text with its line breaks and tabs.
pub fn lines(text: &str) -> String {
    let keeps = |letter: char| matches!(letter, '\n' | '\t');
    let safe = |letter: char| if is_control(letter) && !keeps(letter) { ' ' } else { letter };
    text.chars().map(safe).collect()
}

/// Whether a terminal interprets the character instead of printing it.
pub fn is_control(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_become_spaces() {
        let hostile = "Bob\x1b]0;title\x07\r\x1b[2J\u{202e}yes\u{2066}\u{9b}1m";
        for text in [one_line(hostile), lines(hostile)] {
            assert!(!text.chars().any(is_control), "{text:?}");
            assert!(text.starts_with("Bob ]0;title"), "{text:?}");
        }
        assert_eq!(one_line("a\nb\tc"), "a b c");
        assert_eq!(lines("a\nb\tc"), "a\nb\tc");
        assert_eq!(lines("Zoë שלום 日本\u{200f}"), "Zoë שלום 日本\u{200f}");
    }
}
