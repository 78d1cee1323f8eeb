//! One API Gateway stage behind IAM authorization, `execute-api`.

use bytes::Bytes;
use hyper::Response;
use serde_json::json;

use super::errors::Fault;
use super::secrets;
use super::server::{Call, Note};

pub(super) fn answer(call: &Call<'_>, note: &mut Note) -> Result<Response<Bytes>, Fault> {
    note.operation = "Invoke".into();
    let api = &call.state.world.gateway;
    let method = &call.head.method;
    let path = call.head.path.trim_start_matches('/');
    let (stage, resource) = path.split_once('/').unwrap_or((path, ""));
    let known = api.resources.iter().any(|name| {
        resource == name
            || resource
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('/'))
    });
    if stage != api.stage || !known {
        // What API Gateway says of every path that is not deployed.
        let message = "Missing Authentication Token";
        return Err(Fault::new(
            403,
            "MissingAuthenticationTokenException",
            message,
        ));
    }
    let on = format!(
        "arn:aws:execute-api:{}:{}:{}/{}/{method}/{resource}",
        api.region, api.owner, api.id, api.stage
    );
    call.allow("execute-api:Invoke", &on, &api.owner, None)?;
    let received = String::from_utf8_lossy(call.body);
    let output = json!({ "resource": resource, "method": method, "received": received });
    Ok(secrets::reply("application/json", &output))
}
