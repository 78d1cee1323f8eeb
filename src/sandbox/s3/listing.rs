//! Lists: of buckets, and of a bucket's keys in both versions.

use crate::sandbox::errors::{Fault, Shape, xml};
use crate::sandbox::reader;
use crate::sandbox::server::{self, Reply};
use crate::sandbox::times;

use super::store::{Bucket, Object};
use super::{Ask, xml_reply};

pub(super) fn buckets(ask: &Ask<'_>) -> Result<Reply, Fault> {
    let Some(signed) = ask.signed else {
        return Err(Fault::new(403, "AccessDenied", "Access Denied"));
    };
    let account = &signed.principal.entity.account;
    let action = "s3:ListAllMyBuckets";
    server::allow(
        ask.signed,
        Shape::S3,
        action,
        "arn:aws:s3:::*",
        account,
        None,
    )?;
    let store = server::lock(&ask.state.objects);
    let listed: String = store
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.owner == *account)
        .map(|(name, bucket)| {
            format!(
                "<Bucket><Name>{name}</Name><CreationDate>{}</CreationDate>\
                 <BucketRegion>{}</BucketRegion></Bucket>",
                times::iso_millis(bucket.created),
                bucket.region
            )
        })
        .collect();
    let inner = format!("<Owner><ID>{account}</ID></Owner><Buckets>{listed}</Buckets>");
    Ok(xml_reply("ListAllMyBucketsResult", &inner))
}

/// What a listing asks for.
struct Wish {
    prefix: String,
    delimiter: String,
    /// Keys after this one.
    after: String,
    most: usize,
    url: bool,
}

impl Wish {
    fn read(ask: &Ask<'_>, second: bool) -> Result<Self, Fault> {
        let param = |name: &str| ask.head.param(name).unwrap_or_default();
        let most = match param("max-keys").as_str() {
            "" => 1000,
            text => text.parse().map_err(|_digits| {
                let message = "Provided max-keys not an integer or within integer range";
                Fault::new(400, "InvalidArgument", message)
                    .with("ArgumentName", "max-keys")
                    .with("ArgumentValue", text)
            })?,
        };
        let after = match second {
            true => match param("continuation-token") {
                token if token.is_empty() => param("start-after"),
                token => String::from_utf8_lossy(&reader::decode(token.as_bytes(), false)).into(),
            },
            false => param("marker"),
        };
        Ok(Self {
            prefix: param("prefix"),
            delimiter: param("delimiter"),
            after,
            most: most.min(1000),
            url: param("encoding-type") == "url",
        })
    }

    fn written(&self, text: &str) -> String {
        match self.url {
            true => reader::encode(text.as_bytes(), b"/"),
            false => xml(text),
        }
    }
}

/// One page of a listing.
#[derive(Default)]
struct Page {
    contents: String,
    prefixes: String,
    count: usize,
    /// The last key or prefix, if there is more.
    next: Option<String>,
}

pub(super) fn objects(ask: &Ask<'_>, second: bool) -> Result<Reply, Fault> {
    let wish = Wish::read(ask, second)?;
    let page = ask.bucket("s3:ListBucket", None, |bucket| Ok(page(bucket, &wish)))?;
    let mut inner = format!(
        "<Name>{}</Name><Prefix>{}</Prefix><MaxKeys>{}</MaxKeys><IsTruncated>{}</IsTruncated>",
        ask.bucket,
        wish.written(&wish.prefix),
        wish.most,
        page.next.is_some()
    );
    if !wish.delimiter.is_empty() {
        let delimiter = wish.written(&wish.delimiter);
        inner.push_str(&format!("<Delimiter>{delimiter}</Delimiter>"));
    }
    if wish.url {
        inner.push_str("<EncodingType>url</EncodingType>");
    }
    if second {
        inner.push_str(&format!("<KeyCount>{}</KeyCount>", page.count));
    } else {
        inner.push_str(&format!("<Marker>{}</Marker>", wish.written(&wish.after)));
    }
    if let Some(next) = &page.next {
        let token = reader::encode(next.as_bytes(), b"");
        inner.push_str(&match second {
            true => format!("<NextContinuationToken>{token}</NextContinuationToken>"),
            false => format!("<NextMarker>{}</NextMarker>", wish.written(next)),
        });
    }
    inner.push_str(&page.contents);
    inner.push_str(&page.prefixes);
    Ok(xml_reply("ListBucketResult", &inner))
}

fn page(bucket: &Bucket, wish: &Wish) -> Page {
    let mut page = Page::default();
    let mut last = String::new();
    for (key, object) in &bucket.objects {
        let Some(tail) = key.strip_prefix(&wish.prefix) else {
            continue;
        };
        let folded = (!wish.delimiter.is_empty())
            .then(|| tail.find(&wish.delimiter))
            .flatten()
            .map(|at| format!("{}{}", wish.prefix, &tail[..at + wish.delimiter.len()]));
        let entry = folded.as_deref().unwrap_or(key);
        if entry <= wish.after.as_str() || entry == last {
            continue;
        }
        if page.count == wish.most {
            page.next = Some(last);
            return page;
        }
        page.count += 1;
        match &folded {
            Some(prefix) => page.prefixes.push_str(&format!(
                "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                wish.written(prefix)
            )),
            None => page.contents.push_str(&content(key, object, wish)),
        }
        entry.clone_into(&mut last);
    }
    page
}

fn content(key: &str, object: &Object, wish: &Wish) -> String {
    format!(
        "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>\
         <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
        wish.written(key),
        times::iso_millis(object.modified),
        object.etag,
        object.blob.len()
    )
}
