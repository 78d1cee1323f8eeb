//! The search: every mistake alone, then two at a time, until the signature that was sent comes
//! out.
//!
//! ```text
//! mistakes ─► Tried (the parts each changes, its string to sign, its key)
//!               │ those with the same outcome are one group: aliases
//!               ▼
//!           groups ─► one HMAC each ─► matches
//!               └──► two groups: parts of either put together ─► one HMAC ─► matches
//! ```
//!
//! It ends by count, never by the clock, so that a verdict does not depend on load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::sha256_hex;
use super::facts::Facts;
use super::label::rank;
use super::mistakes::{Mistake, Mistakes};
use super::recipe::{Assembly, Last, PayloadLine, Recipe, StsForm, StsRecipe, part};
use super::render::{self, Parts, PartsRef, assemble, string_to_sign};
use super::signature::{Mac, derive};

/// What a search found: each match is one or two codes that give the signature.
#[derive(Default)]
pub(super) struct Found {
    pub(super) matches: Vec<Match>,
    pub(super) evaluations: u64,
    pub(super) pairs: bool,
}

/// The codes that fit in one place.
pub(super) struct Codes {
    /// Likeliest first.
    pub(super) same: Vec<&'static str>,
    /// Those that fit in a wider reading only.
    pub(super) wider: Vec<&'static str>,
}

/// One way in which the signature comes out.
pub(super) struct Match {
    /// For each of the mistakes the codes that fit in its place, likeliest first.
    pub(super) codes: Vec<Codes>,
    /// For each of the mistakes what it changes.
    pub(super) evidence: Vec<Vec<String>>,
}

/// What a mistake makes of the request.
struct Tried {
    mistake: usize,
    parts: u16,
    recipe: Recipe,
    changed: Changed,
    /// Of the canonical request, where it is another one.
    hash: Option<String>,
    string: Option<Vec<u8>>,
    key: usize,
    members: Vec<usize>,
}

#[derive(Default)]
struct Changed {
    method: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    query: Option<Vec<u8>>,
    lines: Option<Vec<u8>>,
    list: Option<Vec<u8>>,
    payload: Option<Vec<u8>>,
}

pub(super) struct Search<'s, 'a> {
    facts: &'s Facts<'a>,
    secret: &'s [u8],
    wanted: &'s [u8],
    base: Parts,
    base_hash: String,
    base_string: Vec<u8>,
    keys: Vec<Mac>,
    mistakes: Vec<Mistake>,
    limit: u64,
    stop: &'s AtomicBool,
    found: Found,
}

impl<'s, 'a> Search<'s, 'a> {
    pub(super) fn new(
        facts: &'s Facts<'a>,
        credentials: &'s crate::secret::Credentials,
        wanted: &'s [u8],
        limit: u64,
        stop: &'s AtomicBool,
    ) -> Self {
        let right = Recipe::default();
        let base = Parts::of(&right, facts);
        let canonical = assemble(&PartsRef::of(&base), Assembly::Right);
        let base_hash = sha256_hex(&canonical);
        let base_string = string_to_sign(&right.sts, facts, &canonical, &base_hash);
        let secret = credentials.secret_access_key.expose();
        let key = Mac::new(derive(&right.key, secret, &facts.claim));
        let mut mistakes = Mistakes::of(facts, credentials).all;
        mistakes.sort_by_key(|mistake| rank(mistake.label));
        Self {
            facts,
            secret,
            wanted,
            base,
            base_hash,
            base_string,
            keys: vec![key],
            mistakes,
            limit,
            stop,
            found: Found::default(),
        }
    }

    /// Alone, and if nothing was found and it is wanted, in pairs.
    pub(super) fn run(mut self, pairs: bool) -> Found {
        let groups = self.alone();
        if self.found.matches.is_empty() && pairs {
            self.found.pairs = true;
            self.pairs(&groups);
        }
        self.found
    }

    fn over(&self) -> bool {
        self.found.evaluations >= self.limit || self.stop.load(Ordering::Relaxed)
    }

    fn gives(&mut self, key: usize, string: &[u8], last: Last) -> bool {
        self.found.evaluations += 1;
        self.keys[key].gives(string, last, self.wanted)
    }

    fn alone(&mut self) -> Vec<Tried> {
        let mut groups: Vec<Tried> = Vec::new();
        let mut outcomes: HashMap<(usize, u8, Vec<u8>), Option<usize>> = HashMap::new();
        let mut keys: HashMap<String, usize> = HashMap::new();
        outcomes.insert((0, 0, self.base_string.clone()), None);
        keys.insert(sha256_hex(self.keys[0].key()), 0);
        for at in 0..self.mistakes.len() {
            if self.over() {
                break;
            }
            let tried = self.attempt(at, &mut keys);
            let string = tried
                .string
                .clone()
                .unwrap_or_else(|| self.base_string.clone());
            match outcomes.get(&(tried.key, tried.recipe.last as u8, string.clone())) {
                // It changes nothing in this request.
                Some(None) => {}
                Some(Some(group)) => groups[*group].members.push(at),
                None => {
                    outcomes.insert(
                        (tried.key, tried.recipe.last as u8, string),
                        Some(groups.len()),
                    );
                    groups.push(tried);
                }
            }
        }
        for group in &groups {
            let string = group
                .string
                .as_deref()
                .unwrap_or(&self.base_string)
                .to_vec();
            if self.gives(group.key, &string, group.recipe.last) {
                let found = Match {
                    codes: vec![self.codes(&group.members)],
                    evidence: vec![self.evidence(group)],
                };
                self.found.matches.push(found);
            }
        }
        groups
    }

    fn attempt(&mut self, at: usize, keys: &mut HashMap<String, usize>) -> Tried {
        let mut recipe = Recipe::default();
        (self.mistakes[at].set)(&mut recipe);
        let parts = self.mistakes[at].parts;
        let changed = self.change(&recipe, parts);
        let mut tried = Tried {
            mistake: at,
            parts,
            changed,
            hash: None,
            string: None,
            key: 0,
            members: vec![at],
            recipe,
        };
        if parts & (part::CANONICAL | part::STS) != 0 {
            let canonical = assemble(&self.merged(&tried.changed, None), tried.recipe.assembly);
            let hash = if parts & part::CANONICAL == 0 {
                self.base_hash.clone()
            } else {
                sha256_hex(&canonical)
            };
            tried.string = Some(string_to_sign(
                &tried.recipe.sts,
                self.facts,
                &canonical,
                &hash,
            ));
            tried.hash = Some(hash);
        }
        if parts & part::KEY != 0 {
            let key = derive(&tried.recipe.key, self.secret, &self.facts.claim);
            let known = self.keys.len();
            tried.key = *keys.entry(sha256_hex(&key)).or_insert(known);
            if tried.key == known {
                self.keys.push(Mac::new(key));
            }
        }
        tried
    }

    fn change(&self, recipe: &Recipe, parts: u16) -> Changed {
        let made = |bit: u16| (parts & bit != 0).then_some(());
        let facts = self.facts;
        Changed {
            method: made(part::METHOD).map(|()| render::method(recipe, facts)),
            path: made(part::PATH).map(|()| render::path(&recipe.path, facts)),
            query: made(part::QUERY).map(|()| render::query(&recipe.query, facts)),
            lines: made(part::HEADERS).map(|()| render::lines(&recipe.headers, facts)),
            list: made(part::HEADERS).map(|()| render::list(&recipe.list, facts)),
            payload: made(part::PAYLOAD).map(|()| render::payload(&recipe.payload, facts)),
        }
    }

    fn merged<'m>(&'m self, first: &'m Changed, second: Option<&'m Changed>) -> PartsRef<'m> {
        fn pick<'m>(
            base: &'m [u8],
            first: &'m Changed,
            second: Option<&'m Changed>,
            of: impl Fn(&'m Changed) -> &'m Option<Vec<u8>>,
        ) -> &'m [u8] {
            let found = of(first).as_deref().or_else(|| of(second?).as_deref());
            found.unwrap_or(base)
        }
        PartsRef {
            method: pick(&self.base.method, first, second, |c| &c.method),
            path: pick(&self.base.path, first, second, |c| &c.path),
            query: pick(&self.base.query, first, second, |c| &c.query),
            lines: pick(&self.base.lines, first, second, |c| &c.lines),
            list: pick(&self.base.list, first, second, |c| &c.list),
            payload: pick(&self.base.payload, first, second, |c| &c.payload),
        }
    }

    /// Two groups at a time, the likeliest first; then those that are too many, each with the
    /// others.
    fn pairs(&mut self, groups: &[Tried]) {
        let is_alone = |group: &&Tried| self.mistakes[group.mistake].alone;
        let mut order: Vec<&Tried> = groups.iter().filter(|group| !is_alone(group)).collect();
        let many = |group: &&Tried| is_alone(group) && group.parts == part::PAYLOAD;
        let many: Vec<&Tried> = groups.iter().filter(many).collect();
        order.sort_by_key(|group| rank(self.mistakes[group.mistake].label));
        for sum in 1..(2 * order.len()).saturating_sub(2) {
            let from = sum.saturating_sub(order.len() - 1);
            for at in from..sum.div_ceil(2) {
                if self.over() {
                    return;
                }
                self.pair(order[at], order[sum - at]);
            }
        }
        if !self.found.matches.is_empty() {
            return;
        }
        for one in &order {
            for other in &many {
                if self.over() {
                    return;
                }
                self.pair(one, other);
            }
        }
    }

    fn pair(&mut self, one: &Tried, two: &Tried) {
        let hit = if one.parts & two.parts != 0 {
            let (key, string, last) = self.together(one.mistake, two.mistake);
            self.found.evaluations += 1;
            match key {
                Some(key) => key.gives(&string, last, self.wanted),
                None => self.keys[one.key.max(two.key)].gives(&string, last, self.wanted),
            }
        } else {
            let string = self.apart(one, two);
            let last = if one.recipe.last == Last::Hmac {
                two.recipe.last
            } else {
                one.recipe.last
            };
            self.gives(one.key.max(two.key), &string, last)
        };
        if hit {
            self.matched(one, two);
        }
    }

    /// The string to sign of two mistakes that touch different parts.
    fn apart(&self, one: &Tried, two: &Tried) -> Vec<u8> {
        const STRING: u16 = part::CANONICAL | part::STS;
        match (one.parts & STRING != 0, two.parts & STRING != 0) {
            (false, false) => return self.base_string.clone(),
            (true, false) => return one.string.clone().unwrap_or_default(),
            (false, true) => return two.string.clone().unwrap_or_default(),
            (true, true) => {}
        }
        let (sts, other) = match (one.parts & part::STS != 0, two.parts & part::STS != 0) {
            (true, _) => (&one.recipe.sts, two),
            (_, true) => (&two.recipe.sts, one),
            _ => (&one.recipe.sts, one),
        };
        let both = one.parts & part::CANONICAL != 0 && two.parts & part::CANONICAL != 0;
        if !both && sts.form != StsForm::NotHashed {
            let hash = other.hash.as_deref().unwrap_or(&self.base_hash);
            return string_to_sign(sts, self.facts, b"", hash);
        }
        let assembly = if one.recipe.assembly == Assembly::Right {
            two.recipe.assembly
        } else {
            one.recipe.assembly
        };
        let canonical = assemble(&self.merged(&one.changed, Some(&two.changed)), assembly);
        string_to_sign(sts, self.facts, &canonical, &sha256_hex(&canonical))
    }

    /// Two mistakes applied one after the other, whatever they touch. The key is `None` where
    /// it is that of the one or the other.
    fn together(&self, one: usize, two: usize) -> (Option<Mac>, Vec<u8>, Last) {
        let mut recipe = Recipe::default();
        (self.mistakes[one].set)(&mut recipe);
        (self.mistakes[two].set)(&mut recipe);
        let (a, b) = (self.mistakes[one].parts, self.mistakes[two].parts);
        let string = if (a | b) & (part::CANONICAL | part::STS) == 0 {
            self.base_string.clone()
        } else {
            let changed = self.change(&recipe, a | b);
            let canonical = assemble(&self.merged(&changed, None), recipe.assembly);
            string_to_sign(&recipe.sts, self.facts, &canonical, &sha256_hex(&canonical))
        };
        let key = ((a | b) & part::KEY != 0)
            .then(|| Mac::new(derive(&recipe.key, self.secret, &self.facts.claim)));
        (key, string, recipe.last)
    }

    fn matched(&mut self, one: &Tried, two: &Tried) {
        let fits = |first: usize, second: usize| {
            let (key, string, last) = self.together(first, second);
            match key {
                Some(key) => key.gives(&string, last, self.wanted),
                None => self.keys[0].gives(&string, last, self.wanted),
            }
        };
        let first: Vec<usize> = one
            .members
            .iter()
            .copied()
            .filter(|other| fits(*other, two.mistake))
            .collect();
        let second: Vec<usize> = two
            .members
            .iter()
            .copied()
            .filter(|other| fits(one.mistake, *other))
            .collect();
        let found = Match {
            codes: vec![self.codes(&first), self.codes(&second)],
            evidence: vec![self.evidence(one), self.evidence(two)],
        };
        if found.codes.iter().all(|codes| !codes.same.is_empty()) {
            self.found.matches.push(found);
        }
    }

    /// The codes of mistakes, each once, likeliest first. Where some fit in their plain reading,
    /// the others are only wider.
    fn codes(&self, members: &[usize]) -> Codes {
        let list = |loose: bool| {
            let fitting = members
                .iter()
                .map(|at| &self.mistakes[*at])
                .filter(|one| one.loose == loose);
            let mut codes: Vec<&'static str> = fitting.map(|mistake| mistake.label).collect();
            codes.sort_by_key(|code| rank(code));
            codes.dedup();
            codes
        };
        let (plain, mut wider) = (list(false), list(true));
        if plain.is_empty() {
            return Codes {
                same: wider,
                wider: Vec::new(),
            };
        }
        wider.retain(|code| !plain.contains(code));
        Codes { same: plain, wider }
    }

    /// What was signed beside what AWS signs, line by line.
    fn evidence(&self, tried: &Tried) -> Vec<String> {
        let right = assemble(&PartsRef::of(&self.base), Assembly::Right);
        if tried.parts & part::CANONICAL != 0 {
            let signed = assemble(&self.merged(&tried.changed, None), tried.recipe.assembly);
            if matches!(tried.recipe.payload.line, PayloadLine::Body) {
                return vec![
                    "the last line of the canonical request is the body itself".to_owned(),
                ];
            }
            let whole = tried.parts & part::ASSEMBLY == 0;
            return difference("canonical request", &signed, &right, whole);
        }
        if tried.parts & part::STS != 0 && tried.recipe.sts.form != StsForm::NotHashed {
            let signed = tried.string.as_deref().unwrap_or_default();
            let right = string_to_sign(&StsRecipe::default(), self.facts, &right, &self.base_hash);
            return difference("string to sign", signed, &right, true);
        }
        Vec::new()
    }
}

/// The first line in which two texts differ.
fn difference(what: &str, signed: &[u8], right: &[u8], whole: bool) -> Vec<String> {
    let split = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(text).into_owned();
        text.split('\n').map(str::to_owned).collect()
    };
    let (signed, right) = (split(signed), split(right));
    let at = signed.iter().zip(&right).position(|(a, b)| a != b);
    let at = at.unwrap_or(signed.len().min(right.len()));
    let show = |line: Option<&String>| {
        line.map_or_else(|| "(no such line)".to_owned(), |line| quoted(line))
    };
    let mut out = vec![
        format!("line {} of the {what}", at + 1),
        format!("client signed  {}", show(signed.get(at))),
        format!("AWS expects    {}", show(right.get(at))),
    ];
    if !whole {
        out.truncate(1);
        out.push(format!(
            "client signed  {} lines, AWS expects {}",
            signed.len(),
            right.len()
        ));
    }
    out
}

/// A line for the eye: cut where it is long, and without what it may hide.
fn quoted(line: &str) -> String {
    const LONGEST: usize = 300;
    const HIDDEN: &[&str] = &[
        "security-token",
        "s3session-token",
        "customer-key",
        "authorization",
        "cookie",
        "api-key",
    ];
    let lower = line.to_ascii_lowercase();
    let hidden = HIDDEN
        .iter()
        .filter_map(|name| Some(lower.find(name)? + name.len()))
        .min();
    let shown = hidden.and_then(|end| line.get(..end)).unwrap_or(line);
    let mut out: String = shown.chars().take(LONGEST).map(visible).collect();
    if out.chars().count() < line.chars().count() {
        out.push('…');
    }
    out
}

/// Control characters as pictures.
fn visible(c: char) -> char {
    match c {
        '\u{7f}' => '␡',
        c if c < ' ' => char::from_u32(0x2400 + c as u32).unwrap_or('␀'),
        c => c,
    }
}
