//! The language of the filter line.
//!
//! ```text
//! secret                        host, service.operation or path contain it
//! service:s3 op:Put*            both; names are compared whole, `*` stands for anything
//! status:>=400 | dur:>1s        either; `|` binds weaker than a space
//! !is:failed  -(op:Get* | x)    not
//! body:"two words"  body:/re?/  either body contains it, or matches
//! header:x-amz-target=Get       such a header, on any of the messages
//! ```
//!
//! Everything ignores ASCII case. `body:` and `header:` read the whole record, all else the
//! row. A sentence that does not parse says where and what to write instead.

mod complete;
mod matching;
mod parse;
mod print;
mod term;

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Row;
use matching::Looked;
use term::Term;

pub use complete::Completion;
pub use term::KEYS;

/// A parsed filter. Its `Display` is a sentence that parses to the same filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    root: Node,
    reads_record: bool,
    zone: TimeZone,
}

impl Filter {
    /// Lets everything through.
    pub fn everything() -> Self {
        Self::new(Node::All(Vec::new()), TimeZone::UTC)
    }

    /// Parses a sentence; times of day are UTC.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_in(text, &TimeZone::UTC)
    }

    /// Parses a sentence whose times of day are those of `zone`, as the list shows them.
    pub fn parse_in(text: &str, zone: &TimeZone) -> Result<Self, FilterError> {
        Ok(Self::new(parse::sentence(text)?, zone.clone()))
    }

    fn new(root: Node, zone: TimeZone) -> Self {
        Self {
            reads_record: root.reads_record(),
            root,
            zone,
        }
    }

    /// Whether it lets everything through.
    pub fn is_everything(&self) -> bool {
        self.root == Node::All(Vec::new())
    }

    /// Whether it looks into whole records, which takes longer and finds nothing in those
    /// that are no longer kept.
    pub fn reads_record(&self) -> bool {
        self.reads_record
    }

    /// Whether it lets an exchange through. `json` fetches the record's line; it is asked
    /// at most once, and only by filters that look into records.
    pub fn matches(&self, row: &Row, json: &dyn Fn() -> Option<Arc<[u8]>>, marked: bool) -> bool {
        self.root
            .matches(&Looked::new(row, json, marked, &self.zone))
    }
}

/// Where a sentence goes wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {hint}")]
pub struct FilterError {
    /// The bytes of the input that are wrong; may be empty at its end.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// Every one; none of them means everything.
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

impl Node {
    fn matches(&self, looked: &Looked<'_>) -> bool {
        match self {
            // What the row answers comes first, so that few records are read.
            Self::All(nodes) => {
                let of = |reads| {
                    nodes
                        .iter()
                        .filter(move |node| node.reads_record() == reads)
                };
                of(false).all(|node| node.matches(looked))
                    && of(true).all(|node| node.matches(looked))
            }
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(looked)),
            Self::Not(node) => !node.matches(looked),
            Self::Term(term) => term.matches(looked),
        }
    }

    fn reads_record(&self) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::reads_record),
            Self::Not(node) => node.reads_record(),
            Self::Term(term) => matches!(term, Term::Body(_) | Term::Header { .. }),
        }
    }
}
