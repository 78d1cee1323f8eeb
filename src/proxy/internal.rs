//! Our own credential calls: STS, SSO, IMDS and the like are sent through the same client as
//! everything else and become exchanges, door `internal`.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Limited};

use super::Core;
use super::body::{Passed, UpBody};
use super::draft::{Draft, Journey, ReplyDraft, SentDraft};
use super::reply::head_of;
use crate::aws;
use crate::capture::exchange::{Door, FaultKind, ReplyFrom, Route, Signing};

/// Most bytes of a reply that carries credentials.
const REPLY_LIMIT: usize = 1024 * 1024;

/// The HTTP client that credential providers are given.
#[derive(Clone)]
pub(crate) struct Recording(pub(crate) Arc<Core>);

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recording")
    }
}

impl HttpClient for Recording {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Recording {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let core = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&core, request).await })
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(core: &Arc<Core>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (mut parts, body) = request.into_parts();
    if let (false, Some(authority)) = (parts.headers.contains_key(HOST), parts.uri.authority()) {
        let value = HeaderValue::from_str(authority.as_str())
            .map_err(|error| ConnectorError::user(error.into()))?;
        parts.headers.insert(HOST, value);
    }
    let body: Bytes = body
        .collect()
        .await
        .map_err(ConnectorError::user)?
        .to_bytes();
    let mut journey = begin(core, &parts, body.clone());
    let host = parts.uri.host().unwrap_or_default().to_owned();
    let client = core.upstream.clone();
    let result = client
        .send(Request::from_parts(parts, UpBody::Full(Some(body))), || {
            false
        })
        .await;
    journey.timing.first_byte = Some(journey.elapsed_us());
    let response = match result {
        Ok(response) => response,
        Err(failure) => {
            let message = format!("no reply from {host}: {}", failure.message);
            journey.fail("forward", failure.kind, message.as_str());
            journey.end();
            let error: Failed = message.into();
            return Err(match failure.kind {
                FaultKind::Timeout => ConnectorError::timeout(error),
                _ => ConnectorError::io(error),
            });
        }
    };
    let now = core.now();
    let (parts, incoming) = response.into_parts();
    let read = Limited::new(incoming, REPLY_LIMIT).collect().await;
    let reply = |body| ReplyDraft {
        from: ReplyFrom::Upstream,
        status: parts.status.as_u16(),
        head: head_of(&Response::from_parts(parts.clone(), ())),
        body,
        date: parts
            .headers
            .contains_key("date")
            .then_some((host.clone(), now)),
    };
    match read {
        Ok(collected) => {
            let bytes = collected.to_bytes();
            journey.reply = Some(reply(Passed::whole(bytes.clone(), REPLY_LIMIT)));
            journey.end();
            let response = Response::from_parts(parts, SdkBody::from(bytes));
            HttpResponse::try_from(response)
                .map_err(|error| ConnectorError::other(error.into(), None))
        }
        Err(error) => {
            journey.reply = Some(reply(Passed::empty()));
            journey.fail(
                "forward",
                FaultKind::Reset,
                format!("the reply of {host} broke off or is too large: {error}"),
            );
            journey.end();
            Err(ConnectorError::io(error))
        }
    }
}

fn begin(core: &Arc<Core>, parts: &http::request::Parts, body: Bytes) -> Journey {
    let mut draft = Draft::new(core.next_id(), Door::Internal, core.now());
    let authority = parts
        .uri
        .authority()
        .map_or("", |authority| authority.as_str());
    let scheme = parts.uri.scheme_str().unwrap_or("https");
    draft.origin = format!("{scheme}://{authority}");
    draft.received_head = request_head(parts);
    draft.received_body = Passed::whole(body.clone(), REPLY_LIMIT);
    draft.route = Some(route(parts, &body, &draft.origin));
    let signed = parts.headers.contains_key("authorization");
    draft.sent = Some(SentDraft {
        at: draft.started,
        origin: draft.origin.clone(),
        head: draft.received_head.clone(),
        body: None,
        signing: Signing {
            mode: if signed { "header/signed" } else { "untouched" }.to_owned(),
            ..Signing::default()
        },
        credentials: None,
    });
    Journey::new(draft, core.recorder.clone())
}

fn request_head(parts: &http::request::Parts) -> Vec<u8> {
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\n", parts.method).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Named for the list; the SDK has decided already.
fn route(parts: &http::request::Parts, body: &[u8], origin: &str) -> Route {
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let host = aws::host(parts.uri.host().unwrap_or_default());
    let candidates = host.as_ref().map(|host| host.services).unwrap_or_default();
    let facts = aws::RequestFacts {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        target: header("x-amz-target"),
        smithy_protocol: header("smithy-protocol"),
        content_type: header("content-type"),
        form: Some(body),
        s3_copy_source: false,
        bucket_in_host: false,
    };
    let found = match aws::operation(candidates, &facts) {
        aws::OperationFound::One { operation, .. } => Some(operation),
        _ => None,
    };
    let metadata =
        (found.is_none() && parts.uri.path().starts_with("/latest/")).then(|| "imds".to_owned());
    Route {
        service: found
            .as_ref()
            .map(|operation| operation.service.name.to_owned())
            .or(metadata),
        signing_name: found
            .as_ref()
            .map(|operation| operation.service.signing_name.to_owned()),
        region: host.and_then(|host| host.region),
        operation: found.as_ref().map(|operation| operation.name.to_owned()),
        iam_action: found.map(aws::iam_action),
        upstream: Some(origin.to_owned()),
        how: Vec::new(),
    }
}
