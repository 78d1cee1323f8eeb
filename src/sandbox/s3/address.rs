//! Which bucket and which key a request means.

use crate::sandbox::errors::Fault;
use crate::sandbox::reader::Head;

/// Bucket and key, each empty where not given.
pub(super) struct Address {
    pub(super) bucket: String,
    pub(super) key: String,
    /// The region in an AWS host name.
    pub(super) host_region: Option<String>,
}

impl Address {
    pub(super) fn of(head: &Head) -> Result<Self, Fault> {
        let path = String::from_utf8(head.decoded_path()).map_err(|_bytes| {
            let message = "Couldn't parse the specified URI.";
            Fault::new(400, "InvalidURI", message).with("URI", head.path.clone())
        })?;
        let rest = path.strip_prefix('/').unwrap_or(&path);
        let (virtual_bucket, host_region) = host_parts(head.header("host"));
        let (bucket, key) = match virtual_bucket {
            Some(bucket) => (bucket, rest.to_owned()),
            None => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                (bucket.to_owned(), key.to_owned())
            }
        };
        Ok(Self {
            bucket,
            key,
            host_region,
        })
    }
}

/// The bucket in front of a host name that is ours or S3's, and the region in S3's.
fn host_parts(host: &str) -> (Option<String>, Option<String>) {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    if let Some(front) = name.strip_suffix(".amazonaws.com") {
        let labels: Vec<&str> = front.split('.').collect();
        let at = labels
            .iter()
            .rposition(|label| *label == "s3" || label.starts_with("s3-"));
        let Some(at) = at else { return (None, None) };
        let bucket = (at > 0).then(|| labels[..at].join("."));
        let region = labels[at + 1..]
            .iter()
            .find(|label| **label != "dualstack")
            .map(|label| (*label).to_owned());
        return (bucket, region);
    }
    let ours = [".localhost", ".127.0.0.1"];
    let bucket = ours.iter().find_map(|end| name.strip_suffix(end));
    (bucket.map(str::to_owned), None)
}

#[cfg(test)]
mod tests {
    use super::host_parts;

    #[test]
    fn hosts() {
        let parts = |host| {
            let (bucket, region) = host_parts(host);
            (bucket.unwrap_or_default(), region.unwrap_or_default())
        };
        let is = |host, bucket: &str, region: &str| {
            assert_eq!(
                parts(host),
                (bucket.to_owned(), region.to_owned()),
                "{host}"
            );
        };
        is("127.0.0.1:8080", "", "");
        is("a.b.localhost:80", "a.b", "");
        is("s3.amazonaws.com", "", "");
        is("a.b.s3.us-west-2.amazonaws.com", "a.b", "us-west-2");
        is(
            "b.s3.dualstack.eu-west-1.amazonaws.com:443",
            "b",
            "eu-west-1",
        );
    }
}
