//! Which service a request means, and its way there.

use hyper::body::Incoming;

use super::body;
use super::claim::Claim;
use super::errors::{Fault, Ids, Refusal, Shape};
use super::reader::{self, Head};
use super::server::{Call, Note, Reply, State};
use super::verify::{Expect, Signed};
use super::{bedrock, dynamo, gateway, hash, iam, metadata, secrets, sqs, sts};

/// Largest body of a service other than S3.
const MOST_BODY: usize = 16 * 1024 * 1024;

/// What kind of service a head speaks to.
pub(super) enum Kind {
    Metadata(&'static str),
    S3,
    /// Everything else; the name where the head alone tells it.
    Buffered(Option<&'static str>),
}

impl Kind {
    /// From the path, the host, the target and the scope; `None` leaves S3.
    pub(super) fn of(head: &Head) -> Option<Self> {
        if let Some(name) = metadata::claims(head) {
            return Some(Self::Metadata(name));
        }
        let target = head.header("x-amz-target");
        let by_target = [
            ("secretsmanager.", "secretsmanager"),
            ("DynamoDB_", "dynamodb"),
            ("AmazonSQS.", "sqs"),
        ];
        if let Some((_, name)) = by_target
            .iter()
            .find(|(start, _)| target.starts_with(start))
        {
            return Some(Self::Buffered(Some(name)));
        }
        let host = head.header("host");
        if host.contains(".execute-api.") {
            return Some(Self::Buffered(Some("execute-api")));
        }
        if bedrock::claims(head) {
            return Some(Self::Buffered(Some("bedrock")));
        }
        if head.path.starts_with("/2013-04-01/") {
            return Some(Self::Buffered(Some("route53")));
        }
        let form = head
            .header("content-type")
            .starts_with("application/x-www-form-urlencoded");
        if head.path == "/" && (head.has_param("Action") || (form && head.method == "POST")) {
            return Some(Self::Buffered(None));
        }
        match Claim::glance(head)?.0.as_str() {
            "s3" => Some(Self::S3),
            "execute-api" => Some(Self::Buffered(Some("execute-api"))),
            _ if !target.is_empty() => Some(Self::Buffered(None)),
            // A bucket in the path, and no other service that could be meant.
            _ if head.path.len() > 1 => Some(Self::S3),
            _ => Some(Self::Buffered(None)),
        }
    }

    pub(super) fn shape(&self, head: &Head) -> Shape {
        match self {
            Self::S3 | Self::Metadata(_) => Shape::S3,
            Self::Buffered(Some(name)) => shape_of(name),
            Self::Buffered(None) if head.has_header("x-amz-target") => Shape::Json(""),
            Self::Buffered(None) => Shape::Query(sts::NAMESPACE),
        }
    }
}

fn shape_of(service: &str) -> Shape {
    match service {
        "secretsmanager" => Shape::Json(""),
        "dynamodb" => Shape::Json("com.amazon.coral.service#"),
        "sqs" => Shape::QueryCompatible,
        "execute-api" | "bedrock" => Shape::Rest,
        "iam" => Shape::Query(iam::NAMESPACE),
        "route53" => Shape::Query(iam::ROUTE53),
        _ => Shape::Query(sts::NAMESPACE),
    }
}

/// A service that reads its body whole: finds out which, verifies, dispatches.
pub(super) async fn buffered(
    state: &State,
    head: &Head,
    incoming: &mut Option<Incoming>,
    ids: &Ids,
    note: &mut Note,
    by_head: Option<&'static str>,
    shape: &mut Shape,
) -> Result<Reply, Fault> {
    let body = body::collect(incoming, MOST_BODY).await?;
    let form = reader::pairs(&body);
    let action = reader::lookup(&form, "Action").or_else(|| head.param("Action"));
    let service = match (by_head, &action) {
        (Some(name), _) => name,
        (None, Some(action)) => {
            let version = reader::lookup(&form, "Version").or_else(|| head.param("Version"));
            by_version(version.as_deref().unwrap_or_default(), action, shape)?
        }
        (None, None) => return Err(unknown(head)),
    };
    if action.is_none() || by_head.is_some() {
        *shape = shape_of(service);
    }
    note.service = service.into();
    if service == "sts" && action.as_deref() == Some("AssumeRoleWithWebIdentity") {
        note.operation = "AssumeRoleWithWebIdentity".into();
        return sts::web_identity(state, &form, ids).map(|reply| reply.map(body::full));
    }
    let signed = verified(state, head, &body, service, *shape)?;
    note.caller(&signed);
    let call = Call {
        state,
        head,
        body: &body,
        signed: &signed,
        shape: *shape,
        now: state.now(),
        ids,
    };
    let reply = match service {
        "sts" => sts::answer(&call, &form, note),
        "iam" => iam::answer(&call, &form, note),
        "route53" => iam::route53(&call, note),
        "secretsmanager" => secrets::answer(&call, note),
        "dynamodb" => dynamo::answer(&call, note),
        "sqs" => sqs::answer(&call, &form, note),
        "bedrock" => bedrock::answer(&call, note),
        _ => gateway::answer(&call, note),
    }?;
    Ok(reply.map(body::full))
}

/// The query services share one form; `Version` tells them apart.
fn by_version(version: &str, action: &str, shape: &mut Shape) -> Result<&'static str, Fault> {
    let (service, namespace) = match version {
        "2011-06-15" | "" => ("sts", sts::NAMESPACE),
        "2010-05-08" => ("iam", iam::NAMESPACE),
        "2012-11-05" => ("sqs", sqs::NAMESPACE),
        _ => {
            let message = format!("Could not find operation {action} for version {version}");
            return Err(Fault::new(400, "InvalidAction", message));
        }
    };
    *shape = Shape::Query(namespace);
    Ok(service)
}

fn unknown(head: &Head) -> Fault {
    if head.has_header("x-amz-target") {
        return Fault::new(400, "UnknownOperationException", "");
    }
    let message = "Missing Action";
    Fault::new(400, "MissingAction", message)
}

fn verified(
    state: &State,
    head: &Head,
    body: &[u8],
    service: &str,
    shape: Shape,
) -> Result<Signed, Fault> {
    let Some(claim) = Claim::read(head, shape)? else {
        return Err(Fault::refused(shape, Refusal::Missing));
    };
    let global = matches!(service, "iam" | "route53")
        || (service == "sts" && head.header("host").starts_with("sts.amazonaws.com"));
    let only: &[String] = match service {
        _ if global => &state.world.regions[..1],
        "execute-api" => std::slice::from_ref(&state.world.gateway.region),
        _ => &state.world.regions,
    };
    let host_region = region_in(head.header("host"));
    let of_host: Vec<String> = host_region.into_iter().map(str::to_owned).collect();
    let expect = Expect {
        shape,
        service,
        regions: if of_host.is_empty() || global {
            only
        } else {
            &of_host
        },
        window_minutes: 5,
    };
    claim.check(
        head,
        &hash::hex(&hash::sha256(body)),
        &expect,
        &state.keyring,
        state.now(),
    )
}

/// The region that an AWS host name carries.
fn region_in(host: &str) -> Option<&str> {
    let name = host.split(':').next()?.strip_suffix(".amazonaws.com")?;
    name.split('.')
        .next_back()
        .filter(|label| label.split('-').count() >= 3)
}
