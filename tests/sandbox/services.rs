use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::client::{ALICE, Answer, Ask, Key, READER, Signed, noon, sandbox};
use sigscope::sandbox::Sandbox;

const STAGING: &str = "arn:aws:iam::111122223333:role/staging-admin";

fn assume(role: &str, more: &str) -> Ask {
    let body =
        format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn={role}{more}");
    Ask::form("sts", &body)
}

async fn arn_of(sandbox: &Sandbox, key: &Key) -> String {
    Ask::identity().send(sandbox, key).await.ok().element("Arn")
}

#[tokio::test]
async fn a_role_is_assumed_and_its_session_works() {
    let sandbox = sandbox().await;
    let answer = assume(STAGING, "").send(&sandbox, &ALICE).await;
    assert_eq!(answer.element("Expiration"), "2026-11-22T13:00:00Z");
    let key = Key::issued(&answer);
    let arn = "arn:aws:sts::111122223333:assumed-role/staging-admin/me";
    assert_eq!(arn_of(&sandbox, &key).await, arn);
    let narrow =
        "&Policy={\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}";
    let narrow = assume(STAGING, narrow).send(&sandbox, &ALICE).await;
    let denied = Ask::secret("staging/db")
        .send(&sandbox, &Key::issued(&narrow))
        .await;
    let words = "because no session policy allows the secretsmanager:GetSecretValue action";
    denied.says(400, "AccessDeniedException", words);
    Ask::secret("staging/db").send(&sandbox, &key).await.ok();
}

#[tokio::test]
async fn roles_that_cannot_be_assumed() {
    let sandbox = sandbox().await;
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let words = "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::";
    for (role, key) in [
        (role("staging-admin"), READER),
        (role("external-auditor"), ALICE),
        (role("no-such-role"), ALICE),
    ] {
        let answer = assume(&role, "").send(&sandbox, &key).await;
        answer.says(403, "AccessDenied", words);
        assert!(answer.message().ends_with(&role), "{}", answer.message());
    }
    let locked = assume(&role("locked"), "").send(&sandbox, &ALICE).await;
    locked.says(
        403,
        "AccessDenied",
        "with an explicit deny in the role trust policy",
    );
    let silent = "arn:aws:iam::123456789012:role/ec2-app";
    let silent = assume(silent, "").send(&sandbox, &ALICE).await;
    silent.says(
        403,
        "AccessDenied",
        "because no role trust policy allows the sts:AssumeRole",
    );
    let auditor = assume(&role("external-auditor"), "&ExternalId=audit-2026");
    auditor.send(&sandbox, &ALICE).await.ok();
    let long = assume(STAGING, "&DurationSeconds=7200")
        .send(&sandbox, &ALICE)
        .await;
    long.says(
        400,
        "ValidationError",
        "exceeds the MaxSessionDuration set for this role.",
    );
    let short = assume(STAGING, "&DurationSeconds=60")
        .send(&sandbox, &ALICE)
        .await;
    short.says(400, "ValidationError", "greater than or equal to 900");
    let chained = assume(STAGING, "").send(&sandbox, &ALICE).await;
    let chained = assume(
        "arn:aws:iam::111122223333:role/staging-admin",
        "&DurationSeconds=3601",
    )
    .send(&sandbox, &Key::issued(&chained))
    .await;
    assert_eq!(chained.status, 403, "its trust policy names the user alone");
}

#[tokio::test]
async fn the_rest_of_sts() {
    let sandbox = sandbox().await;
    let call = |action: &str| Ask::form("sts", &format!("Version=2011-06-15&Action={action}"));
    let session = call("GetSessionToken").send(&sandbox, &ALICE).await;
    let session = Key::issued(session.ok());
    assert!(session.id.starts_with("ASIA"));
    assert!(arn_of(&sandbox, &session).await.ends_with("user/alice"));
    let twice = call("GetSessionToken").send(&sandbox, &session).await;
    twice.says(
        403,
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    );
    let info = call("GetAccessKeyInfo&AccessKeyId=AKIACIDEPLOY2EXAMPLE");
    let info = info.send(&sandbox, &ALICE).await;
    assert_eq!(info.element("Account"), "444455556666");
    let decode = call("DecodeAuthorizationMessage&EncodedMessage=x");
    let invalid = decode.send(&sandbox, &ALICE).await;
    invalid.says(
        400,
        "InvalidAuthorizationMessageException",
        "Message is not valid",
    );
    decode.send(&sandbox, &READER).await.says(
        403,
        "AccessDenied",
        "sts:DecodeAuthorizationMessage",
    );
    let unknown = call("GetFederationToken").send(&sandbox, &ALICE).await;
    unknown.says(
        400,
        "InvalidAction",
        "The action GetFederationToken is not valid",
    );
    let query = Ask::new(
        "sts",
        "us-west-2",
        "GET",
        "/?Action=GetCallerIdentity&Version=2011-06-15",
    );
    query.send(&sandbox, &ALICE).await.ok();
}

fn token(audience: &str, subject: &str, ends: u64) -> String {
    let claims = serde_json::json!({
        "iss": "https://token.actions.githubusercontent.com",
        "aud": audience,
        "sub": subject,
        "exp": ends,
    });
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (header, signature) = (part("{\"alg\":\"RS256\"}"), part("unchecked"));
    format!("{header}.{}.{signature}", part(&claims.to_string()))
}

async fn federate(sandbox: &Sandbox, token: &str) -> Answer {
    let body = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=gh\
         &RoleArn=arn:aws:iam::111122223333:role/github-deploy&WebIdentityToken={token}"
    );
    let mut plain = Signed::unsigned(sandbox, "POST", "/")
        .header("content-type", "application/x-www-form-urlencoded");
    plain.body = body.into();
    plain.send(sandbox).await
}

#[tokio::test]
async fn web_identity_is_unsigned_and_its_claims_decide() {
    let sandbox = sandbox().await;
    let now = noon()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("later")
        .as_secs();
    let (audience, subject) = ("sts.amazonaws.com", "repo:example-org/example-app:ref:main");
    let good = federate(&sandbox, &token(audience, subject, now + 60)).await;
    let arn = "arn:aws:sts::111122223333:assumed-role/github-deploy/gh";
    assert_eq!(arn_of(&sandbox, &Key::issued(good.ok())).await, arn);
    let late = federate(&sandbox, &token(audience, subject, now - 60)).await;
    late.says(
        400,
        "ExpiredTokenException",
        "Token expired: current date/time",
    );
    let other = federate(&sandbox, &token("else", subject, now + 60)).await;
    other.says(400, "InvalidIdentityToken", "Incorrect token audience");
    let fork = federate(&sandbox, &token(audience, "repo:fork/app:x", now + 60)).await;
    fork.says(
        403,
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    );
    let garbage = federate(&sandbox, "garbage").await;
    garbage.says(400, "InvalidIdentityToken", "is not a valid JWT");
}

#[tokio::test]
async fn iam_and_route53_live_in_us_east_1() {
    let sandbox = sandbox().await;
    let iam = |action: &str| {
        Ask::form("iam", &format!("Version=2010-05-08&Action={action}")).region("us-east-1")
    };
    let user = iam("GetUser").send(&sandbox, &ALICE).await;
    assert_eq!(user.ok().element("UserName"), "alice");
    let roles = iam("ListRoles").send(&sandbox, &ALICE).await;
    assert!(roles.text.contains("role/nightly-report"));
    let made = iam("CreateAccessKey&UserName=reader")
        .send(&sandbox, &ALICE)
        .await;
    let made = Key::new(
        &made.element("AccessKeyId"),
        &made.element("SecretAccessKey"),
        None,
    );
    assert!(arn_of(&sandbox, &made).await.ends_with("user/reader"));
    iam("GetUser&UserName=nobody")
        .send(&sandbox, &ALICE)
        .await
        .says(404, "NoSuchEntity", "nobody");
    iam("CreateAccessKey").send(&sandbox, &READER).await.says(
        403,
        "AccessDenied",
        "iam:CreateAccessKey",
    );
    let zones = Ask::new("route53", "us-east-1", "GET", "/2013-04-01/hostedzone");
    assert_eq!(
        zones.send(&sandbox, &ALICE).await.element("Name"),
        "example.com."
    );
    let elsewhere = zones.region("eu-west-1").send(&sandbox, &ALICE).await;
    elsewhere.says(403, "SignatureDoesNotMatch", "scoped to a valid region");
}

#[tokio::test]
async fn secrets() {
    let sandbox = sandbox().await;
    let value = Ask::secret("prod/db").send(&sandbox, &READER).await;
    assert!(
        value.ok().json()["SecretString"]
            .as_str()
            .expect("text")
            .contains("username")
    );
    assert_eq!(value.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(value.header("x-amzn-requestid").len(), 36);
    let call = |operation: &str, body: &str| {
        Ask::json(
            "secretsmanager",
            &format!("secretsmanager.{operation}"),
            body,
        )
    };
    let body = "{\"Name\":\"mine\",\"SecretString\":\"one\"}";
    call("CreateSecret", body).send(&sandbox, &ALICE).await.ok();
    let again = call("CreateSecret", body).send(&sandbox, &ALICE).await;
    again.says(400, "ResourceExistsException", "already exists");
    let put = call(
        "PutSecretValue",
        "{\"SecretId\":\"mine\",\"SecretString\":\"two\"}",
    );
    put.send(&sandbox, &ALICE).await.ok();
    let mine = Ask::secret("mine").send(&sandbox, &ALICE).await;
    assert_eq!(mine.json()["SecretString"], "two");
    call("DeleteSecret", "{\"SecretId\":\"mine\"}")
        .send(&sandbox, &ALICE)
        .await
        .ok();
    let missing = Ask::secret("mine").send(&sandbox, &ALICE).await;
    let words = "Secrets Manager can't find the specified secret.";
    missing.says(400, "ResourceNotFoundException", words);
    let elsewhere = Ask::secret("prod/db")
        .region("eu-west-1")
        .send(&sandbox, &ALICE)
        .await;
    elsewhere.says(400, "ResourceNotFoundException", words);
    let throttled = Ask::secret("throttle/me").send(&sandbox, &ALICE).await;
    throttled.says(400, "ThrottlingException", "Rate exceeded");
    let broken = Ask::secret("fail/me").send(&sandbox, &ALICE).await;
    broken.says(500, "InternalServiceError", "server side");
    let unknown = call("Nonsense", "{}").send(&sandbox, &ALICE).await;
    assert_eq!(unknown.code(), "UnknownOperationException");
    let junk = call("GetSecretValue", "{").send(&sandbox, &ALICE).await;
    assert_eq!(junk.code(), "SerializationException");
}

#[tokio::test]
async fn tables() {
    let sandbox = sandbox().await;
    let call = |operation: &str, body: &str| {
        Ask::json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body)
    };
    let item = "{\"TableName\":\"orders\",\"Item\":{\"id\":{\"S\":\"o-9\"},\"n\":{\"N\":\"1\"}}}";
    call("PutItem", item).send(&sandbox, &ALICE).await.ok();
    let get = call(
        "GetItem",
        "{\"TableName\":\"orders\",\"Key\":{\"id\":{\"S\":\"o-9\"}}}",
    );
    let got = get.send(&sandbox, &ALICE).await;
    assert_eq!(got.json()["Item"]["n"]["N"], "1");
    let query = call(
        "Query",
        "{\"TableName\":\"orders\",\"KeyConditionExpression\":\"id=:a\",\
         \"ExpressionAttributeValues\":{\":a\":{\"S\":\"o-1\"}}}",
    );
    assert_eq!(query.send(&sandbox, &ALICE).await.json()["Count"], 1);
    let names = call("ListTables", "{}").send(&sandbox, &ALICE).await;
    assert_eq!(names.json()["TableNames"], serde_json::json!(["orders"]));
    let missing = get.region("eu-west-1").send(&sandbox, &ALICE).await;
    missing.says(
        400,
        "ResourceNotFoundException",
        "Requested resource not found",
    );
    assert!(missing.text.contains("com.amazon.coral.service#"));
}

#[tokio::test]
async fn queues_in_both_protocols() {
    let sandbox = sandbox().await;
    let call =
        |operation: &str, body: &str| Ask::json("sqs", &format!("AmazonSQS.{operation}"), body);
    let named = call("GetQueueUrl", "{\"QueueName\":\"jobs\"}")
        .send(&sandbox, &ALICE)
        .await;
    let url = named.json()["QueueUrl"].as_str().expect("a URL").to_owned();
    assert_eq!(url, format!("{}/123456789012/jobs", sandbox.url()));
    let body = format!("{{\"QueueUrl\":\"{url}\",\"MessageBody\":\"hi\"}}");
    let sent = call("SendMessage", &body).send(&sandbox, &ALICE).await;
    assert_eq!(
        sent.json()["MD5OfMessageBody"],
        "49f68a5c8493ec2c0bf489821c21fc3b"
    );
    let form = format!("Action=ReceiveMessage&Version=2012-11-05&QueueUrl={url}");
    let received = Ask::form("sqs", &form).send(&sandbox, &ALICE).await;
    assert_eq!(received.ok().element("Body"), "hi");
    let missing = call("GetQueueUrl", "{\"QueueName\":\"none\"}")
        .send(&sandbox, &ALICE)
        .await;
    missing.says(
        400,
        "QueueDoesNotExist",
        "The specified queue does not exist.",
    );
    let old = "AWS.SimpleQueueService.NonExistentQueue;Sender";
    assert_eq!(missing.header("x-amzn-query-error"), old);
    let wrong = Ask::form("sqs", &form)
        .send(&sandbox, &ALICE.with_secret("x"))
        .await;
    wrong.says(403, "SignatureDoesNotMatch", "does not match");
}

#[tokio::test]
async fn a_model_and_an_api() {
    let sandbox = sandbox().await;
    let path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse";
    let model = Ask::new("bedrock", "us-west-2", "POST", path).body("{}");
    let said = model.send(&sandbox, &ALICE).await;
    assert_eq!(said.ok().json()["stopReason"], "end_turn");
    let mut wrong = model.clone();
    wrong.service = "bedrock-runtime".into();
    let wrong = wrong.send(&sandbox, &ALICE).await;
    wrong.says(
        403,
        "InvalidSignatureException",
        "scoped to correct service: 'bedrock'. ",
    );
    model
        .send(&sandbox, &READER)
        .await
        .says(403, "AccessDeniedException", "bedrock:InvokeModel");
    let api = |path: &str| Ask::new("execute-api", "us-west-2", "GET", path);
    assert_eq!(
        api("/prod/orders/7").send(&sandbox, &ALICE).await.json()["resource"],
        "orders/7"
    );
    let lost = api("/prod/ordres").send(&sandbox, &ALICE).await;
    lost.says(
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    );
    api("/prod/orders").send(&sandbox, &READER).await.says(
        403,
        "AccessDeniedException",
        "execute-api:Invoke",
    );
}

#[tokio::test]
async fn credentials_of_an_instance_and_of_a_container() {
    let sandbox = sandbox().await;
    let imds = "/latest/meta-data/iam/security-credentials/";
    let without = Signed::unsigned(&sandbox, "GET", imds).send(&sandbox).await;
    assert_eq!(without.status, 401);
    assert!(without.text.contains("<title>401 - Unauthorized</title>"));
    let token = Signed::unsigned(&sandbox, "PUT", "/latest/api/token")
        .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        .send(&sandbox)
        .await;
    let get = |path: &str| {
        Signed::unsigned(&sandbox, "GET", path)
            .header("x-aws-ec2-metadata-token", &token.text)
            .send(&sandbox)
    };
    assert_eq!(get(imds).await.text, "ec2-app");
    let key = |answer: &Answer| {
        let json = answer.json();
        let text = |name: &str| json[name].as_str().expect("text").to_owned();
        Key::new(
            &text("AccessKeyId"),
            &text("SecretAccessKey"),
            Some(&text("Token")),
        )
    };
    let instance = get(&format!("{imds}ec2-app")).await;
    assert_eq!(instance.json()["Code"], "Success");
    assert!(
        arn_of(&sandbox, &key(&instance))
            .await
            .contains("assumed-role/ec2-app/i-")
    );
    let document = get("/latest/dynamic/instance-identity/document").await;
    assert_eq!(document.json()["region"], "us-west-2");
    assert_eq!(get("/latest/meta-data/none").await.status, 404);
    let path = "/v2/credentials/0b9c3a1e-0000-4000-8000-example00001";
    let task = Signed::unsigned(&sandbox, "GET", path).send(&sandbox).await;
    let orders = Ask::json("dynamodb", "DynamoDB_20120810.ListTables", "{}");
    orders.send(&sandbox, &key(&task)).await.ok();
    let none = Signed::unsigned(&sandbox, "GET", "/v2/credentials/none")
        .send(&sandbox)
        .await;
    assert_eq!(
        none.json()["message"],
        "CredentialsV2Request: Credentials not found"
    );
}

#[tokio::test]
async fn help_names_every_key_that_works() {
    let help = Sandbox::credentials_help();
    for text in [
        &*ALICE.id,
        &*ALICE.secret,
        STAGING,
        "example-reports",
        "prod/db",
    ] {
        assert!(help.contains(text), "{text}");
    }
    let sandbox = sandbox().await;
    let address = sandbox.address;
    sandbox.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
