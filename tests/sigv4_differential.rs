//! Ours against `aws-sigv4`'s own `sign` over generated requests, and the list of what is known
//! to differ.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod sigv4_support;

use std::thread;

use sigscope::secret::Credentials;
use sigscope::sigv4::{
    ClientAuth, KeyCache, Opinion, Rules, Signed, SigningInput, VerifyInput, client_auth, presign,
    second_opinion, sha256_hex, sign_headers, verify,
};
use sigv4_support::{Request, Rng, cases, example, example_day};

const SERVICES: [&str; 8] = [
    "sts",
    "iam",
    "execute-api",
    "aoss",
    "iotdevicegateway",
    "s3",
    "s3express",
    "s3-outposts",
];

/// What may be in a path: plain, dots, doubled slashes, escapes, UTF-8, and bytes that only
/// some clients escape.
const SEGMENTS: [&str; 19] = [
    "a", "Key-1", "~", ".", "..", "...", "/", "//", "%20", "%2F", "%C3%BC", "%7E", "%25", "@", ":",
    "=", "+", "%zz", "ü",
];

/// What may be in a path that is escaped as S3 would.
const KEYS: [&str; 10] = [
    "a", "Key-1", "~", ".", "..", "/", "//", "%20", "%C3%BC", "%2B",
];

const QUERY: [&str; 22] = [
    "a", "B", "b", "c-d", "=", "=", "&", "&", "&&", "+", "%20", "%2B", "%2f", "%7e", "%26", "%3D",
    "%zz", "%", "?", "/", "ü", "%C3%BC",
];

const VALUES: [&str; 14] = [
    "a",
    "b  c",
    " ",
    "   ",
    "\"x   y\"",
    ",",
    "=",
    ";",
    "text/plain",
    "ü",
    "\u{1F642}",
    "'",
    "%20",
    "\\",
];

struct Generated {
    request: Request,
    service: &'static str,
    region: &'static str,
    credentials: Credentials,
    also: Vec<String>,
}

fn generate(rng: &mut Rng) -> Generated {
    let service = SERVICES[rng.below(SERVICES.len())];
    let parts: &[&str] = if service.starts_with("s3") {
        &KEYS
    } else {
        &SEGMENTS
    };
    let mut target = format!("/{}", rng.join(parts, 8));
    if rng.one_in(2) {
        target = format!("{target}?{}", rng.join(&QUERY, 12));
    }
    if rng.one_in(40) {
        target = target
            .trim_start_matches('/')
            .split_once('?')
            .map_or(String::new(), |(_, q)| format!("?{q}"));
    }
    if rng.one_in(20) {
        target = format!("http://other:81{target}");
    }
    let method = rng.pick(&["GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"]);
    let body = if rng.one_in(3) {
        let length = rng.below(200);
        rng.bytes(length)
    } else {
        Vec::new()
    };
    let mut request = Request::new(method, &target, &[], &body);
    request.headers = headers(rng);
    let token = rng
        .one_in(3)
        .then(|| b"IQoJb3JpZ2luX2VjEXAMPLE//+=".to_vec());
    let also = request
        .names()
        .into_iter()
        .filter(|_| rng.one_in(2))
        .collect();
    Generated {
        request,
        service,
        region: ["us-east-1", "eu-central-1", ""][rng.below(3)],
        credentials: Credentials::new(
            example().access_key_id,
            example().secret_access_key.expose(),
            token,
        ),
        also,
    }
}

fn headers(rng: &mut Rng) -> Vec<(Vec<u8>, Vec<u8>)> {
    const NAMES: [&str; 14] = [
        "Content-Type",
        "content-md5",
        "X-Amz-Meta-A",
        "x-amz-meta-a",
        "x-amz-meta-a-b",
        "X-AMZ-ACL",
        "X-Amz-Target",
        "accept",
        "Range",
        "x-custom",
        "User-Agent",
        "Connection",
        "Content-Encoding",
        "x-amz-checksum-crc32",
    ];
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = (0..rng.below(8))
        .map(|_| {
            (
                rng.pick(&NAMES.each_ref().map(|n| *n)).into(),
                rng.join(&VALUES, 4).into(),
            )
        })
        .collect();
    let at = rng.below(headers.len() + 1);
    let host = rng.pick(&["h.amazonaws.com", "h:8080", "Bucket.s3.amazonaws.com"]);
    headers.insert(at, (b"Host".to_vec(), host.into()));
    headers
}

impl Generated {
    fn ask(&self, cache: &KeyCache, expires: Option<u64>) -> (Signed, Opinion) {
        let headers = self.request.headers();
        let also: Vec<&str> = self.also.iter().map(String::as_str).collect();
        let input = SigningInput {
            credentials: &self.credentials,
            region: self.region,
            service: self.service,
            time: example_day(),
            rules: Rules::for_signing_name(self.service),
            view: self.request.view(&headers),
            also: &also,
        };
        let signed = match expires {
            Some(expires) => presign(&input, cache, expires).unwrap(),
            None => sign_headers(&input, cache).unwrap(),
        };
        let opinion = second_opinion(&input, &signed);
        (signed, opinion)
    }

    /// Whether what is sent verifies, as it would at AWS.
    fn arrives(&self, cache: &KeyCache, signed: &Signed) -> bool {
        let mut sent = self.request.clone();
        for (name, value) in &signed.headers_added {
            sent.headers.push(((*name).into(), value.expose().into()));
        }
        if let Some(target) = &signed.target {
            sent.target.clone_from(target);
        }
        let headers = sent.headers();
        let view = sent.view(&headers);
        let ClientAuth::SigV4(auth) = client_auth(&view) else {
            return false;
        };
        verify(&VerifyInput::new(view, &auth, &self.credentials), cache).is_valid()
    }
}

/// `SIGSCOPE_CASES` (default 100,000) requests; half of them presigned.
#[test]
fn generated_requests_are_signed_as_aws_sigv4_does() {
    let total = cases(100_000);
    let workers = 2;
    let agreed: u64 = thread::scope(|scope| {
        let runs: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || run(worker, total / workers)))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    // What differs is known, and must not be most of it.
    assert!(agreed * 10 > total * 9, "{agreed} of {total} agree");
}

/// The differences that these requests may bring about.
const EXPECTED: [&str; 3] = [
    "aws-sigv4 replaces query escapes that are not UTF-8",
    "aws-sigv4 takes no target that is not a URI",
    "aws-sigv4 signs an S3 path as it comes; S3 escapes it anew",
];

fn run(worker: u64, cases: u64) -> u64 {
    let cache = KeyCache::default();
    let mut rng = Rng(worker);
    let mut agreed = 0;
    for _ in 0..cases {
        let generated = generate(&mut rng);
        let expires = rng.one_in(2).then_some(900);
        let (signed, opinion) = generated.ask(&cache, expires);
        match opinion {
            Opinion::Agrees => agreed += 1,
            Opinion::KnownDifference(why) => assert!(EXPECTED.contains(&why), "{why}"),
            Opinion::Disagrees => panic!(
                "{} {:?}\n{}",
                generated.service,
                generated.request,
                String::from_utf8_lossy(signed.canonical.text())
            ),
        }
        if rng.one_in(8) {
            assert!(
                generated.arrives(&cache, &signed),
                "{:?}",
                generated.request
            );
        }
    }
    agreed
}

/// One request that differs: the service, the request, why, and the line that ours has.
type Difference = (&'static str, Request, &'static str, &'static str);

fn differences() -> Vec<Difference> {
    let host = ("Host", "h");
    let get = |target: &str, headers: &[(&str, &str)]| {
        Request::new("GET", target, &[&[host], headers].concat(), b"")
    };
    let mut not_utf8 = get("/", &[("x-amz-meta-a", "x")]);
    not_utf8.headers[1].1 = b"\xfc".to_vec();
    let mut target_not_utf8 = get("/", &[]);
    target_not_utf8.target = b"/\xfc".to_vec();
    vec![
        (
            "s3",
            get("/a+b%7e", &[]),
            "aws-sigv4 signs an S3 path as it comes; S3 escapes it anew",
            "/a%2Bb~",
        ),
        (
            "sts",
            get("/?a=%FF", &[]),
            "aws-sigv4 replaces query escapes that are not UTF-8",
            "a=%FF",
        ),
        (
            "sts",
            get("/a#b", &[]),
            "aws-sigv4 cuts the target at #",
            "/a%23b",
        ),
        (
            "sts",
            get("/?X-Amz-Signature=0&a", &[]),
            "aws-sigv4 signs an X-Amz-Signature that is there already",
            "a=",
        ),
        (
            "sts",
            get("/", &[("x-amz-meta-a", "\tb")]),
            "aws-sigv4 keeps a tab around a header value",
            "x-amz-meta-a:b",
        ),
        (
            "sts",
            not_utf8,
            "aws-sigv4 takes UTF-8 headers only",
            "x-amz-meta-a:\u{fffd}",
        ),
        (
            "sts",
            target_not_utf8,
            "aws-sigv4 takes no target that is not UTF-8",
            "/%FC",
        ),
        (
            "sts",
            get("/a b", &[]),
            "aws-sigv4 takes no target that is not a URI",
            "/a%20b",
        ),
        (
            "sts",
            get("*", &[]),
            "aws-sigv4 takes no target that is neither a path nor a URI",
            "/%2A",
        ),
        (
            "sts",
            get("/", &[("x-amz-content-sha256", "x")]),
            "aws-sigv4 sends the hash that it signs",
            "x-amz-content-sha256:x",
        ),
        (
            "sts",
            get("/", &[("x-amz-meta-a", "b\u{1}")]),
            "aws-sigv4 takes no header that is not visible text",
            "x-amz-meta-a:b\u{1}",
        ),
    ]
}

#[test]
fn the_known_differences_in_the_header() {
    let cache = KeyCache::default();
    for (service, request, why, line) in differences() {
        let generated = generated(service, request);
        let (signed, opinion) = generated.ask(&cache, None);
        assert_eq!(opinion, Opinion::KnownDifference(why));
        let text = String::from_utf8_lossy(signed.canonical.text()).into_owned();
        assert!(text.lines().any(|found| found == line), "{why}:\n{text}");
    }
}

#[test]
fn the_known_differences_in_the_query() {
    let request = Request::new("GET", "/", &[("host", "h"), ("x-amz-user-agent", "x")], b"");
    let (signed, opinion) = generated("sts", request).ask(&KeyCache::default(), Some(60));
    let why = "aws-sigv4 leaves x-amz-user-agent and x-amz-checksum-mode out of a URL";
    assert_eq!(opinion, Opinion::KnownDifference(why));
    assert_eq!(signed.canonical.signed_headers(), "host;x-amz-user-agent");
}

#[test]
fn an_altered_signature_is_disagreed_with() {
    let generated = generated("sts", Request::new("GET", "/", &[("host", "h")], b""));
    let cache = KeyCache::default();
    let (mut signed, opinion) = generated.ask(&cache, None);
    assert_eq!(opinion, Opinion::Agrees);
    signed.signature = sha256_hex(b"");
    let headers = generated.request.headers();
    let input = SigningInput {
        credentials: &generated.credentials,
        region: generated.region,
        service: generated.service,
        time: example_day(),
        rules: Rules::COMMON,
        view: generated.request.view(&headers),
        also: &[],
    };
    assert_eq!(second_opinion(&input, &signed), Opinion::Disagrees);
}

fn generated(service: &'static str, request: Request) -> Generated {
    Generated {
        request,
        service,
        region: "us-east-1",
        credentials: example(),
        also: Vec::new(),
    }
}
