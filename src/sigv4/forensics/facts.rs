//! What a request shows: the ground on which every mistake is tried.

use super::super::payload::is_unsigned_when_presigned;
use super::super::query::param;
use super::super::rules::is_s3;
use super::super::view::{header, split_target, text_header};
use super::super::{EMPTY_SHA256, Header, Location, Rules, UNSIGNED_PAYLOAD, sha256_hex};
use super::Case;
use super::claim::Claim;
use crate::aws::{self, HostFacts};
use crate::secret::Secret;

/// A request and its claim, read once.
pub(super) struct Facts<'a> {
    pub(super) method: &'a str,
    pub(super) path: Vec<u8>,
    pub(super) query: Option<Vec<u8>>,
    pub(super) headers: &'a [Header<'a>],
    /// `None` where not all of it is known.
    pub(super) body: Option<&'a [u8]>,
    /// The payload line that AWS takes.
    pub(super) payload: String,
    /// `x-amz-content-sha256` as it counts.
    pub(super) declared: Option<String>,
    pub(super) claim: Claim,
    /// Lower case, sorted, each once.
    pub(super) signed: Vec<String>,
    pub(super) rules: Rules,
    pub(super) s3: bool,
    pub(super) presigned: bool,
    pub(super) host: String,
    pub(super) at: Option<HostFacts>,
    /// The session token that is held, as text.
    pub(super) token: Option<&'a str>,
    pub(super) content_range: Option<&'a str>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(case: &Case<'a>, claim: Claim) -> Self {
        let target = claim
            .unescaped
            .as_ref()
            .map_or(case.target, |(_, again)| again);
        let (authority, path, query) = split_target(target);
        let host = text_header(case.headers, "host").map(str::to_owned);
        let host =
            host.or_else(|| authority.map(|name| String::from_utf8_lossy(name).into_owned()));
        let host = host.unwrap_or_default();
        let at = aws::host(&host);
        let service = true_service(at.as_ref(), &claim);
        let mut signed: Vec<String> = claim
            .signed_headers
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect();
        signed.sort();
        signed.dedup();
        let mut facts = Self {
            method: case.method,
            path: path.to_vec(),
            query: query.map(<[u8]>::to_vec),
            headers: case.headers,
            body: case.body,
            payload: String::new(),
            declared: None,
            presigned: claim.location == Location::Query,
            signed,
            rules: Rules::for_signing_name(&service),
            s3: is_s3(&service),
            claim,
            host,
            at,
            token: case
                .credentials
                .and_then(|held| held.session_token.as_ref())
                .map(Secret::expose_str),
            content_range: case.content_range,
        };
        facts.declared = facts.declaration();
        facts.payload = facts
            .declared
            .clone()
            .unwrap_or_else(|| facts.implied(&service, case));
        facts
    }

    /// What the request itself declares about its payload.
    fn declaration(&self) -> Option<String> {
        const NAME: &str = "x-amz-content-sha256";
        let in_header = text_header(self.headers, NAME).map(str::to_owned);
        if !self.presigned {
            return in_header;
        }
        in_header
            .filter(|_| self.claim.signs(NAME))
            .or_else(|| param(self.query.as_deref()?, NAME))
    }

    fn implied(&self, service: &str, case: &Case<'_>) -> String {
        if self.presigned && is_unsigned_when_presigned(service) {
            return UNSIGNED_PAYLOAD.to_owned();
        }
        match (case.body, case.body_sha256) {
            (_, Some(hash)) => hash.to_owned(),
            (Some(body), None) => sha256_hex(body),
            (None, None) => EMPTY_SHA256.to_owned(),
        }
    }

    /// The name of a header as the wire writes it; a declared name's case if it is not there.
    pub(super) fn wire_name(&self, name: &str) -> String {
        let on_wire = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        let declared = || {
            let mut all = self.claim.signed_headers.iter();
            all.find(|other| other.eq_ignore_ascii_case(name)).cloned()
        };
        on_wire
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
            .or_else(declared)
            .unwrap_or_else(|| name.to_owned())
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a [u8]> {
        header(self.headers, name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        text_header(self.headers, name)
    }

    /// Signed names that are not among the headers.
    pub(super) fn absent(&self) -> Vec<String> {
        let gone = |name: &&String| {
            self.value(name).is_none() && (*name != "host" || self.host.is_empty())
        };
        self.signed.iter().filter(gone).cloned().collect()
    }

    /// The host's region, else the scope's.
    pub(super) fn region(&self) -> String {
        let of_host = self.at.as_ref().and_then(|at| at.region.clone());
        of_host.unwrap_or_else(|| self.claim.region.clone())
    }

    pub(super) fn has_body(&self) -> bool {
        self.body.is_some_and(|body| !body.is_empty())
    }
}

/// The signing name whose rules AWS follows: the host's, where it tells one and the scope's is
/// none of those that answer there.
fn true_service(at: Option<&HostFacts>, claim: &Claim) -> String {
    let scoped = claim.service.to_ascii_lowercase();
    let Some(at) = at else { return scoped };
    let known = at
        .services
        .iter()
        .flat_map(|service| service.signing_names());
    let known: Vec<&str> = known.chain(at.signing_name).collect();
    match known.first() {
        Some(first) if !known.contains(&&*scoped) => (*first).to_owned(),
        _ => scoped,
    }
}
