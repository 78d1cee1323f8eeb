//! Which mistake gives the signature that was sent? A program made it from a secret, a request
//! and a clock; we hold the secret and the bytes. Variants of the steps of signing are tried,
//! alone and in pairs, until that very signature comes out: then the cause is computed, with
//! HMAC-SHA256 as its proof, not guessed.
//!
//! ```text
//! Case ─► claim ─► facts ──► declared      what the request itself contradicts
//!                    │
//!                    ├─► mistakes ─► recipe ─► render ─► signature
//!                    └─► search ◄──────────────────────────┘
//! ```
//!
//! Pure: bytes in, an account out. A mistake sets a few fields of a `Recipe`, the
//! one list of everything that a signer decides; a new one is a line in `mistakes/` and a row
//! in `labels.tsv`. The match proves *what* was signed, not who changed it.

mod claim;
mod declared;
mod facts;
mod label;
mod mistakes;
mod recipe;
mod render;
mod search;
mod signature;
mod text;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

pub use claim::Claim;
pub use label::Label;

use self::facts::Facts;
use self::search::{Found, Search};
use super::{Header, Rules};
use crate::secret::Credentials;

/// How many strings are tried at most.
pub const EVALUATIONS: u64 = 200_000;

/// A signed request and the credentials that are held for its key id.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// As sent.
    pub method: &'a str,
    /// As sent: `/path?query`, or absolute.
    pub target: &'a [u8],
    /// As sent, in order.
    pub headers: &'a [Header<'a>],
    /// All of it; `None` where it is not known.
    pub body: Option<&'a [u8]>,
    /// Where only its hash is known.
    pub body_sha256: Option<&'a str>,
    /// The secret, and the token where one is held. Without a secret only what the request
    /// itself contradicts can be told.
    pub credentials: Option<&'a Credentials>,
    /// When the request arrived; without it no clock is judged.
    pub received_at: Option<SystemTime>,
    /// Of the reply: it may tell a range that was taken away.
    pub content_range: Option<&'a str>,
}

/// How far to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One mistake.
    Singles,
    /// Two at once, where one alone explains nothing.
    Pairs,
}

/// What part a cause plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is why; two of them are a pair.
    Cause,
    /// It gives the same bytes.
    Alias,
    /// The wider class of a cause, or a label that fits in a wider reading only.
    Note,
}

/// One mistake that is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What it is called.
    pub label: &'static Label,
    /// What part it plays.
    pub part: Part,
    /// What it rests on. It quotes the request: to be masked.
    pub evidence: Vec<String>,
    /// It follows from the request alone, not from its signature.
    pub declared: bool,
}

/// What a search found out.
pub struct Report {
    /// The signature is the right one for what was sent, by the scope that is declared.
    pub valid: bool,
    /// Mistakes, likeliest first.
    pub causes: Vec<Cause>,
    /// The signature is not valid, and a search that was not stopped tells not why.
    pub undetermined: bool,
    /// The region of the host, where it tells one.
    pub region: Option<String>,
    /// Signed names that are not among the headers.
    pub absent: Vec<String>,
    /// Strings that were tried.
    pub evaluations: u64,
    /// Pairs were tried.
    pub pairs: bool,
    /// The canonical request that AWS computes. It may hold a session token.
    pub canonical_request: zeroize::Zeroizing<Vec<u8>>,
    /// The string to sign that AWS computes.
    pub string_to_sign: String,
    /// The signature that AWS computes, for the scope that is declared; empty without a secret.
    pub signature: String,
    /// The signed names as AWS sorts them.
    pub signed_headers: Vec<String>,
}

/// Verifies a claim, and if it is wrong searches for what gives its signature.
///
/// `stop` ends the search early; so does [`EVALUATIONS`].
pub fn investigate(case: &Case<'_>, claim: Claim, depth: Depth, stop: &AtomicBool) -> Report {
    let secret = case.credentials.map(|held| held.secret_access_key.expose());
    let mut facts = Facts::new(case, claim);
    let sent = signature::read(&facts.claim.signature);
    let mut right = Right::of(&facts, secret);
    let verifies = |right: &Right| {
        sent.as_ref()
            .is_some_and(|(bytes, _)| signature::same(&right.signature, bytes))
            && secret.is_some()
    };
    let mut matches = verifies(&right);
    if !matches && facts.rules != Rules::for_signing_name(&facts.claim.service) {
        // A wrong service in the scope brings the rules of that service with it.
        let by_host = std::mem::replace(
            &mut facts.rules,
            Rules::for_signing_name(&facts.claim.service),
        );
        let by_scope = Right::of(&facts, secret);
        matches = verifies(&by_scope);
        if matches {
            right = by_scope;
        } else {
            facts.rules = by_host;
        }
    }
    let mut causes = Vec::new();
    for found in declared::declared(&facts, case.received_at) {
        add(
            &mut causes,
            Part::Cause,
            &found.codes,
            &found.evidence,
            true,
        );
        add_notes(&mut causes, found.wider.as_slice(), true);
    }
    let form = sent.as_ref().and_then(|(_, form)| *form);
    let mut found = Found::default();
    if let (Some((bytes, _)), Some(credentials), false) = (&sent, case.credentials, matches) {
        let search = Search::new(&facts, credentials, bytes, EVALUATIONS, stop);
        found = search.run(depth == Depth::Pairs);
    }
    let proved = matches || !found.matches.is_empty();
    for (number, found) in found.matches.iter().enumerate() {
        // A further match is another name of the first one.
        let part = if number == 0 {
            Part::Cause
        } else {
            Part::Alias
        };
        for (codes, evidence) in found.codes.iter().zip(&found.evidence) {
            add(&mut causes, part, &codes.same, evidence, false);
        }
    }
    for found in &found.matches {
        for codes in &found.codes {
            add_notes(&mut causes, &codes.wider, false);
        }
    }
    if let (Some(code), true) = (form, proved) {
        add(&mut causes, Part::Cause, &[code], &[], false);
    }
    Report {
        valid: matches && form.is_none() && facts.claim.unescaped.is_none(),
        undetermined: !proved && secret.is_some() && !stop.load(Ordering::Relaxed),
        absent: facts.absent(),
        region: facts.at.as_ref().and_then(|at| at.region.clone()),
        causes,
        evaluations: found.evaluations,
        pairs: found.pairs,
        canonical_request: right.canonical,
        string_to_sign: right.string_to_sign,
        signature: right.signature,
        signed_headers: facts.signed,
    }
}

/// The first code plays `part`, the others are aliases.
fn add(
    causes: &mut Vec<Cause>,
    part: Part,
    codes: &[&'static str],
    evidence: &[String],
    declared: bool,
) {
    let mut part = part;
    for label in codes.iter().filter_map(|code| Label::find(code)) {
        if causes.iter().all(|cause| cause.label != label) {
            causes.push(Cause {
                label,
                part,
                evidence: evidence.to_vec(),
                declared,
            });
        }
        part = Part::Alias;
    }
}

/// Wider classes of what is there, or wider readings.
fn add_notes(causes: &mut Vec<Cause>, codes: &[&'static str], declared: bool) {
    for label in codes.iter().filter_map(|code| Label::find(code)) {
        if causes.iter().all(|cause| cause.label != label) {
            causes.push(Cause {
                label,
                part: Part::Note,
                evidence: Vec::new(),
                declared,
            });
        }
    }
}

/// What AWS computes.
struct Right {
    canonical: zeroize::Zeroizing<Vec<u8>>,
    string_to_sign: String,
    signature: String,
}

impl Right {
    fn of(facts: &Facts<'_>, secret: Option<&[u8]>) -> Self {
        let recipe = recipe::Recipe::default();
        let parts = render::Parts::of(&recipe, facts);
        let canonical = render::assemble(&render::PartsRef::of(&parts), recipe.assembly);
        let hash = super::sha256_hex(&canonical);
        let string = render::string_to_sign(&recipe.sts, facts, &canonical, &hash);
        let sign = |secret| {
            signature::Mac::new(signature::derive(&recipe.key, secret, &facts.claim)).sign(&string)
        };
        Self {
            signature: secret.map(sign).unwrap_or_default(),
            canonical: canonical.into(),
            string_to_sign: String::from_utf8_lossy(&string).into_owned(),
        }
    }
}
