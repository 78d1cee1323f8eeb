//! What the request itself shows.

use super::{Question, Table, header_has, holds, line};
use crate::diagnose::wire::Head;
use crate::sigv4::{ClientAuth, EMPTY_SHA256, Location, sha256_hex};

pub(super) const TESTS: Table = &[
    ("unsigned", |q, _| {
        let none = matches!(q.scene.auth, ClientAuth::None);
        line(none, || {
            "the request as sent has neither Authorization nor X-Amz-Signature".to_owned()
        })
    }),
    ("presigned", |q, _| {
        holds(q.scene.sigv4()?.location == Location::Query)
    }),
    ("sigv4a", |q, _| {
        holds(matches!(q.scene.auth, ClientAuth::SigV4a(_)))
    }),
    ("resigned", |q, _| holds(q.scene.resigned)),
    ("method", |q, name| holds(q.scene.sent.method() == name)),
    ("host", |q, part| {
        line(q.scene.host.contains(part), || {
            format!("host: {}", q.scene.host)
        })
    }),
    ("service", |q, name| holds(q.scene.service() == name)),
    ("operation", |q, name| holds(q.scene.operation() == name)),
    ("region", |q, start| {
        line(q.scene.region()?.starts_with(start), || {
            format!("region {}", q.scene.region().unwrap_or_default())
        })
    }),
    ("door", |q, name| {
        holds(q.scene.exchange.door.as_str() == name)
    }),
    ("path", |q, part| {
        line(q.scene.path().contains(part), || {
            format!("path {}", q.scene.path())
        })
    }),
    ("query", |q, part| {
        line(q.scene.sent.query().contains(part), || {
            format!("`{}` is in the query", part.trim_end_matches('='))
        })
    }),
    ("query-ends-early", |q, _| {
        let query = q.scene.sent.query();
        let begun = query.contains("X-Amz-") && !query.contains("X-Amz-Signature=");
        line(begun, || {
            "the query has X-Amz- parameters and no X-Amz-Signature".to_owned()
        })
    }),
    ("query-signed-token", |q, _| {
        holds(q.scene.sent.query().contains("X-Amz-Security-Token="))
    }),
    ("sent-header", |q, name| {
        let (name, part) = name.split_once(':').unwrap_or((name, ""));
        header_has(q.scene.sent.header(name), name, part)
    }),
    ("signed", |q, name| {
        line(q.scene.sigv4()?.signs(name), || {
            format!("SignedHeaders names {name}")
        })
    }),
    ("signed-hop", signed_hop),
    ("signed-port", |q, _| holds(q.scene.host.contains(':'))),
    ("authorization", authorization),
    ("authorization-blank", |q, _| {
        let (_, rest) = q
            .scene
            .sent
            .header("authorization")?
            .split_once("Credential=")?;
        let credential = rest.split(", ").next()?.trim_end_matches(',');
        let blank = credential.contains(char::is_whitespace);
        line(blank, || {
            "a blank stands between Credential= and its comma".to_owned()
        })
    }),
    ("authorization-comma", |q, _| {
        let value = q.scene.sent.header("authorization")?;
        holds(value.contains(",SignedHeaders") || value.contains(",Signature"))
    }),
    ("credential-double-slash", |q, _| {
        let credential = credential(q)?;
        line(
            credential.contains("//") || credential.starts_with('/'),
            || "the Credential has an empty part".to_owned(),
        )
    }),
    ("credential-encoded-twice", |q, _| {
        let query = q.scene.sent.query();
        line(query.contains("%252F") || query.contains("%252f"), || {
            "X-Amz-Credential has %252F".to_owned()
        })
    }),
    ("param", |q, name| {
        line(q.scene.param(name).is_some(), || {
            format!("the request has {name}")
        })
    }),
    ("param-is", |q, argument| {
        let (name, part) = argument.split_once(':')?;
        let value = q.scene.param(name)?;
        line(value.contains(part), || format!("{name} is {value}"))
    }),
    ("param-blank", |q, name| {
        let value = q.scene.param(name)?;
        line(value.contains(char::is_whitespace), || {
            format!("{name} has blanks in it")
        })
    }),
    ("declared-hash", |q, _| {
        let declared = q.scene.sent.header("x-amz-content-sha256")?;
        let empty = declared == EMPTY_SHA256 && body_size(q) > 0;
        line(empty, || {
            format!(
                "x-amz-content-sha256 is the hash of nothing; the body has {} bytes",
                body_size(q)
            )
        })
    }),
    ("body-hash-differs", body_hash_differs),
    ("expires-too-long", |q, _| {
        let seconds = q.scene.sigv4()?.expires?;
        line(seconds > 604_800, || {
            format!("X-Amz-Expires is {seconds}; a week is 604800")
        })
    }),
    ("no-date", |q, _| {
        let head = &q.scene.sent;
        let none = head.header("x-amz-date").is_none() && head.header("date").is_none();
        line(none, || {
            "neither x-amz-date nor date is among the headers".to_owned()
        })
    }),
    ("amz-date-odd", |q, _| {
        let date = q.scene.sent.header("x-amz-date")?;
        line(crate::diagnose::scene::amz_date(date).is_none(), || {
            format!("x-amz-date: {date}")
        })
    }),
    ("jwt", jwt),
    ("json-service", |q, _| {
        let kind = q.scene.sent.header("content-type").unwrap_or_default();
        holds(kind.starts_with("application/x-amz-json"))
    }),
    ("upstream-custom", |q, _| {
        line(q.scene.host_facts.is_none(), || {
            format!("{} is no host of AWS's", q.scene.host)
        })
    }),
];

/// Headers that an HTTP library or a proxy writes anew.
const HOP: [&str; 8] = [
    "accept-encoding",
    "connection",
    "user-agent",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "via",
    "expect",
];

fn signed_hop(q: &Question<'_>, _: &str) -> Option<String> {
    let auth = q.scene.sigv4()?;
    let named: Vec<&str> = HOP.into_iter().filter(|name| auth.signs(name)).collect();
    line(!named.is_empty() && !q.scene.resigned, || {
        format!("SignedHeaders names {}", named.join(", "))
    })
}

/// `authorization=AWS4`: the header begins with it, as sent or as the client sent it.
fn authorization(q: &Question<'_>, start: &str) -> Option<String> {
    let received = Head::read(&q.scene.raw.received.head);
    let begins = |value: Option<&str>| {
        value.is_some_and(|value| {
            value
                .get(..start.len())
                .is_some_and(|given| given.eq_ignore_ascii_case(start))
        })
    };
    let is =
        begins(q.scene.sent.header("authorization")) || begins(received.header("authorization"));
    line(is, || {
        format!("Authorization begins with {:?}", start.trim())
    })
}

fn credential(q: &Question<'_>) -> Option<String> {
    if let Some(value) = q.scene.sent.header("authorization")
        && let Some((_, rest)) = value.split_once("Credential=")
    {
        return rest.split(',').next().map(str::to_owned);
    }
    let query = q.scene.sent.query();
    let (_, rest) = query.split_once("X-Amz-Credential=")?;
    Some(
        rest.split('&')
            .next()?
            .replace("%2F", "/")
            .replace("%2f", "/"),
    )
}

fn body_size(q: &Question<'_>) -> u64 {
    q.scene
        .raw
        .sent
        .as_ref()
        .map_or(0, |sent| sent.body_size)
        .max(q.scene.raw.received.body_size)
}

fn body_hash_differs(q: &Question<'_>, _: &str) -> Option<String> {
    let declared = q
        .scene
        .sent
        .header("x-amz-content-sha256")
        .filter(|declared| declared.len() == 64)?;
    let raw = q.scene.raw;
    let wire = raw
        .sent
        .as_ref()
        .filter(|sent| sent.body_size > 0)
        .unwrap_or(&raw.received);
    let actual = match wire.body_sha256 {
        Some(hash) => hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        None if wire.complete && wire.body_size > 0 => sha256_hex(&wire.body),
        None => return None,
    };
    line(actual != declared, || {
        format!("declared {declared}, the body's is {actual}")
    })
}

/// What a web identity token says of itself; nothing of it is verified here.
fn jwt(q: &Question<'_>, what: &str) -> Option<String> {
    let token = q.scene.param("WebIdentityToken")?;
    let trimmed = token.trim_matches(['"', '\'', ' ', '\n', '\r']);
    if what == "quotes" {
        return line(trimmed.len() != token.len(), || {
            "WebIdentityToken has quotes, blanks or line ends around it".to_owned()
        });
    }
    let Some(claims) = super::facts::claims(trimmed) else {
        return line(what == "none", || {
            "WebIdentityToken is not three parts of base64url".to_owned()
        });
    };
    match what {
        "expired" => {
            let end = jiff::Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()?;
            line(end < q.scene.now?, || format!("exp is {end}"))
        }
        "none" => None,
        name => Some(format!("{name} is {}", claims.get(name)?)),
    }
}
