//! A client that signs with `aws-sigv4` and speaks plain HTTP/1.1 over a real socket.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use sigscope::sandbox::{Options, Sandbox};

pub(crate) const ALICE: Key = Key::long(
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
);
pub(crate) const READER: Key = Key::long(
    "AKIAI44QH8DHBEXAMPLE",
    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
);

/// The instant of every test: 2026-11-22T12:00:00Z.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800)
}

pub(crate) async fn sandbox() -> Sandbox {
    sandbox_with(Options::default().storage).await
}

pub(crate) async fn sandbox_with(storage: usize) -> Sandbox {
    let options = Options {
        clock: Arc::new(noon),
        storage,
        ..Options::default()
    };
    Sandbox::start(options).await.expect("starts")
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: std::borrow::Cow<'static, str>,
    pub(crate) secret: std::borrow::Cow<'static, str>,
    pub(crate) token: Option<String>,
}

impl Key {
    pub(crate) const fn long(id: &'static str, secret: &'static str) -> Self {
        Self {
            id: std::borrow::Cow::Borrowed(id),
            secret: std::borrow::Cow::Borrowed(secret),
            token: None,
        }
    }

    pub(crate) fn new(id: &str, secret: &str, token: Option<&str>) -> Self {
        Self {
            id: id.to_owned().into(),
            secret: secret.to_owned().into(),
            token: token.map(str::to_owned),
        }
    }

    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self {
            secret: secret.to_owned().into(),
            ..self.clone()
        }
    }

    /// The credentials in STS's XML answer.
    pub(crate) fn issued(answer: &Answer) -> Self {
        Self::new(
            &answer.element("AccessKeyId"),
            &answer.element("SecretAccessKey"),
            Some(&answer.element("SessionToken")),
        )
    }

    fn identity(&self) -> Identity {
        Credentials::new(&*self.id, &*self.secret, self.token.clone(), None, "test").into()
    }
}

/// A request to be signed and sent.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) host: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The last line of the canonical request, where it is not the body's hash.
    pub(crate) payload: Option<String>,
    pub(crate) at: SystemTime,
    pub(crate) presign: Option<Duration>,
    pub(crate) double: bool,
}

impl Ask {
    pub(crate) fn new(service: &str, region: &str, method: &'static str, target: &str) -> Self {
        Self {
            method,
            target: target.to_owned(),
            service: service.to_owned(),
            region: region.to_owned(),
            host: None,
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
            at: noon(),
            presign: None,
            double: service != "s3",
        }
    }

    pub(crate) fn s3(method: &'static str, target: &str) -> Self {
        Self::new("s3", "us-west-2", method, target)
    }

    pub(crate) fn json(service: &str, target: &str, body: &str) -> Self {
        Self::new(service, "us-west-2", "POST", "/")
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .body(body)
    }

    pub(crate) fn form(service: &str, body: &str) -> Self {
        Self::new(service, "us-west-2", "POST", "/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    pub(crate) fn identity() -> Self {
        Self::form("sts", "Action=GetCallerIdentity&Version=2011-06-15")
    }

    pub(crate) fn secret(name: &str) -> Self {
        let body = format!("{{\"SecretId\":\"{name}\"}}");
        Self::json("secretsmanager", "secretsmanager.GetSecretValue", &body)
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub(crate) fn payload(mut self, payload: &str) -> Self {
        self.payload = Some(payload.to_owned());
        self
    }

    pub(crate) fn minutes(mut self, minutes: i64) -> Self {
        let by = Duration::from_secs(minutes.unsigned_abs() * 60);
        self.at = if minutes < 0 {
            self.at - by
        } else {
            self.at + by
        };
        self
    }

    /// Signs; what comes back may still be spoilt before it is sent.
    pub(crate) fn signed(&self, sandbox: &Sandbox, key: &Key) -> Signed {
        let host = self.host.clone().unwrap_or(sandbox.address.to_string());
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if !self.double {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
        }
        if let Some(lasts) = self.presign {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
            settings.expires_in = Some(lasts);
        }
        let identity = key.identity();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.at)
            .settings(settings)
            .build()
            .expect("complete")
            .into();
        let unsigned = self.presign.is_some() && self.service == "s3";
        let body = match &self.payload {
            Some(line) => SignableBody::Precomputed(line.clone()),
            None if unsigned => SignableBody::UnsignedPayload,
            None => SignableBody::Bytes(&self.body),
        };
        let mut headers = self.headers.clone();
        headers.push(("host".into(), host.clone()));
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let url = format!("http://{host}{}", self.target);
        let request = SignableRequest::new(self.method, url, pairs, body).expect("signable");
        let (instructions, signature) = sign(request, &params).expect("signs").into_parts();
        let mut target = self.target.clone();
        for (name, value) in instructions.params() {
            let mark = if target.contains('?') { '&' } else { '?' };
            let value = percent(value);
            target.push_str(&format!("{mark}{name}={value}"));
        }
        let added = instructions.headers();
        headers.extend(added.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Signed {
            method: self.method,
            target,
            headers,
            body: self.body.clone(),
            signature,
        }
    }

    pub(crate) async fn send(&self, sandbox: &Sandbox, key: &Key) -> Answer {
        self.signed(sandbox, key).send(sandbox).await
    }
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
}

/// A request ready to go out.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) signature: String,
}

impl Signed {
    pub(crate) fn unsigned(sandbox: &Sandbox, method: &'static str, target: &str) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: vec![("host".into(), sandbox.address.to_string())],
            body: Vec::new(),
            signature: String::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Edits the `Authorization` header.
    pub(crate) fn authorization(mut self, edit: impl Fn(&str) -> String) -> Self {
        for (name, value) in &mut self.headers {
            if name == "authorization" {
                *value = edit(value);
            }
        }
        self
    }

    pub(crate) async fn send(self, sandbox: &Sandbox) -> Answer {
        let stream = tokio::net::TcpStream::connect(sandbox.address)
            .await
            .expect("connects");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("shakes hands");
        tokio::spawn(connection);
        let mut request = Request::builder().method(self.method).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value.as_bytes());
        }
        let request = request
            .body(Full::new(Bytes::from(self.body)))
            .expect("a request");
        let reply = sender.send_request(request).await.expect("answers");
        let (parts, body) = reply.into_parts();
        let body = body.collect().await.expect("whole").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            body,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The text of an XML element, unescaped as far as the tests need it.
    pub(crate) fn element(&self, name: &str) -> String {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let inner = self
            .text
            .split(&open)
            .nth(1)
            .and_then(|rest| rest.split(&close).next());
        inner
            .unwrap_or_default()
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The error code, wherever the protocol puts it; the status where there is none.
    pub(crate) fn code(&self) -> String {
        let kind = self.json()["__type"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let json = kind.rsplit('#').next().unwrap_or_default().to_owned();
        [
            self.header("x-amzn-errortype").to_owned(),
            json,
            self.element("Code"),
        ]
        .into_iter()
        .find(|code| !code.is_empty())
        .unwrap_or_else(|| self.status.to_string())
    }

    pub(crate) fn message(&self) -> String {
        let json = self.json();
        let text = json["message"].as_str().or(json["Message"].as_str());
        text.map_or_else(|| self.element("Message"), str::to_owned)
    }

    /// Asserts the code and that the message has this in it.
    #[track_caller]
    pub(crate) fn says(&self, status: u16, code: &str, words: &str) -> &Self {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            self.text
        );
        let message = self.message();
        assert!(message.contains(words), "{message:?} lacks {words:?}");
        self
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> &Self {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self
    }
}
