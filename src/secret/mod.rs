//! What must not be seen, and the one place that hides it.
//!
//! ```text
//! Secret, Credentials   the values themselves: no Debug, no Display, no Serialize, zeroized
//! Raw                   one exchange as it was on the wire: memory only, bounded
//! Masker                Raw in, text fit for a screen, a file or a clipboard out
//! ```
//!
//! Everything above this room sees what the [`Masker`](mask::Masker) lets through. Only
//! `profile`, `sigv4`, `diagnose`, `replay` and the sign and forward steps may call
//! [`Secret::expose`].

pub mod mask;

mod raw;

pub use raw::{Raw, Wire};

use std::time::SystemTime;

use zeroize::Zeroizing;

/// Bytes that nobody may print: a secret access key, a session token, a password.
///
/// There is deliberately no `Debug`, `Display`, `Serialize` or `Clone`; share one through
/// an `Arc`. The memory is overwritten when the value is dropped.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the bytes, so that no copy stays behind.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves. Callers are the rooms named in the module's documentation.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, or the empty string where they are not UTF-8.
    pub fn expose_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A key pair, with its session token when it is temporary.
pub struct Credentials {
    /// The public half: `AKIA…` long-lived, `ASIA…` temporary, `SIGSCOPE…` a lane of ours.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: Secret,
    /// Present for temporary credentials.
    pub session_token: Option<Secret>,
    /// When AWS stops accepting them; `None` for long-lived keys.
    pub expires_at: Option<SystemTime>,
}

impl Credentials {
    /// Long-lived credentials, or temporary ones whose end is not known.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<Vec<u8>>,
        session_token: Option<Vec<u8>>,
    ) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: Secret::new(secret_access_key),
            session_token: session_token.map(Secret::new),
            expires_at: None,
        }
    }
}
