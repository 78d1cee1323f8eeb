use std::borrow::Cow;

use super::query::param;
use super::rules::is_s3;
use super::view::text_header;
use super::{Header, Location, RequestView, SigV4Auth};

/// SHA-256 of nothing.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The payload line of a body that is not part of the signature.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// What a request says about its body in `x-amz-content-sha256` (S3 API reference,
/// "Authenticating requests using the Authorization header").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadMode {
    /// No such header: the payload line is the hash of the body.
    Undeclared,
    /// A SHA-256 in hex, not yet compared with the body.
    DeclaredHash(String),
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: chunks without signatures, checksum behind.
    StreamingUnsignedTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: each chunk is signed.
    StreamingSigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: each chunk and the trailer are signed.
    StreamingSignedTrailer,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`: the same under SigV4a.
    StreamingEcdsa,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER`.
    StreamingEcdsaTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-EVENTS`: an event stream.
    Events,
    /// Something that S3 refuses.
    Unknown(String),
}

impl PayloadMode {
    /// Reads a value of `x-amz-content-sha256`.
    pub fn parse(value: &str) -> Self {
        match value {
            UNSIGNED_PAYLOAD => Self::Unsigned,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::StreamingUnsignedTrailer,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Self::StreamingSigned,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::StreamingSignedTrailer,
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" => Self::StreamingEcdsa,
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => Self::StreamingEcdsaTrailer,
            "STREAMING-AWS4-HMAC-SHA256-EVENTS" => Self::Events,
            hash if is_sha256_hex(hash) => Self::DeclaredHash(hash.to_owned()),
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The payload line that it stands for; `None` where the body decides.
    pub fn line(&self) -> Option<&str> {
        Some(match self {
            Self::Undeclared => return None,
            Self::DeclaredHash(text) | Self::Unknown(text) => text,
            Self::Unsigned => UNSIGNED_PAYLOAD,
            Self::StreamingUnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::StreamingSigned => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::StreamingSignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::StreamingEcdsa => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            Self::StreamingEcdsaTrailer => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
            Self::Events => "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        })
    }
}

/// The mode that the headers declare.
pub fn payload_mode(headers: &[Header<'_>]) -> PayloadMode {
    text_header(headers, "x-amz-content-sha256").map_or(PayloadMode::Undeclared, PayloadMode::parse)
}

/// The payload line of a presigned request: `UNSIGNED-PAYLOAD` for the S3 family and VPC
/// Lattice, else the body's hash (S3 API reference, "Authenticating requests using query
/// parameters"; aws-c-auth).
pub fn presigned_payload<'a>(signing_name: &str, body_sha256: &'a str) -> &'a str {
    if is_unsigned_when_presigned(signing_name) {
        UNSIGNED_PAYLOAD
    } else {
        body_sha256
    }
}

pub(crate) fn is_unsigned_when_presigned(signing_name: &str) -> bool {
    is_s3(signing_name) || signing_name == "vpc-lattice-svcs"
}

/// The payload line that a client's signature is over: what it declares (presigned: in a signed
/// header or in the query), else what its kind of signature implies, else `body_sha256`. `None`
/// where only the body could tell and its hash is not known. `view.payload` is not read.
pub fn declared_payload<'a>(
    view: &RequestView<'a>,
    auth: &SigV4Auth,
    body_sha256: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    const NAME: &str = "x-amz-content-sha256";
    let in_header = text_header(view.headers, NAME).map(Cow::Borrowed);
    let body = body_sha256.map(Cow::Borrowed);
    match auth.location {
        Location::Header => in_header.or(body),
        Location::Query => in_header
            .filter(|_| auth.signs(NAME))
            .or_else(|| param(view.query()?, NAME).map(Cow::Owned))
            .or_else(|| {
                is_unsigned_when_presigned(&auth.scope.service).then_some(UNSIGNED_PAYLOAD.into())
            })
            .or(body),
    }
}

/// 64 digits of lower-case hex.
pub(crate) fn is_sha256_hex(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_literal_is_read_and_written() {
        for text in [
            EMPTY_SHA256,
            UNSIGNED_PAYLOAD,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        ] {
            let mode = PayloadMode::parse(text);
            assert_eq!(mode.line(), Some(text));
            assert!(!matches!(mode, PayloadMode::Unknown(_)), "{text}");
        }
        let upper = EMPTY_SHA256.to_uppercase();
        assert_eq!(PayloadMode::parse(&upper), PayloadMode::Unknown(upper));
        assert_eq!(payload_mode(&[]), PayloadMode::Undeclared);
    }
}
