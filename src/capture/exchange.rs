//! The record of one exchange, as everything above the corridor sees it: masked, and one
//! JSON object in `proxy --format jsonl`, the session file and `export --as jsonl`.
//!
//! Every key is always present; a stage that was not reached is `null`.

use serde::{Deserialize, Serialize};

pub use crate::secret::mask::Body;

/// A name and a value, in the order and case of the wire.
pub type Header = (String, String);

/// One request and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// From 1, by arrival.
    pub id: u64,
    /// RFC 3339 with milliseconds, UTC.
    pub started_at: String,
    /// How it came in.
    pub door: Door,
    /// The exchange that this one repeats.
    pub replay_of: Option<u64>,
    /// Who sent it, and whether its own signature was right.
    pub client: Client,
    /// What the client sent; `None` when no request could be read.
    pub received: Option<Request>,
    /// Which service, region and upstream, and how we know.
    pub route: Option<Route>,
    /// As whom it was signed.
    pub identity: Option<Identity>,
    /// What went upstream.
    pub sent: Option<Sent>,
    /// What the client got.
    pub reply: Option<Reply>,
    /// How long the steps took.
    pub timing_us: Timing,
    /// What went wrong outside AWS's own answer.
    pub fault: Option<Fault>,
    /// Why it failed, how sure we are, and what to do.
    pub findings: Vec<Finding>,
}

impl Exchange {
    /// Whether the operator should look at it: AWS or we refused, something broke on the
    /// way, or the client's own signature was wrong whatever AWS answered.
    pub fn failed(&self) -> bool {
        self.fault.is_some()
            || self.client.signature == ClientSignature::Invalid
            || self
                .reply
                .as_ref()
                .is_none_or(|reply| reply.status >= 400 || reply.error.is_some())
    }

    /// Service and operation as the list names them: `sts.GetCallerIdentity`.
    pub fn call(&self) -> String {
        let Some(route) = &self.route else {
            return "?".to_owned();
        };
        match (&route.service, &route.operation) {
            (Some(service), Some(operation)) => format!("{service}.{operation}"),
            (Some(service), None) => service.clone(),
            (None, _) => "?".to_owned(),
        }
    }
}

/// How a request entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// `Host` named the AWS host.
    #[default]
    Reverse,
    /// `Host` was ours: the client uses us as its endpoint URL.
    EndpointUrl,
    /// The listener is bound to one upstream.
    Bound,
    /// Through `CONNECT`.
    Connect,
    /// Sent again by the operator.
    Replay,
    /// One of our own credential calls.
    Internal,
}

/// Who sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Peer address and port; `None` for our own calls.
    pub address: Option<String>,
    /// The profile of the lane whose key signed it.
    pub lane: Option<String>,
    /// The key id of the client's own signature, masked.
    pub access_key_id: Option<String>,
    /// The verdict on it.
    pub signature: ClientSignature,
}

/// Whether the client's own signature was right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientSignature {
    /// It sent none.
    #[default]
    None,
    /// Verified with the secret that we hold.
    Valid,
    /// It does not match the bytes that arrived.
    Invalid,
    /// Signed with a key whose secret we do not hold.
    UnknownKey,
}

/// A request message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// As sent.
    pub method: String,
    /// The request target, raw.
    pub target: String,
    /// Absolute, with that target unchanged.
    pub url: String,
    /// `HTTP/1.1`.
    pub version: String,
    /// In the order and case of the wire.
    pub headers: Vec<Header>,
    /// What was kept of the body.
    pub body: Body,
}

/// Where it goes, and signed as what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// botocore's directory name: `secretsmanager`, `bedrock-runtime`.
    pub service: Option<String>,
    /// The name in the credential scope.
    pub signing_name: Option<String>,
    /// The region in the credential scope.
    pub region: Option<String>,
    /// Bare: `GetSecretValue`.
    pub operation: Option<String>,
    /// `secretsmanager:GetSecretValue`.
    pub iam_action: Option<String>,
    /// `scheme://authority`.
    pub upstream: Option<String>,
    /// The evidence for each field.
    pub how: Vec<Evidence>,
}

/// One field of the route, what it was taken from and the text that says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `service`, `region`, `upstream`, `operation`.
    pub field: String,
    /// `host`, `scope`, `x-amz-target`, `action`, `path`, `option`, `profile`, …
    pub from: String,
    /// What it said.
    pub evidence: String,
}

/// As whom the request was signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The profile's name.
    pub profile: Option<String>,
    /// `static`, `assume-role`, `sso`, `web-identity`, `process`, …
    pub kind: Option<String>,
    /// Masked.
    pub access_key_id: Option<String>,
    /// Twelve digits, where known.
    pub account: Option<String>,
    /// RFC 3339; `None` for long-lived keys.
    pub expires_at: Option<String>,
    /// Where the credentials came from, hop by hop.
    pub chain: Vec<String>,
}

/// What went upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message.
    #[serde(flatten)]
    pub request: Request,
    /// How it was signed.
    pub signing: Signing,
}

/// What exactly was signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// `AWS4-HMAC-SHA256`; `None` where the request passed unsigned or as signed.
    pub algorithm: Option<String>,
    /// `header`, `query`, `unsigned`, `as-signed`, `untouched`; with the payload's mode
    /// behind a slash: `header/streaming-signed`.
    pub mode: String,
    /// `20261122/us-west-2/sts/aws4_request`.
    pub credential_scope: Option<String>,
    /// Lower case, sorted.
    pub signed_headers: Vec<String>,
    /// Masked.
    pub canonical_request: Option<String>,
    /// The text that the signature is over.
    pub string_to_sign: Option<String>,
    /// First six and last four characters.
    pub signature: Option<String>,
    /// What was stripped, added or rewritten.
    pub changes: Vec<Change>,
    /// What the independent signer says.
    pub second_opinion: SecondOpinion,
}

/// One difference between what the client sent and what went upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was done.
    pub action: ChangeAction,
    /// The header, query parameter or part: `header x-amz-date`, `target`, `body`.
    pub what: String,
    /// Why, in a few words.
    pub why: String,
}

/// What was done to a part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeAction {
    /// The client sent it, AWS did not get it.
    Stripped,
    /// AWS got it, the client did not send it.
    Added,
    /// Both, with another value.
    Rewritten,
    /// Passed on, but worth knowing.
    Noted,
}

/// Whether `aws-sigv4`'s own signer agrees with ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondOpinion {
    /// The same signature.
    Agrees,
    /// Another one: a bug of ours or of theirs.
    Disagrees,
    /// Another one, for a reason in the tested list.
    KnownDifference,
    /// It is asked for failed exchanges only.
    #[default]
    NotAsked,
}

/// What the client got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Who made it.
    pub from: ReplyFrom,
    /// HTTP status code.
    pub status: u16,
    /// `HTTP/1.1`.
    pub version: String,
    /// In order; names as received.
    pub headers: Vec<Header>,
    /// What was kept of the body.
    pub body: Body,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// AWS's error, where it is one.
    pub error: Option<ReplyError>,
}

/// Who made a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyFrom {
    /// AWS, or what stands for it.
    #[default]
    Upstream,
    /// Ourselves.
    Sigscope,
}

/// An AWS error's two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyError {
    /// `SignatureDoesNotMatch`, without namespace.
    pub code: Option<String>,
    /// As AWS words it, masked.
    pub message: Option<String>,
}

/// Durations in microseconds; `None` where the step did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Held by the operator.
    pub held: Option<u64>,
    /// Waiting for credentials.
    pub credentials: Option<u64>,
    /// Canonicalising and signing.
    pub sign: Option<u64>,
    /// Opening the connection; `None` when one was reused.
    pub connect: Option<u64>,
    /// From the request's start to the reply's head.
    pub first_byte: Option<u64>,
    /// From the request's start to the end of both bodies.
    pub total: Option<u64>,
}

/// What went wrong outside AWS's own answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The corridor's stage: `front`, `route`, `gate`, `identify`, `sign`, `forward`.
    pub stage: String,
    /// Its kind.
    pub kind: FaultKind,
    /// What happened and what to do, masked.
    pub message: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The upstream's name does not resolve.
    Dns,
    /// Nothing listens there.
    Refused,
    /// The TLS handshake failed.
    Tls,
    /// A wait reached its limit.
    Timeout,
    /// The connection broke in the middle.
    Reset,
    /// The upstream's answer is no HTTP.
    Malformed,
    /// The client went away.
    ClientGone,
    /// The client's request is no HTTP that we can pass on.
    ClientMalformed,
    /// No credentials could be had.
    NoCredentials,
    /// Nothing tells where the request should go.
    NoRoute,
    /// A rule of ours forbids it.
    NotAllowed,
    /// Over a limit.
    TooLarge,
    /// It would come back to us.
    Loop,
}

impl FaultKind {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Malformed => "malformed",
            Self::ClientGone => "client-gone",
            Self::ClientMalformed => "client-malformed",
            Self::NoCredentials => "no-credentials",
            Self::NoRoute => "no-route",
            Self::NotAllowed => "not-allowed",
            Self::TooLarge => "too-large",
            Self::Loop => "loop",
        }
    }
}

/// One thing that we say about an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Kebab-case label of the cause.
    pub code: String,
    /// How sure.
    pub grade: Grade,
    /// What part it plays.
    pub role: Role,
    /// One sentence.
    pub summary: String,
    /// What it rests on, quoted, masked.
    pub evidence: Vec<String>,
    /// What would show it wrong.
    pub refuted_by: Option<String>,
    /// What to do.
    pub fix: Vec<Fix>,
}

/// How sure a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Quoted from the reply.
    AwsSaid,
    /// Follows from a signature, a clock or a comparison of bytes.
    Computed,
    /// With what would refute it.
    Inferred,
    /// With what to try next.
    Undetermined,
}

/// What part a finding plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It is why.
    Cause,
    /// Another name for the same bytes.
    Alias,
    /// Worth knowing.
    Note,
}

/// One thing to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// In words.
    pub label: String,
    /// What to type.
    pub command: Option<String>,
    /// What we can do ourselves.
    pub action: Option<String>,
}

impl Exchange {
    /// The JSON object of the contract on one line, without the line end: what `proxy
    /// --format jsonl` prints and what the session file and the store keep.
    pub fn to_json(&self) -> Vec<u8> {
        super::json::write(self)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

impl SecondOpinion {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Disagrees => "disagrees",
            Self::KnownDifference => "known-difference",
            Self::NotAsked => "not-asked",
        }
    }
}

impl ReplyFrom {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Sigscope => "sigscope",
        }
    }
}

impl ChangeAction {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stripped => "stripped",
            Self::Added => "added",
            Self::Rewritten => "rewritten",
            Self::Noted => "noted",
        }
    }
}

impl Door {
    /// Every door, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Reverse,
        Self::EndpointUrl,
        Self::Bound,
        Self::Connect,
        Self::Replay,
        Self::Internal,
    ];

    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reverse => "reverse",
            Self::EndpointUrl => "endpoint-url",
            Self::Bound => "bound",
            Self::Connect => "connect",
            Self::Replay => "replay",
            Self::Internal => "internal",
        }
    }
}

impl ClientSignature {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::None, Self::Valid, Self::Invalid, Self::UnknownKey];

    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::UnknownKey => "unknown-key",
        }
    }
}
