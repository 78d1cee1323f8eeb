//! Endpoints that no service's rules lead to: those of customers' resources, of VPC endpoints,
//! and of data planes without a model.

use super::{Flavour, HostFacts, INDEX, Name, listed};
use crate::aws::catalogue::Service;
use crate::aws::region::{partition_of_region, partitions};

/// `{anything}.{words}.{region}` or `{anything}.{region}.{words}`.
struct Plane {
    words: &'static str,
    /// `None`: never SigV4.
    signing_name: Option<&'static str>,
    /// The service whose operations are asked there, if it has a model.
    service: &'static str,
    flavour: Flavour,
}

const fn plane(
    words: &'static str,
    signing_name: &'static str,
    service: &'static str,
    flavour: Flavour,
) -> Plane {
    Plane {
        words,
        signing_name: Some(signing_name),
        service,
        flavour,
    }
}

const fn unsigned(words: &'static str) -> Plane {
    Plane {
        words,
        signing_name: None,
        service: "",
        flavour: Flavour::Resource,
    }
}

/// Words right before the region; longer ones first where one ends with another.
const BEFORE_REGION: [Plane; 24] = [
    plane(
        "execute-api",
        "execute-api",
        "apigatewaymanagementapi",
        Flavour::ExecuteApi,
    ),
    plane("lambda-url", "lambda", "", Flavour::LambdaUrl),
    plane("appsync-api", "appsync", "", Flavour::Resource),
    plane("appsync-realtime-api", "appsync", "", Flavour::Resource),
    plane("aps-workspaces", "aps", "", Flavour::Resource),
    plane("aos", "es", "", Flavour::Resource),
    plane("aoss", "aoss", "", Flavour::Resource),
    plane("ddb", "dynamodb", "dynamodb", Flavour::Regional),
    unsigned("credentials.iot"),
    plane(
        "jobs.iot",
        "iot-jobs-data",
        "iot-jobs-data",
        Flavour::Resource,
    ),
    plane("iot", "iotdata", "iot-data", Flavour::Resource),
    plane("kinesisvideo", "kinesisvideo", "", Flavour::Resource),
    plane(
        "data.mediastore",
        "mediastore",
        "mediastore-data",
        Flavour::Resource,
    ),
    plane(
        "cloudsearch",
        "cloudsearch",
        "cloudsearchdomain",
        Flavour::Resource,
    ),
    plane(
        "vpc-lattice-svcs",
        "vpc-lattice-svcs",
        "",
        Flavour::Resource,
    ),
    plane(
        "neptune-graph",
        "neptune-graph",
        "neptune-graph",
        Flavour::Resource,
    ),
    plane("git-codecommit", "codecommit", "", Flavour::Resource),
    plane("dsql", "dsql", "", Flavour::Resource),
    plane("osis", "osis", "", Flavour::Resource),
    plane("transcribestreaming", "transcribe", "", Flavour::Regional),
    unsigned("dkr.ecr"),
    unsigned("dkr.ecr-fips"),
    unsigned("dkr-ecr"),
    unsigned("d.codeartifact"),
];

/// Words right after the region.
const AFTER_REGION: [Plane; 5] = [
    plane("es", "es", "", Flavour::Resource),
    plane("aoss", "aoss", "", Flavour::Resource),
    plane("neptune", "neptune-db", "neptunedata", Flavour::Resource),
    plane(
        "cloudsearch",
        "cloudsearch",
        "cloudsearchdomain",
        Flavour::Resource,
    ),
    plane("osis", "osis", "", Flavour::Resource),
];

/// Words right before the suffix, without any region: SigV4a with a region set.
const GLOBAL: [Plane; 4] = [
    plane("endpoint.events", "events", "events", Flavour::Global),
    plane("endpoints.email", "ses", "sesv2", Flavour::Global),
    plane(
        "cloudfront-kvs.global",
        "cloudfront-keyvaluestore",
        "cloudfront-keyvaluestore",
        Flavour::Global,
    ),
    plane(
        "partnercentral-channel.global",
        "partnercentral-channel",
        "partnercentral-channel",
        Flavour::Global,
    ),
];

/// Names under AWS's suffixes that lead to a customer's own machine.
const CUSTOMERS: [&str; 12] = [
    "compute",
    "compute-1",
    "elb",
    "rds",
    "rds-aurora",
    "cache",
    "redshift",
    "redshift-serverless",
    "docdb",
    "memorydb",
    "dax-clusters",
    "awsapps",
];

/// An EC2 instance, a load balancer, a database: what answers there is not AWS's API.
pub(super) fn is_customers(name: &Name<'_>) -> bool {
    // db.abc.{region}.rds, ec2-192-0-2-1.{region}.compute
    if name.region.is_some() && !name.after.is_empty() {
        return !name.before.is_empty() && CUSTOMERS.contains(&name.after);
    }
    // name-1234.elb.{region}, ec2-192-0-2-1.compute-1
    let last = name.before.rsplit_once('.').map(|(_, last)| last);
    matches!(last, Some("elb" | "compute" | "compute-1"))
}

/// Hosts under other suffixes than the partitions': sign-in.
pub(super) fn outside(host: &str) -> Option<HostFacts> {
    const SUFFIXES: [(&str, &str); 10] = [
        ("signin.aws.amazon.com", "aws"),
        ("signin.aws", "aws"),
        ("signin.amazonaws.cn", "aws-cn"),
        ("signin.amazonaws-eusc.eu", "aws-eusc"),
        ("signin.c2shome.ic.gov", "aws-iso"),
        ("signin.sc2shome.sgov.gov", "aws-iso-b"),
        ("signin.csphome.adc-e.uk", "aws-iso-e"),
        ("signin.csphome.hci.ic.gov", "aws-iso-f"),
        ("signin.amazonaws-us-gov.com", "aws-us-gov"),
        ("signin-fips.amazonaws-us-gov.com", "aws-us-gov"),
    ];
    let (rest, partition) = SUFFIXES
        .iter()
        .find_map(|(suffix, partition)| Some((host.strip_suffix(suffix)?, *partition)))?;
    if !(rest.is_empty() || rest.ends_with('.')) {
        return None;
    }
    let region = rest
        .split('.')
        .find(|label| partition_of_region(label).is_some());
    let partition = partitions().iter().find(|known| known.id == partition)?;
    let flavour = match region {
        Some(_) => Flavour::Regional,
        None => Flavour::Global,
    };
    let services = listed("signin");
    Some(HostFacts {
        services,
        signing_name: services.first().map(|service| service.signing_name),
        region: region.map(str::to_owned),
        partition: partition.id,
        bucket: None,
        flavour,
        unsigned: true,
        sigv4a: false,
    })
}

/// Whether all of these services are asked before there are credentials.
pub(super) fn never_signed(services: &[&Service]) -> bool {
    !services.is_empty()
        && services
            .iter()
            .all(|service| service.bearer || matches!(service.name, "sso" | "sso-oidc" | "signin"))
}

pub(super) fn read(name: &Name<'_>) -> Option<HostFacts> {
    match (name.region, name.after) {
        (Some(_), "vpce") => vpc_endpoint(name),
        (Some(_), "") => ends_with_words(name, name.before, &BEFORE_REGION),
        (Some(_), after) => ends_with_words(name, after, &AFTER_REGION),
        (None, _) => ends_with_words(name, name.before, &GLOBAL).map(|mut facts| {
            facts.sigv4a = true;
            facts
        }),
    }
}

fn ends_with_words(name: &Name<'_>, text: &str, planes: &[Plane]) -> Option<HostFacts> {
    let plane = planes.iter().find(|plane| {
        text.strip_suffix(plane.words)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })?;
    let services = match plane.service {
        "" if plane.words == "kinesisvideo" => INDEX.regional("kinesisvideo").unwrap_or(&[]),
        service => listed(service),
    };
    let mut facts = name.facts(services, plane.signing_name);
    facts.flavour = plane.flavour;
    facts.unsigned = plane.signing_name.is_none();
    Some(facts)
}

/// `[front.]vpce-{id}-{suffix}[-{zone}].{service}.{region}.vpce`; S3 has `bucket`, `accesspoint`
/// or `control` in front, and a bucket before that.
fn vpc_endpoint(name: &Name<'_>) -> Option<HostFacts> {
    let start = name
        .before
        .split('.')
        .scan(0, |at, label| {
            let here = *at;
            *at += label.len() + 1;
            Some((here, label))
        })
        .find_map(|(at, label)| label.starts_with("vpce-").then_some(at))?;
    let (front, rest) = name.before.split_at(start);
    let (_, key) = rest.split_once('.')?;
    let front = front.trim_end_matches('.');
    let mut facts = if key == "s3" {
        let control = front == "control" || front.ends_with(".control");
        name.facts(listed(if control { "s3control" } else { "s3" }), None)
    } else {
        let aside = ends_with_words(name, key, &BEFORE_REGION);
        match (INDEX.regional(key), aside) {
            (Some(services), _) => name.facts(services, None),
            (None, Some(facts)) => facts,
            (None, None) => name.facts(&[], None),
        }
    };
    facts.flavour = Flavour::VpcEndpoint;
    facts.bucket = front
        .strip_suffix(".bucket")
        .or_else(|| front.strip_suffix(".accesspoint"))
        .map(str::to_owned);
    Some(facts)
}
