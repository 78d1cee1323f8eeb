//! From a recipe to bytes: each part of the canonical request, the string to sign.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::escape::{decode, is_unreserved};
use super::super::headers::{canonical_value, trim};
use super::super::key::hex;
use super::super::path::normalize;
use super::super::payload::is_sha256_hex;
use super::super::query::{pairs_of, split};
use super::super::view::values;
use super::super::{ALGORITHM, sha256_hex};
use super::facts::Facts;
use super::recipe::{
    Assembly, Empty, Escape, HeaderRecipe, Layer, ListRecipe, Names, Normal, Order, Passes,
    PathLine, PathRecipe, PayloadLine, PayloadRecipe, Plus, QueryLine, QueryPasses, QueryRecipe,
    QueryRepeats, Recipe, Repeats, Sort, StsForm, StsRecipe, Style, Text,
};
use super::text;

/// The parts of a canonical request.
pub(super) struct Parts {
    pub(super) method: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<u8>,
    pub(super) lines: Vec<u8>,
    pub(super) list: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

impl Parts {
    pub(super) fn of(recipe: &Recipe, facts: &Facts<'_>) -> Self {
        Self {
            method: method(recipe, facts),
            path: path(&recipe.path, facts),
            query: query(&recipe.query, facts),
            lines: lines(&recipe.headers, facts),
            list: list(&recipe.list, facts),
            payload: payload(&recipe.payload, facts),
        }
    }
}

pub(super) fn method(recipe: &Recipe, facts: &Facts<'_>) -> Vec<u8> {
    let method = recipe.method.as_deref().unwrap_or(facts.method);
    method.as_bytes().to_vec()
}

impl Escape {
    pub(super) fn encode(self, bytes: &[u8]) -> Vec<u8> {
        let digits: &[u8; 16] = if self.lower_hex {
            b"0123456789abcdef"
        } else {
            b"0123456789ABCDEF"
        };
        let mut out = Vec::with_capacity(bytes.len() + 8);
        for &byte in bytes {
            let plain = is_unreserved(byte) && !self.also.contains(&byte);
            if plain || self.keep.contains(&byte) {
                out.push(byte);
            } else if byte == b' ' && self.space_as_plus {
                out.push(b'+');
            } else {
                let [high, low] = [byte >> 4, byte & 15].map(|n| digits[usize::from(n)]);
                out.extend_from_slice(&[b'%', high, low]);
            }
        }
        out
    }

    /// The same for a path, whose slashes stay unless they are to be escaped.
    fn path(self, bytes: &[u8]) -> Vec<u8> {
        if self.also.contains(&b'/') {
            return self.encode(bytes);
        }
        let segments: Vec<_> = bytes
            .split(|b| *b == b'/')
            .map(|s| self.encode(s))
            .collect();
        segments.join(&b'/')
    }
}

pub(super) fn path(recipe: &PathRecipe, facts: &Facts<'_>) -> Vec<u8> {
    let wire = recipe.wire.as_deref().unwrap_or(&facts.path);
    let wire = normal(wire, recipe.normal, facts.rules.normalize_path);
    let right = if facts.rules.double_encode {
        Passes::Twice
    } else {
        Passes::Once
    };
    let passes = if recipe.passes == Passes::Right {
        right
    } else {
        recipe.passes
    };
    let plain = Escape::default();
    let inner = |escape: Escape| escape.path(&text::recode(&decode(&wire), recipe.text));
    let line = match (passes, recipe.text, recipe.layer) {
        _ if wire.is_empty() => b"/".to_vec(),
        (Passes::AsSent | Passes::Right, ..) => wire.to_vec(),
        (Passes::Decoded, text, _) => text::recode(&decode(&wire), text).into_owned(),
        (Passes::Once, ..) => inner(recipe.escape),
        (Passes::Twice, Text::AsIs, Layer::Outer) => recipe.escape.path(&wire),
        (Passes::Twice, _, Layer::Outer) => recipe.escape.path(&inner(plain)),
        (Passes::Twice, _, Layer::Inner) => plain.path(&inner(recipe.escape)),
        (Passes::Twice, _, Layer::Both) => recipe.escape.path(&inner(recipe.escape)),
    };
    path_line(line, recipe.line, facts)
}

fn path_line(mut line: Vec<u8>, shape: PathLine, facts: &Facts<'_>) -> Vec<u8> {
    let query = facts.query.as_deref().unwrap_or_default();
    let url = |scheme: &str, line: &[u8]| [scheme.as_bytes(), facts.host.as_bytes(), line].concat();
    match shape {
        PathLine::Plain => line,
        PathLine::NoLeadingSlash => line.strip_prefix(b"/").unwrap_or(&line).to_vec(),
        PathLine::Empty => Vec::new(),
        PathLine::Root => b"/".to_vec(),
        PathLine::WithQuery => {
            let signed = |pair: &&[u8]| split(pair).0 != b"X-Amz-Signature";
            let signed: Vec<&[u8]> = pairs_of(query).filter(signed).collect();
            [&line, &b"?"[..], &signed.join(&b'&')].concat()
        }
        PathLine::WithOwnQuery => {
            let own = |pair: &&[u8]| !split(pair).0.to_ascii_lowercase().starts_with(b"x-amz-");
            let own: Vec<&[u8]> = pairs_of(query).filter(own).collect();
            if own.is_empty() {
                line
            } else {
                [&line, &b"?"[..], &own.join(&b'&')].concat()
            }
        }
        PathLine::Url => url("https://", &line),
        PathLine::UrlWithQuery => [&url("https://", &line), &b"?"[..], query].concat(),
        PathLine::HttpUrl => url("http://", &line),
        PathLine::WithHost => url("", &line),
        PathLine::SlashAdded => {
            line.push(b'/');
            line
        }
        PathLine::SlashDropped => line.strip_suffix(b"/").unwrap_or(&line).to_vec(),
        PathLine::Lower => line.to_ascii_lowercase(),
        PathLine::LowerHex => text::hex_case(&line, false),
    }
}

fn normal(path: &[u8], how: Normal, right: bool) -> Cow<'_, [u8]> {
    match how {
        Normal::Right if right => normalize(path),
        Normal::Full => normalize(path),
        Normal::Right | Normal::Kept => Cow::Borrowed(path),
        Normal::OnePass => text::replace(path, b"//", b"/").into(),
        Normal::SlashesOnly => {
            let mut out = path.to_vec();
            out.dedup_by(|a, b| *a == b'/' && *b == b'/');
            out.into()
        }
        Normal::DotsOnly => text::without_dots(path).into(),
    }
}

struct Pair {
    name: Vec<u8>,
    value: Vec<u8>,
    plain_name: Vec<u8>,
    plain_value: Vec<u8>,
    has_value: bool,
    is_auth: bool,
}

pub(super) fn query(recipe: &QueryRecipe, facts: &Facts<'_>) -> Vec<u8> {
    let raw = recipe
        .wire
        .as_deref()
        .or(facts.query.as_deref())
        .unwrap_or_default();
    match recipe.line {
        QueryLine::Omitted => return Vec::new(),
        QueryLine::AsInUrl | QueryLine::AsInUrlDecoded => {
            let kept: Vec<&[u8]> = pairs_of(raw)
                .filter(|pair| !split(pair).0.eq_ignore_ascii_case(b"X-Amz-Signature"))
                .collect();
            let line = kept.join(&b'&');
            return if recipe.line == QueryLine::AsInUrl {
                line
            } else {
                decode(&line)
            };
        }
        QueryLine::Plain | QueryLine::QuestionMark => {}
    }
    let mut pairs: Vec<Pair> = pairs_of(raw)
        .filter_map(|pair| read_pair(pair, recipe, facts))
        .collect();
    if recipe.empty_signature {
        pairs.push(Pair {
            name: b"X-Amz-Signature".to_vec(),
            value: Vec::new(),
            plain_name: b"X-Amz-Signature".to_vec(),
            plain_value: Vec::new(),
            has_value: true,
            is_auth: true,
        });
    }
    repeat(&mut pairs, recipe.repeats);
    sort(&mut pairs, recipe.sort);
    let written: Vec<Vec<u8>> = pairs
        .iter()
        .map(|pair| write_pair(pair, recipe.empty))
        .collect();
    let line = written.join(&b'&');
    if recipe.line == QueryLine::QuestionMark {
        [&b"?"[..], &line].concat()
    } else {
        line
    }
}

fn read_pair(pair: &[u8], recipe: &QueryRecipe, facts: &Facts<'_>) -> Option<Pair> {
    let (name, value) = split(pair);
    let has_value = !value.is_empty();
    let plain = |raw: &[u8]| match recipe.plus {
        Plus::Space => decode(&text::replace(raw, b"+", b"%20")),
        Plus::Literal | Plus::Escaped => decode(raw),
    };
    let (plain_name, mut plain_value) = (plain(name), plain(value));
    if plain_name == b"X-Amz-Signature"
        || (!facts.rules.token_signed && plain_name == facts.rules.token_name.param().as_bytes())
        || (recipe.empty == Empty::Dropped && !has_value)
    {
        return None;
    }
    if recipe.cut_at_equals {
        let end = plain_value
            .iter()
            .position(|b| *b == b'=')
            .unwrap_or(plain_value.len());
        plain_value.truncate(end);
    }
    let escape = |raw: &[u8], plain: &[u8], keep: Option<u8>| -> Vec<u8> {
        let keeps: &'static [u8] = match keep {
            Some(b'/') => b"/",
            Some(b';') => b";",
            _ if recipe.plus == Plus::Literal && raw.contains(&b'+') => b"+",
            _ => recipe.escape.keep,
        };
        let how = Escape {
            keep: keeps,
            ..recipe.escape
        };
        match recipe.passes {
            QueryPasses::Decoded => plain.to_vec(),
            QueryPasses::Once => how.encode(&text::recode(plain, recipe.text)),
            QueryPasses::Twice => how.encode(&how.encode(&text::recode(plain, recipe.text))),
        }
    };
    let raw_byte = recipe
        .raw_in
        .filter(|(only, _)| plain_name.eq_ignore_ascii_case(only.as_bytes()))
        .map(|(_, byte)| byte);
    Some(Pair {
        name: escape(name, &plain_name, None),
        value: escape(value, &plain_value, raw_byte),
        is_auth: plain_name.to_ascii_lowercase().starts_with(b"x-amz-"),
        plain_name,
        plain_value,
        has_value,
    })
}

fn repeat(pairs: &mut Vec<Pair>, how: QueryRepeats) {
    if how == QueryRepeats::All {
        return;
    }
    let mut kept: Vec<Pair> = Vec::new();
    for pair in pairs.drain(..) {
        match kept
            .iter_mut()
            .find(|other| other.plain_name == pair.plain_name)
        {
            None => kept.push(pair),
            Some(other) => match how {
                QueryRepeats::Last => {
                    other.value = pair.value;
                    other.has_value = pair.has_value;
                    other.plain_value = pair.plain_value;
                }
                QueryRepeats::Comma => {
                    other.value = [&other.value, &b","[..], &pair.value].concat()
                }
                QueryRepeats::EscapedComma => {
                    other.value = [&other.value, &b"%2C"[..], &pair.value].concat();
                }
                QueryRepeats::All | QueryRepeats::First => {}
            },
        }
    }
    *pairs = kept;
}

fn sort(pairs: &mut [Pair], how: Sort) {
    match how {
        Sort::Right => pairs.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value))),
        Sort::AsSent => {}
        Sort::WholePairs => {
            pairs.sort_by_key(|pair| write_pair(pair, Empty::Equals));
        }
        Sort::Decoded => {
            pairs.sort_by(|a, b| {
                (&a.plain_name, &a.plain_value).cmp(&(&b.plain_name, &b.plain_value))
            });
        }
        Sort::CaseInsensitive => {
            pairs.sort_by_cached_key(|pair| (pair.name.to_ascii_lowercase(), pair.value.clone()));
        }
        Sort::NamesOnly => pairs.sort_by(|a, b| a.name.cmp(&b.name)),
        Sort::AuthLast => pairs.sort_by_key(|pair| pair.is_auth),
    }
}

fn write_pair(pair: &Pair, empty: Empty) -> Vec<u8> {
    if empty == Empty::NoEquals && !pair.has_value {
        return pair.name.clone();
    }
    [&pair.name, &b"="[..], &pair.value].concat()
}

struct Line {
    /// As on the wire.
    wire_name: String,
    position: usize,
    text: Vec<u8>,
}

/// The header lines, each with its line end.
pub(super) fn lines(recipe: &HeaderRecipe, facts: &Facts<'_>) -> Vec<u8> {
    let mut lines: Vec<Line> = Vec::new();
    let extra = recipe.extra.iter().map(String::as_str);
    for (position, name) in facts
        .signed
        .iter()
        .map(String::as_str)
        .chain(extra)
        .enumerate()
    {
        let known = recipe.values.iter().rev().find(|(other, _)| other == name);
        let values: Vec<Vec<u8>> = match known {
            Some((_, None)) => continue,
            Some((_, Some(value))) => vec![value.clone()],
            None => header_values(name, recipe, facts),
        };
        let wire_name = facts.wire_name(name);
        let shown = shown(&wire_name, recipe.names);
        let separator = if recipe.separator.is_empty() {
            ":"
        } else {
            recipe.separator
        };
        let times = 1 + usize::from(recipe.host_twice && name == "host");
        for value in values
            .iter()
            .flat_map(|value| std::iter::repeat_n(value, times))
        {
            let text = [shown.as_bytes(), separator.as_bytes(), value, b"\n"].concat();
            lines.push(Line {
                wire_name: wire_name.clone(),
                position,
                text,
            });
        }
    }
    order(&mut lines, recipe.order, facts);
    lines.into_iter().flat_map(|line| line.text).collect()
}

fn header_values(name: &str, recipe: &HeaderRecipe, facts: &Facts<'_>) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = values(facts.headers, name)
        .map(|value| style(value, recipe.style))
        .collect();
    if found.is_empty() {
        let authority = if name == "host" {
            facts.host.as_bytes().to_vec()
        } else {
            Vec::new()
        };
        return vec![authority];
    }
    match recipe.repeats {
        Repeats::Lines => return found,
        Repeats::First => found.truncate(1),
        Repeats::Last => drop(found.drain(..found.len() - 1)),
        Repeats::Sorted => found.sort(),
        Repeats::Comma | Repeats::CommaSpace => {}
    }
    let between: &[u8] = if recipe.repeats == Repeats::CommaSpace {
        b", "
    } else {
        b","
    };
    vec![found.join(between)]
}

fn style(value: &[u8], how: Style) -> Vec<u8> {
    let mut right = Vec::with_capacity(value.len() + 1);
    match how {
        Style::RunsKept => return trim(value).to_vec(),
        Style::Untrimmed => return value.to_vec(),
        Style::NoSpaces => return value.iter().copied().filter(|b| *b != b' ').collect(),
        Style::Escaped(keep) => {
            return Escape {
                keep,
                ..Escape::default()
            }
            .encode(trim(value));
        }
        Style::SpaceBefore => right.push(b' '),
        Style::Right | Style::Lower | Style::SpaceBehind => {}
    }
    canonical_value(value, &mut right);
    match how {
        Style::Lower => String::from_utf8_lossy(&right).to_lowercase().into_bytes(),
        Style::SpaceBehind => [&right, &b" "[..]].concat(),
        _ => right,
    }
}

fn shown(wire_name: &str, names: Names) -> String {
    match names {
        Names::Lower => wire_name.to_ascii_lowercase(),
        Names::Wire => wire_name.to_owned(),
        Names::Title => text::title(wire_name),
    }
}

fn order(lines: &mut [Line], how: Order, facts: &Facts<'_>) {
    match how {
        // `signed` is sorted; an extra line behind it is not.
        Order::Right => lines.sort_by_cached_key(|line| line.wire_name.to_ascii_lowercase()),
        Order::WholeLines => lines.sort_by(|a, b| a.text.cmp(&b.text)),
        _ => {
            let at = |line: &Line| place(&line.wire_name, how, facts);
            lines.sort_by(|a, b| at(a).cmp(&at(b)).then(a.position.cmp(&b.position)));
        }
    }
}

/// Where a name comes in an order of names.
fn place(wire_name: &str, how: Order, facts: &Facts<'_>) -> (usize, String) {
    let is_host = wire_name.eq_ignore_ascii_case("host");
    match how {
        Order::HostFirst if is_host => (0, String::new()),
        Order::HostLast if is_host => (usize::MAX, String::new()),
        Order::Wire | Order::HostFirst | Order::HostLast => {
            let at = facts
                .headers
                .iter()
                .position(|(name, _)| name.eq_ignore_ascii_case(wire_name.as_bytes()));
            (at.map_or(usize::MAX, |at| at + 1), String::new())
        }
        Order::Declared => {
            let mut declared = facts.claim.signed_headers.iter();
            let at = declared.position(|name| name.eq_ignore_ascii_case(wire_name));
            (at.unwrap_or(usize::MAX), String::new())
        }
        Order::CaseSensitive => (0, wire_name.to_owned()),
        // The whole-line order of names alone: a name before `:` sorts after one with `-`.
        Order::WholeLines => (0, format!("{}:", wire_name.to_ascii_lowercase())),
        Order::Right => (0, wire_name.to_ascii_lowercase()),
    }
}

/// The list of signed names.
pub(super) fn list(recipe: &ListRecipe, facts: &Facts<'_>) -> Vec<u8> {
    let mut names: Vec<String> = facts
        .signed
        .iter()
        .chain(&recipe.with)
        .filter(|name| recipe.without.as_ref() != Some(name))
        .map(|name| facts.wire_name(name))
        .collect();
    names.sort_by_cached_key(|name| place(name, recipe.order, facts));
    let mut out: Vec<String> = Vec::with_capacity(names.len() + 1);
    for name in names {
        let shown = shown(&name, recipe.names);
        if recipe.host_twice && shown.eq_ignore_ascii_case("host") {
            out.push(shown.clone());
        }
        out.push(shown);
    }
    let mut line = out.join(if recipe.comma { "," } else { ";" });
    if recipe.trailing {
        line.push(if recipe.comma { ',' } else { ';' });
    }
    line.into_bytes()
}

pub(super) fn payload(recipe: &PayloadRecipe, facts: &Facts<'_>) -> Vec<u8> {
    let body = recipe.body.as_deref().or(facts.body).unwrap_or_default();
    // A declared hash is what an odd way of writing hashes starts from.
    let declared = facts.declared.as_deref().filter(|hash| is_sha256_hex(hash));
    let from_declared = declared.and_then(|hash| rewritten(&recipe.line, hash));
    from_declared
        .or_else(|| payload_line(&recipe.line, body))
        .unwrap_or_else(|| match &recipe.body {
            Some(body) => sha256_hex(body).into_bytes(),
            None => facts.payload.clone().into_bytes(),
        })
}

/// Another writing of a hash in hex.
fn rewritten(line: &PayloadLine, hash: &str) -> Option<Vec<u8>> {
    Some(match line {
        PayloadLine::Upper => hash.to_ascii_uppercase().into_bytes(),
        PayloadLine::Twice => sha256_hex(hash.as_bytes()).into_bytes(),
        _ => return None,
    })
}

/// What a way of hashing makes of a body; `None` for the right way.
pub(super) fn payload_line(line: &PayloadLine, body: &[u8]) -> Option<Vec<u8>> {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
    use md5::Digest;
    Some(match line {
        PayloadLine::Right => return None,
        PayloadLine::Literal(text) => text.as_bytes().to_vec(),
        PayloadLine::HashOf(text) => sha256_hex(text).into_bytes(),
        PayloadLine::BodyHash => sha256_hex(body).into_bytes(),
        PayloadLine::Body => body.to_vec(),
        PayloadLine::Md5 => hex(&md5::Md5::digest(body)).into_bytes(),
        PayloadLine::Sha1 => hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, body).as_ref()).into_bytes(),
        PayloadLine::Upper => sha256_hex(body).to_ascii_uppercase().into_bytes(),
        PayloadLine::Base64 => STANDARD.encode(digest(&SHA256, body)).into_bytes(),
        PayloadLine::Twice => sha256_hex(sha256_hex(body).as_bytes()).into_bytes(),
        PayloadLine::Latin1 => sha256_hex(&text::latin1(body)).into_bytes(),
        PayloadLine::Utf16 => sha256_hex(&text::utf16(body)).into_bytes(),
    })
}

/// The canonical request.
pub(super) fn assemble(parts: &PartsRef<'_>, how: Assembly) -> Vec<u8> {
    let blank = match how {
        Assembly::NoBlankLine => "",
        Assembly::TwoBlankLines => "\n\n",
        _ => "\n",
    };
    let mut out = Vec::with_capacity(parts.length() + 16);
    let mut add = |bytes: &[u8], end: &str| {
        out.extend_from_slice(bytes);
        out.extend_from_slice(end.as_bytes());
    };
    add(parts.method, "\n");
    if how == Assembly::QueryBeforePath {
        add(parts.query, "\n");
        add(parts.path, "\n");
    } else {
        add(parts.path, "\n");
        if how != Assembly::NoQueryLine {
            add(parts.query, "\n");
        }
    }
    add(parts.lines, blank);
    if how != Assembly::NoListLine {
        let end = if how == Assembly::NoPayloadLine {
            ""
        } else {
            "\n"
        };
        add(parts.list, end);
    }
    if !matches!(
        how,
        Assembly::NoPayloadLine | Assembly::NoPayloadLineButItsEnd
    ) {
        add(
            parts.payload,
            if how == Assembly::LineEndBehind {
                "\n"
            } else {
                ""
            },
        );
    }
    match how {
        Assembly::CrLf => text::replace(&out, b"\n", b"\r\n"),
        Assembly::Cr => text::replace(&out, b"\n", b"\r"),
        Assembly::LiteralN => text::replace(&out, b"\n", b"\\n"),
        Assembly::Indented(indent) => {
            text::replace(&out, b"\n", [b"\n", indent.as_bytes()].concat().as_slice())
        }
        Assembly::Utf16 => text::utf16(&out),
        Assembly::Latin1 => text::latin1(&out),
        _ => out,
    }
}

/// Parts of several origins put together.
#[derive(Clone, Copy)]
pub(super) struct PartsRef<'a> {
    pub(super) method: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) query: &'a [u8],
    pub(super) lines: &'a [u8],
    pub(super) list: &'a [u8],
    pub(super) payload: &'a [u8],
}

impl<'a> PartsRef<'a> {
    pub(super) fn of(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            path: &parts.path,
            query: &parts.query,
            lines: &parts.lines,
            list: &parts.list,
            payload: &parts.payload,
        }
    }

    fn length(&self) -> usize {
        [
            self.method,
            self.path,
            self.query,
            self.lines,
            self.list,
            self.payload,
        ]
        .iter()
        .map(|part| part.len() + 1)
        .sum()
    }
}

/// The string to sign over a canonical request, whose hash may be known.
pub(super) fn string_to_sign(
    recipe: &StsRecipe,
    facts: &Facts<'_>,
    canonical: &[u8],
    hash: &str,
) -> Vec<u8> {
    let claim = &facts.claim;
    let date = recipe.date.as_deref().unwrap_or(&claim.amz_date);
    let scope = match recipe.form {
        StsForm::UsEast1 => format!(
            "{}/us-east-1/{}/{}",
            claim.date, claim.service, claim.terminator
        ),
        StsForm::NoTerminator => format!("{}/{}/{}", claim.date, claim.region, claim.service),
        StsForm::WithKeyId => format!("{}/{}", claim.access_key_id, claim.scope()),
        _ => claim.scope(),
    };
    let last: Cow<'_, [u8]> = match recipe.form {
        StsForm::NotHashed => canonical.into(),
        StsForm::HashedTwice => sha256_hex(hash.as_bytes()).into_bytes().into(),
        StsForm::UpperHash => hash.to_ascii_uppercase().into_bytes().into(),
        _ => hash.as_bytes().into(),
    };
    let end = if recipe.form == StsForm::CrLf {
        "\r\n"
    } else {
        "\n"
    };
    let mut out = Vec::with_capacity(last.len() + scope.len() + 48);
    if recipe.form != StsForm::NoAlgorithm {
        out.extend_from_slice(ALGORITHM.as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
    for part in [date, &scope] {
        out.extend_from_slice(part.as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
    out.extend_from_slice(&last);
    if recipe.form == StsForm::LineEndBehind {
        out.push(b'\n');
    }
    out
}
