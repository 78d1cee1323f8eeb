use std::borrow::Cow;
use std::ops::Range;

use zeroize::Zeroizing;

use super::headers::canonical_headers;
use super::path::canonical_path;
use super::query::canonical_query;
use super::{RequestView, Rules, Scope, sha256_hex};

/// A canonical request, whole and by its parts. It may hold a session token: no `Debug`, and
/// zeroized when dropped.
pub struct Canonical {
    text: Zeroizing<Vec<u8>>,
    path: Range<usize>,
    query: Range<usize>,
    headers: Range<usize>,
    signed: Range<usize>,
}

impl Canonical {
    /// All of it, as it is hashed. Bytes, since header values need not be UTF-8.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The whole text, taken out.
    pub fn into_text(self) -> Zeroizing<Vec<u8>> {
        self.text
    }

    /// The second line.
    pub fn path(&self) -> &str {
        self.part(&self.path)
    }

    /// The third line.
    pub fn query(&self) -> &str {
        self.part(&self.query)
    }

    /// The header lines with their line ends, without the empty line after them.
    pub fn headers(&self) -> &[u8] {
        self.text.get(self.headers.clone()).unwrap_or_default()
    }

    /// The last line but one: `a;b;c`.
    pub fn signed_headers(&self) -> &str {
        self.part(&self.signed)
    }

    /// The last line: a hash or a literal.
    pub fn payload(&self) -> &str {
        self.part(&(self.signed.end + 1..self.text.len()))
    }

    /// The last line of the string to sign: SHA-256 of the text, in hex.
    pub fn hash(&self) -> String {
        sha256_hex(&self.text)
    }

    fn part(&self, range: &Range<usize>) -> &str {
        let bytes = self.text.get(range.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// Makes the canonical request (IAM User Guide, "Create a signed AWS API request", step 1).
///
/// `signed_headers` may be in any order and case; AWS sorts them.
pub fn canonicalise<N: AsRef<str>>(
    view: &RequestView<'_>,
    rules: Rules,
    signed_headers: &[N],
) -> Canonical {
    let names = uniform(signed_headers);
    let mut text = Zeroizing::new(Vec::with_capacity(capacity(view)));
    text.extend_from_slice(view.method.as_bytes());
    text.push(b'\n');
    let path = section(&mut text, |out| canonical_path(view.path(), rules, out));
    text.push(b'\n');
    let query = section(&mut text, |out| {
        canonical_query(view.query().unwrap_or_default(), rules, out);
    });
    text.push(b'\n');
    let headers = section(&mut text, |out| canonical_headers(view, &names, out));
    text.push(b'\n');
    let signed = section(&mut text, |out| join(&names, out));
    text.push(b'\n');
    text.extend_from_slice(view.payload.as_bytes());
    Canonical {
        text,
        path,
        query,
        headers,
        signed,
    }
}

/// Lower case, sorted, each once.
fn uniform<N: AsRef<str>>(names: &[N]) -> Vec<Cow<'_, str>> {
    let mut names: Vec<_> = names.iter().map(|name| lower(name.as_ref())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The name in lower case, borrowed where it is already.
pub(crate) fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn join(names: &[Cow<'_, str>], out: &mut Vec<u8>) {
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
}

fn section(text: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    let start = text.len();
    write(text);
    start..text.len()
}

/// Enough for the text in one allocation unless many bytes need escapes.
fn capacity(view: &RequestView<'_>) -> usize {
    let headers: usize = view
        .headers
        .iter()
        .map(|(name, value)| 2 * name.len() + value.len() + 3)
        .sum();
    view.method.len() + view.target.len() * 3 / 2 + headers + view.payload.len() + 64
}

/// Makes the string to sign (IAM User Guide, "Create a signed AWS API request", step 3).
/// `amz_date` is the text that the request carries.
pub fn string_to_sign(
    algorithm: &str,
    amz_date: &str,
    scope: &Scope,
    canonical: &Canonical,
) -> String {
    format!("{algorithm}\n{amz_date}\n{scope}\n{}", canonical.hash())
}
