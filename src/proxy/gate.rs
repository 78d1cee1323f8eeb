//! May it pass? The rules that keep an open signing port from being somebody else's tool.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::Shared;
use super::options::Endpoint;
use super::received::Received;
use super::reply::Refusal;
use super::route::Routed;
use crate::aws;
use crate::capture::exchange::{ClientSignature, FaultKind};
use crate::sigv4::{AmzDate, ClientAuth};

const STAGE: &str = "gate";

/// How far a lane's signature may be from our clock, as with AWS.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// Refuses what a rule forbids.
pub(crate) fn check(shared: &Shared, routed: &Routed) -> Result<(), Refusal> {
    if shared.is_own(&routed.upstream) {
        let status = (StatusCode::LOOP_DETECTED, "LoopDetected");
        let what = format!("{} is this proxy itself", routed.upstream);
        let fix = "point --endpoint-url or the profile's endpoint_url at the real service";
        return Err(Refusal::new(STAGE, FaultKind::Loop, status, what, fix));
    }
    if !reachable(shared, &routed.upstream) {
        return Err(denied(
            StatusCode::FORBIDDEN,
            format!(
                "{} is no host of AWS and no option names it",
                routed.upstream.host()
            ),
            "--endpoint-url URL, if it is meant",
        ));
    }
    if shared.options.require_lane && !proves_lane(&routed.received, shared.now()) {
        return Err(denied(
            StatusCode::FORBIDDEN,
            "only requests that were signed just now with a lane's secret are served (--require-lane)".to_owned(),
            "take a key pair from `sigscope env --as PROFILE`",
        ));
    }
    if shared.options.read_only && !routed.reads {
        let call = routed.call();
        return Err(denied(
            StatusCode::FORBIDDEN,
            format!("{call} changes something, and this proxy is read-only"),
            "start it without --read-only",
        ));
    }
    Ok(())
}

/// Whether the caller holds a lane's secret. The key id alone is no proof, since it is sent
/// in the clear, nor is a request that was overheard some time ago.
fn proves_lane(received: &Received, now: SystemTime) -> bool {
    if received.replay.is_some() {
        return true;
    }
    let journey = &received.journey;
    let ClientAuth::SigV4(auth) = &received.auth else {
        return false;
    };
    let Some(at) = auth.amz_date.as_deref().and_then(AmzDate::parse) else {
        return false;
    };
    let lasts = auth.expires.map_or(FRESH, Duration::from_secs);
    let fresh = match now.duration_since(at) {
        Ok(age) => age <= lasts,
        Err(ahead) => ahead.duration() <= FRESH,
    };
    fresh && journey.lane.is_some() && journey.client_signature == ClientSignature::Valid
}

fn denied(status: StatusCode, what: String, fix: &str) -> Refusal {
    Refusal::new(
        STAGE,
        FaultKind::NotAllowed,
        (status, "AccessDenied"),
        what,
        fix,
    )
}

/// Whether the operator or AWS's published partitions name this host.
fn reachable(shared: &Shared, upstream: &Endpoint) -> bool {
    shared.configured(upstream.host()) || (aws::is_aws_host(upstream.host()) && upstream.is_tls())
}

/// Loopback, link-local (the instance metadata service) and unspecified addresses.
pub(crate) fn is_local_ip(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_local_ip(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
        },
    }
}
