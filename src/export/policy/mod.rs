//! The smallest IAM policy that covers what was called: action and resource of every
//! exchange, equal resource lists under one statement.

mod resource;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::capture::Exchange;
use crate::capture::exchange::Door;

/// Calls that need no permission (STS API reference, GetCallerIdentity and GetSessionToken).
const FREE: [&str; 2] = ["sts:GetCallerIdentity", "sts:GetSessionToken"];

/// A policy, and what a reader must know who attaches it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// An IAM policy document.
    pub document: Value,
    /// One line each: resources that could not be told, denials that no policy mends.
    pub notes: Vec<String>,
}

/// Reads the exchanges of one identity. Our own credential calls are left out: they are made
/// as another one.
pub fn policy<'e>(exchanges: impl IntoIterator<Item = &'e Exchange>) -> Policy {
    let mut actions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut notes = BTreeSet::new();
    for exchange in exchanges {
        let action = exchange
            .route
            .as_ref()
            .and_then(|route| route.iam_action.clone());
        if exchange.door == Door::Internal {
            continue;
        }
        let Some(action) = action else {
            notes.insert(format!(
                "#{} is no known operation: it is not covered",
                exchange.id
            ));
            continue;
        };
        if FREE.contains(&action.as_str()) {
            continue;
        }
        if let Some(denied) = denied(exchange, &action) {
            notes.insert(denied);
        }
        let found = resource::of(exchange);
        if found.is_empty() {
            notes.insert(format!(
                "the request does not tell the resource of {action}: narrow \"*\" by hand"
            ));
        }
        let resources = actions.entry(action).or_default();
        resources.extend(
            found
                .into_iter()
                .map(|arn| if arn.is_empty() { "*".to_owned() } else { arn }),
        );
        if resources.is_empty() {
            resources.insert("*".to_owned());
        }
    }
    Policy {
        document: document(actions),
        notes: notes.into_iter().collect(),
    }
}

fn document(actions: BTreeMap<String, BTreeSet<String>>) -> Value {
    let mut statements: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (action, resources) in actions {
        // Beside "*" the others say nothing.
        let resources = if resources.contains("*") {
            vec!["*".to_owned()]
        } else {
            resources.into_iter().collect()
        };
        statements.entry(resources).or_default().push(action);
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|(resources, actions)| json!({"Effect": "Allow", "Action": actions, "Resource": resources}))
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// An explicit deny stands, whatever is allowed.
fn denied(exchange: &Exchange, action: &str) -> Option<String> {
    let message = exchange
        .reply
        .as_ref()?
        .error
        .as_ref()?
        .message
        .as_deref()?;
    message.contains("explicit deny").then(|| {
        format!(
            "{action} is denied explicitly (#{}): this policy does not mend that",
            exchange.id
        )
    })
}

#[cfg(test)]
mod tests;
