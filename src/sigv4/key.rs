use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::{digest, hmac};
use aws_sigv4::sign::v4;
use zeroize::Zeroizing;

use super::Scope;
use crate::secret::Credentials;

/// A signing key: good for one day, region and service. No `Debug`; zeroized when dropped.
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// Derives the key of a scope; `None` where the secret is not UTF-8 or the scope's date is
    /// not a day.
    pub fn derive(credentials: &Credentials, scope: &Scope) -> Option<Self> {
        let secret = std::str::from_utf8(credentials.secret_access_key.expose()).ok()?;
        let key = v4::generate_signing_key(secret, scope.day()?, &scope.region, &scope.service);
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(key.as_ref());
        Some(Self(bytes))
    }

    /// The signature of a string to sign: 64 digits of lower-case hex.
    pub fn sign(&self, string_to_sign: &[u8]) -> String {
        v4::calculate_signature(self.0.as_slice(), string_to_sign)
    }
}

/// The signing keys used last. Shared between threads; keys are found by key id, secret and
/// scope, so a changed secret is never answered with an old key.
pub struct KeyCache {
    capacity: usize,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    keys: HashMap<[u8; 32], Slot>,
    uses: u64,
}

struct Slot {
    key: Arc<SigningKey>,
    last_use: u64,
}

impl KeyCache {
    /// A cache of at most `capacity` keys, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            slots: Mutex::default(),
        }
    }

    /// The key of a scope, derived unless it is kept. `None` as in [`SigningKey::derive`].
    pub fn key(&self, credentials: &Credentials, scope: &Scope) -> Option<Arc<SigningKey>> {
        let fingerprint = fingerprint(credentials, scope);
        if let Some(key) = self.slots().find(&fingerprint) {
            return Some(key);
        }
        let key = Arc::new(SigningKey::derive(credentials, scope)?);
        self.slots()
            .keep(fingerprint, Arc::clone(&key), self.capacity);
        Some(key)
    }

    /// How many keys are kept.
    pub fn len(&self) -> usize {
        self.slots().keys.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new(512)
    }
}

impl Slots {
    fn find(&mut self, fingerprint: &[u8; 32]) -> Option<Arc<SigningKey>> {
        self.uses += 1;
        let slot = self.keys.get_mut(fingerprint)?;
        slot.last_use = self.uses;
        Some(Arc::clone(&slot.key))
    }

    fn keep(&mut self, fingerprint: [u8; 32], key: Arc<SigningKey>, capacity: usize) {
        if self.keys.len() >= capacity && !self.keys.contains_key(&fingerprint) {
            let oldest = self.keys.iter().min_by_key(|(_, slot)| slot.last_use);
            if let Some(oldest) = oldest.map(|(fingerprint, _)| *fingerprint) {
                self.keys.remove(&oldest);
            }
        }
        let last_use = self.uses;
        self.keys.insert(fingerprint, Slot { key, last_use });
    }
}

/// What a key is found by, without keeping the secret itself.
fn fingerprint(credentials: &Credentials, scope: &Scope) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [
        credentials.access_key_id.as_bytes(),
        credentials.secret_access_key.expose(),
        scope.date.as_bytes(),
        scope.region.as_bytes(),
        scope.service.as_bytes(),
    ] {
        context.update(&part.len().to_le_bytes());
        context.update(part);
    }
    bytes32(context.finish().as_ref())
}

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// One step of a key derivation.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    bytes32(hmac::sign(&key, data).as_ref())
}

fn bytes32(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let length = bytes.len().min(32);
    out[..length].copy_from_slice(&bytes[..length]);
    out
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)].into());
        out.push(DIGITS[usize::from(byte & 15)].into());
    }
    out
}

/// Whether two signatures are the same, in a time that does not tell where they differ.
pub(crate) fn same_signature(ours: &str, theirs: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(ours.as_bytes(), theirs.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(region: &str) -> Scope {
        Scope {
            date: "20150830".into(),
            region: region.into(),
            service: "iam".into(),
        }
    }

    #[test]
    fn the_cache_is_bounded_and_forgets_the_key_used_longest_ago() {
        let cache = KeyCache::new(2);
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None);
        let first = cache.key(&credentials, &scope("a")).unwrap();
        cache.key(&credentials, &scope("b")).unwrap();
        assert!(Arc::ptr_eq(
            &first,
            &cache.key(&credentials, &scope("a")).unwrap()
        ));
        cache.key(&credentials, &scope("c")).unwrap();
        assert_eq!(cache.len(), 2);
        assert!(Arc::ptr_eq(
            &first,
            &cache.key(&credentials, &scope("a")).unwrap()
        ));
    }

    #[test]
    fn another_secret_under_the_same_key_id_is_another_key() {
        let cache = KeyCache::default();
        let sign = |secret: &str| {
            let credentials = Credentials::new("AKIDEXAMPLE", secret, None);
            cache.key(&credentials, &scope("a")).unwrap().sign(b"text")
        };
        assert_ne!(sign("one"), sign("two"));
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn a_derivation_by_hand_gives_the_same_key() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", secret, None);
        let key = SigningKey::derive(&credentials, &scope("us-east-1")).unwrap();
        let steps = ["20150830", "us-east-1", "iam", "aws4_request"];
        let start = format!("AWS4{secret}").into_bytes();
        let by_hand = steps.iter().fold(start, |key, step| {
            hmac_sha256(&key, step.as_bytes()).to_vec()
        });
        assert_eq!(key.sign(b"text"), hex(&hmac_sha256(&by_hand, b"text")));
    }

    #[test]
    fn a_key_without_a_day_or_a_readable_secret_is_not_made() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None);
        let mut odd = scope("a");
        odd.date = "2015-08-30".into();
        assert!(SigningKey::derive(&credentials, &odd).is_none());
        let binary = Credentials::new("AKIDEXAMPLE", vec![0xff], None);
        assert!(SigningKey::derive(&binary, &scope("a")).is_none());
    }
}
