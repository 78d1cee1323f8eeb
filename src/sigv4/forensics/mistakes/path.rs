//! The method and the path.

use super::super::facts::Facts;
use super::super::recipe::{Escape, Layer, Normal, Passes, PathLine, PathRecipe, Text, part};
use super::super::{render, text};
use super::Mistakes;
use crate::sigv4::escape::decode;

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    methods(facts, out);
    for (label, line) in LINES.iter().copied() {
        out.add(label, part::PATH, move |r| r.path.line = line);
    }
    segments(facts, out);
    escapes(facts, out);
    if matches!(facts.path.as_slice(), b"" | b"/") {
        return;
    }
    passes(facts, out);
    wires(facts, out);
    normals(facts, out);
    if !decode(&facts.path).is_ascii() {
        for (label, form) in [
            ("path-latin1", Text::Latin1),
            ("path-nfd", Text::Decomposed),
            ("path-nfd", Text::Composed),
        ] {
            out.add(label, part::PATH, move |r| r.path.text = form);
        }
    }
}

const LINES: &[(&str, PathLine)] = &[
    ("path-no-leading-slash", PathLine::NoLeadingSlash),
    ("path-empty-line", PathLine::Empty),
    ("path-root-only", PathLine::Root),
    ("path-includes-query", PathLine::WithQuery),
    ("path-includes-query", PathLine::WithOwnQuery),
    ("path-full-url", PathLine::Url),
    ("path-full-url", PathLine::UrlWithQuery),
    ("path-full-url", PathLine::HttpUrl),
    ("path-includes-host", PathLine::WithHost),
    ("path-trailing-slash-added", PathLine::SlashAdded),
    ("path-trailing-slash-dropped", PathLine::SlashDropped),
    ("path-lowercase-hex", PathLine::LowerHex),
    ("path-lowercased", PathLine::Lower),
];

fn normals(facts: &Facts<'_>, out: &mut Mistakes) {
    let (label, plain) = if facts.s3 {
        ("path-normalized-s3", Normal::Full)
    } else {
        ("path-not-normalized", Normal::Kept)
    };
    out.add(label, part::PATH, move |r| r.path.normal = plain);
    if !facts.s3 {
        out.add("path-slashes-collapsed-once", part::PATH, |r| {
            r.path.normal = Normal::OnePass
        });
    }
    out.loose(|out| {
        for normal in [Normal::SlashesOnly, Normal::DotsOnly, Normal::OnePass] {
            out.add(label, part::PATH, move |r| r.path.normal = normal);
        }
    });
}

fn methods(facts: &Facts<'_>, out: &mut Mistakes) {
    let lower = facts.method.to_ascii_lowercase();
    out.add("method-lowercase", part::METHOD, move |r| {
        r.method = Some(lower.clone())
    });
    for signed in ["GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"] {
        let label = match (signed, facts.method) {
            ("GET", "HEAD") => "method-get-signed-head-sent",
            ("POST", "GET") => "method-post-signed-get-sent",
            ("PUT", "POST") => "method-put-signed-post-sent",
            _ => "method-other-signed",
        };
        if signed != facts.method {
            out.add(label, part::METHOD, move |r| {
                r.method = Some(signed.to_owned())
            });
        }
    }
}

fn passes(facts: &Facts<'_>, out: &mut Mistakes) {
    let others: &[(&str, Passes)] = if facts.rules.double_encode {
        &[
            ("path-single-encoded", Passes::AsSent),
            ("path-decoded-then-encoded-once", Passes::Once),
            ("path-not-encoded", Passes::Decoded),
        ]
    } else {
        &[
            ("path-double-encoded-s3", Passes::Twice),
            ("path-not-encoded", Passes::Decoded),
        ]
    };
    for (label, passes) in others.iter().copied() {
        out.add(label, part::PATH, move |r| r.path.passes = passes);
    }
    out.loose(|out| {
        let other = if facts.rules.normalize_path {
            Normal::Kept
        } else {
            Normal::Full
        };
        for (label, passes) in others.iter().copied() {
            out.add(label, part::PATH, move |r| {
                r.path.passes = passes;
                r.path.normal = other;
            });
        }
        // The wire's own escapes, where they are not the canonical ones.
        if !facts.rules.double_encode {
            out.add("path-not-encoded", part::PATH, |r| {
                r.path.passes = Passes::AsSent
            });
        }
    });
}

/// Other sets of bytes that are left or escaped.
const ESCAPES: &[(&str, Escape)] = &[
    ("path-equals-kept", keep(b"=")),
    ("path-subdelims-kept", keep(b"$&+,:;=@")),
    ("path-js-reserved-kept", keep(b"!'()*")),
    ("path-tilde-encoded", also(b"~")),
    ("path-slash-encoded", also(b"/")),
    ("path-space-as-plus", PLUS),
    ("path-lowercase-hex", LOWER),
];

/// Wider ones of the same kind.
const LOOSE_ESCAPES: &[(&str, Escape)] = &[
    ("path-subdelims-kept", keep(b"!$&'()*+,;=:@")),
    ("path-subdelims-kept", keep(b"!$&'()*+,;=")),
    ("path-js-reserved-kept", keep(b"!'()*;,/?:@&=+$#")),
];

const fn keep(keep: &'static [u8]) -> Escape {
    Escape {
        keep,
        also: b"",
        space_as_plus: false,
        lower_hex: false,
    }
}

const fn also(also: &'static [u8]) -> Escape {
    Escape {
        keep: b"",
        also,
        space_as_plus: false,
        lower_hex: false,
    }
}

const PLUS: Escape = Escape {
    space_as_plus: true,
    ..keep(b"")
};
const LOWER: Escape = Escape {
    lower_hex: true,
    ..keep(b"")
};

fn escapes(facts: &Facts<'_>, out: &mut Mistakes) {
    let all = ESCAPES
        .iter()
        .map(|one| (one, false))
        .chain(LOOSE_ESCAPES.iter().map(|one| (one, true)));
    for (&(label, escape), loose) in all {
        out.loose_if(loose, |out| escaped(facts, label, escape, out));
    }
    // The first slash may stay when the others are escaped.
    if let Some(rest) = facts.path.strip_prefix(b"/") {
        let mut line = b"/".to_vec();
        let raw = if facts.rules.double_encode {
            rest.to_vec()
        } else {
            decode(rest)
        };
        line.extend(also(b"/").encode(&raw));
        out.loose(|out| {
            out.add("path-slash-encoded", part::PATH, move |r| {
                r.path.wire = Some(line.clone());
                r.path.passes = Passes::AsSent;
            });
        });
    }
}

/// One odd escape, at each of the places where it makes a difference of its own.
fn escaped(facts: &Facts<'_>, label: &'static str, escape: Escape, out: &mut Mistakes) {
    let made = |passes: Passes, escape: Escape, layer: Layer| {
        let recipe = PathRecipe {
            passes,
            escape,
            layer,
            ..PathRecipe::default()
        };
        render::path(&recipe, facts)
    };
    let layers: &[Layer] = if facts.rules.double_encode {
        &[Layer::Outer, Layer::Inner, Layer::Both]
    } else {
        &[Layer::Outer]
    };
    for layer in layers.iter().copied() {
        if made(Passes::Right, escape, layer) != made(Passes::Right, Escape::default(), layer) {
            out.add(label, part::PATH, move |r| {
                r.path.escape = escape;
                r.path.layer = layer;
            });
        }
    }
    let once = Passes::Once;
    if facts.rules.double_encode
        && made(once, escape, Layer::Outer) != made(once, Escape::default(), Layer::Outer)
    {
        out.loose(|out| {
            out.add(label, part::PATH, move |r| {
                r.path.escape = escape;
                r.path.passes = once;
            });
        });
    }
}

/// Another path than the one on the wire.
fn wires(facts: &Facts<'_>, out: &mut Mistakes) {
    let wire = &facts.path;
    let slashes = text::replace(&text::replace(wire, b"%2F", b"/"), b"%2f", b"/");
    let spaces = text::replace(wire, b"+", b"%20");
    let all_spaces = text::replace(&text::replace(&spaces, b"%2B", b"%20"), b"%2b", b"%20");
    for hex in [text::hex_case(wire, false), text::hex_case(wire, true)] {
        if hex != *wire {
            out.loose(|out| {
                out.add("path-lowercase-hex", part::PATH, move |r| {
                    r.path.wire = Some(hex.clone())
                });
            });
        }
    }
    for (label, path) in [
        ("path-encoded-slash-decoded", slashes),
        ("path-plus-as-space", spaces),
        ("path-plus-as-space", all_spaces),
        ("path-lowercased", wire.to_ascii_lowercase()),
    ] {
        if path != *wire {
            out.add(label, part::PATH, move |r| r.path.wire = Some(path.clone()));
        }
    }
}

/// Segments at the beginning that came or went after signing.
fn segments(facts: &Facts<'_>, out: &mut Mistakes) {
    let path = &facts.path;
    let mut add = |label: &'static str, path: Vec<u8>| {
        out.add(label, part::PATH, move |r| r.path.wire = Some(path.clone()));
    };
    for stage in [
        "prod",
        "dev",
        "v1",
        "api",
        "default",
        "stage",
        "staging",
        "test",
        "v2",
        "live",
        "aws",
        "proxy",
        "qa",
        "beta",
        "production",
        "uat",
        "latest",
        "app",
        "s3",
        "service",
        "gateway",
        "v3",
        "public",
    ] {
        let slash: &[u8] = if path.starts_with(b"/") { b"" } else { b"/" };
        add(
            "path-first-segment-stripped",
            [b"/", stage.as_bytes(), slash, path].concat(),
        );
        if path == b"/" {
            add(
                "path-first-segment-stripped",
                [b"/", stage.as_bytes()].concat(),
            );
        }
    }
    if let Some(bucket) = facts.at.as_ref().and_then(|at| at.bucket.clone()) {
        let slash: &[u8] = if path.is_empty() { b"/" } else { b"" };
        add(
            "path-bucket-in-vh",
            [b"/", bucket.as_bytes(), slash, path].concat(),
        );
    }
    let rest = path.strip_prefix(b"/").unwrap_or(path);
    if rest.is_empty() {
        return;
    }
    let after = memchr::memchr(b'/', rest).map_or(&b"/"[..], |at| &rest[at..]);
    if facts.s3 && facts.at.as_ref().is_none_or(|at| at.bucket.is_none()) {
        add("path-bucket-missing", after.to_vec());
    }
    add("path-first-segment-not-signed", after.to_vec());
}
