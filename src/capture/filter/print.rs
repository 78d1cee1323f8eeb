use std::fmt::{self, Display, Formatter, Write};
use std::ops::RangeInclusive;

use super::parse::ends_word;
use super::term::{Needle, NumberKey, Term};
use super::{Filter, Node};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_node(f, &self.root, false)
    }
}

/// `inner`: lists need parentheses here.
fn write_node(f: &mut Formatter<'_>, node: &Node, inner: bool) -> fmt::Result {
    let (nodes, between) = match node {
        Node::Term(term) => return write_term(f, term),
        Node::Not(node) => {
            f.write_char('!')?;
            return write_node(f, node, true);
        }
        Node::All(nodes) => (nodes, " "),
        Node::Any(nodes) => (nodes, " | "),
    };
    if inner {
        f.write_char('(')?;
    }
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write_node(f, node, true)?;
    }
    if inner {
        f.write_char(')')?;
    }
    Ok(())
}

fn write_term(f: &mut Formatter<'_>, term: &Term) -> fmt::Result {
    match term {
        Term::Word(word) => f.write_str(&quote_word(word)),
        Term::Text(key, value) => write!(f, "{}:{}", key.name(), quote(value)),
        Term::Status(None) => f.write_str("status:none"),
        Term::Status(Some(range)) => write_range(f, "status", range, ""),
        Term::Number(key, range) => {
            let unit = if *key == NumberKey::Dur { "us" } else { "" };
            write_range(f, key.name(), range, unit)
        }
        Term::Time(range) => {
            write!(f, "time:{}..{}", clock(*range.start()), clock(*range.end()))
        }
        Term::Signed(signed) => write!(f, "signed:{}", signed.name()),
        Term::Door(door) => write!(f, "door:{}", door.as_str()),
        Term::Is(flag) => write!(f, "is:{}", flag.name()),
        Term::Body(Needle::Part(part)) if part.starts_with('/') => {
            write!(f, "body:{}", in_quotes(part))
        }
        Term::Body(Needle::Part(part)) => write!(f, "body:{}", quote(part)),
        Term::Body(Needle::Matches(regex)) => write!(f, "body:/{}/", regex.as_str()),
        Term::Header { name, value: None } => write!(f, "header:{name}"),
        Term::Header {
            name,
            value: Some(value),
        } => write!(f, "header:{name}={}", quote(value)),
    }
}

fn write_range(
    f: &mut Formatter<'_>,
    key: &str,
    range: &RangeInclusive<u64>,
    unit: &str,
) -> fmt::Result {
    match (*range.start(), *range.end()) {
        (from, to) if from == to => write!(f, "{key}:{from}{unit}"),
        (from, u64::MAX) => write!(f, "{key}:>={from}{unit}"),
        (from, to) => write!(f, "{key}:{from}{unit}..{to}{unit}"),
    }
}

fn clock(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!(
        "{:02}:{:02}:{:02}.{ms:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A value as it must be typed.
pub(super) fn quote(value: &str) -> String {
    if value.is_empty() || value.contains(ends_word) {
        return in_quotes(value);
    }
    value.to_owned()
}

fn quote_word(word: &str) -> String {
    if word.starts_with(['!', '-']) || word.contains(':') {
        return in_quotes(word);
    }
    quote(word)
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
