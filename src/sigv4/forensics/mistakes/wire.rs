//! Signed headers that something on the way changed, took away or wrote anew.

use jiff::ToSpan;

use super::super::facts::Facts;
use super::super::recipe::part;
use super::super::text;
use super::Mistakes;
use super::headers::value_of;

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    for name in &facts.signed {
        let sent = value_of(facts, name);
        let mut put = |label: &'static str, value: Vec<u8>| {
            let name = name.clone();
            // An empty value is the signer's mistake in the first place.
            let loose = value.is_empty()
                || (name == "content-type"
                    && value.contains(&b';')
                    && label != "ctype-charset-case");
            out.loose_if(loose, |out| {
                out.add(label, part::HEADERS, move |r| {
                    r.headers.values.push((name.clone(), Some(value.clone())));
                })
            });
        };
        for (_, label, values) in DICTIONARY.iter().filter(|(header, ..)| header == name) {
            for value in *values {
                put(label, value.as_bytes().to_vec());
            }
        }
        match name.as_str() {
            "content-type" => content_type(facts, &sent, &mut put),
            "user-agent" => cuts(&sent, "hop-user-agent-suffix", b" ,;", &mut put),
            "x-forwarded-for" => cuts(&sent, "hop-x-forwarded-for-appended", b",", &mut put),
            "x-amzn-trace-id" => trace(&sent, &mut put),
            "content-length" => length(facts, &mut put),
            "range" => range(facts, &mut put),
            "date" => dates(facts, &mut put),
            "x-amz-security-token" => token(facts, &sent, &mut put),
            "accept-encoding" => cuts(&sent, "hop-accept-encoding", b",", &mut put),
            "accept" => cuts(&sent, "hop-accept", b",", &mut put),
            "cache-control" => cuts(&sent, "hop-cache-control", b",", &mut put),
            _ => {}
        }
    }
}

type Put<'p> = &'p mut dyn FnMut(&'static str, Vec<u8>);

/// What is usually signed in headers that are usually changed.
const DICTIONARY: &[(&str, &str, &[&str])] = &[
    (
        "accept-encoding",
        "hop-accept-encoding",
        &[
            "identity",
            "gzip",
            "gzip, deflate",
            "gzip, deflate, br",
            "br",
            "*",
            "",
            "gzip,deflate",
            "deflate",
            "gzip, deflate, br, zstd",
            "gzip, br",
            "gzip,deflate,br",
            "identity;q=1",
            "deflate, gzip",
            "gzip,br",
            "br, gzip, deflate",
            "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
            "zstd",
            "amz-sdk-request",
        ],
    ),
    (
        "accept",
        "hop-accept",
        &[
            "*/*",
            "application/json",
            "application/xml",
            "text/html",
            "",
            "text/plain",
            "application/octet-stream",
            "application/json, text/plain, */*",
            "application/json, */*",
            "text/html, */*",
            "application/x-amz-json-1.1",
            "application/x-amz-json-1.0",
            "application/json;charset=utf-8",
            "application/cbor",
            "text/xml",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        ],
    ),
    (
        "cache-control",
        "hop-cache-control",
        &[
            "no-cache",
            "max-age=0",
            "no-store",
            "",
            "private",
            "public",
            "no-cache, no-store",
            "no-transform",
            "no-store, no-cache",
            "no-cache, no-store, must-revalidate",
            "public, max-age=31536000",
            "max-age=3600",
            "max-age=86400",
            "max-age=60",
            "max-age=300",
            "max-age=31536000",
            "must-revalidate",
            "only-if-cached",
            "public, max-age=3600",
            "public, max-age=86400",
            "private, max-age=0",
            "max-age=600",
            "public, max-age=31536000, immutable",
            "max-age=604800",
            "private, no-cache",
        ],
    ),
    (
        "connection",
        "hop-connection",
        &[
            "keep-alive",
            "close",
            "Keep-Alive",
            "upgrade",
            "Upgrade",
            "",
            "Close",
            "TE",
            "keep-alive, Upgrade",
            "TE, close",
        ],
    ),
    (
        "te",
        "hop-te-removed",
        &[
            "trailers",
            "trailers, deflate",
            "deflate",
            "gzip",
            "",
            "trailers, gzip",
            "trailers;q=1.0",
        ],
    ),
    (
        "expect",
        "hop-expect-removed",
        &["100-continue", "100-Continue", ""],
    ),
    (
        "transfer-encoding",
        "hop-transfer-encoding-removed",
        &[
            "chunked",
            "gzip, chunked",
            "identity",
            "",
            "Chunked",
            "gzip",
            "deflate, chunked",
        ],
    ),
    (
        "x-forwarded-proto",
        "hop-x-forwarded-proto",
        &["http", "https", "", "HTTP", "HTTPS", "wss", "ws"],
    ),
    ("range", "hop-range-removed", RANGES),
    ("user-agent", "hop-user-agent-suffix", &[""]),
    (
        "x-forwarded-for",
        "hop-x-forwarded-for-appended",
        &["", "127.0.0.1", "::1"],
    ),
];

const RANGES: &[&str] = &[
    "bytes=0-",
    "bytes=0-0",
    "bytes=0-9",
    "bytes=0-99",
    "bytes=0-100",
    "bytes=0-255",
    "bytes=0-499",
    "bytes=0-511",
    "bytes=0-999",
    "bytes=0-1023",
    "bytes=0-1024",
    "bytes=0-2047",
    "bytes=0-4095",
    "bytes=0-8191",
    "bytes=0-9999",
    "bytes=0-16383",
    "bytes=0-32767",
    "bytes=0-65535",
    "bytes=0-99999",
    "bytes=0-131071",
    "bytes=0-262143",
    "bytes=0-524287",
    "bytes=0-999999",
    "bytes=0-1048575",
    "bytes=0-4194303",
    "bytes=0-5242879",
    "bytes=0-8388607",
    "bytes=0-10485759",
    "bytes=0-16777215",
    "bytes=0-1",
    "bytes=1-",
    "bytes=-1",
    "bytes=100-",
    "bytes=-100",
    "bytes=-500",
    "bytes=-1024",
    "bytes=1024-",
    "bytes=500-999",
    "bytes=100-199",
    "bytes=1024-2047",
    "",
];

const TYPES: &[&str] = &[
    "",
    "application/json",
    "application/octet-stream",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/xml",
    "text/html",
    "application/x-amz-json-1.0",
    "application/x-amz-json-1.1",
    "binary/octet-stream",
    "multipart/form-data",
    "image/jpeg",
    "image/png",
    "application/zip",
    "text/csv",
    "application/pdf",
    "video/mp4",
    "application/x-ndjson",
    "application/cbor",
    "application/gzip",
    "image/gif",
    "text/css",
    "text/javascript",
    "application/javascript",
    "image/webp",
    "image/svg+xml",
    "audio/mpeg",
    "application/vnd.amazon.eventstream",
    "text/markdown",
    "application/x-tar",
    "*/*",
];

fn content_type(facts: &Facts<'_>, sent: &[u8], put: Put<'_>) {
    let absent = facts.value("content-type").is_none();
    let replaced = match (facts.presigned, absent) {
        (true, true) => "presign-content-type-not-sent",
        (true, false) => "presign-content-type-differs",
        (false, _) => "ctype-default-replaced",
    };
    let sent = String::from_utf8_lossy(sent).into_owned();
    let base = sent.split(';').next().unwrap_or_default().trim_end();
    if base.len() < sent.len() {
        put("ctype-charset-appended", base.as_bytes().to_vec());
        if let Some((cut, _)) = sent.rsplit_once(';') {
            put("ctype-charset-appended", cut.trim_end().as_bytes().to_vec());
        }
    }
    for charset in [
        "utf-8",
        "UTF-8",
        "Utf-8",
        "utf8",
        "UTF8",
        "\"utf-8\"",
        "\"UTF-8\"",
    ] {
        for between in ["; charset=", ";charset=", "; Charset=", ";  charset="] {
            put(
                "ctype-charset-case",
                format!("{base}{between}{charset}").into_bytes(),
            );
        }
    }
    for charset in ["iso-8859-1", "ISO-8859-1", "us-ascii", "US-ASCII"] {
        put(
            "ctype-charset-case",
            format!("{base}; charset={charset}").into_bytes(),
        );
    }
    put("ctype-charset-case", sent.to_lowercase().into_bytes());
    put("ctype-charset-case", sent.to_uppercase().into_bytes());
    for other in TYPES {
        put(replaced, other.as_bytes().to_vec());
        if !other.is_empty() {
            put(replaced, format!("{other}; charset=utf-8").into_bytes());
            put(replaced, format!("{other}; charset=UTF-8").into_bytes());
        }
    }
}

/// The value up to each of the separators.
fn cuts(sent: &[u8], label: &'static str, separators: &[u8], put: Put<'_>) {
    for at in (0..sent.len())
        .filter(|at| separators.contains(&sent[*at]))
        .take(24)
    {
        put(label, sent[..at].trim_ascii_end().to_vec());
        put(label, sent[at + 1..].trim_ascii_start().to_vec());
    }
}

/// A load balancer puts `Self` in front, others add parts behind.
fn trace(sent: &[u8], put: Put<'_>) {
    const LABEL: &str = "hop-trace-id-replaced";
    cuts(sent, LABEL, b";", put);
    let parts: Vec<&[u8]> = sent.split(|b| *b == b';').map(<[u8]>::trim_ascii).collect();
    let without = |name: &[u8]| {
        let kept: Vec<&[u8]> = parts
            .iter()
            .copied()
            .filter(|part| !part.starts_with(name))
            .collect();
        kept.join(&b';')
    };
    for name in [&b"Self="[..], b"Parent=", b"Sampled=", b"Lineage="] {
        put(LABEL, without(name));
    }
    if let Some(root) = parts.iter().find(|part| part.starts_with(b"Root=")) {
        put(LABEL, root.to_vec());
        for behind in [";Sampled=1", ";Sampled=0"] {
            put(LABEL, [root, behind.as_bytes()].concat());
        }
    }
    if let Some(own) = parts.iter().find_map(|part| part.strip_prefix(b"Self=")) {
        put(LABEL, [b"Root=", own].concat());
    }
}

fn length(facts: &Facts<'_>, put: Put<'_>) {
    let label = if facts.has_body() {
        "hop-content-length-removed"
    } else {
        "hop-content-length-zero-removed"
    };
    let length = facts.body.map_or(0, <[u8]>::len);
    put(label, length.to_string().into_bytes());
    put("hop-content-length-zero-removed", b"0".to_vec());
    put("hop-content-length-removed", Vec::new());
    if let Some(decoded) = facts.text("x-amz-decoded-content-length") {
        put("hop-content-length-removed", decoded.as_bytes().to_vec());
    }
}

fn range(facts: &Facts<'_>, put: Put<'_>) {
    let Some(answer) = facts
        .content_range
        .and_then(|range| range.strip_prefix("bytes "))
    else {
        return;
    };
    let Some((range, total)) = answer.split_once('/') else {
        return;
    };
    put("hop-range-removed", format!("bytes={range}").into_bytes());
    if let Some((first, last)) = range.split_once('-') {
        let open = last.parse::<u64>().ok().map(|n| n + 1) == total.parse().ok();
        if open {
            put("hop-range-removed", format!("bytes={first}-").into_bytes());
        }
    }
}

fn dates(facts: &Facts<'_>, put: Put<'_>) {
    let instants = [
        super::sts::instant(&facts.claim.amz_date),
        facts
            .text("date")
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
            .map(|at| at.datetime()),
    ];
    for at in instants.into_iter().flatten() {
        for seconds in -10_i64..=10 {
            let Ok(moved) = at.checked_add(seconds.seconds()) else {
                continue;
            };
            put(
                "date-header-regenerated",
                moved
                    .strftime("%a, %d %b %Y %H:%M:%S GMT")
                    .to_string()
                    .into_bytes(),
            );
        }
        put(
            "date-header-regenerated",
            facts.claim.amz_date.clone().into_bytes(),
        );
    }
}

fn token(facts: &Facts<'_>, sent: &[u8], put: Put<'_>) {
    if sent.contains(&b' ') {
        put("token-plus-to-space", text::replace(sent, b" ", b"+"));
    }
    if let Some(raw) = facts
        .value("x-amz-security-token")
        .filter(|raw| raw.contains(&b' '))
    {
        put("token-plus-to-space", text::replace(raw, b" ", b"+"));
    }
    let Some(held) = facts.token else { return };
    let held = held.as_bytes();
    let label = if facts.value("x-amz-security-token").is_none() {
        "token-signed-not-sent"
    } else if held.starts_with(sent) {
        "token-truncated-on-wire"
    } else {
        "token-plus-to-space"
    };
    if label != "token-plus-to-space"
        || text::replace(held, b"+", b" ") == text::replace(sent, b"+", b" ")
    {
        put(label, held.to_vec());
    }
}
