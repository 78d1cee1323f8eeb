use serde::Deserialize;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Every bound in the program, under `[limits]` of the configuration file. Sizes are bytes,
/// waits are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest request head; HTTP 431 above it.
    pub head: usize,
    /// Largest body that is buffered to be hashed; HTTP 413 above it.
    pub buffered_body: usize,
    /// All buffered bodies together; HTTP 413 above it.
    pub buffered_total: usize,
    /// Largest signed chunk of an `aws-chunked` upload.
    pub signed_chunk: usize,
    /// How much of each body is kept in the record.
    pub body_kept: usize,
    /// How many exchanges keep a row in the list.
    pub rows: usize,
    /// Memory for the heads and bodies of the newest exchanges.
    pub kept_total: usize,
    /// Memory for the unmasked originals that replay and diagnosis read.
    pub raw_total: usize,
    /// Bytes that wait to be recorded.
    pub record_queue: usize,
    /// Most bytes that a content coding may unfold to when shown.
    pub decoded_body: usize,
    /// Connections at once; further ones wait.
    pub connections: usize,
    /// Idle upstream connections kept per host.
    pub idle_upstream: usize,
    /// Sessions handed out through us that are remembered.
    pub vended_sessions: usize,
    /// Waiting for a request's head.
    pub head_ms: u64,
    /// Waiting for the next byte of a client's body.
    pub client_idle_ms: u64,
    /// Opening a connection upstream, with TLS.
    pub connect_ms: u64,
    /// Waiting for the head of the reply.
    pub reply_ms: u64,
    /// Waiting for the next byte of a reply's body.
    pub upstream_idle_ms: u64,
    /// Getting credentials, all hops together.
    pub credentials_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 256 * KIB,
            buffered_body: 64 * MIB,
            buffered_total: 256 * MIB,
            signed_chunk: 8 * MIB,
            body_kept: MIB,
            rows: 100_000,
            kept_total: 256 * MIB,
            raw_total: 32 * MIB,
            record_queue: 64 * MIB,
            decoded_body: 16 * MIB,
            connections: 1024,
            idle_upstream: 128,
            vended_sessions: 1000,
            head_ms: 30_000,
            client_idle_ms: 60_000,
            connect_ms: 10_000,
            reply_ms: 300_000,
            upstream_idle_ms: 300_000,
            credentials_ms: 30_000,
        }
    }
}
