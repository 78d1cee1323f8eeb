//! What a body may have been before something rewrote it.

use std::io::Read;

use super::super::text;

/// A body that may have been hashed, and the change that makes the one on the wire of it.
pub(super) struct Earlier {
    pub(super) label: &'static str,
    pub(super) body: Vec<u8>,
    /// One of very many.
    pub(super) alone: bool,
}

/// Bodies over this are only looked at for their ends.
const LARGE: usize = 64 * 1024;
/// The most orders of keys or parameters.
const ORDERS: usize = 5040;

pub(super) fn earlier_bodies(body: &[u8], content_type: Option<&str>) -> Vec<Earlier> {
    let mut out = Out(Vec::new(), body);
    ends(body, &mut out);
    if let Ok(text) = std::str::from_utf8(body)
        && body.len() <= LARGE
    {
        json(text, &mut out);
        let form = content_type.is_some_and(|kind| kind.contains("form-urlencoded"));
        if form || (text.contains('=') && !text.contains(['{', '<', '\n', ' ', '"'])) {
            forms(text, &mut out);
        }
    }
    out.0
}

struct Out<'b>(Vec<Earlier>, &'b [u8]);

impl Out<'_> {
    fn add(&mut self, label: &'static str, body: impl Into<Vec<u8>>) {
        self.push(label, body.into(), false);
    }

    fn push(&mut self, label: &'static str, body: Vec<u8>, alone: bool) {
        if body != self.1 {
            self.0.push(Earlier { label, body, alone });
        }
    }
}

fn ends(body: &[u8], out: &mut Out<'_>) {
    if let Some(rest) = body.strip_suffix(b"\n") {
        out.add("body-newline-added", rest);
    }
    if let Some(rest) = body.strip_suffix(b"\r\n") {
        out.add("body-newline-added", rest);
    }
    if let Some(rest) = body.strip_suffix(b"\n\n") {
        out.add("body-newline-added", rest);
    }
    for end in [&b"\n"[..], b"\r\n"] {
        out.add("body-newline-lost", [body, end].concat());
    }
    out.add("body-lf-to-crlf", text::replace(body, b"\r\n", b"\n"));
    if let Some(rest) = body.strip_prefix(b"\xef\xbb\xbf") {
        out.add("body-bom-added", rest);
    }
    const LIMIT: u64 = 16 << 20;
    let mut plain = Vec::new();
    if body.starts_with(&[0x1f, 0x8b])
        && flate2::read::GzDecoder::new(body)
            .take(LIMIT)
            .read_to_end(&mut plain)
            .is_ok()
    {
        out.add("body-gzipped-after", plain);
    } else if body.first() == Some(&0x78) {
        plain.clear();
        if flate2::read::ZlibDecoder::new(body)
            .take(LIMIT)
            .read_to_end(&mut plain)
            .is_ok()
        {
            out.add("body-gzipped-after", plain);
        }
    }
}

/// JSON with every token as it is written.
#[derive(Clone)]
enum Json<'a> {
    Scalar(&'a str),
    Array(Vec<Json<'a>>),
    Object(Vec<(&'a str, Json<'a>)>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    item: &'static str,
    colon: &'static str,
    indent: Option<&'static str>,
}

const fn look(item: &'static str, colon: &'static str, indent: Option<&'static str>) -> Look {
    Look {
        item,
        colon,
        indent,
    }
}

const LOOKS: &[(&str, Look)] = &[
    ("body-json-minified", look(",", ":", None)),
    ("body-json-spaced", look(", ", ": ", None)),
    ("body-json-spaced", look(",", ": ", None)),
    ("body-json-spaced", look(", ", ":", None)),
    ("body-json-spaced", look(", ", " : ", None)),
    ("body-json-pretty", look(",", ": ", Some("  "))),
    ("body-json-pretty", look(",", ": ", Some("    "))),
    ("body-json-pretty", look(",", ": ", Some("\t"))),
    ("body-json-pretty", look(",", " : ", Some("  "))),
    ("body-json-pretty", look(",", ": ", Some(" "))),
    ("body-json-pretty", look(",", ": ", Some("   "))),
    ("body-json-pretty", look(",", ":", Some("  "))),
];

fn json(body: &str, out: &mut Out<'_>) {
    let mut rest = body;
    let Some(tree) = value(&mut rest, 0).filter(|_| rest.trim().is_empty()) else {
        return;
    };
    if let Json::Scalar(token) = &tree {
        if let Ok(inner) = serde_json::from_str::<String>(token) {
            out.add("body-json-quoted-string", inner);
        }
        return;
    }
    let now = LOOKS
        .iter()
        .find(|(_, look)| tree.write(*look) == body.trim_end());
    let label = now.map_or_else(
        || {
            if body.contains('\n') {
                "body-json-pretty"
            } else {
                "body-json-spaced"
            }
        },
        |(label, _)| label,
    );
    let end = &body[body.trim_end().len()..];
    for (_, look) in LOOKS {
        let written = tree.write(*look);
        out.add(label, format!("{written}{end}"));
        out.add(label, format!("{written}\n"));
        if written != body.trim_end() {
            out.add(label, unescaped(&written));
        }
    }
    out.add("body-json-ascii-escaped", unescaped(body));
    out.add("body-json-slash-escaped", body.replace('/', "\\/"));
    if tree.is_sorted() {
        let look = now.map_or(LOOKS[0].1, |(_, look)| *look);
        for (number, tree) in orders(&tree).into_iter().enumerate() {
            out.push(
                "body-json-keys-sorted",
                format!("{}{end}", tree.write(look)).into_bytes(),
                number >= 24,
            );
        }
    }
}

/// Reads one value and leaves what is behind it.
fn value<'a>(rest: &mut &'a str, depth: usize) -> Option<Json<'a>> {
    *rest = rest.trim_start();
    if depth > 64 {
        return None;
    }
    match rest.as_bytes().first()? {
        b'{' => {
            let members = members(rest, '}', |rest| {
                let key = string(rest)?;
                *rest = rest.trim_start().strip_prefix(':')?;
                Some((key, value(rest, depth + 1)?))
            })?;
            Some(Json::Object(members))
        }
        b'[' => Some(Json::Array(members(rest, ']', |rest| {
            value(rest, depth + 1)
        })?)),
        b'"' => string(rest).map(Json::Scalar),
        _ => {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            let (token, behind) = rest.split_at(end.unwrap_or(rest.len()));
            *rest = behind;
            (!token.is_empty()).then_some(Json::Scalar(token))
        }
    }
}

fn members<'a, T>(
    rest: &mut &'a str,
    end: char,
    mut read: impl FnMut(&mut &'a str) -> Option<T>,
) -> Option<Vec<T>> {
    let mut all = Vec::new();
    *rest = rest.get(1..)?.trim_start();
    if let Some(behind) = rest.strip_prefix(end) {
        *rest = behind;
        return Some(all);
    }
    loop {
        all.push(read(rest)?);
        *rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix(end) {
            *rest = behind;
            return Some(all);
        }
        *rest = rest.strip_prefix(',')?.trim_start();
    }
}

fn string<'a>(rest: &mut &'a str) -> Option<&'a str> {
    *rest = rest.trim_start();
    let bytes = rest.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    while *bytes.get(at)? != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    let token = rest.get(..=at)?;
    *rest = &rest[at + 1..];
    Some(token)
}

impl Json<'_> {
    fn write(&self, look: Look) -> String {
        let mut out = String::new();
        self.write_to(look, 1, &mut out);
        out
    }

    fn write_to(&self, look: Look, depth: usize, out: &mut String) {
        let line = |depth: usize, out: &mut String| {
            if let Some(indent) = look.indent {
                out.push('\n');
                out.push_str(&indent.repeat(depth));
            }
        };
        let (open, close, count) = match self {
            Self::Scalar(token) => return out.push_str(token),
            Self::Array(items) => ('[', ']', items.len()),
            Self::Object(members) => ('{', '}', members.len()),
        };
        out.push(open);
        for at in 0..count {
            if at > 0 {
                out.push_str(look.item);
            }
            line(depth, out);
            match self {
                Self::Array(items) => items[at].write_to(look, depth + 1, out),
                Self::Object(members) => {
                    out.push_str(members[at].0);
                    out.push_str(look.colon);
                    members[at].1.write_to(look, depth + 1, out);
                }
                Self::Scalar(_) => {}
            }
        }
        if count > 0 {
            line(depth - 1, out);
        }
        out.push(close);
    }

    /// Whether there are keys to be sorted, and all of them are.
    fn is_sorted(&self) -> bool {
        match self {
            Self::Scalar(_) => true,
            Self::Array(items) => items.iter().all(Self::is_sorted),
            Self::Object(members) => {
                members.is_sorted_by(|a, b| a.0 <= b.0)
                    && members.iter().all(|(_, value)| value.is_sorted())
            }
        }
    }
}

/// The same tree with the keys of its objects in every order, as far as there are not too many.
fn orders<'a>(tree: &Json<'a>) -> Vec<Json<'a>> {
    match tree {
        Json::Scalar(_) => vec![tree.clone()],
        Json::Array(items) => {
            let each: Vec<Vec<Json<'a>>> = items.iter().map(orders).collect();
            combined(&each).into_iter().map(Json::Array).collect()
        }
        Json::Object(members) => {
            let each: Vec<Vec<Json<'a>>> = members.iter().map(|(_, value)| orders(value)).collect();
            let inner = combined(&each);
            let mut out = Vec::new();
            let arrangements = permutations(members.len(), ORDERS / inner.len().max(1));
            for values in inner {
                for order in &arrangements {
                    let member = |at: &usize| (members[*at].0, values[*at].clone());
                    out.push(Json::Object(order.iter().map(member).collect()));
                }
            }
            out
        }
    }
}

/// One choice for each place; the plain one alone where there are too many.
fn combined<'a>(each: &[Vec<Json<'a>>]) -> Vec<Vec<Json<'a>>> {
    let count = each
        .iter()
        .try_fold(1_usize, |n, all| n.checked_mul(all.len()));
    if count.is_none_or(|count| count > ORDERS) {
        return vec![each.iter().filter_map(|all| all.first().cloned()).collect()];
    }
    each.iter().fold(vec![Vec::new()], |so_far, all| {
        so_far
            .iter()
            .flat_map(|before| {
                all.iter()
                    .map(move |one| before.iter().cloned().chain([one.clone()]).collect())
            })
            .collect()
    })
}

/// Every order of so many things; where that is more than `most`, each moved to either end.
fn permutations(count: usize, most: usize) -> Vec<Vec<usize>> {
    let all: Option<usize> = (1..=count).try_fold(1_usize, usize::checked_mul);
    let plain: Vec<usize> = (0..count).collect();
    if all.is_some_and(|all| all <= most.max(1)) {
        let mut out = Vec::new();
        permute(&mut plain.clone(), 0, &mut out);
        return out;
    }
    let mut out = vec![plain.clone(), plain.iter().rev().copied().collect()];
    for from in 0..count.min(40) {
        for to in 0..count.min(40) {
            let mut order = plain.clone();
            let moved = order.remove(from);
            order.insert(to, moved);
            out.push(order);
        }
    }
    out.truncate(most.max(1));
    out
}

fn permute(order: &mut Vec<usize>, from: usize, out: &mut Vec<Vec<usize>>) {
    if from + 1 >= order.len() {
        out.push(order.clone());
        return;
    }
    for at in from..order.len() {
        order.swap(from, at);
        permute(order, from + 1, out);
        order.swap(from, at);
    }
}

/// `\u00e9` as the letter; escapes of ASCII stay.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u") {
        out.push_str(&rest[..at]);
        let escapes = rest[at..].split("\\u").skip(1);
        let mut units = Vec::new();
        for piece in escapes {
            let Some(unit) = piece
                .get(..4)
                .and_then(|hex| u16::from_str_radix(hex, 16).ok())
            else {
                break;
            };
            units.push(unit);
            if piece.len() != 4 {
                break;
            }
        }
        let length = (units.len() * 6).max(2);
        let written: String = char::decode_utf16(units)
            .map(|c| c.unwrap_or('\u{fffd}'))
            .collect();
        if written.is_ascii() || written.contains('\u{fffd}') {
            out.push_str(&rest[at..at + length]);
        } else {
            out.push_str(&written);
        }
        rest = &rest[at + length..];
    }
    out + rest
}

fn forms(body: &str, out: &mut Out<'_>) {
    let plus = body.replace('+', "%20");
    let upper = String::from_utf8_lossy(&text::hex_case(body.as_bytes(), true)).into_owned();
    let lower = String::from_utf8_lossy(&text::hex_case(body.as_bytes(), false)).into_owned();
    out.add("body-form-plus", plus.clone());
    out.add("body-form-pct20", body.replace("%20", "+"));
    out.add("body-form-lowercase-hex", upper.clone());
    let label = if body.contains('+') {
        "body-form-plus"
    } else {
        "body-form-pct20"
    };
    if body.contains('+') || body.contains("%20") {
        for again in [&plus, &upper, &lower] {
            for (from, to) in [
                ("%2A", "*"),
                ("*", "%2A"),
                ("%7E", "~"),
                ("~", "%7E"),
                ("%2F", "/"),
                ("%3A", ":"),
            ] {
                let other = again.replace(from, to);
                out.add(label, other.replace('+', "%20"));
                out.add(label, other.replace("%20", "+"));
            }
        }
    }
    let pairs: Vec<&str> = body.split('&').collect();
    let named = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    if !pairs.is_sorted_by_key(named) && !pairs.is_sorted() {
        return;
    }
    let mut first: Vec<&str> = Vec::new();
    for name in ["Action", "Version"] {
        first.extend(pairs.iter().filter(|pair| named(pair) == name));
    }
    let others = |pair: &&&str| !first.contains(*pair);
    let rest: Vec<&str> = pairs.iter().filter(others).copied().collect();
    let back: Vec<&str> = rest.iter().rev().copied().collect();
    for rest in [&rest, &back] {
        out.add(
            "body-form-params-sorted",
            [&first[..], rest].concat().join("&"),
        );
        out.add(
            "body-form-params-sorted",
            [&rest[..], &first].concat().join("&"),
        );
    }
    if let [action, version] = first[..] {
        out.add(
            "body-form-params-sorted",
            [&[action], &rest[..], &[version]].concat().join("&"),
        );
    }
    for order in permutations(pairs.len(), ORDERS) {
        let moved: Vec<&str> = order.iter().map(|at| pairs[*at]).collect();
        out.push(
            "body-form-params-sorted",
            moved.join("&").into_bytes(),
            true,
        );
    }
}
