//! Whole buckets: create, delete, head, and what is asked about them.

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming;

use crate::sandbox::body;
use crate::sandbox::errors::{Fault, Shape};
use crate::sandbox::server::{self, Reply};

use super::store::Bucket;
use super::{Ask, elements, empty_reply, set, xml_reply};

/// Buckets that are kept at once.
const MOST_BUCKETS: usize = 1000;

pub(super) async fn create(ask: &Ask<'_>, incoming: &mut Option<Incoming>) -> Result<Reply, Fault> {
    let Some(signed) = ask.signed else {
        return Err(Fault::new(403, "AccessDenied", "Access Denied"));
    };
    let account = &signed.principal.entity.account;
    let on = format!("arn:aws:s3:::{}", ask.bucket);
    server::allow(ask.signed, Shape::S3, "s3:CreateBucket", &on, account, None)?;
    let text = ask.receive_xml(incoming).await?;
    let constraint = elements(&text, "LocationConstraint").pop();
    placed(constraint.as_deref(), &signed.region)?;
    if !well_named(ask.bucket) {
        let message = "The specified bucket is not valid.";
        let fault = Fault::new(400, "InvalidBucketName", message);
        return Err(fault.with("BucketName", ask.bucket));
    }
    let mut store = server::lock(&ask.state.objects);
    if let Some(known) = store.buckets.get(ask.bucket) {
        let (code, message) = if known.owner == *account {
            (
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        } else {
            (
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all \
                 users of the system. Please select a different name and try again.",
            )
        };
        return Err(Fault::new(409, code, message).with("BucketName", ask.bucket));
    }
    if store.buckets.len() >= MOST_BUCKETS {
        let message = "You have attempted to create more buckets than allowed";
        return Err(Fault::new(400, "TooManyBuckets", message));
    }
    let bucket = Bucket::new(&signed.region, account, ask.now);
    store.buckets.insert(ask.bucket.to_owned(), bucket);
    let mut reply = empty_reply(200);
    set(&mut reply, "location", &format!("/{}", ask.bucket));
    Ok(reply)
}

/// The constraint must name the region whose endpoint is asked; us-east-1 has none.
fn placed(constraint: Option<&str>, region: &str) -> Result<(), Fault> {
    let wanted = (region != "us-east-1").then_some(region);
    if constraint == wanted {
        return Ok(());
    }
    let named = constraint.unwrap_or("unspecified");
    let message = format!(
        "The {named} location constraint is incompatible for the region specific endpoint this \
         request was sent to."
    );
    Err(Fault::new(
        400,
        "IllegalLocationConstraintException",
        message,
    ))
}

fn well_named(name: &str) -> bool {
    let legal =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=63).contains(&name.len()) && name.bytes().all(legal)
}

pub(super) fn delete(ask: &Ask<'_>) -> Result<Reply, Fault> {
    ask.bucket("s3:DeleteBucket", None, |bucket| {
        if bucket.objects.is_empty() {
            return Ok(());
        }
        let message = "The bucket you tried to delete is not empty";
        Err(Fault::new(409, "BucketNotEmpty", message).with("BucketName", ask.bucket))
    })?;
    server::lock(&ask.state.objects).buckets.remove(ask.bucket);
    Ok(empty_reply(204))
}

pub(super) fn head(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let region = ask.bucket("s3:ListBucket", None, |bucket| Ok(bucket.region.clone()))?;
    let mut reply = empty_reply(200);
    set(&mut reply, "x-amz-bucket-region", &region);
    Ok(reply)
}

pub(super) fn location(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let region = ask.bucket("s3:GetBucketLocation", None, |bucket| {
        Ok(bucket.region.clone())
    })?;
    let inner = match region.as_str() {
        "us-east-1" => "",
        other => other,
    };
    Ok(xml_reply("LocationConstraint", inner))
}

pub(super) fn versioning(ask: &Ask<'_>) -> Result<Reply, Fault> {
    ask.bucket("s3:GetBucketVersioning", None, |_| Ok(()))?;
    Ok(xml_reply("VersioningConfiguration", ""))
}

pub(super) fn policy(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let policy = ask.bucket("s3:GetBucketPolicy", None, |bucket| {
        Ok(bucket.policy.clone())
    })?;
    let Some(policy) = policy else {
        let message = "The bucket policy does not exist";
        let fault = Fault::new(404, "NoSuchBucketPolicy", message);
        return Err(fault.with("BucketName", ask.bucket));
    };
    let mut reply = Response::new(body::full(Bytes::from(policy.as_json().to_string())));
    set(&mut reply, "content-type", "application/json");
    Ok(reply)
}
