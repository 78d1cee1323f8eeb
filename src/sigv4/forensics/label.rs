//! The table of mistakes: what each is called, what it means and what to do.

use std::collections::HashMap;
use std::sync::LazyLock;

static TABLE: &str = include_str!("labels.tsv");
static LABELS: LazyLock<Vec<Label>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(Label::read)
        .collect()
});
static BY_CODE: LazyLock<HashMap<&'static str, &'static Label>> =
    LazyLock::new(|| LABELS.iter().map(|label| (label.code, label)).collect());

/// One mistake of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Kebab-case, stable: the code of the finding.
    pub code: &'static str,
    /// Lower is likelier. A reading of issue threads, not a measurement.
    pub rank: u16,
    /// The step of signing that it belongs to.
    pub class: &'static str,
    /// What is wrong, in a sentence.
    pub sentence: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// What to type, where one line helps.
    pub command: Option<&'static str>,
}

impl Label {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next();
        Some(Self {
            code: next()?,
            rank: next()?.parse().ok()?,
            class: next()?,
            sentence: next()?,
            fix: next()?,
            command: next().filter(|text| !text.is_empty()),
        })
    }

    /// Every mistake that is known, by code.
    pub fn all() -> &'static [Self] {
        &LABELS
    }

    /// The mistake of that code.
    pub fn find(code: &str) -> Option<&'static Self> {
        BY_CODE.get(code).copied()
    }
}

/// How likely; unknown codes come last.
pub(super) fn rank(code: &str) -> u16 {
    Label::find(code).map_or(u16::MAX, |label| label.rank)
}
