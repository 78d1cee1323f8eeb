//! Exchanges to test with.

use std::sync::Arc;

use sigscope::capture::Row;
use sigscope::capture::exchange::*;

/// Nothing was reached.
pub(crate) fn empty(id: u64) -> Exchange {
    Exchange {
        id,
        started_at: "2026-11-22T10:42:09.123Z".to_owned(),
        ..Exchange::default()
    }
}

/// Everything was reached: a GetSecretValue that AWS refused.
pub(crate) fn refused(id: u64) -> Exchange {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let some = |text: &str| Some(text.to_owned());
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        url: "https://secretsmanager.us-west-2.amazonaws.com/".to_owned(),
        version: "HTTP/1.1".to_owned(),
        headers: vec![
            header("Host", "secretsmanager.us-west-2.amazonaws.com"),
            header("X-Amz-Target", "secretsmanager.GetSecretValue"),
            header("Content-Type", "application/x-amz-json-1.1"),
            header("X-Amz-Date", "20261122T104209Z"),
            header(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=AKIA…MPLE/20261122/us-west-2/secretsmanager/aws4_request",
            ),
        ],
        body: body(r#"{"SecretId": "prod/db's"}"#),
    };
    Exchange {
        door: Door::EndpointUrl,
        client: Client {
            address: some("127.0.0.1:50000"),
            lane: some("pdx"),
            access_key_id: some("SIGSCOPE…ABCD"),
            signature: ClientSignature::Valid,
        },
        received: Some(request.clone()),
        route: Some(Route {
            service: some("secretsmanager"),
            signing_name: some("secretsmanager"),
            region: some("us-west-2"),
            operation: some("GetSecretValue"),
            iam_action: some("secretsmanager:GetSecretValue"),
            upstream: some("https://secretsmanager.us-west-2.amazonaws.com"),
            how: vec![Evidence::default()],
        }),
        identity: Some(Identity {
            profile: some("pdx"),
            kind: some("static"),
            access_key_id: some("AKIA…MPLE"),
            ..Identity::default()
        }),
        sent: Some(Sent {
            request,
            signing: Signing {
                algorithm: some("AWS4-HMAC-SHA256"),
                mode: "header".to_owned(),
                credential_scope: some("20261122/us-west-2/secretsmanager/aws4_request"),
                changes: vec![Change {
                    action: ChangeAction::Rewritten,
                    what: "header authorization".to_owned(),
                    why: "signed again".to_owned(),
                }],
                ..Signing::default()
            },
        }),
        reply: Some(Reply {
            status: 403,
            version: "HTTP/1.1".to_owned(),
            headers: vec![header("x-amzn-ErrorType", "InvalidSignatureException")],
            body: body(r#"{"message":"Credential should be scoped to a valid region."}"#),
            request_id: some("7f"),
            error: Some(ReplyError {
                code: some("InvalidSignatureException"),
                message: some("Credential should be scoped\n to a valid region.\u{1b}[2J"),
            }),
            ..Reply::default()
        }),
        timing_us: Timing {
            total: Some(38_400),
            ..Timing::default()
        },
        findings: vec![Finding {
            code: "scope-wrong-region".to_owned(),
            grade: Grade::AwsSaid,
            role: Role::Cause,
            summary: "The scope names another region.".to_owned(),
            evidence: vec!["us-west-2".to_owned()],
            refuted_by: None,
            fix: vec![Fix {
                label: "set it".to_owned(),
                command: None,
                action: None,
            }],
        }],
        ..empty(id)
    }
}

/// A good GetObject on a long path.
pub(crate) fn good(id: u64) -> Exchange {
    let mut exchange = refused(id);
    exchange.findings.clear();
    exchange.timing_us.total = Some(1_500_000);
    let received = exchange.received.as_mut().unwrap();
    received.method = "GET".to_owned();
    received.target = format!("/photos/{id}/cat.jpg");
    received.url = format!("https://s3.eu-central-1.amazonaws.com/photos/{id}/cat.jpg");
    received.headers.truncate(1);
    received.body = Body::default();
    let route = exchange.route.as_mut().unwrap();
    route.service = Some("s3".to_owned());
    route.operation = Some("GetObject".to_owned());
    route.region = Some("eu-central-1".to_owned());
    route.upstream = Some("https://s3.eu-central-1.amazonaws.com".to_owned());
    exchange.sent.as_mut().unwrap().request = received.clone();
    let reply = exchange.reply.as_mut().unwrap();
    (reply.status, reply.error) = (200, None);
    reply.body = Body {
        size: 2_000_000,
        kept: 1_048_576,
        text: Some("meow".to_owned()),
        ..Body::default()
    };
    exchange
}

pub(crate) fn body(text: &str) -> Body {
    Body {
        size: text.len() as u64,
        kept: text.len() as u64,
        text: Some(text.to_owned()),
        ..Body::default()
    }
}

/// The row and the line of an exchange.
pub(crate) fn recorded(exchange: &Exchange) -> (Row, Arc<[u8]>) {
    (Row::of(exchange), exchange.to_json().into())
}

/// A row like another, of another exchange.
pub(crate) fn renumbered(row: &Row, id: u64, failed: bool) -> Row {
    let mut row = row.clone();
    (row.id, row.failed) = (id, failed);
    row
}
