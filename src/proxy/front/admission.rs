//! The rules at the door: an open signing port must serve nobody but local clients that
//! mean it.

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};

use super::super::Shared;
use super::super::head::Head;
use super::super::options::bare;
use super::super::reply::Refusal;
use super::Listener;
use crate::aws;
use crate::capture::exchange::{Door, FaultKind};

/// Which door a request came through, and the host that it named.
pub(super) struct Entry {
    pub(super) door: Door,
    pub(super) host: String,
}

const STAGE: &str = "front";

fn malformed(what: impl Into<String>) -> Refusal {
    let status = (StatusCode::BAD_REQUEST, "BadRequest");
    let fix = "mend the client's HTTP";
    Refusal::new(STAGE, FaultKind::ClientMalformed, status, what, fix).closing()
}

fn forbidden(what: impl Into<String>, fix: impl Into<String>) -> Refusal {
    Refusal::new(
        STAGE,
        FaultKind::NotAllowed,
        (StatusCode::FORBIDDEN, "AccessDenied"),
        what,
        fix,
    )
}

/// Whether hyper read the same request as stood on the wire. Two readings of one request
/// are how requests are smuggled.
pub(super) fn faithful(wire: &[u8], limit: usize, parts: &Parts) -> Result<(), Refusal> {
    // hyper's own limit is on what it reads at once, so that a larger head may come through.
    if wire.len() > limit {
        let status = (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "RequestHeaderSectionTooLarge",
        );
        let what = format!("the request's head is over {limit} bytes (limits.head)");
        let fix = "send less in it, or raise limits.head";
        return Err(Refusal::new(STAGE, FaultKind::TooLarge, status, what, fix).closing());
    }
    let head = Head::read(wire);
    let (method, target, _) = head.request_line();
    let differs = |what: &str| {
        Err(malformed(format!(
            "{what} can be read in two ways; refused, since the bytes sent on must be those that came"
        )))
    };
    if method != parts.method.as_str().as_bytes() {
        return differs("the method");
    }
    let same_target = match &parts.uri.authority() {
        _ if parts.method == Method::CONNECT => true,
        None => {
            parts
                .uri
                .path_and_query()
                .is_some_and(|path| path.as_str().as_bytes() == target)
                || target == b"*"
        }
        Some(_) => parts
            .uri
            .to_string()
            .as_bytes()
            .eq_ignore_ascii_case(target),
    };
    if !same_target {
        return differs("the target");
    }
    if head.headers.len() != parts.headers.len() {
        return differs("the list of headers");
    }
    let mut lengths = 0;
    let mut codings = 0;
    for (name, value) in &head.headers {
        let Ok(name) = std::str::from_utf8(name) else {
            return differs("a header's name");
        };
        lengths += usize::from(name.eq_ignore_ascii_case("content-length"));
        codings += usize::from(name.eq_ignore_ascii_case("transfer-encoding"));
        if !parts
            .headers
            .get_all(name)
            .iter()
            .any(|known| known.as_bytes() == *value)
        {
            return differs("a header's value");
        }
    }
    if lengths > 1 || codings > 1 || lengths + codings > 1 {
        return Err(malformed(
            "Content-Length and Transfer-Encoding may stand once, and not together",
        ));
    }
    Ok(())
}

/// Finds the door, and refuses hosts and pages that have no business here.
pub(super) fn enter(shared: &Shared, listener: &Listener, parts: &Parts) -> Result<Entry, Refusal> {
    if let Some(upgrade) = parts.headers.get(header::UPGRADE) {
        let what = format!(
            "an upgrade to {} is not supported",
            String::from_utf8_lossy(upgrade.as_bytes())
        );
        let status = (StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        let fix = "speak plain HTTP/1.1 to this port";
        return Err(Refusal::new(STAGE, FaultKind::NotAllowed, status, what, fix).closing());
    }
    no_browser(&parts.headers)?;
    let host = host_of(parts)?;
    let name = host_name(&host);
    if listener.bound.is_some() {
        if local(shared, listener, &name) || allowed(shared, &name) || aws::is_aws_host(&name) {
            return Ok(Entry {
                door: Door::Bound,
                host,
            });
        }
    } else if local(shared, listener, &name) {
        return Ok(Entry {
            door: Door::EndpointUrl,
            host,
        });
    } else if aws::is_aws_host(&name) || allowed(shared, &name) {
        return Ok(Entry {
            door: Door::Reverse,
            host,
        });
    }
    let mut refusal = forbidden(
        format!("the host `{name}` is neither AWS's nor this proxy's"),
        format!("--allow-host {name}, if it is meant"),
    );
    refusal.status = StatusCode::MISDIRECTED_REQUEST;
    Err(refusal)
}

fn no_browser(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(header::ORIGIN) {
        return Err(forbidden(
            "a web page sent this (it carries Origin)",
            "call from a program, not from a page",
        ));
    }
    let site = headers
        .get("sec-fetch-site")
        .map(http::HeaderValue::as_bytes);
    match site {
        None | Some(b"none" | b"same-origin") => Ok(()),
        Some(_) => Err(forbidden(
            "a web page of another site sent this (Sec-Fetch-Site)",
            "call from a program, not from a page",
        )),
    }
}

fn host_of(parts: &Parts) -> Result<String, Refusal> {
    let userinfo = || malformed("the host carries a user name, which no AWS host takes");
    if let Some(authority) = parts.uri.authority() {
        let authority = authority.as_str();
        return if authority.contains('@') {
            Err(userinfo())
        } else {
            Ok(authority.to_owned())
        };
    }
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => match host.to_str() {
            Ok(host) if host.contains('@') => Err(userinfo()),
            Ok(host) if !host.is_empty() => Ok(host.to_owned()),
            _ => Err(malformed("the Host header cannot be read")),
        },
        (Some(_), Some(_)) => Err(malformed("there is more than one Host header")),
        (None, _) => Err(malformed("there is no Host header")),
    }
}

/// Lower case, without port and brackets.
fn host_name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    bare(name).trim_end_matches('.').to_ascii_lowercase()
}

fn local(shared: &Shared, listener: &Listener, name: &str) -> bool {
    let own = || !listener.address.ip().is_loopback() && shared.options.require_lane;
    matches!(name, "127.0.0.1" | "::1" | "localhost")
        || name.ends_with(".localhost")
        || (own() && name.parse::<std::net::IpAddr>().is_ok())
}

fn allowed(shared: &Shared, name: &str) -> bool {
    shared
        .options
        .allow_hosts
        .iter()
        .any(|host| host.eq_ignore_ascii_case(name))
        || shared.configured(name)
}

pub(super) fn both_authentications() -> Refusal {
    let what = "the request is authenticated twice, in a header and in the query";
    let status = (StatusCode::BAD_REQUEST, "InvalidRequest");
    Refusal::new(
        STAGE,
        FaultKind::NotAllowed,
        status,
        what,
        "send one of the two",
    )
}

pub(super) fn no_connect() -> Refusal {
    let what = "CONNECT is not served: this is no HTTPS_PROXY";
    let status = (StatusCode::NOT_IMPLEMENTED, "NotImplemented");
    let fix = "unset HTTPS_PROXY and set AWS_ENDPOINT_URL to this address";
    Refusal::new(STAGE, FaultKind::NotAllowed, status, what, fix).closing()
}
