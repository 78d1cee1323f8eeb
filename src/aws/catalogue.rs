//! The services: names, protocols, target prefixes, and the tables that find them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use super::operation::Operations;

static SERVICES_TSV: &str = include_str!("data/services.tsv");
static OPERATIONS_TSV: &str = include_str!("data/operations.tsv");

static SERVICES: LazyLock<Vec<Service>> = LazyLock::new(read_services);
static BY_SIGNING_NAME: LazyLock<Index> =
    LazyLock::new(|| index(|service| service.signing_names.split(',')));
static BY_TARGET_PREFIX: LazyLock<Index> =
    LazyLock::new(|| index(|service| service.target_prefix.into_iter()));

type Index = HashMap<&'static str, Vec<&'static Service>>;

/// How a service's requests and replies are written
/// (<https://smithy.io/2.0/aws/protocols/index.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Query,
    Ec2,
    Json10,
    Json11,
    RestJson,
    RestXml,
    RpcV2Cbor,
}

/// One service, as its model describes it.
pub struct Service {
    /// The directory name in botocore, which the AWS CLI also uses: `s3`, `cloudwatch`.
    pub name: &'static str,
    /// The model's service id, which SDKs derive their names from: `S3 Control`.
    pub service_id: &'static str,
    /// The first labels of the host: `monitoring`.
    pub endpoint_prefix: &'static str,
    /// The name in the credential scope.
    pub signing_name: &'static str,
    /// What the service prefers.
    pub protocol: Protocol,
    /// Everything that it understands, the preferred one first. Clients of another age or
    /// language may speak any of them.
    pub protocols: Vec<Protocol>,
    /// `2011-06-15`; what `Version=` says in the query protocols.
    pub api_version: &'static str,
    /// What stands before the dot in `X-Amz-Target`, and after `/service/` in an RPC path.
    pub target_prefix: Option<&'static str>,
    pub xml_namespace: Option<&'static str>,
    /// What stands before the colon in an IAM action.
    pub iam_prefix: &'static str,
    /// Some of its hosts take SigV4a.
    pub sigv4a: bool,
    /// Errors carry the query protocol's code in `x-amzn-query-error`.
    pub query_compatible: bool,
    /// Requests carry a bearer token and are never signed.
    pub bearer: bool,
    pub(super) host_prefixes: &'static str,
    pub(super) hosts: &'static str,
    signing_names: &'static str,
    section: &'static str,
    operations: OnceLock<Operations>,
}

impl Service {
    /// Every credential-scope name that some host of the service asks for; `signing_name` first.
    pub fn signing_names(&self) -> impl Iterator<Item = &'static str> {
        self.signing_names.split(',')
    }

    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.protocols.contains(&protocol)
    }

    /// REST services are told apart by method and path.
    pub(super) fn is_rest(&self) -> bool {
        matches!(self.protocol, Protocol::RestJson | Protocol::RestXml)
    }

    /// Whether requests may carry `Action=`.
    pub(super) fn speaks_query(&self) -> bool {
        self.speaks(Protocol::Query) || self.speaks(Protocol::Ec2)
    }

    /// The operations, read when the first one is asked for.
    pub(super) fn operations(&'static self) -> &'static Operations {
        self.operations
            .get_or_init(|| Operations::read(self, self.section))
    }

    /// The operation of that name, exactly as the model writes it.
    pub fn operation(&'static self, name: &str) -> Option<&'static super::Operation> {
        self.operations().named(name)
    }

    /// All operations, by name.
    pub fn all_operations(&'static self) -> &'static [super::Operation] {
        self.operations().all()
    }
}

/// Its name: services and operations refer to each other.
impl fmt::Debug for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Service({})", self.name)
    }
}

/// Two services are the same if they have the same name: there is one of each.
impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Service {}

/// All services, by name.
pub fn services() -> &'static [Service] {
    &SERVICES
}

/// The service of that botocore directory name: `sts`, `s3control`.
pub fn service(name: &str) -> Option<&'static Service> {
    let at = SERVICES
        .binary_search_by(|service| service.name.cmp(name))
        .ok()?;
    SERVICES.get(at)
}

/// The services whose credential scope may say `signing_name`; by name. Empty for data planes
/// that have no model, and for names that AWS does not have.
pub fn services_signing_as(signing_name: &str) -> &'static [&'static Service] {
    BY_SIGNING_NAME.get(signing_name).map_or(&[], Vec::as_slice)
}

/// The services whose `X-Amz-Target` begins with `prefix`. By name.
pub(super) fn services_with_target(prefix: &str) -> &'static [&'static Service] {
    BY_TARGET_PREFIX.get(prefix).map_or(&[], Vec::as_slice)
}

fn index<I: Iterator<Item = &'static str>>(keys: impl Fn(&Service) -> I) -> Index {
    let mut index = Index::new();
    for service in services() {
        for key in keys(service) {
            index.entry(key).or_default().push(service);
        }
    }
    index
}

/// The lines of a data file without its head.
pub(super) fn data_lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#'))
}

fn read_services() -> Vec<Service> {
    let mut sections: HashMap<&str, &str> = OPERATIONS_TSV
        .split("\n@")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .collect();
    data_lines(SERVICES_TSV)
        .filter_map(|line| read_service(line, &mut sections))
        .collect()
}

fn read_service(line: &'static str, sections: &mut HashMap<&str, &'static str>) -> Option<Service> {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or("");
    let (name, service_id, endpoint_prefix, signing_names) = (next(), next(), next(), next());
    let (protocols, api_version, target, namespace) = (next(), next(), next(), next());
    let (iam_prefix, flags, host_prefixes, hosts) = (next(), next(), next(), next());
    let signing_name = signing_names.split(',').next()?;
    let protocols: Vec<Protocol> = protocols.split(',').filter_map(protocol).collect();
    Some(Service {
        name,
        service_id,
        endpoint_prefix,
        signing_name,
        protocol: *protocols.first()?,
        protocols,
        api_version,
        target_prefix: Some(target).filter(|text| !text.is_empty()),
        xml_namespace: Some(namespace).filter(|text| !text.is_empty()),
        iam_prefix: if iam_prefix.is_empty() {
            signing_name
        } else {
            iam_prefix
        },
        sigv4a: flags.contains('a'),
        query_compatible: flags.contains('q'),
        bearer: flags.contains('b'),
        host_prefixes,
        hosts,
        signing_names,
        section: sections.remove(name).unwrap_or(""),
        operations: OnceLock::new(),
    })
}

fn protocol(name: &str) -> Option<Protocol> {
    Some(match name {
        "query" => Protocol::Query,
        "ec2" => Protocol::Ec2,
        "json10" => Protocol::Json10,
        "json11" => Protocol::Json11,
        "restjson" => Protocol::RestJson,
        "restxml" => Protocol::RestXml,
        "cbor" => Protocol::RpcV2Cbor,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_service_and_every_service_has_operations() {
        assert_eq!(data_lines(SERVICES_TSV).count(), services().len());
        assert!(services().is_sorted_by_key(|service| service.name));
        for service in services() {
            assert!(!service.section.is_empty(), "{}", service.name);
            assert!(!service.all_operations().is_empty(), "{}", service.name);
        }
    }

    #[test]
    fn services_are_found_by_name_and_signing_name() {
        let names = |signing: &str| -> Vec<_> {
            services_signing_as(signing)
                .iter()
                .map(|service| service.name)
                .collect()
        };
        assert_eq!(service("cloudwatch").unwrap().signing_name, "monitoring");
        assert_eq!(service("cloudwatch").unwrap().iam_prefix, "cloudwatch");
        assert!(service("nonesuch").is_none());
        assert_eq!(names("rds"), ["docdb", "neptune", "rds"]);
        assert_eq!(names("s3"), ["s3", "s3control"]);
        assert_eq!(names("s3express"), ["s3", "s3control"]);
        assert!(names("lambda").contains(&"lambda"));
        assert!(names("nonesuch").is_empty());
    }
}
