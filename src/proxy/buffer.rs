//! Bodies that must be read before they can be signed, within a budget.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::Shared;
use super::body::{Passed, Patient, Stalled};
use super::received::{InBody, Received};
use super::reply::{Refusal, Refused};
use super::route::{Plan, Routed, is_form};
use crate::capture::exchange::FaultKind;
use crate::sigv4::{ClientAuth, Location, PayloadMode, Rules};

/// Memory of all buffered bodies together.
#[derive(Clone)]
pub(crate) struct Budget {
    used: Arc<AtomicUsize>,
    total: usize,
    each: usize,
}

/// A part of the budget, given back when dropped.
pub(crate) struct Reservation {
    budget: Budget,
    bytes: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Budget {
    pub(crate) fn new(each: usize, total: usize) -> Self {
        Self {
            used: Arc::default(),
            total,
            each,
        }
    }

    fn empty(&self) -> Reservation {
        Reservation {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

impl Reservation {
    fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.bytes + bytes > self.budget.each {
            return Err(too_large("limits.buffered_body", self.budget.each));
        }
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before + bytes > self.budget.total {
            return Err(too_large("limits.buffered_total", self.budget.total));
        }
        Ok(())
    }
}

fn too_large(name: &str, limit: usize) -> Refusal {
    let what = format!(
        "the body must be read before it can be signed, and is over {limit} bytes ({name})"
    );
    let fix = format!("send x-amz-content-sha256 with its hash, or raise {name}");
    let status = (StatusCode::PAYLOAD_TOO_LARGE, "EntityTooLarge");
    Refusal::new("sign", FaultKind::TooLarge, status, what, fix).closing()
}

/// Forms are read before they are routed: the action stands in them.
pub(crate) async fn form(shared: &Shared, mut received: Received) -> Result<Received, Refused> {
    if !is_form(&received) {
        return Ok(received);
    }
    match fill(shared, &mut received).await {
        Ok(()) => Ok(received),
        Err(refusal) => Err(received.refuse(refusal)),
    }
}

/// Whether only the body itself tells the payload line.
pub(crate) async fn undeclared(shared: &Shared, mut routed: Routed) -> Result<Routed, Refused> {
    if !needs_hash(&routed) {
        return Ok(routed);
    }
    match fill(shared, &mut routed.received).await {
        Ok(()) => Ok(routed),
        Err(refusal) => Err(routed.refuse(refusal)),
    }
}

fn needs_hash(routed: &Routed) -> bool {
    let received = &routed.received;
    if !matches!(received.body, InBody::Arriving(_)) || routed.plan != Plan::Sign {
        return false;
    }
    let declared = received
        .header("x-amz-content-sha256")
        .map(PayloadMode::parse);
    let s3 = Rules::for_signing_name(&routed.signing_name).content_sha256;
    match &received.auth {
        // The payload line of a presigned S3 request is fixed.
        ClientAuth::SigV4(auth) if auth.location == Location::Query => {
            !s3 && routed.signing_name != "vpc-lattice-svcs"
        }
        ClientAuth::SigV4(_) => declared.is_none(),
        _ => declared.is_none() && !(s3 && routed.upstream.is_tls()),
    }
}

async fn fill(shared: &Shared, received: &mut Received) -> Result<(), Refusal> {
    let InBody::Arriving(body) = &mut received.body else {
        if let InBody::Full(bytes) = &received.body {
            let passed = Passed::whole(bytes.clone(), shared.options.limits.body_kept);
            received.journey.received_body = passed;
        }
        return Ok(());
    };
    let mut reservation = shared.budget.empty();
    let read = read_all(body, &mut reservation).await;
    received.journey.reservation = Some(reservation);
    let bytes = read?;
    received.journey.received_body = Passed::whole(bytes.clone(), shared.options.limits.body_kept);
    received.body = InBody::Full(bytes);
    Ok(())
}

async fn read_all(body: &mut Patient, reservation: &mut Reservation) -> Result<Bytes, Refusal> {
    if let Some(size) = body.size_hint().exact() {
        let size = usize::try_from(size).unwrap_or(usize::MAX / 2);
        // Refused before the first byte is asked for, so that Expect: 100-continue helps.
        reservation.grow(size)?;
        reservation.budget.used.fetch_sub(size, Ordering::Relaxed);
        reservation.bytes = 0;
    }
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|context| body.poll(context)).await {
        match frame {
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    reservation.grow(data.len())?;
                    all.extend_from_slice(&data);
                }
            }
            Err(error) if error.is::<Stalled>() => {
                let status = (StatusCode::REQUEST_TIMEOUT, "RequestTimeout");
                let what = format!("the request's body stalled: {error} (limits.client_idle_ms)");
                return Err(Refusal::new(
                    "front",
                    FaultKind::Timeout,
                    status,
                    what,
                    "send all of it",
                )
                .closing());
            }
            Err(error) => {
                let status = (StatusCode::BAD_REQUEST, "IncompleteBody");
                let what = format!("the request's body broke off: {error}");
                return Err(Refusal::new(
                    "front",
                    FaultKind::ClientGone,
                    status,
                    what,
                    "send all of it",
                )
                .closing());
            }
        }
    }
    Ok(all.freeze())
}

/// The mode that the client declared.
pub(crate) fn declared_mode(headers: &HeaderMap) -> PayloadMode {
    let value = headers
        .get("x-amz-content-sha256")
        .and_then(|value| value.to_str().ok());
    value.map_or(PayloadMode::Undeclared, PayloadMode::parse)
}
