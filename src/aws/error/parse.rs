//! What a reply says went wrong.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// An error as the service worded it. What it did not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorReply {
    /// Without namespace and without the `:http…` that some services put behind it. For a
    /// reply without a body, S3's own name for the status (`NotFound`).
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
}

/// Longest code and message that is believed; longer ones are cut.
const LONGEST: usize = 64 * 1024;

/// Reads an error of any protocol. `headers` looks a header up by its lower-case name, `body` is
/// decoded from its content coding; a CBOR body may come as it is or as its JSON rendering.
///
/// `None`: the reply is no error. S3 sends some errors with status 200 (CopyObject,
/// UploadPartCopy, CompleteMultipartUpload); those are read too. A failure that is not worded
/// as AWS words them has no code.
pub fn parse<'h>(
    status: u16,
    headers: &dyn Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> Option<ErrorReply> {
    let content_type = headers("content-type").unwrap_or("");
    let failed = status >= 300 && status != 304;
    let text = trim(body);
    let mut error = match text.first() {
        Some(b'<') if failed || begins_with_error(text) => from_xml(text),
        _ if !failed => return None,
        Some(b'{') => from_json(&serde_json::from_slice(text).ok()?),
        Some(_) if content_type.starts_with("application/cbor") => from_cbor(body),
        Some(_) => ErrorReply::default(),
        None => from_status(status, headers),
    };
    if !failed && error.code.is_none() {
        return None;
    }
    // The header names the error where REST and query-compatible services have one.
    let query_error = headers("x-amzn-query-error").and_then(|value| value.split(';').next());
    if let Some(code) = query_error.or_else(|| headers("x-amzn-errortype")) {
        error.code = Some(bare_code(code)).filter(|code| !code.is_empty());
    }
    if error.request_id.is_none() {
        error.request_id = request_id(headers);
    }
    Some(error)
}

/// The reply's request id: `x-amzn-requestid`, S3's `x-amz-request-id`, CloudFront's
/// `x-amz-cf-id`, else S3's `x-amz-id-2`.
pub fn request_id<'h>(headers: &dyn Fn(&str) -> Option<&'h str>) -> Option<String> {
    [
        "x-amzn-requestid",
        "x-amz-request-id",
        "x-amzn-request-id",
        "x-amz-cf-id",
        "x-amz-id-2",
    ]
    .into_iter()
    .find_map(headers)
    .map(str::to_owned)
}

/// `ns.v1#Code:http://internal.amazon.com/…` → `Code`
fn bare_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    let code = code.rsplit('#').next().unwrap_or(code);
    cut(code.trim())
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

fn trim(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii()
}

/// S3 keeps the connection alive with white space while it works, then sends `<Error>`.
fn begins_with_error(text: &[u8]) -> bool {
    let head = text.get(..1024).unwrap_or(text);
    let head = match head.strip_prefix(b"<?xml") {
        Some(rest) => rest
            .iter()
            .position(|byte| *byte == b'>')
            .and_then(|end| rest.get(end + 1..))
            .unwrap_or(&[]),
        None => head,
    };
    head.trim_ascii_start().starts_with(b"<Error>")
}

/// `<ErrorResponse><Error><Code>`, `<Response><Errors><Error><Code>`, `<Error><Code>`. What is
/// nested deeper, or comes after the first of its name, is not looked at.
fn from_xml(text: &[u8]) -> ErrorReply {
    let mut error = ErrorReply::default();
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader::from_str(&text);
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    // A body that ends early keeps what it said before.
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                value.clear();
            }
            Event::Text(text) => value.push_str(&text),
            Event::CData(text) => value.push_str(&text),
            Event::GeneralRef(reference) => push_reference(&mut value, &reference),
            Event::End(_) => {
                take(&mut error, &path, &value);
                path.pop();
                value.clear();
            }
            Event::Eof => break,
            _ => {}
        }
        if path.len() > 32 {
            break;
        }
    }
    error
}

fn push_reference(value: &mut String, reference: &quick_xml::events::BytesRef<'_>) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        value.push(character);
    } else if let Some(text) = quick_xml::escape::resolve_predefined_entity(reference) {
        value.push_str(text);
    }
}

fn take(error: &mut ErrorReply, path: &[String], value: &str) {
    let Some((name, parents)) = path.split_last() else {
        return;
    };
    let in_error = parents.last().is_some_and(|parent| parent == "Error");
    let value = match name.as_str() {
        "Message" | "message" => value,
        _ => value.trim(),
    };
    let slot = match name.as_str() {
        "Code" if in_error => &mut error.code,
        "Message" | "message" if in_error => &mut error.message,
        "RequestId" | "RequestID" if parents.len() <= 2 => &mut error.request_id,
        _ => return,
    };
    if slot.is_none() && !value.trim().is_empty() {
        *slot = Some(cut(value));
    }
}

fn from_json(body: &Value) -> ErrorReply {
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    };
    let first = |names: &[&str]| names.iter().find_map(|name| text(name));
    // OpenSearch's access control: {"error": {"type", "reason"}}
    let nested = |name: &str| body.get("error")?.get(name)?.as_str();
    let code = first(&["__type", "code", "Code", "error"])
        .or_else(|| body.get("Error")?.get("Code")?.as_str())
        .or_else(|| nested("type"));
    let message = first(&[
        "message",
        "Message",
        "errorMessage",
        "error_description",
        "detailedMessage",
    ])
    .or_else(|| body.get("Error")?.get("Message")?.as_str())
    .or_else(|| nested("reason"));
    ErrorReply {
        code: code.map(bare_code),
        message: message.map(cut),
        request_id: first(&["requestId", "RequestId", "requestID"]).map(str::to_owned),
    }
}

/// The same members as in JSON, in a CBOR map.
fn from_cbor(body: &[u8]) -> ErrorReply {
    let Ok(ciborium::Value::Map(members)) = ciborium::from_reader(body) else {
        return ErrorReply::default();
    };
    let texts = members.into_iter().filter_map(|(name, value)| {
        Some((
            name.into_text().ok()?,
            Value::String(value.into_text().ok()?),
        ))
    });
    from_json(&Value::Object(texts.collect()))
}

/// A reply without a body (HEAD, 301). S3 has names for the statuses, which SDKs use too.
fn from_status<'h>(status: u16, headers: &dyn Fn(&str) -> Option<&'h str>) -> ErrorReply {
    let is_s3 = headers("x-amz-id-2").is_some() || headers("x-amz-bucket-region").is_some();
    let name = match status {
        301 => "PermanentRedirect",
        307 => "TemporaryRedirect",
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        _ => "",
    };
    ErrorReply {
        code: (is_s3 && !name.is_empty()).then(|| name.to_owned()),
        ..ErrorReply::default()
    }
}
