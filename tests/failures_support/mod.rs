//! Builds a whole exchange from a line of the corpus, through the same reading of the reply
//! as in the proxy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use sigscope::aws;
use sigscope::aws::error::{self, Shape};
use sigscope::capture::exchange::{
    ClientSignature, Door, Exchange, Fault, Identity, Reply, ReplyError, ReplyFrom, Request, Route,
    Sent, Signing,
};
use sigscope::diagnose::{History, diagnose};
use sigscope::secret::mask::{BodyContext, Masker, Options, Side};
use sigscope::secret::{Credentials, Raw, Wire};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKENcanaryNothingShowsThis0123456789abcdefghij==";
const BEGAN: &str = "2026-11-22T10:15:00.000Z";

/// One exchange and what is to be said of it; every field but one is optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    /// The cause's id; without one no cause of the catalogue's may be named.
    pub(crate) is: Option<String>,
    /// Ids that stand beside it as notes.
    pub(crate) beside: Vec<String>,
    /// An id that must not be there at all.
    pub(crate) near: Option<String>,
    pub(crate) grade: Option<String>,
    /// In the first finding's sentence.
    pub(crate) says: Option<String>,
    /// `query`, `ec2`, `s3`, `json`, `rest`, `cbor`.
    pub(crate) shape: String,
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Instead of code and message.
    pub(crate) body: Option<String>,
    pub(crate) reply_headers: BTreeMap<String, String>,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) request_body: String,
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) profile: String,
    pub(crate) key: String,
    pub(crate) token: bool,
    pub(crate) unsigned: bool,
    /// Another scope than follows from region and service.
    pub(crate) scope: Option<String>,
    pub(crate) signed_headers: String,
    pub(crate) secret: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) amz_date: String,
    pub(crate) server_date: String,
    pub(crate) as_signed: bool,
    pub(crate) door: Door,
    pub(crate) fault: Option<Fault>,
    pub(crate) chunks_invalid: bool,
    /// What happened before, in order.
    pub(crate) before: Vec<Case>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            is: None,
            beside: Vec::new(),
            near: None,
            grade: None,
            says: None,
            shape: "query".to_owned(),
            status: 403,
            code: String::new(),
            message: String::new(),
            body: None,
            reply_headers: BTreeMap::new(),
            method: "POST".to_owned(),
            host: String::new(),
            target: "/".to_owned(),
            headers: BTreeMap::new(),
            request_body: String::new(),
            service: None,
            operation: None,
            region: None,
            profile: "pdx".to_owned(),
            key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            token: false,
            unsigned: false,
            scope: None,
            signed_headers: "host;x-amz-date".to_owned(),
            secret: None,
            expires_at: None,
            amz_date: "20261122T101500Z".to_owned(),
            server_date: "Sun, 22 Nov 2026 10:15:00 GMT".to_owned(),
            as_signed: false,
            door: Door::Reverse,
            fault: None,
            chunks_invalid: false,
            before: Vec::new(),
        }
    }
}

/// Every case of every file.
pub(crate) fn corpus() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/failures");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path| serde_json::from_slice::<Vec<Case>>(&std::fs::read(path).unwrap()).unwrap();
    files.into_iter().flat_map(read).collect()
}

/// What must never be seen, in the forms in which it might.
pub(crate) fn canaries() -> Vec<String> {
    let percent = |text: &str| text.replace('/', "%2F").replace('=', "%3D");
    vec![
        SECRET.to_owned(),
        TOKEN.to_owned(),
        percent(SECRET),
        percent(TOKEN),
        SECRET[..20].to_owned(),
        TOKEN[..30].to_owned(),
    ]
}

/// The case, diagnosed after what came before it.
pub(crate) fn diagnosed(case: &Case) -> Exchange {
    let mut history = History::new();
    let masker = Masker::new(
        [7; 32],
        Options {
            payloads: false,
            decoded_limit: 1 << 20,
        },
    );
    let mut last = Exchange::default();
    for (index, case) in case.before.iter().chain([case]).enumerate() {
        let (mut exchange, raw) = build(case, index as u64 + 1, &masker);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_342_500);
        diagnose(&mut exchange, &raw, Some(at), &masker, &mut history);
        last = exchange;
    }
    last
}

fn build(case: &Case, id: u64, masker: &Masker) -> (Exchange, Raw) {
    let host = if case.host.is_empty() {
        default_host(&case.shape).to_owned()
    } else {
        case.host.clone()
    };
    let facts = aws::host(host.split(':').next().unwrap());
    let by_host = facts.as_ref().and_then(|facts| {
        facts
            .services
            .first()
            .map(|service| service.name.to_owned())
    });
    let service = case.service.clone().or(by_host);
    let by_host = facts.as_ref().and_then(|facts| facts.region.clone());
    let region = case
        .region
        .clone()
        .or(by_host)
        .unwrap_or_else(|| "us-east-1".to_owned());
    let signing = facts
        .as_ref()
        .and_then(|facts| facts.signing_name)
        .map(str::to_owned)
        .or(service.clone())
        .unwrap_or_default();
    let scope = case
        .scope
        .clone()
        .unwrap_or_else(|| format!("{}/{region}/{signing}/aws4_request", &case.amz_date[..8]));
    let head = request_head(case, &host, &scope);
    let credentials = Arc::new(credentials(case));
    masker.learn_credentials(&credentials, "profile pdx");
    let (reply, reply_wire) = reply(case, service.as_deref(), masker);
    let request = Request {
        method: case.method.clone(),
        target: masker.target(case.target.as_bytes()).text,
        ..Request::default()
    };
    let mut exchange = Exchange {
        id,
        started_at: BEGAN.to_owned(),
        door: case.door,
        received: Some(request.clone()),
        route: Some(Route {
            service,
            signing_name: Some(signing),
            region: Some(region),
            operation: case.operation.clone(),
            upstream: Some(format!("https://{host}")),
            ..Route::default()
        }),
        identity: Some(Identity {
            profile: Some(case.profile.clone()),
            expires_at: case.expires_at.clone(),
            account: Some("123456789012".to_owned()),
            ..Identity::default()
        }),
        sent: Some(Sent {
            request,
            signing: Signing {
                mode: if case.as_signed || case.unsigned {
                    "as-signed"
                } else {
                    "header"
                }
                .to_owned(),
                credential_scope: Some(scope),
                ..Signing::default()
            },
        }),
        reply: case.fault.is_none().then_some(reply),
        fault: case.fault.clone(),
        ..Exchange::default()
    };
    if case.chunks_invalid {
        exchange.client.signature = ClientSignature::Invalid;
        exchange.findings.push(chunk_complaint());
    }
    let body = Wire {
        head: head.clone().into_bytes().into(),
        body: case.request_body.clone().into_bytes().into(),
        body_size: case.request_body.len() as u64,
        body_sha256: None,
        complete: true,
    };
    let sent = Wire {
        head: head.into_bytes().into(),
        body_size: case.request_body.len() as u64,
        body: case.request_body.clone().into_bytes().into(),
        complete: true,
        ..Wire::default()
    };
    let raw = Raw {
        received: body,
        sent: Some(sent),
        reply: Some(reply_wire),
        signed_with: Some(credentials.clone()),
        client_credentials: Some(credentials),
    };
    (exchange, raw)
}

fn chunk_complaint() -> sigscope::capture::exchange::Finding {
    use sigscope::capture::exchange::{Finding, Grade, Role};
    Finding {
        code: "client-chunk-signature-invalid".to_owned(),
        grade: Grade::Computed,
        role: Role::Note,
        summary: "a chunk is signed otherwise".to_owned(),
        evidence: Vec::new(),
        refuted_by: None,
        fix: Vec::new(),
    }
}

fn default_host(shape: &str) -> &'static str {
    match shape {
        "query" => "sts.us-east-1.amazonaws.com",
        "ec2" => "ec2.us-east-1.amazonaws.com",
        "s3" => "b.s3.us-east-1.amazonaws.com",
        "json" => "secretsmanager.us-east-1.amazonaws.com",
        "cbor" => "monitoring.us-east-1.amazonaws.com",
        _ => "lambda.us-east-1.amazonaws.com",
    }
}

fn request_head(case: &Case, host: &str, scope: &str) -> String {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {host}\r\n",
        case.method, case.target
    );
    for (name, value) in &case.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let has = |name: &str| {
        case.headers
            .keys()
            .any(|given| given.eq_ignore_ascii_case(name))
    };
    let presigned = case.target.contains("X-Amz-") || case.target.contains("AWSAccessKeyId");
    if !case.unsigned && !presigned && !case.amz_date.is_empty() && !has("x-amz-date") {
        head += &format!("x-amz-date: {}\r\n", case.amz_date);
    }
    if case.token {
        head += &format!("x-amz-security-token: {TOKEN}\r\n");
    }
    if !case.unsigned && !presigned && !has("authorization") {
        let (key, signed, signature) = (&case.key, &case.signed_headers, "a".repeat(64));
        head += &format!(
            "authorization: AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}\r\n"
        );
    }
    head + "\r\n"
}

fn credentials(case: &Case) -> Credentials {
    let secret = match case.secret.as_deref() {
        Some("newline") => format!("{SECRET}\n"),
        Some("blank") => format!(" {SECRET}"),
        Some("quotes") => format!("\"{SECRET}\""),
        Some("smtp") => format!("{SECRET}Abcd"),
        Some("percent") => SECRET.replace('/', "%2F"),
        _ => SECRET.to_owned(),
    };
    Credentials::new(
        case.key.as_str(),
        secret,
        case.token.then(|| TOKEN.as_bytes().to_vec()),
    )
}

fn reply(case: &Case, service: Option<&str>, masker: &Masker) -> (Reply, Wire) {
    let shape = match case.shape.as_str() {
        "query" => Shape::Query,
        "ec2" => Shape::Ec2,
        "s3" => Shape::RestXml,
        "json" => Shape::Json11,
        "cbor" => Shape::Cbor,
        _ => Shape::RestJson,
    };
    let rendered = error::render(
        shape,
        case.status,
        &case.code,
        &case.message,
        "6f1c-EXAMPLE",
    );
    let (kind, body, own) = match &case.body {
        Some(body) => (
            "text/plain",
            body.replace("TOKEN", TOKEN).into_bytes(),
            Vec::new(),
        ),
        None => (rendered.content_type, rendered.body, rendered.headers),
    };
    let mut headers: Vec<(String, String)> = own
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    headers.push(("date".to_owned(), case.server_date.clone()));
    headers.extend(case.reply_headers.clone());
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    let find = |name: &str| {
        headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let error = error::parse(case.status, &find, &body);
    let mut head = format!("HTTP/1.1 {} X\r\n", case.status);
    for (name, value) in &headers {
        head += &format!("{name}: {value}\r\n");
    }
    let context = BodyContext {
        service,
        operation: case.operation.as_deref(),
        side: Side::Reply,
        failed: case.status >= 400,
        content_type: find("content-type"),
        size: body.len() as u64,
        ..BodyContext::default()
    };
    let reply = Reply {
        from: ReplyFrom::Upstream,
        status: case.status,
        body: masker.body(&context, &body),
        request_id: error::request_id(&find),
        error: error.map(|error| ReplyError {
            message: error.message.map(|message| masker.text(&message)),
            code: error.code,
        }),
        headers,
        ..Reply::default()
    };
    let wire = Wire {
        head: (head + "\r\n").into_bytes().into(),
        body_size: body.len() as u64,
        body: body.into(),
        complete: true,
        ..Wire::default()
    };
    (reply, wire)
}
