//! From method, path and query to a REST operation.

use std::collections::HashMap;

use super::operation::Operation;

/// A service's URI templates, found by their first literal segment.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// Templates by the literal that they begin with.
    by_first: HashMap<&'static str, Vec<Route>>,
    /// Templates that begin with a label, and the empty one.
    open: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    method: &'static str,
    segments: Vec<Segment>,
    query: Vec<Term>,
    /// `x-amz-copy-source` must be there.
    copy: bool,
    rank: Rank,
    /// Index among the service's operations.
    operation: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Label,
    /// The rest of the path, at least one segment.
    Greedy,
}

/// What the query must hold.
#[derive(Clone, Copy, Debug)]
enum Term {
    /// `?acl`, `?uploads=`
    Name(&'static str),
    /// `?list-type=2`
    Value(&'static str, &'static str),
    /// A parameter that the model requires, with whatever value.
    Required(&'static str),
}

/// How specific a match is: literal segments before labels, then the number of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    path: u64,
    terms: usize,
}

/// The parts of a request that a route looks at.
pub(super) struct Located<'a> {
    pub(super) method: &'a str,
    /// Segments of the raw path, without the empty one before the first slash and the one
    /// after the last.
    pub(super) segments: Vec<&'a str>,
    pub(super) query: &'a str,
    pub(super) copy: bool,
}

impl<'a> Located<'a> {
    /// `path` is raw. `bucket`: the host names the bucket, so the path begins after it.
    pub(super) fn new(method: &'a str, path: &'a str, query: &'a str, bucket: bool) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut segments: Vec<&str> = bucket.then_some("bucket").into_iter().collect();
        segments.extend(path.split('/'));
        if segments.last() == Some(&"") {
            segments.pop();
        }
        Self {
            method,
            segments,
            query,
            copy: false,
        }
    }

    fn terms(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.query
            .split('&')
            .filter(|term| !term.is_empty())
            .map(|term| term.split_once('=').unwrap_or((term, "")))
    }

    /// The operation that SDKs name in `x-id`.
    pub(super) fn named(&self) -> Option<&'a str> {
        self.terms()
            .find_map(|(name, value)| (name == "x-id").then_some(value))
    }
}

impl Routes {
    pub(super) fn of(operations: &[Operation]) -> Self {
        let mut routes = Self::default();
        for (at, operation) in operations.iter().enumerate() {
            let Some(template) = operation.template.filter(|_| !operation.superseded) else {
                continue;
            };
            let route = Route::read(template, at);
            match route.segments.first() {
                Some(Segment::Literal(first)) => {
                    routes.by_first.entry(first).or_default().push(route);
                }
                _ => routes.open.push(route),
            }
        }
        routes
    }

    /// The most specific route, as an index among the service's operations. Operations whose
    /// required parameters are missing count only when there is no other.
    pub(super) fn find(&self, request: &Located<'_>) -> Option<(Rank, usize)> {
        self.best(request, true)
            .or_else(|| self.best(request, false))
    }

    /// Whether the operation of that index answers to this method and path.
    pub(super) fn answers(&self, request: &Located<'_>, operation: usize) -> Option<Rank> {
        self.matching(request, false)
            .find_map(|route| (route.operation == operation).then_some(route.rank))
    }

    fn best(&self, request: &Located<'_>, strict: bool) -> Option<(Rank, usize)> {
        self.matching(request, strict)
            .map(|route| (route.rank, route.operation))
            .max_by_key(|(rank, operation)| (*rank, std::cmp::Reverse(*operation)))
    }

    fn matching(&self, request: &Located<'_>, strict: bool) -> impl Iterator<Item = &Route> {
        let first = request.segments.first().copied().unwrap_or("");
        let first = percent_encoding::percent_decode_str(first)
            .decode_utf8()
            .unwrap_or_default();
        let named = self.by_first.get(&*first).map_or(&[][..], Vec::as_slice);
        named
            .iter()
            .chain(&self.open)
            .filter(move |route| route.matches(request, strict))
    }
}

impl Route {
    /// `PUT /{}/{+}?partNumber=*&uploadId=* copy`
    fn read(template: &'static str, operation: usize) -> Self {
        let (method, uri) = template.split_once(' ').unwrap_or(("", template));
        let (uri, copy) = match uri.strip_suffix(" copy") {
            Some(uri) => (uri, true),
            None => (uri, false),
        };
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let segments: Vec<Segment> = path
            .split('/')
            .filter(|text| !text.is_empty())
            .map(Segment::read)
            .collect();
        let query: Vec<Term> = query
            .split('&')
            .filter(|text| !text.is_empty())
            .map(Term::read)
            .collect();
        let rank = Rank {
            path: segments
                .iter()
                .zip((0..32).rev())
                .map(|(segment, place)| segment.weight() << (2 * place))
                .sum(),
            terms: query.len() + usize::from(copy),
        };
        Self {
            method,
            segments,
            query,
            copy,
            rank,
            operation,
        }
    }

    fn matches(&self, request: &Located<'_>, strict: bool) -> bool {
        self.method == request.method
            && (!self.copy || request.copy)
            && self.leads_along(&request.segments)
            && self.query.iter().all(|term| term.holds(request, strict))
    }

    fn leads_along(&self, path: &[&str]) -> bool {
        let greedy = self.segments.iter().position(|s| *s == Segment::Greedy);
        let Some(greedy) = greedy else {
            return self.segments.len() == path.len() && fit(&self.segments, path);
        };
        let after = &self.segments[greedy + 1..];
        path.len() >= self.segments.len()
            && fit(&self.segments[..greedy], &path[..greedy])
            && fit(after, &path[path.len() - after.len()..])
    }
}

fn fit(segments: &[Segment], path: &[&str]) -> bool {
    segments
        .iter()
        .zip(path)
        .all(|(segment, text)| match segment {
            Segment::Literal(literal) => same_segment(literal, text),
            // An empty label would be another, shorter path.
            Segment::Label => !text.is_empty(),
            Segment::Greedy => true,
        })
}

/// Literals may arrive escaped (`%3A` for a colon), which clients do differently.
fn same_segment(literal: &str, text: &str) -> bool {
    literal == text
        || (text.contains('%') && percent_encoding::percent_decode_str(text).eq(literal.bytes()))
}

impl Segment {
    fn read(text: &'static str) -> Self {
        match text {
            "{}" => Self::Label,
            "{+}" => Self::Greedy,
            // `{}:batch` and the like: the part around the label is not looked at.
            text if text.contains('{') => Self::Label,
            literal => Self::Literal(literal),
        }
    }

    fn weight(self) -> u64 {
        match self {
            Self::Literal(_) => 3,
            Self::Label => 2,
            Self::Greedy => 1,
        }
    }
}

impl Term {
    fn read(text: &'static str) -> Self {
        match text.split_once('=') {
            Some((name, "*")) => Self::Required(name),
            Some((name, value)) if !value.is_empty() => Self::Value(name, value),
            Some((name, _)) => Self::Name(name),
            None => Self::Name(text),
        }
    }

    fn holds(&self, request: &Located<'_>, strict: bool) -> bool {
        match *self {
            Self::Name(name) => request.terms().any(|(given, _)| given == name),
            Self::Value(name, value) => request.terms().any(|given| given == (name, value)),
            Self::Required(name) => !strict || request.terms().any(|(given, _)| given == name),
        }
    }
}
