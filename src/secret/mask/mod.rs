//! The masker. (Being written.)

use serde::{Deserialize, Serialize};

/// A body as the record keeps it: decoded, masked, bounded. One JSON object, every key
/// always present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Bytes on the wire, transfer coding removed, content coding not.
    pub size: u64,
    /// SHA-256 of the whole body in hex; `None` when anything in it was masked or it was
    /// not computed.
    pub sha256: Option<String>,
    /// The `Content-Type` header's value.
    pub content_type: Option<String>,
    /// The body as text: content coding removed, masked.
    pub text: Option<String>,
    /// The body where it is no text and carries no credentials.
    pub base64: Option<String>,
    /// What `text` is, where it is not the bytes themselves: `cbor`, `event-stream`,
    /// `aws-chunked`, `gzip`, … joined with `+`; `omitted` where the body could not be
    /// parsed on an operation that carries credentials.
    pub rendered: Option<String>,
    /// How many of `size` bytes were kept.
    pub kept: u64,
    /// How many places were masked.
    pub masked: u32,
}
