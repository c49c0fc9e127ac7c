//! Extra terms for words that the full-text index cannot find, because it splits texts at spaces.
//!
//! Chinese, Japanese, Thai and others are written without spaces, and Korean appends particles to words: each pair of
//! neighbouring letters of these scripts becomes a term (a bigram). Words of several scripts are split by script, and
//! letters with an alternative spelling, such as ß, are indexed in both. Texts and queries must be treated alike.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The terms to index in addition to the text itself; `None` without extra terms.
pub(super) fn grams(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let text: String = text.nfkc().collect();
    let mut grams = String::new();
    let mut add = |gram: &str| {
        if !grams.is_empty() {
            grams.push(' ');
        }
        grams.push_str(gram);
    };
    for word in words(&text).filter(|word| !word.is_ascii()) {
        if !word.contains(is_unspaced) {
            alternative_spelling(word).iter().for_each(|word| add(word));
            continue;
        }
        for piece in pieces(word) {
            match piece {
                Piece::Unspaced(letters) => {
                    letters.windows(2).for_each(|pair| add(&pair.iter().collect::<String>()));
                    // The last letter too, so that every letter starts a term.
                    letters.last().iter().for_each(|letter| add(&letter.to_string()));
                }
                Piece::Word(word) => {
                    add(word);
                    alternative_spelling(word).iter().for_each(|word| add(word));
                }
            }
        }
    }
    (!grams.is_empty()).then_some(grams)
}

/// The FTS expression to search for instead of a text; `None` if the text itself can be searched for.
pub(super) fn query(text: &str, prefix: bool) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let star = if prefix { " *" } else { "" };
    let normal: String = text.nfkc().collect();
    if !normal.contains(is_unspaced) {
        let other = alternative_spelling(&normal)?;
        return Some(format!("({}{star} OR {}{star})", quoted(text), quoted(&other)));
    }
    let mut terms: Vec<String> = Vec::new();
    let mut phrase: Vec<&str> = Vec::new();
    for word in words(&normal) {
        if !word.contains(is_unspaced) {
            phrase.push(word);
            continue;
        }
        terms.extend((!phrase.is_empty()).then(|| quoted(&phrase.join(" "))));
        phrase.clear();
        terms.extend(pieces(word).iter().map(|piece| match piece {
            Piece::Word(word) => quoted(word),
            Piece::Unspaced(letters) if letters.len() == 1 => {
                format!("{} *", quoted(&letters[0].to_string()))
            }
            Piece::Unspaced(letters) => {
                let pairs: Vec<String> = letters.windows(2).map(|pair| pair.iter().collect()).collect();
                quoted(&pairs.join(" "))
            }
        }));
    }
    terms.extend((!phrase.is_empty()).then(|| format!("{}{star}", quoted(&phrase.join(" ")))));
    Some(format!("({})", terms.join(" AND ")))
}

/// A word as the index stores it, in lowercase without diacritics, and its alternative spelling.
pub(super) fn index_terms(word: &str) -> [String; 2] {
    let bare = |word: &str| word.to_lowercase().nfd().filter(|letter| !is_combining_mark(*letter)).collect();
    let normal: String = word.nfkc().collect();
    [bare(&normal), bare(&alternative_spelling(&normal).unwrap_or(normal))]
}

/// Whether this letter's script is written without spaces, or appends particles to words.
pub(super) fn is_unspaced(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0e00..=0x0eff         // Thai, Lao
        | 0x0f00..=0x109f       // Tibetan, Myanmar
        | 0x1100..=0x11ff       // Hangul
        | 0x1780..=0x17ff       // Khmer
        | 0x3005..=0x3007 | 0x3040..=0x30ff | 0x3100..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff // Han
        | 0xa960..=0xa97f | 0xaa60..=0xaa7f
        | 0xac00..=0xd7ff       // Hangul
        | 0xf900..=0xfaff | 0xff66..=0xffdc
        | 0x1b000..=0x1b16f | 0x20000..=0x3ffff)
}

enum Piece<'a> {
    Word(&'a str),
    Unspaced(Vec<char>),
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |letter: char| !letter.is_alphanumeric() && !is_combining_mark(letter);
    text.split(ends).filter(|word| !word.is_empty())
}

fn pieces(word: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let unspaced = is_unspaced(first);
        let end = rest.find(|letter| is_unspaced(letter) != unspaced).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(if unspaced { Piece::Unspaced(piece.chars().collect()) } else { Piece::Word(piece) });
        rest = after;
    }
    pieces
}

/// The text with letters such as ß in their alternative spelling; `None` if it has no such letters.
fn alternative_spelling(text: &str) -> Option<String> {
    let other = |letter: char| {
        Some(match letter {
            'ß' | 'ẞ' => "ss",
            'æ' | 'Æ' => "ae",
            'œ' | 'Œ' => "oe",
            'ø' | 'Ø' => "o",
            'ł' | 'Ł' => "l",
            'đ' | 'Đ' | 'ð' | 'Ð' => "d",
            'þ' | 'Þ' => "th",
            'ı' => "i",
            _ => return None,
        })
    };
    text.contains(|letter| other(letter).is_some()).then(|| {
        text.chars().fold(String::new(), |mut text, letter| {
            match other(letter) {
                Some(letters) => text.push_str(letters),
                None => text.extend(letter.to_lowercase()),
            }
            text
        })
    })
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_letters_are_indexed_as_pairs() {
        assert_eq!(grams("退款。please").as_deref(), Some("退款 款"));
        assert_eq!(grams("ABC株式会社2024").as_deref(), Some("ABC 株式 式会 会社 社 2024"));
        assert_eq!(grams("Straßenbahn, café").as_deref(), Some("strassenbahn"));
        assert_eq!(grams("plain words"), None);
        assert_eq!(grams("café crème"), None);
        // Half-width and decomposed letters are the same letters.
        assert_eq!(grams("ﾊﾟｽ"), grams("パス"));
    }

    #[test]
    fn queries_are_split_like_texts() {
        assert_eq!(query("退款", false).as_deref(), Some(r#"("退款")"#));
        assert_eq!(query("リセット", false).as_deref(), Some(r#"("リセ セッ ット")"#));
        assert_eq!(query("金", true).as_deref(), Some(r#"("金" *)"#));
        assert_eq!(query("my app 会社2024", false).as_deref(), Some(r#"("my app" AND "会社" AND "2024")"#));
        assert_eq!(query("Straßenbahn", true).as_deref(), Some(r#"("Straßenbahn" * OR "strassenbahn" *)"#));
        assert_eq!(query("café", false), None);
        assert_eq!(query("plain", false), None);
    }

    #[test]
    fn index_terms_have_no_diacritics() {
        assert_eq!(index_terms("Crème"), ["creme", "creme"].map(str::to_owned));
        assert_eq!(index_terms("Fuß"), ["fuß", "fuss"].map(str::to_owned));
    }
}
