use std::borrow::Cow;

use super::Rules;
use super::escape::{encode, reencode};

/// Appends the canonical path to `out`. `path` is the wire's, still escaped.
///
/// Most services normalise the path of the wire (RFC 3986 §5.2.4, and `//` becomes `/`) and
/// escape it a second time; the S3 family takes it as it is and escapes once (IAM User Guide,
/// "Create a signed AWS API request", step 1).
pub fn canonical_path(path: &[u8], rules: Rules, out: &mut Vec<u8>) {
    let path = if rules.normalize_path {
        normalize(path)
    } else {
        Cow::Borrowed(path)
    };
    if path.is_empty() {
        out.push(b'/');
    } else if rules.double_encode {
        encode(&path, Some(b'/'), out);
    } else {
        reencode(&path, Some(b'/'), false, out);
    }
}

/// Removes `.`, `..` and empty segments. A path that ends with `/`, `/.` or `/..` keeps or
/// gets a final slash, as the RFC has it (botocore drops that of `/a/.`).
pub(crate) fn normalize(path: &[u8]) -> Cow<'_, [u8]> {
    let plain = path.first() == Some(&b'/')
        && !path
            .windows(2)
            .any(|pair| pair[0] == b'/' && matches!(pair[1], b'/' | b'.'));
    if plain {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut last = &b""[..];
    for segment in path.split(|b| *b == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
        last = segment;
    }
    let mut out = Vec::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push(b'/');
        out.extend_from_slice(segment);
    }
    if kept.is_empty() || matches!(last, b"" | b"." | b"..") {
        out.push(b'/');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(path: &str, rules: Rules) -> String {
        let mut out = Vec::new();
        canonical_path(path.as_bytes(), rules, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn common_paths_are_normalised_and_escaped_twice() {
        for (path, want) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/a//b/", "/a/b/"),
            ("/./a/../b", "/b"),
            ("/../..", "/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/.a/..b/...", "/.a/..b/..."),
            ("/a%20b/%zz", "/a%2520b/%25zz"),
            ("/a b/ü", "/a%20b/%C3%BC"),
            (
                "/2015-03-31/functions/arn%3Aaws",
                "/2015-03-31/functions/arn%253Aaws",
            ),
            ("/test/@connections/J%3D", "/test/%40connections/J%253D"),
        ] {
            assert_eq!(canonical(path, Rules::COMMON), want, "{path}");
        }
    }

    #[test]
    fn s3_paths_are_keys() {
        for (path, want) in [
            ("", "/"),
            ("/a//b/./../c", "/a//b/./../c"),
            ("/test$file.text", "/test%24file.text"),
            ("/a%2fb+c%2B", "/a/b%2Bc%2B"),
            ("/%7e%C3%bc", "/~%C3%BC"),
            ("/100%", "/100%25"),
        ] {
            assert_eq!(canonical(path, Rules::S3), want, "{path}");
        }
    }
}
