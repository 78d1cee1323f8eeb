use super::ClientAuth;
use super::Location;
use super::query::{is_named, pairs_of};
use super::view::split_target;

/// The headers that are a client's own authentication: taken off before signing anew.
/// `x-amz-content-sha256` is not among them; [`PayloadMode`](super::PayloadMode) decides what
/// becomes of it.
pub const AUTH_HEADERS: &[&str] = &[
    "authorization",
    "date",
    "x-amz-date",
    "x-amz-s3session-token",
    "x-amz-security-token",
];

/// The query parameters of a presigned request.
pub const AUTH_PARAMS: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-S3session-Token",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// Those of an S3 request presigned with Signature Version 2.
const SIGV2_PARAMS: &[&str] = &[
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "x-amz-security-token",
];

/// The name of an authentication header in lower case, if it is one.
pub fn is_auth_header(name: &[u8]) -> Option<&'static str> {
    AUTH_HEADERS
        .iter()
        .find(|candidate| name.eq_ignore_ascii_case(candidate.as_bytes()))
        .copied()
}

/// The target without the query parameters of `auth`, the others in their order and as they
/// were; `None` where there is nothing to take off.
pub fn strip_auth_params(target: &[u8], auth: &ClientAuth) -> Option<Vec<u8>> {
    let params = params_of(auth)?;
    let (_, _, Some(query)) = split_target(target) else {
        return None;
    };
    let is_auth = |pair: &&[u8]| params.iter().any(|name| is_named(pair, name));
    if !pairs_of(query).any(|pair| is_auth(&pair)) {
        return None;
    }
    let mut out = target[..target.len() - query.len() - 1].to_vec();
    let kept = query.split(|b| *b == b'&').filter(|pair| !is_auth(pair));
    for (position, pair) in kept.enumerate() {
        out.push(if position == 0 { b'?' } else { b'&' });
        out.extend_from_slice(pair);
    }
    Some(out)
}

fn params_of(auth: &ClientAuth) -> Option<&'static [&'static str]> {
    match auth {
        ClientAuth::SigV4(auth) if auth.location == Location::Query => Some(AUTH_PARAMS),
        ClientAuth::SigV2 {
            location: Location::Query,
            ..
        } => Some(SIGV2_PARAMS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RequestView, client_auth};
    use super::*;

    fn strip(target: &str) -> Option<String> {
        let view = RequestView {
            method: "GET",
            target: target.as_bytes(),
            headers: &[],
            payload: "",
        };
        strip_auth_params(target.as_bytes(), &client_auth(&view))
            .map(|target| String::from_utf8(target).unwrap())
    }

    #[test]
    fn only_authentication_is_taken_off() {
        let auth = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host\
            &X-Amz-Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(strip(&format!("/k?{auth}")).unwrap(), "/k");
        let mixed = format!("/k?b=%7e&{auth}&a=+&&c");
        assert_eq!(strip(&mixed).unwrap(), "/k?b=%7e&a=+&&c");
        assert_eq!(strip("/k?X-Amz-Date=1&a"), None);
        let sigv2 = "/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=abc%3D&Expires=1&versionId=2";
        assert_eq!(strip(sigv2).unwrap(), "/k?versionId=2");
    }
}
