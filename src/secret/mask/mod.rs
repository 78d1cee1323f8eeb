//! The one way by which bytes of the wire become text for a screen, a file or a clipboard.
//!
//! ```text
//! head, target, canonical ── place ──┐
//! body ── decode ── JSON, XML, form ─┤ edits ── by value ── applied once
//! any other text ────────────────────┘
//! ```
//!
//! Hidden are credentials and signatures: by place (a header, a parameter, a member of a known
//! name), by form (key ids, tokens, private keys, signed URLs) and every value that was
//! [learned](Masker::learn), in whatever encoding it stands. Everything else stays byte for
//! byte. There is no way back from a mask to its value.

mod assign;
mod body;
mod decode;
mod detect;
mod edits;
mod events;
mod form;
mod json;
mod known;
mod names;
mod place;
mod render;
mod views;
mod xml;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use serde::{Deserialize, Serialize};

pub use crate::aws::sensitive::Side;

use super::{Credentials, Secret};
use edits::Edits;
use known::Known;

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

/// What is hidden beside credentials, and how far bodies are unfolded.
#[derive(Clone, Debug)]
pub struct Options {
    /// Hide the caller's data too: items, messages, prompts, objects.
    pub payloads: bool,
    /// Most bytes that a content coding may unfold to.
    pub decoded_limit: usize,
}

/// What a learned value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A secret access key: 40 characters.
    SecretKey,
    /// The token of temporary credentials.
    SessionToken,
    /// Any other token.
    Token,
    /// A password.
    Password,
}

impl Kind {
    fn label(self) -> (&'static str, Option<usize>) {
        match self {
            Self::SecretKey => ("secret", Some(40)),
            Self::SessionToken => ("session token", None),
            Self::Token => ("token", None),
            Self::Password => ("password", None),
        }
    }
}

/// Text with its secrets hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// Fit for every eye.
    pub text: String,
    /// How many places were hidden.
    pub count: u32,
}

/// What is known of a message when its body is masked.
#[derive(Clone, Copy, Debug)]
pub struct BodyContext<'a> {
    /// botocore's directory name or the service id.
    pub service: Option<&'a str>,
    /// Bare: `GetSecretValue`.
    pub operation: Option<&'a str>,
    /// Which way it goes.
    pub side: Side,
    /// The reply's status is 400 or above: an error, not the operation's output.
    pub failed: bool,
    /// The request target, of a request and of its reply.
    pub target: Option<&'a [u8]>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Content-Encoding` header.
    pub content_encoding: Option<&'a str>,
    /// `x-amz-content-sha256` begins with `STREAMING-`: the body is framed as `aws-chunked`
    /// even if the content coding does not say so.
    pub aws_chunked: bool,
    /// Bytes of the whole body.
    pub size: u64,
    /// Whether the bytes at hand are all of it.
    pub complete: bool,
    /// Of the whole body, where it was computed.
    pub sha256: Option<[u8; 32]>,
}

impl Default for BodyContext<'_> {
    fn default() -> Self {
        Self {
            service: None,
            operation: None,
            side: Side::Request,
            failed: false,
            target: None,
            content_type: None,
            content_encoding: None,
            aws_chunked: false,
            size: 0,
            complete: true,
            sha256: None,
        }
    }
}

/// Header values that hold nothing to hide, by name. Forgotten whenever a value is learned.
#[derive(Default)]
struct Innocents {
    by_name: HashMap<String, HashSet<Vec<u8>>>,
    count: usize,
}

impl Innocents {
    /// Most values kept; then it starts anew, since some come only once.
    const MOST: usize = 1024;
    /// The longest value kept, in bytes.
    const LONGEST: usize = 256;

    fn clear(&mut self) {
        self.by_name.clear();
        self.count = 0;
    }
}

/// Hides credentials. Made once, shared by all tasks; the salt of its fingerprints is random
/// per process and never stored, so that equal values can be seen to be equal but not guessed.
pub struct Masker {
    salt: aws_lc_rs::hmac::Key,
    options: Options,
    known: RwLock<Known>,
    innocent: Mutex<Innocents>,
}

impl Masker {
    /// A masker that knows no values yet.
    pub fn new(salt: [u8; 32], options: Options) -> Self {
        Self {
            salt: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &salt),
            options,
            known: RwLock::default(),
            innocent: Mutex::default(),
        }
    }

    /// From now on hides the value wherever it occurs, plain, escaped, in hex or base64.
    /// `origin` (`profile prod`, `AssumeRole #42`) is shown beside the mask.
    ///
    /// A value below 8 bytes is hidden by place only: searched for, it would hide innocent
    /// text everywhere and be told by what it hides.
    pub fn learn(&self, value: &Secret, kind: Kind, origin: &str) {
        self.learn_one(value, kind, origin, false);
    }

    /// Learns both secret halves. Temporary credentials are bounded in number: the oldest are
    /// forgotten.
    pub fn learn_credentials(&self, credentials: &Credentials, origin: &str) {
        let vended = credentials.session_token.is_some();
        self.learn_one(
            &credentials.secret_access_key,
            Kind::SecretKey,
            origin,
            vended,
        );
        if let Some(token) = &credentials.session_token {
            self.learn_one(token, Kind::SessionToken, origin, vended);
        }
    }

    /// Forgets what was learned from there and nowhere else.
    pub fn forget(&self, origin: &str) {
        let origin = form::harmless(origin);
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .forget(&origin);
    }

    /// Any other text: error messages, findings, log lines.
    pub fn text(&self, text: &str) -> String {
        self.finish(text, Edits::default()).text
    }

    fn learn_one(&self, value: &Secret, kind: Kind, origin: &str, vended: bool) {
        let (_, core, _) = form::edges(value.expose_str());
        let core = if core.is_empty() {
            value.expose()
        } else {
            core.as_bytes()
        };
        if core.len() < known::SHORTEST {
            return;
        }
        let origin = form::harmless(origin);
        let print = self.print(core);
        if self.known().has(&print, &origin) {
            return;
        }
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .learn(core, print, kind, &origin, vended);
        self.innocents().clear();
    }

    fn innocents(&self) -> MutexGuard<'_, Innocents> {
        self.innocent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A header that was looked at before and had nothing to hide: most of them come again and
    /// again.
    fn seen_innocent(&self, name: &str, value: &[u8]) -> Option<String> {
        let is_known = self.innocents().by_name.get(name)?.contains(value);
        is_known.then(|| String::from_utf8_lossy(value).into_owned())
    }

    fn keep_innocent(&self, name: &str, value: &[u8]) {
        let mut innocents = self.innocents();
        if value.len() > Innocents::LONGEST {
            return;
        }
        if innocents.count >= Innocents::MOST {
            innocents.clear();
        }
        let is_new = innocents
            .by_name
            .entry(name.to_owned())
            .or_default()
            .insert(value.to_vec());
        innocents.count += usize::from(is_new);
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hides by value what was not hidden by place, and applies it all.
    fn finish(&self, text: &str, mut edits: Edits) -> Masked {
        if !edits.covers_all(text) {
            self.by_value(text, &mut edits);
        }
        if edits.is_empty() {
            return Masked {
                text: text.to_owned(),
                count: 0,
            };
        }
        edits.apply(text)
    }
}
