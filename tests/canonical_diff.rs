//! AWS's echo against what was signed: every mutation in every shape of reply, from the
//! bytes of the head to the finding's sentence.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::SystemTime;

use sigscope::aws::error::{self, Shape};
use sigscope::capture::exchange::{
    Exchange, Finding, Grade, Reply, ReplyError, Request, Sent, Signing,
};
use sigscope::diagnose::canonical_diff::{Component, differences, string_differences};
use sigscope::diagnose::{History, diagnose};
use sigscope::secret::mask::{Masker, Options};
use sigscope::secret::{Credentials, Raw, Wire};
use sigscope::sigv4::{
    RequestView, Rules, Scope, SigningKey, canonicalise, sha256_hex, string_to_sign,
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKENcanaryNothingShowsThis0123456789abcdefghij==";

#[derive(Clone)]
struct Call {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    /// Signed besides those that are always signed.
    unsigned: Vec<&'static str>,
    date: String,
    scope: Scope,
    payload: String,
}

impl Call {
    fn header(&mut self, name: &str) -> &mut String {
        &mut self
            .headers
            .iter_mut()
            .find(|(given, _)| given == name)
            .unwrap()
            .1
    }

    fn signed(&self) -> Vec<String> {
        let names = self.headers.iter().map(|(name, _)| name.to_lowercase());
        let mut names: Vec<String> = names
            .filter(|name| !self.unsigned.contains(&name.as_str()))
            .collect();
        names.sort();
        names
    }

    /// Canonical request and string to sign.
    fn texts(&self) -> (Vec<u8>, String) {
        let headers: Vec<(&[u8], &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let target = self.target.as_bytes();
        let view = RequestView {
            method: self.method,
            target,
            headers: &headers,
            payload: &self.payload,
        };
        let canonical = canonicalise(
            &view,
            Rules::for_signing_name(&self.scope.service),
            &self.signed(),
        );
        let to_sign = string_to_sign("AWS4-HMAC-SHA256", &self.date, &self.scope, &canonical);
        (canonical.text().to_vec(), to_sign)
    }

    fn head(&self, signature: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let (scope, signed) = (&self.scope, self.signed().join(";"));
        head += &format!(
            "authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}\r\n"
        );
        head + "\r\n"
    }
}

fn bases() -> Vec<Call> {
    let call = |method, target: &str, service: &str, host: &str| {
        let payload = sha256_hex(b"the body");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Call {
            method,
            target: target.to_owned(),
            headers: vec![
                header("host", host),
                header("accept-encoding", "identity"),
                header("content-length", "8"),
                header("content-type", "application/json"),
                header("user-agent", "app/1.0"),
                header("x-amz-content-sha256", &payload),
                header("x-amz-date", "20261122T101500Z"),
                header("x-amz-security-token", TOKEN),
                header("x-note", "it's a  note"),
            ],
            unsigned: vec!["x-note"],
            date: "20261122T101500Z".to_owned(),
            scope: Scope {
                date: "20261122".to_owned(),
                region: "us-east-1".to_owned(),
                service: service.to_owned(),
            },
            payload,
        }
    };
    vec![
        call(
            "PUT",
            "/base/Some%2FKey%20x/?list-type=2&prefix=a%2Fb&mark=x%20y",
            "s3",
            "b.s3.us-east-1.amazonaws.com",
        ),
        call(
            "POST",
            "/base/v1/Thing%20x/?a=1&prefix=a%2Fb&mark=x%20y",
            "execute-api",
            "x.execute-api.us-east-1.amazonaws.com",
        ),
    ]
}

type Mutation = (&'static str, Component, fn(&mut Call));

fn of_header(name: &str) -> Component {
    Component::Header(name.to_owned())
}

fn of_query(name: &str) -> Component {
    Component::Query(name.to_owned())
}

/// What is done to the request as it was signed; AWS sees it as it was.
fn mutations() -> Vec<Mutation> {
    vec![
        ("method", Component::Method, |call| call.method = "GET"),
        ("path decoded", Component::Path, |call| {
            call.target = call.target.replacen("%20x", "%2520x", 1)
        }),
        ("path prefix taken off", Component::Path, |call| {
            call.target = format!("/stage{}", call.target)
        }),
        ("path prefix put on", Component::Path, |call| {
            call.target = call.target.replacen("/base", "", 1)
        }),
        ("path slash", Component::Path, |call| {
            call.target = call.target.replacen("/?", "?", 1)
        }),
        ("path case", Component::Path, |call| {
            call.target = call.target.replacen("/base", "/Base", 1)
        }),
        ("path plus", Component::Path, |call| {
            call.target = call.target.replacen("%20x", "+x", 1)
        }),
        ("path segment", Component::Path, |call| {
            call.target = call.target.replacen("/base", "/other", 1)
        }),
        ("parameter added", of_query("zz"), |call| {
            call.target += "&zz=1"
        }),
        ("parameter lost", of_query("mark"), |call| {
            call.target = call.target.replace("&mark=x%20y", "")
        }),
        ("parameter changed", of_query("prefix"), |call| {
            call.target = call.target.replace("a%2Fb", "a%2Fc")
        }),
        ("parameter escaped twice", of_query("prefix"), |call| {
            call.target = call.target.replace("a%2Fb", "a%252Fb")
        }),
        ("parameter twice", of_query("mark"), |call| {
            call.target += "&mark=z"
        }),
        ("parameter plus", of_query("mark"), |call| {
            call.target = call.target.replace("x%20y", "x%2By")
        }),
        ("host port", of_header("host"), |call| {
            *call.header("host") += ":8443"
        }),
        ("host", of_header("host"), |call| {
            *call.header("host") = "127.0.0.1:8787".to_owned()
        }),
        ("date", of_header("x-amz-date"), |call| {
            *call.header("x-amz-date") = "20261122T101459Z".to_owned()
        }),
        ("charset", of_header("content-type"), |call| {
            *call.header("content-type") += "; charset=utf-8"
        }),
        ("length", of_header("content-length"), |call| {
            *call.header("content-length") = "9".to_owned()
        }),
        ("user agent", of_header("user-agent"), |call| {
            *call.header("user-agent") = "app/1.0 proxy".to_owned()
        }),
        ("accept-encoding", of_header("accept-encoding"), |call| {
            *call.header("accept-encoding") = "gzip".to_owned()
        }),
        ("token", of_header("x-amz-security-token"), |call| {
            *call.header("x-amz-security-token") = TOKEN.replace("AWS", "SWA") + "other"
        }),
        ("token cut", of_header("x-amz-security-token"), |call| {
            call.header("x-amz-security-token").truncate(60)
        }),
        ("header more", Component::SignedHeaders, |call| {
            call.unsigned.clear()
        }),
        ("header less", Component::SignedHeaders, |call| {
            call.unsigned.push("user-agent")
        }),
        ("header gone", Component::SignedHeaders, |call| {
            call.headers.retain(|(name, _)| name != "content-type")
        }),
        ("payload", of_header("x-amz-content-sha256"), |call| {
            call.payload = sha256_hex(b"another");
            *call.header("x-amz-content-sha256") = call.payload.clone();
        }),
        (
            "payload unsigned",
            of_header("x-amz-content-sha256"),
            |call| {
                call.payload = "UNSIGNED-PAYLOAD".to_owned();
                *call.header("x-amz-content-sha256") = call.payload.clone();
            },
        ),
        ("scope day", Component::ScopeDate, |call| {
            call.scope.date = "20261121".to_owned()
        }),
        ("scope region", Component::ScopeRegion, |call| {
            call.scope.region = "us-west-2".to_owned()
        }),
    ]
}

fn spaced_hex(text: &[u8]) -> String {
    text.iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The body of a refusal in each of the shapes that carry the text.
fn replies(canonical: &[u8], to_sign: &str) -> Vec<(&'static str, Vec<u8>)> {
    let text = String::from_utf8_lossy(canonical).into_owned();
    let code = "<Code>SignatureDoesNotMatch</Code>";
    let said = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    let message = format!(
        "{said}\n\nThe Canonical String for this request should have been\n'{text}'\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
    );
    let elements = format!(
        "<Error>{code}<Message>{said}</Message><StringToSign>{}</StringToSign><CanonicalRequest>{}</CanonicalRequest></Error>",
        escaped(to_sign),
        escaped(&text)
    );
    let bytes = format!(
        "<Error>{code}<Message>{said}</Message><StringToSign>x</StringToSign><StringToSignBytes>{}</StringToSignBytes><CanonicalRequestBytes>{}</CanonicalRequestBytes></Error>",
        spaced_hex(to_sign.as_bytes()),
        spaced_hex(canonical)
    );
    let json = error::render(
        Shape::Json11,
        400,
        "InvalidSignatureException",
        &message,
        "1",
    )
    .body;
    let query = error::render(Shape::Query, 403, "SignatureDoesNotMatch", &message, "1").body;
    vec![
        ("S3", elements.into_bytes()),
        ("S3 bytes", bytes.into_bytes()),
        ("JSON", json),
        ("query", query),
    ]
}

fn masker() -> Masker {
    Masker::new(
        [7; 32],
        Options {
            payloads: false,
            decoded_limit: 1 << 20,
        },
    )
}

/// The first finding about a request that was signed as `signed` and refused with that body.
fn found(signed: &Call, signature: &str, body: &[u8], secret: Option<&str>) -> Option<Finding> {
    let error = error::parse(403, &|_| None, body).unwrap();
    let mut exchange = Exchange {
        started_at: "2026-11-22T10:15:00.000Z".to_owned(),
        received: Some(Request::default()),
        sent: Some(Sent {
            signing: Signing {
                mode: "as-signed".to_owned(),
                ..Signing::default()
            },
            ..Sent::default()
        }),
        reply: Some(Reply {
            status: 403,
            error: Some(ReplyError {
                code: error.code,
                message: error.message,
            }),
            ..Reply::default()
        }),
        ..Exchange::default()
    };
    let wire = |head: &[u8], body: &[u8]| Wire {
        head: head.to_vec().into(),
        body: body.to_vec().into(),
        body_size: body.len() as u64,
        complete: true,
        ..Wire::default()
    };
    let held = secret
        .map(|secret| std::sync::Arc::new(Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, None)));
    let head = signed.head(signature);
    let raw = Raw {
        received: wire(head.as_bytes(), b"the body"),
        sent: Some(wire(head.as_bytes(), b"the body")),
        reply: Some(wire(b"HTTP/1.1 403 Forbidden\r\n\r\n", body)),
        signed_with: None,
        client_credentials: held,
    };
    diagnose(
        &mut exchange,
        &raw,
        Some(SystemTime::UNIX_EPOCH),
        &masker(),
        &mut History::new(),
    );
    exchange.findings.into_iter().next()
}

#[test]
fn the_mutated_component_is_named() {
    let (mut right, mut all) = (0, 0);
    let mut wrong = Vec::new();
    for base in bases() {
        let (theirs, their_string) = base.texts();
        for (name, component, mutate) in mutations() {
            let mut signed = base.clone();
            mutate(&mut signed);
            let (ours, our_string) = signed.texts();
            let mut differences = differences(&ours, &theirs);
            if differences.is_empty() {
                differences = string_differences(&our_string, &their_string);
            }
            let named = differences
                .iter()
                .any(|difference| difference.component == component);
            let says = differences
                .iter()
                .find(|difference| difference.component == component)
                .map(|d| d.says());
            for (shape, body) in replies(&theirs, &their_string) {
                all += 1;
                let finding = found(&signed, &"a".repeat(64), &body, None).unwrap();
                let told = format!("{}\n{}", finding.summary, finding.evidence.join("\n"));
                assert!(
                    !told.contains(TOKEN) && !told.contains(&TOKEN[..24]),
                    "a token is shown: {told}"
                );
                let is = named
                    && finding.code == "sig-mismatch-canonical-echo"
                    && finding.grade == Grade::Computed
                    && says.as_ref().is_some_and(|says| told.contains(says));
                if is {
                    right += 1
                } else {
                    wrong.push(format!(
                        "{name} in {shape} ({}): {finding:?}",
                        base.scope.service
                    ))
                }
            }
        }
    }
    println!("{} mutations, {right} of {all} named", mutations().len());
    assert!(mutations().len() >= 25);
    assert!(right as f64 / all as f64 >= 0.99, "{}", wrong.join("\n"));
}

#[test]
fn equal_texts_leave_the_secret() {
    let call = bases().remove(0);
    let (canonical, to_sign) = call.texts();
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET, None);
    let own = SigningKey::derive(&credentials, &call.scope)
        .unwrap()
        .sign(to_sign.as_bytes());
    for (_, body) in replies(&canonical, &to_sign) {
        let finding = found(&call, &own, &body, Some(SECRET)).unwrap();
        assert_eq!(finding.grade, Grade::Computed);
        assert!(
            finding.summary.contains("AWS has another secret"),
            "{}",
            finding.summary
        );
        let finding = found(&call, &"a".repeat(64), &body, Some(SECRET)).unwrap();
        assert!(
            finding.summary.contains("the client signed another text"),
            "{}",
            finding.summary
        );
        let finding = found(&call, &own, &body, None).unwrap();
        assert_eq!(finding.grade, Grade::Inferred);
        let stray = format!("{SECRET}\n");
        let finding = found(&call, &own, &body, Some(&stray)).unwrap();
        assert!(
            finding
                .evidence
                .iter()
                .any(|line| line.contains("a line end")),
            "{finding:?}"
        );
        assert!(!format!("{finding:?}").contains(SECRET));
    }
}

#[test]
fn sentences_name_the_cause() {
    let text = |path: &str| format!("GET\n{path}\n\nhost:x\n\nhost\nUNSIGNED-PAYLOAD");
    let cases = [
        ("/a%252Fb", "/a%2Fb", "decoded"),
        ("/a%2Fb", "/a/b", "decoded"),
        ("/a%20b", "/a%2520b", "again"),
        ("/prod/x", "/x", "prefix off"),
        ("/x", "/prod/x", "put a prefix"),
        ("/x/", "/x", "slash at its end"),
        ("/a//b", "/a/b", "double slashes"),
        ("/A", "/a", "case"),
        ("/caf%C3%A9", "/cafe%CC%81", "rewrote"),
    ];
    for (ours, theirs, words) in cases {
        let found = differences(text(ours).as_bytes(), text(theirs).as_bytes());
        assert_eq!(found[0].component, Component::Path);
        assert_eq!(
            found[0].at,
            text(ours)
                .bytes()
                .zip(text(theirs).bytes())
                .take_while(|(a, b)| a == b)
                .count()
        );
        assert!(
            found[0].says().contains(words),
            "{ours} {theirs}: {}",
            found[0].says()
        );
    }
}
