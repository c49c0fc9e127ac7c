//! The access token. It leaves this type only through [`Token::expose`], which the transport calls to
//! fill a header and the configuration to save it; printing a token in any way shows a mask.

use std::borrow::Cow;
use std::fmt;

const MASK: &str = "****";
const BEARER: &str = "bearer ";

/// An access token, known to fit into a header.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text cannot be an access token. Never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the access token is empty")]
    Empty,
    #[error("the access token has white space inside: was more than the token copied?")]
    WhiteSpace,
    #[error("the access token has characters that no token has: only visible ASCII is possible")]
    NotAscii,
}

impl Token {
    /// Takes a token as people paste it: surrounding white space and a leading `Bearer ` are dropped.
    ///
    /// # Errors
    /// When what remains is empty or has characters other than visible ASCII.
    pub fn new(text: impl AsRef<str>) -> Result<Self, TokenError> {
        let text = text.as_ref().trim();
        let scheme = text.get(..BEARER.len()).filter(|start| start.eq_ignore_ascii_case(BEARER));
        let token = text[scheme.map_or(0, str::len)..].trim();
        if token.is_empty() || token.eq_ignore_ascii_case(BEARER.trim()) {
            return Err(TokenError::Empty);
        }
        if token.contains(char::is_whitespace) {
            return Err(TokenError::WhiteSpace);
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::NotAscii);
        }
        Ok(Token(token.to_owned()))
    }

    /// The token itself. Whoever calls this must neither print nor log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with every occurrence of the token masked.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match text.contains(&self.0) {
            true => Cow::Owned(text.replace(&self.0, MASK)),
            false => Cow::Borrowed(text),
        }
    }
}

/// `****` and, of a token long enough to keep its secret, the last four characters.
impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = match self.0.len() {
            ..=12 => "",
            length => &self.0[length - 4..],
        };
        write!(formatter, "{MASK}{tail}")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_token_is_cleaned() {
        for text in ["dG9rOjEyMzQ1Njc4OTA=", "  dG9rOjEyMzQ1Njc4OTA=\n", "Bearer dG9rOjEyMzQ1Njc4OTA="] {
            assert_eq!(Token::new(text).unwrap().expose(), "dG9rOjEyMzQ1Njc4OTA=");
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        assert_eq!(Token::new(" \n").unwrap_err(), TokenError::Empty);
        assert_eq!(Token::new("Bearer ").unwrap_err(), TokenError::Empty);
        assert_eq!(Token::new("two words").unwrap_err(), TokenError::WhiteSpace);
        assert_eq!(Token::new("tokén").unwrap_err(), TokenError::NotAscii);
        assert_eq!(Token::new("to\u{0}ken").unwrap_err(), TokenError::NotAscii);
    }

    #[test]
    fn printing_masks_it() {
        let long = Token::new("dG9rOjEyMzQ1Njc4OTA=").unwrap();
        assert_eq!(format!("{long} {long:?}"), "****OTA= Token(****OTA=)");
        assert_eq!(Token::new("short-secret").unwrap().to_string(), "****");
        assert_eq!(long.redact("token dG9rOjEyMzQ1Njc4OTA= is bad"), "token **** is bad");
    }
}
