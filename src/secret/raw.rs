use std::sync::Arc;

use zeroize::Zeroizing;

use super::Credentials;

/// One message as it was on the wire: the head's bytes and what was kept of the body.
#[derive(Default)]
pub struct Wire {
    /// Request line or status line, header lines and the blank line, as sent.
    pub head: Zeroizing<Vec<u8>>,
    /// The first bytes of the body, at most `limits.body_kept`, transfer coding removed.
    pub body: Zeroizing<Vec<u8>>,
    /// How long the body was altogether, in bytes.
    pub body_size: u64,
    /// SHA-256 of the whole body, where it was computed.
    pub body_sha256: Option<[u8; 32]>,
    /// Whether `body` holds all of it.
    pub complete: bool,
}

/// One exchange unmasked. It lives in bounded memory and never reaches a disk; `diagnose`
/// and `replay` read it.
#[derive(Default)]
pub struct Raw {
    /// What the client sent.
    pub received: Wire,
    /// What went upstream, if anything did.
    pub sent: Option<Wire>,
    /// What the client got back.
    pub reply: Option<Wire>,
    /// The credentials that signed what was sent.
    pub signed_with: Option<Arc<Credentials>>,
    /// The credentials behind the client's own signature, where we hold them.
    pub client_credentials: Option<Arc<Credentials>>,
}

impl Raw {
    /// Bytes of heads and bodies, for the memory budget.
    pub fn size(&self) -> usize {
        let of = |wire: &Wire| wire.head.len() + wire.body.len();
        of(&self.received) + self.sent.as_ref().map_or(0, of) + self.reply.as_ref().map_or(0, of)
    }
}
