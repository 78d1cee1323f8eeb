//! What a request says about its own service and operation.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::percent_decode;

use super::catalogue::{Protocol, Service, services, services_with_target};
use super::operation::Operation;
use super::path::{Located, Rank};

/// The parts of a request that tell operations apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFacts<'a> {
    pub method: &'a str,
    /// Raw, without the query.
    pub path: &'a str,
    /// Raw, without the question mark.
    pub query: &'a str,
    /// `X-Amz-Target`
    pub target: Option<&'a str>,
    /// `smithy-protocol`
    pub smithy_protocol: Option<&'a str>,
    pub content_type: Option<&'a str>,
    /// The body, as much of it as is kept, for the query protocols.
    pub form: Option<&'a [u8]>,
    /// `x-amz-copy-source` is there.
    pub s3_copy_source: bool,
    /// The host names the bucket, so the path does not.
    pub bucket_in_host: bool,
}

/// Which part of the request told the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    RpcPath,
    Target,
    Action,
    Path,
}

impl FoundBy {
    /// As it stands in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RpcPath => "rpc path",
            Self::Target => "x-amz-target",
            Self::Action => "action",
            Self::Path => "path",
        }
    }
}

/// What was found, and in which words of the request.
#[derive(Debug, PartialEq, Eq)]
pub enum OperationFound {
    One {
        operation: &'static Operation,
        from: FoundBy,
        evidence: String,
    },
    /// The request names a service and an operation of it that the catalogue does not know.
    /// Like everything unknown it changes something.
    Unlisted {
        service: &'static Service,
        name: String,
        from: FoundBy,
        evidence: String,
    },
    /// Several services have such an operation; by name.
    Ambiguous {
        services: Vec<&'static Service>,
        from: FoundBy,
        evidence: String,
    },
    Unknown,
}

impl OperationFound {
    /// The operation, if there is exactly one.
    pub fn operation(&self) -> Option<&'static Operation> {
        match self {
            Self::One { operation, .. } => Some(operation),
            _ => None,
        }
    }

    /// The service, if there is exactly one.
    pub fn service(&self) -> Option<&'static Service> {
        match self {
            Self::One { operation, .. } => Some(operation.service),
            Self::Unlisted { service, .. } => Some(service),
            _ => None,
        }
    }

    fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// The operation, given the services that scope and host leave open (none: any service). A
/// target, RPC path or action of a service that is not among the candidates is believed: that
/// the scope says otherwise is for the caller to report.
pub fn operation(candidates: &[&'static Service], request: &RequestFacts<'_>) -> OperationFound {
    let found = by_rpc_path(candidates, request);
    if found.is_known() {
        return found;
    }
    if let Some(target) = request.target {
        let found = by_target(candidates, target);
        if found.is_known() {
            return found;
        }
    }
    if candidates.is_empty() || candidates.iter().any(|service| service.speaks_query()) {
        let found = by_form(candidates, request);
        if found.is_known() {
            return found;
        }
    }
    if candidates.is_empty() {
        by_unique_path(request)
    } else {
        by_path(candidates, request)
    }
}

/// `X-Amz-Target: DynamoDB_20120810.GetItem`
pub fn by_target(candidates: &[&'static Service], target: &str) -> OperationFound {
    let Some((prefix, name)) = target.rsplit_once('.') else {
        return OperationFound::Unknown;
    };
    let services = among(candidates, services_with_target(prefix));
    named(services, name, FoundBy::Target, || target.to_owned())
}

/// `POST /service/GraniteServiceVersion20100801/operation/PutMetricData`
/// (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>). The header decides;
/// where it is missing, the path alone does.
pub fn by_rpc_path(candidates: &[&'static Service], request: &RequestFacts<'_>) -> OperationFound {
    let path = request.path;
    let parts = path
        .rsplit_once("/operation/")
        .and_then(|(head, name)| Some((head.rsplit_once("/service/")?.1, name)));
    let Some((prefix, name)) = parts else {
        return OperationFound::Unknown;
    };
    let mut services = among(candidates, services_with_target(prefix)).to_vec();
    if request.smithy_protocol.is_none() {
        services.retain(|service| service.speaks(Protocol::RpcV2Cbor));
    }
    named(&services, name, FoundBy::RpcPath, || path.to_owned())
}

/// `Action=GetCallerIdentity&Version=2011-06-15`. Without a version, or with one that no
/// candidate has, the action alone must do.
pub fn by_action(
    candidates: &[&'static Service],
    action: &str,
    version: Option<&str>,
) -> OperationFound {
    let open: Vec<&'static Service> = if candidates.is_empty() {
        services().iter().collect()
    } else {
        candidates.to_vec()
    };
    let of_version = |service: &&&Service| Some(service.api_version) == version;
    let speaking: Vec<&'static Service> = open
        .into_iter()
        .filter(|service| service.speaks_query())
        .collect();
    let of_version: Vec<&'static Service> = speaking.iter().filter(of_version).copied().collect();
    let evidence = || match version {
        Some(version) => format!("Action={action}&Version={version}"),
        None => format!("Action={action}"),
    };
    let found = named(&of_version, action, FoundBy::Action, evidence);
    match found {
        OperationFound::One { .. } | OperationFound::Ambiguous { .. } => found,
        _ if candidates.is_empty() && version.is_some() => found,
        _ => match named(&speaking, action, FoundBy::Action, evidence) {
            OperationFound::Unknown => found,
            other => other,
        },
    }
}

/// The operation that alone has such a path, when nothing tells the service. A path of labels
/// only (`/a/b`) is everybody's and tells nothing.
pub fn by_unique_path(request: &RequestFacts<'_>) -> OperationFound {
    let has_words = |operation: &Operation| {
        operation
            .template
            .and_then(|template| template.split_once(" /"))
            .is_some_and(|(_, path)| !path.is_empty() && !path.starts_with(['{', '?']))
    };
    let rest: Vec<&'static Service> = services().iter().filter(|s| s.is_rest()).collect();
    let located = located(request, false);
    let mut hits = matches(&rest, &located);
    hits.retain(|(_, operation)| has_words(operation));
    decide(hits, &located)
}

fn by_form(candidates: &[&'static Service], request: &RequestFacts<'_>) -> OperationFound {
    let (action, version) = match parameters(request.query.as_bytes()) {
        (None, _) => parameters(form(request)),
        found => found,
    };
    match action {
        Some(action) => by_action(candidates, &action, version.as_deref()),
        None => OperationFound::Unknown,
    }
}

/// The body, if it may be a form: some clients send no content type.
fn form<'a>(request: &RequestFacts<'a>) -> &'a [u8] {
    let is_form = request
        .content_type
        .is_none_or(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    request.form.filter(|_| is_form).unwrap_or(&[])
}

/// `Action` and `Version` of a form.
fn parameters(form: &[u8]) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let (mut action, mut version) = (None, None);
    for term in form.split(|byte| *byte == b'&') {
        if let Some(value) = term.strip_prefix(b"Action=") {
            action = percent_decode(value).decode_utf8().ok();
        } else if let Some(value) = term.strip_prefix(b"Version=") {
            version = percent_decode(value).decode_utf8().ok();
        }
        if action.is_some() && version.is_some() {
            break;
        }
    }
    (action, version)
}

fn by_path(candidates: &[&'static Service], request: &RequestFacts<'_>) -> OperationFound {
    let rest: Vec<&'static Service> = candidates.iter().copied().filter(|s| s.is_rest()).collect();
    if request.bucket_in_host {
        // WriteGetObjectResponse has a route in its host where others have a bucket.
        let outside = located(request, false);
        let mut hits = matches(&rest, &outside);
        hits.retain(|(_, operation)| operation.host_prefix == Some("{RequestRoute}."));
        if !hits.is_empty() {
            return decide(hits, &outside);
        }
    }
    let inside = located(request, request.bucket_in_host);
    let hits = matches(&rest, &inside);
    decide(hits, &inside)
}

fn located<'a>(request: &RequestFacts<'a>, bucket: bool) -> Located<'a> {
    let mut located = Located::new(request.method, request.path, request.query, bucket);
    located.copy = request.s3_copy_source;
    located
}

/// Each service's best operation for a path.
fn matches(
    services: &[&'static Service],
    request: &Located<'_>,
) -> Vec<(Rank, &'static Operation)> {
    let own_word = request.named();
    services
        .iter()
        .filter_map(|service| {
            let operations = service.operations();
            let said = own_word.and_then(|name| {
                let at = operations.all().iter().position(|o| o.name == name)?;
                Some((operations.routes.answers(request, at)?, at))
            });
            let (rank, at) = said.or_else(|| operations.routes.find(request))?;
            Some((rank, operations.all().get(at)?))
        })
        .collect()
}

/// The most specific of the hits.
fn decide(mut hits: Vec<(Rank, &'static Operation)>, request: &Located<'_>) -> OperationFound {
    let Some(best) = hits.iter().map(|(rank, _)| *rank).max() else {
        return OperationFound::Unknown;
    };
    hits.retain(|(rank, _)| rank.cmp(&best) == Ordering::Equal);
    let operations = hits.into_iter().map(|(_, operation)| operation).collect();
    let path = request.segments.join("/");
    one_of(operations, FoundBy::Path, || {
        format!("{} /{path}", request.method)
    })
}

/// Those of the candidates that the catalogue names, or all it names if none is a candidate.
fn among(
    candidates: &[&'static Service],
    named: &'static [&'static Service],
) -> Vec<&'static Service> {
    let both: Vec<&'static Service> = named
        .iter()
        .copied()
        .filter(|service| candidates.contains(service))
        .collect();
    if both.is_empty() {
        named.to_vec()
    } else {
        both
    }
}

/// The services' operation of that name.
fn named(
    services: impl AsRef<[&'static Service]>,
    name: &str,
    from: FoundBy,
    evidence: impl Fn() -> String,
) -> OperationFound {
    let services = services.as_ref();
    let found: Vec<&'static Operation> = services
        .iter()
        .filter_map(|service| service.operation(name))
        .collect();
    match (found.is_empty(), services) {
        (false, _) => one_of(found, from, evidence),
        (true, [service]) => OperationFound::Unlisted {
            service,
            name: name.to_owned(),
            from,
            evidence: evidence(),
        },
        (true, []) => OperationFound::Unknown,
        (true, several) => OperationFound::Ambiguous {
            services: several.to_vec(),
            from,
            evidence: evidence(),
        },
    }
}

/// One operation, or the services that have it. Services which share host and signing name and
/// have an operation of the same name have the same one (RDS, Neptune and DocumentDB): the
/// service that the signing name belongs to stands for them.
fn one_of(
    operations: Vec<&'static Operation>,
    from: FoundBy,
    evidence: impl Fn() -> String,
) -> OperationFound {
    let Some(first) = operations.first().copied() else {
        return OperationFound::Unknown;
    };
    let twins = operations.iter().all(|operation| {
        operation.name == first.name
            && operation.service.signing_name == first.service.signing_name
            && operation.service.endpoint_prefix == first.service.endpoint_prefix
    });
    let owner = || {
        operations
            .iter()
            .copied()
            .find(|operation| operation.service.name == operation.service.signing_name)
    };
    let only = match operations.len() {
        1 => Some(first),
        _ if twins => owner(),
        _ => None,
    };
    let evidence = evidence();
    match only {
        Some(operation) => OperationFound::One {
            operation,
            from,
            evidence,
        },
        None => OperationFound::Ambiguous {
            services: operations.iter().map(|o| o.service).collect(),
            from,
            evidence,
        },
    }
}

#[cfg(test)]
mod tests;
