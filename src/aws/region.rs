//! Partitions and regions.

use std::sync::LazyLock;

use super::catalogue::data_lines;

static PARTITIONS_TSV: &str = include_str!("data/partitions.tsv");
static PARTITIONS: LazyLock<Vec<Partition>> = LazyLock::new(|| {
    data_lines(PARTITIONS_TSV)
        .filter_map(Partition::read)
        .collect()
});

/// A set of regions that shares nothing with the others: credentials, names, DNS suffixes
/// (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
#[derive(Debug)]
pub struct Partition {
    /// As in ARNs: `aws-cn`.
    pub id: &'static str,
    pub dns_suffix: &'static str,
    pub dual_stack_suffix: &'static str,
    /// The region that most global services sign for.
    pub global_region: &'static str,
    /// What some SDKs call "no region": `aws-global`. Never in a signature.
    pub pseudo_region: Option<&'static str>,
    beginnings: &'static str,
    regions: Vec<&'static str>,
}

impl Partition {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next();
        Some(Self {
            id: next()?,
            dns_suffix: next()?,
            dual_stack_suffix: next()?,
            global_region: next()?,
            pseudo_region: next().filter(|text| !text.is_empty()),
            beginnings: next()?,
            regions: next()?.split(' ').collect(),
        })
    }

    /// The regions that were known when the catalogue was written, sorted.
    pub fn regions(&self) -> &[&'static str] {
        &self.regions
    }

    fn knows(&self, region: &str) -> bool {
        self.regions.binary_search(&region).is_ok() || self.pseudo_region == Some(region)
    }

    /// Whether a region that the catalogue does not know would be one of this partition's:
    /// `eu-anywhere-7`.
    fn would_have(&self, region: &str) -> bool {
        self.beginnings.split(' ').any(|beginning| {
            region
                .strip_prefix(beginning)
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.split_once('-'))
                .is_some_and(|(place, number)| {
                    !place.is_empty()
                        && place.bytes().all(|byte| byte.is_ascii_alphanumeric())
                        && !number.is_empty()
                        && number.bytes().all(|byte| byte.is_ascii_digit())
                })
        })
    }
}

/// All partitions, `aws` first.
pub fn partitions() -> &'static [Partition] {
    &PARTITIONS
}

/// Whether AWS has the region, as far as the catalogue knows; newer ones are not in it.
pub fn region_exists(region: &str) -> bool {
    partitions()
        .iter()
        .any(|partition| partition.regions.binary_search(&region).is_ok())
}

/// The partition of a region, a pseudo region, or of what only looks like a region
/// (`eu-anywhere-7`). `None`: it does not look like one.
pub fn partition_of_region(region: &str) -> Option<&'static Partition> {
    let all = partitions().iter();
    all.clone()
        .find(|partition| partition.knows(region))
        .or_else(|| all.clone().find(|partition| partition.would_have(region)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_belong_to_partitions() {
        let cases = [
            ("us-east-1", Some("aws")),
            ("eu-anywhere-7", Some("aws")),
            ("aws-global", Some("aws")),
            ("cn-north-1", Some("aws-cn")),
            ("us-gov-west-1", Some("aws-us-gov")),
            ("us-gov-south-9", Some("aws-us-gov")),
            ("us-iso-east-1", Some("aws-iso")),
            ("us-isob-east-1", Some("aws-iso-b")),
            ("eu-isoe-west-1", Some("aws-iso-e")),
            ("us-isof-south-1", Some("aws-iso-f")),
            ("eusc-de-east-1", Some("aws-eusc")),
            ("eusc-de-west-9", Some("aws-eusc")),
            ("us-east", None),
            ("us-east-", None),
            ("us-east-one", None),
            ("us-east-1-fips", None),
            ("moon-base-1", None),
            ("", None),
        ];
        for (region, partition) in cases {
            let found = partition_of_region(region).map(|partition| partition.id);
            assert_eq!(found, partition, "{region}");
        }
        assert!(region_exists("us-west-2"));
        assert!(!region_exists("aws-global"));
        assert!(!region_exists("eu-anywhere-7"));
    }
}
