//! Bedrock's runtime, as far as `Converse` and `InvokeModel`: its host is called
//! `bedrock-runtime`, its signing name `bedrock`, which is what people get wrong.

use bytes::Bytes;
use hyper::Response;
use serde_json::json;

use super::errors::Fault;
use super::reader::Head;
use super::secrets;
use super::server::{Call, Note};

/// Whether a path is one of Bedrock's runtime.
pub(super) fn claims(head: &Head) -> bool {
    let ends = ["/converse", "/invoke"];
    head.method == "POST"
        && head.path.starts_with("/model/")
        && ends.iter().any(|end| head.path.ends_with(end))
}

pub(super) fn answer(call: &Call<'_>, note: &mut Note) -> Result<Response<Bytes>, Fault> {
    let converse = call.head.path.ends_with("/converse");
    note.operation = if converse { "Converse" } else { "InvokeModel" }.into();
    let path = String::from_utf8_lossy(&call.head.decoded_path()).into_owned();
    let model = path
        .trim_start_matches("/model/")
        .rsplit_once('/')
        .map_or("", |(model, _)| model)
        .to_owned();
    let on = format!(
        "arn:aws:bedrock:{}::foundation-model/{model}",
        call.region()
    );
    call.allow("bedrock:InvokeModel", &on, call.account(), None)?;
    if !model.starts_with("anthropic.") && !model.starts_with("amazon.") {
        let message = "The provided model identifier is invalid.";
        return Err(Fault::new(400, "ValidationException", message));
    }
    let output = json!({
        "output": { "message": { "role": "assistant", "content": [{ "text": "Hello from the sandbox." }] } },
        "stopReason": "end_turn",
        "usage": { "inputTokens": 5, "outputTokens": 6, "totalTokens": 11 },
        "metrics": { "latencyMs": 12 },
    });
    Ok(secrets::reply("application/json", &output))
}
