//! Each way in which a body is signed, judged by the sandbox, which verifies with `aws-sigv4`.

use serde_json::{Value, json};
use sigscope::sigv4::{Rules, canonical_path};

use crate::aws::{Ask, Aws, Key, sha256};
use crate::process::{Home, Proxy};
use crate::wire::{Message, Upstream};

const TARGET: &str = "/example-reports/upload";
const CHUNKS: [&str; 2] = ["first chunk, ", "second chunk"];
const WHOLE: &str = "first chunk, second chunk";

struct Stage {
    aws: Aws,
    home: Home,
    proxy: Proxy,
}

impl Stage {
    fn start() -> Self {
        let (aws, home) = (Aws::start(), Home::new());
        let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
        Self { aws, home, proxy }
    }

    fn put(&self) -> Ask {
        Ask::s3("PUT", TARGET).host(&self.proxy.address.to_string())
    }

    fn lane(&self) -> Key {
        self.home.lane("default")
    }

    fn stored(&self) -> String {
        let get = Ask::s3("GET", TARGET).host(&self.proxy.address.to_string());
        self.proxy.ask(get.signed(&self.lane())).text()
    }

    /// Sends an upload; AWS takes it, and it went in this mode.
    #[track_caller]
    fn accepts(&self, id: u64, request: &[u8], mode: &str) -> Value {
        let reply = self.proxy.ask(request);
        assert_eq!(reply.status(), 200, "{}", reply.text());
        let exchange = self.proxy.exchange(id);
        assert_eq!(exchange["sent"]["signing"]["mode"], mode);
        exchange
    }
}

fn crc32(text: &str) -> String {
    use base64::Engine as _;
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(sum.sum().to_be_bytes())
}

fn enveloped(ask: Ask, payload: &str) -> Ask {
    ask.header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", &WHOLE.len().to_string())
        .payload(payload)
}

/// The same body in HTTP's own chunks.
fn in_http_chunks(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::new();
    for part in body.chunks(10) {
        framed.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        framed.extend_from_slice(part);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

#[test]
fn a_declared_hash_and_none() {
    let stage = Stage::start();
    let exchange = stage.accepts(
        1,
        &stage.put().body("hashed").signed(&stage.lane()),
        "header/declared-hash",
    );
    assert_eq!(exchange["client"]["signature"], "valid");
    assert_eq!(exchange["received"]["body"]["text"], "hashed");
    assert_eq!(exchange["received"]["body"]["sha256"], sha256(b"hashed"));
    assert_eq!(stage.stored(), "hashed");
    let unsigned = stage
        .put()
        .body("unsigned")
        .payload("UNSIGNED-PAYLOAD")
        .signed(&stage.lane());
    let exchange = stage.accepts(3, &unsigned, "header/unsigned-payload");
    assert_eq!(exchange["client"]["signature"], "valid");
    assert_eq!(stage.stored(), "unsigned");
    // Nobody signed it and no hash was declared: over plain HTTP it is hashed here.
    let bare = stage.put().host("s3.us-west-2.amazonaws.com");
    let exchange = stage.accepts(
        5,
        &bare.clone().body("nobody's").unsigned(),
        "header/signed",
    );
    let signed = exchange["sent"]["signing"]["signed_headers"]
        .as_array()
        .unwrap();
    assert!(
        signed.contains(&json!("x-amz-content-sha256")),
        "{signed:?}"
    );
    assert_eq!(stage.stored(), "nobody's");
    let chunked = bare
        .header("Transfer-Encoding", "chunked")
        .body(in_http_chunks(b"in chunks"));
    stage.accepts(7, &chunked.unsigned(), "header/signed");
    assert_eq!(stage.stored(), "in chunks");
    assert_eq!(stage.aws.last().operation, "GetObject");
}

#[test]
fn a_presigned_url_is_signed_again_as_one() {
    let stage = Stage::start();
    stage.accepts(
        1,
        &stage.put().body("for all").signed(&stage.lane()),
        "header/declared-hash",
    );
    let get = Ask::s3("GET", TARGET)
        .host(&stage.proxy.address.to_string())
        .presigned();
    let exchange = stage.accepts(2, &get.signed(&stage.lane()), "query/signed");
    assert_eq!(exchange["client"]["signature"], "valid");
    let sent = exchange["sent"]["target"].as_str().unwrap();
    assert!(
        sent.contains("X-Amz-Expires=300") && sent.contains("X-Amz-Signature="),
        "{sent}"
    );
    let names: Vec<_> = exchange["sent"]["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| &pair[0])
        .collect();
    assert!(
        !names
            .iter()
            .any(|name| name.as_str().unwrap().eq_ignore_ascii_case("authorization")),
        "{names:?}"
    );
    // An expired one of the client's is said, whatever AWS answers to ours.
    let late = get.minutes_ago(60).signed(&stage.lane());
    let reply = stage.proxy.ask(late);
    assert_eq!(reply.text(), "for all");
    let exchange = stage.proxy.exchange(3);
    let codes: Vec<_> = exchange["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["code"])
        .collect();
    assert!(codes.contains(&&json!("presigned-expired")), "{codes:?}");
}

#[test]
fn an_unsigned_trailer_passes_untouched_in_both_framings() {
    let stage = Stage::start();
    let chunks: String = CHUNKS
        .iter()
        .map(|data| format!("{:x}\r\n{data}\r\n", data.len()))
        .collect();
    let body = format!("{chunks}0\r\nx-amz-checksum-crc32:{}\r\n\r\n", crc32(WHOLE));
    let ask = enveloped(stage.put(), "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("x-amz-trailer", "x-amz-checksum-crc32");
    let exchange = stage.accepts(
        1,
        &ask.clone().body(&body).signed(&stage.lane()),
        "header/streaming-unsigned-trailer",
    );
    assert_eq!(exchange["client"]["signature"], "valid");
    assert_eq!(stage.stored(), WHOLE);
    let ask = ask.header("Transfer-Encoding", "chunked");
    let request = ask.signed_then(&stage.lane(), |_| in_http_chunks(body.as_bytes()));
    stage.accepts(3, &request, "header/streaming-unsigned-trailer");
    assert_eq!(stage.stored(), WHOLE);
}

#[test]
fn signed_chunks_are_signed_again() {
    let stage = Stage::start();
    let cases = [
        (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            None,
            "header/streaming-signed",
        ),
        (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Some(("x-amz-checksum-crc32", crc32(WHOLE))),
            "header/streaming-signed-trailer",
        ),
    ];
    let mut id = 1;
    for (payload, trailer, mode) in cases {
        let mut ask = enveloped(stage.put(), payload);
        if trailer.is_some() {
            ask = ask.header("x-amz-trailer", "x-amz-checksum-crc32");
        }
        let request = ask.chunk_signed(&stage.lane(), &CHUNKS, trailer.clone());
        let exchange = stage.accepts(id, &request, mode);
        assert_eq!(exchange["client"]["signature"], "valid");
        assert_eq!(exchange["findings"], json!([]));
        assert_eq!(stage.stored(), WHOLE);
        // The same without the content coding.
        let bare = Ask {
            headers: ask
                .headers
                .iter()
                .filter(|(name, _)| name != "content-encoding")
                .cloned()
                .collect(),
            ..ask.clone()
        };
        stage.accepts(
            id + 2,
            &bare.chunk_signed(&stage.lane(), &CHUNKS, trailer.clone()),
            mode,
        );
        // One byte of a chunk changed behind the client's back.
        let mut spoilt = ask.chunk_signed(&stage.lane(), &CHUNKS, trailer);
        let at = crate::wire::find(&spoilt, b"second chunk").unwrap();
        spoilt[at] = b'S';
        let reply = stage.proxy.ask(spoilt);
        let exchange = stage.proxy.exchange(id + 3);
        assert_eq!(
            exchange["client"]["signature"],
            "invalid",
            "{}",
            reply.text()
        );
        let said = exchange["findings"].as_array().unwrap();
        let complaint = said
            .iter()
            .find(|finding| finding["code"] == "client-chunk-signature-invalid")
            .expect("said");
        assert!(
            complaint["summary"].as_str().unwrap().contains("chunk 2"),
            "{complaint}"
        );
        id += 4;
    }
}

#[test]
fn a_hash_that_is_not_the_bodys_is_kept_and_said() {
    let stage = Stage::start();
    let request = stage
        .put()
        .body("as signed")
        .signed_then(&stage.lane(), |_| b"as passed".to_vec());
    let reply = stage.proxy.ask(request);
    assert_eq!(
        reply.element("Code"),
        "XAmzContentSHA256Mismatch",
        "{}",
        reply.text()
    );
    let exchange = stage.proxy.exchange(1);
    assert_eq!(exchange["client"]["signature"], "invalid");
    let sent = exchange["sent"]["headers"].as_array().unwrap();
    assert!(
        sent.contains(&json!(["x-amz-content-sha256", sha256(b"as signed")])),
        "{sent:?}"
    );
    let said = exchange["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["code"] == "payload-hash-differs");
    let evidence = said.expect("said")["evidence"].to_string();
    assert!(
        evidence.contains(&sha256(b"as signed")) && evidence.contains(&sha256(b"as passed")),
        "{evidence}"
    );
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let stage = Stage::start();
    for (payload, word) in [
        ("STREAMING-AWS4-HMAC-SHA256-EVENTS", "HTTP/2"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "SigV4a"),
    ] {
        let reply = stage
            .proxy
            .ask(stage.put().body("x").payload(payload).signed(&stage.lane()));
        assert_eq!(reply.status(), 400);
        assert!(reply.element("Message").contains(word), "{}", reply.text());
    }
    assert_eq!(stage.proxy.exchange(1)["fault"]["stage"], "sign");
    assert!(stage.aws.sandbox().calls().is_empty());
}

#[test]
fn odd_keys_arrive_as_they_are() {
    let stage = Stage::start();
    let host = stage.proxy.address.to_string();
    let keys = [
        "a%2Fb",
        "a%20b",
        "a+b",
        "a:b",
        "a//b",
        "a/../b",
        "a/./b",
        "~a-b_c.d",
        "%C3%A4%E2%82%AC",
        "a%25b",
        "a=b&c",
        "a%3Fb",
        "a'(b)*!",
    ];
    for key in keys {
        let target = format!("/example-reports/{key}");
        let put = Ask::s3("PUT", &target)
            .host(&host)
            .body(key)
            .header("x-amz-meta-MixedCase", "Some  Value");
        let reply = stage.proxy.ask(put.signed(&stage.lane()));
        assert_eq!(reply.status(), 200, "{key}: {}", reply.text());
        assert_eq!(stage.aws.last().path, target);
        let reply = stage
            .proxy
            .ask(Ask::s3("GET", &target).host(&host).signed(&stage.lane()));
        assert_eq!(reply.text(), key);
        assert_eq!(reply.header("x-amz-meta-mixedcase"), "Some  Value", "{key}");
    }
    let exchange = stage.proxy.exchange(1);
    assert_eq!(exchange["sent"]["target"], "/example-reports/a%2Fb");
    // This client signs the path as it sends it; S3 wants the one way of writing a key.
    for (number, key) in keys.iter().enumerate() {
        let target = format!("/example-reports/{key}");
        let mut canonical = Vec::new();
        canonical_path(target.as_bytes(), Rules::S3, &mut canonical);
        let verdict = if canonical == target.as_bytes() {
            "valid"
        } else {
            "invalid"
        };
        for id in [2 * number + 1, 2 * number + 2] {
            assert_eq!(
                stage.proxy.exchange(id as u64)["client"]["signature"],
                verdict,
                "{key}"
            );
        }
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let (home, upstream) = (
        Home::new().config("[limits]\nbuffered_body = 1000\nbuffered_total = 1500\n"),
        Upstream::ok(),
    );
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let ask = Ask::json("dynamodb", "DynamoDB_20120810.PutItem", "")
        .host("dynamodb.us-west-2.amazonaws.com");
    let mut conn = proxy.connect();
    let mut head = ask
        .clone()
        .header("Content-Length", "1001")
        .header("Expect", "100-continue")
        .unsigned();
    head.truncate(head.len());
    let reply: Message = conn.ask(head);
    assert_eq!(reply.status(), 413);
    assert_eq!(reply.json()["__type"], "EntityTooLarge");
    assert!(
        reply.json()["message"]
            .as_str()
            .unwrap()
            .contains("limits.buffered_body"),
        "{}",
        reply.text()
    );
    assert!(conn.is_over());
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["fault"]["kind"], "too-large");
    // The same without a length to tell it beforehand.
    let chunked = ask
        .clone()
        .header("Transfer-Encoding", "chunked")
        .body(in_http_chunks(&[b'x'; 1001]));
    let mut conn = proxy.connect();
    conn.try_send(chunked.unsigned());
    assert_eq!(conn.reply(false).status(), 413);
    // A declared hash streams without limit.
    let body = vec![b'x'; 5000];
    let declared = Ask::s3("PUT", "/b/k")
        .host("s3.us-west-2.amazonaws.com")
        .header("x-amz-content-sha256", &sha256(&body));
    assert_eq!(proxy.ask(declared.body(&body).unsigned()).status(), 200);
    assert_eq!(upstream.request(0).body, body);
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_signed_chunk_over_the_limit_is_refused() {
    let (aws, home) = (
        Aws::start(),
        Home::new().config("[limits]\nsigned_chunk = 8\n"),
    );
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let ask = enveloped(
        Ask::s3("PUT", TARGET).host(&proxy.address.to_string()),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    );
    let reply = proxy.ask(ask.chunk_signed(&home.lane("default"), &CHUNKS, None));
    assert_eq!(reply.status(), 400, "{}", reply.text());
    assert!(
        reply.element("Message").starts_with("sigscope:"),
        "{}",
        reply.text()
    );
    let exchange = proxy.exchange(1);
    assert_eq!(
        exchange["fault"]["kind"], "too-large",
        "{:#}",
        exchange["fault"]
    );
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("limits.signed_chunk"),
        "{:#}",
        exchange["fault"]
    );
}
