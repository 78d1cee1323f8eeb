//! The header lines and the list of signed names.

use super::super::facts::Facts;
use super::super::recipe::{Names, Order, Repeats, Style, part};
use super::Mistakes;
use crate::sigv4::headers::{canonical_value, trim};
use crate::sigv4::view::values;

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    styles(facts, out);
    orders(facts, out);
    lists(out);
    repeats(facts, out);
    lines(facts, out);
    spaces(facts, out);
}

fn styles(facts: &Facts<'_>, out: &mut Mistakes) {
    for (label, style) in [
        ("hdr-inner-spaces-kept", Style::RunsKept),
        ("hdr-all-spaces-removed", Style::NoSpaces),
        ("hdr-values-lowercased", Style::Lower),
        ("hdr-trailing-space-signed", Style::Untrimmed),
    ] {
        out.add(label, part::HEADERS, move |r| r.headers.style = style);
    }
    out.loose(|out| {
        for style in [Style::SpaceBehind, Style::SpaceBefore] {
            out.add("hdr-trailing-space-signed", part::HEADERS, move |r| {
                r.headers.style = style
            });
        }
    });
    out.add("hdr-space-after-colon", part::HEADERS, |r| {
        r.headers.separator = ": "
    });
    for names in [Names::Wire, Names::Title] {
        for order in [Order::Right, Order::CaseSensitive, Order::Wire] {
            out.loose_if(order == Order::Wire || names == Names::Title, |out| {
                out.add("hdr-names-original-case", part::HEADERS, move |r| {
                    r.headers.names = names;
                    r.headers.order = order;
                });
                out.add("hdr-names-original-case", part::HEADERS, move |r| {
                    (r.headers.names, r.list.names) = (names, names);
                    (r.headers.order, r.list.order) = (order, order);
                });
            });
        }
        for order in [Order::Right, Order::CaseSensitive, Order::Declared] {
            out.add("hdr-list-original-case", part::HEADERS, move |r| {
                r.list.names = names;
                r.list.order = order;
            });
        }
    }
    escaped_values(facts, out);
}

/// Values that are not ASCII, escaped as some tools do before they sign.
fn escaped_values(facts: &Facts<'_>, out: &mut Mistakes) {
    const KEPT: &[&[u8]] = &[
        b"",
        b"/",
        b"!'()*",
        b"!'()*;,/?:@&=+$#",
        b" ",
        b" !\"#$&'()*+,/:;<=>?@[]^`{|}",
    ];
    let odd = |name: &&String| values(facts.headers, name).any(|value| !value.is_ascii());
    let names: Vec<&String> = facts.signed.iter().filter(odd).collect();
    for kept in KEPT {
        if !names.is_empty() {
            out.add("hdr-value-percent-encoded", part::HEADERS, |r| {
                r.headers.style = Style::Escaped(kept)
            });
        }
        let mut all = Vec::new();
        for name in &names {
            let escape = super::super::recipe::Escape {
                keep: kept,
                ..Default::default()
            };
            let value = value_of(facts, name);
            all.push(((*name).clone(), Some(escape.encode(&value))));
        }
        for one in &all {
            let one = one.clone();
            out.add("hdr-value-percent-encoded", part::HEADERS, move |r| {
                r.headers.values.push(one.clone())
            });
        }
        if all.len() > 1 {
            out.add("hdr-value-percent-encoded", part::HEADERS, move |r| {
                r.headers.values.extend(all.iter().cloned());
            });
        }
    }
}

/// The canonical value.
pub(super) fn value_of(facts: &Facts<'_>, name: &str) -> Vec<u8> {
    let mut value = Vec::new();
    for (position, raw) in values(facts.headers, name).enumerate() {
        if position > 0 {
            value.push(b',');
        }
        canonical_value(raw, &mut value);
    }
    value
}

fn orders(facts: &Facts<'_>, out: &mut Mistakes) {
    let declared: Vec<String> = facts
        .claim
        .signed_headers
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let unsorted = !declared.is_sorted();
    if unsorted {
        out.add("hdr-list-unsorted-declared", part::HEADERS, |r| {
            r.list.order = Order::Declared
        });
        out.add("hdr-list-unsorted-declared", part::HEADERS, |r| {
            r.headers.order = Order::Declared;
            r.list.order = Order::Declared;
        });
    }
    for (label, order) in [
        ("hdr-insertion-order", Order::Wire),
        ("hdr-insertion-order", Order::HostFirst),
        ("hdr-insertion-order", Order::HostLast),
        ("hdr-sorted-case-sensitive", Order::CaseSensitive),
        ("hdr-sorted-as-lines", Order::WholeLines),
    ] {
        let loose = unsorted || matches!(order, Order::HostFirst | Order::HostLast);
        out.loose_if(loose, |out| {
            out.add(label, part::HEADERS, move |r| r.headers.order = order);
            out.add(label, part::HEADERS, move |r| {
                r.headers.order = order;
                r.list.order = order;
            });
        });
    }
    out.loose(|out| {
        out.add("hdr-insertion-order", part::HEADERS, |r| {
            r.list.order = Order::Wire
        });
    });
}

fn lists(out: &mut Mistakes) {
    out.add("hdr-list-trailing-semicolon", part::HEADERS, |r| {
        r.list.trailing = true
    });
    out.add("hdr-list-comma", part::HEADERS, |r| r.list.comma = true);
    out.add("hdr-host-twice", part::HEADERS, |r| {
        r.headers.host_twice = true;
        r.list.host_twice = true;
    });
    out.add("hdr-host-twice", part::HEADERS, |r| {
        r.headers.host_twice = true
    });
    out.add("hdr-host-twice", part::HEADERS, |r| {
        r.list.host_twice = true
    });
}

fn repeats(facts: &Facts<'_>, out: &mut Mistakes) {
    let repeated = |name: &String| values(facts.headers, name).count() > 1;
    if !facts.signed.iter().any(repeated) {
        return;
    }
    for (label, repeats) in [
        ("hdr-dup-first-only", Repeats::First),
        ("hdr-dup-last-only", Repeats::Last),
        ("hdr-dup-comma-space", Repeats::CommaSpace),
        ("hdr-dup-separate-lines", Repeats::Lines),
        ("hdr-dup-sorted", Repeats::Sorted),
    ] {
        out.add(label, part::HEADERS, move |r| r.headers.repeats = repeats);
    }
}

/// Lines that are not there, are empty, or are one too many.
fn lines(facts: &Facts<'_>, out: &mut Mistakes) {
    for name in &facts.signed {
        let label = match name.as_str() {
            "host" => "hdr-host-line-missing",
            "x-amz-security-token" => "token-line-not-in-canonical",
            _ => "hdr-line-missing",
        };
        let (one, two, empty) = (name.clone(), name.clone(), name.clone());
        out.add(label, part::HEADERS, move |r| {
            r.headers.values.push((one.clone(), None))
        });
        out.loose(|out| {
            out.add(label, part::HEADERS, move |r| {
                r.headers.values.push((two.clone(), None));
                r.list.without = Some(two.clone());
            });
        });
        out.add("hdr-value-empty-when-signed", part::HEADERS, move |r| {
            r.headers.values.push((empty.clone(), Some(Vec::new())));
        });
    }
    for (name, _) in facts.headers {
        let Ok(name) = std::str::from_utf8(name) else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if name == "authorization" || facts.signed.contains(&name) {
            continue;
        }
        let with = name.clone();
        out.add("hdr-extra-line", part::HEADERS, move |r| {
            r.headers.extra = Some(name.clone())
        });
        out.loose(|out| {
            out.add("hdr-extra-line", part::HEADERS, move |r| {
                r.headers.extra = Some(with.clone());
                r.list.with = Some(with.clone());
            });
        });
    }
}

/// Blanks around one value, which the HTTP library took off.
fn spaces(facts: &Facts<'_>, out: &mut Mistakes) {
    const AROUND: &[(&str, &str)] = &[
        ("", " "),
        ("", "  "),
        ("", "   "),
        ("", "\t"),
        (" ", ""),
        (" ", " "),
    ];
    for name in &facts.signed {
        let value = value_of(facts, name);
        let raw: Vec<&[u8]> = values(facts.headers, name).map(trim).collect();
        let raw = raw.join(&b',');
        for (before, after) in AROUND {
            for value in [Some(&value), Some(&raw).filter(|raw| **raw != value)]
                .into_iter()
                .flatten()
            {
                let value = [before.as_bytes(), value, after.as_bytes()].concat();
                let name = name.clone();
                out.add("hdr-trailing-space-signed", part::HEADERS, move |r| {
                    r.headers.values.push((name.clone(), Some(value.clone())));
                });
            }
        }
    }
}
