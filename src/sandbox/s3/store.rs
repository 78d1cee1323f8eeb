//! Buckets and objects in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::sandbox::body::{Blob, Budget, Received};
use crate::sandbox::hash;
use crate::sandbox::policy::Policy;
use crate::sandbox::reader::Head;
use crate::sandbox::world::World;

/// Headers that are kept with an object and sent back with it.
const KEPT: [&str; 5] = [
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "expires",
];

#[derive(Default)]
pub(in crate::sandbox) struct Store {
    pub(super) buckets: BTreeMap<String, Bucket>,
}

pub(super) struct Bucket {
    pub(super) region: String,
    pub(super) owner: String,
    pub(super) policy: Option<Policy>,
    pub(super) created: SystemTime,
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

pub(super) struct Object {
    pub(super) blob: Arc<Blob>,
    /// Without its quotes.
    pub(super) etag: String,
    pub(super) modified: SystemTime,
    pub(super) headers: Vec<(String, String)>,
    /// Algorithm and base64 value.
    pub(super) checksum: Option<(String, String)>,
}

/// A multipart upload under way.
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) started: SystemTime,
    pub(super) headers: Vec<(String, String)>,
    pub(super) parts: BTreeMap<u32, Part>,
}

pub(super) struct Part {
    pub(super) blob: Arc<Blob>,
    pub(super) md5: Vec<u8>,
}

impl Store {
    pub(in crate::sandbox) fn new(world: &World, budget: &Arc<Budget>, now: SystemTime) -> Self {
        let mut store = Self::default();
        for canned in &world.buckets {
            let mut bucket = Bucket::new(&canned.region, &canned.owner, now);
            bucket.policy.clone_from(&canned.policy);
            for (key, text) in &canned.objects {
                let Ok(blob) = Blob::of(text.as_bytes(), budget) else {
                    continue;
                };
                let object = Object {
                    blob: Arc::new(blob),
                    etag: hash::hex(&hash::md5(text.as_bytes())),
                    modified: now,
                    headers: vec![("content-type".into(), "text/plain".into())],
                    checksum: None,
                };
                bucket.objects.insert(key.clone(), Arc::new(object));
            }
            store.buckets.insert(canned.name.clone(), bucket);
        }
        store
    }
}

impl Bucket {
    pub(super) fn new(region: &str, owner: &str, created: SystemTime) -> Self {
        Self {
            region: region.to_owned(),
            owner: owner.to_owned(),
            policy: None,
            created,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }
}

impl Object {
    pub(super) fn new(head: &Head, received: Received, now: SystemTime) -> Self {
        Self {
            blob: Arc::new(received.blob),
            etag: hash::hex(&received.md5),
            modified: now,
            headers: kept_headers(head),
            checksum: received.checksum,
        }
    }
}

/// What of a request's head belongs to the object.
pub(super) fn kept_headers(head: &Head) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = head
        .headers
        .iter()
        .filter(|(name, _)| {
            KEPT.contains(&name.as_str()) || name.as_str().starts_with("x-amz-meta-")
        })
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    if !head.has_header("content-type") {
        kept.push(("content-type".into(), "binary/octet-stream".into()));
    }
    let codings: Vec<&str> = head
        .header("content-encoding")
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    if !codings.is_empty() {
        kept.push(("content-encoding".into(), codings.join(",")));
    }
    kept
}
