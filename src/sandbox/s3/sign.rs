//! S3's own rules about signatures, on top of what every service checks (S3 API reference,
//! "Authenticating Requests").

use crate::sandbox::body::Plan;
use crate::sandbox::chunked::Signing;
use crate::sandbox::claim::Claim;
use crate::sandbox::errors::{Fault, Shape};
use crate::sandbox::reader::Head;
use crate::sandbox::server::State;
use crate::sandbox::verify::{Expect, Signed};

use super::address::Address;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const HEADER: &str = "x-amz-content-sha256";

/// Who signed the request; `None` for an anonymous one.
pub(super) fn authenticate(
    state: &State,
    head: &Head,
    address: &Address,
    home: Option<&str>,
    operation: &str,
) -> Result<Option<Signed>, Fault> {
    let Some(claim) = Claim::read(head, Shape::S3)? else {
        return Ok(None);
    };
    let payload = payload(head, &claim)?;
    let regions = &state.world.regions;
    scope(&claim, regions, address, home, operation)?;
    headers_signed(head, &claim)?;
    let expect = Expect {
        shape: Shape::S3,
        service: "s3",
        regions,
        window_minutes: 15,
    };
    claim
        .check(head, &payload, &expect, &state.keyring, state.now())
        .map(Some)
}

/// The last line of the canonical request.
fn payload(head: &Head, claim: &Claim) -> Result<String, Fault> {
    let given = head.header(HEADER);
    if given.is_empty() {
        if claim.is_presigned() {
            return Ok(UNSIGNED.into());
        }
        let message = "Missing required header for this request: x-amz-content-sha256";
        return Err(Fault::new(400, "InvalidRequest", message));
    }
    let literals = [UNSIGNED, UNSIGNED_TRAILER, SIGNED_CHUNKS, SIGNED_TRAILER];
    if literals.contains(&given) || is_hash(given) {
        return Ok(given.to_owned());
    }
    let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
                   STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                   STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
                   STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
                   STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
    Err(Fault::new(400, "InvalidArgument", message)
        .with("ArgumentName", HEADER)
        .with("ArgumentValue", given))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Service, terminator, date and region of the scope, in S3's words. A bucket elsewhere is
/// malformed where the global endpoint's region was signed; other regions are redirected.
fn scope(
    claim: &Claim,
    regions: &[String],
    address: &Address,
    home: Option<&str>,
    operation: &str,
) -> Result<(), Fault> {
    let (code, front) = if claim.is_presigned() {
        (
            "AuthorizationQueryParametersError",
            "Error parsing the X-Amz-Credential parameter;",
        )
    } else {
        (
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed;",
        )
    };
    let malformed = |detail: String| Fault::new(400, code, format!("{front} {detail}"));
    if claim.service != "s3" {
        return Err(malformed(format!(
            "incorrect service \"{}\". This endpoint belongs to \"s3\".",
            claim.service
        )));
    }
    if claim.terminator != "aws4_request" {
        return Err(malformed(format!(
            "incorrect terminator \"{}\". This endpoint uses \"aws4_request\".",
            claim.terminator
        )));
    }
    if !claim.time_text.starts_with(&claim.date) || claim.date.len() != 8 {
        return Err(malformed(
            "Invalid credential date. Date is not the same as X-Amz-Date.".into(),
        ));
    }
    let wanted = address.host_region.as_deref().or(home);
    let served = regions.contains(&claim.region);
    let wrong = match (&address.host_region, home) {
        _ if !served => true,
        (Some(host), _) => *host != claim.region,
        (None, Some(home)) => {
            claim.region == "us-east-1" && home != "us-east-1" && operation != "GetBucketLocation"
        }
        (None, None) => false,
    };
    if !wrong {
        return Ok(());
    }
    let wanted = wanted.unwrap_or("us-east-1");
    let detail = format!(
        "the region '{}' is wrong; expecting '{wanted}'",
        claim.region
    );
    Err(malformed(detail)
        .with("Region", wanted)
        .header("x-amz-bucket-region", home.unwrap_or(wanted)))
}

/// Every `x-amz-` header that is sent must be signed.
fn headers_signed(head: &Head, claim: &Claim) -> Result<(), Fault> {
    let missing: Vec<&str> = head
        .headers
        .keys()
        .map(|name| name.as_str())
        .filter(|name| name.starts_with("x-amz-"))
        .filter(|name| !claim.signed_headers.iter().any(|signed| signed == name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = "There were headers present in the request which were not signed";
    Err(Fault::new(403, "AccessDenied", message).with("HeadersNotSigned", missing.join(", ")))
}

/// How the body is to be read.
pub(super) fn plan(head: &Head, signed: Option<&Signed>) -> Result<Plan, Fault> {
    let given = head.header(HEADER);
    let enveloped = head
        .header("content-encoding")
        .split(',')
        .any(|coding| coding.trim() == "aws-chunked");
    let chunked = match given {
        SIGNED_CHUNKS | SIGNED_TRAILER => Some(signed.map(Signing::after)),
        UNSIGNED_TRAILER => Some(None),
        _ if enveloped => Some(None),
        _ => None,
    };
    let decoded_length = head.header("x-amz-decoded-content-length").parse().ok();
    let sized = head.has_header("content-length") || decoded_length.is_some();
    if head.method == "PUT" && !sized && head.has_header("transfer-encoding") {
        let message = "You must provide the Content-Length HTTP header.";
        return Err(Fault::new(411, "MissingContentLength", message));
    }
    let text = |name: &str| {
        let value = head.header(name);
        (!value.is_empty()).then(|| value.to_owned())
    };
    Ok(Plan {
        declared: is_hash(given).then(|| given.to_owned()),
        decoded_length: decoded_length.filter(|_| chunked.is_some()),
        chunked,
        content_md5: text("content-md5"),
        checksum: checksum(head),
    })
}

/// The checksum of a header, or the one that a trailer announces.
fn checksum(head: &Head) -> Option<(String, Option<String>)> {
    let in_head = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"]
        .into_iter()
        .find_map(|name| {
            let value = head.header(&format!("x-amz-checksum-{name}"));
            (!value.is_empty()).then(|| (name.to_owned(), Some(value.to_owned())))
        });
    in_head.or_else(|| {
        let trailer = head.header("x-amz-trailer").to_ascii_lowercase();
        let name = trailer.trim().strip_prefix("x-amz-checksum-")?.to_owned();
        Some((name, None))
    })
}
