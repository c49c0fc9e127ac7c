//! Line endings: files use line feeds only, the server may mix several kinds.
//!
//! Text that comes back from a file unchanged must never change a byte on the server.

/// Text with line feeds only, and without NUL, as files and Markdown parsers expect it.
pub fn normalize_line_endings(text: &str) -> String {
    if !text.bytes().any(|byte| matches!(byte, b'\r' | b'\0')) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

/// `edited`, with the original bytes of `source` before and after the edit, so that line endings survive.
pub fn splice(source: &str, edited: &str) -> String {
    if normalize_line_endings(source) == source {
        return edited.to_owned();
    }
    let letters: Vec<(usize, char)> = source
        .char_indices()
        .filter(|(at, letter)| *letter != '\n' || !source[..*at].ends_with('\r'))
        .map(|(at, letter)| match letter {
            '\r' => (at, '\n'),
            '\0' => (at, '\u{fffd}'),
            letter => (at, letter),
        })
        .collect();
    let same = |(old, new): &(char, char)| old == new;
    let forwards = letters.iter().map(|letter| letter.1).zip(edited.chars());
    let before: usize = forwards.take_while(same).map(|pair| pair.1.len_utf8()).sum();
    let kept = edited[..before].chars().count();
    let backwards = letters[kept..].iter().rev().map(|letter| letter.1).zip(edited[before..].chars().rev());
    let after: Vec<char> = backwards.take_while(same).map(|pair| pair.1).collect();
    let offset = |index: usize| letters.get(index).map_or(source.len(), |letter| letter.0);
    let end = edited.len() - after.iter().map(|letter| letter.len_utf8()).sum::<usize>();
    let (head, tail) = (&source[..offset(kept)], &source[offset(letters.len() - after.len())..]);
    [head, &edited[before..end], tail].concat()
}

/// Whether a line is a conflict marker of git or a similar tool.
pub fn is_merge_marker(line: &str) -> bool {
    let line = line.trim_end_matches('\r');
    let marks = |mark: char| {
        let rest = line.trim_start_matches(mark);
        line.len() - rest.len() >= 7 && (rest.is_empty() || rest.starts_with(' '))
    };
    line.trim_end() == "=======" || marks('<') || marks('>') || marks('|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_markers_are_recognized() {
        for line in [
            "<<<<<<< HEAD",
            "=======",
            "=======\r",
            ">>>>>>> branch",
            "||||||| base",
            "|||||||",
            "<<<<<<<<< a",
        ] {
            assert!(is_merge_marker(line), "{line}");
        }
        for line in ["<<<<<<", "========", "======= x", "<<<<<<<a", " <<<<<<< HEAD", "| | | |", "> > a", ""] {
            assert!(!is_merge_marker(line), "{line}");
        }
    }

    #[test]
    fn an_edit_keeps_the_line_endings_around_it() {
        for (source, from, to, expected) in [
            ("a\r\nb\rc\nd", "b", "x", "a\r\nx\rc\nd"),
            ("a\r\nb", "", "x\n", "x\na\r\nb"),
            ("a\r\r\nb\r", "\nb", "\nb!", "a\r\r\nb!\r"),
            ("a\r\na\r\na", "a\na\na", "a\na", "a\r\na"),
            ("a\r\n", "a\n", "", ""),
        ] {
            let edited = normalize_line_endings(source).replacen(from, to, 1);
            let result = splice(source, &edited);
            assert_eq!(normalize_line_endings(&result), edited, "{source:?}");
            assert_eq!(result, expected);
        }
    }
}
