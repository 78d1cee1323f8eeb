//! An unsigned request is signed, to show what its signature would be.

use std::time::SystemTime;

use super::{Answer, Context, Entry, Verdict, tokens, without_tokens};
use crate::aws;
use crate::secret::Credentials;
use crate::sigv4::{
    ALGORITHM, KeyCache, Location, RequestView, Rules, Signed, SigningInput, UNSIGNED_PAYLOAD,
    presign, presigned_payload, sha256_hex, sign_headers,
};

/// How to sign; what is absent is decided by the request.
#[derive(Clone, Debug)]
pub struct SignOptions {
    /// The region, before the host's.
    pub region: Option<String>,
    /// The signing name, before the host's.
    pub service: Option<String>,
    /// The region of the profile, where nothing else tells one.
    pub profile_region: Option<String>,
    /// The signing instant.
    pub at: Option<SystemTime>,
    /// In the header or in the query.
    pub location: Location,
    /// The body is part of the signature; `None`: as the kind of signature implies.
    pub payload_signed: Option<bool>,
    /// Whether `x-amz-content-sha256` is added; `None`: where the service needs it.
    pub content_sha256: Option<bool>,
    /// The session token is part of the signature.
    pub token_signed: bool,
    /// Dot segments and doubled slashes are removed; `None`: as the service does.
    pub normalize_path: Option<bool>,
    /// The path is escaped twice; `None`: as the service does.
    pub double_encode: Option<bool>,
    /// How long a presigned URL lives, in seconds.
    pub expires_s: u64,
}

impl Default for SignOptions {
    fn default() -> Self {
        Self {
            region: None,
            service: None,
            profile_region: None,
            at: None,
            location: Location::Header,
            payload_signed: None,
            content_sha256: None,
            token_signed: true,
            normalize_path: None,
            double_encode: None,
            expires_s: 900,
        }
    }
}

impl SignOptions {
    fn rules(&self, service: &str) -> Rules {
        let rules = Rules::for_signing_name(service);
        Rules {
            double_encode: self.double_encode.unwrap_or(rules.double_encode),
            normalize_path: self.normalize_path.unwrap_or(rules.normalize_path),
            token_signed: rules.token_signed && self.token_signed,
            content_sha256: self.content_sha256.unwrap_or(rules.content_sha256),
            ..rules
        }
    }
}

/// Signs and tells what was computed.
pub(super) fn unsigned(
    entry: &Entry,
    view: &RequestView<'_>,
    context: &Context<'_>,
) -> Result<Answer, String> {
    let Some(credentials) = context.signer.as_deref() else {
        return Ok(Answer::default());
    };
    let options = context.sign;
    let host = entry.request.host();
    let at = host.as_deref().and_then(aws::host);
    let service = options
        .service
        .clone()
        .or_else(|| at.as_ref()?.signing_name.map(str::to_owned));
    let service = service.ok_or("nothing tells the service: add --service NAME")?;
    let region = options
        .region
        .clone()
        .or_else(|| at.as_ref()?.region.clone());
    let region = region.or_else(|| options.profile_region.clone());
    let region = region.ok_or("nothing tells the region: add --region NAME")?;
    let signed = sign(entry, view, credentials, (&service, &region), context)?;
    let mut hidden = tokens(view);
    hidden.extend(
        credentials
            .session_token
            .as_ref()
            .map(|token| token.expose().to_vec()),
    );
    Ok(Answer {
        algorithm: Some(ALGORITHM.to_owned()),
        credential_scope: Some(signed.scope.to_string()),
        canonical_request: Some(without_tokens(
            signed.canonical.text(),
            &hidden,
            context.masker,
        )),
        string_to_sign: Some(signed.string_to_sign.clone()),
        signature: Some(signed.signature.clone()),
        signed_headers: signed.signed_headers().map(str::to_owned).collect(),
        verdict: Verdict::Unsigned,
        ..Answer::default()
    })
}

fn sign(
    entry: &Entry,
    view: &RequestView<'_>,
    credentials: &Credentials,
    (service, region): (&str, &str),
    context: &Context<'_>,
) -> Result<Signed, String> {
    let options = context.sign;
    let hash = sha256_hex(entry.request.body.as_deref().unwrap_or_default());
    let declared = crate::sigv4::payload_mode(view.headers);
    let payload = match (options.payload_signed, declared.line(), options.location) {
        (Some(false), ..) => UNSIGNED_PAYLOAD,
        (Some(true), ..) => &hash,
        (None, Some(line), _) => line,
        (None, None, Location::Query) => presigned_payload(service, &hash),
        (None, None, Location::Header) => &hash,
    };
    // A date of the request's own would be signed a second time.
    let headers: Vec<_> = view
        .headers
        .iter()
        .copied()
        .filter(|(name, _)| {
            !name.eq_ignore_ascii_case(b"x-amz-date")
                && !name.eq_ignore_ascii_case(b"x-amz-security-token")
        })
        .collect();
    let input = SigningInput {
        credentials,
        region,
        service,
        time: options.at.or(entry.received_at).unwrap_or(context.now),
        rules: options.rules(service),
        view: RequestView {
            headers: &headers,
            payload,
            ..*view
        },
        also: &[],
    };
    let cache = KeyCache::new(1);
    let signed = match options.location {
        Location::Header => sign_headers(&input, &cache),
        Location::Query => presign(&input, &cache, options.expires_s),
    };
    signed.map_err(|error| error.to_string())
}
