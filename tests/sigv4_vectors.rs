//! AWS's published examples: the SigV4 test suite and the S3 documentation.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod sigv4_support;

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;
use sigscope::secret::Credentials;
use sigscope::sigv4::{
    AmzDate, ClientAuth, KeyCache, Location, Opinion, Rules, Signed, SigningInput,
    UNSIGNED_PAYLOAD, VerifyInput, client_auth, declared_payload, presign, second_opinion,
    sha256_hex, sign_headers, verify,
};
use sigv4_support::{Request, example, example_day};

/// One folder of the suite.
struct Case {
    name: String,
    request: Request,
    credentials: Credentials,
    time: SystemTime,
    rules: Rules,
    files: Box<dyn Fn(&str) -> String>,
}

impl Case {
    fn load(folder: &Path) -> Self {
        let owned = folder.to_owned();
        let files = move |name: &str| fs::read_to_string(owned.join(name)).unwrap();
        let context: Value = serde_json::from_str(&files("context.json")).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let keys = &context["credentials"];
        let stamp: String = text(&context["timestamp"])
            .chars()
            .filter(|c| !matches!(c, '-' | ':'))
            .collect();
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            request: parse(&files("request.txt")),
            credentials: Credentials::new(
                text(&keys["access_key_id"]),
                text(&keys["secret_access_key"]),
                keys["token"].as_str().map(|token| token.into()),
            ),
            time: AmzDate::parse(&stamp).unwrap(),
            rules: Rules {
                // The suite signs this one as S3 would, though its context does not say so.
                double_encode: !folder.ends_with("get-space-normalized"),
                normalize_path: context["normalize"].as_bool().unwrap(),
                token_signed: context["omit_session_token"].as_bool() != Some(true),
                content_sha256: context["sign_body"].as_bool().unwrap(),
                ..Rules::COMMON
            },
            files: Box::new(files),
        }
    }

    fn sign(&self, how: impl FnOnce(&SigningInput<'_>) -> Signed) -> (Signed, Opinion) {
        let headers = self.request.headers();
        let names = self.request.names();
        let also: Vec<&str> = names.iter().map(String::as_str).collect();
        let input = SigningInput {
            credentials: &self.credentials,
            region: "us-east-1",
            service: "service",
            time: self.time,
            rules: self.rules,
            view: self.request.view(&headers),
            also: &also,
        };
        let signed = how(&input);
        let opinion = second_opinion(&input, &signed);
        (signed, opinion)
    }
}

/// Reads the suite's raw requests: bare line ends, folded values, spaces in targets.
fn parse(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let head = head
        .replace("\r", "")
        .replace("\n ", " ")
        .replace("\n\t", " ");
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    let (method, rest) = first.split_once(' ').unwrap();
    let target = rest.rsplit_once(' ').unwrap().0;
    let headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(':').unwrap()).collect();
    Request::new(method, target, &headers, body.as_bytes())
}

fn suite() -> Vec<Case> {
    let mut cases: Vec<Case> = fs::read_dir("fixtures/sigv4/suite")
        .unwrap()
        .map(|entry| Case::load(&entry.unwrap().path()))
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(cases.len(), 38);
    cases
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_suite_in_the_header() {
    let cache = KeyCache::default();
    for case in suite() {
        let (signed, opinion) = case.sign(|input| sign_headers(input, &cache).unwrap());
        let file = |name: &str| (case.files)(&format!("header-{name}.txt"));
        let name = &case.name;
        assert_eq!(
            text(signed.canonical.text()),
            file("canonical-request"),
            "{name}"
        );
        assert_eq!(signed.string_to_sign, file("string-to-sign"), "{name}");
        assert_eq!(signed.signature, file("signature"), "{name}");
        assert_eq!(signed.location, Location::Header);
        assert!(agrees(&opinion), "{name}: {opinion:?}");
    }
}

#[test]
fn the_suite_in_the_query() {
    let cache = KeyCache::default();
    for case in suite() {
        let (signed, opinion) = case.sign(|input| presign(input, &cache, 3600).unwrap());
        let file = |name: &str| (case.files)(&format!("query-{name}.txt"));
        let name = &case.name;
        assert_eq!(
            text(signed.canonical.text()),
            file("canonical-request"),
            "{name}"
        );
        assert_eq!(signed.string_to_sign, file("string-to-sign"), "{name}");
        assert_eq!(signed.signature, file("signature"), "{name}");
        assert!(agrees(&opinion), "{name}: {opinion:?}");
    }
}

/// A few targets of the suite are not URIs, which `aws-sigv4` does not take.
fn agrees(opinion: &Opinion) -> bool {
    matches!(
        opinion,
        Opinion::Agrees | Opinion::KnownDifference("aws-sigv4 takes no target that is not a URI")
    )
}

#[test]
fn the_suites_signed_requests_verify() {
    let cache = KeyCache::default();
    for case in suite() {
        for kind in ["header", "query"] {
            let request = parse(&(case.files)(&format!("{kind}-signed-request.txt")));
            let headers = request.headers();
            let view = request.view(&headers);
            let ClientAuth::SigV4(auth) = client_auth(&view) else {
                panic!("{}", case.name)
            };
            let input = VerifyInput {
                rules: case.rules,
                ..VerifyInput::new(view, &auth, &case.credentials)
            };
            let verdict = verify(&input, &cache);
            assert!(verdict.is_valid(), "{} {kind}", case.name);
            assert_eq!(verdict.checked().unwrap().hints, [], "{} {kind}", case.name);
        }
    }
}

fn s3(request: &Request, how: impl FnOnce(&SigningInput<'_>) -> Signed) -> Signed {
    let headers = request.headers();
    let names = request.names();
    let also: Vec<&str> = names.iter().map(String::as_str).collect();
    let input = SigningInput {
        credentials: &example(),
        region: "us-east-1",
        service: "s3",
        time: example_day(),
        rules: Rules::for_signing_name("s3"),
        view: request.view(&headers),
        also: &also,
    };
    let signed = how(&input);
    assert_eq!(
        second_opinion(&input, &signed),
        if request.target.contains(&b'$') {
            Opinion::KnownDifference("aws-sigv4 signs an S3 path as it comes; S3 escapes it anew")
        } else {
            Opinion::Agrees
        }
    );
    signed
}

/// S3 API reference, "Signature calculations for the Authorization header".
#[test]
fn the_s3_examples_in_the_header() {
    let host = ("Host", "examplebucket.s3.amazonaws.com");
    let cases = [
        (
            Request::new("GET", "/test.txt", &[host, ("Range", "bytes=0-9")], b""),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Request::new(
                "PUT",
                "/test$file.text",
                &[
                    host,
                    ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                b"Welcome to Amazon S3.",
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            Request::new("GET", "/?lifecycle", &[host], b""),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Request::new("GET", "/?max-keys=2&prefix=J", &[host], b""),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    let cache = KeyCache::default();
    for (request, signature) in cases {
        let signed = s3(&request, |input| sign_headers(input, &cache).unwrap());
        assert_eq!(signed.signature, signature, "{:?}", request.target);
        let names: Vec<_> = signed.headers_added.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["x-amz-date", "x-amz-content-sha256", "authorization"]
        );
    }
    assert_eq!(cache.len(), 1);
}

/// S3 API reference, "Authenticating requests using query parameters".
#[test]
fn the_s3_example_in_the_query() {
    let host = ("Host", "examplebucket.s3.amazonaws.com");
    let request = Request::new("GET", "/test.txt", &[host], b"").with_payload(UNSIGNED_PAYLOAD);
    let signed = s3(&request, |input| {
        presign(input, &KeyCache::default(), 86400).unwrap()
    });
    assert_eq!(
        text(&signed.target.unwrap()),
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

/// A signed request as it would arrive at AWS.
fn apply(request: &Request, signed: &Signed) -> Request {
    let mut sent = request.clone();
    for (name, value) in &signed.headers_added {
        sent.headers.push(((*name).into(), value.expose().into()));
    }
    if let Some(target) = &signed.target {
        sent.target.clone_from(target);
    }
    sent
}

#[test]
fn what_is_signed_verifies_until_a_byte_changes() {
    let host = ("Host", "examplebucket.s3.amazonaws.com");
    let request = Request::new(
        "GET",
        "/a%20b?x=1&y",
        &[host, ("X-Amz-Acl", "private")],
        b"",
    );
    let cache = KeyCache::default();
    let in_header = s3(&request, |input| sign_headers(input, &cache).unwrap());
    let unsigned = request.clone().with_payload(UNSIGNED_PAYLOAD);
    let in_query = s3(&unsigned, |input| presign(input, &cache, 60).unwrap());
    for (signed, request) in [(in_header, &request), (in_query, &unsigned)] {
        let good = apply(request, &signed);
        assert!(is_valid(&good, &cache));
        for change in [
            |r: &mut Request| r.method = "HEAD".into(),
            |r: &mut Request| r.target.insert(1, b'c'),
            |r: &mut Request| r.target.extend_from_slice(b"&z"),
            |r: &mut Request| r.headers[1].1 = b"public-read".to_vec(),
            |r: &mut Request| r.headers[0].1 = b"other.s3.amazonaws.com".to_vec(),
        ] {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(!is_valid(&bad, &cache));
        }
    }
}

fn is_valid(request: &Request, cache: &KeyCache) -> bool {
    let headers = request.headers();
    let mut view = request.view(&headers);
    let ClientAuth::SigV4(auth) = client_auth(&view) else {
        panic!()
    };
    let body = sha256_hex(&request.body);
    let payload = declared_payload(&view, &auth, Some(&body)).unwrap();
    view.payload = &payload;
    verify(&VerifyInput::new(view, &auth, &example()), cache).is_valid()
}
