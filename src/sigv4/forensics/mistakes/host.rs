//! The host that was signed is not the one that was sent.

use super::super::facts::Facts;
use super::super::recipe::{Recipe, part};
use super::Mistakes;

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    if !facts.signed.iter().any(|name| name == "host") {
        return;
    }
    let host = &facts.host;
    let (name, port) = split_port(host);
    if port.is_some() {
        put(out, "host-port-not-signed", name.to_owned());
    } else {
        for port in ["443", "80", "8080", "8443"] {
            put(out, "host-port-signed", format!("{host}:{port}"));
        }
    }
    for scheme in ["https://", "http://"] {
        put(out, "host-with-scheme-signed", format!("{scheme}{host}"));
        put(out, "host-with-scheme-signed", format!("{scheme}{host}/"));
    }
    let dotted = port.map_or_else(|| format!("{name}."), |port| format!("{name}.:{port}"));
    put(out, "host-trailing-dot-signed", dotted);
    for case in [
        host.to_uppercase(),
        host.to_lowercase(),
        super::super::text::title(host),
        title(host),
    ] {
        put(out, "host-uppercase-signed", case);
    }
    forwarded(facts, out);
    proxies(out);
    others(facts, out);
    buckets(facts, out);
}

fn put(out: &mut Mistakes, label: &'static str, host: String) {
    out.add(label, part::HEADERS, move |r| set(r, &host));
}

fn set(recipe: &mut Recipe, host: &str) {
    recipe
        .headers
        .values
        .push(("host".to_owned(), Some(host.as_bytes().to_vec())));
}

fn put_both(out: &mut Mistakes, label: &'static str, host: String, path: Vec<u8>) {
    out.add(label, part::HEADERS | part::PATH, move |r| {
        set(r, &host);
        r.path.wire = Some(path.clone());
    });
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    }
}

/// `S3.Us-East-1.Amazonaws.Com`.
fn title(host: &str) -> String {
    host.split('.')
        .map(super::super::text::title)
        .collect::<Vec<_>>()
        .join(".")
}

/// Headers in which a proxy keeps the host that it replaced.
fn forwarded(facts: &Facts<'_>, out: &mut Mistakes) {
    for (name, value) in facts.headers {
        let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if name == "host" {
            continue;
        }
        let value = value.trim();
        if name == "forwarded" {
            for piece in value.split([';', ',']) {
                if let Some(host) = piece.trim().strip_prefix("host=") {
                    put(
                        out,
                        "host-forwarded-domain-signed",
                        host.trim_matches('"').to_owned(),
                    );
                }
            }
        } else if name.contains("host") || name == "x-forwarded-server" || name == "x-original-url"
        {
            for host in value.split(',') {
                put(out, "host-forwarded-domain-signed", host.trim().to_owned());
            }
        } else if name == "origin" || name == "referer" {
            let host = value
                .split("//")
                .nth(1)
                .and_then(|rest| rest.split('/').next());
            if let Some(host) = host {
                put(out, "host-forwarded-domain-signed", host.to_owned());
            }
        }
    }
}

/// Where local proxies and look-alikes listen.
fn proxies(out: &mut Mistakes) {
    const PORTS: &[u16] = &[
        8080, 4566, 8000, 9000, 3128, 8787, 8888, 3000, 5000, 8081, 8443, 4572, 80, 443, 9090,
        1080, 8001, 9200, 8788, 5555, 10000, 8899, 7000, 9999, 8118, 18080, 1234, 4000, 9001,
    ];
    for name in ["localhost", "127.0.0.1"] {
        put(out, "host-proxy-signed", name.to_owned());
        for port in PORTS {
            put(out, "host-proxy-signed", format!("{name}:{port}"));
        }
    }
    for name in [
        "[::1]",
        "0.0.0.0",
        "host.docker.internal",
        "localstack",
        "minio",
        "proxy",
    ] {
        put(out, "host-proxy-signed", name.to_owned());
        for port in [4566, 8080, 9000, 3128] {
            put(out, "host-proxy-signed", format!("{name}:{port}"));
        }
    }
}

/// Other endpoints of the same service.
fn others(facts: &Facts<'_>, out: &mut Mistakes) {
    let host = &facts.host;
    let region = &facts.region();
    for gone in [format!(".{region}"), format!("-{region}")] {
        if host.contains(&gone) {
            put(out, "host-global-signed", host.replacen(&gone, "", 1));
            put(
                out,
                "host-global-signed",
                host.replacen(&gone, "", 1).replacen(".dualstack", "", 1),
            );
        }
    }
    let (from, to) = (format!(".{region}."), format!("-{region}."));
    for (from, to) in [(from.clone(), to.clone()), (to, from)] {
        if facts.s3 && host.contains(&from) {
            put(out, "host-global-signed", host.replacen(&from, &to, 1));
        }
    }
    if host.contains(region.as_str()) {
        for other in ["us-east-1", "external-1"] {
            put(
                out,
                "host-global-signed",
                host.replacen(region.as_str(), other, 1),
            );
        }
    }
    if let Some((service, rest)) = host.split_once('.')
        && !host.contains(region.as_str())
    {
        put(
            out,
            "host-global-signed",
            format!("{service}.{region}.{rest}"),
        );
    }
}

/// The forms of a bucket's address (S3 user guide, "Virtual hosting of buckets").
fn buckets(facts: &Facts<'_>, out: &mut Mistakes) {
    if !facts.s3 {
        return;
    }
    let path = &facts.path;
    let bucket = facts.at.as_ref().and_then(|at| at.bucket.clone());
    let bucket = match (bucket, &facts.at) {
        (None, None) => facts
            .host
            .split_once('.')
            .map(|(first, _)| first.to_owned()),
        (bucket, _) => bucket,
    };
    let label = "host-path-style-signed-vh-sent";
    if let Some(bucket) = bucket
        && let Some(rest) = facts
            .host
            .strip_prefix(&*bucket)
            .and_then(|rest| rest.strip_prefix('.'))
    {
        let slash: &[u8] = if path.is_empty() { b"/" } else { b"" };
        let with_bucket = [b"/", bucket.as_bytes(), slash, path].concat();
        for base in bases(facts, rest) {
            put_both(out, label, base.clone(), with_bucket.clone());
            if path == b"/" {
                put_both(out, label, base.clone(), [b"/", bucket.as_bytes()].concat());
            }
            let other = format!("{bucket}.{base}");
            if other != facts.host {
                put(out, "host-global-signed", other);
            }
        }
    }
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    let end = memchr::memchr(b'/', inner).unwrap_or(inner.len());
    let Ok(bucket) = std::str::from_utf8(&inner[..end]) else {
        return;
    };
    if bucket.is_empty() || facts.at.as_ref().is_some_and(|at| at.bucket.is_some()) {
        return;
    }
    let rest = if end == inner.len() {
        b"/".to_vec()
    } else {
        inner[end..].to_vec()
    };
    for base in bases(facts, &facts.host) {
        put_both(
            out,
            "host-vh-signed-path-style-sent",
            format!("{bucket}.{base}"),
            rest.clone(),
        );
        if base != facts.host {
            put(out, "host-global-signed", base);
        }
    }
}

fn bases(facts: &Facts<'_>, own: &str) -> Vec<String> {
    let region = &facts.region();
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let mut all = vec![own.to_owned()];
    if facts.at.is_some() {
        all.extend([
            format!("s3.{region}.{suffix}"),
            format!("s3.{suffix}"),
            format!("s3-{region}.{suffix}"),
            format!("s3.dualstack.{region}.{suffix}"),
            format!("s3-external-1.{suffix}"),
            format!("s3-accelerate.{suffix}"),
            format!("s3-fips.{region}.{suffix}"),
        ]);
    }
    all
}
