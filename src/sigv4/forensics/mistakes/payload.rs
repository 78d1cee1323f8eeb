//! The payload line, and bodies that were changed after they were hashed.

use super::super::facts::Facts;
use super::super::recipe::{PayloadLine, part};
use super::super::render::payload_line;
use super::Mistakes;
use super::body::earlier_bodies;
use crate::sigv4::payload::is_sha256_hex;
use crate::sigv4::{EMPTY_SHA256, UNSIGNED_PAYLOAD, sha256_hex};

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    for (label, line) in ways(facts) {
        out.add(label, part::PAYLOAD, move |r| r.payload.line = line.clone());
    }
    let Some(body) = facts.body.filter(|body| sha256_hex(body) == facts.payload) else {
        return;
    };
    for earlier in earlier_bodies(body, facts.text("content-type")) {
        let set = |out: &mut Mistakes| {
            out.add(earlier.label, part::PAYLOAD, move |r| {
                r.payload.body = Some(earlier.body.clone())
            });
        };
        if earlier.alone {
            out.alone(set)
        } else {
            set(out)
        }
    }
}

/// What makes a declared hash of a body that has another one: every mistake that fits.
pub(in super::super) fn declared_mistakes(facts: &Facts<'_>) -> Vec<&'static str> {
    let (Some(declared), Some(body)) = (facts.declared.as_deref(), facts.body) else {
        return Vec::new();
    };
    if declared == UNSIGNED_PAYLOAD
        || declared.starts_with("STREAMING-")
        || declared == sha256_hex(body)
    {
        return Vec::new();
    }
    if declared == EMPTY_SHA256 {
        return vec!["body-empty-hash-header", "body-changed-hash-header"];
    }
    let mut found: Vec<&'static str> = ways(facts)
        .into_iter()
        .filter(|(_, line)| {
            payload_line(line, body).is_some_and(|made| made == declared.as_bytes())
        })
        .map(|(label, _)| label)
        .collect();
    if is_sha256_hex(declared) {
        let earlier = earlier_bodies(body, facts.text("content-type"));
        let fits = earlier
            .into_iter()
            .filter(|earlier| sha256_hex(&earlier.body) == declared);
        found.extend(fits.map(|earlier| earlier.label));
        found.push("body-changed-hash-header");
    }
    let mut once = Vec::new();
    found.retain(|label| {
        let new = !once.contains(label);
        once.push(*label);
        new
    });
    found
}

/// Wrong ways from a body to its line.
fn ways(facts: &Facts<'_>) -> Vec<(&'static str, PayloadLine)> {
    let declared = facts.declared.as_deref();
    let unsigned = match declared {
        _ if facts.presigned && !facts.s3 => "presign-unsigned-payload-other",
        Some(_) => "payload-header-hash-unsigned-signed",
        None if facts.has_body() => "payload-unsigned-literal",
        None => "payload-unsigned-literal-nobody",
    };
    let empty = if facts.presigned && facts.s3 {
        "presign-empty-hash-s3"
    } else {
        "payload-empty-hash"
    };
    let hashes_empty =
        facts.presigned && facts.s3 || facts.has_body() || facts.payload != UNSIGNED_PAYLOAD;
    let mut ways = vec![
        (unsigned, PayloadLine::Literal(UNSIGNED_PAYLOAD)),
        ("payload-blank", PayloadLine::Literal("")),
    ];
    if hashes_empty {
        ways.push((empty, PayloadLine::Literal(EMPTY_SHA256)));
    }
    let query = facts.query.clone().unwrap_or_default();
    for text in [
        "null",
        "{}",
        "undefined",
        "\"\"",
        "[]",
        "None",
        "nil",
        "false",
        "\"null\"",
        "\"{}\"",
        "''",
    ] {
        ways.push((
            "payload-null-string",
            PayloadLine::HashOf(text.as_bytes().to_vec()),
        ));
    }
    if !query.is_empty() {
        let canonical = super::super::render::query(&Default::default(), facts);
        let marked = [&b"?"[..], &query].concat();
        for text in [query, canonical, marked] {
            ways.push(("payload-query-string-hashed", PayloadLine::HashOf(text)));
        }
    }
    let Some(body) = facts.body else { return ways };
    if facts.payload == UNSIGNED_PAYLOAD && (facts.has_body() || !facts.presigned) {
        ways.push(("payload-header-unsigned-hash-signed", PayloadLine::BodyHash));
    }
    // A declared hash that is not the body's, beside a line that is.
    if declared.is_some_and(|hash| is_sha256_hex(hash) && hash != sha256_hex(body)) {
        let empty = declared == Some(EMPTY_SHA256);
        let label = if empty {
            "body-empty-hash-header"
        } else {
            "body-changed-hash-header"
        };
        ways.push((label, PayloadLine::BodyHash));
    }
    ways.extend([
        ("payload-raw-body", PayloadLine::Body),
        ("payload-md5", PayloadLine::Md5),
        ("payload-sha1", PayloadLine::Sha1),
        ("payload-hash-uppercase", PayloadLine::Upper),
        ("payload-hash-base64", PayloadLine::Base64),
        ("payload-double-hash", PayloadLine::Twice),
    ]);
    if !body.is_ascii() {
        ways.push(("payload-latin1", PayloadLine::Latin1));
    }
    if !body.is_empty() {
        ways.push(("payload-utf16le", PayloadLine::Utf16));
    }
    ways
}
