//! From a host name to service, region, partition and the kind of endpoint.
//!
//! A name is taken apart from the right: the partition's suffix, then a region, then what is
//! left. Most of what is left stands in an index made from the services' hosts; S3's names and
//! the data planes that no model describes have rules of their own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::catalogue::{Service, service, services};
use super::endpoint::{fixed_region, host_rules};
use super::region::{Partition, partition_of_region, partitions};

mod plane;
mod s3;

static INDEX: LazyLock<Index> = LazyLock::new(Index::new);

/// What a host name says by itself. Nothing of it is a guess: what the name does not tell is
/// absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// The services that answer there; several may share a host. Empty: a data plane without a
    /// model, or a service that the catalogue does not know.
    pub services: &'static [&'static Service],
    /// Known for the data planes without a model too.
    pub signing_name: Option<&'static str>,
    pub region: Option<String>,
    /// The partition's id, as in ARNs.
    pub partition: &'static str,
    /// S3: the bucket, access point or alias in front of the host, so not in the path.
    pub bucket: Option<String>,
    pub flavour: Flavour,
    /// What is asked here is never signed with SigV4, but for an operation that the catalogue
    /// lists as signed (`CreateTokenWithIAM`).
    pub unsigned: bool,
    /// Takes SigV4a, with a region set instead of a region.
    pub sigv4a: bool,
}

/// The kind of endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Regional,
    /// Without a region in its name.
    Global,
    /// S3 transfer acceleration: signed for the bucket's region, which the name does not tell.
    Accelerate,
    AccessPoint,
    MultiRegionAccessPoint,
    ObjectLambda,
    Outposts,
    /// S3 Express directory buckets.
    Express,
    S3Control,
    Website,
    VpcEndpoint,
    ExecuteApi,
    LambdaUrl,
    /// Another endpoint that belongs to one customer's resource.
    Resource,
}

/// A host name, taken apart as far as any rule needs.
struct Name<'a> {
    /// Before the region, without the dot: `bucket.s3`. All of it if there is no region.
    before: &'a str,
    region: Option<&'a str>,
    /// Between region and suffix: `vpce`, `es`.
    after: &'a str,
    suffix: &'static str,
    partition: &'static Partition,
}

/// What a host name says. `None`: it is not one of AWS's, or it is a customer's machine under
/// AWS's names (an EC2 instance, a load balancer, a database). A port is ignored.
pub fn host(host: &str) -> Option<HostFacts> {
    let host = without_port(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    let host: Cow<'_, str> = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    };
    if let Some(facts) = plane::outside(&host) {
        return Some(facts);
    }
    let name = Name::take_apart(&host)?;
    if plane::is_customers(&name) {
        return None;
    }
    s3::read(&name)
        .or_else(|| INDEX.read(&name))
        .or_else(|| plane::read(&name))
        .or_else(|| Some(name.facts(&[], None)))
}

/// Whether the host is AWS's own, so that signed requests may be sent to it.
pub fn is_aws_host(name: &str) -> bool {
    host(name).is_some()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

impl<'a> Name<'a> {
    fn take_apart(host: &'a str) -> Option<Self> {
        let (rest, suffix, partition) = suffixes().find_map(|(suffix, partition)| {
            let rest = host.strip_suffix(suffix)?.strip_suffix('.')?;
            Some((rest, suffix, partition))
        })?;
        if rest.split('.').any(str::is_empty) {
            return None;
        }
        let mut end = rest.len();
        for label in rest.rsplit('.') {
            let start = end - label.len();
            if let Some(found) = partition_of_region(label)
                && serves(found, suffix)
            {
                return Some(Self {
                    before: rest[..start].trim_end_matches('.'),
                    region: Some(label),
                    after: rest[end..].trim_start_matches('.'),
                    suffix,
                    partition: found,
                });
            }
            end = start.saturating_sub(1);
        }
        Some(Self {
            before: rest,
            region: None,
            after: "",
            suffix,
            partition,
        })
    }

    fn facts(
        &self,
        services: &'static [&'static Service],
        signing_name: Option<&'static str>,
    ) -> HostFacts {
        HostFacts {
            services,
            signing_name: signing_name.or_else(|| services.first().map(|s| s.signing_name)),
            region: self.region.map(str::to_owned),
            partition: self.partition.id,
            bucket: None,
            flavour: if self.region.is_some() {
                Flavour::Regional
            } else {
                Flavour::Global
            },
            unsigned: false,
            sigv4a: false,
        }
    }

    /// The first partition of the suffix, whatever region a bucket's name resembles.
    fn suffix_partition(&self) -> &'static Partition {
        suffixes()
            .find_map(|(suffix, partition)| (suffix == self.suffix).then_some(partition))
            .unwrap_or(self.partition)
    }
}

/// Whether a region's hosts may end so. `on.aws` is shared like the others of `aws`.
fn serves(partition: &Partition, suffix: &str) -> bool {
    partition.dns_suffix == suffix
        || partition.dual_stack_suffix == suffix
        || (suffix == "on.aws" && partition.dns_suffix == "amazonaws.com")
}

/// Every suffix with the first partition that has it. No one is the end of another after a dot,
/// so the order does not matter.
fn suffixes() -> impl Iterator<Item = (&'static str, &'static Partition)> {
    let on_aws = partitions().first().map(|aws| ("on.aws", aws));
    partitions()
        .iter()
        .flat_map(|partition| {
            [partition.dns_suffix, partition.dual_stack_suffix].map(|suffix| (suffix, partition))
        })
        .chain(on_aws)
}

/// What stands in front of region and suffix, for every host that a service says it has.
#[derive(Default)]
struct Index {
    /// `{key}.{region}.{suffix}`
    regional: HashMap<String, Entry>,
    /// `{region}.{key}.{suffix}`
    trailing: HashMap<String, Entry>,
    /// `{r}` in the middle of the key
    around: HashMap<String, Entry>,
    /// `{key}.{suffix}`
    global: HashMap<String, Entry>,
}

#[derive(Default)]
struct Entry {
    services: Vec<&'static Service>,
    /// The fixed regions that a global host is signed for, one a partition.
    signed_for: Vec<&'static str>,
}

impl Index {
    fn new() -> Self {
        let mut index = Self::default();
        for service in services() {
            let prefixes = service.host_prefixes.split(' ');
            let prefixes: Vec<&str> = prefixes.filter(|prefix| !prefix.contains('{')).collect();
            for rule in host_rules(service) {
                for prefix in prefixes.iter().copied().chain([""]) {
                    let host = rule.template.replace("{p}", service.endpoint_prefix);
                    index.add(service, prefix.to_owned() + &host, rule.fixed_region());
                }
            }
        }
        index
    }

    fn add(&mut self, service: &'static Service, host: String, signed_for: &'static str) {
        let literal = || suffixes().find_map(|(suffix, _)| host.strip_suffix(suffix));
        let rest = host
            .strip_suffix("{s}")
            .or_else(|| host.strip_suffix("{d}"));
        let Some(rest) = rest
            .or_else(literal)
            .and_then(|rest| rest.strip_suffix('.'))
        else {
            return;
        };
        let region = rest.split('.').find(|label| is_region(label));
        let (map, key) = match region.and_then(|region| rest.split_once(region)) {
            Some((before, "")) => (&mut self.regional, before.trim_end_matches('.')),
            Some(("", after)) => (&mut self.trailing, after.trim_start_matches('.')),
            Some(_) => (&mut self.around, rest),
            None => (&mut self.global, rest),
        };
        let entry = map.entry(key.to_owned()).or_default();
        if !entry.services.contains(&service) {
            entry.services.push(service);
        }
        if !signed_for.is_empty() && !entry.signed_for.contains(&signed_for) {
            entry.signed_for.push(signed_for);
        }
    }

    fn regional(&'static self, key: &str) -> Option<&'static [&'static Service]> {
        self.regional
            .get(key)
            .map(|entry| entry.services.as_slice())
    }

    fn read(&'static self, name: &Name<'_>) -> Option<HostFacts> {
        let entry = match (name.region, name.before, name.after) {
            (Some(_), before, "") => self.regional.get(before),
            (Some(_), "", after) => self.trailing.get(after),
            (Some(_), before, after) => self.around.get(&format!("{before}.{{r}}.{after}")),
            (None, before, _) => self.global.get(before),
        };
        match entry {
            Some(entry) => {
                let mut facts = name.facts(&entry.services, None);
                facts.unsigned = plane::never_signed(&entry.services);
                if name.region.is_none() {
                    entry.fill(&mut facts, name);
                }
                Some(facts)
            }
            None => self.labelled(name),
        }
    }

    /// A label of the request's in front: `123456789012.s3-control`, `g-0123.neptune-graph`.
    fn labelled(&'static self, name: &Name<'_>) -> Option<HostFacts> {
        let (_, key) = name.before.split_once('.')?;
        let services = self.regional(key).filter(|_| name.after.is_empty())?;
        let takes_label = |service: &&Service| service.host_prefixes.contains('{');
        services.iter().copied().any(|s| takes_label(&s)).then(|| {
            let mut facts = name.facts(services, None);
            facts.flavour = Flavour::Resource;
            facts
        })
    }
}

impl Entry {
    /// Region and partition of a host that has no region in its name.
    fn fill(&self, facts: &mut HostFacts, name: &Name<'_>) {
        let fixed = self.signed_for.iter().find_map(|region| {
            partition_of_region(region)
                .filter(|partition| serves(partition, name.suffix))
                .map(|partition| (*region, partition))
        });
        let pseudo = name.partition.pseudo_region;
        let of_rules = self.services.first().and_then(|service| {
            fixed_region(service, pseudo.unwrap_or(name.partition.global_region))
        });
        facts.region = match (self.signed_for.contains(&"{g}"), fixed) {
            (true, _) => Some(name.partition.global_region.to_owned()),
            (false, Some((region, partition))) => {
                facts.partition = partition.id;
                Some(region.to_owned())
            }
            (false, None) => of_rules.map(str::to_owned),
        };
    }
}

fn is_region(label: &str) -> bool {
    matches!(label, "{r}" | "{g}") || partition_of_region(label).is_some()
}

/// A static list of services by their names; unknown names are left out.
fn listed(name: &str) -> &'static [&'static Service] {
    // One service's own entry in the index of signing names would do, but several share those.
    static ONE: LazyLock<HashMap<&'static str, Vec<&'static Service>>> = LazyLock::new(|| {
        services()
            .iter()
            .map(|service| (service.name, vec![service]))
            .collect()
    });
    service(name)
        .and_then(|service| ONE.get(service.name))
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
