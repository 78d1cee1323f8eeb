//! What a request claims about its signature, read as leniently as can be: a claim that AWS
//! refuses to read may still have been signed in earnest.

use super::super::query::param;
use super::super::scope::parse_http_date;
use super::super::view::{split_target, text_header, values};
use super::super::{ALGORITHM, AmzDate, Header, Location};
use super::text;

/// A claim of Signature Version 4. It holds a signature: no `Debug`.
pub struct Claim {
    /// Header or query.
    pub location: Location,
    /// The access key id.
    pub access_key_id: String,
    /// The four parts of the scope, as sent.
    pub date: String,
    /// The region.
    pub region: String,
    /// The signing name.
    pub service: String,
    /// Should be `aws4_request`.
    pub terminator: String,
    /// As sent, in order.
    pub signed_headers: Vec<String>,
    /// As sent.
    pub signature: String,
    /// `X-Amz-Date` as sent, or `Date` in that form.
    pub amz_date: String,
    /// `X-Amz-Expires`, as sent.
    pub expires: Option<String>,
    /// The target that it was read from, where that is not the one that was sent, and the
    /// mistake that accounts for it.
    pub(super) unescaped: Option<(&'static str, Vec<u8>)>,
}

impl Claim {
    /// The scope as sent.
    pub fn scope(&self) -> String {
        [&*self.date, &self.region, &self.service, &self.terminator].join("/")
    }

    /// Whether a header is among the signed ones.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers
            .iter()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    }

    /// Reads the claim of a request; the error says what is missing or wrong.
    pub fn read(target: &[u8], headers: &[Header<'_>]) -> Result<Self, &'static str> {
        if let Some(value) = values(headers, "authorization").next()
            && let Ok(value) = std::str::from_utf8(value)
            && let Some(rest) = value.trim().strip_prefix(ALGORITHM)
        {
            return in_header(rest, headers);
        }
        let query = split_target(target).2.ok_or("there is no signature")?;
        let claim = in_query(query, headers);
        if claim.is_ok() {
            return claim;
        }
        for (label, again) in unescaped(target) {
            let query = split_target(&again).2.unwrap_or_default();
            if let Ok(mut read) = in_query(query, headers) {
                read.unescaped = Some((label, again));
                return Ok(read);
            }
        }
        claim
    }
}

/// A target as it was before it was escaped once too often.
fn unescaped(target: &[u8]) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let (html, json) = (
        text::replace(target, b"&amp;", b"&"),
        text::replace(target, b"\\u0026", b"&"),
    );
    let once = text::replace(target, b"%25", b"%");
    let quoted = text::replace(&text::replace(target, b"%26", b"&"), b"%3D", b"=");
    [
        ("presign-html-escaped", html),
        ("presign-html-escaped", json),
        ("presign-credential-double-encoded", once),
        (
            "presign-credential-double-encoded",
            text::replace(&quoted, b"%25", b"%"),
        ),
    ]
    .into_iter()
    .filter(move |(_, again)| again != target)
    .collect::<Vec<_>>()
    .into_iter()
}

fn in_header(rest: &str, headers: &[Header<'_>]) -> Result<Claim, &'static str> {
    let find = |name: &str| {
        let mut parts = rest.split([',', ' ', '\t']);
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let date = match text_header(headers, "x-amz-date") {
        Some(date) => Some(date.to_owned()),
        None => text_header(headers, "date")
            .and_then(parse_http_date)
            .and_then(AmzDate::new)
            .map(|date| date.as_str().to_owned()),
    };
    claim(
        Location::Header,
        find("Credential").ok_or("Credential is missing")?,
        find("SignedHeaders").ok_or("SignedHeaders is missing")?,
        find("Signature").ok_or("Signature is missing")?,
        date.ok_or("there is neither X-Amz-Date nor a Date that can be read")?,
    )
}

fn in_query(query: &[u8], headers: &[Header<'_>]) -> Result<Claim, &'static str> {
    let get = |name: &str| param(query, name);
    if get("X-Amz-Algorithm").is_none_or(|algorithm| algorithm != ALGORITHM) {
        return Err("there is no signature of Signature Version 4");
    }
    let date = get("X-Amz-Date").or_else(|| text_header(headers, "x-amz-date").map(str::to_owned));
    let mut read = claim(
        Location::Query,
        &get("X-Amz-Credential").ok_or("X-Amz-Credential is missing")?,
        &get("X-Amz-SignedHeaders").ok_or("X-Amz-SignedHeaders is missing")?,
        &get("X-Amz-Signature").ok_or("X-Amz-Signature is missing")?,
        date.ok_or("X-Amz-Date is missing")?,
    )?;
    read.expires = get("X-Amz-Expires");
    Ok(read)
}

fn claim(
    location: Location,
    credential: &str,
    signed: &str,
    signature: &str,
    amz_date: String,
) -> Result<Claim, &'static str> {
    let mut parts = credential.rsplitn(5, '/').map(str::to_owned);
    let (Some(terminator), Some(service), Some(region), Some(date), Some(access_key_id)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Err("Credential does not have its five parts");
    };
    Ok(Claim {
        location,
        access_key_id,
        date,
        region,
        service,
        terminator,
        signed_headers: signed
            .split(';')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        signature: signature.to_owned(),
        amz_date,
        expires: None,
        unescaped: None,
    })
}
