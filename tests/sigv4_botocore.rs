//! Ours against botocore, over requests as SDKs make them. It runs where
//! `SIGSCOPE_ORACLE_PYTHON` names a Python that has botocore, and passes as skipped elsewhere.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sigv4_support;

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigscope::secret::Credentials;
use sigscope::sigv4::{
    KeyCache, Rules, Signed, SigningInput, presign, presigned_payload, sign_headers,
};
use sigv4_support::{Request, Rng, cases, example, example_day};

const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//+=";

struct Case {
    request: Request,
    service: &'static str,
    token: bool,
    expires: Option<u64>,
}

impl Case {
    fn generate(rng: &mut Rng) -> Self {
        let service = *rng.pick(&[&"sts", &"execute-api", &"lambda", &"s3", &"s3express"]);
        let expires = rng.one_in(3).then_some(900);
        let body = if expires.is_none() && rng.one_in(2) {
            let length = rng.below(100);
            rng.bytes(length)
        } else {
            Vec::new()
        };
        let target = path(rng, service.starts_with("s3")) + &query(rng, expires.is_some());
        let method = rng.pick(&["GET", "PUT", "POST", "HEAD", "DELETE"]);
        let mut request = Request::new(method, &target, &[("Host", "h.amazonaws.com")], &body);
        request.headers.extend(headers(rng));
        if expires.is_some() {
            request.payload = presigned_payload(service, &request.payload).to_owned();
        }
        Self {
            request,
            service,
            token: rng.one_in(3),
            expires,
        }
    }

    fn credentials(&self) -> Credentials {
        let example = example();
        let token = self.token.then(|| TOKEN.as_bytes().to_vec());
        Credentials::new(
            example.access_key_id,
            example.secret_access_key.expose(),
            token,
        )
    }

    fn ours(&self, cache: &KeyCache) -> Signed {
        let headers = self.request.headers();
        let names = self.request.names();
        let also: Vec<&str> = names.iter().map(String::as_str).collect();
        let input = SigningInput {
            credentials: &self.credentials(),
            region: "eu-west-1",
            service: self.service,
            time: example_day(),
            rules: Rules::for_signing_name(self.service),
            view: self.request.view(&headers),
            also: &also,
        };
        match self.expires {
            Some(expires) => presign(&input, cache, expires).unwrap(),
            None => sign_headers(&input, cache).unwrap(),
        }
    }

    fn job(&self) -> Value {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let headers: Vec<_> = self
            .request
            .headers
            .iter()
            .map(|(name, value)| [text(name), text(value)])
            .collect();
        let credentials = self.credentials();
        json!({
            "method": self.request.method,
            "url": format!("https://h.amazonaws.com{}", text(&self.request.target)),
            "headers": headers,
            "body_base64": STANDARD.encode(&self.request.body),
            "service": self.service,
            "region": "eu-west-1",
            "time": "20130524T000000Z",
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key.expose_str(),
            "token": self.token.then_some(TOKEN),
            "expires": self.expires,
        })
    }
}

/// Escaped as SDKs do. The last segment is never a dot: see the known difference below.
fn path(rng: &mut Rng, s3: bool) -> String {
    let parts: &[&str] = if s3 {
        &[
            "a", "Key-1", "~", ".", "..", "/", "//", "%20", "%C3%BC", "%2B",
        ]
    } else {
        &[
            "a", "~", "/./", "/../", "/", "//", "%20", "%2F", "%C3%BC", "%7E", "@", ":", "+",
        ]
    };
    format!("/{}z", rng.join(parts, 8))
}

fn query(rng: &mut Rng, presigned: bool) -> String {
    let values = [
        "", "a", "b-c", "~", "%20", "%2B", "%2F", "%3D", "%C3%BC", "2", "10",
    ];
    let mut names = vec![
        "list-type",
        "prefix",
        "a",
        "A",
        "a-b",
        "x%20y",
        "%C3%BC",
        "~",
    ];
    let mut pairs = Vec::new();
    for _ in 0..rng.below(6) {
        let at = rng.below(names.len());
        // botocore keeps only the first of a repeated name when it presigns.
        let name = if presigned {
            names.remove(at)
        } else {
            names[at]
        };
        let blank = !presigned && rng.one_in(4);
        pairs.push(if blank {
            name.to_owned()
        } else {
            format!("{name}={}", rng.pick(&values))
        });
    }
    if pairs.is_empty() {
        return String::new();
    }
    format!("?{}", pairs.join("&"))
}

fn headers(rng: &mut Rng) -> Vec<(Vec<u8>, Vec<u8>)> {
    let names = [
        "Content-Type",
        "X-Amz-Meta-A",
        "x-amz-meta-a",
        "x-amz-meta-a-b",
        "X-Amz-Target",
        "Range",
        "x-custom",
        "User-Agent",
        "Content-Encoding",
        "X-Amzn-Trace-Id",
        "Expect",
        "traceparent",
    ];
    let values = [
        "a",
        " b  c ",
        "",
        "\"x   y\"",
        "a,b",
        "text/plain; q=1",
        "ü",
        "%20",
    ];
    (0..rng.below(8))
        .map(|_| (rng.pick(&names).into(), rng.pick(&values).into()))
        .collect()
}

/// Every answer of the oracle, in order.
fn ask(python: &str, jobs: &[Value]) -> Vec<Value> {
    let mut oracle = Command::new(python)
        .arg("tests/clients/botocore_oracle.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = oracle.stdin.take().unwrap();
    let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    let writer = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = oracle.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn generated_requests_are_signed_as_botocore_does() {
    let Ok(python) = std::env::var("SIGSCOPE_ORACLE_PYTHON") else {
        println!("skipped: SIGSCOPE_ORACLE_PYTHON is not set");
        return;
    };
    let mut rng = Rng(11);
    let all: Vec<Case> = (0..cases(2_000))
        .map(|_| Case::generate(&mut rng))
        .collect();
    let jobs: Vec<Value> = all.iter().map(Case::job).collect();
    let answers = ask(&python, &jobs);
    assert_eq!(answers.len(), all.len());
    let cache = KeyCache::default();
    for (case, theirs) in all.iter().zip(&answers) {
        let ours = case.ours(&cache);
        assert_eq!(
            text(ours.canonical.text()),
            theirs["canonical_request"],
            "{}",
            case.job()
        );
        assert_eq!(ours.string_to_sign, theirs["string_to_sign"]);
        assert_eq!(ours.signature, theirs["signature"]);
        if let Some(target) = &ours.target {
            assert_eq!(
                format!("https://h.amazonaws.com{}", text(target)),
                theirs["url"]
            );
        }
    }
}

/// Where botocore differs on requests that it never makes itself: it takes the query and S3
/// paths as they are, and drops the slash that RFC 3986 leaves after a last dot segment.
#[test]
fn where_botocore_differs() {
    let Ok(python) = std::env::var("SIGSCOPE_ORACLE_PYTHON") else {
        println!("skipped: SIGSCOPE_ORACLE_PYTHON is not set");
        return;
    };
    let cases = [
        ("sts", "/?a=%2f%7e", "a=%2F~", "a=%2f%7e"),
        ("sts", "/?a=b+c", "a=b%20c", "a=b+c"),
        ("sts", "/?a&&b", "a=&b=", "=&a=&b="),
        ("sts", "/?a=%zz", "a=%25zz", "a=%zz"),
        ("sts", "/a/.", "/a/", "/a"),
        ("s3", "/%7e+", "/~%2B", "/%7e+"),
    ]
    .map(|(service, target, ours, theirs)| {
        let host = [("Host", "h.amazonaws.com")];
        let case = Case {
            request: Request::new("GET", target, &host, b""),
            service,
            token: false,
            expires: None,
        };
        (case, ours, theirs)
    });
    let jobs: Vec<Value> = cases.iter().map(|(case, ..)| case.job()).collect();
    for ((case, ours, theirs), answer) in cases.iter().zip(ask(&python, &jobs)) {
        let signed = case.ours(&KeyCache::default());
        let has_line = |text: &str, line: &str| text.lines().any(|found| found == line);
        assert!(has_line(text(signed.canonical.text()), ours), "{ours}");
        assert!(
            has_line(answer["canonical_request"].as_str().unwrap(), theirs),
            "{theirs}"
        );
        assert_ne!(signed.signature, answer["signature"]);
    }
}
