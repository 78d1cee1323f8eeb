//! What the reply shows, and what the entry's pattern found in it.

use super::{Table, header_has, holds, line};
use crate::aws::error;
use crate::capture::exchange::ReplyFrom;

pub(super) const TESTS: Table = &[
    ("code", |q, code| holds(q.scene.code == code)),
    ("status", |q, start| {
        let status = q.scene.status.to_string();
        line(status.starts_with(start), || format!("HTTP {status}"))
    }),
    ("says", |q, part| {
        let has = q
            .scene
            .message
            .to_ascii_lowercase()
            .contains(&part.to_ascii_lowercase());
        holds(has)
    }),
    ("body", |q, part| holds(q.scene.body.contains(part))),
    ("is", |q, argument| {
        let (name, value) = argument.split_once(':')?;
        holds(q.captures.get(name)? == value)
    }),
    ("captured", |q, name| {
        holds(q.captures.get(name).is_some_and(|value| !value.is_empty()))
    }),
    ("in-element", |q, argument| {
        let (name, part) = argument.split_once(':')?;
        let value = q.scene.element(name)?;
        line(value.to_ascii_lowercase().contains(part), || {
            format!("<{name}>{value}")
        })
    }),
    ("reply-header", |q, argument| {
        let (name, part) = argument.split_once(':').unwrap_or((argument, ""));
        header_has(q.scene.reply_header(name), name, part)
    }),
    ("no-request-id", |q, _| {
        let reply = q
            .scene
            .exchange
            .reply
            .as_ref()
            .filter(|reply| reply.from == ReplyFrom::Upstream)?;
        let id = error::request_id(&|name| {
            // CloudFront and WAF give an id of their own, which is no service's.
            (name != "x-amz-cf-id")
                .then(|| q.scene.reply_header(name))
                .flatten()
        });
        let own = reply
            .body
            .text
            .as_deref()
            .is_some_and(|body| body.contains("<RequestId>"));
        line(id.is_none() && !own, || {
            "the reply has no request id of AWS's".to_owned()
        })
    }),
    ("s3-reply", |q, _| {
        let s3 = q.scene.service() == "s3"
            || q.scene.reply_header("x-amz-id-2").is_some()
            || q.scene.reply_header("x-amz-bucket-region").is_some();
        holds(s3)
    }),
    ("empty-body", |q, _| {
        holds(q.scene.body.is_empty() && q.scene.status >= 300)
    }),
    ("fault", |q, kind| {
        let fault = q.scene.exchange.fault.as_ref()?;
        line(fault.kind.as_str() == kind, || fault.message.clone())
    }),
    ("client-chunks", |q, _| {
        let found = &q.scene.exchange.findings;
        holds(
            found
                .iter()
                .any(|finding| finding.code == "client-chunk-signature-invalid"),
        )
    }),
];
