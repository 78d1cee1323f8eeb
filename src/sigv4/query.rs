use std::ops::Range;

use super::Rules;
use super::escape::{decode, reencode};

/// Appends the canonical query to `out`: every name and value escaped anew, sorted by escaped
/// name, then by escaped value, in byte order; `name=` where there is no value; without
/// `X-Amz-Signature` (IAM User Guide, "Create a signed AWS API request", step 1).
///
/// A bare `+` counts as a space. A pair without name and value (`a&&b`) counts for nothing.
pub fn canonical_query(query: &[u8], rules: Rules, out: &mut Vec<u8>) {
    let mut escaped = Vec::with_capacity(query.len() + 16);
    let mut pairs: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for pair in pairs_of(query) {
        let (name, value) = split(pair);
        let name = append(name, &mut escaped);
        if is_left_out(&escaped[name.clone()], rules) {
            continue;
        }
        pairs.push((name, append(value, &mut escaped)));
    }
    pairs.sort_by(|a, b| {
        let key = |pair: &(Range<usize>, Range<usize>)| {
            (&escaped[pair.0.clone()], &escaped[pair.1.clone()])
        };
        key(a).cmp(&key(b))
    });
    for (position, (name, value)) in pairs.into_iter().enumerate() {
        if position > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(&escaped[name]);
        out.push(b'=');
        out.extend_from_slice(&escaped[value]);
    }
}

fn append(part: &[u8], escaped: &mut Vec<u8>) -> Range<usize> {
    let start = escaped.len();
    reencode(part, None, true, escaped);
    start..escaped.len()
}

fn is_left_out(name: &[u8], rules: Rules) -> bool {
    name == b"X-Amz-Signature"
        || (!rules.token_signed && name == rules.token_name.param().as_bytes())
}

/// The pairs between `&`, raw, the empty ones left out.
pub(crate) fn pairs_of(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|b| *b == b'&').filter(|pair| !pair.is_empty())
}

/// Name and value, raw; the value is empty where there is no `=`.
pub(crate) fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

/// Whether the raw name of a pair is `name`, in any case and however escaped.
pub(crate) fn is_named(pair: &[u8], name: &str) -> bool {
    let raw = split(pair).0;
    raw.eq_ignore_ascii_case(name.as_bytes())
        || (raw.contains(&b'%') && decode(raw).eq_ignore_ascii_case(name.as_bytes()))
}

/// The first parameter of that name, unescaped; lossy where it is not UTF-8.
pub(crate) fn param(query: &[u8], name: &str) -> Option<String> {
    let pair = pairs_of(query).find(|pair| is_named(pair, name))?;
    Some(String::from_utf8_lossy(&decode(split(pair).1)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(query: &str, rules: Rules) -> String {
        let mut out = Vec::new();
        canonical_query(query.as_bytes(), rules, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn parameters_are_sorted_by_their_escaped_bytes() {
        for (query, want) in [
            ("", ""),
            ("lifecycle", "lifecycle="),
            ("b=2&a=1&B=3", "B=3&a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("a=%7e/%2f", "a=~%2F%2F"),
            ("a==b", "a=%3Db"),
            ("a+b=c+d%2B", "a%20b=c%20d%2B"),
            ("&&a=1&&", "a=1"),
            ("=", "="),
            ("%zz=%", "%25zz=%25"),
            ("x=%ff", "x=%FF"),
            ("ü=é", "%C3%BC=%C3%A9"),
            ("z=1&X-Amz-Signature=abc", "z=1"),
            ("p?q=1", "p%3Fq=1"),
        ] {
            assert_eq!(canonical(query, Rules::COMMON), want, "{query}");
        }
    }

    #[test]
    fn a_token_that_is_added_afterwards_is_not_canonical() {
        let rules = Rules::for_signing_name("iotdevicegateway");
        assert_eq!(canonical("a=1&X-Amz-Security-Token=t", rules), "a=1");
    }
}
