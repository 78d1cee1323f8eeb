use std::io::Write as _;

use super::*;

#[test]
fn json_members_by_operation_keep_the_layout() {
    let masker = masker();
    let about = reply("ssm", "GetParameter");
    let text = "{ \"Parameter\" : {\"Name\":\"/db\",\n\t\"Value\" : \"hush\", \"Version\":3 } }";
    let body = masker.body(&about, text.as_bytes());
    let masked = body.text.unwrap();
    assert!(
        masked
            .starts_with("{ \"Parameter\" : {\"Name\":\"/db\",\n\t\"Value\" : \"‹token 4 chars #")
    );
    assert!(masked.ends_with("›\", \"Version\":3 } }"), "{masked}");
    assert_eq!((body.masked, body.sha256), (1, None));
    let tags = shown(
        &masker,
        &reply("ssm", "ListTagsForResource"),
        br#"{"Value":"shown"}"#,
    );
    assert_eq!(tags, r#"{"Value":"shown"}"#);
}

#[test]
fn containers_and_numbers() {
    let masker = masker();
    let about = BodyContext {
        side: Side::Request,
        ..reply("cognito-idp", "InitiateAuth")
    };
    let text = r#"{"AuthParameters":{"USERNAME":"jane","PASSWORD":["hush",12345,true,null]},"ClientId":"abc"}"#;
    let masked = shown(&masker, &about, text.as_bytes());
    for secret in ["jane", "hush", "12345"] {
        assert!(!masked.contains(secret), "{masked}");
    }
    let value: serde_json::Value = serde_json::from_str(&masked).unwrap();
    assert!(value["AuthParameters"]["PASSWORD"][1].is_string());
    assert_eq!(value["AuthParameters"]["PASSWORD"][2], true);
    assert_eq!(value["ClientId"], "abc");
}

#[test]
fn edges_stay_valid_json() {
    let masked = shown(
        &masker(),
        &BodyContext::default(),
        br#"{"Password":" \"hush\"\n"}"#,
    );
    let value: serde_json::Value = serde_json::from_str(&masked).unwrap();
    let password = value["Password"].as_str().unwrap();
    assert!(
        password.starts_with("␠\"‹token 4") && password.ends_with("›\"␊"),
        "{password}"
    );
}

#[test]
fn the_metadata_service() {
    let masker = masker();
    let text = r#"{"Code":"Success","AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"hush","Token":"tok"}"#;
    let masked = shown(&masker, &BodyContext::default(), text.as_bytes());
    assert!(
        !masked.contains("hush") && !masked.contains("\"tok\""),
        "{masked}"
    );
    assert_eq!(
        shown(&masker, &BodyContext::default(), br#"{"Token":"page"}"#),
        r#"{"Token":"page"}"#
    );
    let about = BodyContext {
        target: Some(b"/latest/api/token"),
        side: Side::Reply,
        ..BodyContext::default()
    };
    let token = masker.body(&about, b"AQAEAPx0123456789==");
    assert!(token.text.unwrap().starts_with("‹token 19 chars #"));
}

#[test]
fn s3_echoes_what_was_signed() {
    let masker = masker();
    let canonical =
        "GET\n/\n\nhost:b\nx-amz-security-token:secret-token-1\n\nhost\nUNSIGNED-PAYLOAD";
    let hex: Vec<String> = canonical.bytes().map(|b| format!("{b:02x}")).collect();
    let text = format!(
        "<?xml version=\"1.0\"?>\n<Error><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId>\
         <CanonicalRequest>{canonical}</CanonicalRequest>\
         <CanonicalRequestBytes>{}</CanonicalRequestBytes></Error>",
        hex.join(" ")
    );
    let about = BodyContext {
        failed: true,
        ..reply("s3", "GetObject")
    };
    let masked = shown(&masker, &about, text.as_bytes());
    assert!(
        !masked.contains("secret-token") && !masked.contains("65 63 72 65 74 2d 74"),
        "{masked}"
    );
    assert!(
        masked.contains("x-amz-security-token:‹token 14 chars #"),
        "{masked}"
    );
    assert!(
        masked.contains("47 45 54 0a 2f 0a 0a 68 6f 73 74"),
        "{masked}"
    );
    assert!(
        masked.contains("\n\nhost\nUNSIGNED-PAYLOAD</CanonicalRequest>"),
        "{masked}"
    );
}

#[test]
fn canonical_string_in_a_json_message() {
    let text = r#"{"message":"The Canonical String should have been\n'POST\n/\n\nhost:h\nx-amz-security-token:secret-token-1\n\nhost'"}"#;
    let masked = shown(&masker(), &reply("dynamodb", "GetItem"), text.as_bytes());
    assert!(
        masked.contains(r"x-amz-security-token:‹token 14"),
        "{masked}"
    );
    assert!(masked.ends_with(r#"›\n\nhost'"}"#), "{masked}");
}

#[test]
fn forms() {
    let about = BodyContext {
        side: Side::Request,
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
        ..reply("sts", "AssumeRole")
    };
    let text = "Action=AssumeRole&RoleArn=arn%3Aaws&TokenCode=123456\
        &ProvidedContexts.member.1.ContextAssertion=hush%2Bhush&Tags.member.1.Value=a+b";
    let masked = shown(&masker(), &about, text.as_bytes());
    assert!(masked.starts_with("Action=AssumeRole&RoleArn=arn%3Aaws&TokenCode=‹token 6 chars #"));
    assert!(
        masked.contains("ContextAssertion=‹token 9 chars #"),
        "{masked}"
    );
    assert!(masked.ends_with("&Tags.member.1.Value=a+b"), "{masked}");
}

#[test]
fn unreadable_bodies_of_sensitive_operations_are_left_out() {
    let masker = masker();
    let about = reply("secretsmanager", "GetSecretValue");
    for bytes in [
        &b"{\"SecretString\" \"hush\"}"[..],
        b"\x00\x01hush",
        b"plain hush",
    ] {
        let about = BodyContext {
            sha256: Some([1; 32]),
            size: 99,
            ..about
        };
        let body = masker.body(&about, bytes);
        assert_eq!(body.rendered.as_deref(), Some("omitted"));
        assert_eq!((body.text, body.base64, body.sha256), (None, None, None));
        assert_eq!((body.size, body.kept), (99, bytes.len() as u64));
    }
    let failed = BodyContext {
        failed: true,
        ..about
    };
    assert_eq!(shown(&masker, &failed, b"Forbidden"), "Forbidden");
    let cut = shown(&masker, &about, br#"{"Name":"db","SecretString":"hush-hus"#);
    assert!(
        cut.starts_with(r#"{"Name":"db","SecretString":"‹token 8"#),
        "{cut}"
    );
    let binary = masker.body(&reply("s3", "GetObject"), b"\x89PNG\xff");
    assert_eq!(binary.base64.as_deref(), Some("iVBOR/8="));
    assert!(binary.text.is_none() && binary.masked == 0);
    masker.learn(
        &Secret::new("known-secret-value"),
        Kind::Password,
        "profile p",
    );
    let known = masker.body(&reply("s3", "GetObject"), b"\x89PNG\xff known-secret-value");
    assert_eq!(known.base64, None);
}

#[test]
fn content_codings_are_undone_and_bounded() {
    let masker = masker();
    let text = br#"{"SecretString":"hush","Name":"db"}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::stream::encode_all(&text[..], 0).unwrap();
    let mut deflate =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(text).unwrap();
    for (coding, bytes) in [
        ("gzip", gzip.clone()),
        ("zstd", zstd),
        ("deflate", deflate.finish().unwrap()),
    ] {
        let about = BodyContext {
            content_encoding: Some(coding),
            ..reply("secretsmanager", "GetSecretValue")
        };
        let body = masker.body(&about, &bytes);
        assert_eq!(body.rendered.as_deref(), Some(coding));
        assert!(body.text.unwrap().ends_with("›\",\"Name\":\"db\"}"));
    }
    let about = BodyContext {
        content_encoding: Some("gzip"),
        ..BodyContext::default()
    };
    let twice = [gzip.clone(), gzip.clone()].concat();
    assert_eq!(
        masker.body(&about, &twice).masked,
        2,
        "every member is read"
    );
    let cut = masker.body(&about, &gzip[..gzip.len() - 9]);
    assert_eq!(cut.rendered.as_deref(), Some("gzip+truncated"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    bomb.write_all(&vec![b' '; 8 << 20]).unwrap();
    let body = masker.body(&about, &bomb.finish().unwrap());
    assert_eq!(body.text.map(|text| text.len()), Some(1 << 20));
    let not = masker.body(&about, br#"{"Password":"hush"}"#);
    assert_eq!((not.masked, not.rendered), (1, None), "mislabelled");
}

#[test]
fn cbor_is_shown_as_json() {
    use ciborium::Value;
    let value = Value::Map(vec![
        (
            Value::Text("Plaintext".into()),
            Value::Bytes(b"hush hush".to_vec()),
        ),
        (Value::Text("KeyId".into()), Value::Text("alias/a".into())),
        (
            Value::Text("At".into()),
            Value::Tag(1, Box::new(Value::Integer(5.into()))),
        ),
    ]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&value, &mut bytes).unwrap();
    let about = BodyContext {
        content_type: Some("application/cbor"),
        ..reply("kms", "Decrypt")
    };
    let body = masker().body(&about, &bytes);
    let text = body.text.unwrap();
    assert!(
        text.starts_with("{\"Plaintext\":\"‹token 12 chars #"),
        "{text}"
    );
    assert!(text.ends_with("\"KeyId\":\"alias/a\",\"At\":5}"), "{text}");
    assert_eq!(body.rendered.as_deref(), Some("cbor"));
    let cut = masker().body(&about, &bytes[..bytes.len() - 2]);
    assert_eq!(cut.rendered.as_deref(), Some("omitted"));
}

fn frame(headers: &[(&str, u8, &[u8])], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, kind, value) in headers {
        head.push(name.len() as u8);
        head.extend_from_slice(name.as_bytes());
        head.push(*kind);
        if matches!(kind, 6 | 7) {
            head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        }
        head.extend_from_slice(value);
    }
    let mut out = Vec::new();
    out.extend_from_slice(&((16 + head.len() + payload.len()) as u32).to_be_bytes());
    out.extend_from_slice(&(head.len() as u32).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&[0; 4]);
    out
}

#[test]
fn event_streams_are_shown_as_json() {
    let inner = frame(
        &[(":event-type", 7, b"AudioEvent")],
        br#"{"Password":"hush"}"#,
    );
    let signed = frame(
        &[
            (":date", 8, &5u64.to_be_bytes()),
            (":chunk-signature", 6, &[0xab; 32]),
        ],
        &inner,
    );
    let mut bytes = frame(
        &[
            (":event-type", 7, b"Records"),
            ("n", 4, &(-2i32).to_be_bytes()),
        ],
        b"a,b\n",
    );
    bytes.extend_from_slice(&signed);
    bytes.extend_from_slice(&signed[..20]);
    let about = BodyContext {
        content_type: Some("application/vnd.amazon.eventstream"),
        ..BodyContext::default()
    };
    let body = masker().body(&about, &bytes);
    assert_eq!(body.rendered.as_deref(), Some("event-stream+truncated"));
    let value: serde_json::Value = serde_json::from_str(&body.text.unwrap()).unwrap();
    assert_eq!(value[0]["payload"], "a,b\n");
    assert_eq!(value[0]["headers"]["n"], -2);
    assert_eq!(value[1]["headers"][":chunk-signature"], "ababab…abab");
    let password = &value[1]["payload"][0]["payload"]["Password"];
    assert!(
        password.as_str().unwrap().starts_with("‹token 4"),
        "{value}"
    );
}

#[test]
fn aws_chunked_framing_is_shown() {
    let signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let bytes = format!(
        "5;chunk-signature={signature}\r\nhello\r\n0;chunk-signature={signature}\r\n\
         x-amz-checksum-crc32:abc=\r\nx-amz-trailer-signature:{signature}\r\n\r\n"
    );
    let about = BodyContext {
        aws_chunked: true,
        ..BodyContext::default()
    };
    let body = masker().body(&about, bytes.as_bytes());
    assert_eq!(body.rendered.as_deref(), Some("aws-chunked"));
    assert_eq!(body.text.unwrap(), bytes.replace(signature, "4f232c…a0a9"));
    let masker = masker();
    masker.learn(
        &Secret::new("known-secret-value"),
        Kind::Password,
        "profile p",
    );
    let split = masker.body(&about, b"8\r\nknown-se\r\na\r\ncret-value\r\n0\r\n\r\n");
    assert!(!split.text.unwrap().contains("known-se"));
}

#[test]
fn s3_post_forms() {
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let text = [
        part("key", "a.txt"),
        part("policy", "eyJleHBpcmF0aW9uIjoi"),
        part("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20260101/x"),
        part("x-amz-signature", &"ab".repeat(32)),
        part("x-amz-security-token", "hush-hush"),
        part("file", "content"),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let about = BodyContext {
        content_type: Some("multipart/form-data; boundary=b"),
        ..BodyContext::default()
    };
    let masked = shown(&masker(), &about, text.as_bytes());
    for secret in ["eyJleHB", "hush-hush", "FODNN7", &"ab".repeat(9)] {
        assert!(!masked.contains(secret), "{masked}");
    }
    assert!(masked.contains("\r\n\r\na.txt\r\n") && masked.contains("\r\n\r\ncontent\r\n"));
}

#[test]
fn payload_is_shown_unless_asked() {
    let text = br#"{"Item":{"name":{"S":"Jane"}}}"#;
    let about = reply("dynamodb", "GetItem");
    assert_eq!(shown(&masker(), &about, text).as_bytes(), text);
    let options = Options {
        payloads: true,
        decoded_limit: 1 << 20,
    };
    let closed = Masker::new(salt(), options);
    assert!(
        shown(&closed, &about, text).starts_with(r#"{"Item":{"name":{"S":"‹payload 4 chars #"#)
    );
    let object = closed.body(&reply("s3", "GetObject"), b"content");
    assert_eq!(object.rendered.as_deref(), Some("omitted"));
}

#[test]
fn an_unmasked_body_keeps_its_digest() {
    let about = BodyContext {
        sha256: Some([0xab; 32]),
        ..BodyContext::default()
    };
    assert_eq!(masker().body(&about, b"{}").sha256, Some("ab".repeat(32)));
    assert_eq!(masker().body(&about, b"").sha256, Some("ab".repeat(32)));
    assert_eq!(masker().body(&about, br#"{"Password":"x"}"#).sha256, None);
}
