use super::RequestView;
use super::view::values;

/// Appends one line, `name:value\n`, for each of `names` (lower case, sorted, each once).
///
/// Values of a repeated name are joined with `,` in the order of arrival. A name that is not
/// among the headers gets an empty value; `host` is then the authority of an absolute target.
pub fn canonical_headers<N: AsRef<str>>(view: &RequestView<'_>, names: &[N], out: &mut Vec<u8>) {
    for name in names {
        let name = name.as_ref();
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let mut found = false;
        for value in values(view.headers, name) {
            if found {
                out.push(b',');
            }
            found = true;
            canonical_value(value, out);
        }
        if !found && name == "host" {
            out.extend_from_slice(view.authority().unwrap_or_default());
        }
        out.push(b'\n');
    }
}

/// Appends a header's value without the white space around it (spaces and tabs, which RFC 9110
/// §5.5 does not count to the value) and with each run of spaces inside as one, also between
/// quotes. A tab inside stays.
pub fn canonical_value(value: &[u8], out: &mut Vec<u8>) {
    let value = trim(value);
    let mut after_space = false;
    for &byte in value {
        let space = byte == b' ';
        if !(space && after_space) {
            out.push(byte);
        }
        after_space = space;
    }
}

/// The value without spaces and tabs at its ends.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !is_blank(b));
    let end = value.iter().rposition(|b| !is_blank(b));
    match (start, end) {
        (Some(start), Some(end)) => &value[start..=end],
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_collapsed_and_joined() {
        let headers: [(&[u8], &[u8]); 5] = [
            (b"My-B", b"  \"a   b\"\t"),
            (b"my-a", b"2"),
            (b"MY-A", b" 1 "),
            (b"x", b"\xfc\tz"),
            (b"my-a", b""),
        ];
        let view = RequestView {
            method: "GET",
            target: b"http://Host:8080/",
            headers: &headers,
            payload: "",
        };
        let mut out = Vec::new();
        canonical_headers(&view, &["absent", "host", "my-a", "my-b", "x"], &mut out);
        assert_eq!(
            out,
            b"absent:\nhost:Host:8080\nmy-a:2,1,\nmy-b:\"a b\"\nx:\xfc\tz\n"
        );
    }
}
