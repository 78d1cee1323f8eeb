//! From a service and a region to a host, and to the region that is signed for.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::catalogue::{Service, services};
use super::operation::Operation;
use super::region::{Partition, partition_of_region, partitions};

/// Where a service says nothing of its own. The same four stand in the data file's head.
const USUAL: [(&str, &str); 4] = [
    ("p", "{p}.{r}.{s}"),
    ("f", "{p}-fips.{r}.{s}"),
    ("d", "{p}.{r}.{d}"),
    ("b", "{p}-fips.{r}.{d}"),
];

/// One entry of a service's hosts: `flavour[@where]=template[#region]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostRule {
    flavour: &'static str,
    /// A partition or a region; empty: everywhere else.
    place: &'static str,
    pub(super) template: &'static str,
    /// What it is signed for, if not for the region asked for.
    signed_for: &'static str,
}

/// All hosts of a service: its own entries, then the usual ones where it has none.
pub(super) fn host_rules(service: &Service) -> impl Iterator<Item = HostRule> {
    let own = service.hosts;
    let usual = USUAL
        .into_iter()
        .filter(move |(flavour, _)| !entries(own).any(|rule| rule.covers(flavour)))
        .map(|(flavour, template)| HostRule {
            flavour,
            place: "",
            template,
            signed_for: "",
        });
    entries(own).chain(usual)
}

fn entries(hosts: &'static str) -> impl Iterator<Item = HostRule> {
    hosts.split(' ').filter_map(|entry| {
        let (key, value) = entry.split_once('=')?;
        let (flavour, place) = key.split_once('@').unwrap_or((key, ""));
        let (template, signed_for) = value.split_once('#').unwrap_or((value, ""));
        Some(HostRule {
            flavour,
            place,
            template,
            signed_for,
        })
    })
}

impl HostRule {
    /// What it is signed for, where that is the same wherever the rule holds.
    pub(super) fn fixed_region(&self) -> &'static str {
        let of_place = partitions().iter().find(|known| known.id == self.place);
        match (self.signed_for, of_place) {
            ("{g}", Some(partition)) => partition.global_region,
            (signed_for, _) => signed_for,
        }
    }

    fn covers(&self, flavour: &str) -> bool {
        self.flavour == flavour && self.place.is_empty()
    }
}

/// The rule for a region: its own, else its partition's, else the service's.
fn rule(service: &Service, flavour: &str, region: &str, partition: &Partition) -> HostRule {
    let rules = host_rules(service).filter(|rule| rule.flavour == flavour);
    closest(rules, region, partition).unwrap_or(HostRule {
        flavour: "p",
        place: "",
        template: USUAL[0].1,
        signed_for: "",
    })
}

fn closest(
    rules: impl Iterator<Item = HostRule>,
    region: &str,
    partition: &Partition,
) -> Option<HostRule> {
    let rank = |rule: &HostRule| match rule.place {
        place if place == region => 3,
        place if place == partition.id => 2,
        "" => 1,
        _ => 0,
    };
    rules.filter(|rule| rank(rule) > 0).max_by_key(rank)
}

/// The partition of a region, `aws` if it does not look like one.
fn home(region: &str) -> &'static Partition {
    partition_of_region(region).unwrap_or(&partitions()[0])
}

/// The rules of the services that are signed for another region than the one asked for.
static FIXED: LazyLock<HashMap<&'static str, Vec<HostRule>>> = LazyLock::new(|| {
    let global = services()
        .iter()
        .filter(|service| service.hosts.contains('#'));
    let rules = |service| {
        host_rules(service)
            .filter(|rule| rule.flavour == "p")
            .collect()
    };
    global
        .map(|service| (service.name, rules(service)))
        .collect()
});

/// The region that a global service is signed for in the partition of `region`; `None` for
/// services which are signed for the region that they are asked in.
pub fn fixed_region(service: &Service, region: &str) -> Option<&'static str> {
    let partition = home(region);
    let own = FIXED.get(service.name)?.iter().copied();
    match closest(own, region, partition)?.signed_for {
        "" => None,
        "{g}" => Some(partition.global_region),
        fixed => Some(fixed),
    }
}

/// The host (no scheme, no port) of a service in a region, which need not be one that the
/// catalogue knows. Whether AWS has built the FIPS or dual-stack variant there is not known here.
pub fn endpoint(service: &Service, region: &str, fips: bool, dualstack: bool) -> String {
    let flavour = match (fips, dualstack) {
        (false, false) => "p",
        (true, false) => "f",
        (false, true) => "d",
        (true, true) => "b",
    };
    let partition = home(region);
    rule(service, flavour, region, partition)
        .template
        .replace("{p}", service.endpoint_prefix)
        .replace("{r}", region)
        .replace("{g}", partition.global_region)
        .replace("{s}", partition.dns_suffix)
        .replace("{d}", partition.dual_stack_suffix)
}

impl Operation {
    /// `host` with this operation's host prefix in front. `label` fills a prefix such as
    /// `{AccountId}.`; without it such a prefix is left out. A prefix that is there already is
    /// not put there twice.
    pub fn prefixed_host(&self, host: &str, label: Option<&str>) -> String {
        let Some(prefix) = self.host_prefix else {
            return host.to_owned();
        };
        let filled = match (prefix.starts_with('{'), label) {
            (false, _) => prefix.to_owned(),
            (true, Some(label)) => format!("{label}."),
            (true, None) => return host.to_owned(),
        };
        if host.starts_with(&filled) {
            host.to_owned()
        } else {
            filled + host
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{service, services};

    fn plain(name: &str, region: &str) -> String {
        endpoint(service(name).unwrap(), region, false, false)
    }

    #[test]
    fn hosts_are_made_as_the_rule_sets_make_them() {
        let cases = [
            ("sts", "us-west-2", "sts.us-west-2.amazonaws.com"),
            ("sts", "aws-global", "sts.amazonaws.com"),
            ("iam", "eu-west-1", "iam.amazonaws.com"),
            ("iam", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
            ("iam", "us-gov-east-1", "iam.us-gov.amazonaws.com"),
            ("account", "eu-west-1", "account.us-east-1.amazonaws.com"),
            ("route53", "eusc-de-east-1", "route53.amazonaws.eu"),
            ("s3", "eu-west-1", "s3.eu-west-1.amazonaws.com"),
            (
                "cloudwatch",
                "cn-north-1",
                "monitoring.cn-north-1.amazonaws.com.cn",
            ),
            ("ec2", "us-iso-east-1", "ec2.us-iso-east-1.c2s.ic.gov"),
            ("sqs", "us-isob-east-1", "sqs.us-isob-east-1.sc2s.sgov.gov"),
            ("dsql", "us-east-1", "dsql.us-east-1.api.aws"),
            ("kms", "eu-anywhere-7", "kms.eu-anywhere-7.amazonaws.com"),
        ];
        for (name, region, host) in cases {
            assert_eq!(plain(name, region), host, "{name} {region}");
        }
        let s3 = service("s3").unwrap();
        assert_eq!(
            endpoint(s3, "eu-west-1", true, true),
            "s3-fips.dualstack.eu-west-1.amazonaws.com"
        );
        assert_eq!(
            endpoint(service("kms").unwrap(), "us-gov-west-1", true, false),
            "kms-fips.us-gov-west-1.amazonaws.com"
        );
    }

    #[test]
    fn global_services_have_a_fixed_region() {
        let cases = [
            ("iam", "eu-west-1", Some("us-east-1")),
            ("iam", "cn-northwest-1", Some("cn-north-1")),
            ("iam", "us-gov-east-1", Some("us-gov-west-1")),
            ("networkmanager", "eu-west-1", Some("us-west-2")),
            ("organizations", "us-gov-east-1", Some("us-gov-west-1")),
            ("support", "cn-northwest-1", Some("cn-north-1")),
            ("budgets", "cn-north-1", Some("cn-northwest-1")),
            ("sts", "eu-west-1", None),
            ("sts", "aws-global", Some("us-east-1")),
            ("dynamodb", "eu-west-1", None),
        ];
        for (name, region, fixed) in cases {
            assert_eq!(
                fixed_region(service(name).unwrap(), region),
                fixed,
                "{name} {region}"
            );
        }
    }

    #[test]
    fn no_host_keeps_a_placeholder() {
        for service in services() {
            for partition in partitions() {
                for region in partition.regions() {
                    for (fips, dual) in [(false, false), (true, false), (false, true), (true, true)]
                    {
                        let host = endpoint(service, region, fips, dual);
                        assert!(!host.contains(['{', '}', '*', ' ']), "{host}");
                    }
                }
            }
        }
    }

    #[test]
    fn host_prefixes_go_in_front_once() {
        let sync = service("stepfunctions")
            .unwrap()
            .operation("StartSyncExecution")
            .unwrap();
        let host = "states.us-east-1.amazonaws.com";
        let prefixed = "sync-states.us-east-1.amazonaws.com";
        assert_eq!(sync.prefixed_host(host, None), prefixed);
        assert_eq!(sync.prefixed_host(prefixed, None), prefixed);
        let job = service("s3control").unwrap().operation("ListJobs").unwrap();
        let host = "s3-control.us-east-1.amazonaws.com";
        assert_eq!(job.prefixed_host(host, None), host);
        assert_eq!(
            job.prefixed_host(host, Some("123456789012")),
            format!("123456789012.{host}")
        );
    }
}
