/// A header as it was on the wire: name and value, raw.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request as it is signed or verified: raw bytes in the order of arrival.
///
/// It holds no secret of its own, but its headers may; hence no `Debug`.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// As sent; AWS's canonical form takes it as it is.
    pub method: &'a str,
    /// The request target as sent: `/path?query`, or absolute (`http://host/path?query`).
    pub target: &'a [u8],
    /// Without line ends; a folded line is one value, joined by a space.
    pub headers: &'a [Header<'a>],
    /// The last line of the canonical request: a SHA-256 in hex or one of the literals of
    /// `x-amz-content-sha256`.
    pub payload: &'a str,
}

impl<'a> RequestView<'a> {
    /// The path, still escaped; empty where the target has none.
    pub fn path(&self) -> &'a [u8] {
        split_target(self.target).1
    }

    /// What follows the first `?`, still escaped; `None` without a `?`.
    pub fn query(&self) -> Option<&'a [u8]> {
        split_target(self.target).2
    }

    /// The authority of an absolute target.
    pub fn authority(&self) -> Option<&'a [u8]> {
        split_target(self.target).0
    }

    /// The first value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        header(self.headers, name)
    }

    /// Whether the query has a bare `+`, which is read as a space by some and as itself by
    /// others; it is signed as `%20`.
    pub fn has_bare_plus(&self) -> bool {
        self.query().is_some_and(|query| query.contains(&b'+'))
    }

    /// Whether a header of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.header(name).is_some()
    }
}

/// The first value of a header, by its name in any case.
pub(crate) fn header<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a [u8]> {
    values(headers, name).next()
}

/// Every value of a header, in the order of arrival.
pub(crate) fn values<'a, 'h>(
    headers: &'h [Header<'a>],
    name: &'h str,
) -> impl Iterator<Item = &'a [u8]> + 'h {
    headers
        .iter()
        .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| *value)
}

/// The first value of a header as text; `None` also where it is not UTF-8.
pub(crate) fn text_header<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a str> {
    header(headers, name)
        .and_then(|value| std::str::from_utf8(value).ok())
        .map(str::trim)
}

/// Authority of an absolute target, path, and query without its `?`.
pub(crate) fn split_target(target: &[u8]) -> (Option<&[u8]>, &[u8], Option<&[u8]>) {
    let (authority, rest) = match absolute(target) {
        Some(after) => {
            let end = after
                .iter()
                .position(|b| matches!(b, b'/' | b'?'))
                .unwrap_or(after.len());
            (Some(&after[..end]), &after[end..])
        }
        None => (None, target),
    };
    match memchr::memchr(b'?', rest) {
        Some(at) => (authority, &rest[..at], Some(&rest[at + 1..])),
        None => (authority, rest, None),
    }
}

fn absolute(target: &[u8]) -> Option<&[u8]> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let (head, rest) = target.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    })
}

/// The `Host` value for an authority: lower case, without the default port of the scheme,
/// without user information (IAM User Guide, "Create a signed AWS API request").
pub fn host_value(authority: &str, scheme: &str) -> String {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let default = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else {
        ":80"
    };
    host.strip_suffix(default)
        .unwrap_or(host)
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_without_touching_its_bytes() {
        let split = |target: &'static str| {
            let (authority, path, query) = split_target(target.as_bytes());
            let text = |bytes| std::str::from_utf8(bytes).unwrap();
            (authority.map(text), text(path), query.map(text))
        };
        assert_eq!(split("/a//b?x=1?y"), (None, "/a//b", Some("x=1?y")));
        assert_eq!(split(""), (None, "", None));
        assert_eq!(split("/?"), (None, "/", Some("")));
        assert_eq!(split("HTTP://h:1?x"), (Some("h:1"), "", Some("x")));
        assert_eq!(split("https://h/a"), (Some("h"), "/a", None));
        assert_eq!(split("//h/a"), (None, "//h/a", None));
    }

    #[test]
    fn the_default_port_is_not_part_of_the_host() {
        assert_eq!(
            host_value("S3.Amazonaws.com:443", "https"),
            "s3.amazonaws.com"
        );
        assert_eq!(host_value("h:443", "http"), "h:443");
        assert_eq!(host_value("h:80", "http"), "h");
        assert_eq!(host_value("h:8443", "https"), "h:8443");
        assert_eq!(host_value("[::1]:80", "http"), "[::1]");
        assert_eq!(host_value("user:pw@h", "https"), "h");
    }
}
