use std::time::Duration;

use crate::client::{ALICE, Answer, Ask, READER, Signed, sandbox};
use sigscope::sandbox::Sandbox;

#[tokio::test]
async fn an_object_comes_back_as_it_went() {
    let sandbox = sandbox().await;
    let put = Ask::s3("PUT", "/example-reports/a.txt")
        .header("content-type", "text/x-test")
        .header("x-amz-meta-colour", "deep  blue")
        .body("0123456789");
    let put = put.send(&sandbox, &ALICE).await;
    assert_eq!(put.header("etag"), "\"781e5e245d69b566979b86e28d23f2c7\"");
    let get = Ask::s3("GET", "/example-reports/a.txt");
    let got = get.send(&sandbox, &ALICE).await;
    assert_eq!((got.status, &got.body[..]), (200, &b"0123456789"[..]));
    assert_eq!(got.header("content-type"), "text/x-test");
    assert_eq!(got.header("x-amz-meta-colour"), "deep  blue");
    let head = Ask::s3("HEAD", "/example-reports/a.txt")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!((head.header("content-length"), head.body.len()), ("10", 0));
    for (range, body) in [
        ("bytes=2-4", "234"),
        ("bytes=7-", "789"),
        ("bytes=-2", "89"),
    ] {
        let part = get
            .clone()
            .header("range", range)
            .send(&sandbox, &ALICE)
            .await;
        assert_eq!((part.status, part.text.as_str()), (206, body));
    }
    let beyond = get
        .clone()
        .header("range", "bytes=10-")
        .send(&sandbox, &ALICE)
        .await;
    beyond.says(416, "InvalidRange", "not satisfiable");
    let held = get.clone().header("if-none-match", put.header("etag"));
    assert_eq!(held.send(&sandbox, &ALICE).await.status, 304);
    Ask::s3("DELETE", "/example-reports/a.txt")
        .send(&sandbox, &ALICE)
        .await
        .ok();
    get.send(&sandbox, &ALICE)
        .await
        .says(404, "NoSuchKey", "does not exist");
}

#[tokio::test]
async fn odd_keys_are_verified_and_kept() {
    let sandbox = sandbox().await;
    for (written, key) in [
        ("a%20b%2Bc", "a b+c"),
        ("%C3%A9/%25/%27%28%29%2A%26%24%40%2C%3D", "é/%/'()*&$@,="),
        ("a//b/./c/../d", "a//b/./c/../d"),
        ("100%25", "100%"),
        ("~tilde-_.", "~tilde-_."),
    ] {
        let target = format!("/example-reports/{written}");
        Ask::s3("PUT", &target)
            .body(key)
            .send(&sandbox, &ALICE)
            .await
            .ok();
        let got = Ask::s3("GET", &target).send(&sandbox, &ALICE).await;
        assert_eq!(got.text, key);
    }
    let slash = Ask::s3("GET", "/example-reports/a%2Fb")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(
        slash.code(),
        "SignatureDoesNotMatch",
        "an escaped slash is a slash to S3"
    );
    assert!(
        slash
            .element("CanonicalRequest")
            .starts_with("GET\n/example-reports/a/b\n")
    );
    let list = Ask::s3("GET", "/example-reports?list-type=2&prefix=a%20b")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(list.element("Key"), "a b+c");
}

#[tokio::test]
async fn escapes_that_are_not_utf_8_are_verified_by_their_bytes() {
    let sandbox = sandbox().await;
    let signed = Ask::s3("GET", "/example-reports?prefix=%FF").signed(&sandbox, &ALICE);
    let lossy = signed.send(&sandbox).await;
    lossy.says(403, "SignatureDoesNotMatch", "does not match");
    assert!(lossy.element("CanonicalRequest").contains("\nprefix=%FF\n"));
}

#[tokio::test]
async fn lists() {
    let sandbox = sandbox().await;
    for key in ["p/1", "p/2", "p/x/3", "q"] {
        let target = format!("/example-uploads/{key}");
        Ask::s3("PUT", &target)
            .region("us-east-1")
            .body("x")
            .send(&sandbox, &ALICE)
            .await
            .ok();
    }
    let list = |query: String| {
        let ask = Ask::s3("GET", &format!("/example-uploads?{query}")).region("us-east-1");
        let sandbox = &sandbox;
        async move { ask.send(sandbox, &ALICE).await }
    };
    let keys = |answer: &Answer| -> Vec<String> {
        let pieces = answer.text.split("<Key>").skip(1);
        pieces
            .map(|rest| rest.split('<').next().unwrap_or_default().to_owned())
            .collect()
    };
    let folded = list("list-type=2&prefix=p%2F&delimiter=%2F".into()).await;
    assert_eq!(keys(&folded), ["p/1", "p/2"]);
    assert!(
        folded
            .text
            .contains("<CommonPrefixes><Prefix>p/x/</Prefix></CommonPrefixes>")
    );
    let first = list("list-type=2&max-keys=2".into()).await;
    assert_eq!(
        (keys(&first), first.element("IsTruncated")),
        (vec!["p/1".into(), "p/2".into()], "true".into())
    );
    let token = first.element("NextContinuationToken").replace('%', "%25");
    let rest = list(format!("list-type=2&continuation-token={token}")).await;
    assert_eq!(keys(&rest), ["p/x/3", "q"]);
    let old = list("marker=p%2F2".into()).await;
    assert_eq!(keys(&old), ["p/x/3", "q"]);
    let buckets = Ask::s3("GET", "/").send(&sandbox, &ALICE).await;
    assert!(buckets.text.contains("<Name>example-uploads</Name>"));
    assert!(!buckets.text.contains("example-staging"));
}

#[tokio::test]
async fn copies_and_deletes() {
    let sandbox = sandbox().await;
    let copy = Ask::s3("PUT", "/example-reports/copy").header(
        "x-amz-copy-source",
        "example-reports/odd/%C3%A4%20%2B%20b%26c.txt",
    );
    copy.send(&sandbox, &ALICE).await.ok();
    let got = Ask::s3("GET", "/example-reports/copy")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(got.text, "odd\n");
    let body = "<Delete><Object><Key>copy</Key></Object><Object><Key>odd/ä + b&amp;c.txt</Key></Object></Delete>";
    let delete = Ask::s3("POST", "/example-reports?delete").body(body);
    delete
        .send(&sandbox, &ALICE)
        .await
        .says(400, "InvalidRequest", "Content-MD5");
    let mut sum = flate2::Crc::new();
    sum.update(body.as_bytes());
    use base64::Engine as _;
    let sum = base64::engine::general_purpose::STANDARD.encode(sum.sum().to_be_bytes());
    let delete = delete.header("x-amz-checksum-crc32", &sum);
    let refused = delete.send(&sandbox, &READER).await;
    assert_eq!(refused.text.matches("<Code>AccessDenied</Code>").count(), 2);
    let done = delete.send(&sandbox, &ALICE).await;
    assert_eq!(done.ok().text.matches("<Deleted>").count(), 2);
    let gone = Ask::s3("GET", "/example-reports/copy")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(gone.code(), "NoSuchKey");
}

#[tokio::test]
async fn buckets_come_and_go() {
    let sandbox = sandbox().await;
    let create = Ask::s3("PUT", "/brand-new");
    let bare = create.send(&sandbox, &ALICE).await;
    bare.says(
        400,
        "IllegalLocationConstraintException",
        "The unspecified location constraint",
    );
    let body = "<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>";
    let create = create.body(body);
    create.send(&sandbox, &ALICE).await.ok();
    assert_eq!(
        create.send(&sandbox, &ALICE).await.code(),
        "BucketAlreadyOwnedByYou"
    );
    let head = Ask::s3("HEAD", "/brand-new").send(&sandbox, &ALICE).await;
    assert_eq!(head.header("x-amz-bucket-region"), "us-west-2");
    Ask::s3("PUT", "/brand-new/x")
        .body("x")
        .send(&sandbox, &ALICE)
        .await
        .ok();
    let full = Ask::s3("DELETE", "/brand-new").send(&sandbox, &ALICE).await;
    assert_eq!((full.status, full.code().as_str()), (409, "BucketNotEmpty"));
    Ask::s3("DELETE", "/brand-new/x")
        .send(&sandbox, &ALICE)
        .await
        .ok();
    assert_eq!(
        Ask::s3("DELETE", "/brand-new")
            .send(&sandbox, &ALICE)
            .await
            .status,
        204
    );
    let gone = Ask::s3("GET", "/brand-new").send(&sandbox, &ALICE).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "NoSuchBucket"));
}

#[tokio::test]
async fn parts_become_an_object() {
    let sandbox = sandbox().await;
    let target = "/example-reports/whole";
    let started = Ask::s3("POST", &format!("{target}?uploads"))
        .send(&sandbox, &ALICE)
        .await;
    let id = started.ok().element("UploadId");
    let mut listed = String::new();
    for (number, body) in [(1, "first "), (2, "second")] {
        let part = format!("{target}?partNumber={number}&uploadId={id}");
        let part = Ask::s3("PUT", &part)
            .body(body)
            .send(&sandbox, &ALICE)
            .await;
        let etag = part.ok().header("etag").to_owned();
        listed.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        ));
    }
    let finish = |parts: String| {
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        Ask::s3("POST", &format!("{target}?uploadId={id}")).body(body)
    };
    let wrong = finish(listed.replace("<ETag>\"", "<ETag>\"0"))
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!(wrong.code(), "InvalidPart");
    let done = finish(listed).send(&sandbox, &ALICE).await;
    assert!(done.ok().element("ETag").ends_with("-2\""));
    let got = Ask::s3("GET", target).send(&sandbox, &ALICE).await;
    assert_eq!(got.text, "first second");
    let abort = Ask::s3("DELETE", &format!("{target}?uploadId={id}"));
    assert_eq!(abort.send(&sandbox, &ALICE).await.code(), "NoSuchUpload");
}

#[tokio::test]
async fn a_bucket_in_the_host_name() {
    let sandbox = sandbox().await;
    let port = sandbox.address.port();
    for host in [
        format!("example-reports.localhost:{port}"),
        format!("example-reports.127.0.0.1:{port}"),
        "example-reports.s3.us-west-2.amazonaws.com".to_owned(),
    ] {
        let mut ask = Ask::s3("GET", "/hello.txt");
        ask.host = Some(host);
        let got = ask.send(&sandbox, &ALICE).await;
        assert_eq!(got.text, "hello from the sandbox\n");
    }
}

#[tokio::test]
async fn the_wrong_region() {
    let sandbox = sandbox().await;
    let target = "/example-eu-archive/2025/ledger.csv";
    let moved = Ask::s3("GET", target).send(&sandbox, &ALICE).await;
    moved.says(
        301,
        "PermanentRedirect",
        "must be addressed using the specified endpoint",
    );
    assert_eq!(moved.header("x-amz-bucket-region"), "eu-west-1");
    assert_eq!(
        moved.element("Endpoint"),
        "example-eu-archive.s3.eu-west-1.amazonaws.com"
    );
    let global = Ask::s3("GET", target)
        .region("us-east-1")
        .send(&sandbox, &ALICE)
        .await;
    let words = "the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    global.says(400, "AuthorizationHeaderMalformed", words);
    assert_eq!(global.element("Region"), "eu-west-1");
    let misspelt = Ask::s3("GET", "/")
        .region("us_east_1")
        .send(&sandbox, &ALICE)
        .await;
    let words = "the region 'us_east_1' is wrong; expecting 'us-east-1'";
    misspelt.says(400, "AuthorizationHeaderMalformed", words);
    let head = Ask::s3("HEAD", target)
        .region("us-east-1")
        .send(&sandbox, &ALICE)
        .await;
    assert_eq!((head.status, head.text.as_str()), (400, ""));
    assert_eq!(head.header("x-amz-bucket-region"), "eu-west-1");
    let mut service = Ask::s3("GET", "/example-reports/hello.txt").signed(&sandbox, &ALICE);
    service = service.authorization(|value| value.replace("/s3/", "/s4/"));
    let service = service.send(&sandbox).await;
    service.says(
        400,
        "AuthorizationHeaderMalformed",
        "incorrect service \"s4\".",
    );
}

#[tokio::test]
async fn anonymous_callers_see_what_is_public() {
    let sandbox = sandbox().await;
    let get = |target: &str| Signed::unsigned(&sandbox, "GET", target).send(&sandbox);
    assert_eq!(
        get("/example-public/index.html").await.text,
        "<h1>hello</h1>\n"
    );
    get("/example-reports/hello.txt")
        .await
        .says(403, "AccessDenied", "Access Denied");
    get("/").await.says(403, "AccessDenied", "Access Denied");
}

fn presigned(sandbox: &Sandbox, method: &'static str, minutes: i64) -> Signed {
    let mut ask = Ask::s3(method, "/example-reports/pre%20signed").minutes(minutes);
    ask.presign = Some(Duration::from_secs(600));
    ask.signed(sandbox, &ALICE)
}

#[tokio::test]
async fn presigned_requests() {
    let sandbox = sandbox().await;
    let mut put = presigned(&sandbox, "PUT", 0);
    put.body = b"any body".to_vec();
    put.send(&sandbox).await.ok();
    let got = presigned(&sandbox, "GET", -9).send(&sandbox).await;
    assert_eq!(got.text, "any body");
    let late = presigned(&sandbox, "GET", -11).send(&sandbox).await;
    late.says(403, "AccessDenied", "Request has expired");
    assert_eq!(late.element("Expires"), "2026-11-22T11:59:00Z");
    assert_eq!(late.element("X-Amz-Expires"), "600");
    let early = presigned(&sandbox, "GET", 20).send(&sandbox).await;
    early.says(403, "AccessDenied", "Request is not yet valid");
    let mut method = presigned(&sandbox, "GET", 0);
    method.method = "DELETE";
    method
        .send(&sandbox)
        .await
        .says(403, "SignatureDoesNotMatch", "does not match");
    let mut edited = presigned(&sandbox, "GET", 0);
    edited.target.push_str("&versionId=1");
    edited
        .send(&sandbox)
        .await
        .says(403, "SignatureDoesNotMatch", "does not match");
    let mut cut = presigned(&sandbox, "GET", 0);
    cut.target = cut.target.replace("X-Amz-Expires=600&", "");
    let words = "Query-string authentication version 4 requires";
    cut.send(&sandbox)
        .await
        .says(400, "AuthorizationQueryParametersError", words);
    let long = presigned(&sandbox, "GET", 0);
    let long = Signed {
        target: long.target.replace("=600", "=604801"),
        ..long
    };
    long.send(&sandbox)
        .await
        .says(400, "AuthorizationQueryParametersError", "less than a week");
    let header = presigned(&sandbox, "GET", 0).header("x-amz-meta-a", "b");
    let header = header.send(&sandbox).await;
    assert_eq!(header.element("HeadersNotSigned"), "x-amz-meta-a");
    let old = "/example-reports/hello.txt?AWSAccessKeyId=x&Signature=y&Expires=1";
    let old = Signed::unsigned(&sandbox, "GET", old).send(&sandbox).await;
    old.says(400, "InvalidRequest", "Please use AWS4-HMAC-SHA256.");
}
