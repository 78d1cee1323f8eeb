//! The credential scope against host and service.

use super::{Question, Table, holds, line};
use crate::aws;

/// Regions that an account must enable first
/// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>).
const OPT_IN: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

pub(super) const TESTS: Table = &[
    ("scope-region-host", |q, _| {
        let (scope, host) = (
            q.scene.scope()?,
            q.scene.host_facts.as_ref()?.region.as_deref()?,
        );
        line(scope.region != host, || {
            format!("the scope says {}, the host {host}", scope.region)
        })
    }),
    ("scope-service-host", |q, _| {
        let (scope, facts) = (q.scene.scope()?, q.scene.host_facts.as_ref()?);
        let name = facts.signing_name?;
        line(scope.service != name, || {
            format!(
                "the scope says {}, {} is signed as {name}",
                scope.service, q.scene.host
            )
        })
    }),
    ("scope-service", |q, name| {
        let scope = q.scene.scope()?;
        line(scope.service == name, || format!("scope {scope}"))
    }),
    ("scope-is-endpoint-prefix", |q, _| {
        let (scope, want) = (q.scene.scope()?, q.captures.get("want")?);
        let services = aws::services_signing_as(want);
        let is = services
            .iter()
            .any(|service| service.endpoint_prefix == scope.service);
        line(is, || {
            format!(
                "{} is the host's prefix of a service that is signed as {want}",
                scope.service
            )
        })
    }),
    ("scope-day", |q, way| {
        let scope = q.scene.scope()?;
        let day = q.scene.sigv4()?.amz_date.as_deref()?.get(..8)?;
        let is = match way {
            "before" => scope.date.as_str() < day,
            _ => scope.date.as_str() > day,
        };
        line(is, || {
            format!("the scope's day is {}, X-Amz-Date's {day}", scope.date)
        })
    }),
    ("scope-upper", |q, _| {
        let scope = q.scene.scope()?;
        line(
            scope.region.bytes().any(|byte| byte.is_ascii_uppercase()),
            || format!("scope {scope}"),
        )
    }),
    ("fixed-region", |q, _| {
        let (region, fixed) = (q.scene.region()?, fixed_region(q)?);
        line(region != fixed, || {
            format!(
                "signed for {region}; {} is signed for {fixed}",
                q.scene.service()
            )
        })
    }),
    ("opt-in", |q, _| {
        let region = q.scene.region()?;
        line(OPT_IN.contains(&region), || {
            format!("{region} is a region that must be enabled")
        })
    }),
    ("got-misspelt", |q, _| {
        let got = q.captures.get("got")?;
        line(
            aws::partition_of_region(got).is_none() && !got.is_empty(),
            || format!("{got:?} is not of a region's form"),
        )
    }),
    ("got-unknown", |q, _| {
        let got = q.captures.get("got").filter(|got| !got.is_empty())?;
        let known = aws::region_exists(got) || got == "aws-global";
        line(!known, || format!("{got} is not in AWS's list of regions"))
    }),
    ("host-region-odd", |q, _| {
        let label = region_label(q)?;
        line(!aws::region_exists(&label), || {
            format!("{} is not in AWS's list of regions", label)
        })
    }),
    ("bucket-region-differs", |q, _| {
        let bucket = q.scene.reply_header("x-amz-bucket-region")?;
        let region = q.scene.region()?;
        line(bucket != region, || {
            format!("x-amz-bucket-region: {bucket}; signed for {region}")
        })
    }),
    ("service-action-other", |q, _| {
        let routed = aws::service(q.scene.service())?;
        let action = q.scene.param("Action")?;
        holds(routed.operation(&action).is_none())
    }),
];

/// The one region for which the request's service is signed.
pub(super) fn fixed_region(q: &Question<'_>) -> Option<&'static str> {
    let service = aws::service(q.scene.service())?;
    let region = q
        .scene
        .exchange
        .route
        .as_ref()
        .and_then(|route| route.region.as_deref());
    aws::fixed_region(service, region.or(q.scene.region())?)
}

/// The region in the host, be it none of AWS's.
pub(super) fn region_label(q: &Question<'_>) -> Option<String> {
    if let Some(region) = q
        .scene
        .host_facts
        .as_ref()
        .and_then(|facts| facts.region.clone())
    {
        return Some(region);
    }
    let name = q.scene.host.split(':').next()?;
    let labels: Vec<&str> = name.strip_suffix(".amazonaws.com")?.split('.').collect();
    (labels.len() > 1)
        .then(|| labels.last().map(|label| (*label).to_owned()))
        .flatten()
}
