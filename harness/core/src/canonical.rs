//! Canonical JSON (RFC 8785) and the hashes taken over it.
//!
//! Keys are sorted by the canonical form itself, never left to the map type: `serde_json`'s feature
//! `preserve_order`, switched on by any crate of the build, would change every hash.

use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A value that has no canonical form (a NaN, a map with keys that are not strings).
#[derive(Debug, thiserror::Error)]
#[error("no canonical JSON form: {0}")]
pub struct CanonicalError(#[from] serde_json::Error);

/// The canonical JSON bytes of `value`.
///
/// # Errors
/// When the value has no JSON form.
pub fn canonical_json<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    // Through the text: a number of 32 bits is the decimal that a file shows, not its 64-bit
    // neighbour, so that whoever reads the file hashes the same.
    let value: serde_json::Value = serde_json::from_slice(&serde_json::to_vec(value)?)?;
    Ok(serde_json_canonicalizer::to_vec(&value)?)
}

/// Lower-case hexadecimal sha256 of the canonical JSON of `value`.
///
/// # Errors
/// When the value has no JSON form.
pub fn canonical_sha256<T: Serialize>(value: &T) -> Result<String, CanonicalError> {
    Ok(sha256_hex(&canonical_json(value)?))
}

/// Lower-case hexadecimal sha256 of `bytes`.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_numbers_are_ecmascript() {
        let value = serde_json::json!({"b": 1.0, "a": [1e21, 0.1, 5e-324], "é": "\u{7f}"});
        let text = String::from_utf8(canonical_json(&value).expect("JSON")).expect("UTF-8");
        assert_eq!(text, "{\"a\":[1e+21,0.1,5e-324],\"b\":1,\"é\":\"\u{7f}\"}");
        assert_eq!(
            canonical_json(&[0.406_f32]).expect("JSON"),
            b"[0.406]",
            "as the file shows it"
        );
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
