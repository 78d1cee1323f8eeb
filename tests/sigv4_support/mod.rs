//! What the tests of the signature share: an owned request, credentials, and a generator.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::time::{Duration, SystemTime};

use sigscope::secret::Credentials;
use sigscope::sigv4::{Header, RequestView, sha256_hex};

/// A request that owns its bytes.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: Vec<u8>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    pub payload: String,
}

impl Request {
    pub fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: body.into(),
            payload: sha256_hex(body),
        }
    }

    pub fn with_payload(mut self, payload: &str) -> Self {
        self.payload = payload.into();
        self
    }

    pub fn headers(&self) -> Vec<Header<'_>> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect()
    }

    pub fn view<'a>(&'a self, headers: &'a [Header<'a>]) -> RequestView<'a> {
        RequestView {
            method: &self.method,
            target: &self.target,
            headers,
            payload: &self.payload,
        }
    }

    /// The names of all headers, as a client would have signed them.
    pub fn names(&self) -> Vec<String> {
        self.headers
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase())
            .collect()
    }
}

/// The example user of the S3 documentation.
pub fn example() -> Credentials {
    Credentials::new(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
    )
}

/// 2013-05-24T00:00:00Z, the day of the S3 documentation's examples.
pub fn example_day() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

/// How many generated cases: `SIGSCOPE_CASES`, or `default`.
pub fn cases(default: u64) -> u64 {
    std::env::var("SIGSCOPE_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// A small deterministic generator (splitmix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Several of `parts` in a row.
    pub fn join(&mut self, parts: &[&str], most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| self.pick(parts))
            .collect()
    }
}
