//! SQS in JSON 1.0 and in its older query protocol.

use std::collections::VecDeque;

use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use super::errors::{Fault, Shape, xml};
use super::hash;
use super::reader::{Pair, lookup};
use super::secrets;
use super::server::{Call, Note, lock};
use super::sts::{form_action, invalid_action};
use super::world::{Queue, World};

pub(super) const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";
/// Messages that a queue keeps; older ones make room.
const MOST_MESSAGES: usize = 1000;

/// The queues and what lies in them.
pub(super) struct Queues(Vec<(Queue, VecDeque<Message>)>);

#[derive(Clone)]
struct Message {
    id: String,
    body: String,
}

impl Queues {
    pub(super) fn new(world: &World) -> Self {
        let empty = world
            .queues
            .iter()
            .cloned()
            .map(|queue| (queue, VecDeque::new()));
        Self(empty.collect())
    }
}

pub(super) fn answer(
    call: &Call<'_>,
    form: &[Pair],
    note: &mut Note,
) -> Result<Response<Bytes>, Fault> {
    let json_protocol = call.shape == Shape::QueryCompatible;
    let operation = if json_protocol {
        secrets::operation(call).to_owned()
    } else {
        form_action(call, form)
    };
    note.operation.clone_from(&operation);
    let input = if json_protocol {
        secrets::input(call)?
    } else {
        from_form(form)
    };
    let output = match operation.as_str() {
        "ListQueues" => list(call),
        "GetQueueUrl" => url_of(call, &input),
        "SendMessage" => send(call, &input),
        "ReceiveMessage" => receive(call, &input),
        "DeleteMessage" => on_queue(call, &input, "sqs:deletemessage", |messages| {
            let handle = input["ReceiptHandle"].as_str().unwrap_or_default();
            messages.retain(|message| message.id != handle);
            json!({})
        }),
        "GetQueueAttributes" => on_queue(
            call,
            &input,
            "sqs:getqueueattributes",
            |messages| json!({ "Attributes": { "ApproximateNumberOfMessages": messages.len().to_string() } }),
        ),
        _ if json_protocol => Err(secrets::unknown_operation()),
        other => Err(invalid_action(other)),
    }?;
    if json_protocol {
        return Ok(secrets::reply("application/x-amz-json-1.0", &output));
    }
    let result = elements(&output);
    Ok(super::sts::reply(NAMESPACE, &operation, &result, call.ids))
}

fn list(call: &Call<'_>) -> Result<Value, Fault> {
    let on = format!("arn:aws:sqs:{}:{}:*", call.region(), call.account());
    call.allow("sqs:listqueues", &on, call.account(), None)?;
    let queues = lock(&call.state.queues);
    let urls: Vec<String> = queues
        .0
        .iter()
        .filter(|(queue, _)| queue.region == call.region() && queue.owner == call.account())
        .map(|(queue, _)| url(call, queue))
        .collect();
    Ok(json!({ "QueueUrls": urls }))
}

fn url_of(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let name = input["QueueName"].as_str().unwrap_or_default();
    call.allow("sqs:getqueueurl", &arn(call, name), call.account(), None)?;
    let queues = lock(&call.state.queues);
    let found = queues.0.iter().find(|(queue, _)| is(call, queue, name));
    let (queue, _) = found.ok_or_else(|| missing(call))?;
    Ok(json!({ "QueueUrl": url(call, queue) }))
}

fn send(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let body = input["MessageBody"].as_str().unwrap_or_default();
    if body.is_empty() {
        let message = "The request must contain the parameter MessageBody.";
        return Err(Fault::new(400, "MissingParameter", message));
    }
    let message = Message {
        id: call.ids.long.clone(),
        body: body.to_owned(),
    };
    on_queue(call, input, "sqs:sendmessage", |messages| {
        if messages.len() == MOST_MESSAGES {
            messages.pop_front();
        }
        let output = json!({
            "MessageId": message.id,
            "MD5OfMessageBody": hash::hex(&hash::md5(body.as_bytes())),
        });
        messages.push_back(message);
        output
    })
}

fn receive(call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    let most = match &input["MaxNumberOfMessages"] {
        Value::Number(number) => number.as_u64().unwrap_or(1),
        Value::String(text) => text.parse().unwrap_or(1),
        _ => 1,
    };
    on_queue(call, input, "sqs:receivemessage", |messages| {
        let taken: Vec<Value> = (0..most.clamp(1, 10))
            .zip(messages.iter())
            .map(|(_, message)| {
                json!({
                    "MessageId": message.id,
                    "ReceiptHandle": message.id,
                    "MD5OfBody": hash::hex(&hash::md5(message.body.as_bytes())),
                    "Body": message.body,
                })
            })
            .collect();
        match taken.is_empty() {
            true => json!({}),
            false => json!({ "Messages": taken }),
        }
    })
}

fn on_queue(
    call: &Call<'_>,
    input: &Value,
    action: &str,
    act: impl FnOnce(&mut VecDeque<Message>) -> Value,
) -> Result<Value, Fault> {
    let url = input["QueueUrl"].as_str().unwrap_or_default();
    let mut parts = url.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let owner = parts.next().unwrap_or_default();
    let on = format!("arn:aws:sqs:{}:{owner}:{name}", call.region());
    call.allow(action, &on, owner, None)?;
    let mut queues = lock(&call.state.queues);
    let found = queues
        .0
        .iter_mut()
        .find(|(queue, _)| queue.owner == owner && is(call, queue, name));
    let (_, messages) = found.ok_or_else(|| missing(call))?;
    Ok(act(messages))
}

fn is(call: &Call<'_>, queue: &Queue, name: &str) -> bool {
    queue.name == name && queue.region == call.region()
}

fn arn(call: &Call<'_>, name: &str) -> String {
    format!("arn:aws:sqs:{}:{}:{name}", call.region(), call.account())
}

/// Queue URLs name the host the client used, so that it comes back here.
fn url(call: &Call<'_>, queue: &Queue) -> String {
    format!(
        "http://{}/{}/{}",
        call.head.header("host"),
        queue.owner,
        queue.name
    )
}

fn missing(call: &Call<'_>) -> Fault {
    let message = "The specified queue does not exist.";
    if call.shape == Shape::QueryCompatible {
        let old = "AWS.SimpleQueueService.NonExistentQueue;Sender";
        return Fault::new(400, "QueueDoesNotExist", message).header("x-amzn-query-error", old);
    }
    Fault::new(400, "AWS.SimpleQueueService.NonExistentQueue", message)
}

fn from_form(form: &[Pair]) -> Value {
    let names = [
        "QueueUrl",
        "QueueName",
        "MessageBody",
        "ReceiptHandle",
        "MaxNumberOfMessages",
    ];
    let found = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), lookup(form, name)?.into())));
    Value::Object(found.collect())
}

/// The JSON output as the query protocol's flattened elements.
fn elements(output: &Value) -> String {
    let mut text = String::new();
    for (name, value) in output.as_object().into_iter().flatten() {
        let element = name.trim_end_matches('s');
        match value {
            Value::Array(values) => {
                for value in values {
                    let inner = match value {
                        Value::Object(_) => elements(value),
                        other => xml(other.as_str().unwrap_or_default()),
                    };
                    text.push_str(&format!("<{element}>{inner}</{element}>"));
                }
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    let value = xml(value.as_str().unwrap_or_default());
                    let entry = format!("<Name>{key}</Name><Value>{value}</Value>");
                    text.push_str(&format!("<{element}>{entry}</{element}>"));
                }
            }
            other => {
                let inner = xml(other.as_str().unwrap_or_default());
                text.push_str(&format!("<{name}>{inner}</{name}>"));
            }
        }
    }
    text
}
