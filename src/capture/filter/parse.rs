//! A sentence becomes a tree, by descent: `any := all ('|' all)*`, `all := one+`,
//! `one := ('!' | '-') one | '(' any ')' | term`.

use std::ops::Range;

use regex::RegexBuilder;

use super::term::{Flag, KEYS, Needle, NumberKey, SignedAs, Term, TextKey};
use super::{FilterError, Node};
use crate::capture::exchange::Door;

mod value;

/// How deep `(` and `!` may nest; nobody types that, and the stack is safe.
const DEPTH_MAX: usize = 64;
/// Bytes that a compiled regular expression may take.
const REGEX_MAX: usize = 1 << 20;

/// Parses all of `text`.
pub(super) fn sentence(text: &str) -> Result<Node, FilterError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    parser.skip_space();
    if parser.peek().is_none() {
        return Ok(Node::All(Vec::new()));
    }
    let node = parser.any()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.wrong(
            parser.at..parser.at + 1,
            "nothing is open here",
            "take out the `)`",
        )),
    }
}

/// Whether a character ends an unquoted word.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '|' | '"')
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Node, FilterError> {
        let first = self.all()?;
        if self.peek() != Some('|') {
            return Ok(first);
        }
        let mut nodes = vec![first];
        while self.eat('|') {
            nodes.push(self.all()?);
        }
        Ok(Node::Any(nodes))
    }

    fn all(&mut self) -> Result<Node, FilterError> {
        let mut nodes = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                None | Some('|' | ')') => break,
                Some(_) => nodes.push(self.one()?),
            }
        }
        match nodes.len() {
            0 => {
                let at = self.at..self.text.len().min(self.at + 1);
                Err(self.wrong(
                    at,
                    "something to look for is missing",
                    "write a word or `key:value`",
                ))
            }
            1 => Ok(nodes.remove(0)),
            _ => Ok(Node::All(nodes)),
        }
    }

    fn one(&mut self) -> Result<Node, FilterError> {
        let start = self.at;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong(start..start + 1, "too deep", "use fewer parentheses"));
        }
        let node = if self.eat('!') || self.eat('-') {
            if self
                .peek()
                .is_none_or(|c| c.is_whitespace() || matches!(c, '|' | ')'))
            {
                return Err(self.wrong(
                    start..self.at,
                    "nothing to negate",
                    "write it right after the sign, or quote the sign",
                ));
            }
            Node::Not(Box::new(self.one()?))
        } else if self.eat('(') {
            let inner = self.any()?;
            if !self.eat(')') {
                return Err(self.wrong(start..start + 1, "this is never closed", "add a `)`"));
            }
            inner
        } else {
            Node::Term(self.term()?)
        };
        self.depth -= 1;
        Ok(node)
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        if self.peek() == Some('"') {
            return self.quoted().map(Term::Word);
        }
        let start = self.at;
        let word = self.word();
        let Some((key, _)) = word.split_once(':') else {
            return Ok(Term::Word(word.to_owned()));
        };
        self.at = start + key.len() + 1;
        if !KEYS.iter().any(|(known, _)| *known == key) {
            return Err(self.unknown_key(key, start..start + key.len()));
        }
        self.typed(key, start)
    }

    fn typed(&mut self, key: &str, start: usize) -> Result<Term, FilterError> {
        match key {
            "body" => return self.body(start),
            "header" => return self.header(start),
            _ => {}
        }
        let from = self.at;
        let value = self.value(key, start)?;
        let parsed = if let Some(key) = TextKey::ALL.into_iter().find(|text| text.name() == key) {
            Some(Term::Text(key, value.clone()))
        } else if let Some(key) = NumberKey::ALL
            .into_iter()
            .find(|number| number.name() == key)
        {
            value::number(key, &value).map(|range| Term::Number(key, range))
        } else {
            match key {
                "status" if value == "none" => Some(Term::Status(None)),
                "status" => value::status(&value).map(|range| Term::Status(Some(range))),
                "time" => value::time(&value).map(Term::Time),
                "signed" => by_name(&SignedAs::ALL, |it| it.name(), &value).map(Term::Signed),
                "door" => by_name(&Door::ALL, |it| it.as_str(), &value).map(Term::Door),
                _ => by_name(&Flag::ALL, |it| it.name(), &value).map(Term::Is),
            }
        };
        parsed.ok_or_else(|| {
            self.wrong(
                from..self.at,
                &format!("`{key}:` does not take `{value}`"),
                &help(key),
            )
        })
    }

    fn body(&mut self, start: usize) -> Result<Term, FilterError> {
        if self.peek() != Some('/') {
            return Ok(Term::Body(Needle::Part(self.value("body", start)?)));
        }
        let from = self.at;
        let Some(len) = closing_slash(&self.rest()[1..]) else {
            return Err(self.wrong(
                from..self.text.len(),
                "the regular expression is never closed",
                "add a `/`, or quote the text",
            ));
        };
        let source = &self.text[from + 1..from + 1 + len];
        self.at = from + len + 2;
        RegexBuilder::new(source)
            .case_insensitive(true)
            .size_limit(REGEX_MAX)
            .build()
            .map(|regex| Term::Body(Needle::Matches(regex)))
            .map_err(|error| {
                let text = error.to_string();
                let last = text
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                self.wrong(
                    from..self.at,
                    last,
                    "write it as Rust's regex crate takes it, or quote the text",
                )
            })
    }

    fn header(&mut self, start: usize) -> Result<Term, FilterError> {
        let rest = self.rest();
        let len = rest
            .find(|c| c == '=' || ends_word(c))
            .unwrap_or(rest.len());
        if len == 0 {
            return Err(self.wrong(start..self.at, "`header:` needs a name", &help("header")));
        }
        let name = rest[..len].to_owned();
        self.at += len;
        let value = match self.eat('=') {
            true => Some(self.value("header", start)?),
            false => None,
        };
        Ok(Term::Header { name, value })
    }

    /// Quoted or a word; never empty.
    fn value(&mut self, key: &str, start: usize) -> Result<String, FilterError> {
        let value = match self.peek() {
            Some('"') => self.quoted()?,
            _ => self.word().to_owned(),
        };
        match value.is_empty() {
            true => Err(self.wrong(
                start..self.at,
                &format!("`{key}:` needs a value"),
                &help(key),
            )),
            false => Ok(value),
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(text);
                }
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c => text.push(c),
            }
        }
        Err(self.wrong(
            start..self.text.len(),
            "this quote is never closed",
            "add a `\"`",
        ))
    }

    fn unknown_key(&self, key: &str, at: Range<usize>) -> FilterError {
        let near = KEYS
            .iter()
            .map(|(known, _)| *known)
            .find(|known| !key.is_empty() && (known.starts_with(key) || key.starts_with(known)));
        let hint = match near {
            Some(near) => format!("did you mean `{near}:`? To look for the text itself, quote it"),
            None => {
                let keys: Vec<_> = KEYS.iter().map(|(known, _)| *known).collect();
                format!(
                    "there are {}; to look for the text itself, quote it",
                    keys.join(", ")
                )
            }
        };
        self.wrong(at, &format!("there is no key `{key}`"), &hint)
    }

    fn wrong(&self, at: Range<usize>, message: &str, hint: &str) -> FilterError {
        let at = at.start..self.text.ceil_char_boundary(at.end);
        FilterError {
            at,
            message: message.to_owned(),
            hint: hint.to_owned(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }
}

fn by_name<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, wanted: &str) -> Option<T> {
    all.iter()
        .copied()
        .find(|&one| name(one).eq_ignore_ascii_case(wanted))
}

fn help(key: &str) -> String {
    let found = KEYS.iter().find(|(known, _)| *known == key);
    found.map_or_else(String::new, |(_, help)| (*help).to_owned())
}

/// Where a regular expression ends: the first slash without a backslash in front.
fn closing_slash(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'/' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}
