//! The mistakes that are tried, a file a step of signing. Each is a few fields of a
//! [`Recipe`] under the label that the table of labels explains.

mod assembly;
mod body;
mod headers;
mod host;
mod key;
mod path;
mod payload;
mod query;
mod sts;
mod wire;

use super::facts::Facts;
use super::recipe::Recipe;
use crate::secret::Credentials;

type Set = Box<dyn Fn(&mut Recipe) + Send + Sync>;

/// One mistake, ready to be tried on one request.
pub(super) struct Mistake {
    /// Into the table of labels.
    pub(super) label: &'static str,
    /// What it touches.
    pub(super) parts: u16,
    /// Not tried together with another one: rare and numerous.
    pub(super) alone: bool,
    /// A wider reading of the label: where another label gives the same bytes in its plain
    /// reading, this one is only worth a note.
    pub(super) loose: bool,
    pub(super) set: Set,
}

/// The mistakes of one request, in order of finding.
#[derive(Default)]
pub(super) struct Mistakes {
    pub(super) all: Vec<Mistake>,
    alone: bool,
    loose: bool,
}

impl Mistakes {
    /// Everything that the request leaves possible.
    pub(super) fn of(facts: &Facts<'_>, credentials: &Credentials) -> Self {
        let mut out = Self::default();
        key::add(facts, credentials, &mut out);
        host::add(facts, &mut out);
        wire::add(facts, &mut out);
        path::add(facts, &mut out);
        query::add(facts, &mut out);
        headers::add(facts, &mut out);
        payload::add(facts, &mut out);
        assembly::add(&mut out);
        sts::add(facts, &mut out);
        out
    }

    fn add(
        &mut self,
        label: &'static str,
        parts: u16,
        set: impl Fn(&mut Recipe) + Send + Sync + 'static,
    ) {
        self.all.push(Mistake {
            label,
            parts,
            alone: self.alone,
            loose: self.loose,
            set: Box::new(set),
        });
    }

    /// What `add` adds is a wider reading of its label.
    fn loose(&mut self, add: impl FnOnce(&mut Self)) {
        self.loose_if(true, add);
    }

    fn loose_if(&mut self, loose: bool, add: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.loose, loose);
        add(self);
        self.loose = before;
    }

    /// What `add` adds is only tried alone.
    fn alone(&mut self, add: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.alone, true);
        add(self);
        self.alone = before;
    }
}

pub(super) use payload::declared_mistakes;
