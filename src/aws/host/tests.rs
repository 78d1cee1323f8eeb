use super::*;
use crate::aws::endpoint::endpoint;

/// host, services, signing name, region, bucket, flavour
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Flavour,
);

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Flavour::*;
    &[
    ("sts.us-west-2.amazonaws.com", "sts", "sts", "us-west-2", "", Regional),
    ("STS.us-west-2.amazonaws.com:443", "sts", "sts", "us-west-2", "", Regional),
    ("sts.amazonaws.com", "sts", "sts", "us-east-1", "", Global),
    ("sts-fips.us-east-1.amazonaws.com", "sts", "sts", "us-east-1", "", Regional),
    ("monitoring.eu-west-1.amazonaws.com", "cloudwatch", "monitoring", "eu-west-1", "", Regional),
    ("secretsmanager.us-west-2.api.aws", "secretsmanager", "secretsmanager", "us-west-2", "", Regional),
    ("iam.amazonaws.com", "iam", "iam", "us-east-1", "", Global),
    ("iam.global.api.aws", "iam", "iam", "us-east-1", "", Global),
    ("iam.us-gov.amazonaws.com", "iam", "iam", "us-gov-west-1", "", Global),
    ("iam.cn-north-1.amazonaws.com.cn", "iam", "iam", "cn-north-1", "", Regional),
    ("route53.amazonaws.com", "route53", "route53", "us-east-1", "", Global),
    ("route53.amazonaws.com.cn", "route53", "route53", "cn-northwest-1", "", Global),
    ("account.us-east-1.amazonaws.com", "account", "account", "us-east-1", "", Regional),
    ("rds.eu-west-1.amazonaws.com", "docdb neptune rds", "rds", "eu-west-1", "", Regional),
    ("sqs.us-iso-east-1.c2s.ic.gov", "sqs", "sqs", "us-iso-east-1", "", Regional),
    ("sqs.us-isob-east-1.sc2s.sgov.gov", "sqs", "sqs", "us-isob-east-1", "", Regional),
    ("sqs.eu-isoe-west-1.cloud.adc-e.uk", "sqs", "sqs", "eu-isoe-west-1", "", Regional),
    ("sqs.us-isof-south-1.csp.hci.ic.gov", "sqs", "sqs", "us-isof-south-1", "", Regional),
    ("sqs.eusc-de-east-1.amazonaws.eu", "sqs", "sqs", "eusc-de-east-1", "", Regional),
    ("queue.amazonaws.com", "sqs", "sqs", "us-east-1", "", Global),
    ("eu-west-1.queue.amazonaws.com", "sqs", "sqs", "eu-west-1", "", Regional),
    ("bkt.s3.eu-west-1.amazonaws.com", "s3", "s3", "eu-west-1", "bkt", Regional),
    ("a.dotted.bkt.s3.eu-west-1.amazonaws.com", "s3", "s3", "eu-west-1", "a.dotted.bkt", Regional),
    ("my.us-east-1.bkt.s3.eu-west-1.amazonaws.com", "s3", "s3", "eu-west-1", "my.us-east-1.bkt", Regional),
    ("my.us-east-1.s3.amazonaws.com", "s3", "s3", "", "my.us-east-1", Global),
    ("eu-data-1.s3.amazonaws.com", "s3", "s3", "", "eu-data-1", Global),
    ("eu-data-1.s3-us-west-2.amazonaws.com", "s3", "s3", "us-west-2", "eu-data-1", Regional),
    ("us-gov-data-1.s3-accelerate.amazonaws.com", "s3", "s3", "", "us-gov-data-1", Accelerate),
    ("s3.eu-west-1.amazonaws.com", "s3", "s3", "eu-west-1", "", Regional),
    ("s3-us-west-2.amazonaws.com", "s3", "s3", "us-west-2", "", Regional),
    ("bkt.s3-us-west-2.amazonaws.com", "s3", "s3", "us-west-2", "bkt", Regional),
    ("bkt.s3.amazonaws.com", "s3", "s3", "", "bkt", Global),
    ("s3.amazonaws.com", "s3", "s3", "", "", Global),
    ("s3-external-1.amazonaws.com", "s3", "s3", "us-east-1", "", Global),
    ("bkt.s3.dualstack.eu-west-1.amazonaws.com", "s3", "s3", "eu-west-1", "bkt", Regional),
    ("bkt.s3-fips.us-east-1.amazonaws.com", "s3", "s3", "us-east-1", "bkt", Regional),
    ("bkt.s3-fips.dualstack.us-east-1.amazonaws.com", "s3", "s3", "us-east-1", "bkt", Regional),
    ("bkt.s3-accelerate.amazonaws.com", "s3", "s3", "", "bkt", Accelerate),
    ("bkt.s3-accelerate.dualstack.amazonaws.com", "s3", "s3", "", "bkt", Accelerate),
    ("bkt.s3-website-us-east-1.amazonaws.com", "s3", "s3", "us-east-1", "bkt", Website),
    ("bkt.s3-website.eu-central-1.amazonaws.com", "s3", "s3", "eu-central-1", "bkt", Website),
    ("ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "s3", "s3", "us-west-2", "ap-123456789012", AccessPoint),
    ("ap-123456789012.s3-accesspoint-fips.dualstack.us-west-2.amazonaws.com", "s3", "s3", "us-west-2", "ap-123456789012", AccessPoint),
    ("x-s3alias.s3.us-west-2.amazonaws.com", "s3", "s3", "us-west-2", "x-s3alias", AccessPoint),
    ("x--ol-s3.s3.us-west-2.amazonaws.com", "s3", "s3-object-lambda", "us-west-2", "x--ol-s3", ObjectLambda),
    ("ol-123456789012.s3-object-lambda.us-west-2.amazonaws.com", "s3", "s3-object-lambda", "us-west-2", "ol-123456789012", ObjectLambda),
    ("ap-123456789012.op-01ac.s3-outposts.us-west-2.amazonaws.com", "s3", "s3-outposts", "us-west-2", "ap-123456789012.op-01ac", Outposts),
    ("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com", "s3", "s3", "", "mfzwi23gnjvgw.mrap", MultiRegionAccessPoint),
    ("b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "s3", "s3express", "us-west-2", "b--usw2-az1--x-s3", Express),
    ("s3-outposts.us-west-2.amazonaws.com", "s3control s3outposts", "s3-outposts", "us-west-2", "", Outposts),
    ("s3express-control.us-west-2.amazonaws.com", "s3 s3control", "s3express", "us-west-2", "", Express),
    ("123456789012.s3-control.us-west-2.amazonaws.com", "s3control", "s3", "us-west-2", "", S3Control),
    ("123456789012.s3-control-fips.dualstack.us-west-2.amazonaws.com", "s3control", "s3", "us-west-2", "", S3Control),
    ("vpce-1a2b3c4d-5e6f.sts.us-east-1.vpce.amazonaws.com", "sts", "sts", "us-east-1", "", VpcEndpoint),
    ("vpce-1a2b3c4d-5e6f-us-east-1a.execute-api.us-east-1.vpce.amazonaws.com", "apigatewaymanagementapi", "execute-api", "us-east-1", "", VpcEndpoint),
    ("bkt.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "s3", "s3", "us-east-1", "bkt", VpcEndpoint),
    ("control.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "s3control", "s3", "us-east-1", "", VpcEndpoint),
    ("abc123.execute-api.eu-west-1.amazonaws.com", "apigatewaymanagementapi", "execute-api", "eu-west-1", "", ExecuteApi),
    ("abc123-vpce-0a1b.execute-api.eu-west-1.amazonaws.com", "apigatewaymanagementapi", "execute-api", "eu-west-1", "", ExecuteApi),
    ("abc123.lambda-url.eu-west-1.on.aws", "", "lambda", "eu-west-1", "", LambdaUrl),
    ("abc123.appsync-api.eu-west-1.amazonaws.com", "", "appsync", "eu-west-1", "", Resource),
    ("abc123.appsync-realtime-api.eu-west-1.amazonaws.com", "", "appsync", "eu-west-1", "", Resource),
    ("search-dom-abc.eu-west-1.es.amazonaws.com", "", "es", "eu-west-1", "", Resource),
    ("vpc-dom-abc.eu-west-1.es.amazonaws.com", "", "es", "eu-west-1", "", Resource),
    ("search-dom-abc.aos.eu-west-1.on.aws", "", "es", "eu-west-1", "", Resource),
    ("abc123.eu-west-1.aoss.amazonaws.com", "", "aoss", "eu-west-1", "", Resource),
    ("aps-workspaces.eu-west-1.amazonaws.com", "", "aps", "eu-west-1", "", Resource),
    ("a1b2-ats.iot.eu-west-1.amazonaws.com", "iot-data", "iotdata", "eu-west-1", "", Resource),
    ("data-ats.iot.eu-west-1.amazonaws.com", "iot-data", "iotdata", "eu-west-1", "", Regional),
    ("data.jobs.iot.eu-west-1.amazonaws.com", "iot-jobs-data", "iot-jobs-data", "eu-west-1", "", Regional),
    ("svc-0a1b.7d67968.vpc-lattice-svcs.eu-west-1.on.aws", "", "vpc-lattice-svcs", "eu-west-1", "", Resource),
    ("db.cluster-abc.eu-west-1.neptune.amazonaws.com:8182", "neptunedata", "neptune-db", "eu-west-1", "", Resource),
    ("g-0123456789.neptune-graph.eu-west-1.amazonaws.com", "neptune-graph", "neptune-graph", "eu-west-1", "", Resource),
    ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime", "bedrock", "us-east-1", "", Regional),
    ("bedrock-agent-runtime.us-east-1.amazonaws.com", "bedrock-agent-runtime", "bedrock", "us-east-1", "", Regional),
    ("api.ecr.us-east-1.amazonaws.com", "ecr", "ecr", "us-east-1", "", Regional),
    ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "", "", "us-east-1", "", Resource),
    ("123456789012.dkr-ecr.us-east-1.on.aws", "", "", "us-east-1", "", Resource),
    ("123456789012.ddb.us-east-1.amazonaws.com", "dynamodb", "dynamodb", "us-east-1", "", Regional),
    ("git-codecommit.us-east-1.amazonaws.com", "", "codecommit", "us-east-1", "", Resource),
    ("dom-123456789012.d.codeartifact.us-east-1.amazonaws.com", "", "", "us-east-1", "", Resource),
    ("portal.sso.us-east-1.amazonaws.com", "sso", "awsssoportal", "us-east-1", "", Regional),
    ("oidc.us-east-1.amazonaws.com", "sso-oidc", "sso-oauth", "us-east-1", "", Regional),
    ("us-east-1.signin.aws.amazon.com", "signin", "signin", "us-east-1", "", Regional),
    ("sync-states.us-east-1.amazonaws.com", "stepfunctions", "states", "us-east-1", "", Regional),
    ("cp.tracking.geo.us-east-1.amazonaws.com", "location", "geo", "us-east-1", "", Regional),
    ("s-1a2b3c.kinesisvideo.us-east-1.amazonaws.com", "kinesis-video-archived-media kinesis-video-media kinesis-video-signaling kinesis-video-webrtc-storage kinesisvideo", "kinesisvideo", "us-east-1", "", Resource),
    ("abcdef.endpoint.events.amazonaws.com", "events", "events", "", "", Global),
    ("123456789012.cloudfront-kvs.global.api.aws", "cloudfront-keyvaluestore", "cloudfront-keyvaluestore", "", "", Global),
    ("brandnew.us-east-1.amazonaws.com", "", "", "us-east-1", "", Regional),
    ]
};

#[test]
fn hosts_say_service_region_and_bucket() {
    for (name, services, signing_name, region, bucket, flavour) in ROWS {
        let facts = host(name).unwrap_or_else(|| panic!("{name}"));
        let found: Vec<_> = facts.services.iter().map(|service| service.name).collect();
        assert_eq!(found.join(" "), *services, "{name}");
        assert_eq!(facts.signing_name.unwrap_or(""), *signing_name, "{name}");
        assert_eq!(facts.region.as_deref().unwrap_or(""), *region, "{name}");
        assert_eq!(facts.bucket.as_deref().unwrap_or(""), *bucket, "{name}");
        assert_eq!(facts.flavour, *flavour, "{name}");
    }
}

#[test]
fn partitions_are_told_apart() {
    for (name, partition) in [
        ("sts.us-west-2.amazonaws.com", "aws"),
        ("sts.us-gov-west-1.amazonaws.com", "aws-us-gov"),
        ("iam.us-gov.amazonaws.com", "aws-us-gov"),
        ("sts.cn-north-1.amazonaws.com.cn", "aws-cn"),
        ("kms.cn-north-1.api.amazonwebservices.com.cn", "aws-cn"),
        ("sts.us-iso-east-1.c2s.ic.gov", "aws-iso"),
        ("sts.eusc-de-east-1.amazonaws.eu", "aws-eusc"),
        ("x.lambda-url.us-gov-west-1.on.aws", "aws-us-gov"),
        ("us-gov-data-1.s3.amazonaws.com", "aws"),
        ("bkt.s3-us-gov-west-1.amazonaws.com", "aws-us-gov"),
        ("us-gov-west-1.signin.amazonaws-us-gov.com", "aws-us-gov"),
    ] {
        assert_eq!(host(name).unwrap().partition, partition, "{name}");
    }
}

#[test]
fn some_hosts_are_never_signed_and_some_take_a_region_set() {
    for (name, unsigned, sigv4a) in [
        ("portal.sso.us-east-1.amazonaws.com", true, false),
        ("oidc.us-east-1.amazonaws.com", true, false),
        ("us-east-1.signin.aws.amazon.com", true, false),
        ("bkt.s3-website-us-east-1.amazonaws.com", true, false),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", true, false),
        ("m.mrap.accesspoint.s3-global.amazonaws.com", false, true),
        ("abcdef.endpoint.events.amazonaws.com", false, true),
        ("s3.us-east-1.amazonaws.com", false, false),
    ] {
        let facts = host(name).unwrap();
        assert_eq!((facts.unsigned, facts.sigv4a), (unsigned, sigv4a), "{name}");
    }
}

#[test]
fn other_peoples_hosts_are_not_awss() {
    for name in [
        "",
        "localhost",
        "127.0.0.1:8787",
        "[::1]:8787",
        "169.254.169.254",
        "example.com",
        "amazonaws.com",
        "amazonaws.com.evil.example",
        "evilamazonaws.com",
        "sts.us-east-1.amazonaws.com.evil.example",
        ".amazonaws.com",
        "a..amazonaws.com",
        "sts.us-east-1.amazonaws.com@evil.example",
        "evilsignin.aws",
        "ec2-192-0-2-1.compute-1.amazonaws.com",
        "ec2-192-0-2-1.eu-west-1.compute.amazonaws.com",
        "lb-1234.us-east-1.elb.amazonaws.com",
        "nlb-1234.elb.us-east-1.amazonaws.com",
        "db.abc.us-east-1.rds.amazonaws.com",
    ] {
        assert_eq!(host(name), None, "{name}");
    }
    assert!(is_aws_host("elasticloadbalancing.us-east-1.amazonaws.com"));
    assert!(is_aws_host("rds.us-east-1.amazonaws.com"));
}

#[test]
fn every_endpoint_leads_back_to_its_service() {
    for service in services() {
        for partition in partitions() {
            for region in partition.regions() {
                // Services of one partition only make nonsense of the others.
                let signed = fixed_region(service, region).unwrap_or(region);
                if partition_of_region(signed).map(|found| found.id) != Some(partition.id) {
                    continue;
                }
                for (fips, dual) in [(false, false), (true, false), (false, true), (true, true)] {
                    let name = endpoint(service, region, fips, dual);
                    let facts = host(&name).unwrap_or_else(|| panic!("{name}"));
                    let named = facts
                        .services
                        .iter()
                        .any(|found| found.name == service.name);
                    assert!(named, "{name} is not {}: {facts:?}", service.name);
                    assert_eq!(facts.signing_name, Some(service.signing_name), "{name}");
                    // budgets.amazonaws.com serves two partitions.
                    if facts.flavour != Flavour::Global {
                        assert_eq!(facts.partition, partition.id, "{name}");
                    }
                    // The variants of a few fixed-region services are regional.
                    if let Some(found) = facts
                        .region
                        .as_ref()
                        .filter(|_| !fips && !dual && facts.partition == partition.id)
                    {
                        assert_eq!(found, signed, "{name}");
                    }
                }
            }
        }
    }
}
