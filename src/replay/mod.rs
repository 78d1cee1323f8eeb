//! Sends an exchange again: signed now, as whoever the operator says, through the same
//! corridor. Nothing is overwritten; the new exchange names its parent.
//!
//! A request is never replayed with something missing: what was masked on the record or cut
//! from memory has to come from somewhere else.

use bytes::Bytes;

use crate::aws;
use crate::capture::Exchange;
use crate::capture::exchange::{Door, Request};
use crate::proxy::{Again, Endpoint};
use crate::secret::Raw;

/// As whom, where and with which body.
#[derive(Clone, Debug, Default)]
pub struct As {
    /// The profile; the active one by default.
    pub profile: Option<String>,
    /// The region; the request's own by default.
    pub region: Option<String>,
    /// The whole body, in place of the recorded one.
    pub body: Option<Bytes>,
}

/// What the operator should be asked before an exchange is sent again: its operation changes
/// something, or nobody knows that it does not.
pub fn needs_confirmation(exchange: &Exchange) -> Option<String> {
    let route = exchange.route.as_ref();
    let service = route.and_then(|route| route.service.as_deref());
    let operation = route.and_then(|route| route.operation.as_deref());
    let known = service
        .zip(operation)
        .and_then(|(service, operation)| aws::service(service)?.operation(operation));
    match known {
        Some(operation) if operation.reads => None,
        Some(_) => Some(format!("{} changes something", exchange.call())),
        None => Some("what this request does is not known; it may change something".to_owned()),
    }
}

/// Puts the request together from the original in memory, or from the record where nothing
/// of it is masked or cut.
///
/// # Errors
/// Says what is missing, and how to supply it.
pub fn prepare(exchange: &Exchange, raw: Option<&Raw>, wanted: As) -> Result<Again, String> {
    if exchange.door == Door::Internal {
        return Err(
            "it is one of sigscope's own credential calls; pick the profile again instead"
                .to_owned(),
        );
    }
    let received = exchange
        .received
        .as_ref()
        .ok_or_else(|| "no request was received that could be sent again".to_owned())?;
    let (head, body) = match raw {
        Some(raw) => (raw.received.head.to_vec(), whole(raw)),
        None => (recorded_head(received)?, recorded_body(received)),
    };
    let body = match wanted.body {
        Some(body) => body,
        None => body?,
    };
    let origin = received
        .url
        .strip_suffix(received.target.as_str())
        .unwrap_or(&received.url)
        .to_owned();
    Ok(Again {
        replay_of: exchange.id,
        head,
        body,
        origin,
        profile: wanted.profile,
        region: wanted.region,
        upstream: bound(exchange),
        to_us: is_local(&received.url),
        signed_as: signed_as(exchange),
    })
}

/// Clients that use us as their endpoint URL name this machine.
fn is_local(url: &str) -> bool {
    let authority = url
        .split_once("://")
        .map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "[::1]" | "localhost") || host.ends_with(".localhost")
}

fn signed_as(exchange: &Exchange) -> (Option<String>, Option<String>) {
    let route = exchange.route.as_ref();
    (
        route.and_then(|route| route.signing_name.clone()),
        route.and_then(|route| route.region.clone()),
    )
}

/// A bound listener's upstream is not in the request.
fn bound(exchange: &Exchange) -> Option<Endpoint> {
    if exchange.door != Door::Bound {
        return None;
    }
    exchange.route.as_ref()?.upstream.as_deref()?.parse().ok()
}

fn whole(raw: &Raw) -> Result<Bytes, String> {
    let wire = &raw.received;
    if wire.complete {
        return Ok(Bytes::copy_from_slice(&wire.body));
    }
    Err(format!(
        "{} of the body's {} bytes were kept; give the whole of it with `sigscope replay … --body FILE`",
        wire.body.len(),
        wire.body_size
    ))
}

fn is_masked(text: &str) -> bool {
    text.contains('‹')
}

/// The client's own authentication is masked and will not be needed.
fn recorded_head(received: &Request) -> Result<Vec<u8>, String> {
    if is_masked(&without_authentication(&received.target)) {
        return Err(
            "its target is masked on the record, and the original is no longer in memory"
                .to_owned(),
        );
    }
    let mut head = format!(
        "{} {} {}\r\n",
        received.method, received.target, received.version
    );
    for (name, value) in &received.headers {
        if crate::sigv4::is_auth_header(name.as_bytes()).is_some() && is_masked(value) {
            continue;
        }
        if is_masked(value) {
            return Err(format!(
                "its header {name} is masked on the record, and the original is no longer in memory"
            ));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    Ok(head.into_bytes())
}

fn without_authentication(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !crate::sigv4::AUTH_PARAMS
                .iter()
                .any(|auth| auth.eq_ignore_ascii_case(name))
        })
        .collect();
    format!("{path}?{}", kept.join("&"))
}

fn recorded_body(received: &Request) -> Result<Bytes, String> {
    let body = &received.body;
    if body.size == 0 {
        return Ok(Bytes::new());
    }
    let supply = "give the whole of it with `sigscope replay … --body FILE`";
    if body.masked > 0 {
        return Err(format!(
            "{} places of its body are masked on the record; {supply}",
            body.masked
        ));
    }
    if body.kept < body.size {
        return Err(format!(
            "{} of the body's {} bytes were kept; {supply}",
            body.kept, body.size
        ));
    }
    if let Some(base64) = &body.base64 {
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
        return bytes
            .map(Bytes::from)
            .map_err(|_| format!("its recorded body cannot be read; {supply}"));
    }
    match (&body.text, &body.rendered) {
        (Some(text), None) if text.len() as u64 == body.size => Ok(Bytes::from(text.clone())),
        _ => Err(format!(
            "its body is on the record only as it is shown; {supply}"
        )),
    }
}
