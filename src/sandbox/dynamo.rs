//! DynamoDB in JSON 1.0: put, get, a query on the hash key, list, describe.

use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use super::errors::Fault;
use super::secrets::{input, operation, reply, unknown_operation};
use super::server::{Call, Note, lock};
use super::world::Table;

/// Items of one table.
const MOST_ITEMS: usize = 10_000;

pub(super) fn answer(call: &Call<'_>, note: &mut Note) -> Result<Response<Bytes>, Fault> {
    let operation = operation(call);
    operation.clone_into(&mut note.operation);
    let input = input(call)?;
    let output = match operation {
        "PutItem" => on_table(call, &input, "dynamodb:PutItem", |table| put(table, &input)),
        "GetItem" => on_table(call, &input, "dynamodb:GetItem", |table| get(table, &input)),
        "Query" => on_table(call, &input, "dynamodb:Query", |table| {
            Ok(query(table, &input))
        }),
        "Scan" => on_table(call, &input, "dynamodb:Scan", |table| {
            Ok(found(table.items.clone()))
        }),
        "DescribeTable" => on_table(call, &input, "dynamodb:DescribeTable", |table| {
            Ok(json!({ "Table": {
                "TableName": table.name,
                "TableStatus": "ACTIVE",
                "TableArn": arn(table),
                "ItemCount": table.items.len(),
                "KeySchema": [{ "AttributeName": table.hash_key, "KeyType": "HASH" }],
            }}))
        }),
        "ListTables" => list(call),
        _ => Err(unknown_operation()),
    }?;
    let mut reply = reply("application/x-amz-json-1.0", &output);
    let crc = crc32(reply.body());
    reply.headers_mut().insert("x-amz-crc32", crc.into());
    Ok(reply)
}

fn list(call: &Call<'_>) -> Result<Value, Fault> {
    let on = format!(
        "arn:aws:dynamodb:{}:{}:table/*",
        call.region(),
        call.account()
    );
    call.allow("dynamodb:ListTables", &on, call.account(), None)?;
    let tables = lock(&call.state.tables);
    let names: Vec<&str> = tables
        .iter()
        .filter(|table| table.region == call.region() && table.owner == call.account())
        .map(|table| table.name.as_str())
        .collect();
    Ok(json!({ "TableNames": names }))
}

fn on_table(
    call: &Call<'_>,
    input: &Value,
    action: &str,
    act: impl FnOnce(&mut Table) -> Result<Value, Fault>,
) -> Result<Value, Fault> {
    let name = input["TableName"].as_str().unwrap_or_default();
    let on = match name.starts_with("arn:") {
        true => name.to_owned(),
        false => format!(
            "arn:aws:dynamodb:{}:{}:table/{name}",
            call.region(),
            call.account()
        ),
    };
    let owner = on.split(':').nth(4).unwrap_or_default();
    call.allow(action, &on, owner, None)?;
    let mut tables = lock(&call.state.tables);
    let table = tables.iter_mut().find(|table| arn(table) == on);
    act(table.ok_or_else(|| {
        let message = "Requested resource not found";
        Fault::new(400, "ResourceNotFoundException", message)
    })?)
}

fn put(table: &mut Table, input: &Value) -> Result<Value, Fault> {
    let item = &input["Item"];
    let key = key_of(table, item)?;
    table.items.retain(|known| known[&table.hash_key] != key);
    if table.items.len() >= MOST_ITEMS {
        let message = "The table holds as many items as the sandbox keeps";
        return Err(Fault::new(
            400,
            "ItemCollectionSizeLimitExceededException",
            message,
        ));
    }
    table.items.push(item.clone());
    Ok(json!({}))
}

fn get(table: &mut Table, input: &Value) -> Result<Value, Fault> {
    let key = key_of(table, &input["Key"])?;
    let item = table.items.iter().find(|item| item[&table.hash_key] == key);
    Ok(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
}

/// Items whose hash key equals one of the expression's values.
fn query(table: &mut Table, input: &Value) -> Value {
    let values = input["ExpressionAttributeValues"].as_object();
    let wanted: Vec<&Value> = values
        .map(|values| values.values().collect())
        .unwrap_or_default();
    let items = table
        .items
        .iter()
        .filter(|item| wanted.contains(&&item[&table.hash_key]))
        .cloned();
    found(items.collect())
}

fn found(items: Vec<Value>) -> Value {
    let count = items.len();
    json!({ "Items": items, "Count": count, "ScannedCount": count })
}

fn key_of(table: &Table, item: &Value) -> Result<Value, Fault> {
    match &item[&table.hash_key] {
        Value::Null => {
            let message = format!(
                "One or more parameter values were invalid: Missing the key {} in the item",
                table.hash_key
            );
            Err(Fault::new(400, "ValidationException", message))
        }
        key => Ok(key.clone()),
    }
}

fn arn(table: &Table) -> String {
    format!(
        "arn:aws:dynamodb:{}:{}:table/{}",
        table.region, table.owner, table.name
    )
}

/// `x-amz-crc32`, which DynamoDB puts on every answer.
fn crc32(body: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(body);
    sum.sum()
}
