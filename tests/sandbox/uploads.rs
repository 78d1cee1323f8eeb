//! Every way in which S3's body is signed.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::http::Headers;
use base64::Engine as _;
use bytes::Bytes;
use sigscope::sandbox::Sandbox;

use crate::client::{ALICE, Answer, Ask, Signed, noon, sandbox, sandbox_with};

const TARGET: &str = "/example-reports/upload";
const CHUNKS: [&str; 2] = ["first chunk, ", "second chunk"];
const WHOLE: &str = "first chunk, second chunk";

fn put() -> Ask {
    Ask::s3("PUT", TARGET)
}

async fn stored(sandbox: &Sandbox) -> String {
    let get = Ask::s3("GET", TARGET).header("x-amz-checksum-mode", "ENABLED");
    get.send(sandbox, &ALICE).await.text
}

fn crc32(text: &str) -> String {
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(sum.sum().to_be_bytes())
}

fn enveloped(payload: &str) -> Ask {
    put()
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", &WHOLE.len().to_string())
        .payload(payload)
}

#[tokio::test]
async fn a_hash_or_none() {
    let sandbox = sandbox().await;
    put().body("hashed").send(&sandbox, &ALICE).await.ok();
    assert_eq!(stored(&sandbox).await, "hashed");
    let unsigned = put().body("unsigned").payload("UNSIGNED-PAYLOAD");
    unsigned.send(&sandbox, &ALICE).await.ok();
    assert_eq!(stored(&sandbox).await, "unsigned");
    let mut changed = put().body("as signed").signed(&sandbox, &ALICE);
    changed.body = b"as sent".to_vec();
    let changed = changed.send(&sandbox).await;
    let words = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    changed.says(400, "XAmzContentSHA256Mismatch", words);
    assert_ne!(
        changed.element("ClientComputedContentSHA256"),
        changed.element("S3ComputedContentSHA256")
    );
    assert_eq!(stored(&sandbox).await, "unsigned");
    let odd = put().payload("WHATEVER").send(&sandbox, &ALICE).await;
    odd.says(
        400,
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD",
    );
    let bare = put()
        .signed(&sandbox, &ALICE)
        .without("x-amz-content-sha256");
    let words = "Missing required header for this request: x-amz-content-sha256";
    bare.send(&sandbox).await.says(400, "InvalidRequest", words);
    let added = put()
        .signed(&sandbox, &ALICE)
        .header("x-amz-acl", "private")
        .send(&sandbox)
        .await;
    added.says(
        403,
        "AccessDenied",
        "There were headers present in the request which were not signed",
    );
    assert_eq!(added.element("HeadersNotSigned"), "x-amz-acl");
}

#[tokio::test]
async fn checksums_and_digests() {
    let sandbox = sandbox().await;
    let sums = [
        ("crc32", "y/Q5Jg=="),
        ("crc32c", "4waSgw=="),
        ("crc64nvme", "rosUhgp5mIg="),
        ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];
    for (name, value) in sums {
        let header = format!("x-amz-checksum-{name}");
        let good = put()
            .header(&header, value)
            .body("123456789")
            .send(&sandbox, &ALICE)
            .await;
        assert_eq!(good.ok().header(&header), value);
        let bad = put()
            .header(&header, value)
            .body("12345678")
            .send(&sandbox, &ALICE)
            .await;
        bad.says(400, "BadDigest", "did not match the calculated checksum.");
    }
    let md5 = put().header("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==");
    md5.clone()
        .body("123456789")
        .send(&sandbox, &ALICE)
        .await
        .ok();
    md5.body("x")
        .send(&sandbox, &ALICE)
        .await
        .says(400, "BadDigest", "Content-MD5");
}

#[tokio::test]
async fn an_unsigned_trailer() {
    let sandbox = sandbox().await;
    let ask = enveloped("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("x-amz-trailer", "x-amz-checksum-crc32");
    let body = |sum: &str| {
        let chunks: String = CHUNKS
            .iter()
            .map(|data| format!("{:x}\r\n{data}\r\n", data.len()))
            .collect();
        format!("{chunks}0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n")
    };
    ask.clone()
        .body(body(&crc32(WHOLE)))
        .send(&sandbox, &ALICE)
        .await
        .ok();
    assert_eq!(stored(&sandbox).await, WHOLE);
    let head = Ask::s3("HEAD", TARGET).header("x-amz-checksum-mode", "ENABLED");
    let head = head.send(&sandbox, &ALICE).await;
    assert_eq!(head.header("x-amz-checksum-crc32"), crc32(WHOLE));
    assert_eq!(head.header("content-encoding"), "");
    let wrong = ask
        .clone()
        .body(body(&crc32("else")))
        .send(&sandbox, &ALICE)
        .await;
    wrong.says(400, "BadDigest", "The CRC32 you specified did not match");
    let cut = ask
        .clone()
        .body("d\r\nfirst chunk, \r\n")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(cut.code(), "IncompleteBody");
    let junk = ask
        .body("not chunked at all\r\n")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(junk.code(), "InvalidRequest");
}

/// Signs chunks and trailer one after the other, as the SDKs do.
struct Chain {
    identity: Identity,
    previous: String,
}

impl Chain {
    fn after(seed: &Signed) -> Self {
        let keys = Credentials::new(&*ALICE.id, &*ALICE.secret, None, None, "test");
        Self {
            identity: keys.into(),
            previous: seed.signature.clone(),
        }
    }

    fn params(&self) -> v4::SigningParams<'_, SigningSettings> {
        v4::SigningParams::builder()
            .identity(&self.identity)
            .region("us-west-2")
            .name("s3")
            .time(noon())
            .settings(SigningSettings::default())
            .build()
            .expect("complete")
    }

    fn chunk(&mut self, data: &str) -> String {
        let bytes = Bytes::copy_from_slice(data.as_bytes());
        let signed = v4::sign_chunk(&bytes, &self.previous, &self.params()).expect("signs");
        self.previous = signed.into_parts().1;
        format!(
            "{:x};chunk-signature={}\r\n{data}",
            data.len(),
            self.previous
        )
    }

    fn trailer(&mut self, name: &'static str, value: String) -> String {
        let mut headers = Headers::new();
        headers.insert(name, value.clone());
        let signed = v4::sign_trailer(&headers, &self.previous, &self.params()).expect("signs");
        self.previous = signed.into_parts().1;
        format!(
            "{name}:{value}\r\nx-amz-trailer-signature:{}\r\n",
            self.previous
        )
    }
}

/// A chunk-signed upload, its body edited before it goes out.
async fn chunked(sandbox: &Sandbox, trailer: bool, edit: impl Fn(String) -> String) -> Answer {
    let ask = if trailer {
        enveloped("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
    } else {
        enveloped("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    };
    let mut signed = ask.signed(sandbox, &ALICE);
    let mut chain = Chain::after(&signed);
    let mut body = String::new();
    for data in CHUNKS {
        body.push_str(&chain.chunk(data));
        body.push_str("\r\n");
    }
    body.push_str(&chain.chunk(""));
    if trailer {
        body.push_str(&chain.trailer("x-amz-checksum-crc32", crc32(WHOLE)));
    }
    body.push_str("\r\n");
    signed.body = edit(body).into();
    signed.send(sandbox).await
}

#[tokio::test]
async fn signed_chunks() {
    let sandbox = sandbox().await;
    for trailer in [false, true] {
        chunked(&sandbox, trailer, |body| body).await.ok();
        assert_eq!(stored(&sandbox).await, WHOLE);
        let spoilt = chunked(&sandbox, trailer, |body| body.replace("second", "sEcond")).await;
        spoilt.says(
            403,
            "SignatureDoesNotMatch",
            "does not match the signature you provided",
        );
        let swapped = chunked(&sandbox, trailer, |body| body.replace("first", "First")).await;
        assert_eq!(swapped.code(), "SignatureDoesNotMatch");
        let bare = chunked(&sandbox, trailer, |body| {
            let at = body.find("0;chunk-signature=").expect("the last chunk");
            body[..at].to_owned()
        });
        assert_eq!(bare.await.code(), "IncompleteBody");
    }
    let trailer = chunked(&sandbox, true, |body| {
        body.replace(&crc32(WHOLE), &crc32("else"))
    })
    .await;
    assert_eq!(trailer.code(), "SignatureDoesNotMatch");
    let unsigned = chunked(&sandbox, true, |body| {
        let at = body.find("x-amz-trailer-signature").expect("signed");
        format!("{}\r\n", &body[..at])
    });
    assert_eq!(unsigned.await.code(), "InvalidRequest");
}

#[tokio::test]
async fn memory_is_bounded_and_given_back() {
    let sandbox = sandbox_with(64 * 1024).await;
    let most = vec![b'x'; 48 * 1024];
    put().body(&most).send(&sandbox, &ALICE).await.ok();
    let other = Ask::s3("PUT", "/example-reports/other").body(&most);
    let full = other.send(&sandbox, &ALICE).await;
    full.says(400, "EntityTooLarge", "exceeds the maximum allowed size");
    Ask::s3("DELETE", TARGET).send(&sandbox, &ALICE).await.ok();
    other.send(&sandbox, &ALICE).await.ok();
}
