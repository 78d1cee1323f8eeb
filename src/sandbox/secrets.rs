//! Secrets Manager in JSON 1.1. The names `throttle/…` and `fail/…` answer as an overloaded
//! and a broken service do.

use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use super::errors::Fault;
use super::server::{Call, Note, lock};
use super::{hash, times, world};

pub(super) fn answer(call: &Call<'_>, note: &mut Note) -> Result<Response<Bytes>, Fault> {
    let operation = operation(call);
    operation.clone_into(&mut note.operation);
    let input = input(call)?;
    let output = match operation {
        "GetSecretValue" => get(call, &input),
        "DescribeSecret" => describe(call, &input),
        "ListSecrets" => list(call),
        "CreateSecret" => create(call, &input),
        "PutSecretValue" => put(call, &input),
        "DeleteSecret" => delete(call, &input),
        _ => Err(unknown_operation()),
    }?;
    Ok(reply("application/x-amz-json-1.1", &output))
}

/// What follows the dot in `X-Amz-Target`.
pub(super) fn operation<'a>(call: &'a Call<'_>) -> &'a str {
    let target = call.head.header("x-amz-target");
    target.split_once('.').map_or(target, |(_, name)| name)
}

pub(super) fn unknown_operation() -> Fault {
    Fault::new(400, "UnknownOperationException", "")
}

/// The body as JSON; an empty one is an empty object.
pub(super) fn input(call: &Call<'_>) -> Result<Value, Fault> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(call.body).map_err(|_json| {
        Fault::new(
            400,
            "SerializationException",
            "Start of structure or map found where not expected.",
        )
    })
}

pub(super) fn reply(kind: &'static str, output: &Value) -> Response<Bytes> {
    let mut reply = Response::new(Bytes::from(output.to_string()));
    let kind = hyper::header::HeaderValue::from_static(kind);
    reply.headers_mut().insert("content-type", kind);
    reply
}

fn get(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let secret = find(call, input, "secretsmanager:GetSecretValue")?;
    Ok(json!({
        "ARN": arn(&secret),
        "Name": secret.name,
        "VersionId": version(&secret),
        "SecretString": secret.value,
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": times::epoch(call.now),
    }))
}

fn describe(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let secret = find(call, input, "secretsmanager:DescribeSecret")?;
    Ok(json!({
        "ARN": arn(&secret),
        "Name": secret.name,
        "LastChangedDate": times::epoch(call.now),
        "VersionIdsToStages": { version(&secret): ["AWSCURRENT"] },
    }))
}

fn list(call: &Call<'_>) -> Result<Value, Fault> {
    call.allow("secretsmanager:ListSecrets", "*", call.account(), None)?;
    let secrets = lock(&call.state.secrets);
    let listed: Vec<Value> = secrets
        .iter()
        .filter(|secret| secret.owner == call.account() && secret.region == call.region())
        .map(|secret| json!({ "ARN": arn(secret), "Name": secret.name }))
        .collect();
    Ok(json!({ "SecretList": listed }))
}

fn create(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let name = input["Name"].as_str().unwrap_or_default().to_owned();
    let secret = world::Secret {
        name,
        region: call.region().into(),
        owner: call.account().into(),
        value: input["SecretString"].as_str().unwrap_or_default().into(),
        policy: None,
    };
    call.allow(
        "secretsmanager:CreateSecret",
        &secret.name,
        call.account(),
        None,
    )?;
    let mut secrets = lock(&call.state.secrets);
    let same = |known: &&world::Secret| {
        known.name == secret.name && known.region == secret.region && known.owner == secret.owner
    };
    if secrets.iter().any(|known| same(&known)) {
        let message = format!(
            "The operation failed because the secret {} already exists.",
            secret.name
        );
        return Err(Fault::new(400, "ResourceExistsException", message));
    }
    if secrets.len() >= 10_000 {
        let message = "You have exceeded the number of secrets";
        return Err(Fault::new(400, "LimitExceededException", message));
    }
    let output = json!({ "ARN": arn(&secret), "Name": secret.name, "VersionId": version(&secret) });
    secrets.push(secret);
    Ok(output)
}

fn put(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let mut secret = find(call, input, "secretsmanager:PutSecretValue")?;
    let value = input["SecretString"].as_str().unwrap_or_default();
    value.clone_into(&mut secret.value);
    let mut secrets = lock(&call.state.secrets);
    if let Some(known) = secrets.iter_mut().find(|known| arn(known) == arn(&secret)) {
        value.clone_into(&mut known.value);
    }
    Ok(json!({
        "ARN": arn(&secret),
        "Name": secret.name,
        "VersionId": version(&secret),
        "VersionStages": ["AWSCURRENT"],
    }))
}

fn delete(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let secret = find(call, input, "secretsmanager:DeleteSecret")?;
    lock(&call.state.secrets).retain(|known| arn(known) != arn(&secret));
    Ok(json!({
        "ARN": arn(&secret),
        "Name": secret.name,
        "DeletionDate": times::epoch(call.now),
    }))
}

/// The secret that `SecretId` names, once the caller may do `action` with it.
fn find(call: &Call<'_>, input: &Value, action: &str) -> Result<world::Secret, Fault> {
    let id = input["SecretId"].as_str().unwrap_or_default();
    if id.is_empty() {
        let message = "You must provide either SecretId or ARN";
        return Err(Fault::new(400, "InvalidRequestException", message));
    }
    if id.starts_with("throttle/") {
        return Err(Fault::new(400, "ThrottlingException", "Rate exceeded"));
    }
    if id.starts_with("fail/") {
        let message = "An error occurred on the server side.";
        return Err(Fault::new(500, "InternalServiceError", message));
    }
    let found = lock(&call.state.secrets)
        .iter()
        .find(|secret| {
            let named = secret.name == id && secret.owner == call.account();
            secret.region == call.region() && (named || arn(secret) == id)
        })
        .cloned();
    let on = match &found {
        Some(secret) => arn(secret),
        None if id.starts_with("arn:") => id.to_owned(),
        None => format!(
            "arn:aws:secretsmanager:{}:{}:secret:{id}",
            call.region(),
            call.account()
        ),
    };
    let owner = on.split(':').nth(4).unwrap_or_default();
    let policy = found.as_ref().and_then(|secret| secret.policy.as_ref());
    // Without the full ARN AWS repeats the name as it was asked for.
    let told = if found.is_some() { on.as_str() } else { id };
    call.allow(action, &on, owner, policy)
        .map_err(|mut fault| {
            fault.message = fault.message.replace(&on, told);
            fault
        })?;
    found.ok_or_else(|| {
        let message = "Secrets Manager can't find the specified secret.";
        Fault::new(400, "ResourceNotFoundException", message)
    })
}

fn arn(secret: &world::Secret) -> String {
    let suffix = &hash::hex(&hash::sha256(secret.name.as_bytes()))[..6];
    format!(
        "arn:aws:secretsmanager:{}:{}:secret:{}-{suffix}",
        secret.region, secret.owner, secret.name
    )
}

fn version(secret: &world::Secret) -> String {
    let hex = hash::hex(&hash::sha256(secret.value.as_bytes()));
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..32],
    ]
    .join("-")
}
