//! A message's head, read leniently and without copying.

/// Start line and fields as they were on the wire.
#[derive(Default)]
pub(super) struct Head<'a> {
    start: &'a [u8],
    /// Names as sent; values without the blanks around them (RFC 9110 §5.5).
    pub(super) headers: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Head<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut lines = bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let start = lines.next().unwrap_or_default();
        let headers = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                let at = memchr::memchr(b':', line)?;
                Some((line.get(..at)?, line.get(at + 1..)?.trim_ascii()))
            })
            .collect();
        Self { start, headers }
    }

    pub(super) fn method(&self) -> &'a str {
        self.word(0)
    }

    /// The request target as sent.
    pub(super) fn target(&self) -> &'a str {
        self.word(1)
    }

    /// The first value of a header, where it is UTF-8.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let found = self
            .headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// What stands behind `?`.
    pub(super) fn query(&self) -> &'a str {
        self.target().split_once('?').map_or("", |(_, query)| query)
    }

    fn word(&self, index: usize) -> &'a str {
        let word = self
            .start
            .split(|byte| *byte == b' ')
            .nth(index)
            .unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }
}
