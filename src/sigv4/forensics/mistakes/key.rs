//! A wrong secret, a wrong way to the signing key, and the last step.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::facts::Facts;
use super::super::recipe::{Derive, Escape, Last, part};
use super::super::text;
use super::Mistakes;
use crate::aws;
use crate::secret::Credentials;
use crate::sigv4::query::param;

pub(super) fn add(facts: &Facts<'_>, credentials: &Credentials, out: &mut Mistakes) {
    secrets(facts, credentials, out);
    derivations(facts, out);
    dates(facts, out);
    regions(facts, out);
    services(facts, out);
    for (label, last) in [
        ("sig-hmac-sha1", Last::HmacSha1),
        ("sig-sha256-concat", Last::Concatenated),
        ("sig-final-args-swapped", Last::ArgumentsSwapped),
    ] {
        out.add(label, part::LAST, move |r| r.last = last);
    }
}

fn secrets(facts: &Facts<'_>, credentials: &Credentials, out: &mut Mistakes) {
    let secret = credentials.secret_access_key.expose();
    let mut add = |label: &'static str, value: Vec<u8>| {
        let value = Zeroizing::new(value);
        out.add(label, part::KEY, move |r| {
            r.key.secret = Some(value.clone())
        });
    };
    for (label, before, after) in AROUND {
        add(
            label,
            [before.as_bytes(), secret, after.as_bytes()].concat(),
        );
    }
    add("secret-base64", STANDARD.encode(secret).into_bytes());
    add(
        "secret-base64-newline",
        STANDARD.encode([secret, b"\n"].concat()).into_bytes(),
    );
    add(
        "secret-base64-newline",
        [STANDARD.encode(secret).as_bytes(), b"\n"].concat(),
    );
    let keep_slash = Escape {
        keep: b"/",
        ..Escape::default()
    };
    let lower = Escape {
        lower_hex: true,
        ..Escape::default()
    };
    for escape in [Escape::default(), keep_slash, lower] {
        add("secret-percent-encoded", escape.encode(secret));
    }
    add("secret-plus-to-space", text::replace(secret, b"+", b" "));
    add("secret-slash-escaped", text::replace(secret, b"/", b"\\/"));
    for (label, byte) in [("secret-cut-at-slash", b'/'), ("secret-cut-at-plus", b'+')] {
        let places = [memchr::memchr(byte, secret), memchr::memrchr(byte, secret)];
        for at in places.into_iter().flatten() {
            add(label, secret[..at].to_vec());
            add(label, secret[at + 1..].to_vec());
        }
    }
    add(
        "secret-first-char-missing",
        secret.get(1..).unwrap_or_default().to_vec(),
    );
    add(
        "secret-last-char-missing",
        secret
            .split_last()
            .map_or(&b""[..], |(_, rest)| rest)
            .to_vec(),
    );
    add("secret-doubled", [secret, secret].concat());
    add("secret-lowercased", secret.to_ascii_lowercase());
    add("secret-uppercased", secret.to_ascii_uppercase());
    add(
        "secret-is-access-key-id",
        facts.claim.access_key_id.clone().into_bytes(),
    );
    let in_query = || param(facts.query.as_deref()?, "X-Amz-Security-Token");
    let sent = facts
        .text("x-amz-security-token")
        .map(str::to_owned)
        .or_else(in_query);
    for token in facts.token.map(str::to_owned).into_iter().chain(sent) {
        add("secret-is-session-token", token.into_bytes());
    }
}

/// What is left standing around a secret that is pasted, read from a file or quoted.
const AROUND: &[(&str, &str, &str)] = &[
    ("secret-trailing-newline", "", "\n"),
    ("secret-trailing-crlf", "", "\r\n"),
    ("secret-trailing-cr", "", "\r"),
    ("secret-trailing-space", "", " "),
    ("secret-leading-space", " ", ""),
    ("secret-leading-space", " ", " "),
    ("secret-leading-space", " ", "\n"),
    ("secret-trailing-space", "", "  "),
    ("secret-trailing-space", "", " \n"),
    ("secret-trailing-newline", "", "\n\n"),
    ("secret-trailing-newline", "\n", ""),
    ("secret-trailing-tab", "", "\t"),
    ("secret-trailing-tab", "\t", ""),
    ("secret-nbsp", "", "\u{a0}"),
    ("secret-nbsp", "\u{a0}", ""),
    ("secret-bom", "\u{feff}", ""),
    ("secret-bom", "\u{feff}", "\n"),
    ("secret-double-quoted", "\"", "\""),
    ("secret-double-quoted", "\"", ""),
    ("secret-double-quoted", "", "\""),
    ("secret-single-quoted", "'", "'"),
    ("secret-single-quoted", "'", ""),
    ("secret-single-quoted", "", "'"),
    ("secret-trailing-comma", "", ","),
    ("secret-trailing-comma", "\"", "\","),
];

fn derivations(facts: &Facts<'_>, out: &mut Mistakes) {
    for (label, derive) in [
        ("key-no-aws4-prefix", Derive::Prefix("")),
        ("key-aws4-lowercase", Derive::Prefix("aws4")),
        ("key-secret-direct", Derive::Secret),
        ("key-aws4secret-direct", Derive::PrefixedSecret),
        ("key-no-terminator", Derive::NoTerminator),
        ("key-service-before-region", Derive::ServiceFirst),
        ("key-args-swapped", Derive::ArgumentsSwapped),
        ("key-hex-chain", Derive::HexEverywhere),
        ("key-hex-chain", Derive::HexBetween),
        ("key-hex-last", Derive::HexLast),
        (
            "key-date-full-timestamp",
            Derive::Date(facts.claim.amz_date.clone()),
        ),
    ] {
        out.add(label, part::KEY, move |r| r.key.derive = derive.clone());
    }
}

fn dates(facts: &Facts<'_>, out: &mut Mistakes) {
    let mut add = |label: &'static str, date: String| {
        out.add(label, part::KEY, move |r| {
            r.key.derive = Derive::Date(date.clone())
        });
    };
    let Some(day) = super::sts::day(&facts.claim.date) else {
        return;
    };
    add("key-date-dashed", day.strftime("%Y-%m-%d").to_string());
    for back in -10_i64..=1 {
        let label = match back {
            1 => "key-date-tomorrow",
            0 => continue,
            -1 => "key-date-yesterday",
            _ => "key-date-cached-days",
        };
        if let Ok(other) = day.checked_add(jiff::Span::new().days(back)) {
            add(label, other.strftime("%Y%m%d").to_string());
        }
    }
}

fn regions(facts: &Facts<'_>, out: &mut Mistakes) {
    let mut add = |label: &'static str, region: String| {
        if region != facts.claim.region {
            out.add(label, part::KEY, move |r| {
                r.key.derive = Derive::Region(region.clone())
            });
        }
    };
    add("key-region-us-east-1", "us-east-1".to_owned());
    add("key-region-empty", String::new());
    add("key-region-uppercase", facts.claim.region.to_uppercase());
    for region in aws::partitions()
        .iter()
        .flat_map(|partition| partition.regions())
    {
        if *region != "us-east-1" {
            add("key-region-other", (*region).to_owned());
        }
    }
    add("key-region-other", "aws-global".to_owned());
}

fn services(facts: &Facts<'_>, out: &mut Mistakes) {
    let right = &facts.claim.service;
    let mut done = vec![right.clone()];
    let mut add = |out: &mut Mistakes, label: &'static str, service: String| {
        if !done.contains(&service) {
            done.push(service.clone());
            out.add(label, part::KEY, move |r| {
                r.key.derive = Derive::Service(service.clone())
            });
        }
    };
    add(out, "key-service-s3-default", "s3".to_owned());
    add(out, "key-service-uppercase", right.to_uppercase());
    let here = facts.at.as_ref().map_or(&[][..], |at| at.services);
    for service in here.iter().chain(aws::services_signing_as(right)) {
        for name in [service.endpoint_prefix, service.name, service.iam_prefix] {
            add(out, "key-service-alt", name.to_owned());
        }
        add(out, "key-service-alt", service.service_id.to_lowercase());
    }
    for label in facts.host.split('.').take(3) {
        add(out, "key-service-alt", label.to_owned());
    }
    for common in [
        "execute-api",
        "es",
        "ec2",
        "iam",
        "sts",
        "email",
        "ses",
        "host",
    ] {
        add(out, "key-service-alt", common.to_owned());
    }
    out.alone(|out| {
        for service in aws::services() {
            add(out, "key-service-alt", service.endpoint_prefix.to_owned());
            add(out, "key-service-alt", service.signing_name.to_owned());
        }
    });
}
