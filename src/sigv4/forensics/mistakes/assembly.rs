//! How the parts of the canonical request are put together.

use super::super::recipe::{Assembly, part};
use super::Mistakes;

pub(super) fn add(out: &mut Mistakes) {
    for (label, how) in [
        ("creq-crlf", Assembly::CrLf),
        ("creq-cr-only", Assembly::Cr),
        ("creq-literal-backslash-n", Assembly::LiteralN),
        ("creq-utf16le-bytes", Assembly::Utf16),
        ("creq-latin1-bytes", Assembly::Latin1),
        ("creq-trailing-newline", Assembly::LineEndBehind),
        ("creq-indented", Assembly::Indented("    ")),
        ("creq-indented", Assembly::Indented("  ")),
        ("creq-indented", Assembly::Indented("        ")),
        ("creq-indented", Assembly::Indented("\t")),
        ("creq-indented", Assembly::Indented("      ")),
        ("creq-indented", Assembly::Indented("            ")),
        ("creq-indented", Assembly::Indented(" ")),
        ("creq-indented", Assembly::Indented("\t\t")),
        ("creq-no-blank-line", Assembly::NoBlankLine),
        ("creq-two-blank-lines", Assembly::TwoBlankLines),
        ("creq-empty-query-line-missing", Assembly::NoQueryLine),
        ("creq-signed-headers-line-missing", Assembly::NoListLine),
        ("creq-no-payload-line", Assembly::NoPayloadLine),
        ("creq-no-payload-line", Assembly::NoPayloadLineButItsEnd),
        ("creq-query-before-path", Assembly::QueryBeforePath),
    ] {
        out.add(label, part::ASSEMBLY, move |r| r.assembly = how);
    }
}
