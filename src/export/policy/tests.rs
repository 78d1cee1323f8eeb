use serde_json::json;

use super::*;
use crate::capture::exchange::{Body, Identity, Reply, ReplyError, Request, Route};

fn call(service: &str, action: &str, target: &str, body: &str) -> Exchange {
    let text = |text: &str| Some(text.to_owned());
    Exchange {
        id: 7,
        received: Some(Request {
            target: target.to_owned(),
            body: Body {
                text: text(body),
                ..Body::default()
            },
            ..Request::default()
        }),
        route: Some(Route {
            service: text(service),
            operation: action.split(':').nth(1).map(str::to_owned),
            region: text("us-west-2"),
            iam_action: text(action),
            upstream: Some(format!("https://{service}.us-west-2.amazonaws.com")),
            ..Route::default()
        }),
        identity: Some(Identity {
            account: text("123456789012"),
            ..Identity::default()
        }),
        ..Exchange::default()
    }
}

#[test]
fn resources_follow_from_requests() {
    let cases = [
        (
            "s3",
            "s3:GetObject",
            "/bucket/a%20b/c?versionId=1",
            "",
            "arn:aws:s3:::bucket/a b/c",
        ),
        (
            "s3",
            "s3:ListBucket",
            "/bucket?list-type=2",
            "",
            "arn:aws:s3:::bucket",
        ),
        ("s3", "s3:ListAllMyBuckets", "/", "", "*"),
        (
            "secretsmanager",
            "secretsmanager:GetSecretValue",
            "/",
            r#"{"SecretId":"prod/db"}"#,
            "arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/db-??????",
        ),
        (
            "dynamodb",
            "dynamodb:Query",
            "/",
            r#"{"TableName":"t","IndexName":"i"}"#,
            "arn:aws:dynamodb:us-west-2:123456789012:table/t/index/i",
        ),
        (
            "ssm",
            "ssm:GetParametersByPath",
            "/",
            r#"{"Path":"/app/"}"#,
            "arn:aws:ssm:us-west-2:123456789012:parameter/app/*",
        ),
        (
            "ssm",
            "ssm:GetParameter",
            "/",
            r#"{"Name":"/app/x"}"#,
            "arn:aws:ssm:us-west-2:123456789012:parameter/app/x",
        ),
        (
            "sqs",
            "sqs:SendMessage",
            "/",
            r#"{"QueueUrl":"https://sqs.us-west-2.amazonaws.com/210987654321/q"}"#,
            "arn:aws:sqs:us-west-2:210987654321:q",
        ),
        (
            "sns",
            "sns:Publish",
            "/",
            "Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-west-2%3A123456789012%3At",
            "arn:aws:sns:us-west-2:123456789012:t",
        ),
        (
            "sts",
            "sts:AssumeRole",
            "/",
            "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr",
            "arn:aws:iam::123456789012:role/r",
        ),
        (
            "kms",
            "kms:Decrypt",
            "/",
            r#"{"KeyId":"1234abcd"}"#,
            "arn:aws:kms:us-west-2:123456789012:key/1234abcd",
        ),
        ("kms", "kms:Encrypt", "/", r#"{"KeyId":"alias/app"}"#, "*"),
        (
            "lambda",
            "lambda:InvokeFunction",
            "/2015-03-31/functions/f%3A1/invocations",
            "",
            "arn:aws:lambda:us-west-2:123456789012:function:f:1",
        ),
        (
            "iam",
            "iam:GetRole",
            "/",
            "Action=GetRole&RoleName=r",
            "arn:aws:iam::123456789012:role/r",
        ),
        (
            "logs",
            "logs:PutLogEvents",
            "/",
            r#"{"logGroupName":"g"}"#,
            "arn:aws:logs:us-west-2:123456789012:log-group:g:*",
        ),
        (
            "ec2",
            "ec2:DescribeInstances",
            "/",
            "Action=DescribeInstances",
            "*",
        ),
    ];
    for (service, action, target, body, arn) in cases {
        let found = policy([&call(service, action, target, body)]);
        let wanted = json!([{"Effect": "Allow", "Action": [action], "Resource": [arn]}]);
        assert_eq!(found.document["Statement"], wanted, "{action}");
    }
}

#[test]
fn equal_resources_share_a_statement() {
    let mut other = call("s3", "s3:GetObject", "/b/two", "");
    other.id = 8;
    let exchanges = [
        call("s3", "s3:GetObject", "/b/one", ""),
        call("s3", "s3:PutObject", "/b/one", ""),
        other,
        call("s3", "s3:PutObject", "/b/two", ""),
        call(
            "sts",
            "sts:GetCallerIdentity",
            "/",
            "Action=GetCallerIdentity",
        ),
    ];
    let found = policy(&exchanges);
    let wanted = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::b/one", "arn:aws:s3:::b/two"],
    }]});
    assert_eq!(
        found,
        Policy {
            document: wanted,
            notes: Vec::new()
        }
    );
}

#[test]
fn refusals_name_the_resource_and_denials_are_noted() {
    let mut exchange = call(
        "secretsmanager",
        "secretsmanager:GetSecretValue",
        "/",
        r#"{"SecretId":"x"}"#,
    );
    let message = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: \
                   secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-west-2:123456789012:secret:x-AbCdEf \
                   with an explicit deny in a service control policy";
    exchange.reply = Some(Reply {
        error: Some(ReplyError {
            code: None,
            message: Some(message.to_owned()),
        }),
        ..Reply::default()
    });
    let found = policy([&exchange]);
    let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:x-AbCdEf";
    assert_eq!(found.document["Statement"][0]["Resource"], json!([arn]));
    assert!(
        found.notes[0].contains("denied explicitly (#7)"),
        "{:?}",
        found.notes
    );
}

#[test]
fn what_cannot_be_told_is_said() {
    let unknown = Exchange {
        id: 3,
        ..Exchange::default()
    };
    let masked = call(
        "dynamodb",
        "dynamodb:GetItem",
        "/",
        r#"{"TableName":"‹payload 5 chars›"}"#,
    );
    let mut own = call("sts", "sts:AssumeRole", "/", "");
    own.door = Door::Internal;
    let found = policy([&unknown, &masked, &own]);
    assert_eq!(found.notes.len(), 2, "{:?}", found.notes);
    assert_eq!(found.document["Statement"][0]["Resource"], json!(["*"]));
    assert_eq!(
        found.document["Statement"].as_array().map(Vec::len),
        Some(1)
    );
}
