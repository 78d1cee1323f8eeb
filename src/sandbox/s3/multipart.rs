//! Multipart uploads.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Incoming;

use crate::sandbox::body::Blob;
use crate::sandbox::errors::{Fault, xml};
use crate::sandbox::hash;
use crate::sandbox::server::Reply;
use crate::sandbox::times;

use super::store::{Bucket, Object, Part, Upload, kept_headers};
use super::{Ask, elements, empty_reply, malformed_xml, objects, set, xml_reply};

/// Uploads that may be under way in one bucket.
const MOST_UPLOADS: usize = 1000;

pub(super) fn create(ask: &Ask<'_>) -> Result<Reply, Fault> {
    // The request's own id is as good a name as any.
    let id = ask.ids.host.replace(['+', '/', '='], "_");
    ask.bucket("s3:PutObject", Some(ask.key), |bucket| {
        if bucket.uploads.len() >= MOST_UPLOADS {
            return Err(Fault::new(
                503,
                "SlowDown",
                "Please reduce your request rate.",
            ));
        }
        let upload = Upload {
            key: ask.key.to_owned(),
            started: ask.now,
            headers: kept_headers(ask.head),
            parts: BTreeMap::new(),
        };
        bucket.uploads.insert(id.clone(), upload);
        Ok(())
    })?;
    let inner = format!(
        "<Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>",
        ask.bucket,
        xml(ask.key)
    );
    Ok(xml_reply("InitiateMultipartUploadResult", &inner))
}

pub(super) async fn part(ask: &Ask<'_>, incoming: &mut Option<Incoming>) -> Result<Reply, Fault> {
    let number = part_number(ask)?;
    with_upload(ask, |_| Ok(()))?;
    let received = ask.receive(incoming).await?;
    let checksum = received.checksum;
    let part = Part {
        blob: Arc::new(received.blob),
        md5: received.md5,
    };
    let etag = hash::hex(&part.md5);
    with_upload(ask, |upload| {
        upload.parts.insert(number, part);
        Ok(())
    })?;
    let mut reply = empty_reply(200);
    set(&mut reply, "etag", &format!("\"{etag}\""));
    if let Some((name, value)) = checksum {
        set(&mut reply, &format!("x-amz-checksum-{name}"), &value);
    }
    Ok(reply)
}

pub(super) fn copy_part(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let number = part_number(ask)?;
    let source = objects::source(ask)?;
    let range = ask.head.header("x-amz-copy-source-range");
    let len = source.blob.len();
    let bounds = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .and_then(|(from, to)| Some((from.parse().ok()?, to.parse::<usize>().ok()?)));
    let (start, end) = bounds.map_or((0, len), |(from, to): (usize, _)| {
        (from, to.saturating_add(1))
    });
    let bytes = source.blob.slice(start, end).concat();
    let part = Part {
        blob: Arc::new(Blob::of(&bytes, &ask.state.budget)?),
        md5: hash::md5(&bytes),
    };
    let inner = format!(
        "<LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>",
        times::iso_millis(ask.now),
        hash::hex(&part.md5)
    );
    with_upload(ask, |upload| {
        upload.parts.insert(number, part);
        Ok(())
    })?;
    Ok(xml_reply("CopyPartResult", &inner))
}

pub(super) async fn complete(
    ask: &Ask<'_>,
    incoming: &mut Option<Incoming>,
) -> Result<Reply, Fault> {
    let text = ask.receive_xml(incoming).await?;
    let numbers: Vec<u32> = elements(&text, "PartNumber")
        .iter()
        .filter_map(|number| number.parse().ok())
        .collect();
    let etags = elements(&text, "ETag");
    if numbers.is_empty() || numbers.len() != etags.len() {
        return Err(malformed_xml());
    }
    if numbers.windows(2).any(|pair| pair[0] >= pair[1]) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part \
                       number.";
        return Err(Fault::new(400, "InvalidPartOrder", message));
    }
    let object = with_upload(ask, |upload| {
        let mut blobs = Vec::new();
        let mut digests = Vec::new();
        for (number, etag) in numbers.iter().zip(&etags) {
            let part = upload.parts.get(number);
            let Some(part) = part.filter(|part| hash::hex(&part.md5) == etag.trim_matches('"'))
            else {
                return Err(invalid_part());
            };
            blobs.push(Arc::clone(&part.blob));
            digests.extend_from_slice(&part.md5);
        }
        Ok(Object {
            blob: Arc::new(Blob::concat(&blobs, &ask.state.budget)?),
            etag: format!("{}-{}", hash::hex(&hash::md5(&digests)), blobs.len()),
            modified: ask.now,
            headers: upload.headers.clone(),
            checksum: None,
        })
    })?;
    let inner = format!(
        "<Location>http://{}/{}/{}</Location><Bucket>{}</Bucket><Key>{}</Key>\
         <ETag>&quot;{}&quot;</ETag>",
        xml(ask.head.header("host")),
        ask.bucket,
        xml(ask.key),
        ask.bucket,
        xml(ask.key),
        object.etag
    );
    ask.bucket("s3:PutObject", Some(ask.key), |bucket| {
        bucket.uploads.remove(&upload_id(ask));
        bucket.objects.insert(ask.key.to_owned(), Arc::new(object));
        Ok(())
    })?;
    Ok(xml_reply("CompleteMultipartUploadResult", &inner))
}

pub(super) fn abort(ask: &Ask<'_>) -> Result<Reply, Fault> {
    ask.bucket("s3:AbortMultipartUpload", Some(ask.key), |bucket| {
        let removed = bucket.uploads.remove(&upload_id(ask));
        removed.map(|_| ()).ok_or_else(|| no_such_upload(ask))
    })?;
    Ok(empty_reply(204))
}

pub(super) fn parts(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let listed = with_upload(ask, |upload| {
        let parts = upload.parts.iter().map(|(number, part)| {
            format!(
                "<Part><PartNumber>{number}</PartNumber><LastModified>{}</LastModified>\
                 <ETag>&quot;{}&quot;</ETag><Size>{}</Size></Part>",
                times::iso_millis(upload.started),
                hash::hex(&part.md5),
                part.blob.len()
            )
        });
        Ok(parts.collect::<String>())
    })?;
    let inner = format!(
        "<Bucket>{}</Bucket><Key>{}</Key><UploadId>{}</UploadId><IsTruncated>false</IsTruncated>{listed}",
        ask.bucket,
        xml(ask.key),
        xml(&upload_id(ask))
    );
    Ok(xml_reply("ListPartsResult", &inner))
}

pub(super) fn list(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let written = |bucket: &mut Bucket| {
        let uploads = bucket.uploads.iter().map(|(id, upload)| {
            format!(
                "<Upload><Key>{}</Key><UploadId>{id}</UploadId><Initiated>{}</Initiated></Upload>",
                xml(&upload.key),
                times::iso_millis(upload.started)
            )
        });
        Ok(uploads.collect::<String>())
    };
    let listed = ask.bucket("s3:ListBucketMultipartUploads", None, written)?;
    let inner = format!(
        "<Bucket>{}</Bucket><IsTruncated>false</IsTruncated>{listed}",
        ask.bucket
    );
    Ok(xml_reply("ListMultipartUploadsResult", &inner))
}

fn with_upload<T>(
    ask: &Ask<'_>,
    act: impl FnOnce(&mut Upload) -> Result<T, Fault>,
) -> Result<T, Fault> {
    ask.bucket("s3:PutObject", Some(ask.key), |bucket| {
        let upload = bucket.uploads.get_mut(&upload_id(ask));
        act(upload
            .filter(|upload| upload.key == ask.key)
            .ok_or_else(|| no_such_upload(ask))?)
    })
}

fn upload_id(ask: &Ask<'_>) -> String {
    ask.head.param("uploadId").unwrap_or_default()
}

fn part_number(ask: &Ask<'_>) -> Result<u32, Fault> {
    let given = ask.head.param("partNumber").unwrap_or_default();
    match given.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            Err(Fault::new(400, "InvalidArgument", message)
                .with("ArgumentName", "partNumber")
                .with("ArgumentValue", given))
        }
    }
}

fn no_such_upload(ask: &Ask<'_>) -> Fault {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the \
                   upload may have been aborted or completed.";
    Fault::new(404, "NoSuchUpload", message).with("UploadId", upload_id(ask))
}

fn invalid_part() -> Fault {
    let message = "One or more of the specified parts could not be found.  The part may not have \
                   been uploaded, or the specified entity tag may not match the part's entity tag.";
    Fault::new(400, "InvalidPart", message)
}
