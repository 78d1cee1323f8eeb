use proptest::prelude::*;

use super::*;
use crate::aws::service;

type Headers<'a> = &'a [(&'a str, &'a str)];

fn read(status: u16, headers: Headers<'_>, body: &[u8]) -> Option<ErrorReply> {
    let find = |name: &str| {
        headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    };
    parse(status, &find, body)
}

fn error(code: &str, message: &str, request_id: &str) -> Option<ErrorReply> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Some(ErrorReply {
        code: given(code),
        message: given(message),
        request_id: given(request_id),
    })
}

/// name, status, headers, body, code, message, request id
type Case = (
    &'static str,
    u16,
    Headers<'static>,
    &'static str,
    [&'static str; 3],
);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("query", 403, &[("x-amzn-RequestId", "header-id")],
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>Sender</Type>\n    <Code>SignatureDoesNotMatch</Code>\n    <Message>a &lt;b&gt; &amp; c&#10;d</Message>\n  </Error>\n  <RequestId>body-id</RequestId>\n</ErrorResponse>",
        ["SignatureDoesNotMatch", "a <b> & c\nd", "body-id"]),
    ("ec2", 401, &[],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able to validate the provided access credentials</Message></Error></Errors><RequestID>id</RequestID></Response>",
        ["AuthFailure", "AWS was not able to validate the provided access credentials", "id"]),
    ("s3", 403, &[("x-amz-request-id", "4442587FB7D0A2F9"), ("x-amz-id-2", "long")],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>4442587FB7D0A2F9</RequestId><HostId>long</HostId></Error>",
        ["AccessDenied", "Access Denied", "4442587FB7D0A2F9"]),
    ("s3 in a 200", 200, &[("x-amz-request-id", "id")],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n  <Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>",
        ["InternalError", "We encountered an internal error.", "id"]),
    ("s3 moved", 301, &[],
        "<Error><Code>PermanentRedirect</Code><Message>m</Message><Endpoint>b.s3.amazonaws.com</Endpoint></Error>",
        ["PermanentRedirect", "m", ""]),
    ("json", 400, &[("x-amzn-RequestId", "id"), ("content-type", "application/x-amz-json-1.1")],
        r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
        ["UnrecognizedClientException", "The security token included in the request is invalid.", "id"]),
    ("json, capital message", 400, &[],
        r#"{"__type":"AccessDeniedException","Message":"no"}"#,
        ["AccessDeniedException", "no", ""]),
    ("rest-json", 403, &[("x-amzn-ErrorType", "InvalidSignatureException:http://internal.amazon.com/coral/com.amazon.coral.service/"), ("x-amzn-RequestId", "id")],
        r#"{"message":"m"}"#, ["InvalidSignatureException", "m", "id"]),
    ("rest-json, code in the body", 400, &[], r#"{"code":"ValidationException","message":"m"}"#,
        ["ValidationException", "m", ""]),
    ("awsQueryCompatible", 400, &[("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")],
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"}"#,
        ["AWS.SimpleQueueService.NonExistentQueue", "m", ""]),
    ("oauth", 400, &[], r#"{"error":"invalid_grant","error_description":"m"}"#, ["invalid_grant", "m", ""]),
    ("neptune", 403, &[], r#"{"code":"AccessDeniedException","detailedMessage":"m","requestId":"id"}"#,
        ["AccessDeniedException", "m", "id"]),
    ("opensearch", 403, &[], r#"{"error":{"type":"security_exception","reason":"m"},"status":403}"#,
        ["security_exception", "m", ""]),
    ("cbor as json", 400, &[("content-type", "application/cbor")],
        r#"{"__type":"aws.x#Bad","message":"m"}"#, ["Bad", "m", ""]),
    ("head", 403, &[("x-amz-request-id", "id"), ("x-amz-id-2", "long")], "", ["Forbidden", "", "id"]),
    ("head, moved", 301, &[("x-amz-bucket-region", "eu-west-1")], "", ["PermanentRedirect", "", ""]),
    ("head, named", 404, &[("x-amzn-errortype", "ResourceNotFoundException")], "", ["ResourceNotFoundException", "", ""]),
    ("api gateway", 403, &[("x-amzn-ErrorType", "MissingAuthenticationTokenException"), ("x-amzn-RequestId", "id")],
        r#"{"message":"Missing Authentication Token"}"#,
        ["MissingAuthenticationTokenException", "Missing Authentication Token", "id"]),
    ("somebody else", 502, &[("content-type", "text/html")], "<html><body>Bad Gateway</body></html>", ["", "", ""]),
    ("somebody else, plain", 503, &[], "no healthy upstream", ["", "", ""]),
    ("cut off", 403, &[], "<ErrorResponse><Error><Code>AccessDenied</Code><Mess", ["AccessDenied", "", ""]),
];

#[test]
fn errors_are_read_in_every_shape() {
    for (name, status, headers, body, [code, message, id]) in CASES {
        let found = read(*status, headers, body.as_bytes());
        assert_eq!(found, error(code, message, id), "{name}");
    }
}

#[test]
fn what_is_no_error_is_none() {
    let list = b"<ListBucketResult><Error>x</Error></ListBucketResult>";
    let deleted = b"<DeleteResult><Error><Code>AccessDenied</Code></Error></DeleteResult>";
    assert_eq!(read(200, &[], list), None);
    assert_eq!(read(200, &[], deleted), None);
    assert_eq!(read(200, &[], br#"{"code":"x","message":"m"}"#), None);
    assert_eq!(read(204, &[], b""), None);
    assert_eq!(read(304, &[("x-amz-id-2", "x")], b""), None);
}

#[test]
fn the_shape_is_the_one_that_the_client_speaks() {
    let of = |name: &str, protocol, kind, target| Shape::of(service(name), protocol, kind, target);
    let form = Some("application/x-www-form-urlencoded; charset=utf-8");
    let json = Some("application/x-amz-json-1.0");
    assert_eq!(of("sts", None, form, false), Shape::Query);
    assert_eq!(of("sts", None, None, false), Shape::Query);
    assert_eq!(of("ec2", None, form, false), Shape::Ec2);
    assert_eq!(of("s3", None, form, false), Shape::RestXml);
    assert_eq!(of("s3", None, None, false), Shape::RestXml);
    assert_eq!(of("route53", None, None, false), Shape::Query);
    assert_eq!(
        of("lambda", None, Some("application/json"), false),
        Shape::RestJson
    );
    assert_eq!(of("sqs", None, json, true), Shape::Json10);
    assert_eq!(of("sqs", None, form, false), Shape::Query);
    assert_eq!(of("secretsmanager", None, None, true), Shape::Json11);
    assert_eq!(
        of("cloudwatch", Some("rpc-v2-cbor"), None, false),
        Shape::Cbor
    );
    assert_eq!(of("cloudwatch", None, form, false), Shape::Query);
    assert_eq!(of("nonesuch", None, None, false), Shape::RestJson);
}

const SHAPES: [Shape; 7] = [
    Shape::Query,
    Shape::Ec2,
    Shape::RestXml,
    Shape::Json10,
    Shape::Json11,
    Shape::RestJson,
    Shape::Cbor,
];

proptest! {
    #[test]
    fn what_is_rendered_is_read_back(
        code in "[A-Za-z.]{1,40}",
        message in "[ -~äß€\u{1F600}]{0,80}",
        request_id in "[0-9a-f-]{8,36}",
        status in prop_oneof![Just(400u16), Just(403), Just(413), Just(503)],
    ) {
        for shape in SHAPES {
            let made = render(shape, status, &code, &message, &request_id);
            let mut headers: Vec<(&str, &str)> = made.headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            headers.push(("content-type", made.content_type));
            let found = read(made.status, &headers, &made.body).unwrap();
            prop_assert_eq!(found.code.as_deref(), Some(code.as_str()));
            let blank = made.content_type.contains("xml") && message.trim().is_empty();
            let wanted = if blank { "" } else { &message };
            prop_assert_eq!(found.message.as_deref().unwrap_or(""), wanted);
            prop_assert_eq!(found.request_id.as_deref(), Some(request_id.as_str()));
        }
    }

    #[test]
    fn no_body_makes_it_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(status, &[("content-type", "application/cbor")], &body);
        read(status, &[], &body);
    }
}
