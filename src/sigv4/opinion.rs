use std::time::Duration;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest,
    SignatureLocation, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;

use super::escape::decode;
use super::headers::trim;
use super::key::same_signature;
use super::query::{is_named, pairs_of};
use super::view::values;
use super::{Location, RequestView, Signed, SigningInput, TokenName};

/// What `aws-sigv4`'s own `sign` makes of the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// The same signature.
    Agrees,
    /// Another signature, and no reason for it is known: a bug of ours or of theirs.
    Disagrees,
    /// Another signature or none, for a reason that is known and tested.
    KnownDifference(&'static str),
}

/// Asks `aws-sigv4` to sign what `signed` was made of and compares. Some 30 µs: not for the
/// hot path.
pub fn second_opinion(input: &SigningInput<'_>, signed: &Signed) -> Opinion {
    match their_signature(input, signed) {
        Ok(theirs) if same_signature(&signed.signature, &theirs) => Opinion::Agrees,
        Ok(_) => {
            known_difference(input, signed).map_or(Opinion::Disagrees, Opinion::KnownDifference)
        }
        Err(why) => Opinion::KnownDifference(why),
    }
}

fn their_signature(input: &SigningInput<'_>, signed: &Signed) -> Result<String, &'static str> {
    let identity = identity(input)?;
    let params = SigningParams::builder()
        .identity(&identity)
        .region(input.region)
        .name(input.service)
        .time(input.time)
        .settings(settings(input, signed))
        .build()
        .map_err(|_| "aws-sigv4 did not take the parameters")?
        .into();
    let request = SignableRequest::new(
        input.view.method,
        uri(&input.view)?,
        headers(input, signed)?.into_iter(),
        SignableBody::Precomputed(input.view.payload.to_owned()),
    )
    .map_err(|_| "aws-sigv4 takes no target that is not a URI")?;
    let output =
        sign(request, &params).map_err(|_| "aws-sigv4 takes no header that is not visible text")?;
    Ok(output.signature().to_owned())
}

fn identity(input: &SigningInput<'_>) -> Result<Identity, &'static str> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "the session token is not text");
    let token = input.credentials.session_token.as_ref();
    let token = token.map(|token| text(token.expose())).transpose()?;
    Ok(aws_credential_types::Credentials::new(
        input.credentials.access_key_id.as_str(),
        input.credentials.secret_access_key.expose_str(),
        token.map(str::to_owned),
        None,
        "second opinion",
    )
    .into())
}

fn settings(input: &SigningInput<'_>, signed: &Signed) -> SigningSettings {
    let rules = input.rules;
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = if rules.double_encode {
        PercentEncodingMode::Double
    } else {
        PercentEncodingMode::Single
    };
    settings.uri_path_normalization_mode = UriPathNormalizationMode::from(rules.normalize_path);
    settings.excluded_headers = None;
    if !rules.token_signed {
        settings.session_token_mode = SessionTokenMode::Exclude;
    }
    if rules.token_name != TokenName::Security {
        settings.session_token_name_override = Some(match signed.location {
            Location::Header => rules.token_name.header(),
            Location::Query => rules.token_name.param(),
        });
    }
    if let Some(expires) = signed.expires {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(expires));
    } else if signed
        .signed_headers()
        .any(|name| name == "x-amz-content-sha256")
    {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

/// The headers that were signed, without those that `sign` makes itself.
fn headers<'a>(
    input: &SigningInput<'a>,
    signed: &Signed,
) -> Result<Vec<(&'a str, &'a str)>, &'static str> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "aws-sigv4 takes UTF-8 headers only");
    let mut out = Vec::new();
    for (name, value) in input.view.headers {
        let name = text(name)?;
        if signed
            .signed_headers()
            .any(|signed| signed.eq_ignore_ascii_case(name))
        {
            out.push((name, text(value)?));
        }
    }
    Ok(out)
}

/// An absolute URI: its authority only matters where there is no `Host`.
fn uri(view: &RequestView<'_>) -> Result<String, &'static str> {
    let target = std::str::from_utf8(view.target)
        .map_err(|_| "aws-sigv4 takes no target that is not UTF-8")?;
    Ok(match view.authority() {
        Some(_) => target.to_owned(),
        None if matches!(view.target.first(), None | Some(b'/' | b'?')) => {
            format!("https://localhost{target}")
        }
        None => return Err("aws-sigv4 takes no target that is neither a path nor a URI"),
    })
}

/// The reasons for which it differs, each with a test.
fn known_difference(input: &SigningInput<'_>, signed: &Signed) -> Option<&'static str> {
    let view = &input.view;
    let query = view.query().unwrap_or_default();
    if !input.rules.double_encode && signed.canonical.path().as_bytes() != view.path() {
        return Some("aws-sigv4 signs an S3 path as it comes; S3 escapes it anew");
    }
    if view.target.contains(&b'#') {
        return Some("aws-sigv4 cuts the target at #");
    }
    if std::str::from_utf8(&decode(query)).is_err() {
        return Some("aws-sigv4 replaces query escapes that are not UTF-8");
    }
    if pairs_of(query).any(|pair| is_named(pair, "X-Amz-Signature")) {
        return Some("aws-sigv4 signs an X-Amz-Signature that is there already");
    }
    known_header_difference(input, signed)
}

/// `aws-sigv4` trims spaces only.
fn has_edge_tab(value: &[u8]) -> bool {
    let mut edge = value;
    while let [b' ', rest @ ..] | [rest @ .., b' '] = edge {
        edge = rest;
    }
    edge.len() != trim(edge).len()
}

fn known_header_difference(input: &SigningInput<'_>, signed: &Signed) -> Option<&'static str> {
    let view = &input.view;
    if view.headers.iter().any(|(_, value)| has_edge_tab(value)) {
        return Some("aws-sigv4 keeps a tab around a header value");
    }
    let hashes: Vec<&[u8]> = values(view.headers, "x-amz-content-sha256").collect();
    let is_other = !hashes.is_empty() && hashes != [view.payload.as_bytes()];
    if signed.location == Location::Header && is_other {
        return Some("aws-sigv4 sends the hash that it signs");
    }
    let unsigned = ["x-amz-user-agent", "x-amz-checksum-mode"];
    if signed.location == Location::Query && unsigned.iter().any(|name| view.has(name)) {
        return Some("aws-sigv4 leaves x-amz-user-agent and x-amz-checksum-mode out of a URL");
    }
    None
}
