//! Breaks text into lines that fit a terminal.
//!
//! Commands in backticks are never broken, because nobody could copy them.

use unicode_width::UnicodeWidthStr;

/// The text in lines of at most `width` columns, if its words allow it.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The words of a text. A part in backticks is one word, with what touches it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut is_quoted) = (None, false);
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace() && !is_quoted {
            words.extend(start.take().map(|start| &text[start..at]));
            continue;
        }
        start.get_or_insert(at);
        // A lone backtick quotes nothing.
        is_quoted = (letter == '`') != is_quoted && (is_quoted || text[at + 1..].contains('`'));
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_but_not_in_commands() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("run `a b c`, then wait", 8), ["run", "`a b c`,", "then", "wait"]);
        assert_eq!(wrapped("a ` b c", 3), ["a `", "b c"]);
        assert_eq!(wrapped("", 9), [""]);
        assert_eq!(wrapped("日本 日本", 5), ["日本", "日本"]);
    }
}
