use std::borrow::Cow;

use super::canonical::lower;
use super::{Header, Rules};

/// Never signed, whoever asks: they belong to one connection or are changed on the way
/// (botocore `SIGNED_HEADERS_BLACKLIST`, aws-c-auth's skip list).
const NEVER: &[&str] = &[
    "authorization",
    "baggage",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

const ALWAYS: &[&str] = &["content-md5", "content-type", "host"];

/// The names to sign, lower case, sorted, each once: `host`, every `x-amz-*`, `content-type`,
/// `content-md5`, `content-encoding` where it says `aws-chunked`, and those of `also` (what
/// the client had signed) that are among the headers. Never hop-by-hop headers, nor those that
/// proxies change.
pub fn signed_names<'a>(headers: &[Header<'a>], also: &[&str], rules: Rules) -> Vec<Cow<'a, str>> {
    let mut names = Vec::with_capacity(headers.len() + 1);
    names.push(Cow::Borrowed("host"));
    for (name, value) in headers {
        if is_signed(name, value, also, rules)
            && let Ok(name) = std::str::from_utf8(name)
        {
            names.push(lower(name));
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn is_signed(name: &[u8], value: &[u8], also: &[&str], rules: Rules) -> bool {
    let among = |list: &[&str]| {
        list.iter()
            .any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
    };
    if has_amz_prefix(name) {
        return rules.token_signed || !among(&[rules.token_name.header()]);
    }
    let unsigned = among(NEVER) || (rules.length_unsigned && among(&["content-length"]));
    !unsigned
        && (among(ALWAYS) || among(also) || (among(&["content-encoding"]) && is_aws_chunked(value)))
}

/// Whether a header is one of `x-amz-*`, which S3 wants to be signed.
pub(crate) fn has_amz_prefix(name: &[u8]) -> bool {
    name.get(..6)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"x-amz-"))
}

fn is_aws_chunked(value: &[u8]) -> bool {
    value
        .split(|b| *b == b',')
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"aws-chunked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &[(&str, &str)], also: &[&str], service: &str) -> String {
        let headers: Vec<Header<'_>> = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        signed_names(&headers, also, Rules::for_signing_name(service)).join(";")
    }

    #[test]
    fn a_small_set_is_signed() {
        let headers = [
            ("Host", "h"),
            ("X-Amz-Meta-B", "1"),
            ("x-amz-meta-b", "2"),
            ("Content-Type", "text/plain"),
            ("Content-Encoding", "gzip, AWS-Chunked"),
            ("Content-Length", "5"),
            ("User-Agent", "x"),
            ("X-Amzn-Trace-Id", "x"),
            ("Range", "bytes=0-9"),
            ("Accept", "*/*"),
        ];
        let base = "content-encoding;content-type;host;x-amz-meta-b";
        assert_eq!(names(&headers, &[], "s3"), base);
        let also = ["range", "user-agent", "content-length", "gone"];
        let with_range = "content-encoding;content-length;content-type;host;range;x-amz-meta-b";
        assert_eq!(names(&headers, &also, "s3"), with_range);
        let without_length = "content-encoding;content-type;host;range;x-amz-meta-b";
        assert_eq!(names(&headers, &also, "aoss"), without_length);
        assert_eq!(names(&[("content-encoding", "gzip")], &[], "s3"), "host");
    }
}
