use std::collections::BTreeSet;

use super::*;
use crate::aws::{service, services_signing_as};

fn rest<'a>(method: &'a str, target: &'a str) -> RequestFacts<'a> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RequestFacts {
        method,
        path,
        query,
        ..RequestFacts::default()
    }
}

/// `service.Operation`, or the names of those that are left
fn name(found: &OperationFound) -> String {
    match found {
        OperationFound::One { operation, .. } => {
            format!("{}.{}", operation.service.name, operation.name)
        }
        OperationFound::Unlisted { service, name, .. } => format!("{}.{name}?", service.name),
        OperationFound::Ambiguous { services, .. } => {
            let names: Vec<_> = services.iter().map(|service| service.name).collect();
            names.join("|")
        }
        OperationFound::Unknown => String::new(),
    }
}

fn among_signers(signing_name: &str, request: &RequestFacts<'_>) -> String {
    name(&operation(services_signing_as(signing_name), request))
}

/// A request such as an SDK makes from the template.
fn sample(operation: &Operation) -> (String, String, String, bool) {
    let template = operation.template.unwrap();
    let (method, uri) = template.split_once(' ').unwrap();
    let copy = uri.ends_with(" copy");
    let uri = uri.trim_end_matches(" copy");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = path
        .replace("{+}", "some/long//key")
        .replace("{}", "l%2Fabel");
    (method.to_owned(), path, query.replace('*', "value"), copy)
}

fn facts(sample: &(String, String, String, bool)) -> RequestFacts<'_> {
    RequestFacts {
        method: &sample.0,
        path: &sample.1,
        query: &sample.2,
        s3_copy_source: sample.3,
        ..RequestFacts::default()
    }
}

/// Requests that two operations of one service share; their bodies or headers differ.
const SAME_REQUEST: &[&str] = &["s3.ListDirectoryBuckets: s3.ListBuckets"];

#[test]
fn every_rest_operation_is_found_by_its_own_template() {
    let mut lost = BTreeSet::new();
    for service in services().iter().filter(|service| service.is_rest()) {
        for wanted in service.all_operations().iter().filter(|o| !o.superseded) {
            let sample = sample(wanted);
            let found = operation(&[service], &facts(&sample));
            if found.operation() != Some(wanted) {
                lost.insert(format!(
                    "{}.{}: {}",
                    service.name,
                    wanted.name,
                    name(&found)
                ));
            }
        }
    }
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    assert_eq!(lost, SAME_REQUEST);
}

#[test]
fn services_that_share_a_signing_name_are_told_apart_by_path() {
    let mut open = BTreeSet::new();
    for service in services().iter().filter(|service| service.is_rest()) {
        for wanted in service.all_operations().iter().filter(|o| !o.superseded) {
            let sample = sample(wanted);
            let found = operation(services_signing_as(service.signing_name), &facts(&sample));
            match &found {
                OperationFound::One { operation, .. } => {
                    let other = operation.service;
                    let same_host = other.endpoint_prefix == service.endpoint_prefix;
                    let itself = other == service || (same_host && operation.name == wanted.name);
                    let listed = SAME_REQUEST.iter().any(|line| line.contains(wanted.name));
                    assert!(itself || listed, "{wanted:?}: {}", name(&found));
                }
                _ => {
                    open.insert(name(&found));
                }
            }
        }
    }
    let open: Vec<&str> = open.iter().map(String::as_str).collect();
    assert_eq!(open, SHARED_PATHS);
}

/// Services of one signing name with the same paths; only the host tells them apart.
#[rustfmt::skip]
const SHARED_PATHS: &[&str] = &[
    "bedrock-agent|bedrock-agent-runtime",
    "bedrock|bedrock-data-automation",
    "chime-sdk-identity|chime-sdk-media-pipelines|chime-sdk-meetings|chime-sdk-messaging|chime-sdk-voice",
    "chime|chime-sdk-voice",
    "ivs|ivs-realtime",
    "lex-models|lexv2-models",
    "signer|signer-data",
];

#[test]
fn every_target_names_its_operation() {
    for service in services() {
        let Some(prefix) = service.target_prefix else {
            continue;
        };
        for wanted in service.all_operations() {
            let target = format!("{prefix}.{}", wanted.name);
            assert_eq!(
                by_target(&[service], &target).operation(),
                Some(wanted),
                "{target}"
            );
            let found = by_target(&[], &target);
            let timestream = service.signing_name == "timestream";
            assert!(
                found.operation() == Some(wanted) || timestream,
                "{target}: {}",
                name(&found)
            );
        }
    }
}

#[test]
fn every_action_names_its_operation() {
    for service in services().iter().filter(|service| service.speaks_query()) {
        for wanted in service.all_operations() {
            let version = Some(service.api_version);
            let found = by_action(&[service], wanted.name, version);
            assert_eq!(found.operation(), Some(wanted));
            let found = by_action(&[], wanted.name, version);
            let twins = service.signing_name == "rds";
            assert!(
                found.operation() == Some(wanted) || twins,
                "{}: {}",
                wanted.name,
                name(&found)
            );
        }
    }
}

#[test]
fn every_rpc_path_names_its_operation() {
    for service in services() {
        let Some(prefix) = service
            .target_prefix
            .filter(|_| service.speaks(Protocol::RpcV2Cbor))
        else {
            continue;
        };
        for wanted in service.all_operations() {
            let path = format!("/service/{prefix}/operation/{}", wanted.name);
            let mut request = rest("POST", &path);
            assert_eq!(operation(&[], &request).operation(), Some(wanted), "{path}");
            request.smithy_protocol = Some("rpc-v2-cbor");
            assert_eq!(
                operation(&[service], &request).operation(),
                Some(wanted),
                "{path}"
            );
        }
    }
}

#[rustfmt::skip]
const S3: &[(&str, &str, &str)] = &[
    ("GET", "/", "s3.ListBuckets"),
    ("GET", "/?x-id=ListBuckets", "s3.ListBuckets"),
    ("PUT", "/bkt", "s3.CreateBucket"),
    ("PUT", "/bkt/", "s3.CreateBucket"),
    ("HEAD", "/bkt", "s3.HeadBucket"),
    ("GET", "/bkt", "s3.ListObjects"),
    ("GET", "/bkt?list-type=2&prefix=a%2F", "s3.ListObjectsV2"),
    ("GET", "/bkt?location", "s3.GetBucketLocation"),
    ("GET", "/bkt?location=", "s3.GetBucketLocation"),
    ("GET", "/bkt?uploads", "s3.ListMultipartUploads"),
    ("GET", "/bkt?versions&max-keys=1", "s3.ListObjectVersions"),
    ("GET", "/bkt?acl", "s3.GetBucketAcl"),
    ("GET", "/bkt?lifecycle", "s3.GetBucketLifecycleConfiguration"),
    ("GET", "/bkt?analytics", "s3.ListBucketAnalyticsConfigurations"),
    ("GET", "/bkt?analytics&id=x", "s3.GetBucketAnalyticsConfiguration"),
    ("POST", "/bkt?delete", "s3.DeleteObjects"),
    ("GET", "/bkt/key", "s3.GetObject"),
    ("GET", "/bkt/a//b/", "s3.GetObject"),
    ("GET", "/bkt//", "s3.GetObject"),
    ("GET", "/bkt/key?x-id=GetObject", "s3.GetObject"),
    ("GET", "/bkt/key?x-id=PutObject", "s3.GetObject"),
    ("GET", "/bkt/key?acl", "s3.GetObjectAcl"),
    ("GET", "/bkt/key?versionId=1", "s3.GetObject"),
    ("GET", "/bkt/key?uploadId=1", "s3.ListParts"),
    ("GET", "/bkt/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60", "s3.GetObject"),
    ("HEAD", "/bkt/key", "s3.HeadObject"),
    ("PUT", "/bkt/key", "s3.PutObject"),
    ("PUT", "/bkt/key?partNumber=1&uploadId=x", "s3.UploadPart"),
    ("PUT", "/bkt/key?tagging", "s3.PutObjectTagging"),
    ("POST", "/bkt/key?uploads", "s3.CreateMultipartUpload"),
    ("POST", "/bkt/key?uploadId=x", "s3.CompleteMultipartUpload"),
    ("POST", "/bkt/key?select&select-type=2", "s3.SelectObjectContent"),
    ("DELETE", "/bkt/key", "s3.DeleteObject"),
    ("DELETE", "/bkt/key?uploadId=x", "s3.AbortMultipartUpload"),
    ("DELETE", "/bkt", "s3.DeleteBucket"),
    ("GET", "/v20180820/jobs", "s3control.ListJobs"),
    ("GET", "/v20180820/configuration/publicAccessBlock", "s3control.GetPublicAccessBlock"),
    ("POST", "/bkt", ""),
    ("PATCH", "/bkt/key", ""),
];

#[test]
fn s3_requests_are_told_apart_by_their_query() {
    for (method, target, wanted) in S3 {
        let mut request = rest(method, target);
        assert_eq!(among_signers("s3", &request), *wanted, "{method} {target}");
        // The same with the bucket in the host.
        if let Some(inside) = target.strip_prefix("/bkt") {
            let slash = if inside.starts_with('/') { "" } else { "/" };
            let target = format!("{slash}{inside}");
            request = rest(method, &target);
            request.bucket_in_host = true;
            let found = name(&operation(&[service("s3").unwrap()], &request));
            assert_eq!(found, *wanted, "{method} {target} on the bucket's host");
        }
    }
    let mut copy = rest("PUT", "/bkt/key");
    copy.s3_copy_source = true;
    assert_eq!(among_signers("s3", &copy), "s3.CopyObject");
    copy.query = "partNumber=1&uploadId=x";
    assert_eq!(among_signers("s3", &copy), "s3.UploadPartCopy");
    let mut write = rest("POST", "/WriteGetObjectResponse");
    write.bucket_in_host = true;
    assert_eq!(
        among_signers("s3-object-lambda", &write),
        "s3.WriteGetObjectResponse"
    );
}

#[rustfmt::skip]
const SHARED: &[(&str, &str, &str, &str)] = &[
    ("apigateway", "GET", "/restapis", "apigateway.GetRestApis"),
    ("apigateway", "GET", "/v2/apis", "apigatewayv2.GetApis"),
    ("bedrock", "POST", "/model/anthropic.claude-3%3A0%2Fx/converse", "bedrock-runtime.Converse"),
    ("bedrock", "GET", "/foundation-models", "bedrock.ListFoundationModels"),
    ("ses", "POST", "/v2/email/outbound-emails", "sesv2.SendEmail"),
    ("execute-api", "POST", "/prod/%40connections/abc", ""),
    ("execute-api", "POST", "/@connections/abc", "apigatewaymanagementapi.PostToConnection"),
    ("execute-api", "POST", "/%40connections/abc", "apigatewaymanagementapi.PostToConnection"),
    ("execute-api", "POST", "/participant/connection", "connectparticipant.CreateParticipantConnection"),
    ("es", "GET", "/2015-01-01/es/versions", "es.ListElasticsearchVersions"),
    ("es", "GET", "/2021-01-01/opensearch/versions", "opensearch.ListVersions"),
    ("sagemaker", "POST", "/endpoints/x/invocations", "sagemaker-runtime.InvokeEndpoint"),
    ("servicecatalog", "GET", "/applications", "servicecatalog-appregistry.ListApplications"),
    ("lambda", "POST", "/2015-03-31/functions/f/invocations", "lambda.Invoke"),
    ("lambda", "POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations", "lambda.Invoke"),
    ("greengrass", "GET", "/greengrass/groups", "greengrass.ListGroups"),
    ("greengrass", "GET", "/greengrass/v2/components", "greengrassv2.ListComponents"),
    ("awsssoportal", "GET", "/federation/credentials?role_name=r&account_id=1", "sso.GetRoleCredentials"),
    ("sso-oauth", "POST", "/token", "sso-oidc.CreateToken"),
    ("route53", "POST", "/2013-04-01/hostedzone/Z123/rrset/", "route53.ChangeResourceRecordSets"),
    ("route53", "POST", "/2013-04-01/hostedzone/Z123/rrset", "route53.ChangeResourceRecordSets"),
];

#[test]
fn paths_narrow_what_a_signing_name_leaves_open() {
    for (signing_name, method, target, wanted) in SHARED {
        assert_eq!(
            among_signers(signing_name, &rest(method, target)),
            *wanted,
            "{target}"
        );
    }
}

#[test]
fn forms_name_their_action() {
    let form = |body: &'static str| RequestFacts {
        method: "POST",
        path: "/",
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
        form: Some(body.as_bytes()),
        ..RequestFacts::default()
    };
    let caller = form("Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(among_signers("sts", &caller), "sts.GetCallerIdentity");
    // Web-identity calls carry no scope.
    let web = form("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=x");
    let found = operation(&[], &web);
    assert_eq!(name(&found), "sts.AssumeRoleWithWebIdentity");
    assert!(found.operation().unwrap().unsigned);
    // Classic and v2 load balancers share name and host.
    let elb = form("Action=DescribeLoadBalancers&Version=2015-12-01");
    assert_eq!(
        among_signers("elasticloadbalancing", &elb),
        "elbv2.DescribeLoadBalancers"
    );
    let elb = form("Action=DescribeLoadBalancers&Version=2012-06-01");
    assert_eq!(
        among_signers("elasticloadbalancing", &elb),
        "elb.DescribeLoadBalancers"
    );
    let elb = form("Action=DescribeLoadBalancers");
    assert_eq!(among_signers("elasticloadbalancing", &elb), "elb|elbv2");
    // Three names of one service.
    let rds = form("Version=2014-10-31&Action=DescribeDBClusters");
    assert_eq!(among_signers("rds", &rds), "rds.DescribeDBClusters");
    // An API version of its youth, an operation of tomorrow.
    let old = form("Action=RunInstances&Version=2010-08-31");
    assert_eq!(among_signers("ec2", &old), "ec2.RunInstances");
    let new = form("Action=RunTomorrow&Version=2016-11-15");
    assert_eq!(among_signers("ec2", &new), "ec2.RunTomorrow?");
    // Presigned and old SQS requests have it in the query.
    let query = rest(
        "GET",
        "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60",
    );
    assert_eq!(among_signers("sts", &query), "sts.GetCallerIdentity");
    let queue = rest(
        "GET",
        "/123456789012/q?Action=SendMessage&Version=2012-11-05",
    );
    assert_eq!(among_signers("sqs", &queue), "sqs.SendMessage");
    // A form that is none.
    let mut body = form("Action=GetCallerIdentity&Version=2011-06-15");
    body.content_type = Some("text/plain");
    assert_eq!(operation(&[], &body), OperationFound::Unknown);
}

#[test]
fn targets_win_over_a_scope_that_disagrees() {
    let mut request = rest("POST", "/");
    request.target = Some("secretsmanager.GetSecretValue");
    assert_eq!(
        among_signers("dynamodb", &request),
        "secretsmanager.GetSecretValue"
    );
    assert_eq!(
        among_signers("nonesuch", &request),
        "secretsmanager.GetSecretValue"
    );
    request.target = Some("DynamoDB_20120810.Tomorrow");
    assert_eq!(among_signers("dynamodb", &request), "dynamodb.Tomorrow?");
    request.target = Some("Timestream_20181101.DescribeEndpoints");
    assert_eq!(
        among_signers("timestream", &request),
        "timestream-query|timestream-write"
    );
    request.target = Some("Timestream_20181101.WriteRecords");
    assert_eq!(
        among_signers("timestream", &request),
        "timestream-write.WriteRecords"
    );
    request.target = Some("garbage");
    assert_eq!(among_signers("dynamodb", &request), "");
}

#[test]
fn a_path_that_only_one_operation_has_tells_the_service() {
    let unsigned = rest("POST", "/client/register");
    assert_eq!(name(&by_unique_path(&unsigned)), "sso-oidc.RegisterClient");
    let portal = rest("GET", "/federation/credentials?role_name=r&account_id=1");
    assert_eq!(name(&operation(&[], &portal)), "sso.GetRoleCredentials");
    // Never S3 by default.
    for target in ["/", "/bkt", "/bkt/key", "/bkt?acl"] {
        assert_eq!(
            operation(&[], &rest("GET", target)),
            OperationFound::Unknown,
            "{target}"
        );
    }
}

#[test]
fn evidence_quotes_the_request() {
    let mut request = rest("POST", "/");
    request.target = Some("secretsmanager.GetSecretValue");
    let OperationFound::One { from, evidence, .. } = operation(&[], &request) else {
        panic!("not found");
    };
    assert_eq!(
        (from.as_str(), evidence.as_str()),
        ("x-amz-target", "secretsmanager.GetSecretValue")
    );
}
