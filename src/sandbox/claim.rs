//! What the client says about its signature, read from the `Authorization` header or from the
//! `X-Amz-…` query parameters, with AWS's words for what cannot be read.

use std::time::{Duration, SystemTime};

use super::errors::{Fault, Refusal, Shape};
use super::reader::Head;
use super::{hash, times};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const CREDENTIAL_FORM: &str =
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
const WEEK: u64 = 604_800;

/// A signature and everything that is said to have gone into it.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) key_id: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) terminator: String,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    pub(super) token: Option<String>,
    pub(super) time: SystemTime,
    /// The instant as the client wrote it.
    pub(super) time_text: String,
    /// Present for a presigned request.
    pub(super) expires: Option<Duration>,
}

impl Claim {
    /// The claim, or `None` for an unsigned request.
    pub(super) fn read(head: &Head, shape: Shape) -> Result<Option<Self>, Fault> {
        let in_header = head.has_header("authorization");
        let in_query = head.has_param("X-Amz-Algorithm") || head.has_param("X-Amz-Signature");
        match (in_header, in_query) {
            (true, true) => Err(Fault::new(
                400,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                 Signature query string parameter or the Authorization header should be specified",
            )),
            (true, false) => Self::from_header(head, shape).map(Some),
            (false, true) => Self::from_query(head, shape).map(Some),
            (false, false) if shape == Shape::S3 && head.has_param("AWSAccessKeyId") => {
                Err(old_mechanism())
            }
            (false, false) => Ok(None),
        }
    }

    /// The service and region of a scope, without judging the rest.
    pub(super) fn glance(head: &Head) -> Option<(String, String)> {
        let header = head.header("authorization");
        let credential = match header.split_once("Credential=") {
            Some((_, rest)) => rest.split([',', ' ']).next().unwrap_or_default().to_owned(),
            None => head.param("X-Amz-Credential")?,
        };
        let mut parts = credential.rsplit('/');
        parts.next()?;
        let service = parts.next()?.to_owned();
        Some((service, parts.next()?.to_owned()))
    }

    fn from_header(head: &Head, shape: Shape) -> Result<Self, Fault> {
        let header = head.header("authorization");
        let Some(fields) = header.strip_prefix(ALGORITHM) else {
            return Err(foreign(header, shape));
        };
        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        for field in fields.split([',', ' ']).filter(|field| !field.is_empty()) {
            match field.split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                Some(_) => {}
                None if shape == Shape::S3 => return Err(components()),
                None => return Err(not_a_pair(field, header, shape)),
            }
        }
        let date = [head.header("x-amz-date"), head.header("date")]
            .into_iter()
            .find(|text| !text.is_empty());
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            let found = [
                ("Credential", credential.is_some()),
                ("Signature", signature.is_some()),
                ("SignedHeaders", signed_headers.is_some()),
            ];
            return Err(incomplete(&found, date.is_some(), header, shape));
        };
        let Some(time_text) = date else {
            return Err(undated(header, shape));
        };
        let Some(time) = times::read_date(time_text) else {
            return Err(badly_dated(time_text, shape));
        };
        let parts = credential_parts(credential, shape, |detail| {
            format!("The authorization header is malformed; {detail}")
        })?;
        let token = head.header("x-amz-security-token");
        Ok(Self::new(
            parts,
            signed_headers,
            signature,
            (!token.is_empty()).then(|| token.to_owned()),
            time,
            None,
        ))
    }

    fn from_query(head: &Head, shape: Shape) -> Result<Self, Fault> {
        let names = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Signature",
            "X-Amz-Date",
            "X-Amz-SignedHeaders",
        ];
        let mut values = Vec::with_capacity(names.len());
        for name in names {
            match head.param(name) {
                Some(value) if !value.is_empty() => values.push(value),
                _ => return Err(query_incomplete(shape, name)),
            }
        }
        let [algorithm, credential, signature, date, signed_headers] = values.as_slice() else {
            return Err(query_incomplete(shape, "X-Amz-Algorithm"));
        };
        if algorithm != ALGORITHM {
            let message = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and \
                           AWS4-ECDSA-P256-SHA256\"";
            return Err(Fault::new(
                400,
                "AuthorizationQueryParametersError",
                message,
            ));
        }
        let expires = query_expires(head, shape)?;
        let Some(time) = times::read_basic(date) else {
            let message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
            return Err(Fault::new(
                400,
                "AuthorizationQueryParametersError",
                message,
            ));
        };
        let mut parts = credential_parts(credential, shape, |detail| {
            format!("Error parsing the X-Amz-Credential parameter; {detail}")
        });
        if let Err(fault) = &mut parts {
            fault.code = "AuthorizationQueryParametersError".into();
        }
        Ok(Self::new(
            parts?,
            signed_headers,
            signature,
            head.param("X-Amz-Security-Token"),
            time,
            Some(Duration::from_secs(expires)),
        ))
    }

    fn new(
        [key_id, date, region, service, terminator]: [String; 5],
        signed_headers: &str,
        signature: &str,
        token: Option<String>,
        time: SystemTime,
        expires: Option<Duration>,
    ) -> Self {
        Self {
            key_id,
            date,
            region,
            service,
            terminator,
            signed_headers: signed_headers
                .split(';')
                .map(str::to_ascii_lowercase)
                .collect(),
            signature: signature.to_owned(),
            token,
            time,
            time_text: times::basic(time),
            expires,
        }
    }

    /// Whether the signature stands in the query.
    pub(super) fn is_presigned(&self) -> bool {
        self.expires.is_some()
    }
}

fn credential_parts(
    credential: &str,
    shape: Shape,
    worded: impl Fn(&str) -> String,
) -> Result<[String; 5], Fault> {
    let parts: Vec<String> = credential.split('/').map(str::to_owned).collect();
    let malformed = |detail: &str| Fault::refused(shape, Refusal::Malformed(worded(detail)));
    match <[String; 5]>::try_from(parts) {
        Ok(parts) if shape == Shape::S3 && parts[0].is_empty() => Err(malformed(
            "a non-empty Access Key (AKID) must be provided in the credential.",
        )),
        Ok(parts) if shape == Shape::S3 && parts.iter().any(String::is_empty) => {
            Err(malformed(CREDENTIAL_FORM))
        }
        Ok(parts) => Ok(parts),
        Err(_) if shape == Shape::S3 => Err(malformed(CREDENTIAL_FORM)),
        Err(_) => Err(Fault::refused(
            shape,
            Refusal::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            )),
        )),
    }
}

fn query_expires(head: &Head, shape: Shape) -> Result<u64, Fault> {
    let error = |message: &str| Fault::new(400, "AuthorizationQueryParametersError", message);
    let Some(text) = head.param("X-Amz-Expires") else {
        // Services other than S3 forgive its absence.
        return if shape == Shape::S3 {
            Err(query_incomplete(shape, "X-Amz-Expires"))
        } else {
            Ok(900)
        };
    };
    match text.parse::<i64>().map(u64::try_from) {
        Err(_) => Err(error("X-Amz-Expires should be a number")),
        Ok(Err(_)) => Err(error("X-Amz-Expires must be non-negative")),
        Ok(Ok(seconds)) if seconds > WEEK => Err(error(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given \
             X-Amz-Expires must be less than 604800 seconds",
        )),
        Ok(Ok(seconds)) => Ok(seconds),
    }
}

fn query_incomplete(shape: Shape, name: &str) -> Fault {
    if shape == Shape::S3 {
        let message = "Query-string authentication version 4 requires the X-Amz-Algorithm, \
                       X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and \
                       X-Amz-Expires parameters.";
        return Fault::new(400, "AuthorizationQueryParametersError", message);
    }
    let message = format!(
        "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
    );
    Fault::refused(shape, Refusal::Incomplete(message))
}

fn old_mechanism() -> Fault {
    let message = "The authorization mechanism you have provided is not supported. Please use \
                   AWS4-HMAC-SHA256.";
    Fault::new(400, "InvalidRequest", message)
}

/// An `Authorization` that is not SigV4 at all.
fn foreign(header: &str, shape: Shape) -> Fault {
    if shape != Shape::S3 {
        let first = header.split([',', ' ']).find(|piece| !piece.is_empty());
        return not_a_pair(first.unwrap_or_default(), header, shape);
    }
    if header.starts_with("AWS ") {
        return old_mechanism();
    }
    let kind = header.split(' ').next().unwrap_or_default();
    Fault::new(400, "InvalidArgument", "Unsupported Authorization Type")
        .with("ArgumentName", "Authorization")
        .with("ArgumentValue", kind)
}

fn not_a_pair(field: &str, header: &str, shape: Shape) -> Fault {
    let message = format!(
        "'{field}' not a valid key=value pair (missing equal-sign) in Authorization header: \
         '{header}'."
    );
    Fault::refused(shape, Refusal::Incomplete(message))
}

fn components() -> Fault {
    let message = "The authorization header is malformed; the authorization header requires \
                   three components: Credential, SignedHeaders, and Signature.";
    Fault::refused(Shape::S3, Refusal::Malformed(message.into()))
}

fn incomplete(found: &[(&str, bool)], dated: bool, header: &str, shape: Shape) -> Fault {
    if shape == Shape::S3 {
        return components();
    }
    let mut message: String = found
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| format!("Authorization header requires '{name}' parameter. "))
        .collect();
    if !dated {
        message.push_str(NO_DATE);
        message.push(' ');
    }
    message.push_str(&hashed(header));
    Fault::refused(shape, Refusal::Incomplete(message))
}

const NO_DATE: &str =
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
const NO_DATE_S3: &str = "AWS authentication requires a valid Date or x-amz-date header";

fn undated(header: &str, shape: Shape) -> Fault {
    if shape == Shape::S3 {
        return Fault::new(403, "AccessDenied", NO_DATE_S3);
    }
    let message = format!("{NO_DATE} {}", hashed(header));
    Fault::refused(shape, Refusal::Incomplete(message))
}

fn badly_dated(text: &str, shape: Shape) -> Fault {
    if shape == Shape::S3 {
        return Fault::new(403, "AccessDenied", NO_DATE_S3);
    }
    let message = format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See \
         http://en.wikipedia.org/wiki/ISO_8601"
    );
    Fault::refused(shape, Refusal::Incomplete(message))
}

/// AWS names the header it complains about by its hash.
fn hashed(header: &str) -> String {
    let digest = hash::base64(&hash::sha256(header.as_bytes()));
    format!("(Hashed with SHA-256 and encoded with Base64) Authorization={digest}")
}
