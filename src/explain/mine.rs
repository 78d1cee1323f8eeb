//! A program's own canonical request or string to sign, held against ours: no secret needed.

use super::Answer;

/// Where two texts part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `canonical request` or `string to sign`.
    pub what: &'static str,
    /// From 1; `None` where the texts are the same.
    pub at: Option<Place>,
}

/// The first differing byte and the lines around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// What the line is for.
    pub part: String,
    /// The line as it is in the program's own text.
    pub mine: Option<String>,
    /// The line that AWS computes.
    pub aws: Option<String>,
}

/// Compares; `None` where nothing was computed to compare with. A line end behind the text is
/// an editor's, unless it is all that differs.
pub fn compare(mine: &[u8], answer: &Answer) -> Option<Difference> {
    let mine = String::from_utf8_lossy(mine).into_owned();
    let is_sts = mine.starts_with("AWS4-");
    let (what, ours) = if is_sts {
        ("string to sign", answer.string_to_sign.as_deref()?)
    } else {
        ("canonical request", answer.canonical_request.as_deref()?)
    };
    let same = mine == ours
        || mine
            .strip_suffix('\n')
            .map(|text| text.strip_suffix('\r').unwrap_or(text))
            == Some(ours);
    if same {
        return Some(Difference { what, at: None });
    }
    let (left, right): (Vec<&str>, Vec<&str>) =
        (mine.split('\n').collect(), ours.split('\n').collect());
    let line = left.iter().zip(&right).position(|(a, b)| a != b);
    let line = line.unwrap_or(left.len().min(right.len()));
    let (a, b) = (left.get(line).copied(), right.get(line).copied());
    let common = a
        .unwrap_or_default()
        .bytes()
        .zip(b.unwrap_or_default().bytes())
        .take_while(|(a, b)| a == b);
    Some(Difference {
        what,
        at: Some(Place {
            line: line + 1,
            column: common.count() + 1,
            part: part(is_sts, line, &right).to_owned(),
            mine: a.map(str::to_owned),
            aws: b.map(str::to_owned),
        }),
    })
}

fn part<'t>(is_sts: bool, line: usize, right: &[&'t str]) -> &'t str {
    if is_sts {
        return [
            "algorithm",
            "X-Amz-Date",
            "credential scope",
            "hash of the canonical request",
        ]
        .get(line)
        .copied()
        .unwrap_or("behind the end");
    }
    let last = right.len().saturating_sub(1);
    match line {
        0 => "method",
        1 => "path",
        2 => "query",
        _ if line == last => "payload hash",
        _ if line + 1 == last => "signed headers",
        _ if line + 2 == last => "empty line behind the headers",
        _ if line > last => "behind the end",
        _ => right
            .get(line)
            .and_then(|line| line.split(':').next())
            .unwrap_or("header"),
    }
}
