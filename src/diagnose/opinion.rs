//! Asks the independent signer about what was sent.

use std::time::SystemTime;

use crate::capture::exchange::{SecondOpinion, Signing};
use crate::secret::Raw;
use crate::sigv4::{
    ClientAuth, KeyCache, Location, Opinion, RequestView, Rules, Scope, SigningInput,
    is_auth_header, presign, second_opinion, sign_headers, strip_auth_params,
};

/// Rebuilds what was signed from the head that was sent, and compares.
pub(super) fn ask(signing: &Signing, raw: &Raw, at: SystemTime) -> SecondOpinion {
    again(signing, raw, at).unwrap_or(SecondOpinion::NotAsked)
}

fn again(signing: &Signing, raw: &Raw, at: SystemTime) -> Option<SecondOpinion> {
    let sent = raw.sent.as_ref()?;
    let credentials = raw.signed_with.as_ref()?;
    let scope = Scope::parse(signing.credential_scope.as_deref()?).ok()?;
    let head = std::str::from_utf8(&sent.head).ok()?;
    let mut lines = head.split("\r\n");
    let mut start = lines.next()?.splitn(3, ' ');
    let (method, target) = (start.next()?, start.next()?.as_bytes());
    let all: Vec<(&[u8], &[u8])> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.as_bytes(), value.trim().as_bytes()))
        .collect();
    let auth = super::authentication(method, target, &all);
    let presigned = match &auth {
        ClientAuth::SigV4(auth) if auth.location == Location::Query => Some(auth.expires?),
        ClientAuth::SigV4(_) => None,
        _ => return None,
    };
    let target = strip_auth_params(target, &auth).unwrap_or_else(|| target.to_vec());
    let headers: Vec<_> = all
        .iter()
        .copied()
        .filter(|(name, _)| is_auth_header(name).is_none())
        .collect();
    let also: Vec<&str> = signing.signed_headers.iter().map(String::as_str).collect();
    let payload = signing.canonical_request.as_deref()?.rsplit('\n').next()?;
    let input = SigningInput {
        credentials,
        region: &scope.region,
        service: &scope.service,
        time: at,
        rules: Rules::for_signing_name(&scope.service),
        view: RequestView {
            method,
            target: &target,
            headers: &headers,
            payload,
        },
        also: &also,
    };
    let cache = KeyCache::new(1);
    let signed = match presigned {
        Some(expires) => presign(&input, &cache, expires),
        None => sign_headers(&input, &cache),
    };
    Some(match second_opinion(&input, &signed.ok()?) {
        Opinion::Agrees => SecondOpinion::Agrees,
        Opinion::Disagrees => SecondOpinion::Disagrees,
        Opinion::KnownDifference(_) => SecondOpinion::KnownDifference,
    })
}
