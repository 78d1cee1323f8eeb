//! Where credentials come from inside AWS: EC2's instance metadata service, version 2, and the
//! container endpoint of ECS.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::{Response, StatusCode};
use serde_json::json;

use super::errors::Fault;
use super::reader::Head;
use super::server::{Note, Reply, State, lock};
use super::world::Principal;
use super::{body, hash, times};

/// The path that `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` would hold.
const CONTAINER: &str = "/v2/credentials/0b9c3a1e-0000-4000-8000-example00001";
const EC2_ROLE: &str = "ec2-app";
const ECS_ROLE: &str = "ecs-task";
const ACCOUNT: &str = "123456789012";
const INSTANCE: &str = "i-0123456789abcdef0";
const MOST_TOKENS: usize = 1000;

/// Session tokens of the metadata service and when they end.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, SystemTime>>);

/// `imds` or `container` if the path is theirs and nothing is signed.
pub(super) fn claims(head: &Head) -> Option<&'static str> {
    if head.header("authorization").starts_with("AWS") {
        return None;
    }
    let imds = ["/latest/meta-data", "/latest/api/token", "/latest/dynamic"];
    if imds.iter().any(|start| head.path.starts_with(start)) {
        return Some("imds");
    }
    head.path
        .starts_with("/v2/credentials")
        .then_some("container")
}

pub(super) fn answer(state: &State, head: &Head, note: &mut Note) -> Result<Reply, Fault> {
    let reply = if note.service == "container" {
        note.operation = "GetCredentials".into();
        container(state, head)
    } else if head.path == "/latest/api/token" {
        note.operation = "GetToken".into();
        token(state, head)
    } else {
        note.operation = "GetMetadata".into();
        metadata(state, head)
    };
    Ok(reply.map(body::full))
}

fn token(state: &State, head: &Head) -> Response<Bytes> {
    if head.method != "PUT" {
        return page(405, "Method Not Allowed");
    }
    if head.has_header("x-forwarded-for") {
        return page(403, "Forbidden");
    }
    let lasts = head.header("x-aws-ec2-metadata-token-ttl-seconds").parse();
    let Ok(lasts @ 1..=21_600_u64) = lasts else {
        return page(400, "Bad Request");
    };
    let now = state.now();
    let mut tokens = lock(&state.metadata.0);
    tokens.retain(|_, end| *end > now);
    if tokens.len() >= MOST_TOKENS {
        return page(503, "Service Unavailable");
    }
    let seed = format!("imds token {} {}", tokens.len(), times::basic(now));
    let token = hash::base64(&[hash::sha256(seed.as_bytes()), vec![0; 10]].concat());
    tokens.insert(token.clone(), now + Duration::from_secs(lasts));
    let mut reply = plain(token);
    let header = hyper::header::HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
    reply.headers_mut().insert(header, lasts.into());
    reply
}

fn metadata(state: &State, head: &Head) -> Response<Bytes> {
    let given = head.header("x-aws-ec2-metadata-token");
    let now = state.now();
    let valid = lock(&state.metadata.0)
        .get(given)
        .is_some_and(|end| *end > now);
    if !valid {
        return page(401, "Unauthorized");
    }
    let region = "us-west-2";
    match head.path.trim_end_matches('/') {
        "/latest/meta-data/iam/security-credentials" => plain(EC2_ROLE.into()),
        "/latest/meta-data/iam/security-credentials/ec2-app" => {
            credentials(state, EC2_ROLE, INSTANCE, "AWS-HMAC")
        }
        "/latest/meta-data/iam/info" => json_reply(&json!({
            "Code": "Success",
            "LastUpdated": times::iso(now),
            "InstanceProfileArn": format!("arn:aws:iam::{ACCOUNT}:instance-profile/{EC2_ROLE}"),
            "InstanceProfileId": "AIPAEXAMPLE22EXAMPLE",
        })),
        "/latest/meta-data/instance-id" => plain(INSTANCE.into()),
        "/latest/meta-data/placement/region" => plain(region.into()),
        "/latest/meta-data/placement/availability-zone" => plain(format!("{region}a")),
        "/latest/dynamic/instance-identity/document" => json_reply(&json!({
            "accountId": ACCOUNT,
            "architecture": "x86_64",
            "availabilityZone": format!("{region}a"),
            "instanceId": INSTANCE,
            "instanceType": "t3.micro",
            "region": region,
            "version": "2017-09-30",
        })),
        _ => page(404, "Not Found"),
    }
}

fn container(state: &State, head: &Head) -> Response<Bytes> {
    if head.path == CONTAINER {
        return credentials(state, ECS_ROLE, "container", "");
    }
    let (code, message) = match head.path.trim_end_matches('/') {
        "/v2/credentials" => ("NoIdInRequest", "No Credential ID in the request"),
        _ => ("InvalidIdInRequest", "Credentials not found"),
    };
    let body = json!({
        "code": code,
        "message": format!("CredentialsV2Request: {message}"),
        "HTTPErrorCode": 400,
    });
    let mut reply = json_reply(&body);
    *reply.status_mut() = StatusCode::BAD_REQUEST;
    reply
}

/// A fresh session of one of the world's roles, in the form of either endpoint.
fn credentials(state: &State, role: &str, session: &str, kind: &str) -> Response<Bytes> {
    let Some((account, role)) = state.world.role(ACCOUNT, role) else {
        return page(404, "Not Found");
    };
    let now = state.now();
    let principal = Principal::assumed(account, role, session, None);
    let issued = state.keyring.issue(principal, now, Duration::from_hours(6));
    let mut body = json!({
        "AccessKeyId": issued.id,
        "SecretAccessKey": issued.secret,
        "Token": issued.token,
        "Expiration": times::iso(issued.expires),
    });
    if kind.is_empty() {
        body["RoleArn"] = role.arn(&account.id).into();
    } else {
        body["Code"] = "Success".into();
        body["LastUpdated"] = times::iso(now).into();
        body["Type"] = kind.into();
    }
    json_reply(&body)
}

fn json_reply(body: &serde_json::Value) -> Response<Bytes> {
    typed("application/json", body.to_string())
}

fn plain(text: String) -> Response<Bytes> {
    typed("text/plain", text)
}

fn typed(kind: &'static str, text: String) -> Response<Bytes> {
    let mut reply = Response::new(Bytes::from(text));
    let headers = reply.headers_mut();
    headers.insert(
        "content-type",
        hyper::header::HeaderValue::from_static(kind),
    );
    headers.insert("server", hyper::header::HeaderValue::from_static("EC2ws"));
    reply
}

/// The metadata service speaks HTML when it refuses.
fn page(status: u16, title: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html>\n <head>\n  \
         <title>{status} - {title}</title>\n </head>\n <body>\n  <h1>{status} - {title}</h1>\n \
         </body>\n</html>\n"
    );
    let mut reply = typed("text/html", body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    reply
}
