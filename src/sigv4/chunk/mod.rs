//! Signs the chunks of an `aws-chunked` upload anew while it streams.
//!
//! The client's framing stays: the same chunks, sizes and length, only each signature is
//! replaced (S3 API reference, "Signature calculations: transferring payload in multiple
//! chunks", and the same "including trailing headers").

mod frame;
mod resign;
mod seed;

pub use resign::{BadChunk, ChunkReport, ChunkResigner};
pub use seed::ChunkSeed;

/// Why an upload cannot be passed on. Chunks count from 1, offsets are bytes of the encoded
/// body from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The framing is broken.
    #[error("chunk {chunk}, at byte {offset} of the body: {what}")]
    Malformed {
        /// The chunk that was being read.
        chunk: u64,
        /// Where what is wrong begins.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A chunk is larger than what is held in memory.
    #[error(
        "chunk {chunk}, at byte {offset} of the body: {size} bytes, more than the {limit} of limits.signed_chunk"
    )]
    TooLarge {
        /// The chunk that was being read.
        chunk: u64,
        /// Where its header begins.
        offset: u64,
        /// What its header says, in bytes.
        size: u64,
        /// The most that is held.
        limit: usize,
    },
    /// The body ended too early.
    #[error("the body ends inside chunk {chunk}, at byte {offset}")]
    Truncated {
        /// The chunk that was being read.
        chunk: u64,
        /// The length of what came.
        offset: u64,
    },
}
