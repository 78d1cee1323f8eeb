//! The catalogue's data: one entry a failure, read once.
//!
//! `data/failures.json` is written by hand; each entry names where its words come from.
//! Terms are `name`, `name=argument`, `!term` and `term|term`; `~` stands for a blank.

use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde::Deserialize;

use super::evidence::{self, Test};
use crate::capture::exchange::Grade;

static DATA: &str = include_str!("../data/failures.json");

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let plain: Vec<Plain> = serde_json::from_str(DATA).unwrap_or_default();
    let mut entries: Vec<Entry> = plain.into_iter().map(Entry::new).collect();
    entries.sort_by_key(|entry| entry.rank);
    entries
});

/// Every failure, the most telling first.
pub(super) fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// One failure.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) codes: Vec<String>,
    pub(super) any_code: bool,
    pub(super) patterns: Vec<Pattern>,
    pub(super) place: Place,
    /// All must hold besides code and words.
    pub(super) when: Vec<Term>,
    /// These alone are enough.
    pub(super) alone: Vec<Term>,
    rank: u8,
    /// It stands beside the cause and is none itself.
    pub(super) beside: bool,
    pub(super) says: String,
    pub(super) grade: Grade,
    pub(super) refuted_by: Option<String>,
    pub(super) causes: Vec<Cause>,
    pub(super) fix: Vec<Remedy>,
    pub(super) source: Vec<String>,
}

/// A regular expression, compiled when it is first needed.
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(text: String) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    /// `None` only where the data is broken, which a test rules out.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| Regex::new(&self.text).ok())
            .as_ref()
    }
}

/// One way in which the failure comes about.
pub(super) struct Cause {
    /// What decides for it; without any it is only named as possible.
    pub(super) when: Vec<Term>,
    pub(super) says: String,
    pub(super) grade: Grade,
    pub(super) refuted_by: Option<String>,
    /// What would tell it from the others.
    pub(super) told_by: Option<String>,
    pub(super) fix: Vec<Remedy>,
}

/// Something to do.
#[derive(Deserialize)]
pub(super) struct Remedy {
    pub(super) label: String,
    pub(super) command: Option<String>,
}

/// Where an entry's words are looked for.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// The error's message.
    #[default]
    Message,
    /// The reply's body as it is.
    Body,
    /// The message, the body, our own fault or a header.
    Any,
    /// The status, where there are no words.
    Status,
}

/// Alternatives of which one must hold.
pub(super) struct Term(Vec<Literal>);

struct Literal {
    negated: bool,
    test: Option<Test>,
    argument: String,
}

impl Term {
    fn read(text: &str) -> Self {
        Self(text.split('|').map(Literal::read).collect())
    }

    /// The evidence for it; empty where there is nothing to quote.
    pub(super) fn holds(&self, scene: &evidence::Question<'_>) -> Option<String> {
        self.0.iter().find_map(|literal| literal.holds(scene))
    }

    /// Whether every test in it exists.
    #[cfg(test)]
    pub(super) fn is_known(&self) -> bool {
        self.0.iter().all(|literal| literal.test.is_some())
    }
}

impl Literal {
    fn read(text: &str) -> Self {
        let (negated, text) = text
            .strip_prefix('!')
            .map_or((false, text), |rest| (true, rest));
        let (name, argument) = text.split_once('=').unwrap_or((text, ""));
        Self {
            negated,
            test: evidence::test(name),
            argument: argument.replace('~', " "),
        }
    }

    fn holds(&self, scene: &evidence::Question<'_>) -> Option<String> {
        let found = self.test.and_then(|test| test(scene, &self.argument));
        match (self.negated, found) {
            (false, found) => found,
            (true, None) => Some(String::new()),
            (true, Some(_)) => None,
        }
    }
}

fn terms(texts: &[String]) -> Vec<Term> {
    texts.iter().map(|text| Term::read(text)).collect()
}

impl Entry {
    fn new(plain: Plain) -> Self {
        Self {
            id: plain.id,
            title: plain.title,
            codes: plain.codes,
            any_code: plain.any_code,
            patterns: plain.patterns.into_iter().map(Pattern::new).collect(),
            place: plain.place,
            when: terms(&plain.when),
            alone: terms(&plain.alone),
            rank: plain.rank,
            beside: plain.beside,
            says: plain.says,
            grade: plain.grade,
            refuted_by: plain.refuted_by,
            causes: plain.causes.into_iter().map(Cause::new).collect(),
            fix: plain.fix,
            source: plain.source,
        }
    }
}

impl Cause {
    fn new(plain: PlainCause) -> Self {
        Self {
            when: terms(&plain.when),
            says: plain.says,
            grade: plain.grade,
            refuted_by: plain.refuted_by,
            told_by: plain.told_by,
            fix: plain.fix,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    id: String,
    title: String,
    codes: Vec<String>,
    #[serde(default)]
    any_code: bool,
    patterns: Vec<String>,
    #[serde(default, rename = "in")]
    place: Place,
    #[serde(default)]
    when: Vec<String>,
    #[serde(default)]
    alone: Vec<String>,
    rank: u8,
    #[serde(default)]
    beside: bool,
    says: String,
    grade: Grade,
    refuted_by: Option<String>,
    #[serde(default)]
    causes: Vec<PlainCause>,
    #[serde(default)]
    fix: Vec<Remedy>,
    source: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainCause {
    #[serde(default)]
    when: Vec<String>,
    says: String,
    grade: Grade,
    refuted_by: Option<String>,
    told_by: Option<String>,
    #[serde(default)]
    fix: Vec<Remedy>,
}
