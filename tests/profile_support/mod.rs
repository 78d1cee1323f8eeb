//! Shared by the tests of profiles: a clock to set, an AWS that answers from memory.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_smithy_async::{
    rt::sleep::{SharedAsyncSleep, TokioSleep},
    time::{SharedTimeSource, TimeSource},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use sigscope::profile::{Env, FileSource, Profiles, Sources, Wiring};

/// 2026-11-22T10:00:00Z.
pub(crate) const NOW: u64 = 1_795_341_600;

#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW)))
    }

    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// A request as the fake AWS sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) body: String,
    /// The key id that signed it, if any.
    pub(crate) signed_by: Option<String>,
    pub(crate) headers: HashMap<String, String>,
}

impl Asked {
    /// A member of a form body, decoded.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        self.body.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            (key == name).then(|| decoded.into_owned())
        })
    }
}

type Answer = dyn Fn(&Asked) -> (u16, String) + Send + Sync;

/// Answers every call for credentials, and remembers them.
#[derive(Clone)]
pub(crate) struct FakeAws {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<Answer>,
}

impl std::fmt::Debug for FakeAws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeAws")
    }
}

impl FakeAws {
    pub(crate) fn new(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self {
            asked: Arc::default(),
            answer: Arc::new(answer),
        }
    }

    /// An STS whose sessions last an hour from now by the clock.
    pub(crate) fn sts(clock: &Clock) -> Self {
        let clock = clock.clone();
        Self::new(move |asked| (200, assumed(asked, clock.now() + Duration::from_secs(3600))))
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for FakeAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let authorization = request.headers().get("authorization").unwrap_or_default();
        let signed_by = authorization
            .split_once("Credential=")
            .and_then(|(_, rest)| rest.split('/').next())
            .map(str::to_owned);
        let headers = request.headers().iter();
        let asked = Asked {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
            signed_by,
            headers: headers.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        };
        let (status, body) = (self.answer)(&asked);
        self.asked.lock().unwrap().push(asked);
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        // IMDSv2 says how long its token lives.
        let headers = response.headers_mut();
        headers.insert("x-aws-ec2-metadata-token-ttl-seconds", "21600");
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// STS's answer to AssumeRole and AssumeRoleWithWebIdentity. The new key id tells the role
/// and who asked, so that a chain can be followed.
pub(crate) fn assumed(asked: &Asked, end: SystemTime) -> String {
    let action = asked.form("Action").unwrap();
    let role = asked.form("RoleArn").unwrap();
    let name = role.rsplit('/').next().unwrap();
    let by = asked.signed_by.as_deref().unwrap_or("nobody");
    let end = jiff::Timestamp::try_from(end).unwrap();
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/{name}/s</Arn>\
         <AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser><Credentials>\
         <AccessKeyId>ASIA.{name}.{by}</AccessKeyId>\
         <SecretAccessKey>fake-secret-of-{name}</SecretAccessKey>\
         <SessionToken>fake-token-of-{name}</SessionToken>\
         <Expiration>{end:.0}</Expiration></Credentials></{action}Result></{action}Response>"
    )
}

pub(crate) fn denied(code: &str, message: &str) -> (u16, String) {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    (403, body)
}

pub(crate) fn wiring(aws: &FakeAws, clock: &Clock) -> Wiring {
    Wiring {
        http: aws.client(),
        time: SharedTimeSource::new(clock.clone()),
        sleep: SharedAsyncSleep::new(TokioSleep::new()),
        limit: Duration::from_secs(20),
        is_ours: Arc::new(|url| url.starts_with("http://127.0.0.1:8787")),
        on_credentials: Arc::new(|_, _| {}),
    }
}

pub(crate) fn sources(config: &str, credentials: &str, env: &[(&str, &str)]) -> Sources {
    Sources {
        env: Env::new(env.iter().copied()),
        config: vec![FileSource::text("config", config)],
        credentials: vec![FileSource::text("credentials", credentials)],
    }
}

pub(crate) fn load(config: &str, credentials: &str, aws: &FakeAws, clock: &Clock) -> Profiles {
    let env = [("AWS_EC2_METADATA_DISABLED", "true")];
    Profiles::load(sources(config, credentials, &env), wiring(aws, clock))
}

pub(crate) const KEYS: &str = "\
[base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
";
