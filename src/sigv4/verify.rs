use std::time::{Duration, SystemTime};

use super::key::same_signature;
use super::payload::is_sha256_hex;
use super::rules::is_s3;
use super::select::has_amz_prefix;
use super::{
    ALGORITHM, AmzDate, Canonical, ChunkSeed, KeyCache, Location, RequestView, Rules, SigV4Auth,
    canonicalise, string_to_sign,
};
use crate::secret::Credentials;

/// Whether a client's signature is the one that AWS computes.
pub enum Verdict {
    /// It is. The hints may still tell why AWS refuses the request.
    Valid(Checked),
    /// It is not.
    Invalid(Checked),
    /// It cannot be told; the text says for want of what.
    Undetermined(&'static str),
}

impl Verdict {
    /// Whether the signature is right.
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Valid(_))
    }

    /// What was computed, unless nothing could be.
    pub fn checked(&self) -> Option<&Checked> {
        match self {
            Self::Valid(checked) | Self::Invalid(checked) => Some(checked),
            Self::Undetermined(_) => None,
        }
    }
}

/// What AWS computes for a request. It holds a valid signature: no `Debug`.
pub struct Checked {
    /// 64 digits of lower-case hex.
    pub expected_signature: String,
    /// The canonical request and its parts.
    pub canonical: Canonical,
    /// What the expected signature is over.
    pub string_to_sign: String,
    /// What the request itself says is wrong with it, without any search.
    pub hints: Vec<Hint>,
    seed: Option<ChunkSeed>,
}

impl Checked {
    /// The client's own seed, for checking the signatures of its chunks; once.
    pub fn take_chunk_seed(&mut self) -> Option<ChunkSeed> {
        self.seed.take()
    }
}

/// A contradiction inside a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Named in the signed headers, not among the headers.
    SignedHeaderAbsent(String),
    /// The signed headers are not lower case, sorted and each once.
    SignedHeadersUnordered,
    /// `host` is not signed.
    HostUnsigned,
    /// An `x-amz-*` header that is not signed where it has to be.
    AmzHeaderUnsigned(String),
    /// `x-amz-content-sha256` is a hash, but not that of the body.
    PayloadHashDiffers,
    /// `X-Amz-Date` is not `yyyymmddThhmmssZ`.
    DateMalformed,
    /// The scope's date is not the first eight digits of `X-Amz-Date`.
    ScopeDateDiffers,
    /// The signature is not 64 digits of lower-case hex.
    SignatureForm,
    /// Presigned without `X-Amz-Expires`, or with one outside 1 to 604800 seconds.
    ExpiresOutOfRange,
    /// The presigned URL's time was over, since so many seconds.
    Expired(u64),
}

/// A client's signature and what it is judged by.
#[derive(Clone, Copy)]
pub struct VerifyInput<'a> {
    /// The request as it arrived; its payload is the line from
    /// [`declared_payload`](super::declared_payload).
    pub view: RequestView<'a>,
    /// The claim.
    pub auth: &'a SigV4Auth,
    /// The credentials that are held for its key id.
    pub credentials: &'a Credentials,
    /// Usually those of the scope's service.
    pub rules: Rules,
    /// What the body's hash really is, where it is known. Only for the hints.
    pub body_sha256: Option<&'a str>,
    /// The instant against which an expiry is judged. Only for the hints.
    pub now: Option<SystemTime>,
}

impl<'a> VerifyInput<'a> {
    /// By the rules of the scope's service, without body hash and instant.
    pub fn new(view: RequestView<'a>, auth: &'a SigV4Auth, credentials: &'a Credentials) -> Self {
        Self {
            view,
            auth,
            credentials,
            rules: Rules::for_signing_name(&auth.scope.service),
            body_sha256: None,
            now: None,
        }
    }
}

/// Verifies a client's signature with the secret that is held for its key id, canonicalising
/// as the client declares.
pub fn verify(input: &VerifyInput<'_>, cache: &KeyCache) -> Verdict {
    let VerifyInput { view, auth, .. } = input;
    let Some(amz_date) = auth.amz_date.as_deref() else {
        return Verdict::Undetermined("there is neither X-Amz-Date nor a Date that can be read");
    };
    if auth.scope.day().is_none() {
        return Verdict::Undetermined("the date of the credential scope is not a day");
    }
    let Some(key) = cache.key(input.credentials, &auth.scope) else {
        return Verdict::Undetermined("the secret access key is not text");
    };
    let canonical = canonicalise(view, input.rules, &auth.signed_headers);
    let string_to_sign = string_to_sign(ALGORITHM, amz_date, &auth.scope, &canonical);
    let expected_signature = key.sign(string_to_sign.as_bytes());
    let is_valid = same_signature(&expected_signature, &auth.signature);
    let mut hints = declaration_hints(input, &canonical);
    hints.extend(time_hints(auth, amz_date, input.now));
    hints.extend(payload_hint(view, input.body_sha256));
    let checked = Checked {
        expected_signature,
        canonical,
        string_to_sign,
        hints,
        seed: Some(ChunkSeed::new(key, amz_date, &auth.scope, &auth.signature)),
    };
    if is_valid {
        Verdict::Valid(checked)
    } else {
        Verdict::Invalid(checked)
    }
}

fn declaration_hints(input: &VerifyInput<'_>, canonical: &Canonical) -> Vec<Hint> {
    let VerifyInput { view, auth, .. } = input;
    let mut hints = Vec::new();
    if !is_sha256_hex(&auth.signature) {
        hints.push(Hint::SignatureForm);
    }
    if auth.signed_headers.join(";") != canonical.signed_headers() {
        hints.push(Hint::SignedHeadersUnordered);
    }
    if !auth.signs("host") && !auth.signs(":authority") {
        hints.push(Hint::HostUnsigned);
    }
    for name in canonical.signed_headers().split(';') {
        let is_there = view.has(name) || (name == "host" && view.authority().is_some());
        if !is_there {
            hints.push(Hint::SignedHeaderAbsent(name.to_owned()));
        }
    }
    hints.extend(unsigned_amz_headers(input));
    hints
}

/// S3 wants all of them to be signed, others at least the session token.
fn unsigned_amz_headers(input: &VerifyInput<'_>) -> impl Iterator<Item = Hint> {
    let VerifyInput {
        view, auth, rules, ..
    } = *input;
    let all = is_s3(&auth.scope.service);
    view.headers.iter().filter_map(move |(name, _)| {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        let wanted = (all && has_amz_prefix(name.as_bytes()))
            || (rules.token_signed && name == rules.token_name.header());
        (wanted && !auth.signs(&name)).then_some(Hint::AmzHeaderUnsigned(name))
    })
}

fn time_hints(auth: &SigV4Auth, amz_date: &str, now: Option<SystemTime>) -> Vec<Hint> {
    let mut hints = Vec::new();
    let signed_at = AmzDate::parse(amz_date);
    if signed_at.is_none() {
        hints.push(Hint::DateMalformed);
    }
    if amz_date.get(..8) != Some(auth.scope.date.as_str()) {
        hints.push(Hint::ScopeDateDiffers);
    }
    if auth.location == Location::Query {
        match auth.expires {
            Some(expires @ 1..=604_800) => {
                hints.extend(signed_at.zip(now).and_then(|(at, now)| {
                    let end = at.checked_add(Duration::from_secs(expires))?;
                    let over = now.duration_since(end).ok()?.as_secs();
                    (over > 0).then_some(Hint::Expired(over))
                }));
            }
            _ => hints.push(Hint::ExpiresOutOfRange),
        }
    }
    hints
}

fn payload_hint(view: &RequestView<'_>, body_sha256: Option<&str>) -> Option<Hint> {
    let body = body_sha256?;
    (is_sha256_hex(view.payload) && view.payload != body).then_some(Hint::PayloadHashDiffers)
}
