//! The query.

use super::super::facts::Facts;
use super::super::recipe::{
    Empty, Escape, Plus, QueryLine, QueryPasses, QueryRecipe, QueryRepeats, Sort, Text, part,
};
use super::super::text;
use super::Mistakes;
use crate::aws;
use crate::sigv4::query::{is_named, pairs_of, split};

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    lost_parameters(facts, out);
    let Some(query) = facts.query.as_deref().filter(|query| !query.is_empty()) else {
        out.add("query-with-question-mark", part::QUERY, |r| {
            r.query.line = QueryLine::QuestionMark
        });
        return;
    };
    for (label, set) in CHOICES {
        out.add(label, part::QUERY, move |r| set(&mut r.query));
    }
    out.loose(|out| {
        for (label, set) in WIDER_CHOICES {
            out.add(label, part::QUERY, move |r| set(&mut r.query));
        }
    });
    added_parameters(facts, query, out);
    if facts.presigned {
        presigned(query, out);
    }
}

type Choice = (&'static str, fn(&mut QueryRecipe));

const fn keep(keep: &'static [u8]) -> Escape {
    Escape {
        keep,
        also: b"",
        space_as_plus: false,
        lower_hex: false,
    }
}

const CHOICES: &[Choice] = &[
    ("query-dup-joined-comma", |q| {
        q.repeats = QueryRepeats::Comma
    }),
    ("query-as-in-url", |q| q.line = QueryLine::AsInUrl),
    ("query-unsorted", |q| q.sort = Sort::AsSent),
    ("query-not-encoded", |q| q.passes = QueryPasses::Decoded),
    ("query-double-encoded", |q| q.passes = QueryPasses::Twice),
    ("query-space-as-plus", |q| q.escape.space_as_plus = true),
    ("query-plus-on-wire", |q| q.plus = Plus::Literal),
    ("query-plus-on-wire", |q| q.plus = Plus::Escaped),
    ("query-omitted", |q| q.line = QueryLine::Omitted),
    ("query-slash-kept", |q| q.escape = keep(b"/")),
    ("query-slash-colon-kept", |q| q.escape = keep(b"/:@")),
    ("query-js-reserved-kept", |q| q.escape = keep(b"!'()*")),
    ("query-asterisk-kept", |q| q.escape = keep(b"*")),
    ("query-tilde-encoded", |q| q.escape.also = b"~"),
    ("query-lowercase-hex", |q| q.escape.lower_hex = true),
    ("query-latin1", |q| q.text = Text::Latin1),
    ("query-sorted-as-strings", |q| q.sort = Sort::WholePairs),
    ("query-sorted-before-encoding", |q| q.sort = Sort::Decoded),
    ("query-sorted-case-insensitive", |q| {
        q.sort = Sort::CaseInsensitive
    }),
    ("query-dup-values-unsorted", |q| q.sort = Sort::NamesOnly),
    ("query-dup-collapsed-last", |q| {
        q.repeats = QueryRepeats::Last
    }),
    ("query-dup-joined-comma", |q| {
        q.repeats = QueryRepeats::EscapedComma
    }),
    ("query-empty-no-equals", |q| q.empty = Empty::NoEquals),
    ("query-empty-dropped", |q| q.empty = Empty::Dropped),
    ("query-value-cut-at-equals", |q| q.cut_at_equals = true),
    ("query-with-question-mark", |q| {
        q.line = QueryLine::QuestionMark
    }),
];

/// Wider readings.
const WIDER_CHOICES: &[Choice] = &[
    ("query-unsorted", |q| q.sort = Sort::AuthLast),
    ("query-not-encoded", |q| q.line = QueryLine::AsInUrlDecoded),
    ("query-slash-colon-kept", |q| q.escape = keep(b"/:@?")),
    ("query-slash-colon-kept", |q| q.escape = keep(b"/:")),
    ("query-slash-colon-kept", |q| {
        q.escape = keep(b"!$'()*,/:;?@")
    }),
    ("query-asterisk-kept", |q| {
        q.escape = Escape {
            keep: b"*",
            also: b"~",
            space_as_plus: true,
            lower_hex: false,
        };
    }),
    ("query-dup-collapsed-last", |q| {
        q.repeats = QueryRepeats::First
    }),
];

/// Each parameter may have come after signing; so may all from one on.
fn added_parameters(facts: &Facts<'_>, query: &[u8], out: &mut Mistakes) {
    let pairs: Vec<&[u8]> = pairs_of(query).collect();
    for (at, pair) in pairs.iter().enumerate() {
        let label = if !facts.presigned {
            "query-param-added-after"
        } else if is_named(pair, "X-Amz-Signature") {
            continue;
        } else if is_named(pair, "X-Amz-Expires") {
            "presign-expires-added-after"
        } else if is_named(pair, "X-Amz-Security-Token") {
            "presign-token-added-after"
        } else {
            "presign-param-added-after"
        };
        let mut rest = pairs.clone();
        rest.remove(at);
        replaced(out, label, rest.join(&b'&'));
        let behind_auth =
            facts.presigned && is_named(pairs[at.saturating_sub(1)], "X-Amz-Signature");
        if at + 1 < pairs.len() && at > 0 && (!facts.presigned || behind_auth) {
            replaced(out, label, pairs[..at].join(&b'&'));
        }
    }
}

fn replaced(out: &mut Mistakes, label: &'static str, query: Vec<u8>) {
    out.add(label, part::QUERY, move |r| {
        r.query.wire = Some(query.clone())
    });
}

/// SDKs name the operation in the query of S3 requests.
fn lost_parameters(facts: &Facts<'_>, out: &mut Mistakes) {
    let query = facts.query.as_deref().unwrap_or_default();
    if !facts.s3 || pairs_of(query).any(|pair| is_named(pair, "x-id")) {
        return;
    }
    let add = |out: &mut Mistakes, operation: &str| {
        let param = format!("x-id={operation}");
        let query = if query.is_empty() {
            param.into_bytes()
        } else {
            [query, b"&", param.as_bytes()].concat()
        };
        replaced(out, "query-param-removed-after", query);
    };
    const COMMON: &[&str] = &[
        "GetObject",
        "PutObject",
        "DeleteObject",
        "HeadObject",
        "UploadPart",
        "ListBuckets",
        "ListParts",
        "CopyObject",
        "UploadPartCopy",
        "ListObjectsV2",
        "ListObjects",
        "DeleteObjects",
        "CreateMultipartUpload",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "SelectObjectContent",
    ];
    for operation in COMMON {
        add(out, operation);
    }
    let others = aws::service("s3").map_or(&[][..], |service| service.all_operations());
    out.alone(|out| {
        for operation in others
            .iter()
            .filter(|operation| !COMMON.contains(&operation.name))
        {
            add(out, operation.name);
        }
    });
}

const EXPIRES: &[&str] = &[
    "60", "300", "600", "900", "1800", "3600", "7200", "10800", "14400", "21600", "28800", "43200",
    "86400", "172800", "259200", "604800", "30", "10", "120", "180", "5", "1", "15", "3599",
    "1000", "1200", "18000", "36000", "360", "500",
];

fn presigned(query: &[u8], out: &mut Mistakes) {
    out.add("presign-empty-signature-signed", part::QUERY, |r| {
        r.query.empty_signature = true
    });
    out.add("presign-credential-slash-raw", part::QUERY, |r| {
        r.query.raw_in = Some(("x-amz-credential", b'/'));
    });
    out.add("presign-signedheaders-semicolon-raw", part::QUERY, |r| {
        r.query.raw_in = Some(("x-amz-signedheaders", b';'));
    });
    let pairs: Vec<&[u8]> = pairs_of(query).collect();
    let with = |name: &str, value: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<u8> {
        let changed = pairs.iter().map(|pair| match is_named(pair, name) {
            true => [split(pair).0, b"=", &value(split(pair).1)].concat(),
            false => pair.to_vec(),
        });
        changed.collect::<Vec<_>>().join(&b'&')
    };
    for expires in EXPIRES {
        replaced(
            out,
            "presign-expires-edited",
            with("X-Amz-Expires", &|_| expires.as_bytes().to_vec()),
        );
    }
    let plus = with("X-Amz-Security-Token", &|raw| {
        text::replace(raw, b"+", b"%2B")
    });
    replaced(out, "presign-token-plus-unescaped", plus);
    let spaces = with("X-Amz-Security-Token", &|raw| {
        text::replace(raw, b"%20", b"%2B")
    });
    replaced(out, "presign-token-plus-unescaped", spaces);
}
