//! Line ends: files show one kind, the server may have several.
//!
//! What is shown in a file and comes back unchanged must never change a byte on the server.

/// Text with the line ends that files and Markdown agree on.
pub fn lines_of(text: &str) -> String {
    match text.bytes().any(|it| matches!(it, b'\r' | b'\0')) {
        true => text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}"),
        false => text.to_owned(),
    }
}

/// `edited`, with the bytes of `source` before and behind the edit: files do not show all line ends.
pub fn spliced(source: &str, edited: &str) -> String {
    if lines_of(source) == source {
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
    let forwards = letters.iter().map(|it| it.1).zip(edited.chars());
    let before: usize = forwards.take_while(same).map(|it| it.1.len_utf8()).sum();
    let kept = edited[..before].chars().count();
    let backwards = letters[kept..].iter().rev().map(|it| it.1).zip(edited[before..].chars().rev());
    let behind: Vec<char> = backwards.take_while(same).map(|it| it.1).collect();
    let offset = |index: usize| letters.get(index).map_or(source.len(), |it| it.0);
    let end = edited.len() - behind.iter().map(|it| it.len_utf8()).sum::<usize>();
    let (head, tail) = (&source[..offset(kept)], &source[offset(letters.len() - behind.len())..]);
    [head, &edited[before..end], tail].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_keeps_the_line_ends_around_it() {
        for (source, from, to, wanted) in [
            ("a\r\nb\rc\nd", "b", "x", "a\r\nx\rc\nd"),
            ("a\r\nb", "", "x\n", "x\na\r\nb"),
            ("a\r\r\nb\r", "\nb", "\nb!", "a\r\r\nb!\r"),
            ("a\r\na\r\na", "a\na\na", "a\na", "a\r\na"),
            ("a\r\n", "a\n", "", ""),
        ] {
            let edited = lines_of(source).replacen(from, to, 1);
            let result = spliced(source, &edited);
            assert_eq!(lines_of(&result), edited, "{source:?}");
            assert_eq!(result, wanted);
        }
    }
}
