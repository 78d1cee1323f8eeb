//! STS in the query protocol (AWS STS API reference, 2011-06-15).

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hyper::Response;

use super::errors::{Fault, Ids, Shape, xml};
use super::keyring::Issued;
use super::policy::{self, Policy};
use super::reader::{Pair, lookup};
use super::server::{Call, Note, State};
use super::times;
use super::world::Principal;

pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const SHAPE: Shape = Shape::Query(NAMESPACE);
const GITHUB: &str = "https://token.actions.githubusercontent.com";

pub(super) fn answer(
    call: &Call<'_>,
    form: &[Pair],
    note: &mut Note,
) -> Result<Response<Bytes>, Fault> {
    let action = form_action(call, form);
    note.operation.clone_from(&action);
    let result = match action.as_str() {
        "GetCallerIdentity" => Ok(identity(call)),
        "AssumeRole" => assume_role(call, form),
        "GetSessionToken" => session_token(call, form),
        "GetAccessKeyInfo" => key_info(call, form),
        "DecodeAuthorizationMessage" => decode_message(call),
        other => Err(invalid_action(other)),
    }?;
    Ok(reply(NAMESPACE, &action, &result, call.ids))
}

/// The action from the form, or from the query of a presigned call.
pub(super) fn form_action(call: &Call<'_>, form: &[Pair]) -> String {
    lookup(form, "Action")
        .or_else(|| call.head.param("Action"))
        .unwrap_or_default()
}

pub(super) fn invalid_action(action: &str) -> Fault {
    let message = format!("The action {action} is not valid for this web service.");
    Fault::new(400, "InvalidAction", message)
}

/// `<ActionResponse><ActionResult>…`.
pub(super) fn reply(namespace: &str, action: &str, result: &str, ids: &Ids) -> Response<Bytes> {
    let body = format!(
        "<{action}Response xmlns=\"{namespace}\">\n  <{action}Result>\n{result}  </{action}Result>\n  \
         <ResponseMetadata>\n    <RequestId>{}</RequestId>\n  </ResponseMetadata>\n\
         </{action}Response>\n",
        ids.long
    );
    let mut reply = Response::new(Bytes::from(body));
    let kind = hyper::header::HeaderValue::from_static("text/xml");
    reply.headers_mut().insert("content-type", kind);
    reply
}

fn identity(call: &Call<'_>) -> String {
    let principal = &call.signed.principal;
    format!(
        "    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{}</Account>\n",
        xml(&principal.arn),
        xml(&principal.id),
        call.account()
    )
}

fn assume_role(call: &Call<'_>, form: &[Pair]) -> Result<String, Fault> {
    let arn = required(form, "RoleArn")?;
    let name = session_name(form)?;
    let external = lookup(form, "ExternalId").unwrap_or_default();
    let session = session_policy(form)?;
    let principal = &call.signed.principal;
    let denied =
        |why: &policy::Reason| Fault::denied(SHAPE, &principal.arn, "sts:AssumeRole", &arn, why);
    // A role that does not exist is denied like one that does not trust the caller.
    let found = role_parts(&arn).and_then(|(account, role)| call.state.world.role(account, role));
    let Some((account, role)) = found else {
        return Err(denied(&policy::Reason::Untold));
    };
    let aliases = principal.aliases();
    let who: Vec<&str> = aliases.iter().map(String::as_str).collect();
    let context: &[(&str, &str)] = match external.as_str() {
        "" => &[],
        id => &[("sts:ExternalId", id)],
    };
    let trust = policy::trusts(&role.trust, "sts:AssumeRole", &who, context);
    let stranger = account.id != call.account();
    trust.map_err(|why| match why {
        // Across accounts, and for a trust policy that is merely silent, AWS names no reason.
        policy::Reason::Implicit(_) if stranger => denied(&policy::Reason::Untold),
        why => denied(&why),
    })?;
    call.allow("sts:AssumeRole", &arn, call.account(), None)?;
    let chained = principal.entity.is_role;
    let lasts = duration(form, role.max_session, chained)?;
    let assumed = Principal::assumed(account, role, &name, session);
    let (assumed_arn, assumed_id) = (assumed.arn.clone(), assumed.id.clone());
    let issued = call.state.keyring.issue(assumed, call.now, lasts);
    Ok(format!(
        "    <AssumedRoleUser>\n      <AssumedRoleId>{}</AssumedRoleId>\n      <Arn>{}</Arn>\n    \
         </AssumedRoleUser>\n{}    <PackedPolicySize>0</PackedPolicySize>\n",
        xml(&assumed_id),
        xml(&assumed_arn),
        credentials(&issued)
    ))
}

fn session_token(call: &Call<'_>, form: &[Pair]) -> Result<String, Fault> {
    if call.signed.temporary {
        let message = "Cannot call GetSessionToken with session credentials";
        return Err(Fault::new(403, "AccessDenied", message));
    }
    if lookup(form, "TokenCode").is_some_and(|code| code != "123456") {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return Err(Fault::new(403, "AccessDenied", message));
    }
    let lasts = duration(form, 129_600, false)?;
    let principal = call.signed.principal.clone();
    let issued = call.state.keyring.issue(principal, call.now, lasts);
    Ok(credentials(&issued))
}

fn key_info(call: &Call<'_>, form: &[Pair]) -> Result<String, Fault> {
    let id = required(form, "AccessKeyId")?;
    let Some(known) = call.state.keyring.find(&id) else {
        let message = format!("{id} is not a valid access key");
        return Err(Fault::new(400, "ValidationError", message));
    };
    Ok(format!(
        "    <Account>{}</Account>\n",
        known.principal.entity.account
    ))
}

fn decode_message(call: &Call<'_>) -> Result<String, Fault> {
    call.allow("sts:DecodeAuthorizationMessage", "*", call.account(), None)?;
    let message = "Message is not valid";
    Err(Fault::new(
        400,
        "InvalidAuthorizationMessageException",
        message,
    ))
}

/// `AssumeRoleWithWebIdentity`: unsigned, the token is what proves the caller. Its signature
/// is not checked here, its claims are.
pub(super) fn web_identity(
    state: &State,
    form: &[Pair],
    ids: &Ids,
) -> Result<Response<Bytes>, Fault> {
    let arn = required(form, "RoleArn")?;
    let name = session_name(form)?;
    let claims = claims(&required(form, "WebIdentityToken")?)?;
    let text = |key: &str| claims[key].as_str().unwrap_or_default().to_owned();
    let (issuer, audience, subject) = (text("iss"), text("aud"), text("sub"));
    let now = state.now();
    if issuer != GITHUB {
        let message = format!("No OpenIDConnect provider found in your account for {issuer}");
        return Err(Fault::new(400, "InvalidIdentityToken", message));
    }
    if audience != "sts.amazonaws.com" {
        let message = "Incorrect token audience";
        return Err(Fault::new(400, "InvalidIdentityToken", message));
    }
    let seconds = |time: SystemTime| times::epoch(time);
    if claims["exp"].as_f64().is_some_and(|end| end < seconds(now)) {
        let message = format!(
            "Token expired: current date/time {} must be before the expiration date/time{}",
            seconds(now),
            claims["exp"]
        );
        return Err(Fault::new(400, "ExpiredTokenException", message));
    }
    let not_authorized = || {
        let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        Fault::new(403, "AccessDenied", message)
    };
    let (account, role) = role_parts(&arn)
        .and_then(|(account, role)| state.world.role(account, role))
        .ok_or_else(not_authorized)?;
    let host = GITHUB.trim_start_matches("https://");
    let provider = format!("arn:aws:iam::{}:oidc-provider/{host}", account.id);
    let context = [
        (&*format!("{host}:aud"), audience.as_str()),
        (&*format!("{host}:sub"), subject.as_str()),
    ];
    policy::trusts(
        &role.trust,
        "sts:AssumeRoleWithWebIdentity",
        &[&provider],
        &context,
    )
    .map_err(|_why| not_authorized())?;
    let lasts = duration(form, role.max_session, false)?;
    let assumed = Principal::assumed(account, role, &name, session_policy(form)?);
    let user = format!(
        "    <AssumedRoleUser>\n      <AssumedRoleId>{}</AssumedRoleId>\n      <Arn>{}</Arn>\n    \
         </AssumedRoleUser>\n",
        xml(&assumed.id),
        xml(&assumed.arn)
    );
    let issued = state.keyring.issue(assumed, now, lasts);
    let result = format!(
        "{user}{}    <SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken>\n    \
         <Provider>{}</Provider>\n    <Audience>{}</Audience>\n",
        credentials(&issued),
        xml(&subject),
        xml(&provider),
        xml(&audience)
    );
    Ok(reply(NAMESPACE, "AssumeRoleWithWebIdentity", &result, ids))
}

fn claims(token: &str) -> Result<serde_json::Value, Fault> {
    let invalid = || {
        let message = "The ID Token provided is not a valid JWT. (You may see this error if you \
                       sent an Access Token)";
        Fault::new(400, "InvalidIdentityToken", message)
    };
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid());
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_letters| invalid())?;
    serde_json::from_slice(&bytes).map_err(|_json| invalid())
}

fn credentials(issued: &Issued) -> String {
    format!(
        "    <Credentials>\n      <AccessKeyId>{}</AccessKeyId>\n      \
         <SecretAccessKey>{}</SecretAccessKey>\n      <SessionToken>{}</SessionToken>\n      \
         <Expiration>{}</Expiration>\n    </Credentials>\n",
        issued.id,
        issued.secret,
        issued.token,
        times::iso(issued.expires)
    )
}

fn required(form: &[Pair], name: &str) -> Result<String, Fault> {
    lookup(form, name).filter(|value| !value.is_empty()).ok_or_else(|| {
        let mut field = name.to_owned();
        field[..1].make_ascii_lowercase();
        let message = format!(
            "1 validation error detected: Value null at '{field}' failed to satisfy constraint: \
             Member must not be null"
        );
        Fault::new(400, "ValidationError", message)
    })
}

fn session_name(form: &[Pair]) -> Result<String, Fault> {
    let name = required(form, "RoleSessionName")?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_=,.@-".contains(&byte);
    if (2..=64).contains(&name.len()) && name.bytes().all(legal) {
        return Ok(name);
    }
    let message = format!(
        "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    );
    Err(Fault::new(400, "ValidationError", message))
}

fn duration(form: &[Pair], most: u64, chained: bool) -> Result<Duration, Fault> {
    let asked = match lookup(form, "DurationSeconds") {
        None => most.min(3600),
        Some(text) => text.parse().map_err(|_digits| {
            Fault::new(400, "MalformedInput", "DurationSeconds is not a number")
        })?,
    };
    let refuse = |message: String| Err(Fault::new(400, "ValidationError", message));
    if asked < 900 {
        return refuse(format!(
            "1 validation error detected: Value '{asked}' at 'durationSeconds' failed to satisfy \
             constraint: Member must have value greater than or equal to 900"
        ));
    }
    if chained && asked > 3600 {
        return refuse(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining."
                .into(),
        );
    }
    if asked > most {
        return refuse(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                .into(),
        );
    }
    Ok(Duration::from_secs(asked))
}

/// IAM's JSON, of which the sandbox understands `Effect`, `Action` and `Resource`.
fn session_policy(form: &[Pair]) -> Result<Option<Policy>, Fault> {
    let Some(text) = lookup(form, "Policy") else {
        return Ok(None);
    };
    let malformed = || {
        let message = "This policy contains invalid Json";
        Fault::new(400, "MalformedPolicyDocument", message)
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|_json| malformed())?;
    let statements: Vec<_> = listed(&json["Statement"])
        .into_iter()
        .map(|statement| {
            serde_json::json!({
                "Effect": statement["Effect"],
                "Action": listed(&statement["Action"]),
                "Resource": listed(&statement["Resource"]),
            })
        })
        .collect();
    serde_json::from_value(serde_json::json!({ "statements": statements }))
        .map(Some)
        .map_err(|_shape| malformed())
}

fn listed(value: &serde_json::Value) -> Vec<serde_json::Value> {
    match value {
        serde_json::Value::Array(values) => values.clone(),
        serde_json::Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Account and name of `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
fn role_parts(arn: &str) -> Option<(&str, &str)> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    Some((account, path.rsplit('/').next().unwrap_or(path)))
}
