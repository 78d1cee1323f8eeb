//! Who calls, and with what: key ids, tokens, how clean the credentials are, and whom a
//! refusal names.

use super::{Question, Table, holds, line};
use crate::secret::Secret;

pub(super) const TESTS: Table = &[
    ("key", |q, prefix| {
        let kind = if prefix == "ASIA" {
            "temporary"
        } else {
            "long-lived"
        };
        line(q.scene.key_id()?.starts_with(prefix), || {
            format!("the key id begins with {prefix}: {kind}")
        })
    }),
    ("key-odd", |q, _| {
        let key = q.scene.key_id()?;
        line(!is_key_id(key), || {
            "the access key id is not AKIA or ASIA and 16 letters A–Z, 2–7".to_owned()
        })
    }),
    ("sigscope-key", |q, _| {
        holds(q.scene.key_id()?.starts_with("SIGSCOPE"))
    }),
    ("token", |q, _| {
        let sent = sent_token(q).is_some();
        line(sent, || "a session token is sent".to_owned())
    }),
    ("hygiene", |q, _| {
        let credentials = q.scene.credentials()?;
        unclean(&credentials.secret_access_key, 40)
            .map(|what| format!("the secret access key {what}"))
            .or_else(|| key_id_unclean(&credentials.access_key_id))
    }),
    ("secret-length-odd", |q, _| {
        let credentials = q.scene.credentials()?;
        let secret = credentials.secret_access_key.expose();
        let length = secret.len();
        let clean = secret
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
        line(
            clean && length != 40 && is_key_id(&credentials.access_key_id),
            || format!("the secret has {length} characters; a secret access key has 40"),
        )
    }),
    ("token-hygiene", |q, _| {
        let token = sent_token(q)?;
        let decoded = percent_encoding::percent_decode_str(token).decode_utf8_lossy();
        let stray = decoded
            .chars()
            .find(|&letter| !(letter.is_ascii_alphanumeric() || "+/=_-".contains(letter)))?;
        Some(format!("the token has {} in it", kind_of(stray)))
    }),
    ("expired", |q, _| {
        let ends = super::facts::session_end(q)?;
        let now = q.scene.now?;
        line(ends <= now, || {
            format!("the session ended at {ends}; the reply is of {now}")
        })
    }),
    ("denied", |q, _| holds(super::facts::denial(q).is_some())),
    ("cross-account", |q, _| {
        let denial = super::facts::denial(q)?;
        let (caller, owner) = (denial.who_account()?, denial.resource_account()?);
        line(caller != owner, || {
            format!("the caller is of account {caller}, the resource of {owner}")
        })
    }),
    ("self-assume", |q, _| {
        let denial = super::facts::denial(q)?;
        let (caller, target) = (denial.who_role()?, denial.resource?.rsplit('/').next()?);
        let same_account = denial.who_account() == super::facts::account_of(denial.resource?);
        line(caller == target && same_account, || {
            format!("caller and target are the role {caller}")
        })
    }),
    ("call-without-proxy", |q, _| {
        let words = [
            "SourceIp",
            "source IP",
            "SourceVpc",
            "perimeter",
            "Perimeter",
            "Network",
            "VPC",
        ];
        let message = q.scene.message.replace("VPC endpoint policy", "");
        let word = words.into_iter().find(|word| message.contains(word))?;
        Some(format!("the message speaks of {word:?}"))
    }),
];

fn is_key_id(text: &str) -> bool {
    text.len() >= 16
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The session token as sent, in header or query.
pub(super) fn sent_token<'a>(q: &Question<'a>) -> Option<&'a str> {
    let head = &q.scene.sent;
    let in_query = || {
        let (_, rest) = head.query().split_once("X-Amz-Security-Token=")?;
        rest.split('&').next()
    };
    head.header("x-amz-security-token")
        .or_else(|| head.header("x-amz-s3session-token"))
        .or_else(in_query)
}

fn key_id_unclean(id: &str) -> Option<String> {
    line(id.trim() != id || id.contains(['"', '\'']), || {
        "the access key id has blanks or quotes around it".to_owned()
    })
}

/// What is wrong with the form of a secret; never its characters.
fn unclean(secret: &Secret, length: usize) -> Option<String> {
    let bytes = secret.expose();
    let edge = |byte: Option<&u8>| {
        byte.filter(|byte| byte.is_ascii_whitespace() || b"\"'".contains(byte))
            .copied()
    };
    let counted = format!("({} bytes instead of {length})", bytes.len());
    if let Some(byte) = edge(bytes.last()) {
        return Some(format!("ends with {} {counted}", kind_of(char::from(byte))));
    }
    if let Some(byte) = edge(bytes.first()) {
        return Some(format!(
            "begins with {} {counted}",
            kind_of(char::from(byte))
        ));
    }
    let stray = bytes
        .iter()
        .find(|byte| !(byte.is_ascii_alphanumeric() || b"+/=".contains(byte)));
    if let Some(byte) = stray {
        return Some(format!(
            "has {} in it, which AWS's have not",
            kind_of(char::from(*byte))
        ));
    }
    line(bytes.len() != length, || {
        format!("has {} characters instead of {length}", bytes.len())
    })
}

/// A stray character by its kind: the character itself might be part of a secret.
fn kind_of(letter: char) -> &'static str {
    match letter {
        '\n' | '\r' => "a line end",
        '\t' => "a tab",
        ' ' => "a blank",
        '"' | '\'' => "a quote",
        '%' => "a percent sign",
        '\\' => "a backslash",
        _ if letter.is_ascii() => "a character",
        _ => "a character that is not ASCII",
    }
}
