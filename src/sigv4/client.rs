use super::query::param;
use super::scope::parse_http_date;
use super::view::{text_header, values};
use super::{ALGORITHM, AmzDate, RequestView, Scope};

const ALGORITHM_V4A: &str = "AWS4-ECDSA-P256-SHA256";

/// Where a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In `Authorization`.
    Header,
    /// In the query: presigned.
    Query,
}

/// What authentication a request carries. Values of signatures stay inside [`SigV4Auth`].
pub enum ClientAuth {
    /// None at all.
    None,
    /// Signature Version 4.
    SigV4(SigV4Auth),
    /// Signature Version 4a: asymmetric, for several regions.
    SigV4a(SigV4aAuth),
    /// Signature Version 2.
    SigV2 {
        /// Header or query.
        location: Location,
        /// The access key id.
        access_key_id: String,
    },
    /// `AWS4-X509-…`: IAM Roles Anywhere, signed with a certificate's private key.
    X509 {
        /// The whole algorithm name.
        algorithm: String,
    },
    /// `Bearer`.
    Bearer,
    /// `Basic`.
    Basic,
    /// Another scheme of `Authorization`.
    Other(String),
    /// It claims to be a signature and is not one.
    Malformed {
        /// Which part, and what is wrong with it; holds no value.
        what: &'static str,
    },
    /// In the header and in the query at once, which AWS refuses.
    Both,
}

/// A claim of Signature Version 4. It holds a signature: no `Debug`.
pub struct SigV4Auth {
    /// Header or query.
    pub location: Location,
    /// The access key id.
    pub access_key_id: String,
    /// The scope as the client wrote it.
    pub scope: Scope,
    /// In the client's order and case.
    pub signed_headers: Vec<String>,
    /// As sent.
    pub signature: String,
    /// `X-Amz-Date` as sent; where there is none, `Date` in the same form.
    pub amz_date: Option<String>,
    /// `X-Amz-Expires` in seconds, of a presigned request.
    pub expires: Option<u64>,
    /// Whether a session token is there.
    pub has_token: bool,
}

impl SigV4Auth {
    /// Whether a header is among those that the client signed.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers
            .iter()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    }
}

/// A claim of Signature Version 4a; its scope has no region.
pub struct SigV4aAuth {
    /// Header or query.
    pub location: Location,
    /// The access key id.
    pub access_key_id: String,
    /// `yyyymmdd`.
    pub date: String,
    /// The signing name.
    pub service: String,
    /// `X-Amz-Region-Set`, as sent.
    pub region_set: Option<String>,
}

/// Reads what authentication a request carries, in header and query.
pub fn client_auth(view: &RequestView<'_>) -> ClientAuth {
    let header = in_header(view);
    let query = view.query().and_then(|query| in_query(view, query));
    match (header, query) {
        (None, None) => ClientAuth::None,
        (Some(auth), None) | (None, Some(auth)) => auth,
        (Some(_), Some(_)) => ClientAuth::Both,
    }
}

fn in_header(view: &RequestView<'_>) -> Option<ClientAuth> {
    let mut all = values(view.headers, "authorization");
    let value = all.next()?;
    if all.next().is_some() {
        return Some(malformed("Authorization is there more than once"));
    }
    let Ok(value) = std::str::from_utf8(value) else {
        return Some(malformed("Authorization is not text"));
    };
    let value = value.trim();
    let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    Some(match scheme {
        "" => malformed("Authorization is empty"),
        ALGORITHM | ALGORITHM_V4A => signature_header(view, scheme, rest).unwrap_or_else(malformed),
        "AWS" => sigv2_header(rest).unwrap_or_else(malformed),
        _ if scheme.starts_with("AWS4-X509-") => ClientAuth::X509 {
            algorithm: scheme.to_owned(),
        },
        _ if scheme.eq_ignore_ascii_case("bearer") => ClientAuth::Bearer,
        _ if scheme.eq_ignore_ascii_case("basic") => ClientAuth::Basic,
        // A value without a scheme may be a bare token: it is not repeated.
        _ if rest.is_empty() => ClientAuth::Other(String::new()),
        _ => ClientAuth::Other(scheme.to_owned()),
    })
}

fn in_query(view: &RequestView<'_>, query: &[u8]) -> Option<ClientAuth> {
    let get = |name: &str| param(query, name);
    if let Some(algorithm) = get("X-Amz-Algorithm") {
        return Some(match algorithm.as_str() {
            ALGORITHM | ALGORITHM_V4A => {
                signature_query(view, &algorithm, get).unwrap_or_else(malformed)
            }
            _ if algorithm.starts_with("AWS4-X509-") => ClientAuth::X509 { algorithm },
            _ => ClientAuth::Other(algorithm),
        });
    }
    if get("X-Amz-Signature").is_some() || get("X-Amz-Credential").is_some() {
        return Some(malformed("X-Amz-Algorithm is missing"));
    }
    let access_key_id = get("AWSAccessKeyId")?;
    get("Signature")?;
    Some(ClientAuth::SigV2 {
        location: Location::Query,
        access_key_id,
    })
}

fn malformed(what: &'static str) -> ClientAuth {
    ClientAuth::Malformed { what }
}

/// The parts may be set apart by commas, white space or both.
fn signature_header(
    view: &RequestView<'_>,
    algorithm: &str,
    rest: &str,
) -> Result<ClientAuth, &'static str> {
    let (mut credential, mut signed, mut signature) = (None, None, None);
    for part in rest.split([',', ' ', '\t']).filter(|part| !part.is_empty()) {
        let slot = match part.split_once('=') {
            Some(("Credential", value)) => (&mut credential, value),
            Some(("SignedHeaders", value)) => (&mut signed, value),
            Some(("Signature", value)) => (&mut signature, value),
            _ => return Err("Authorization has a part that is none of its three"),
        };
        if slot.0.replace(slot.1).is_some() {
            return Err("Authorization has a part twice");
        }
    }
    let claim = Claim {
        location: Location::Header,
        credential: credential.ok_or("Credential is missing")?,
        signed_headers: signed.ok_or("SignedHeaders is missing")?,
        signature: signature.ok_or("Signature is missing")?,
        amz_date: header_date(view),
        expires: None,
        region_set: text_header(view.headers, "x-amz-region-set").map(str::to_owned),
        has_token: view.has("x-amz-security-token") || view.has("x-amz-s3session-token"),
    };
    claim.read(algorithm)
}

fn signature_query(
    view: &RequestView<'_>,
    algorithm: &str,
    get: impl Fn(&str) -> Option<String>,
) -> Result<ClientAuth, &'static str> {
    let expires = match get("X-Amz-Expires") {
        Some(text) => Some(
            text.parse()
                .map_err(|_| "X-Amz-Expires is not a number of seconds")?,
        ),
        None => None,
    };
    let claim = Claim {
        location: Location::Query,
        credential: &get("X-Amz-Credential").ok_or("X-Amz-Credential is missing")?,
        signed_headers: &get("X-Amz-SignedHeaders").ok_or("X-Amz-SignedHeaders is missing")?,
        signature: &get("X-Amz-Signature").ok_or("X-Amz-Signature is missing")?,
        amz_date: get("X-Amz-Date").or_else(|| header_date(view)),
        expires,
        region_set: get("X-Amz-Region-Set"),
        has_token: get("X-Amz-Security-Token").is_some()
            || get("X-Amz-S3session-Token").is_some()
            || view.has("x-amz-security-token"),
    };
    claim.read(algorithm)
}

/// `X-Amz-Date` as it is; where there is none, `Date` as `X-Amz-Date` would write it.
fn header_date(view: &RequestView<'_>) -> Option<String> {
    if let Some(date) = text_header(view.headers, "x-amz-date") {
        return Some(date.to_owned());
    }
    let time = parse_http_date(text_header(view.headers, "date")?)?;
    AmzDate::new(time).map(|date| date.as_str().to_owned())
}

/// The parts of a claim before they are checked.
struct Claim<'a> {
    location: Location,
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    amz_date: Option<String>,
    expires: Option<u64>,
    region_set: Option<String>,
    has_token: bool,
}

impl Claim<'_> {
    fn read(self, algorithm: &str) -> Result<ClientAuth, &'static str> {
        if self.signed_headers.is_empty() {
            return Err("SignedHeaders is empty");
        }
        if self.signature.is_empty() {
            return Err("Signature is empty");
        }
        if algorithm == ALGORITHM {
            self.sigv4().map(ClientAuth::SigV4)
        } else {
            self.sigv4a().map(ClientAuth::SigV4a)
        }
    }

    fn sigv4(self) -> Result<SigV4Auth, &'static str> {
        let (access_key_id, scope) = split_credential(self.credential, 4)?;
        Ok(SigV4Auth {
            location: self.location,
            access_key_id: access_key_id.to_owned(),
            scope: Scope::parse(scope)?,
            signed_headers: self.signed_headers.split(';').map(str::to_owned).collect(),
            signature: self.signature.to_owned(),
            amz_date: self.amz_date,
            expires: self.expires,
            has_token: self.has_token,
        })
    }

    fn sigv4a(self) -> Result<SigV4aAuth, &'static str> {
        let (access_key_id, scope) = split_credential(self.credential, 3)?;
        let mut parts = scope.split('/').map(str::to_owned);
        Ok(SigV4aAuth {
            location: self.location,
            access_key_id: access_key_id.to_owned(),
            date: parts.next().unwrap_or_default(),
            service: parts.next().unwrap_or_default(),
            region_set: self.region_set,
        })
    }
}

/// The key id, which may itself hold slashes, and a scope of `parts` parts.
fn split_credential(credential: &str, parts: usize) -> Result<(&str, &str), &'static str> {
    let at = credential
        .rmatch_indices('/')
        .nth(parts - 1)
        .map(|(at, _)| at)
        .ok_or("Credential does not have all of its parts")?;
    match credential.split_at(at) {
        ("", _) => Err("Credential has no access key id"),
        (id, scope) => Ok((id, &scope[1..])),
    }
}

fn sigv2_header(rest: &str) -> Result<ClientAuth, &'static str> {
    match rest.trim().rsplit_once(':') {
        Some((id, signature)) if !id.is_empty() && !signature.is_empty() => Ok(ClientAuth::SigV2 {
            location: Location::Header,
            access_key_id: id.to_owned(),
        }),
        _ => Err("Authorization of Signature Version 2 is not AWS id:signature"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(target: &str, headers: &[(&str, &str)]) -> ClientAuth {
        let headers: Vec<(&[u8], &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        client_auth(&RequestView {
            method: "GET",
            target: target.as_bytes(),
            headers: &headers,
            payload: "",
        })
    }

    fn of_header(value: &str) -> ClientAuth {
        auth("/", &[("Authorization", value)])
    }

    fn fault(auth: &ClientAuth) -> &'static str {
        match auth {
            ClientAuth::Malformed { what } => what,
            _ => panic!("not malformed"),
        }
    }

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
        SignedHeaders=host;x-amz-date, Signature=00";

    #[test]
    fn a_signature_in_the_header_is_read_whatever_sets_its_parts_apart() {
        for value in [
            GOOD.to_owned(),
            GOOD.replace(", ", ","),
            GOOD.replace(", ", " "),
            GOOD.replace(", ", " ,\t"),
        ] {
            let headers = [
                ("authorization", value.as_str()),
                ("X-Amz-Date", "20150830T123600Z"),
            ];
            let ClientAuth::SigV4(auth) = auth("/", &headers) else {
                panic!("{value}")
            };
            assert_eq!(auth.access_key_id, "AKIDEXAMPLE");
            assert_eq!(
                auth.scope.to_string(),
                "20150830/us-east-1/iam/aws4_request"
            );
            assert_eq!(auth.signed_headers, ["host", "x-amz-date"]);
            assert_eq!(auth.signature, "00");
            assert_eq!(auth.amz_date.as_deref(), Some("20150830T123600Z"));
            assert!(!auth.has_token && auth.expires.is_none());
        }
    }

    #[test]
    fn a_date_header_serves_where_there_is_no_x_amz_date() {
        let headers = [
            ("authorization", GOOD),
            ("date", "Sun, 30 Aug 2015 12:36:00 GMT"),
        ];
        let ClientAuth::SigV4(auth) = auth("/", &headers) else {
            panic!()
        };
        assert_eq!(auth.amz_date.as_deref(), Some("20150830T123600Z"));
    }

    #[test]
    fn other_kinds_are_told_apart() {
        assert!(matches!(auth("/?a=b", &[]), ClientAuth::None));
        assert!(matches!(of_header("Bearer x"), ClientAuth::Bearer));
        assert!(matches!(of_header("basic x"), ClientAuth::Basic));
        assert!(matches!(of_header("Negotiate x"), ClientAuth::Other(s) if s == "Negotiate"));
        assert!(matches!(of_header("eyJhbGciOi"), ClientAuth::Other(s) if s.is_empty()));
        assert!(matches!(
            of_header("AWS4-X509-RSA-SHA256 Credential=1"),
            ClientAuth::X509 { .. }
        ));
        assert!(matches!(
            of_header("AWS AKIDEXAMPLE:abc="),
            ClientAuth::SigV2 { location: Location::Header, access_key_id } if access_key_id == "AKIDEXAMPLE"
        ));
        let v4a = GOOD
            .replace("HMAC-SHA256", "ECDSA-P256-SHA256")
            .replace("us-east-1/", "");
        assert!(matches!(
            auth("/", &[("authorization", &v4a), ("x-amz-region-set", "*")]),
            ClientAuth::SigV4a(auth) if auth.service == "iam" && auth.region_set.as_deref() == Some("*")
        ));
        let presigned = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b%2F20150830%2Fr%2Fs3%2Faws4_request\
            &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Brange\
            &X-Amz-Security-Token=t&X-Amz-Signature=00";
        assert!(matches!(
            auth(presigned, &[]),
            ClientAuth::SigV4(auth) if auth.location == Location::Query && auth.access_key_id == "a/b"
                && auth.expires == Some(60) && auth.has_token && auth.signs("Range")
        ));
        assert!(matches!(
            auth(presigned, &[("authorization", "x y")]),
            ClientAuth::Both
        ));
    }

    #[test]
    fn the_malformed_part_is_named() {
        for (value, what) in [
            (GOOD.replace("Signature=00", ""), "Signature is missing"),
            (
                GOOD.replace("Signature=00", "Signature="),
                "Signature is empty",
            ),
            (
                GOOD.replace("host;x-amz-date", ""),
                "SignedHeaders is empty",
            ),
            (
                GOOD.replace("AKIDEXAMPLE", ""),
                "Credential has no access key id",
            ),
            (
                GOOD.replace("Credential", "Cred"),
                "Authorization has a part that is none of its three",
            ),
            (
                GOOD.replace("AKIDEXAMPLE/20150830/", ""),
                "Credential does not have all of its parts",
            ),
            (
                GOOD.replace("aws4_request", "aws4"),
                "the credential scope does not end with aws4_request",
            ),
            (
                GOOD.replace("Signature=00", "Signature=0, Signature=0"),
                "Authorization has a part twice",
            ),
            (
                "AWS x".to_owned(),
                "Authorization of Signature Version 2 is not AWS id:signature",
            ),
            (String::new(), "Authorization is empty"),
        ] {
            assert_eq!(fault(&of_header(&value)), what, "{value}");
        }
        let twice = auth("/", &[("authorization", GOOD), ("Authorization", GOOD)]);
        assert_eq!(fault(&twice), "Authorization is there more than once");
        let bare = auth("/?X-Amz-Signature=0", &[]);
        assert_eq!(fault(&bare), "X-Amz-Algorithm is missing");
    }
}
