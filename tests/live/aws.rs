//! The other side: the sandbox in the part of AWS, and a client that signs with `aws-sigv4`.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::http::Headers;
use sigscope::sandbox::{CallSummary, Options, Sandbox};

/// A running sandbox.
pub(crate) struct Aws {
    runtime: tokio::runtime::Runtime,
    sandbox: Option<Sandbox>,
}

impl Aws {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let sandbox = runtime
            .block_on(Sandbox::start(Options::default()))
            .expect("starts");
        Self {
            runtime,
            sandbox: Some(sandbox),
        }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("runs")
    }

    pub(crate) fn url(&self) -> String {
        self.sandbox().url()
    }

    /// The last call that it has answered.
    pub(crate) fn last(&self) -> CallSummary {
        self.sandbox().calls().pop().expect("a call")
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.stop());
        }
    }
}

/// A key pair that a client signs with.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Key {
    pub(crate) fn new(id: &str, secret: &str, token: Option<&str>) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// The demo's `default` profile.
    pub(crate) fn alice() -> Self {
        Self::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
        )
    }

    /// The demo's `prod-ro` profile.
    pub(crate) fn reader() -> Self {
        Self::new(
            "AKIAI44QH8DHBEXAMPLE",
            "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
            None,
        )
    }

    /// One that nobody holds.
    pub(crate) fn foreign() -> Self {
        Self::new(
            "AKIAFOREIGN22EXAMPLE",
            "SomebodyElsesSecretKeyThatIsNotKnownHere",
            None,
        )
    }

    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            ..self.clone()
        }
    }
}

/// A request to be signed.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The last line of the canonical request, where it is not the body's hash.
    pub(crate) payload: Option<String>,
    pub(crate) at: SystemTime,
    pub(crate) presign: bool,
}

impl Ask {
    pub(crate) fn new(service: &str, region: &str, method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            host: "127.0.0.1".to_owned(),
            service: service.to_owned(),
            region: region.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
            at: SystemTime::now(),
            presign: false,
        }
    }

    pub(crate) fn s3(method: &str, target: &str) -> Self {
        Self::new("s3", "us-west-2", method, target)
    }

    pub(crate) fn json(service: &str, target: &str, body: &str) -> Self {
        Self::new(service, "us-west-2", "POST", "/")
            .header("X-Amz-Target", target)
            .header("Content-Type", "application/x-amz-json-1.1")
            .body(body)
    }

    pub(crate) fn form(service: &str, body: &str) -> Self {
        Self::new(service, "us-west-2", "POST", "/")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
    }

    pub(crate) fn identity() -> Self {
        Self::form("sts", "Action=GetCallerIdentity&Version=2011-06-15")
    }

    pub(crate) fn secret(name: &str) -> Self {
        Self::json(
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            &format!("{{\"SecretId\":\"{name}\"}}"),
        )
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub(crate) fn payload(mut self, line: &str) -> Self {
        self.payload = Some(line.to_owned());
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    pub(crate) fn presigned(mut self) -> Self {
        self.presign = true;
        self
    }

    pub(crate) fn minutes_ago(mut self, minutes: u64) -> Self {
        self.at -= Duration::from_secs(minutes * 60);
        self
    }

    /// As it goes on the wire, signed by nobody.
    pub(crate) fn unsigned(&self) -> Vec<u8> {
        self.wire(&self.target, &[])
    }

    /// As it goes on the wire, signed.
    pub(crate) fn signed(&self, key: &Key) -> Vec<u8> {
        self.signed_then(key, |_| self.body.clone())
    }

    /// Signed, with a body that is made from the signature: another one, or signed chunks.
    pub(crate) fn signed_then(&self, key: &Key, body: impl FnOnce(&str) -> Vec<u8>) -> Vec<u8> {
        let (target, added, signature) = self.sign(key);
        let body = body(&signature);
        Self {
            body,
            ..self.clone()
        }
        .wire(&target, &added)
    }

    fn sign(&self, key: &Key) -> (String, Vec<(String, String)>, String) {
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
        }
        if self.presign {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
            settings.expires_in = Some(Duration::from_secs(300));
        }
        let identity =
            Credentials::new(&*key.id, &*key.secret, key.token.clone(), None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.at)
            .settings(settings)
            .build()
            .expect("complete")
            .into();
        let body = match &self.payload {
            Some(line) => SignableBody::Precomputed(line.clone()),
            None if self.presign && self.service == "s3" => SignableBody::UnsignedPayload,
            None => SignableBody::Bytes(&self.body),
        };
        let pairs = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = pairs.chain([("host", self.host.as_str())]);
        let url = format!("http://{}{}", self.host, self.target);
        let request = SignableRequest::new(&self.method, url, pairs, body).expect("signable");
        let (instructions, signature) = sign(request, &params).expect("signs").into_parts();
        let mut target = self.target.clone();
        for (name, value) in instructions.params() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&format!("{name}={}", percent(value)));
        }
        let added = instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (target, added, signature)
    }

    /// An upload in signed chunks, a trailer with its checksum behind them where one is asked
    /// for.
    pub(crate) fn chunk_signed(
        &self,
        key: &Key,
        chunks: &[&str],
        trailer: Option<(&'static str, String)>,
    ) -> Vec<u8> {
        self.signed_then(key, |signature| {
            let identity =
                Credentials::new(&*key.id, &*key.secret, key.token.clone(), None, "test").into();
            let params = v4::SigningParams::builder()
                .identity(&identity)
                .region(&self.region)
                .name("s3")
                .time(self.at)
                .settings(SigningSettings::default())
                .build()
                .expect("complete");
            let mut previous = signature.to_owned();
            let mut body = String::new();
            for data in chunks.iter().chain([&""]) {
                let bytes = bytes::Bytes::copy_from_slice(data.as_bytes());
                previous = v4::sign_chunk(&bytes, &previous, &params)
                    .expect("signs")
                    .into_parts()
                    .1;
                body.push_str(&format!(
                    "{:x};chunk-signature={previous}\r\n{data}",
                    data.len()
                ));
                body.push_str(if data.is_empty() { "" } else { "\r\n" });
            }
            if let Some((name, value)) = trailer {
                let mut headers = Headers::new();
                headers.insert(name, value.clone());
                let signed = v4::sign_trailer(&headers, &previous, &params)
                    .expect("signs")
                    .into_parts()
                    .1;
                body.push_str(&format!(
                    "{name}:{value}\r\nx-amz-trailer-signature:{signed}\r\n"
                ));
            }
            body.push_str("\r\n");
            body.into_bytes()
        })
    }

    fn wire(&self, target: &str, added: &[(String, String)]) -> Vec<u8> {
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nHost: {}\r\n",
            self.method, self.host
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        for (name, value) in added {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = |(name, _): &(String, String)| {
            name.eq_ignore_ascii_case("transfer-encoding")
                || name.eq_ignore_ascii_case("content-length")
        };
        if !self.headers.iter().any(framed) && (!self.body.is_empty() || self.method != "GET") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

pub(crate) fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
}

/// Lower-case hex of SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    sigscope::sigv4::sha256_hex(bytes)
}
