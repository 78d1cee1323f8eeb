//! What is wrong with a signature, in the words of each protocol.

use crate::client::{ALICE, Answer, Ask, Key, READER, Signed, sandbox};
use sigscope::sandbox::Sandbox;

const EXPIRED_TOKEN: &str = "EXAMPLE/expired/session/token/AQoDYXdzEJr1K3zFakeFakeFake==";
const SESSION_TOKEN: &str = "EXAMPLE/valid/session/token/AQoDYXdzEJr1K3zFakeFakeFake==";

fn expired() -> Key {
    let secret = "expired/fake/0123456789abcdefgEXAMPLEKEY";
    Key::new("ASIAIOSFODNN7EXAMPLE", secret, Some(EXPIRED_TOKEN))
}

fn session(token: Option<&str>) -> Key {
    let secret = "session/fake/0123456789abcdefgEXAMPLEKEY";
    Key::new("ASIASESSION22EXAMPLE", secret, token)
}

fn dynamo() -> Ask {
    Ask::json("dynamodb", "DynamoDB_20120810.ListTables", "{}")
}

fn gateway() -> Ask {
    Ask::new("execute-api", "us-west-2", "GET", "/prod/orders")
}

fn object() -> Ask {
    Ask::s3("GET", "/example-reports/hello.txt")
}

/// The same request as every protocol speaks it: STS, Secrets Manager, DynamoDB, SQS, API
/// Gateway, S3.
fn everyone() -> [Ask; 6] {
    let queues = Ask::json("sqs", "AmazonSQS.ListQueues", "{}");
    [
        Ask::identity(),
        Ask::secret("prod/db"),
        dynamo(),
        queues,
        gateway(),
        object(),
    ]
}

async fn ask_everyone(
    sandbox: &Sandbox,
    spoil: impl Fn(Ask) -> Signed,
    expected: [(u16, &str); 6],
    words: &str,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (ask, (status, code)) in everyone().into_iter().zip(expected) {
        let answer = spoil(ask).send(sandbox).await;
        answer.says(status, code, words);
        answers.push(answer);
    }
    answers
}

#[tokio::test]
async fn all_of_them_answer_a_right_signature() {
    let sandbox = sandbox().await;
    for ask in everyone() {
        ask.send(&sandbox, &ALICE).await.ok();
        ask.send(&sandbox, &ALICE.with_secret("x")).await;
    }
    let calls = sandbox.calls();
    assert_eq!(calls.len(), 12);
    assert_eq!(calls[0].operation, "GetCallerIdentity");
    let alice = "arn:aws:iam::123456789012:user/alice";
    assert_eq!(calls[0].caller.as_deref(), Some(alice));
    assert_eq!(calls[1].error.as_deref(), Some("SignatureDoesNotMatch"));
    assert_eq!(calls[1].caller, None);
}

#[tokio::test]
async fn a_wrong_secret() {
    let sandbox = sandbox().await;
    let wrong = ALICE.with_secret("not/the/right/one");
    let answers = ask_everyone(
        &sandbox,
        |ask| ask.signed(&sandbox, &wrong),
        [
            (403, "SignatureDoesNotMatch"),
            (400, "InvalidSignatureException"),
            (400, "InvalidSignatureException"),
            (403, "InvalidSignatureException"),
            (403, "InvalidSignatureException"),
            (403, "SignatureDoesNotMatch"),
        ],
        "The request signature we calculated does not match the signature you provided.",
    )
    .await;
    let json = answers[2].message();
    assert!(
        json.contains("\n\nThe Canonical String for this request should have been\n'POST\n/\n\n")
    );
    assert!(json.contains("\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261122T"));
    assert_eq!(
        answers[3].header("x-amzn-query-error"),
        "SignatureDoesNotMatch;Sender"
    );
}

#[tokio::test]
async fn the_echo_of_s3_is_what_should_have_been_signed() {
    let sandbox = sandbox().await;
    let right = object().signed(&sandbox, &ALICE);
    let wrong = right.clone().authorization(|value| {
        let (front, _) = value.split_once("Signature=").expect("signed");
        format!("{front}Signature={}", "0".repeat(64))
    });
    let answer = wrong.send(&sandbox).await;
    assert_eq!(answer.element("AWSAccessKeyId"), ALICE.id);
    assert_eq!(answer.element("SignatureProvided"), "0".repeat(64));
    let to_sign = answer.element("StringToSign");
    let key = aws_sigv4::sign::v4::generate_signing_key(
        &ALICE.secret,
        crate::client::noon(),
        "us-west-2",
        "s3",
    );
    let signature = aws_sigv4::sign::v4::calculate_signature(key, to_sign.as_bytes());
    assert_eq!(signature, right.signature);
    for (bytes, text) in [
        ("StringToSignBytes", "StringToSign"),
        ("CanonicalRequestBytes", "CanonicalRequest"),
    ] {
        let spelt: Vec<String> = answer
            .element(text)
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(answer.element(bytes), spelt.join(" "));
    }
    assert!(
        answer
            .element("CanonicalRequest")
            .starts_with("GET\n/example-reports/hello.txt\n")
    );
    assert_eq!(
        answer.element("RequestId"),
        answer.header("x-amz-request-id")
    );
    assert_eq!(answer.element("HostId"), answer.header("x-amz-id-2"));
}

#[tokio::test]
async fn an_unknown_key() {
    let sandbox = sandbox().await;
    let inactive = "inactive/fake/0123456789abcdefEXAMPLEKEY";
    for key in [
        Key::long("AKIANOBODY2222222222", "x"),
        Key::long("AKIAINACTIVE2EXAMPLE", inactive),
        session(None),
    ] {
        ask_everyone(
            &sandbox,
            |ask| ask.signed(&sandbox, &key),
            [
                (403, "InvalidClientTokenId"),
                (400, "UnrecognizedClientException"),
                (400, "UnrecognizedClientException"),
                (403, "UnrecognizedClientException"),
                (403, "UnrecognizedClientException"),
                (403, "InvalidAccessKeyId"),
            ],
            "",
        )
        .await;
    }
}

#[tokio::test]
async fn session_tokens() {
    let sandbox = sandbox().await;
    let standing = session(Some(SESSION_TOKEN));
    Ask::identity().send(&sandbox, &standing).await.ok();
    let stray = session(Some("stray"));
    let answer = object().send(&sandbox, &stray).await;
    answer.says(
        400,
        "InvalidToken",
        "The provided token is malformed or otherwise invalid.",
    );
    assert_eq!(answer.element("Token-0"), "stray");
    let invalid = "The security token included in the request is invalid";
    let answer = Ask::identity().send(&sandbox, &stray).await;
    answer.says(403, "InvalidClientTokenId", invalid);
    let long_with_token = Key::new(&ALICE.id, &ALICE.secret, Some("stray"));
    let answer = dynamo().send(&sandbox, &long_with_token).await;
    answer.says(400, "UnrecognizedClientException", invalid);
    ask_everyone(
        &sandbox,
        |ask| ask.signed(&sandbox, &expired()),
        [
            (403, "ExpiredToken"),
            (400, "ExpiredTokenException"),
            (400, "ExpiredTokenException"),
            (403, "ExpiredTokenException"),
            (403, "ExpiredTokenException"),
            (400, "ExpiredToken"),
        ],
        "expired",
    )
    .await;
}

#[tokio::test]
async fn clocks() {
    let sandbox = sandbox().await;
    let behind = Ask::identity().minutes(-6).send(&sandbox, &ALICE).await;
    behind.says(
        403,
        "SignatureDoesNotMatch",
        "Signature expired: 20261122T115400Z is now earlier than 20261122T115500Z \
         (20261122T120000Z - 5 min.)",
    );
    let ahead = dynamo().minutes(6).send(&sandbox, &ALICE).await;
    ahead.says(
        400,
        "InvalidSignatureException",
        "Signature not yet current: 20261122T120600Z is still later than 20261122T120500Z \
         (20261122T120000Z + 5 min.)",
    );
    object().minutes(-14).send(&sandbox, &ALICE).await.ok();
    for minutes in [-16, 16] {
        let skewed = object().minutes(minutes).send(&sandbox, &ALICE).await;
        skewed.says(
            403,
            "RequestTimeTooSkewed",
            "difference between the request time",
        );
        assert_eq!(skewed.element("ServerTime"), "2026-11-22T12:00:00Z");
        assert_eq!(skewed.element("MaxAllowedSkewMilliseconds"), "900000");
    }
    assert_eq!(behind.header("date"), "Sun, 22 Nov 2026 12:00:00 GMT");
}

#[tokio::test]
async fn scopes() {
    let sandbox = sandbox().await;
    let region = Ask::identity()
        .region("us-west-9")
        .send(&sandbox, &ALICE)
        .await;
    let words = "Credential should be scoped to a valid region";
    region.says(403, "SignatureDoesNotMatch", words);
    let api = gateway().region("us-east-1").send(&sandbox, &ALICE).await;
    api.says(403, "InvalidSignatureException", words);
    let body = "Action=ListRoles&Version=2010-05-08";
    let global = Ask::form("iam", body).send(&sandbox, &ALICE).await;
    global.says(403, "SignatureDoesNotMatch", words);
    let mut service = Ask::secret("prod/db");
    service.service = "secrets-manager".into();
    let words = "Credential should be scoped to correct service: 'secretsmanager'. ";
    let service = service.send(&sandbox, &ALICE).await;
    service.says(400, "InvalidSignatureException", words);
    let edit = |from: &'static str, to: &'static str| {
        let signed = Ask::identity().signed(&sandbox, &ALICE);
        signed.authorization(move |value| value.replace(from, to))
    };
    let terminator = edit("aws4_request", "aws5_request").send(&sandbox).await;
    terminator.says(
        403,
        "SignatureDoesNotMatch",
        "a valid terminator: 'aws4_request'",
    );
    let date = edit("/20261122/", "/20261121/").send(&sandbox).await;
    date.says(
        403,
        "SignatureDoesNotMatch",
        "'20261121' != '20261122', from '20261122T120000Z'.",
    );
    let mut host = Ask::secret("prod/db").region("eu-west-1");
    host.host = Some("secretsmanager.us-west-2.amazonaws.com".into());
    let host = host.send(&sandbox, &ALICE).await;
    host.says(
        400,
        "InvalidSignatureException",
        "valid region, not 'eu-west-1'",
    );
}

#[tokio::test]
async fn malformed_authorization() {
    let sandbox = sandbox().await;
    let sts = || Ask::identity().signed(&sandbox, &ALICE);
    let s3 = || object().signed(&sandbox, &ALICE);
    let spaced = sts().authorization(|value| value.replace("Credential=", "Credential= "));
    let spaced = spaced.send(&sandbox).await;
    spaced.says(
        400,
        "IncompleteSignature",
        "not a valid key=value pair (missing equal-sign)",
    );
    let bearer = sts()
        .header("authorization", "Bearer abc")
        .send(&sandbox)
        .await;
    bearer.says(
        400,
        "IncompleteSignature",
        "'Bearer' not a valid key=value pair",
    );
    let cut = sts()
        .authorization(|value| value[..60].to_owned())
        .send(&sandbox)
        .await;
    cut.says(
        400,
        "IncompleteSignature",
        "Authorization header requires 'Signature' parameter.",
    );
    let short = sts().authorization(|value| value.replace("/aws4_request", ""));
    let short = short.send(&sandbox).await;
    short.says(
        400,
        "IncompleteSignature",
        "Credential must have exactly 5 slash-delimited",
    );
    let undated = sts().without("x-amz-date").send(&sandbox).await;
    undated.says(
        400,
        "IncompleteSignature",
        "existence of either a 'X-Amz-Date' or a 'Date'",
    );
    let three = s3().authorization(|value| value.replace("Signature=", "Sig="));
    let three = three.send(&sandbox).await;
    three.says(
        400,
        "AuthorizationHeaderMalformed",
        "requires three components",
    );
    let credential = s3().authorization(|value| value.replace("/us-west-2/", "//"));
    let credential = credential.send(&sandbox).await;
    credential.says(
        400,
        "AuthorizationHeaderMalformed",
        "the Credential is mal-formed",
    );
    let old = s3()
        .header("authorization", "AWS AKIA:c2ln")
        .send(&sandbox)
        .await;
    old.says(400, "InvalidRequest", "Please use AWS4-HMAC-SHA256.");
    let basic = s3()
        .header("authorization", "Basic eDp5")
        .send(&sandbox)
        .await;
    basic.says(400, "InvalidArgument", "Unsupported Authorization Type");
    let undated = s3().without("x-amz-date").send(&sandbox).await;
    undated.says(
        403,
        "AccessDenied",
        "requires a valid Date or x-amz-date header",
    );
    let mut both = s3();
    both.target.push_str("?X-Amz-Algorithm=AWS4-HMAC-SHA256");
    both.send(&sandbox)
        .await
        .says(400, "InvalidArgument", "Only one auth mechanism allowed");
}

#[tokio::test]
async fn no_authorization() {
    let sandbox = sandbox().await;
    ask_everyone(
        &sandbox,
        |ask| {
            ask.signed(&sandbox, &ALICE)
                .without("authorization")
                .without("x-amz-date")
        },
        [
            (403, "MissingAuthenticationToken"),
            (400, "MissingAuthenticationTokenException"),
            (400, "MissingAuthenticationTokenException"),
            (400, "MissingAuthenticationTokenException"),
            // Without a scope or a host there is nothing but S3 that a path could mean.
            (404, "NoSuchBucket"),
            (403, "AccessDenied"),
        ],
        "",
    )
    .await;
    let mut hosted = gateway();
    hosted.host = Some("a1b2c3d4e5.execute-api.us-west-2.amazonaws.com".into());
    let hosted = hosted
        .signed(&sandbox, &ALICE)
        .without("authorization")
        .send(&sandbox)
        .await;
    hosted.says(
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    );
}

#[tokio::test]
async fn who_may_not_and_which_policy_says_so() {
    let sandbox = sandbox().await;
    let contractor = Key::long(
        "AKIACONTRACT2EXAMPLE",
        "contractor/fake/0123456789abcdEXAMPLEKEY",
    );
    let intern = Key::long(
        "AKIAINTERN222EXAMPLE",
        "intern/fake/0123456789abcdefghEXAMPLEKEY",
    );
    let ci = Key::long(
        "AKIACIDEPLOY2EXAMPLE",
        "ci-deploy/fake/0123456789abcdeEXAMPLEKEY",
    );
    let denied = |answer: Answer, status, code: &str, tail: &str| {
        answer.says(status, code, " is not authorized to perform: ");
        assert!(
            answer.message().ends_with(tail),
            "{:?} lacks {tail:?}",
            answer.message()
        );
    };
    let put = Ask::s3("PUT", "/example-reports/x").body("x");
    denied(
        put.send(&sandbox, &READER).await,
        403,
        "AccessDenied",
        "user/reader is not authorized to perform: s3:PutObject on resource: \
         \"arn:aws:s3:::example-reports/x\" because no identity-based policy allows the \
         s3:PutObject action",
    );
    denied(
        Ask::secret("prod/db").send(&sandbox, &contractor).await,
        400,
        "AccessDeniedException",
        "because no permissions boundary allows the secretsmanager:GetSecretValue action",
    );
    denied(
        Ask::secret("prod/db").send(&sandbox, &intern).await,
        400,
        "AccessDeniedException",
        "with an explicit deny in an identity-based policy: \
         arn:aws:iam::123456789012:policy/DenyProductionSecrets",
    );
    denied(
        dynamo().send(&sandbox, &ci).await,
        400,
        "AccessDeniedException",
        "with an explicit deny in a service control policy: arn:aws:organizations::999999999999:\
         policy/o-exampleorg1/service_control_policy/p-example2",
    );
    denied(
        Ask::secret("guarded/db").send(&sandbox, &ALICE).await,
        400,
        "AccessDeniedException",
        "with an explicit deny in a resource-based policy",
    );
    let queues = Ask::json(
        "sqs",
        "AmazonSQS.SendMessage",
        "{\"QueueUrl\":\"http://x/123456789012/jobs\",\"MessageBody\":\"x\"}",
    );
    let queues = queues.send(&sandbox, &READER).await;
    assert_eq!(queues.header("x-amzn-query-error"), "AccessDenied;Sender");
    queues.says(
        403,
        "AccessDeniedException",
        "no identity-based policy allows the sqs:sendmessage",
    );
    let stranger = Ask::s3("GET", "/example-staging/build.zip");
    let stranger = stranger.send(&sandbox, &ALICE).await;
    assert_eq!(stranger.message(), "Access Denied");
}
