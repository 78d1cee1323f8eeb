//! A difference in words: what happened to the request between signer and AWS.

use percent_encoding::percent_decode_str;

use super::parts::{Component, Difference};

/// Headers that proxies and HTTP libraries write anew.
const REWRITTEN: [&str; 9] = [
    "accept-encoding",
    "connection",
    "user-agent",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "via",
    "expect",
    "cache-control",
];

/// One sentence. Values are named by the evidence, which is masked by place; only what is
/// never secret is repeated here.
pub(super) fn sentence(difference: &Difference) -> String {
    let (ours, theirs) = (difference.ours.as_deref(), difference.theirs.as_deref());
    let (a, b) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    match &difference.component {
        Component::Method => {
            format!("the method was changed after signing: {a} was signed, AWS saw {b}")
        }
        Component::Path => format!("the path is another: {}", path(a, b)),
        Component::Query(name) => format!(
            "{} (query parameter {})",
            query(ours, theirs),
            percent_decode_str(name).decode_utf8_lossy()
        ),
        Component::Header(name) => header(name, ours, theirs),
        Component::SignedHeaders => signed(a, b),
        Component::Payload => payload(a, b),
        Component::Algorithm => {
            format!("the algorithm is another: {a} was signed, AWS expects {b}")
        }
        Component::Date => {
            format!("the time is another: {a} was signed, AWS read {b} (X-Amz-Date wins over Date)")
        }
        Component::ScopeDate => format!("the scope's day is another: {a} was signed, AWS uses {b}"),
        Component::ScopeRegion => {
            format!("the scope's region is another: {a} was signed, AWS uses {b}")
        }
        Component::ScopeService => {
            format!("the scope's service is another: {a} was signed, AWS uses {b}")
        }
        Component::Form => {
            "the two texts are not of one form: lines are missing or too many".to_owned()
        }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn path(ours: &str, theirs: &str) -> &'static str {
    let (once, other) = (decoded(ours), decoded(theirs));
    let squeeze = |text: &str| {
        let mut text = text.to_owned();
        while text.contains("//") {
            text = text.replace("//", "/");
        }
        text
    };
    if ours.trim_end_matches('/') == theirs.trim_end_matches('/') {
        "the slash at its end was put on or taken off after signing"
    } else if squeeze(ours) == squeeze(theirs) {
        "double slashes were merged after signing, or signed as one"
    } else if once == theirs || decoded(&once) == other {
        "something decoded the path after signing, or it was escaped twice where AWS escapes once"
    } else if other == ours || decoded(&other) == once {
        "something escaped the path again after signing, or it was escaped once where AWS escapes twice"
    } else if ours.eq_ignore_ascii_case(theirs) {
        "its letters' case was changed after signing"
    } else if theirs.ends_with(ours) {
        "something put a prefix before it after signing"
    } else if ours.ends_with(theirs) {
        "something took a prefix off after signing (a proxy's base path)"
    } else if once.replace('+', " ") == other.replace('+', " ") {
        "plus and blank were taken for one another"
    } else {
        "something rewrote it after signing"
    }
}

fn query(ours: Option<&str>, theirs: Option<&str>) -> &'static str {
    match (ours, theirs) {
        (Some(_), None) => "a parameter was signed and did not reach AWS: something took it off",
        (None, Some(_)) => {
            "AWS saw a parameter that was not signed: something added it after signing"
        }
        (Some(a), Some(b))
            if decoded(a) == b
                || decoded(b) == a
                || decoded(&decoded(a)) == decoded(&decoded(b)) =>
        {
            "a parameter was escaped or unescaped after signing"
        }
        (Some(a), Some(b)) if decoded(a).replace('+', " ") == decoded(b).replace('+', " ") => {
            "plus and blank were taken for one another"
        }
        (Some(a), Some(b)) if a.split('&').count() != b.split('&').count() => {
            "a parameter is there another number of times"
        }
        _ => "a parameter's value was changed after signing",
    }
}

fn header(name: &str, ours: Option<&str>, theirs: Option<&str>) -> String {
    let (a, b) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    let how = match name {
        _ if theirs.is_none() || (b.is_empty() && !a.is_empty()) => {
            "a signed header did not reach AWS"
        }
        _ if ours.is_none() || (a.is_empty() && !b.is_empty()) => {
            "a header was not there when the request was signed"
        }
        "host" if bare(a) == bare(b) => "the port was put on or taken off after signing",
        "host" => "it was signed for one host and sent to another",
        "content-type" if kind(a) == kind(b) => "a charset or boundary was changed after signing",
        "content-length" => "the body's length is another: it was changed or coded after signing",
        "x-amz-date" => "the date was set anew after signing",
        "x-amz-security-token" => "the session token is another than the one that was signed",
        "x-amz-content-sha256" => "the body's hash was changed after signing",
        _ if a.split_whitespace().eq(b.split_whitespace()) => "blanks in a header were changed",
        _ if a.eq_ignore_ascii_case(b) => "the case of a header's value was changed",
        _ if REWRITTEN.contains(&name) => {
            "a header was signed that proxies and HTTP libraries write anew"
        }
        _ => "a header was changed after signing",
    };
    // A name and a colon would read as a header with its value, which is masked.
    format!("{how} (header {name})")
}

fn bare(host: &str) -> &str {
    host.split(':').next().unwrap_or(host)
}

fn kind(content_type: &str) -> &str {
    content_type
        .split(';')
        .next()
        .unwrap_or(content_type)
        .trim()
}

fn signed(ours: &str, theirs: &str) -> String {
    let only = |of: &str, not: &str| -> Vec<String> {
        of.split(';')
            .filter(|name| !not.split(';').any(|other| other == *name))
            .map(str::to_owned)
            .collect()
    };
    let (extra, missing) = (only(ours, theirs), only(theirs, ours));
    match (extra.as_slice(), missing.as_slice()) {
        ([], []) => {
            "the list of signed headers is ordered otherwise: it must be lower case and sorted"
                .to_owned()
        }
        (extra, []) => format!(
            "the list of signed headers has {} too many: AWS did not count it in",
            extra.join(", ")
        ),
        ([], missing) => format!(
            "the list of signed headers lacks {}, which AWS counted in",
            missing.join(", ")
        ),
        (extra, missing) => {
            format!(
                "the list of signed headers is another: {} instead of {}",
                extra.join(", "),
                missing.join(", ")
            )
        }
    }
}

fn payload(ours: &str, theirs: &str) -> String {
    let empty = crate::sigv4::EMPTY_SHA256;
    let how = match (ours, theirs) {
        (a, b) if a == empty && b != empty => "an empty body was hashed, and the body is not empty",
        (a, b) if a != empty && b == empty => "AWS saw an empty body: it was lost on the way",
        ("UNSIGNED-PAYLOAD", _) => {
            "UNSIGNED-PAYLOAD was signed, which AWS takes only from S3 over TLS or where it is declared"
        }
        (_, "UNSIGNED-PAYLOAD") => "the body's hash was signed and UNSIGNED-PAYLOAD declared",
        (a, b) if a.starts_with("STREAMING-") != b.starts_with("STREAMING-") => {
            "a body in signed chunks was taken for a plain one, or the other way"
        }
        (a, b) if a.eq_ignore_ascii_case(b) => "the hash must be in lower case",
        _ => "the body was changed after it was hashed",
    };
    format!("the payload's hash is another: {how}")
}
