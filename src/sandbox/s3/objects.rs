//! Single objects: put, get, head, copy, delete, and delete of many.

use std::sync::Arc;

use hyper::Response;
use hyper::body::Incoming;

use crate::sandbox::body;
use crate::sandbox::errors::{Fault, xml};
use crate::sandbox::reader;
use crate::sandbox::server::Reply;
use crate::sandbox::times;

use super::store::{Object, kept_headers};
use super::{Ask, elements, empty_reply, malformed_xml, set, xml_reply};

pub(super) async fn put(ask: &Ask<'_>, incoming: &mut Option<Incoming>) -> Result<Reply, Fault> {
    let taken = ask.bucket("s3:PutObject", Some(ask.key), |bucket| {
        Ok(bucket.objects.contains_key(ask.key))
    })?;
    if taken && ask.head.header("if-none-match") == "*" {
        return Err(precondition("If-None-Match"));
    }
    if ask.key.len() > 1024 {
        let message = "Your key is too long";
        return Err(Fault::new(400, "KeyTooLongError", message));
    }
    let received = ask.receive(incoming).await?;
    let object = Arc::new(Object::new(ask.head, received, ask.now));
    ask.bucket("s3:PutObject", Some(ask.key), |bucket| {
        bucket
            .objects
            .insert(ask.key.to_owned(), Arc::clone(&object));
        Ok(())
    })?;
    let mut reply = empty_reply(200);
    set(&mut reply, "etag", &format!("\"{}\"", object.etag));
    set(&mut reply, "x-amz-server-side-encryption", "AES256");
    if let Some((name, value)) = &object.checksum {
        set(&mut reply, &format!("x-amz-checksum-{name}"), value);
    }
    Ok(reply)
}

pub(super) fn get(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let object = ask.object(ask.bucket, ask.key, "s3:GetObject")?;
    let etag = format!("\"{}\"", object.etag);
    let wanted = ask.head.header("if-match");
    if !wanted.is_empty() && wanted != etag && wanted != object.etag {
        return Err(precondition("If-Match"));
    }
    let held = ask.head.header("if-none-match");
    if held == etag || held == object.etag {
        let mut reply = empty_reply(304);
        set(&mut reply, "etag", &etag);
        return Ok(reply);
    }
    let len = object.blob.len();
    let range = range(ask.head.header("range"), len)?;
    let (start, end) = range.unwrap_or((0, len));
    let pieces = match ask.head.method.as_str() {
        "HEAD" => Vec::new(),
        _ => object.blob.slice(start, end),
    };
    let mut reply = Response::new(body::rope(pieces));
    if range.is_some() {
        *reply.status_mut() = hyper::StatusCode::PARTIAL_CONTENT;
        let shown = end.saturating_sub(1);
        set(
            &mut reply,
            "content-range",
            &format!("bytes {start}-{shown}/{len}"),
        );
    }
    describe(ask, &object, &mut reply);
    set(&mut reply, "content-length", &(end - start).to_string());
    let checked = ask
        .head
        .header("x-amz-checksum-mode")
        .eq_ignore_ascii_case("enabled");
    if let Some((name, value)) = object
        .checksum
        .as_ref()
        .filter(|_| checked && range.is_none())
    {
        set(&mut reply, &format!("x-amz-checksum-{name}"), value);
    }
    Ok(reply)
}

/// The object's own headers, and those that the query overrides.
fn describe(ask: &Ask<'_>, object: &Object, reply: &mut Reply) {
    for (name, value) in &object.headers {
        set(reply, name, value);
    }
    for name in ["content-type", "content-disposition", "cache-control"] {
        if let Some(value) = ask.head.param(&format!("response-{name}")) {
            set(reply, name, &value);
        }
    }
    set(reply, "etag", &format!("\"{}\"", object.etag));
    set(reply, "last-modified", &times::http(object.modified));
    set(reply, "accept-ranges", "bytes");
    set(reply, "x-amz-server-side-encryption", "AES256");
}

pub(super) fn copy(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let source = source(ask)?;
    let replace = ask
        .head
        .header("x-amz-metadata-directive")
        .eq_ignore_ascii_case("replace");
    let object = Object {
        blob: Arc::clone(&source.blob),
        etag: source.etag.clone(),
        modified: ask.now,
        headers: match replace {
            true => kept_headers(ask.head),
            false => source.headers.clone(),
        },
        checksum: source.checksum.clone(),
    };
    let inner = format!(
        "<LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>",
        times::iso_millis(ask.now),
        object.etag
    );
    ask.bucket("s3:PutObject", Some(ask.key), |bucket| {
        bucket.objects.insert(ask.key.to_owned(), Arc::new(object));
        Ok(())
    })?;
    Ok(xml_reply("CopyObjectResult", &inner))
}

/// The object that `x-amz-copy-source` names.
pub(super) fn source(ask: &Ask<'_>) -> Result<Arc<Object>, Fault> {
    let header = ask.head.header("x-amz-copy-source");
    let path = header.split('?').next().unwrap_or_default();
    let decoded = reader::decode(path.as_bytes(), false);
    let text = String::from_utf8_lossy(&decoded);
    let Some((bucket, key)) = text.trim_start_matches('/').split_once('/') else {
        let message = "Invalid copy source object key";
        return Err(Fault::new(400, "InvalidArgument", message)
            .with("ArgumentName", "x-amz-copy-source")
            .with("ArgumentValue", header));
    };
    ask.object(bucket, key, "s3:GetObject")
}

pub(super) fn delete(ask: &Ask<'_>) -> Result<Reply, Fault> {
    ask.bucket("s3:DeleteObject", Some(ask.key), |bucket| {
        bucket.objects.remove(ask.key);
        Ok(())
    })?;
    Ok(empty_reply(204))
}

pub(super) async fn delete_many(
    ask: &Ask<'_>,
    incoming: &mut Option<Incoming>,
) -> Result<Reply, Fault> {
    let sums = ["content-md5", "x-amz-trailer"];
    let summed = |name: &&str| name.starts_with("x-amz-checksum-") || sums.contains(name);
    if !ask.head.headers.keys().any(|name| summed(&name.as_str())) {
        let message = "Missing required header for this request: Content-MD5";
        return Err(Fault::new(400, "InvalidRequest", message));
    }
    let text = ask.receive_xml(incoming).await?;
    let keys = elements(&text, "Key");
    if keys.is_empty() || keys.len() > 1000 {
        return Err(malformed_xml());
    }
    let quiet = elements(&text, "Quiet")
        .first()
        .is_some_and(|value| value == "true");
    let mut inner = String::new();
    for key in keys {
        let deleted = ask.bucket("s3:DeleteObject", Some(&key), |bucket| {
            bucket.objects.remove(&key);
            Ok(())
        });
        match deleted {
            Ok(()) if quiet => {}
            Ok(()) => inner.push_str(&format!("<Deleted><Key>{}</Key></Deleted>", xml(&key))),
            Err(fault) if fault.code == "NoSuchBucket" => return Err(fault),
            Err(fault) => inner.push_str(&format!(
                "<Error><Key>{}</Key><Code>{}</Code><Message>{}</Message></Error>",
                xml(&key),
                xml(&fault.code),
                xml(&fault.message)
            )),
        }
    }
    Ok(xml_reply("DeleteResult", &inner))
}

/// `bytes=a-b` as start and end without; several ranges at once are not served, as in S3.
fn range(header: &str, len: usize) -> Result<Option<(usize, usize)>, Fault> {
    let Some(spec) = header.strip_prefix("bytes=") else {
        return Ok(None);
    };
    let Some((from, to)) = spec.split_once('-') else {
        return Ok(None);
    };
    let (start, end) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) if to < from => return Ok(None),
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(len)),
        (Ok(from), Err(_)) => (from, len),
        (Err(_), Ok(last)) => (len.saturating_sub(last), len),
        (Err(_), Err(_)) => return Ok(None),
    };
    if start >= len {
        let message = "The requested range is not satisfiable";
        return Err(Fault::new(416, "InvalidRange", message)
            .with("RangeRequested", header)
            .with("ActualObjectSize", len.to_string())
            .header("content-range", format!("bytes */{len}")));
    }
    Ok(Some((start, end)))
}

fn precondition(condition: &str) -> Fault {
    let message = "At least one of the pre-conditions you specified did not hold";
    Fault::new(412, "PreconditionFailed", message).with("Condition", condition)
}
