//! What is hidden for its name: headers, query and form parameters, members of any body.

use crate::aws::sensitive::PlainName;

/// How a value is hidden for where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A token, named after its prefix.
    Token,
    /// A secret with its label and expected length.
    Secret(&'static str, Option<usize>),
    /// A secret access key in a body.
    SecretKey,
    /// An access key id.
    KeyId,
    /// A key id with its credential scope behind it.
    Scope,
    /// A signature of version 4.
    Signature,
    /// An `Authorization` header.
    Authorization,
    /// A serial number, a blank and a code.
    Mfa,
    /// A URL whose parameters and password may be secret.
    Url,
    /// A canonical request or a string to sign.
    Canonical,
    /// The same as hexadecimal bytes.
    CanonicalHex,
    /// The caller's data, hidden on demand.
    Payload,
}

/// A header, by its name in any case.
pub(super) fn header(name: &str, payloads: bool) -> Option<Place> {
    let mut buffer = [0; 64];
    let lower = lower(name, &mut buffer)?;
    Some(match lower {
        "authorization" | "proxy-authorization" => Place::Authorization,
        "x-amz-security-token"
        | "x-amz-s3session-token"
        | "x-amz-sso_bearer_token"
        | "x-aws-ec2-metadata-token"
        | "x-amz-access-token"
        | "x-amz-bearer"
        | "x-auth-token"
        | "x-amzn-oidc-data"
        | "x-amzn-oidc-accesstoken"
        | "authentication"
        | "grafana-token" => Place::Token,
        "x-api-key" | "api-key" | "x-goog-api-key" | "cookie" | "set-cookie" => {
            Place::Secret("secret", None)
        }
        "x-amz-server-side-encryption-customer-key"
        | "x-amz-copy-source-server-side-encryption-customer-key" => {
            Place::Secret("SSE-C key", Some(44))
        }
        "x-amz-mfa" => Place::Mfa,
        "referer"
        | "location"
        | "content-location"
        | "link"
        | "x-amz-copy-source"
        | "x-amz-website-redirect-location" => Place::Url,
        "x-amz-server-side-encryption-customer-key-md5"
        | "x-amz-copy-source-server-side-encryption-customer-key-md5"
        | "x-amz-server-side-encryption-context"
        | "x-amz-client-context"
        | "x-amzn-sagemaker-custom-attributes"
            if payloads =>
        {
            Place::Payload
        }
        name if payloads && name.starts_with("x-amz-lex-") => Place::Payload,
        _ => return None,
    })
}

/// A query or form parameter, by its decoded name.
pub(super) fn parameter(name: &str, value: &str) -> Option<Place> {
    let mut buffer = [0; 64];
    Some(match lower(name, &mut buffer)? {
        "x-amz-signature" => Place::Signature,
        "signature" => Place::Secret("signature", None),
        "x-amz-credential" => Place::Scope,
        "awsaccesskeyid" => Place::KeyId,
        "x-amz-security-token"
        | "x-amz-s3session-token"
        | "signintoken"
        | "session"
        | "token"
        | "code"
        | "samlresponse"
        | "api_key"
        | "apikey"
        | "api-key"
        | "x-api-key"
        | "authstate" => Place::Token,
        "x-amz-server-side-encryption-customer-key" => Place::Secret("SSE-C key", Some(44)),
        // Location's API keys; elsewhere `key` is an innocent word.
        "key" if value.starts_with("v1.public.") => Place::Token,
        // A form's map or list numbers its members: `ProvidedContexts.member.1.ContextAssertion`.
        name => {
            return name
                .split('.')
                .find_map(|part| member(PlainName::new(part).as_str()));
        }
    })
}

/// A member of a body whose model is not known, by its name in lower case, letters and digits
/// only.
pub(super) fn member(plain: &str) -> Option<Place> {
    match plain {
        "secretaccesskey" => return Some(Place::SecretKey),
        "accesskeyid" | "awsaccesskeyid" => return Some(Place::KeyId),
        "canonicalrequest" | "stringtosign" => return Some(Place::Canonical),
        "canonicalrequestbytes" | "stringtosignbytes" => return Some(Place::CanonicalHex),
        "xamzsignature" => return Some(Place::Signature),
        _ => {}
    }
    if plain.len() < 6 {
        return None;
    }
    let secret = SECRET.binary_search(&plain).is_ok()
        || matches!(plain.as_bytes().last(), Some(b'y' | b'n' | b'd' | b't'))
            && ENDINGS.iter().any(|ending| plain.ends_with(ending));
    secret.then_some(Place::Token)
}

fn lower<'b>(name: &str, buffer: &'b mut [u8; 64]) -> Option<&'b str> {
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

/// Sorted.
const SECRET: [&str; 46] = [
    "apikeyvalue",
    "assertion",
    "authenticationcode1",
    "authenticationcode2",
    "authorizationtoken",
    "authparameters",
    "authtoken",
    "base32stringseed",
    "bearertoken",
    "challengeresponses",
    "clientassertion",
    "codeverifier",
    "contextassertion",
    "dbpassword",
    "devicecode",
    "hectoken",
    "idtoken",
    "keymaterial",
    "keystorepassword",
    "logins",
    "masteruserpassword",
    "newpassword",
    "oldpassword",
    "passphrase",
    "password",
    "passworddata",
    "plaintext",
    "presharedkey",
    "privatekeybase64",
    "privatekeyplaintext",
    "qrcodepng",
    "randompassword",
    "samlassertion",
    "secretbinary",
    "secrethash",
    "secretkey",
    "secretstring",
    "secrettoken",
    "servicecredentialsecret",
    "servicepassword",
    "sharedsecret",
    "signintoken",
    "subjecttoken",
    "tokencode",
    "tokenvalue",
    "tradeintoken",
];

/// Names that end so are secret whatever stands before: `AWS_SECRET_ACCESS_KEY`.
const ENDINGS: [&str; 9] = [
    "password",
    "secretaccesskey",
    "sessiontoken",
    "securitytoken",
    "accesstoken",
    "refreshtoken",
    "webidentitytoken",
    "clientsecret",
    "privatekey",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(SECRET.is_sorted());
    }

    #[test]
    fn names_are_told_apart() {
        for secret in [
            "SecretAccessKey",
            "AWS_SESSION_TOKEN",
            "NewPassword",
            "id_token",
        ] {
            assert!(
                member(PlainName::new(secret).as_str()).is_some(),
                "{secret}"
            );
        }
        for open in [
            "nextToken",
            "tokenType",
            "ClientToken",
            "Name",
            "Key",
            "PasswordPolicy",
        ] {
            assert_eq!(member(PlainName::new(open).as_str()), None, "{open}");
        }
    }
}
