//! S3 (rest-xml): path style and `{bucket}.host` style, header-signed, presigned and anonymous.
//!
//! ```text
//! address   bucket and key        sign    S3's own rules about signatures
//! store     buckets and objects   objects · listing · buckets · multipart   the operations
//! ```

mod address;
mod buckets;
mod listing;
mod multipart;
mod objects;
mod sign;
mod store;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};

use address::Address;
pub(super) use store::Store;
use store::{Bucket, Object};

use super::body::{self, Received};
use super::errors::{Fault, Ids, Shape};
use super::reader::Head;
use super::server::{self, Note, Reply, State};
use super::verify::Signed;

/// Largest body of an operation that takes XML.
const MOST_XML: usize = 2 * 1024 * 1024;

/// One call, once its signature was found right.
struct Ask<'a> {
    state: &'a State,
    head: &'a Head,
    signed: Option<&'a Signed>,
    bucket: &'a str,
    key: &'a str,
    now: SystemTime,
    ids: &'a Ids,
}

pub(super) async fn answer(
    state: &State,
    head: &Head,
    incoming: &mut Option<Incoming>,
    ids: &Ids,
    note: &mut Note,
) -> Result<Reply, Fault> {
    let address = Address::of(head)?;
    let operation = operation(head, &address);
    operation.clone_into(&mut note.operation);
    let home = home(state, &address.bucket);
    let signed = sign::authenticate(state, head, &address, home.as_deref(), operation)?;
    if let Some(signed) = &signed {
        note.caller(signed);
    }
    let ask = Ask {
        state,
        head,
        signed: signed.as_ref(),
        bucket: &address.bucket,
        key: &address.key,
        now: state.now(),
        ids,
    };
    ask.redirect(home.as_deref(), operation)?;
    match operation {
        "ListBuckets" => listing::buckets(&ask),
        "CreateBucket" => buckets::create(&ask, incoming).await,
        "DeleteBucket" => buckets::delete(&ask),
        "HeadBucket" => buckets::head(&ask),
        "GetBucketLocation" => buckets::location(&ask),
        "GetBucketPolicy" => buckets::policy(&ask),
        "GetBucketVersioning" => buckets::versioning(&ask),
        "ListObjects" => listing::objects(&ask, false),
        "ListObjectsV2" => listing::objects(&ask, true),
        "ListMultipartUploads" => multipart::list(&ask),
        "DeleteObjects" => objects::delete_many(&ask, incoming).await,
        "GetObject" | "HeadObject" => objects::get(&ask),
        "PutObject" => objects::put(&ask, incoming).await,
        "CopyObject" => objects::copy(&ask),
        "DeleteObject" => objects::delete(&ask),
        "CreateMultipartUpload" => multipart::create(&ask),
        "UploadPart" => multipart::part(&ask, incoming).await,
        "UploadPartCopy" => multipart::copy_part(&ask),
        "ListParts" => multipart::parts(&ask),
        "CompleteMultipartUpload" => multipart::complete(&ask, incoming).await,
        "AbortMultipartUpload" => multipart::abort(&ask),
        _ => {
            let message = "The specified method is not allowed against this resource.";
            Err(Fault::new(405, "MethodNotAllowed", message).with("Method", head.method.clone()))
        }
    }
}

/// The operation's name from method, address and sub-resource.
fn operation(head: &Head, address: &Address) -> &'static str {
    let has = |name: &str| head.has_param(name);
    let copies = head.has_header("x-amz-copy-source");
    let level = match (address.bucket.is_empty(), address.key.is_empty()) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    };
    match (level, head.method.as_str()) {
        (0, "GET") => "ListBuckets",
        (1, "GET") if has("location") => "GetBucketLocation",
        (1, "GET") if has("policy") => "GetBucketPolicy",
        (1, "GET") if has("versioning") => "GetBucketVersioning",
        (1, "GET") if has("uploads") => "ListMultipartUploads",
        (1, "GET") if head.param("list-type").as_deref() == Some("2") => "ListObjectsV2",
        (1, "GET") => "ListObjects",
        (1, "HEAD") => "HeadBucket",
        (1, "PUT") => "CreateBucket",
        (1, "DELETE") => "DeleteBucket",
        (1, "POST") if has("delete") => "DeleteObjects",
        (2, "GET") if has("uploadId") => "ListParts",
        (2, "GET") => "GetObject",
        (2, "HEAD") => "HeadObject",
        (2, "PUT") if has("uploadId") && copies => "UploadPartCopy",
        (2, "PUT") if has("uploadId") => "UploadPart",
        (2, "PUT") if copies => "CopyObject",
        (2, "PUT") => "PutObject",
        (2, "POST") if has("uploads") => "CreateMultipartUpload",
        (2, "POST") if has("uploadId") => "CompleteMultipartUpload",
        (2, "DELETE") if has("uploadId") => "AbortMultipartUpload",
        (2, "DELETE") => "DeleteObject",
        _ => "",
    }
}

/// The region in which a bucket lives, if it exists.
fn home(state: &State, bucket: &str) -> Option<String> {
    let store = server::lock(&state.objects);
    store
        .buckets
        .get(bucket)
        .map(|bucket| bucket.region.clone())
}

impl Ask<'_> {
    /// A bucket elsewhere is not served from here: 301, as S3's regional endpoints answer.
    fn redirect(&self, home: Option<&str>, operation: &str) -> Result<(), Fault> {
        let (Some(home), Some(signed)) = (home, self.signed) else {
            return Ok(());
        };
        if home == signed.region || matches!(operation, "CreateBucket" | "GetBucketLocation") {
            return Ok(());
        }
        let message = "The bucket you are attempting to access must be addressed using the \
                       specified endpoint. Please send all future requests to this endpoint.";
        let endpoint = format!("{}.s3.{home}.amazonaws.com", self.bucket);
        Err(Fault::new(301, "PermanentRedirect", message)
            .with("Endpoint", endpoint)
            .with("Bucket", self.bucket)
            .header("x-amz-bucket-region", home))
    }

    /// Looks at the bucket, once the caller may do `action` on `resource`.
    fn bucket<T>(
        &self,
        action: &str,
        key: Option<&str>,
        act: impl FnOnce(&mut Bucket) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.other_bucket(self.bucket, action, key, act)
    }

    fn other_bucket<T>(
        &self,
        name: &str,
        action: &str,
        key: Option<&str>,
        act: impl FnOnce(&mut Bucket) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut store = server::lock(&self.state.objects);
        let bucket = store.buckets.get_mut(name).ok_or_else(|| {
            let message = "The specified bucket does not exist";
            Fault::new(404, "NoSuchBucket", message).with("BucketName", name)
        })?;
        let resource = match key {
            Some(key) => format!("arn:aws:s3:::{name}/{key}"),
            None => format!("arn:aws:s3:::{name}"),
        };
        server::allow(
            self.signed,
            Shape::S3,
            action,
            &resource,
            &bucket.owner,
            bucket.policy.as_ref(),
        )?;
        act(bucket)
    }

    /// The object under the key. Without leave to list, a missing one is denied, not missing.
    fn object(&self, name: &str, key: &str, action: &str) -> Result<Arc<Object>, Fault> {
        let found = self.other_bucket(name, action, Some(key), |bucket| {
            Ok(bucket.objects.get(key).cloned())
        })?;
        if let Some(object) = found {
            return Ok(object);
        }
        self.other_bucket(name, "s3:ListBucket", None, |_| Ok(()))?;
        let message = "The specified key does not exist.";
        Err(Fault::new(404, "NoSuchKey", message).with("Key", key))
    }

    /// Reads the body through, with every check that its head calls for.
    async fn receive(&self, incoming: &mut Option<Incoming>) -> Result<Received, Fault> {
        let plan = sign::plan(self.head, self.signed)?;
        let Some(body) = incoming.take() else {
            return Err(body::incomplete());
        };
        body::receive(body, plan, &self.state.budget).await
    }

    /// The same for an XML document.
    async fn receive_xml(&self, incoming: &mut Option<Incoming>) -> Result<String, Fault> {
        let received = self.receive(incoming).await?;
        if received.blob.len() > MOST_XML {
            return Err(malformed_xml());
        }
        let whole = received.blob.slice(0, received.blob.len()).concat();
        String::from_utf8(whole).map_err(|_bytes| malformed_xml())
    }
}

fn malformed_xml() -> Fault {
    let message = "The XML you provided was not well-formed or did not validate against our \
                   published schema";
    Fault::new(400, "MalformedXML", message)
}

/// The text of every `<name>` element, in order.
fn elements(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close))
        .map(|(inner, _)| unescape(inner))
        .collect()
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, tail)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        let number = match entity.strip_prefix("#x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => entity.strip_prefix('#').and_then(|text| text.parse().ok()),
        };
        let known = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(char::from_u32),
        };
        out.extend(known);
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// An XML answer: the root with S3's namespace around `inner`.
fn xml_reply(root: &str, inner: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{root}>"
    );
    let mut reply = Response::new(body::full(Bytes::from(body)));
    set(&mut reply, "content-type", "application/xml");
    reply
}

fn empty_reply(status: u16) -> Reply {
    let mut reply = Response::new(body::full(Bytes::new()));
    if let Ok(status) = hyper::StatusCode::from_u16(status) {
        *reply.status_mut() = status;
    }
    reply
}

/// Sets a header; a value that no header can hold is left out.
fn set(reply: &mut Reply, name: &str, value: &str) {
    let pair = (
        HeaderName::try_from(name),
        HeaderValue::from_bytes(value.as_bytes()),
    );
    if let (Ok(name), Ok(value)) = pair {
        reply.headers_mut().insert(name, value);
    }
}
