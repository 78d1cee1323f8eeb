use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use super::escape::encode;
use super::select::signed_names;
use super::strip::is_auth_header;
use super::view::split_target;
use super::{
    ALGORITHM, AmzDate, Canonical, ChunkSeed, Header, KeyCache, Location, RequestView, Rules,
    Scope, SigningKey, canonicalise, string_to_sign,
};
use crate::secret::{Credentials, Secret};

/// A week: the longest that a presigned URL may live, in seconds.
const LONGEST_EXPIRY: u64 = 604_800;

/// Everything that a signature depends on.
#[derive(Clone, Copy)]
pub struct SigningInput<'a> {
    /// Who signs.
    pub credentials: &'a Credentials,
    /// The region of the scope.
    pub region: &'a str,
    /// The signing name.
    pub service: &'a str,
    /// The signing instant.
    pub time: SystemTime,
    /// Usually [`Rules::for_signing_name`].
    pub rules: Rules,
    /// The request as it will be sent, with `Host`, without any authentication.
    pub view: RequestView<'a>,
    /// Further names to sign: what the client had signed and is forwarded unchanged.
    pub also: &'a [&'a str],
}

/// Why nothing was signed. None of these depends on the value of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The view has neither a `Host` header nor an absolute target.
    #[error("the request has no host to sign")]
    NoHost,
    /// The caller left the inbound authentication in the view.
    #[error("the request still carries authentication of its own ({0})")]
    InboundAuth(&'static str),
    /// Secret access keys are text.
    #[error("the secret access key is not text")]
    Secret,
    /// `X-Amz-Date` has four digits for the year.
    #[error("the signing time is outside the years 0 to 9999")]
    Time,
    /// Presigned URLs live from one second to a week.
    #[error("a presigned URL lives from 1 to 604800 seconds")]
    Expires,
}

/// What was signed, and what to add to the request. It holds a valid signature and perhaps a
/// session token: no `Debug`.
pub struct Signed {
    /// Where the signature goes.
    pub location: Location,
    /// To be added to the request; names in lower case. Empty when presigned, unless the
    /// session token is not part of the signature.
    pub headers_added: Vec<(&'static str, Secret)>,
    /// The new target of a presigned request.
    pub target: Option<Vec<u8>>,
    /// 64 digits of lower-case hex.
    pub signature: String,
    /// The canonical request and its parts.
    pub canonical: Canonical,
    /// What the signature is over.
    pub string_to_sign: String,
    /// The credential scope.
    pub scope: Scope,
    /// The signing instant as it is sent.
    pub amz_date: AmzDate,
    /// `X-Amz-Expires`, in seconds.
    pub expires: Option<u64>,
    key: Arc<SigningKey>,
}

impl Signed {
    /// The signed names: lower case, sorted.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.canonical.signed_headers().split(';')
    }

    /// From where the signatures of an `aws-chunked` body go on.
    pub fn chunk_seed(&self) -> ChunkSeed {
        ChunkSeed::new(
            Arc::clone(&self.key),
            self.amz_date.as_str(),
            &self.scope,
            &self.signature,
        )
    }
}

/// Signs with an `Authorization` header. It adds that, `x-amz-date`, the session token, and
/// `x-amz-content-sha256` where the rules ask for it and the request has none.
pub fn sign_headers(input: &SigningInput<'_>, cache: &KeyCache) -> Result<Signed, SignError> {
    let draft = Draft::new(input, cache)?;
    let (rules, view, amz_date) = (input.rules, input.view, draft.amz_date);
    let token = input.credentials.session_token.as_ref();
    let mut headers: Vec<Header<'_>> = Vec::with_capacity(view.headers.len() + 3);
    headers.extend_from_slice(view.headers);
    headers.push((b"x-amz-date", amz_date.as_str().as_bytes()));
    if let Some(token) = token {
        headers.push((rules.token_name.header().as_bytes(), token.expose()));
    }
    let adds_hash = rules.content_sha256 && !view.has("x-amz-content-sha256");
    if adds_hash {
        headers.push((b"x-amz-content-sha256", view.payload.as_bytes()));
    }
    let names = signed_names(&headers, input.also, rules);
    let view = RequestView {
        headers: &headers,
        ..view
    };
    let mut signed = draft.sign(&view, rules, &names);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
        input.credentials.access_key_id,
        signed.scope,
        signed.canonical.signed_headers(),
        signed.signature,
    );
    let added = &mut signed.headers_added;
    added.reserve_exact(4);
    added.push(("x-amz-date", Secret::new(signed.amz_date.as_str())));
    if let Some(token) = token {
        added.push((rules.token_name.header(), Secret::new(token.expose())));
    }
    if adds_hash {
        added.push(("x-amz-content-sha256", Secret::new(view.payload)));
    }
    added.push(("authorization", Secret::new(authorization)));
    Ok(signed)
}

/// Signs with query parameters that are appended to the target; the parameters that are there
/// stay as they are. `view.payload` is [`presigned_payload`](super::presigned_payload).
pub fn presign(
    input: &SigningInput<'_>,
    cache: &KeyCache,
    expires_s: u64,
) -> Result<Signed, SignError> {
    if !(1..=LONGEST_EXPIRY).contains(&expires_s) {
        return Err(SignError::Expires);
    }
    let draft = Draft::new(input, cache)?;
    let names = signed_names(input.view.headers, input.also, input.rules);
    let token = input.credentials.session_token.as_ref();
    let mut target = input.view.target.to_vec();
    let expires = expires_s.to_string();
    let credential = format!("{}/{}", input.credentials.access_key_id, draft.scope);
    for (name, value) in [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", draft.amz_date.as_str()),
        ("X-Amz-Expires", &expires),
        ("X-Amz-SignedHeaders", &names.join(";")),
    ] {
        append(&mut target, name, value.as_bytes());
    }
    let token_param = token.map(|token| (input.rules.token_name.param(), token.expose()));
    if let Some((name, token)) = token_param {
        append(&mut target, name, token);
    }
    let view = RequestView {
        target: &target,
        ..input.view
    };
    let mut signed = draft.sign(&view, input.rules, &names);
    append(&mut target, "X-Amz-Signature", signed.signature.as_bytes());
    signed.location = Location::Query;
    signed.expires = Some(expires_s);
    signed.target = Some(target);
    Ok(signed)
}

fn append(target: &mut Vec<u8>, name: &str, value: &[u8]) {
    match split_target(target).2 {
        None => target.push(b'?'),
        Some([] | [.., b'&']) => {}
        Some(_) => target.push(b'&'),
    }
    target.extend_from_slice(name.as_bytes());
    target.push(b'=');
    encode(value, None, target);
}

/// What both locations begin with.
struct Draft {
    amz_date: AmzDate,
    scope: Scope,
    key: Arc<SigningKey>,
}

impl Draft {
    fn new(input: &SigningInput<'_>, cache: &KeyCache) -> Result<Self, SignError> {
        check(&input.view)?;
        let amz_date = AmzDate::new(input.time).ok_or(SignError::Time)?;
        let scope = Scope::new(&amz_date, input.region, input.service);
        let key = cache
            .key(input.credentials, &scope)
            .ok_or(SignError::Secret)?;
        Ok(Self {
            amz_date,
            scope,
            key,
        })
    }

    fn sign(self, view: &RequestView<'_>, rules: Rules, names: &[Cow<'_, str>]) -> Signed {
        let canonical = canonicalise(view, rules, names);
        let date = self.amz_date.as_str();
        let string_to_sign = string_to_sign(ALGORITHM, date, &self.scope, &canonical);
        Signed {
            location: Location::Header,
            headers_added: Vec::new(),
            target: None,
            signature: self.key.sign(string_to_sign.as_bytes()),
            canonical,
            string_to_sign,
            scope: self.scope,
            amz_date: self.amz_date,
            expires: None,
            key: self.key,
        }
    }
}

fn check(view: &RequestView<'_>) -> Result<(), SignError> {
    for (name, _) in view.headers {
        // A `Date` may be the client's own business.
        if let Some(name) = is_auth_header(name).filter(|name| *name != "date") {
            return Err(SignError::InboundAuth(name));
        }
    }
    if !view.has("host") && view.authority().is_none() {
        return Err(SignError::NoHost);
    }
    Ok(())
}
