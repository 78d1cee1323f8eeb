//! S3's names
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).

use super::{Flavour, HostFacts, INDEX, Name, listed};
use crate::aws::region::partition_of_region;

/// What stands right before the region (or the suffix), without `-fips` and `.dualstack`.
struct Kind {
    word: &'static str,
    flavour: Flavour,
    signing_name: &'static str,
    service: &'static str,
}

const fn kind(
    word: &'static str,
    flavour: Flavour,
    signing_name: &'static str,
    service: &'static str,
) -> Kind {
    Kind {
        word,
        flavour,
        signing_name,
        service,
    }
}

/// Longer names first where one ends with another.
const KINDS: [Kind; 11] = [
    kind(
        "accesspoint.s3-global",
        Flavour::MultiRegionAccessPoint,
        "s3",
        "s3",
    ),
    kind("s3-accesspoint", Flavour::AccessPoint, "s3", "s3"),
    kind("s3-accelerate", Flavour::Accelerate, "s3", "s3"),
    kind(
        "s3-object-lambda",
        Flavour::ObjectLambda,
        "s3-object-lambda",
        "s3",
    ),
    kind("s3-outposts", Flavour::Outposts, "s3-outposts", "s3"),
    kind("s3express-control", Flavour::Express, "s3express", "s3"),
    kind("s3-control", Flavour::S3Control, "s3", "s3control"),
    kind("s3-website", Flavour::Website, "s3", "s3"),
    kind("s3-external-1", Flavour::Global, "s3", "s3"),
    kind("s3-external-2", Flavour::Global, "s3", "s3"),
    kind("s3", Flavour::Regional, "s3", "s3"),
];

pub(super) fn read(name: &Name<'_>) -> Option<HostFacts> {
    if name.suffix == "on.aws" {
        return None;
    }
    match (name.region, name.after) {
        (Some(region), "") => regional(name, region),
        // The region that was found may be part of a bucket's name.
        _ => global(name),
    }
}

fn regional(name: &Name<'_>, region: &str) -> Option<HostFacts> {
    let plain = without_variants(name.before);
    if let Some((bucket, kind)) = split(&plain) {
        let mut facts = facts(name, kind, bucket, Some(region));
        // Outposts and Express have hosts that S3, S3 Control and S3 on Outposts share.
        if let Some(services) = INDEX.regional(name.before) {
            facts.services = services;
        }
        return Some(facts);
    }
    // {bucket}.s3express-{zone id}.{region}
    let (bucket, last) = plain.rsplit_once('.').unwrap_or(("", &plain));
    last.starts_with("s3express-").then(|| {
        let kind = kind("", Flavour::Express, "s3express", "s3");
        facts(name, &kind, bucket, Some(region))
    })
}

/// Names without a region, and the old ones with a dash before it: `s3-us-west-2`.
fn global(name: &Name<'_>) -> Option<HostFacts> {
    let whole = match name.region {
        Some(region) if name.before.is_empty() => format!("{region}.{}", name.after),
        Some(region) => format!("{}.{region}.{}", name.before, name.after),
        None => name.before.to_owned(),
    };
    let plain = without_variants(&whole);
    if let Some((bucket, kind)) = split(&plain) {
        let mut facts = facts(name, kind, bucket, None);
        facts.partition = name.suffix_partition().id;
        return Some(facts);
    }
    let (bucket, last) = plain.rsplit_once('.').unwrap_or(("", &plain));
    let (kind, region) = [("s3-website-", 7), ("s3-", 10)]
        .into_iter()
        .find_map(|(word, at)| Some((KINDS.get(at)?, last.strip_prefix(word)?)))?;
    let partition = partition_of_region(region)?;
    let mut found = facts(name, kind, bucket, Some(region));
    found.partition = partition.id;
    Some(found)
}

/// The bucket and what kind of host it is in front of.
fn split(plain: &str) -> Option<(&str, &'static Kind)> {
    KINDS.iter().find_map(|kind| {
        let bucket = plain.strip_suffix(kind.word)?;
        match bucket.strip_suffix('.') {
            Some(bucket) => Some((bucket, kind)),
            None => bucket.is_empty().then_some(("", kind)),
        }
    })
}

/// `bucket.s3-fips.dualstack` → `bucket.s3`
fn without_variants(before: &str) -> String {
    let plain = before.strip_suffix(".dualstack").unwrap_or(before);
    plain.strip_suffix("-fips").unwrap_or(plain).to_owned()
}

fn facts(name: &Name<'_>, kind: &Kind, bucket: &str, region: Option<&str>) -> HostFacts {
    let mut facts = name.facts(listed(kind.service), Some(kind.signing_name));
    facts.region = region.map(str::to_owned);
    facts.flavour = kind.flavour;
    if facts.flavour == Flavour::Regional && region.is_none() {
        facts.flavour = Flavour::Global;
    }
    if kind.word == "s3-external-1" {
        facts.region = Some(name.suffix_partition().global_region.to_owned());
    }
    facts.unsigned = kind.flavour == Flavour::Website;
    facts.sigv4a = kind.flavour == Flavour::MultiRegionAccessPoint;
    let has_bucket = !bucket.is_empty() && kind.flavour != Flavour::S3Control;
    facts.bucket = has_bucket.then(|| bucket.to_owned());
    // Aliases of access points stand where a bucket does.
    if bucket.ends_with("--ol-s3") {
        (facts.flavour, facts.signing_name) = (Flavour::ObjectLambda, Some("s3-object-lambda"));
    } else if bucket.ends_with("--op-s3") {
        (facts.flavour, facts.signing_name) = (Flavour::Outposts, Some("s3-outposts"));
    } else if bucket.ends_with("-s3alias") {
        facts.flavour = Flavour::AccessPoint;
    }
    facts
}
