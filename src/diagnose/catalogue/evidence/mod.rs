//! The tests that the catalogue's terms name. Each looks at one fact of the exchange and
//! gives the line that shows it; an empty line where there is nothing to quote.
//!
//! A new test is a function in one of the files here and its name in that file's table.
//! None of them may put a secret into its line: lengths and the kind of a stray character
//! are said, never the characters beside it.

mod caller;
mod clock;
mod facts;
mod past;
mod reply;
mod request;
mod scope;

pub(super) use facts::fact;

use crate::diagnose::scene::{Captures, Scene};

/// What a test looks at: the exchange, and what the entry's pattern captured.
pub(super) struct Question<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) captures: &'a Captures,
}

/// One test; the argument is what stands behind `=`.
pub(super) type Test = fn(&Question<'_>, &str) -> Option<String>;

type Table = &'static [(&'static str, Test)];

/// The test of that name.
pub(super) fn test(name: &str) -> Option<Test> {
    [
        request::TESTS,
        scope::TESTS,
        caller::TESTS,
        clock::TESTS,
        past::TESTS,
        reply::TESTS,
    ]
    .into_iter()
    .flatten()
    .find(|(known, _)| *known == name)
    .map(|(_, test)| *test)
}

/// Nothing to quote.
fn holds(is: bool) -> Option<String> {
    is.then(String::new)
}

/// A line, where it holds.
fn line(is: bool, line: impl FnOnce() -> String) -> Option<String> {
    is.then(line)
}

/// `name:part`: the header is there and its value has that part, case aside.
fn header_has(value: Option<&str>, name: &str, part: &str) -> Option<String> {
    let value = value?;
    let has = value
        .to_ascii_lowercase()
        .contains(&part.to_ascii_lowercase());
    line(has, || format!("{name}: {value}"))
}
