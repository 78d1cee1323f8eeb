//! Which service, region, upstream host, and how do we know?

use http::StatusCode;

use super::Shared;
use super::choose::{Chosen, choose};
use super::options::Endpoint;
use super::received::Received;
use super::reply::{Refusal, Refused, shape};
use crate::aws::{self, HostFacts, Operation, OperationFound, RequestFacts, Service};
use crate::capture::exchange::{
    Change, ChangeAction, Evidence, FaultKind, Finding, Fix, Grade, Role, Route,
};
use crate::profile::Profile;
use crate::sigv4::ClientAuth;

/// A request that knows where it goes and as what it is signed.
pub(crate) struct Routed {
    pub(crate) received: Received,
    pub(crate) chosen: Chosen,
    pub(crate) service: Option<&'static Service>,
    pub(crate) operation: Option<&'static Operation>,
    pub(crate) signing_name: String,
    pub(crate) region: String,
    pub(crate) reads: bool,
    pub(crate) plan: Plan,
    pub(crate) upstream: Endpoint,
    /// Path and query as they go upstream.
    pub(crate) target: String,
    pub(crate) changes: Vec<Change>,
}

/// What is to be done about the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Signed by us.
    Sign,
    /// Passed on as it is: unsigned by design, bearer tokens, foreign algorithms.
    Untouched(&'static str),
    /// The client's own signature is forwarded.
    AsSigned,
}

impl Routed {
    /// `service.Operation`, as far as known.
    pub(crate) fn call(&self) -> String {
        let service = self
            .service
            .map_or(self.signing_name.as_str(), |service| service.name);
        match &self.operation {
            Some(operation) => format!("{service}.{}", operation.name),
            None if service.is_empty() => "this request, whose operation is not known,".to_owned(),
            None => service.to_owned(),
        }
    }

    /// Ends the journey with an answer in the service's own error shape.
    pub(crate) fn refuse(self, refusal: Refusal) -> Refused {
        let shape = shape(self.service, |name| self.received.header(name));
        Refused {
            journey: self.received.journey,
            refusal: Box::new(refusal),
            shape,
        }
    }
}

const STAGE: &str = "route";

/// What calls through API Gateway are signed as.
const OWN_API: &str = "execute-api";

/// Decides, and writes the evidence for each field.
pub(crate) fn route(shared: &Shared, mut received: Received) -> Result<Routed, Refused> {
    let chosen = choose(shared, &mut received);
    let profile = chosen.profile().and_then(|name| shared.profiles.get(name));
    let mut finder = Finder::new(&received);
    finder.find_service();
    finder.find_region(shared, profile.as_deref());
    let disagreement = finder.disagreement();
    match finder.find_upstream(shared, profile.as_deref()) {
        Ok(upstream) => {
            let decision = finder.decide(upstream);
            received.journey.findings.extend(disagreement);
            Ok(decision.into_routed(shared, received, chosen))
        }
        Err(refusal) => {
            let route = finder.route(None);
            received.journey.route = Some(route);
            Err(received.refuse(refusal))
        }
    }
}

/// Gathers the evidence field by field.
struct Finder<'a> {
    received: &'a Received,
    host: Option<HostFacts>,
    /// Several, where they share what is known.
    candidates: Vec<&'static Service>,
    operation: Option<&'static Operation>,
    operation_name: Option<String>,
    signing_name: Option<String>,
    region: Option<String>,
    how: Vec<Evidence>,
    changes: Vec<Change>,
}

impl<'a> Finder<'a> {
    fn new(received: &'a Received) -> Self {
        let bound = received
            .listener
            .as_ref()
            .and_then(|listener| listener.bound.as_ref());
        let host = match (bound, received.to_us) {
            (Some(bound), _) => aws::host(bound.host()),
            (None, true) => None,
            (None, _) => aws::host(received.host.split(':').next().unwrap_or_default()),
        };
        Self {
            received,
            host,
            candidates: Vec::new(),
            operation: None,
            operation_name: None,
            signing_name: None,
            region: None,
            how: Vec::with_capacity(4),
            changes: Vec::new(),
        }
    }

    fn note(&mut self, field: &str, from: &str, evidence: impl Into<String>) {
        self.how.push(Evidence {
            field: field.to_owned(),
            from: from.to_owned(),
            evidence: evidence.into(),
        });
    }

    fn find_service(&mut self) {
        let recorded = self
            .received
            .replay
            .as_ref()
            .and_then(|(service, _)| service.clone());
        // Only S3 ever took signatures of version 2 in this form.
        let version_2 =
            matches!(self.received.auth, ClientAuth::SigV2 { .. }).then(|| "s3".to_owned());
        let scope_name = self.received.scope().map(|scope| scope.service.clone());
        let scope_name = scope_name.or(recorded).or(version_2);
        let host_candidates = self
            .host
            .as_ref()
            .map(|host| host.services.to_vec())
            .unwrap_or_default();
        if let Some(name) = scope_name {
            self.note("service", "scope", name.as_str());
            self.candidates = aws::services_signing_as(&name).to_vec();
            let shared: Vec<_> = self
                .candidates
                .iter()
                .copied()
                .filter(|service| host_candidates.contains(service))
                .collect();
            if !shared.is_empty() {
                self.candidates = shared;
            }
            self.signing_name = Some(name);
        } else if let Some(host) = &self.host {
            let name = host.signing_name.map(str::to_owned);
            self.candidates = host_candidates;
            self.signing_name = name;
            let evidence = self.received.host.clone();
            self.note("service", "host", evidence);
        }
        self.find_operation();
        if self.signing_name.is_none() {
            let first = self.candidates.first().map(|service| service.signing_name);
            if self
                .candidates
                .iter()
                .all(|service| Some(service.signing_name) == first)
            {
                self.signing_name = first.map(str::to_owned);
            }
        }
    }

    fn find_operation(&mut self) {
        let received = self.received;
        let form = match &received.body {
            super::received::InBody::Full(bytes) if is_form(received) => Some(&bytes[..]),
            _ => None,
        };
        let facts = RequestFacts {
            method: received.method.as_str(),
            path: received.path(),
            query: received.query(),
            target: received.header("x-amz-target"),
            smithy_protocol: received.header("smithy-protocol"),
            content_type: received.header("content-type"),
            form,
            s3_copy_source: received.headers.contains_key("x-amz-copy-source"),
            bucket_in_host: self.bucket().is_some(),
        };
        match aws::operation(&self.candidates, &facts) {
            OperationFound::One {
                operation,
                from,
                evidence,
            } => {
                self.found(operation.service, operation.name, from.as_str(), evidence);
                self.operation = Some(operation);
            }
            OperationFound::Unlisted {
                service,
                name,
                from,
                evidence,
            } => {
                self.found(service, &name, from.as_str(), evidence);
            }
            OperationFound::Ambiguous { services, .. } => self.candidates = services,
            OperationFound::Unknown => {}
        }
    }

    fn found(&mut self, service: &'static Service, name: &str, from: &str, evidence: String) {
        if self.signing_name.is_none() {
            self.note("service", from, evidence.as_str());
        }
        self.note("operation", from, evidence);
        self.candidates = vec![service];
        self.operation_name = Some(name.to_owned());
    }

    /// The bucket that stands in the host, where it will not stand there upstream.
    fn bucket(&self) -> Option<&str> {
        if let Some(host) = &self.host {
            return host.bucket.as_deref();
        }
        let host = self.received.host.split(':').next().unwrap_or_default();
        host.strip_suffix(".localhost")
            .filter(|bucket| !bucket.is_empty())
    }

    fn find_region(&mut self, shared: &Shared, profile: Option<&Profile>) {
        let scope = self
            .received
            .scope()
            .map(|scope| scope.region.clone())
            .filter(|r| !r.is_empty());
        let from_host = self.host.as_ref().and_then(|host| host.region.clone());
        let recorded = self
            .received
            .replay
            .as_ref()
            .and_then(|(_, region)| region.clone());
        let known: [(&str, Option<String>); 6] = [
            ("x-sigscope-region", self.received.asked_region.clone()),
            ("scope", scope),
            ("host", from_host),
            ("record", recorded),
            ("option", shared.options.region.clone()),
            (
                "profile",
                profile.and_then(|profile| profile.reach.region.clone()),
            ),
        ];
        let found = known
            .into_iter()
            .find_map(|(from, region)| Some((from, region?)));
        let fixed = |region: &str| {
            let service = self.candidates.first()?;
            aws::fixed_region(service, region)
        };
        match found {
            Some((from, region)) => {
                let fixed = fixed(&region).filter(|fixed| *fixed != region);
                let by_client = matches!(from, "scope" | "host") && !self.received.to_us;
                match fixed {
                    Some(fixed) if !by_client => {
                        self.note("region", "service", format!("always {fixed}"));
                        self.region = Some(fixed.to_owned());
                    }
                    _ => {
                        self.note("region", from, region.as_str());
                        self.region = Some(region);
                    }
                }
            }
            None => {
                if let Some(fixed) = fixed("us-east-1") {
                    self.note("region", "service", format!("always {fixed}"));
                    self.region = Some(fixed.to_owned());
                }
            }
        }
    }

    fn find_upstream(
        &mut self,
        shared: &Shared,
        profile: Option<&Profile>,
    ) -> Result<Upstream, Refusal> {
        let service = self.candidates.first().map(|service| service.name);
        let name = self.signing_name.as_deref();
        let bound = self
            .received
            .listener
            .as_ref()
            .and_then(|listener| listener.bound.clone());
        let option = shared.options.endpoints.of(service, name).cloned();
        let configured = || Some(("profile", shared.profile_endpoint(profile?, service, name)?));
        let given = [("listener", bound), ("option", option)];
        let given = given
            .into_iter()
            .find_map(|(from, endpoint)| Some((from, endpoint?)));
        let override_by = given.or_else(configured);
        if let Some((from, endpoint)) = override_by {
            self.note("upstream", from, endpoint.to_string());
            return Ok(Upstream {
                endpoint,
                replaces_host: from != "listener",
            });
        }
        if !self.received.to_us && self.host.is_some() {
            let host = self.received.host.clone();
            self.note("upstream", "host", host.as_str());
            return Ok(Upstream {
                endpoint: https(&host)?,
                replaces_host: false,
            });
        }
        if !self.received.to_us && shared.configured(&self.received.host) {
            return Err(no_route(
                "nothing tells where this host is",
                "--endpoint-url URL",
            ));
        }
        self.aws_endpoint()
    }

    fn aws_endpoint(&mut self) -> Result<Upstream, Refusal> {
        let Some(service) = self.candidates.first().copied() else {
            return Err(match &self.signing_name {
                Some(name) => no_route(
                    format!("the scope names the service `{name}`, which has no host of its own"),
                    "--listen 127.0.0.1:8788=https://ITS-HOST, and call that port",
                ),
                None => no_route(
                    "nothing in the request names a service",
                    "sign it with any key, send AWS's Host, or --endpoint-url URL",
                ),
            });
        };
        if self.operation.is_none() && self.distinct_hosts() > 1 {
            let names: Vec<_> = self.candidates.iter().map(|service| service.name).collect();
            return Err(no_route(
                format!("the request may be for any of {}", names.join(", ")),
                format!(
                    "--endpoint-url {}=https://ITS-HOST, or send its Host",
                    names[0]
                ),
            ));
        }
        let Some(region) = self.region.clone() else {
            return Err(no_route("nothing names a region", "--region REGION"));
        };
        let mut host = aws::endpoint(service, &region, false, false);
        if let Some(prefix) = self
            .operation
            .as_ref()
            .and_then(|operation| operation.host_prefix)
        {
            host.insert_str(0, &self.fill_prefix(prefix));
        }
        self.note("upstream", "service", host.as_str());
        Ok(Upstream {
            endpoint: https(&host)?,
            replaces_host: true,
        })
    }

    fn distinct_hosts(&self) -> usize {
        let region = self.region.as_deref().unwrap_or("us-east-1");
        let mut hosts: Vec<_> = self
            .candidates
            .iter()
            .map(|service| aws::endpoint(service, region, false, false))
            .collect();
        hosts.sort();
        hosts.dedup();
        hosts.len()
    }

    fn fill_prefix(&self, prefix: &str) -> String {
        let account = self.received.header("x-amz-account-id").unwrap_or_default();
        prefix.replace("{AccountId}", account)
    }

    /// Scope and host are both kept as sent, and it is said where they contradict each other.
    fn disagreement(&self) -> Option<Finding> {
        let host = self.host.as_ref()?;
        let (name, region) = (self.signing_name.as_deref()?, self.region.as_deref());
        let serves = host.signing_name.is_none_or(|own| own == name)
            || host
                .services
                .iter()
                .any(|service| service.signing_name == name);
        let summary = match (&host.region, region) {
            _ if !serves => {
                format!("it is signed for the service `{name}`, which is not that of its host")
            }
            (Some(own), Some(region)) if own != region => {
                format!("it is signed for the region {region}, and its host is in {own}")
            }
            _ => return None,
        };
        let evidence = vec![
            format!("host {}", self.received.host),
            format!("signed for {}/{name}", region.unwrap_or("?")),
        ];
        Some(Finding {
            code: "scope-host-disagree".to_owned(),
            grade: Grade::Computed,
            role: Role::Note,
            summary,
            evidence,
            refuted_by: None,
            fix: vec![Fix {
                label: "sign for the service and region of the host that is called".to_owned(),
                command: None,
                action: None,
            }],
        })
    }

    /// Puts the target together for the upstream.
    fn decide(mut self, upstream: Upstream) -> Decision {
        let mut target = self.received.target.clone();
        if upstream.replaces_host
            && let Some(bucket) = self.bucket().map(str::to_owned)
        {
            target.insert_str(0, &format!("/{bucket}"));
            self.change("target", "the bucket stood in the host");
        }
        if !upstream.endpoint.path.is_empty() {
            target.insert_str(0, &upstream.endpoint.path);
            self.change("target", "the endpoint URL has a path");
        }
        let route = self.route(Some(&upstream.endpoint));
        Decision {
            route,
            target,
            service: self.service(),
            operation: self.operation,
            signing_name: self.signing_name.unwrap_or_default(),
            region: self.region.unwrap_or_default(),
            changes: self.changes,
            host: self.host,
            upstream: upstream.endpoint,
        }
    }

    /// The one service that it is for. A call to somebody's own API is for none of AWS's.
    fn service(&self) -> Option<&'static Service> {
        match &self.candidates[..] {
            [service] if self.operation_name.is_some() || service.signing_name != OWN_API => {
                Some(service)
            }
            _ => None,
        }
    }

    fn change(&mut self, what: &str, why: &str) {
        self.changes.push(Change {
            action: ChangeAction::Rewritten,
            what: what.to_owned(),
            why: why.to_owned(),
        });
    }

    fn route(&mut self, upstream: Option<&Endpoint>) -> Route {
        Route {
            service: self
                .service()
                .map(|service| service.name.to_owned())
                .or_else(|| self.signing_name.clone()),
            signing_name: self.signing_name.clone(),
            region: self.region.clone(),
            operation: self.operation_name.clone(),
            iam_action: self.operation.map(aws::iam_action),
            upstream: upstream.map(Endpoint::origin),
            how: std::mem::take(&mut self.how),
        }
    }
}

struct Upstream {
    endpoint: Endpoint,
    /// The client's own Host does not go upstream.
    replaces_host: bool,
}

struct Decision {
    route: Route,
    target: String,
    service: Option<&'static Service>,
    operation: Option<&'static Operation>,
    signing_name: String,
    region: String,
    changes: Vec<Change>,
    host: Option<HostFacts>,
    upstream: Endpoint,
}

impl Decision {
    fn into_routed(self, shared: &Shared, mut received: Received, chosen: Chosen) -> Routed {
        let plan = self.plan(shared, &received);
        received.journey.route = Some(self.route);
        Routed {
            reads: self
                .operation
                .as_ref()
                .is_some_and(|operation| operation.reads),
            service: self.service,
            operation: self.operation,
            signing_name: self.signing_name,
            region: self.region,
            plan,
            upstream: self.upstream,
            target: self.target,
            changes: self.changes,
            chosen,
            received,
        }
    }

    fn plan(&self, shared: &Shared, received: &Received) -> Plan {
        let by_design = self
            .operation
            .as_ref()
            .is_some_and(|operation| operation.unsigned)
            || self.host.as_ref().is_some_and(|host| host.unsigned);
        match &received.auth {
            ClientAuth::None if by_design => Plan::Untouched("unsigned by design"),
            ClientAuth::None if shared.options.leave_unsigned => {
                Plan::Untouched("unsigned callers stay unsigned")
            }
            ClientAuth::Bearer | ClientAuth::Basic | ClientAuth::Other(_) => {
                Plan::Untouched("another kind of authentication")
            }
            ClientAuth::SigV4a(_) | ClientAuth::X509 { .. } => {
                Plan::Untouched("an algorithm that needs its own key")
            }
            ClientAuth::SigV4(_) if shared.as_signed() => Plan::AsSigned,
            _ => Plan::Sign,
        }
    }
}

/// Whether the body is a form, as the query protocol sends it.
pub(crate) fn is_form(received: &Received) -> bool {
    received.header("content-type").is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
    })
}

fn https(host: &str) -> Result<Endpoint, Refusal> {
    Endpoint::aws(host).map_err(|error| no_route(error, "send a Host that can be read"))
}

/// Nothing says where, or as what.
pub(crate) fn no_route(what: impl Into<String>, fix: impl Into<String>) -> Refusal {
    let status = (StatusCode::BAD_REQUEST, "UnroutableRequest");
    Refusal::new(STAGE, FaultKind::NoRoute, status, what, fix)
}
