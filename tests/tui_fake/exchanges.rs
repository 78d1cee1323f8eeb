//! Exchanges as the record keeps them: masked, with AWS's documented example keys.

use sigscope::{
    capture::{
        Exchange,
        exchange::{
            Change, ChangeAction, Client, ClientSignature, Door, Evidence, Fault, FaultKind,
            Finding, Fix, Grade, Header, Identity, Reply, ReplyError, ReplyFrom, Request, Role,
            Route, SecondOpinion, Sent, Signing, Timing,
        },
    },
    secret::mask::Body,
    tui::engine::RowLine,
};

pub fn all() -> Vec<Exchange> {
    vec![
        good_sts(1),
        failing_secret(2),
        chunked_put(3),
        replay_of(failing_secret(4), 2),
        fault(5),
        long_body(6, 10_000),
        invalid_client(7),
        binary(8),
    ]
}

pub fn row(exchange: &Exchange) -> RowLine {
    let signed = match (exchange.client.signature, &exchange.client.lane) {
        (ClientSignature::Invalid, _) => "invalid",
        (ClientSignature::Valid, Some(_)) => "lane",
        (ClientSignature::Valid, None) => "valid",
        (ClientSignature::UnknownKey, _) => "unknown-key",
        (ClientSignature::None, _) => "none",
    };
    let status = match (&exchange.reply, &exchange.fault) {
        (_, Some(fault)) => fault.kind.as_str().to_owned(),
        (Some(reply), None) => reply.status.to_string(),
        (None, None) => String::new(),
    };
    let identity = exchange.identity.as_ref();
    RowLine {
        id: exchange.id,
        time: exchange.started_at[11..19].to_owned(),
        profile: identity.and_then(|i| i.profile.clone()).unwrap_or_default(),
        call: exchange.call(),
        region: exchange
            .route
            .as_ref()
            .and_then(|route| route.region.clone())
            .unwrap_or_default(),
        status,
        signed: signed.to_owned(),
        ms: exchange.timing_us.total.map(|us| us / 1000),
        why: exchange
            .findings
            .first()
            .map(|f| f.code.clone())
            .unwrap_or_default(),
        failed: exchange.failed(),
        replay_of: exchange.replay_of,
        marked: false,
    }
}

fn headers(pairs: &[(&str, &str)]) -> Vec<Header> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn text(kind: &str, text: &str) -> Body {
    Body {
        size: text.len() as u64,
        sha256: Some("4f2a".repeat(16)),
        content_type: Some(kind.to_owned()),
        text: Some(text.to_owned()),
        kept: text.len() as u64,
        ..Body::default()
    }
}

fn change(action: ChangeAction, what: &str, why: &str) -> Change {
    Change {
        action,
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

const AUTH: &str = "AWS4-HMAC-SHA256 Credential=AKIA…MPLE/20261122/us-west-2/sts/aws4_request, \
                    SignedHeaders=content-type;host;x-amz-date, Signature=4f232c…a0a9";

fn base(id: u64, service: &str, operation: &str, time: &str) -> Exchange {
    let host = format!("{service}.us-west-2.amazonaws.com");
    let received = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        url: format!("https://{host}/"),
        version: "HTTP/1.1".to_owned(),
        headers: headers(&[
            ("Host", &host),
            (
                "User-Agent",
                "aws-cli/2.31.0 md/awscrt#0.28 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13 md/prompt#off md/command#sts.get-caller-identity",
            ),
            (
                "Content-Type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            ("X-Amz-Date", "20261122T104207Z"),
            ("Authorization", AUTH),
            ("Content-Length", "43"),
        ]),
        body: text(
            "application/x-www-form-urlencoded; charset=utf-8",
            "Action=GetCallerIdentity&Version=2011-06-15",
        ),
    };
    let mut sent = received.clone();
    sent.headers.insert(
        4,
        (
            "X-Amz-Security-Token".to_owned(),
            "‹session token 912 chars #01869e›".to_owned(),
        ),
    );
    Exchange {
        id,
        started_at: format!("2026-11-22T{time}.118Z"),
        door: Door::EndpointUrl,
        replay_of: None,
        client: Client {
            address: Some("127.0.0.1:51724".to_owned()),
            lane: Some("pdx".to_owned()),
            access_key_id: Some("SIGSCOPE…IJKL".to_owned()),
            signature: ClientSignature::Valid,
        },
        received: Some(received),
        route: Some(Route {
            service: Some(service.to_owned()),
            signing_name: Some(service.to_owned()),
            region: Some("us-west-2".to_owned()),
            operation: Some(operation.to_owned()),
            iam_action: Some(format!("{service}:{operation}")),
            upstream: Some(format!("https://{host}")),
            how: vec![
                Evidence {
                    field: "service".to_owned(),
                    from: "scope".to_owned(),
                    evidence: format!("20261122/us-west-2/{service}/aws4_request"),
                },
                Evidence {
                    field: "operation".to_owned(),
                    from: "action".to_owned(),
                    evidence: operation.to_owned(),
                },
            ],
        }),
        identity: Some(Identity {
            profile: Some("pdx".to_owned()),
            kind: Some("assume-role".to_owned()),
            access_key_id: Some("ASIA…MPLQ".to_owned()),
            account: Some("123456789012".to_owned()),
            expires_at: Some("2026-11-22T11:23:30Z".to_owned()),
            chain: vec![
                "static keys of default".to_owned(),
                "AssumeRole deploy".to_owned(),
            ],
        }),
        sent: Some(Sent {
            request: sent,
            signing: signing(service),
        }),
        reply: None,
        timing_us: Timing {
            held: None,
            credentials: Some(180),
            sign: Some(64),
            connect: Some(17_400),
            first_byte: Some(40_200),
            total: Some(41_070),
        },
        fault: None,
        findings: Vec::new(),
    }
}

fn signing(service: &str) -> Signing {
    Signing {
        algorithm: Some("AWS4-HMAC-SHA256".to_owned()),
        mode: "header/signed".to_owned(),
        credential_scope: Some(format!("20261122/us-west-2/{service}/aws4_request")),
        signed_headers: ["content-type", "host", "x-amz-date", "x-amz-security-token"]
            .map(str::to_owned)
            .to_vec(),
        canonical_request: Some(format!(
            "POST\n/\n\ncontent-type:application/x-www-form-urlencoded; charset=utf-8\n\
             host:{service}.us-west-2.amazonaws.com\nx-amz-date:20261122T104207Z\n\
             x-amz-security-token:‹session token 912 chars #01869e›\n\n\
             content-type;host;x-amz-date;x-amz-security-token\n\
             ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843"
        )),
        string_to_sign: Some(format!(
            "AWS4-HMAC-SHA256\n20261122T104207Z\n20261122/us-west-2/{service}/aws4_request\n\
             9b1f8d5c0d3a7e5b9b1f8d5c0d3a7e5b9b1f8d5c0d3a7e5b9b1f8d5c0d3a7e5b"
        )),
        signature: Some("7d41c0…19fe".to_owned()),
        changes: vec![
            change(
                ChangeAction::Rewritten,
                "header authorization",
                "signed again as pdx",
            ),
            change(
                ChangeAction::Rewritten,
                "header x-amz-date",
                "the time of our signature",
            ),
            change(
                ChangeAction::Added,
                "header x-amz-security-token",
                "the role's session",
            ),
            change(
                ChangeAction::Stripped,
                "header user-agent-trace",
                "hop by hop",
            ),
        ],
        second_opinion: SecondOpinion::NotAsked,
    }
}

fn reply(status: u16, body: Body, error: Option<(&str, &str)>) -> Reply {
    Reply {
        from: ReplyFrom::Upstream,
        status,
        version: "HTTP/1.1".to_owned(),
        headers: headers(&[
            ("x-amzn-RequestId", "7f0c2a5e-5d0b-4c57-a5a3-2f6f0f0c9f11"),
            (
                "Content-Type",
                body.content_type.as_deref().unwrap_or("text/plain"),
            ),
            ("Content-Length", &body.size.to_string()),
            ("Date", "Sun, 22 Nov 2026 10:42:07 GMT"),
        ]),
        body,
        request_id: Some("7f0c2a5e-5d0b-4c57-a5a3-2f6f0f0c9f11".to_owned()),
        error: error.map(|(code, message)| ReplyError {
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
        }),
    }
}

pub fn good_sts(id: u64) -> Exchange {
    let mut exchange = base(id, "sts", "GetCallerIdentity", "10:42:07");
    exchange.reply = Some(reply(
        200,
        text(
            "text/xml",
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/deploy/s</Arn>\
             <UserId>AROAEXAMPLE:s</UserId><Account>123456789012</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
        ),
        None,
    ));
    exchange
}

pub fn failing_secret(id: u64) -> Exchange {
    let mut exchange = base(id, "secretsmanager", "GetSecretValue", "10:42:09");
    for request in [
        exchange.received.as_mut().unwrap(),
        &mut exchange.sent.as_mut().unwrap().request,
    ] {
        request.body = text(
            "application/x-amz-json-1.1",
            r#"{"SecretId":"prod/db","n":[1,true]}"#,
        );
        request.headers[2].1 = "application/x-amz-json-1.1".to_owned();
        request.headers.insert(
            3,
            (
                "X-Amz-Target".to_owned(),
                "secretsmanager.GetSecretValue".to_owned(),
            ),
        );
    }
    exchange.sent.as_mut().unwrap().signing.second_opinion = SecondOpinion::Agrees;
    let message = "The request signature we calculated does not match the signature you \
                   provided. Check your AWS Secret Access Key and signing method.";
    exchange.reply = Some(reply(
        403,
        text(
            "application/x-amz-json-1.1",
            &format!(r#"{{"__type":"InvalidSignatureException","message":"{message}"}}"#),
        ),
        Some(("InvalidSignatureException", message)),
    ));
    exchange.timing_us.connect = None;
    exchange.timing_us.total = Some(38_400);
    exchange.findings = vec![
        Finding {
            code: "scope-wrong-region".to_owned(),
            grade: Grade::Computed,
            role: Role::Cause,
            summary: "It was signed for us-west-2, but the host is in eu-central-1.".to_owned(),
            evidence: vec![
                "scope 20261122/us-west-2/secretsmanager/aws4_request".to_owned(),
                "host  secretsmanager.eu-central-1.amazonaws.com".to_owned(),
            ],
            refuted_by: Some("the same request signed for eu-central-1 fails too".to_owned()),
            fix: vec![Fix {
                label: "Sign for the region of the host.".to_owned(),
                command: Some("aws configure set region eu-central-1 --profile pdx".to_owned()),
                action: None,
            }],
        },
        Finding {
            code: "aws-said".to_owned(),
            grade: Grade::AwsSaid,
            role: Role::Note,
            summary: message.to_owned(),
            evidence: Vec::new(),
            refuted_by: None,
            fix: Vec::new(),
        },
    ];
    exchange
}

pub fn chunked_put(id: u64) -> Exchange {
    let mut exchange = base(id, "s3", "PutObject", "10:42:11");
    for request in [
        exchange.received.as_mut().unwrap(),
        &mut exchange.sent.as_mut().unwrap().request,
    ] {
        request.method = "PUT".to_owned();
        request.target = "/reports/2026/Q4%20summary.txt?x-id=PutObject".to_owned();
        request.url = format!("https://acme.s3.us-west-2.amazonaws.com{}", request.target);
        request.headers.push((
            "x-amz-content-sha256".to_owned(),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".to_owned(),
        ));
        request
            .headers
            .push(("Content-Encoding".to_owned(), "aws-chunked".to_owned()));
        request.body = text(
            "text/plain",
            "first line\nsecond\tline with a tab\n\x1b[31mred?\n",
        );
        request.body.rendered = Some("aws-chunked".to_owned());
    }
    let sent = exchange.sent.as_mut().unwrap();
    sent.signing.mode = "header/streaming-signed-trailer".to_owned();
    exchange.reply = Some(reply(200, Body::default(), None));
    exchange
}

pub fn replay_of(mut exchange: Exchange, parent: u64) -> Exchange {
    exchange.door = Door::Replay;
    exchange.replay_of = Some(parent);
    exchange.client = Client::default();
    exchange
}

pub fn fault(id: u64) -> Exchange {
    let mut exchange = base(id, "dynamodb", "ListTables", "10:42:15");
    exchange.timing_us.first_byte = None;
    exchange.timing_us.total = Some(10_000_400);
    exchange.fault = Some(Fault {
        stage: "forward".to_owned(),
        kind: FaultKind::Timeout,
        message: "dynamodb.us-west-2.amazonaws.com did not take the connection within 10 s.\n\
                  Is the VPN up? limits.connect_ms sets the wait."
            .to_owned(),
    });
    exchange
}

pub fn long_body(id: u64, lines: usize) -> Exchange {
    let mut exchange = base(id, "dynamodb", "Scan", "10:42:17");
    let items: Vec<String> = (0..lines / 4)
        .map(|n| format!(r#"{{"id":{{"N":"{n}"}}}}"#))
        .collect();
    let body = format!(
        r#"{{"Count":{},"Items":[{}]}}"#,
        items.len(),
        items.join(",")
    );
    exchange.reply = Some(reply(200, text("application/x-amz-json-1.0", &body), None));
    exchange
}

pub fn invalid_client(id: u64) -> Exchange {
    let mut exchange = good_sts(id);
    exchange.started_at = "2026-11-22T10:42:19.500Z".to_owned();
    exchange.client.signature = ClientSignature::Invalid;
    exchange
}

pub fn binary(id: u64) -> Exchange {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let mut exchange = base(id, "s3", "GetObject", "10:42:20");
    let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
    exchange.reply = Some(reply(
        206,
        Body {
            size: 4_194_304,
            content_type: Some("application/octet-stream".to_owned()),
            base64: Some(BASE64_STANDARD.encode(&bytes)),
            kept: 1000,
            ..Body::default()
        },
        None,
    ));
    exchange
}
