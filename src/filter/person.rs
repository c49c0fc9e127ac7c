//! Normalizes email addresses and phone numbers.
//!
//! Works on text only and looks nothing up. Two different addresses must never be normalized to the same
//! text.

use unicode_normalization::UnicodeNormalization;

/// Fewer digits are an extension or an id, not a phone number.
const MIN_DIGITS: usize = 6;
/// The longest number in the telephone network, including an international prefix.
const MAX_DIGITS: usize = 17;

/// The longest country code, in digits.
const LONGEST_CODE: usize = 3;
/// The fewest digits after `011`, the prefix for calls abroad from North America. With fewer it is the beginning of
/// a national number.
const FEWEST_AFTER_011: usize = 10;

/// What people and programs put between and around the digits of a number. Phones and chats add invisible marks.
pub fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || is_invisible(letter)
        || matches!(
            letter,
            '-' | '(' | ')' | '.' | '/' | '_' | '\u{b7}' | '\u{2010}'
                ..='\u{2015}' | '\u{2022}' | '\u{2027}' | '\u{2212}'
        )
}

fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Without the marks and punctuation around an entry of a list.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| {
        letter.is_whitespace() || is_invisible(letter) || matches!(letter, ',' | ';')
    })
}

/// The address in `Ann <ann@example.com>` or `mailto:ann@example.com`, in lower case and composed characters.
/// `None` if the text is not an email address.
pub fn email(text: &str) -> Option<String> {
    let text = trimmed(text);
    let inside = match (text.rfind('<'), text.strip_suffix('>')) {
        (Some(open), Some(text)) => &text[open + 1..],
        _ => text,
    };
    let address = match strip_prefix(inside.trim(), "mailto:") {
        Some(link) => {
            let link = link.split_once('?').map_or(link, |(address, _)| address);
            percent_encoding::percent_decode_str(link).decode_utf8().ok()?.into_owned()
        }
        None => inside.trim().to_owned(),
    };
    let (name, domain) = address.split_once('@')?;
    let is_part = |part: &str| {
        !part.is_empty() && !part.contains(|letter: char| letter == '@' || letter.is_whitespace())
    };
    if !(is_part(name) && is_part(domain)) {
        return None;
    }
    match idna::domain_to_unicode(domain) {
        (domain, Ok(())) => Some(folded(&format!("{name}@{domain}"))),
        (_, Err(_)) => Some(folded(&address)),
    }
}

/// Converts to lower case and composed characters, for comparing addresses.
pub fn folded(text: &str) -> String {
    text.trim().nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// The spellings in which an address may be stored, starting with the normalized one.
pub fn email_spellings(text: &str) -> Vec<String> {
    let mut spellings: Vec<String> = email(text).into_iter().collect();
    if let Some(normalized) = spellings.first().cloned() {
        spellings.push(normalized.nfd().collect());
        let encoded = normalized
            .split_once('@')
            .and_then(|(name, domain)| Some(format!("{name}@{}", idna::domain_to_ascii(domain).ok()?)));
        spellings.extend(encoded);
    }
    spellings.push(text.trim().to_owned());
    let mut seen = std::collections::HashSet::new();
    spellings.retain(|spelling| seen.insert(spelling.clone()));
    spellings
}

/// A normalized phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// With country code, or with the leading zero of a national number.
    digits: String,
}

impl Phone {
    /// `None` if the text is not a phone number.
    pub fn read(text: &str) -> Option<Self> {
        let digits = phone_digits(text);
        let is_number = digits.chars().all(|letter| letter.is_ascii_digit())
            && (MIN_DIGITS..=MAX_DIGITS).contains(&digits.len());
        is_number.then_some(Phone { digits })
    }

    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// The digits that a national number shares with the international one.
    pub fn national(&self) -> Option<&str> {
        self.digits.strip_prefix('0').filter(|rest| rest.len() >= MIN_DIGITS)
    }

    /// The national spellings of an international number, for every length of the country code.
    pub fn nationals(&self) -> Vec<String> {
        if self.national().is_some() {
            return Vec::new();
        }
        let rests = (1..=LONGEST_CODE).filter_map(|code| self.digits.get(code..));
        rests.filter(|rest| rest.len() >= MIN_DIGITS).map(|rest| format!("0{rest}")).collect()
    }

    /// Whether both may be the same number. A national number matches numbers of several countries.
    pub fn fits(&self, other: &Phone) -> bool {
        self.digits == other.digits
            || self.nationals().contains(&other.digits)
            || other.nationals().contains(&self.digits)
    }

    /// What a stored number fits that ends like this one: operators of the search, and their values. Any two
    /// digits may be parted, so only the last one is asked for, or what may come after it.
    pub fn endings(digits: &str) -> Vec<(&'static str, String)> {
        let last = digits.chars().next_back().into_iter();
        let after = [')', ' ', '\u{200e}', '\u{200f}', '\u{202c}', '\u{2069}'];
        let ends = last.chain(after).map(|letter| ("$", letter.to_string()));
        // An extension comes after one of these.
        ends.chain([';', '#', 'x'].map(|letter| ("~", letter.to_string()))).collect()
    }
}

/// Removes separators, an extension, `tel:`, `+`, `00` or `011`, and the zero in `+353 (0)86`.
pub fn phone_digits(text: &str) -> String {
    let text: String = text.nfkc().collect();
    let text = trimmed(&text);
    let text = ["tel:", "callto:", "sms:"].iter().find_map(|link| strip_prefix(text, link)).unwrap_or(text);
    let text = without_extension(text);
    let kept: String =
        text.chars().filter(|letter| matches!(letter, '(' | ')') || !is_separator(*letter)).collect();
    let start = kept.trim_start_matches('(');
    let is_abroad = start.starts_with('+') || start.starts_with("00");
    let kept = if is_abroad { kept.replace("(0)", "") } else { kept };
    let digits = kept.replace(['(', ')'], "");
    let from_america = || digits.strip_prefix("011").filter(|rest| rest.len() >= FEWEST_AFTER_011);
    let whole = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")).or_else(from_america);
    whole.map_or(digits.clone(), str::to_owned)
}

/// The number without `ext 5`, `x5`, `#5` or the parameters of a link.
fn without_extension(text: &str) -> &str {
    let begin = |letter: char| letter.is_alphabetic() || matches!(letter, ';' | ',' | '#');
    let Some((number, extension)) = text.find(begin).and_then(|at| text.split_at_checked(at)) else {
        return text;
    };
    let is_extension = |marker: &&str| {
        let rest = strip_prefix(extension, marker);
        rest.is_some_and(|rest| {
            rest.chars().all(|letter| letter.is_ascii_digit() || letter == ':' || is_separator(letter))
        })
    };
    let known = ["extension", "ext", "x", "#", ","];
    if extension.starts_with(';') || known.iter().any(is_extension) { number } else { text }
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_phone_number_are_equal() {
        let whole = Phone::read("+353861234567").unwrap();
        for spelling in [
            "+353 86 123 4567",
            "00353861234567",
            "+353-86-123-4567",
            "tel:+353-86-123-4567",
            "TEL:+353861234567;ext=2",
            "+353 (0)86 123 4567",
            "353861234567",
            "+353\u{a0}86\u{2011}123 4567",
            "\u{202a}+353 86 123 4567\u{202c}",
            "\u{200e}+353\t86\u{2014}123\u{b7}45_67",
            "\u{ff0b}353 86 123 4567",
            "011 353 86 123 4567",
            "+353 86 123 4567 ext. 5",
            "+353 86 123 4567 x5",
            "(+353)(0)86 123 4567",
            "+353 86 123 4567;",
        ] {
            assert_eq!(Phone::read(spelling).as_ref(), Some(&whole), "{spelling}");
        }
        assert_eq!(whole.nationals(), ["053861234567", "03861234567", "0861234567"]);
        assert_eq!(phone_digits("011 2345 6789"), "01123456789", "a number of Delhi");
        let national = Phone::read("(086) 123-4567").unwrap();
        assert!(national.fits(&whole) && whole.fits(&national) && national.fits(&national));
        assert!(!Phone::read("+353861234568").unwrap().fits(&whole));
        assert!(!Phone::read("861234567").unwrap().fits(&whole), "it is not marked as national");
        for other in ["12345", "ann@example.com", "6a17e5b3c0ffee0000000001", "", "+"] {
            assert_eq!(Phone::read(other), None, "{other}");
        }
    }

    #[test]
    fn all_spellings_of_an_email_address_are_equal() {
        for spelling in [
            "JÖRG@EXÄMPLE.DE",
            "jo\u{308}rg@exa\u{308}mple.de",
            "mailto:j%C3%B6rg@ex%C3%A4mple.de?subject=x",
            "Jörg <jörg@exämple.de>",
            " <JÖRG@exämple.de> ",
            "jörg@exämple.de,",
            "\u{200e}jörg@exämple.de; ",
            "jörg@xn--exmple-cua.de",
        ] {
            assert_eq!(email(spelling).as_deref(), Some("jörg@exämple.de"), "{spelling}");
        }
        for other in ["jörg", "@example.com", "a b@example.com", "a@b@c", "<>", ">", "<"] {
            assert_eq!(email(other), None, "{other}");
        }
        assert_eq!(email_spellings("ann@example.com"), ["ann@example.com"]);
        assert_eq!(email_spellings("Ann@Example.com"), ["ann@example.com", "Ann@Example.com"]);
    }
}
