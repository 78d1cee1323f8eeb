//! Signature Version 4 over the wire's own bytes. Pure: bytes in, bytes out, time passed in.
//!
//! ```text
//! RequestView ─► path · query · headers ─► Canonical ─► string to sign ─► signature
//!      ▲                                                     │                │
//!      └── client_auth: what the client claims ──► verify ◄──┘    sign_headers · presign
//!                                                                      │
//!                                        ChunkResigner ◄── ChunkSeed ──┘
//! ```
//!
//! Every step is a function of its own and every string between two steps can be reached, so
//! that a difference can be pinned to the step that made it. Key derivation and the MAC are
//! `aws-sigv4`'s; its own `sign` is the [`second_opinion`].
//!
//! Where to add: what a service does differently, in [`Rules`]; a header that is or is not
//! signed, in `select`; a form of authentication that is recognised, in `client`.

mod canonical;
mod chunk;
mod client;
mod escape;
pub mod forensics;
mod headers;
mod key;
mod opinion;
mod path;
mod payload;
mod query;
mod rules;
mod scope;
mod select;
mod sign;
mod strip;
mod verify;
mod view;

pub use canonical::{Canonical, canonicalise, string_to_sign};
pub use chunk::{BadChunk, ChunkError, ChunkReport, ChunkResigner, ChunkSeed};
pub use client::{ClientAuth, Location, SigV4Auth, SigV4aAuth, client_auth};
pub(crate) use escape::encode;
pub use headers::{canonical_headers, canonical_value};
pub use key::{KeyCache, SigningKey, hmac_sha256, sha256_hex};
pub use opinion::{Opinion, second_opinion};
pub use path::canonical_path;
pub use payload::{
    EMPTY_SHA256, PayloadMode, UNSIGNED_PAYLOAD, declared_payload, payload_mode, presigned_payload,
};
pub use query::canonical_query;
pub(crate) use query::param as query_param;
pub use rules::{Rules, TokenName};
pub use scope::{AmzDate, Scope};
pub use select::signed_names;
pub use sign::{SignError, Signed, SigningInput, presign, sign_headers};
pub use strip::{AUTH_HEADERS, AUTH_PARAMS, is_auth_header, strip_auth_params};
pub use verify::{Checked, Hint, Verdict, VerifyInput, verify};
pub use view::{Header, RequestView, host_value};

/// The algorithm of every signature that is made here.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
