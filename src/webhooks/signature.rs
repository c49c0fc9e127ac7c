//! Signs and verifies the bodies of notifications.
//!
//! Intercom signs with HMAC-SHA1 and the app's client secret. The comparison takes the same time wherever two signatures
//! differ. A body must be verified as received: parsing and writing it again changes bytes.

use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};

const SCHEME: &str = "sha1=";
const DIGITS: usize = 40;

/// The header of a notification that holds its signature.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature";

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header is missing or empty.
    #[error("the signature is missing: expected the header {SIGNATURE_HEADER}")]
    Missing,
    /// The header is not `sha1=` and 40 hexadecimal digits.
    #[error("malformed signature: expected sha1= and {DIGITS} hexadecimal digits")]
    Malformed,
    /// The body was not signed with this secret.
    #[error("the signature does not match: the body or the client secret differs")]
    Mismatch,
}

/// Checks that a body was signed with the client secret of the app. `signature` is the value of the header
/// [`SIGNATURE_HEADER`], and `body` are the bytes as received.
///
/// ```
/// use intercom::webhooks::{SignatureError, sign, verify};
///
/// let body = br#"{"type":"notification_event","topic":"ping"}"#;
/// let header = sign("client-secret", body);
/// assert_eq!(verify("client-secret", body, &header), Ok(()));
/// assert_eq!(verify("another-secret", body, &header), Err(SignatureError::Mismatch));
/// ```
///
/// # Errors
/// [`SignatureError`]: answer 401.
pub fn verify(client_secret: &str, body: &[u8], signature: &str) -> Result<(), SignatureError> {
    let signature = signature.trim();
    if signature.is_empty() {
        return Err(SignatureError::Missing);
    }
    let tag = signature.strip_prefix(SCHEME).and_then(bytes).ok_or(SignatureError::Malformed)?;
    ring::hmac::verify(&key(client_secret), body, &tag).map_err(|_| SignatureError::Mismatch)
}

/// The value of [`SIGNATURE_HEADER`] for a body, for tests of a receiver.
pub fn sign(client_secret: &str, body: &[u8]) -> String {
    let tag = ring::hmac::sign(&key(client_secret), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{SCHEME}{digits}")
}

fn key(client_secret: &str) -> Key {
    Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, client_secret.as_bytes())
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..DIGITS).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf BODY | openssl dgst -sha1 -hmac SECRET`.
    const VECTORS: [(&str, &[u8], &str); 3] = [
        (
            "e3b0c442-98fc-1c14-9afb-4c8996fb9242",
            br#"{"type":"notification_event","topic":"ping"}"#,
            "sha1=b96b1d7d9a3376fb4c5f4616c73295ad0bab15ca",
        ),
        ("geheím", b"b\xc3\xb6dy \x00\xff", "sha1=0a9818f275367ce1aa82cf4c33b869e38ccc105c"),
        ("k", b"", "sha1=3a84a218ee6665209bb70e84525dd837645a1965"),
    ];

    #[test]
    fn signatures_are_those_of_another_implementation() {
        for (secret, body, signature) in VECTORS {
            assert_eq!(sign(secret, body), signature);
            assert_eq!(verify(secret, body, signature), Ok(()));
            assert_eq!(verify(secret, body, &signature.to_ascii_uppercase().replace("SHA1", "sha1")), Ok(()));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (secret, body, signature) = VECTORS[0];
        for at in 0..body.len() {
            let mut changed = body.to_vec();
            changed[at] ^= 1;
            assert_eq!(verify(secret, &changed, signature), Err(SignatureError::Mismatch));
        }
        for at in SCHEME.len()..signature.len() {
            let digit = if signature.as_bytes()[at] == b'0' { "1" } else { "0" };
            let mut changed = signature.to_owned();
            changed.replace_range(at..=at, digit);
            assert_eq!(verify(secret, body, &changed), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn other_texts_are_not_signatures() {
        let (secret, body, signature) = VECTORS[0];
        let digits = &signature[SCHEME.len()..];
        assert_eq!(verify(secret, body, ""), Err(SignatureError::Missing));
        for text in [
            digits.to_owned(),
            format!("sha256={digits}"),
            format!("{signature}0"),
            "sha1=".into(),
            "sha1=ü".into(),
        ] {
            assert_eq!(verify(secret, body, &text), Err(SignatureError::Malformed), "{text}");
        }
    }
}
