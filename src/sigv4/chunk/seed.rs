use std::sync::Arc;

use super::super::{EMPTY_SHA256, Scope, SigningKey};

/// What the signatures of a body's chunks start from: the signing key and the signature of the
/// request's head. No `Debug`.
pub struct ChunkSeed {
    key: Arc<SigningKey>,
    /// `\n`, date, `\n`, scope, `\n`: the same in every string to sign.
    middle: String,
    previous: String,
}

impl ChunkSeed {
    /// From a request's signature and what it was made with.
    pub fn new(key: Arc<SigningKey>, amz_date: &str, scope: &Scope, signature: &str) -> Self {
        Self {
            key,
            middle: format!("\n{amz_date}\n{scope}\n"),
            previous: signature.to_owned(),
        }
    }

    /// The signature of the next chunk, whose data has this SHA-256.
    pub(super) fn chunk(&self, data_sha256: &str) -> String {
        let (middle, previous) = (&self.middle, &self.previous);
        let text =
            format!("AWS4-HMAC-SHA256-PAYLOAD{middle}{previous}\n{EMPTY_SHA256}\n{data_sha256}");
        self.key.sign(text.as_bytes())
    }

    /// The signature of the trailer, whose canonical lines have this SHA-256.
    pub(super) fn trailer(&self, lines_sha256: &str) -> String {
        let (middle, previous) = (&self.middle, &self.previous);
        let text = format!("AWS4-HMAC-SHA256-TRAILER{middle}{previous}\n{lines_sha256}");
        self.key.sign(text.as_bytes())
    }

    /// The next signature goes on from this one.
    pub(super) fn go_on_from(&mut self, signature: String) {
        self.previous = signature;
    }
}
