//! How AWS says no: one refusal, worded and wrapped as each protocol does.

use bytes::Bytes;
use hyper::{Response, StatusCode};

use super::policy::Reason;
use super::{hash, times};
use std::time::SystemTime;

/// The protocol in which a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Query XML and Route 53: `<ErrorResponse><Error>` under this namespace.
    Query(&'static str),
    /// S3: a bare `<Error>` with evidence in further elements.
    S3,
    /// JSON 1.0 or 1.1: `__type`; the prefix stands before the code.
    Json(&'static str),
    /// The same, with `x-amzn-query-error` for clients that once spoke the query protocol.
    QueryCompatible,
    /// rest-json: `x-amzn-errortype` and `message`.
    Rest,
}

/// An error answer, not yet wrapped.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    /// Further elements of S3's `<Error>`.
    pub(super) extra: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// Why a request did not pass its authentication, before any protocol.
#[derive(Debug)]
pub(super) enum Refusal {
    Missing,
    /// The whole sentence: what is wrong with the form of the request.
    Incomplete(String),
    Malformed(String),
    UnknownKey(String),
    BadToken(String),
    Expired(String),
    Mismatch(Box<Mismatch>),
    /// A reason other than the signature itself for which AWS calls it not matching.
    Scope(String),
    Skewed {
        request: SystemTime,
        server: SystemTime,
        window_minutes: u64,
    },
}

/// What the server computed, for the echo.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) key_id: String,
    pub(super) provided: String,
    pub(super) canonical_request: String,
    pub(super) string_to_sign: String,
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";
const MISMATCH_S3: &str = "The request signature we calculated does not match the signature you \
    provided. Check your key and signing method.";
const INVALID: &str = "The security token included in the request is invalid.";
const EXPIRED: &str = "The security token included in the request is expired";

impl Fault {
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            extra: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(super) fn with(mut self, element: &'static str, value: impl Into<String>) -> Self {
        self.extra.push((element, value.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// AWS's sentence for a caller who may not.
    pub(super) fn denied(shape: Shape, who: &str, action: &str, on: &str, why: &Reason) -> Self {
        if shape == Shape::S3 && *why == Reason::Untold {
            return Self::new(403, "AccessDenied", "Access Denied");
        }
        let quote = if shape == Shape::S3 { "\"" } else { "" };
        let resource = if on == "*" {
            String::new()
        } else {
            format!(" on resource: {quote}{on}{quote}")
        };
        let told = why.told(action);
        let message = format!("User: {who} is not authorized to perform: {action}{resource}{told}");
        let (status, code) = match shape {
            Shape::Query(_) | Shape::S3 => (403, "AccessDenied"),
            Shape::Json(_) => (400, "AccessDeniedException"),
            Shape::QueryCompatible | Shape::Rest => (403, "AccessDeniedException"),
        };
        Self::new(status, code, message)
    }

    /// The same refusal under the code, status and words of each protocol.
    pub(super) fn refused(shape: Shape, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Self::missing(shape),
            Refusal::Incomplete(message) => {
                let code = match shape {
                    Shape::Query(_) | Shape::S3 => "IncompleteSignature",
                    _ => "IncompleteSignatureException",
                };
                Self::new(400, code, message)
            }
            Refusal::Malformed(message) => Self::new(400, "AuthorizationHeaderMalformed", message),
            Refusal::UnknownKey(key_id) if shape == Shape::S3 => {
                let message = "The AWS Access Key Id you provided does not exist in our records.";
                Self::new(403, "InvalidAccessKeyId", message).with("AWSAccessKeyId", key_id)
            }
            Refusal::BadToken(token) if shape == Shape::S3 => {
                let message = "The provided token is malformed or otherwise invalid.";
                Self::new(400, "InvalidToken", message).with("Token-0", token)
            }
            Refusal::UnknownKey(_) | Refusal::BadToken(_) => {
                let (status, code) =
                    coded(shape, "InvalidClientTokenId", "UnrecognizedClientException");
                Self::new(status, code, INVALID)
            }
            Refusal::Expired(token) if shape == Shape::S3 => {
                Self::new(400, "ExpiredToken", "The provided token has expired.")
                    .with("Token-0", token)
            }
            Refusal::Expired(_) => {
                let (status, code) = coded(shape, "ExpiredToken", "ExpiredTokenException");
                Self::new(status, code, EXPIRED)
            }
            Refusal::Mismatch(evidence) => Self::mismatch(shape, &evidence),
            Refusal::Scope(message) => {
                let (status, code) =
                    coded(shape, "SignatureDoesNotMatch", "InvalidSignatureException");
                Self::new(status, code, message)
            }
            Refusal::Skewed {
                request,
                server,
                window_minutes,
            } => Self::skewed(shape, request, server, window_minutes),
        }
    }

    fn missing(shape: Shape) -> Self {
        match shape {
            Shape::S3 => Self::new(403, "AccessDenied", "Access Denied"),
            Shape::Query(_) => Self::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
            Shape::Rest => Self::new(
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ),
            Shape::Json(_) | Shape::QueryCompatible => Self::new(
                400,
                "MissingAuthenticationTokenException",
                "Request is missing Authentication Token",
            ),
        }
    }

    fn mismatch(shape: Shape, evidence: &Mismatch) -> Self {
        let (canonical, to_sign) = (&evidence.canonical_request, &evidence.string_to_sign);
        match shape {
            Shape::S3 => Self::new(403, "SignatureDoesNotMatch", MISMATCH_S3)
                .with("AWSAccessKeyId", &evidence.key_id)
                .with("StringToSign", to_sign)
                .with("SignatureProvided", &evidence.provided)
                .with("StringToSignBytes", spaced_hex(to_sign))
                .with("CanonicalRequest", canonical)
                .with("CanonicalRequestBytes", spaced_hex(canonical)),
            // The query services stopped echoing the canonical request.
            Shape::Query(_) => Self::new(403, "SignatureDoesNotMatch", MISMATCH),
            _ => {
                let message = format!(
                    "{MISMATCH}\n\nThe Canonical String for this request should have been\n\
                     '{canonical}'\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
                );
                let (status, code) = coded(shape, "", "InvalidSignatureException");
                Self::new(status, code, message)
            }
        }
    }

    fn skewed(shape: Shape, request: SystemTime, server: SystemTime, minutes: u64) -> Self {
        if shape == Shape::S3 {
            let message =
                "The difference between the request time and the current time is too large.";
            return Self::new(403, "RequestTimeTooSkewed", message)
                .with("RequestTime", times::basic(request))
                .with("ServerTime", times::iso(server))
                .with("MaxAllowedSkewMilliseconds", (minutes * 60_000).to_string());
        }
        let window = std::time::Duration::from_secs(minutes * 60);
        let (asked, now) = (times::basic(request), times::basic(server));
        let message = if request < server {
            let limit = times::basic(server - window);
            format!(
                "Signature expired: {asked} is now earlier than {limit} ({now} - {minutes} min.)"
            )
        } else {
            let limit = times::basic(server + window);
            format!(
                "Signature not yet current: {asked} is still later than {limit} ({now} + {minutes} min.)"
            )
        };
        Self::refused(shape, Refusal::Scope(message))
    }

    /// Wraps the fault as the protocol does. Request ids that belong inside the body come from
    /// the caller, which also puts them into the headers.
    pub(super) fn answer(&self, shape: Shape, ids: &Ids) -> Response<Bytes> {
        let (content_type, body) = match shape {
            Shape::S3 => ("application/xml", self.s3_body(ids)),
            Shape::Query(namespace) => ("text/xml", self.query_body(namespace, ids)),
            Shape::Json(prefix) => ("application/x-amz-json-1.1", self.json_body(prefix)),
            Shape::QueryCompatible => (
                "application/x-amz-json-1.0",
                self.json_body("com.amazon.coral.service#"),
            ),
            Shape::Rest => (
                "application/json",
                serde_json::json!({ "message": self.message }).to_string(),
            ),
        };
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = value.parse() {
                answer.headers_mut().insert(name, value);
            }
        };
        set("content-type", content_type);
        match shape {
            Shape::Rest => set("x-amzn-errortype", &self.code),
            Shape::QueryCompatible => {
                let side = if self.status < 500 {
                    "Sender"
                } else {
                    "Receiver"
                };
                let old = self.code.trim_end_matches("Exception");
                set("x-amzn-query-error", &format!("{old};{side}"));
            }
            _ => {}
        }
        for (name, value) in &self.headers {
            set(name, value);
        }
        answer
    }

    fn s3_body(&self, ids: &Ids) -> String {
        let extra: String = self
            .extra
            .iter()
            .map(|(element, value)| format!("<{element}>{}</{element}>", xml(value)))
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
             {extra}<RequestId>{}</RequestId><HostId>{}</HostId></Error>",
            xml(&self.code),
            xml(&self.message),
            ids.short,
            ids.host
        )
    }

    fn query_body(&self, namespace: &str, ids: &Ids) -> String {
        let side = if self.status < 500 {
            "Sender"
        } else {
            "Receiver"
        };
        format!(
            "<ErrorResponse xmlns=\"{namespace}\">\n  <Error>\n    <Type>{side}</Type>\n    \
             <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
             <RequestId>{}</RequestId>\n</ErrorResponse>\n",
            xml(&self.code),
            xml(&self.message),
            ids.long
        )
    }

    fn json_body(&self, prefix: &str) -> String {
        // AWS writes the key of authorisation errors with a capital, that of others without.
        let key = if self.code == "AccessDeniedException" {
            "Message"
        } else {
            "message"
        };
        let mut body = serde_json::Map::new();
        body.insert("__type".into(), format!("{prefix}{}", self.code).into());
        body.insert(key.into(), self.message.clone().into());
        serde_json::Value::Object(body).to_string()
    }
}

/// The request ids of one exchange, in each form that AWS uses.
pub(super) struct Ids {
    /// `x-amzn-RequestId`: a UUID.
    pub(super) long: String,
    /// `x-amz-request-id` of S3: 16 characters.
    pub(super) short: String,
    /// `x-amz-id-2` of S3.
    pub(super) host: String,
}

impl Ids {
    /// The ids of the `number`-th request: the same in every run.
    pub(super) fn of(number: u64) -> Self {
        let digest = hash::sha256(format!("request {number}").as_bytes());
        let hex = hash::hex(&digest);
        let long = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..32],
        ]
        .join("-");
        Self {
            long,
            short: hex[32..48].to_ascii_uppercase(),
            host: hash::base64(&[digest.as_slice(), &digest[..24]].concat()),
        }
    }
}

/// Escapes text for an XML element.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
    out
}

/// 403 and the first code for query XML and S3, the second with the status of each JSON kind.
fn coded(shape: Shape, xml: &'static str, json: &'static str) -> (u16, &'static str) {
    match shape {
        Shape::Query(_) | Shape::S3 => (403, xml),
        Shape::Json(_) => (400, json),
        Shape::QueryCompatible | Shape::Rest => (403, json),
    }
}

fn spaced_hex(text: &str) -> String {
    let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
