//! An error as the service would have written it.

use ciborium::Value as Cbor;
use quick_xml::escape::escape;
use serde_json::json;

use crate::aws::catalogue::{Protocol, Service};

/// How an error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Query,
    Ec2,
    /// S3's `<Error>`. Route 53 and CloudFront write the query protocol's shape.
    RestXml,
    Json10,
    Json11,
    RestJson,
    Cbor,
}

/// An answer that the service might have given. No `content-length`: whoever sends it knows
/// whether the request was a HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub status: u16,
    pub content_type: &'static str,
    /// Without `content-type`.
    pub headers: Vec<(&'static str, String)>,
    /// Not to be sent in answer to a HEAD.
    pub body: Vec<u8>,
}

impl Shape {
    /// The shape in which the client expects an error. What the request itself shows wins
    /// (its `smithy-protocol`, its content type, its `X-Amz-Target`), since a service may
    /// understand several protocols; then comes the service's own. With neither: REST JSON,
    /// whose code also stands in a header.
    pub fn of(
        service: Option<&Service>,
        smithy_protocol: Option<&str>,
        content_type: Option<&str>,
        has_target: bool,
    ) -> Self {
        let is = |kind: &str| content_type.is_some_and(|given| given.starts_with(kind));
        let ec2 = service.is_some_and(|service| service.protocol == Protocol::Ec2);
        let rest = service.is_some_and(Service::is_rest);
        if smithy_protocol == Some("rpc-v2-cbor") {
            Self::Cbor
        } else if is("application/x-amz-json-1.0") && !rest {
            Self::Json10
        } else if (is("application/x-amz-json-1.1") || has_target) && !rest {
            Self::Json11
        } else if is("application/x-www-form-urlencoded") && !rest {
            if ec2 { Self::Ec2 } else { Self::Query }
        } else {
            service.map_or(Self::RestJson, Self::own)
        }
    }

    fn own(service: &Service) -> Self {
        match service.protocol {
            Protocol::Query => Self::Query,
            Protocol::Ec2 => Self::Ec2,
            Protocol::Json10 => Self::Json10,
            Protocol::Json11 => Self::Json11,
            Protocol::RestJson => Self::RestJson,
            Protocol::RestXml if matches!(service.name, "s3" | "s3control") => Self::RestXml,
            Protocol::RestXml => Self::Query,
            Protocol::RpcV2Cbor => Self::Cbor,
        }
    }
}

/// Writes an error. `status` is the caller's: the protocols do not tie codes to statuses.
pub fn render(shape: Shape, status: u16, code: &str, message: &str, request_id: &str) -> Rendered {
    let amzn_id = ("x-amzn-RequestId", request_id.to_owned());
    let (content_type, headers, body) = match shape {
        Shape::Query => (
            "text/xml",
            vec![amzn_id],
            query(status, code, message, request_id),
        ),
        Shape::Ec2 => (
            "text/xml;charset=UTF-8",
            vec![amzn_id],
            ec2(code, message, request_id),
        ),
        Shape::RestXml => (
            "application/xml",
            vec![("x-amz-request-id", request_id.to_owned())],
            s3(code, message, request_id),
        ),
        Shape::Json10 => (
            "application/x-amz-json-1.0",
            vec![amzn_id],
            typed(code, message),
        ),
        Shape::Json11 => (
            "application/x-amz-json-1.1",
            vec![amzn_id],
            typed(code, message),
        ),
        Shape::RestJson => (
            "application/json",
            vec![amzn_id, ("x-amzn-ErrorType", code.to_owned())],
            json!({ "message": message }).to_string().into_bytes(),
        ),
        Shape::Cbor => (
            "application/cbor",
            vec![amzn_id, ("smithy-protocol", "rpc-v2-cbor".to_owned())],
            cbor(code, message),
        ),
    };
    Rendered {
        status,
        content_type,
        headers,
        body,
    }
}

fn query(status: u16, code: &str, message: &str, request_id: &str) -> Vec<u8> {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse>\n  <Error>\n    <Type>{fault}</Type>\n    <Code>{}</Code>\n    \
         <Message>{}</Message>\n  </Error>\n  <RequestId>{}</RequestId>\n</ErrorResponse>\n",
        escape(code),
        escape(message),
        escape(request_id)
    )
    .into_bytes()
}

fn ec2(code: &str, message: &str, request_id: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code>\
         <Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>",
        escape(code),
        escape(message),
        escape(request_id)
    )
    .into_bytes()
}

fn s3(code: &str, message: &str, request_id: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
         <RequestId>{}</RequestId></Error>",
        escape(code),
        escape(message),
        escape(request_id)
    )
    .into_bytes()
}

fn typed(code: &str, message: &str) -> Vec<u8> {
    json!({ "__type": code, "message": message })
        .to_string()
        .into_bytes()
}

fn cbor(code: &str, message: &str) -> Vec<u8> {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let map = Cbor::Map(vec![
        (text("__type"), text(code)),
        (text("message"), text(message)),
    ]);
    let mut body = Vec::new();
    // Writing to a vector does not fail; a client reads an empty body as an error without name.
    if ciborium::into_writer(&map, &mut body).is_err() {
        body.clear();
    }
    body
}
