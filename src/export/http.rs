//! Messages as HTTP text: the masked head with `CRLF` line ends, the blank line, and what
//! was kept of the body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::capture::Exchange;
use crate::capture::exchange::{Body, Header, Reply, Request};

/// The request as the client sent it; `None` if none could be read.
pub fn received(exchange: &Exchange) -> Option<Vec<u8>> {
    exchange.received.as_ref().map(request)
}

/// The request as it went upstream; `None` if it did not.
pub fn sent(exchange: &Exchange) -> Option<Vec<u8>> {
    exchange.sent.as_ref().map(|sent| request(&sent.request))
}

/// The reply as the client got it; `None` if there was none.
pub fn reply(exchange: &Exchange) -> Option<Vec<u8>> {
    exchange.reply.as_ref().map(|reply: &Reply| {
        let reason = http::StatusCode::from_u16(reply.status).ok();
        let reason = reason
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default();
        message(
            &format!("{} {} {reason}", reply.version, reply.status),
            &reply.headers,
            &reply.body,
        )
    })
}

/// A request message.
pub fn request(request: &Request) -> Vec<u8> {
    let line = format!("{} {} {}", request.method, request.target, request.version);
    message(&line, &request.headers, &request.body)
}

fn message(first: &str, headers: &[Header], body: &Body) -> Vec<u8> {
    let mut text = format!("{first}\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    match (&body.text, &body.base64) {
        (Some(text), _) => bytes.extend_from_slice(text.as_bytes()),
        // What is not valid base64 was not written by us; leave it as it is.
        (None, Some(text)) => {
            bytes.extend(
                BASE64_STANDARD
                    .decode(text)
                    .unwrap_or_else(|_| text.clone().into_bytes()),
            );
        }
        (None, None) => {}
    }
    bytes
}
