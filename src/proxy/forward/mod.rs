//! What came back, and how long did each step take?

mod connector;
mod tls;
mod upstream;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use hyper::body::Incoming;

pub(crate) use connector::{Configured, Opened};
pub(crate) use upstream::{Failure, Upstream, broken_reply};

use super::Shared;
use super::body::{Passed, Patient};
use super::draft::{Journey, ReplyDraft};
use super::reply::{Passing, Refusal, Refused, ReplyBody, Uploads, head_of};
use super::sign::{Ready, Signed};
use super::vended::{credentials_in, vends};
use crate::aws::error::Shape;
use crate::capture::exchange::{FaultKind, ReplyFrom};
use crate::profile::Resolved;

/// Headers that belong to one connection (RFC 9110 §7.6.1); never forwarded, never signed.
pub(crate) const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Sends what is ready and passes the answer on as it arrives.
pub(crate) async fn forward(
    shared: &Shared,
    signed: Signed,
) -> Result<Response<ReplyBody>, Refused> {
    let Signed {
        mut journey,
        ready,
        shape,
        vending,
    } = signed;
    let Ready {
        request,
        client,
        uploads,
        host,
    } = ready;
    let result = client.send(request, || uploads.under_way()).await;
    let now = shared.now();
    journey.timing.first_byte = Some(journey.elapsed_us());
    match result {
        Ok(response) => {
            if let Some(opened) = response.extensions().get::<Opened>() {
                let took = opened.first_use();
                journey.timing.connect =
                    took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            }
            pass_on(
                shared,
                journey,
                response,
                uploads,
                (host, now),
                (vending, shape),
            )
            .await
        }
        Err(failure) => {
            uploads.close(&mut journey);
            Err(refused(journey, failure, shape, &host))
        }
    }
}

fn refused(mut journey: Journey, failure: Failure, shape: Shape, host: &str) -> Refused {
    // What broke the upload is the cause of what the upstream's connection reported.
    if let Some(stop) = journey.received_body.error.take() {
        let (status, code, fix) = match stop.kind {
            FaultKind::Timeout => (
                StatusCode::REQUEST_TIMEOUT,
                "RequestTimeout",
                "send all of it, or raise limits.client_idle_ms",
            ),
            FaultKind::TooLarge => (
                StatusCode::BAD_REQUEST,
                "EntityTooLarge",
                "sign smaller chunks, or raise the limit",
            ),
            _ => (
                StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "send a whole and well-formed body",
            ),
        };
        let text = format!("the request's body could not be sent on: {}", stop.message);
        let refusal = Refusal::new("forward", stop.kind, (status, code), text, fix);
        return Refused {
            journey,
            refusal: Box::new(refusal.closing()),
            shape,
        };
    }
    let (status, fix) = match failure.kind {
        FaultKind::Timeout => (
            StatusCode::GATEWAY_TIMEOUT,
            "check the network, or raise the limit",
        ),
        FaultKind::Dns => (
            StatusCode::BAD_GATEWAY,
            "check the host's name, the region and the network",
        ),
        FaultKind::Refused => (
            StatusCode::BAD_GATEWAY,
            "check that something listens there",
        ),
        FaultKind::Tls => (
            StatusCode::BAD_GATEWAY,
            "check --ca-bundle, and what stands between here and AWS",
        ),
        FaultKind::NotAllowed => (StatusCode::FORBIDDEN, "--endpoint-url URL, if it is meant"),
        FaultKind::Malformed => (StatusCode::BAD_GATEWAY, "check what answers there"),
        _ => (StatusCode::BAD_GATEWAY, "try again: r replays it"),
    };
    let code = match failure.kind {
        FaultKind::Timeout => "GatewayTimeout",
        FaultKind::NotAllowed => "AccessDenied",
        _ => "BadGateway",
    };
    journey.timing.first_byte = None;
    let what = format!("no reply from {host}: {}", failure.message);
    let refusal = Refusal::new("forward", failure.kind, (status, code), what, fix);
    Refused {
        journey,
        refusal: Box::new(refusal),
        shape,
    }
}

async fn pass_on(
    shared: &Shared,
    mut journey: Journey,
    response: Response<Incoming>,
    uploads: Uploads,
    (host, now): (String, SystemTime),
    (vending, shape): (bool, Shape),
) -> Result<Response<ReplyBody>, Refused> {
    let (mut parts, incoming) = response.into_parts();
    let dated =
        !parts.headers.contains_key(header::AGE) && parts.headers.contains_key(header::DATE);
    let head = head_of(&Response::from_parts(parts.clone(), ()));
    journey.reply = Some(ReplyDraft {
        from: ReplyFrom::Upstream,
        status: parts.status.as_u16(),
        head,
        body: Passed::empty(),
        date: dated.then_some((host, now)),
    });
    strip_hop_by_hop(&mut parts.headers);
    let limits = &shared.options.limits;
    let idle = Duration::from_millis(limits.upstream_idle_ms);
    let mut body = Patient::new(incoming, idle);
    let passed = Passed::new(limits.body_kept, true);
    if vending && parts.status.is_success() {
        // Read whole: the session must be known before the client can sign with it.
        if let Some(bytes) = small_body(&mut body, limits.body_kept).await {
            learn(shared, &mut journey, &bytes);
            let whole = Passed::whole(bytes.clone(), limits.body_kept);
            if let Some(reply) = &mut journey.reply {
                reply.body = whole;
            }
            uploads.close(&mut journey);
            journey.end();
            parts.headers.remove(header::CONTENT_LENGTH);
            return Ok(Response::from_parts(parts, ReplyBody::Own(Some(bytes))));
        }
        journey.fail(
            "forward",
            FaultKind::Reset,
            "the reply with the credentials broke off or is too large",
        );
        let refusal = Refusal::new(
            "forward",
            FaultKind::Reset,
            (StatusCode::BAD_GATEWAY, "BadGateway"),
            "the reply with the credentials broke off or is too large",
            "try again",
        );
        return Err(Refused {
            journey,
            refusal: Box::new(refusal),
            shape,
        });
    }
    let passing = Passing {
        body,
        passed,
        journey: Some(journey),
        uploads,
    };
    Ok(Response::from_parts(
        parts,
        ReplyBody::Passing(Box::new(passing)),
    ))
}

async fn small_body(body: &mut Patient, limit: usize) -> Option<Bytes> {
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|context| body.poll(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            all.extend_from_slice(&data);
        }
        if all.len() > limit {
            return None;
        }
    }
    Some(all.freeze())
}

fn learn(shared: &Shared, journey: &mut Journey, body: &[u8]) {
    let Some(credentials) = credentials_in(body) else {
        return;
    };
    let operation = journey
        .route
        .as_ref()
        .and_then(|route| route.operation.clone())
        .unwrap_or_default();
    let origin = format!("{operation} #{}", journey.id);
    let region = journey
        .route
        .as_ref()
        .and_then(|route| route.region.clone());
    let session = Resolved::handed_out(origin, Arc::new(credentials), region, shared.now());
    shared
        .masker
        .learn_credentials(&session.credentials, &session.profile);
    shared.vended.keep(Arc::new(session), shared.now());
}

/// Takes off what belongs to one connection, and what `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "close" && name != "keep-alive")
        .collect();
    for name in HOP_BY_HOP.iter().copied().filter(|name| *name != "trailer") {
        headers.remove(name);
    }
    for name in &named {
        headers.remove(name.as_str());
    }
}

/// Whether this reply hands out credentials.
pub(crate) fn is_vending(journey: &Journey) -> bool {
    journey
        .route
        .as_ref()
        .is_some_and(|route| match (&route.service, &route.operation) {
            (Some(service), Some(operation)) => vends(service, operation),
            _ => false,
        })
}
