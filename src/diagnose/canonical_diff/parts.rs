//! Two canonical requests, or two strings to sign, taken apart and laid side by side.

use super::words;

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    Method,
    Path,
    /// A query parameter by its canonical name.
    Query(String),
    /// A signed header in lower case.
    Header(String),
    /// The list of names.
    SignedHeaders,
    /// The last line of the canonical request.
    Payload,
    /// The first line of the string to sign.
    Algorithm,
    /// Its second line.
    Date,
    ScopeDate,
    ScopeRegion,
    ScopeService,
    /// The number of lines, or of the scope's parts.
    Form,
}

/// One difference. The values may be secret: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Difference {
    pub component: Component,
    /// First differing byte, counted from the start of our text.
    pub at: usize,
    /// What was signed; `None` where it was not there.
    pub ours: Option<String>,
    /// What AWS saw; `None` where it was not there.
    pub theirs: Option<String>,
}

impl Difference {
    /// One sentence about the cause.
    pub fn says(&self) -> String {
        words::sentence(self)
    }
}

struct Parts<'t> {
    method: &'t str,
    path: &'t str,
    query: &'t str,
    headers: Vec<(&'t str, &'t str)>,
    signed: &'t str,
    payload: &'t str,
}

impl<'t> Parts<'t> {
    /// IAM User Guide, "Create a signed AWS API request", step 1.
    fn read(text: &'t str) -> Option<Self> {
        let mut lines = text.splitn(4, '\n');
        let (method, path, query, rest) =
            (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let (front, payload) = rest.rsplit_once('\n')?;
        let (headers, signed) = front.rsplit_once('\n')?;
        let headers = headers
            .split('\n')
            .filter_map(|line| line.split_once(':'))
            .collect();
        Some(Self {
            method,
            path,
            query,
            headers,
            signed,
            payload,
        })
    }
}

/// Where two canonical requests differ, in the order of their lines.
pub fn differences(ours: &[u8], theirs: &[u8]) -> Vec<Difference> {
    if ours == theirs {
        return Vec::new();
    }
    let (ours, theirs) = (
        String::from_utf8_lossy(ours),
        String::from_utf8_lossy(theirs),
    );
    let first = common(&ours, &theirs);
    let (Some(a), Some(b)) = (Parts::read(&ours), Parts::read(&theirs)) else {
        return vec![Difference {
            component: Component::Form,
            at: first,
            ours: None,
            theirs: None,
        }];
    };
    let mut out = Vec::new();
    let mut add = |component, ours: Option<&str>, theirs: Option<&str>| {
        if ours != theirs {
            out.push(Difference {
                component,
                at: first,
                ours: ours.map(str::to_owned),
                theirs: theirs.map(str::to_owned),
            });
        }
    };
    add(Component::Method, Some(a.method), Some(b.method));
    add(Component::Path, Some(a.path), Some(b.path));
    for (name, ours, theirs) in queries(a.query, b.query) {
        add(Component::Query(name), ours.as_deref(), theirs.as_deref());
    }
    add(Component::SignedHeaders, Some(a.signed), Some(b.signed));
    let both = |name: &str| {
        [a.signed, b.signed]
            .iter()
            .all(|list| list.split(';').any(|signed| signed == name))
    };
    for (name, value) in a.headers.iter().filter(|(name, _)| both(name)) {
        let other = b
            .headers
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| *value);
        add(Component::Header((*name).to_owned()), Some(value), other);
    }
    for (name, value) in b.headers.iter().filter(|(name, _)| both(name)) {
        if !a.headers.iter().any(|(given, _)| given == name) {
            add(Component::Header((*name).to_owned()), None, Some(value));
        }
    }
    add(Component::Payload, Some(a.payload), Some(b.payload));
    if out.is_empty() {
        out.push(Difference {
            component: Component::Form,
            at: first,
            ours: None,
            theirs: None,
        });
    }
    out
}

/// Where two strings to sign differ, but for the hash in their last line.
pub fn string_differences(ours: &str, theirs: &str) -> Vec<Difference> {
    let first = common(ours, theirs);
    let (a, b): (Vec<&str>, Vec<&str>) = (ours.split('\n').collect(), theirs.split('\n').collect());
    if a.len() != b.len() || a.len() < 4 {
        return vec![Difference {
            component: Component::Form,
            at: first,
            ours: None,
            theirs: None,
        }];
    }
    let mut out = Vec::new();
    let mut add = |component, ours: Option<&&str>, theirs: Option<&&str>| {
        let own = |part: Option<&&str>| part.map(|part| (*part).to_owned());
        if ours != theirs {
            out.push(Difference {
                component,
                at: first,
                ours: own(ours),
                theirs: own(theirs),
            });
        }
    };
    add(Component::Algorithm, a.first(), b.first());
    add(Component::Date, a.get(1), b.get(1));
    let scope = |lines: &[&str]| {
        lines
            .get(2)
            .map(|line| line.to_string())
            .unwrap_or_default()
    };
    let (a, b) = (scope(&a), scope(&b));
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('/').collect(), b.split('/').collect());
    for (index, component) in [
        Component::ScopeDate,
        Component::ScopeRegion,
        Component::ScopeService,
        Component::Form,
    ]
    .into_iter()
    .enumerate()
    {
        add(component, a.get(index), b.get(index));
    }
    out
}

/// The parameters in which two canonical queries differ; those of one name are compared
/// together, as their order is part of the text.
fn queries(ours: &str, theirs: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let names = |query: &str| -> Vec<String> {
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| name(pair).to_owned())
            .collect()
    };
    let mut all = names(ours);
    all.extend(names(theirs));
    all.sort();
    all.dedup();
    let values = |query: &str, wanted: &str| -> Option<String> {
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty() && name(pair) == wanted);
        let values: Vec<&str> = pairs
            .map(|pair| pair.split_once('=').map_or("", |(_, value)| value))
            .collect();
        (!values.is_empty()).then(|| values.join("&"))
    };
    let compared = all.into_iter().map(|name| {
        let (a, b) = (values(ours, &name), values(theirs, &name));
        (name, a, b)
    });
    let mut out: Vec<_> = compared.filter(|(_, a, b)| a != b).collect();
    if out.is_empty() && ours != theirs {
        out.push((
            "order".to_owned(),
            Some(ours.to_owned()),
            Some(theirs.to_owned()),
        ));
    }
    out
}

fn name(pair: &str) -> &str {
    pair.split('=').next().unwrap_or(pair)
}

/// Bytes that two texts have in common at their start.
pub(super) fn common(ours: &str, theirs: &str) -> usize {
    ours.bytes()
        .zip(theirs.bytes())
        .take_while(|(a, b)| a == b)
        .count()
}
