//! From a recipe to a signing key, and the last step.

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::key::hex;
use super::super::{hmac_sha256, key::same_signature};
use super::claim::Claim;
use super::recipe::{Derive, KeyRecipe, Last};

/// The bytes of a signing key, of any length.
pub(super) type Key = Zeroizing<Vec<u8>>;

pub(super) fn derive(recipe: &KeyRecipe, secret: &[u8], claim: &Claim) -> Key {
    let secret = recipe
        .secret
        .as_ref()
        .map_or(secret, |other| other.as_slice());
    let prefixed = |prefix: &str| Zeroizing::new([prefix.as_bytes(), secret].concat());
    let (date, region, service) = match &recipe.derive {
        Derive::Date(date) => (date, &claim.region, &claim.service),
        Derive::Region(region) => (&claim.date, region, &claim.service),
        Derive::Service(service) => (&claim.date, &claim.region, service),
        Derive::ServiceFirst => (&claim.date, &claim.service, &claim.region),
        _ => (&claim.date, &claim.region, &claim.service),
    };
    let steps = [date.as_str(), region, service, &claim.terminator];
    let start = match recipe.derive {
        Derive::Prefix(prefix) => prefixed(prefix),
        Derive::Secret => return Zeroizing::new(secret.to_vec()),
        Derive::PrefixedSecret => return prefixed("AWS4"),
        _ => prefixed("AWS4"),
    };
    let mac = |key: &[u8], data: &[u8]| Zeroizing::new(hmac_sha256(key, data).to_vec());
    let in_hex = |key: Key| Zeroizing::new(hex(&key).into_bytes());
    let steps = if recipe.derive == Derive::NoTerminator {
        &steps[..3]
    } else {
        &steps[..]
    };
    let mut key = start;
    for (number, step) in steps.iter().enumerate() {
        key = match recipe.derive {
            Derive::ArgumentsSwapped => mac(step.as_bytes(), &key),
            _ => mac(&key, step.as_bytes()),
        };
        let last = number + 1 == steps.len();
        if recipe.derive == Derive::HexEverywhere
            || (recipe.derive == Derive::HexBetween && !last)
            || (recipe.derive == Derive::HexLast && last)
        {
            key = in_hex(key);
        }
    }
    key
}

/// A key ready for many strings.
pub(super) struct Mac {
    key: Key,
    hmac: hmac::Key,
}

impl Mac {
    pub(super) fn new(key: Key) -> Self {
        Self {
            hmac: hmac::Key::new(hmac::HMAC_SHA256, &key),
            key,
        }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether this string gives these bytes.
    pub(super) fn gives(&self, string: &[u8], last: Last, wanted: &[u8]) -> bool {
        match last {
            Last::Hmac => hmac::sign(&self.hmac, string).as_ref() == wanted,
            Last::HmacSha1 => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.key);
                hmac::sign(&key, string).as_ref() == wanted
            }
            Last::Concatenated => {
                let text = Zeroizing::new([&self.key[..], string].concat());
                digest::digest(&digest::SHA256, &text).as_ref() == wanted
            }
            Last::ArgumentsSwapped => hmac_sha256(string, &self.key) == wanted,
        }
    }

    pub(super) fn sign(&self, string: &[u8]) -> String {
        hex(hmac::sign(&self.hmac, string).as_ref())
    }
}

/// The bytes of a signature as it was sent, and the label of its form where that is odd.
pub(super) fn read(signature: &str) -> Option<(Vec<u8>, Option<&'static str>)> {
    let digits = |text: &str| -> Option<Vec<u8>> {
        let bytes = text.as_bytes();
        bytes
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    };
    if matches!(signature.len(), 40 | 64) && signature.bytes().all(|b| b.is_ascii_hexdigit()) {
        let upper = signature.bytes().any(|b| b.is_ascii_uppercase());
        return Some((digits(signature)?, upper.then_some("sig-uppercase")));
    }
    // In a query a bare `+` may have become a space.
    let bytes = STANDARD.decode(signature.replace(' ', "+")).ok()?;
    if matches!(bytes.len(), 20 | 32) {
        return Some((bytes, Some("sig-base64")));
    }
    let text = String::from_utf8(bytes).ok()?;
    let hexed = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    hexed.then(|| Some((digits(&text)?, Some("sig-base64-of-hex"))))?
}

/// Compared in constant time, for the one comparison that is a verdict.
pub(super) fn same(ours: &str, sent: &[u8]) -> bool {
    same_signature(ours, &hex(sent))
}
