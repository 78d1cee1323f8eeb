//! A message's head as text: start line and fields, read leniently and without copying.

/// The start line and the fields, in order.
pub(crate) struct Head<'a> {
    start: &'a [u8],
    pub(crate) headers: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Head<'a> {
    /// Reads whatever stands there: lines end with LF, a CR before it is dropped, blanks
    /// around a value too (RFC 9110 §5.5).
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut lines = Lines(bytes);
        let start = lines.find(|line| !line.is_empty()).unwrap_or_default();
        let mut headers = Vec::with_capacity(16);
        for line in lines {
            if line.is_empty() {
                break;
            }
            let (name, value) = match memchr::memchr(b':', line) {
                Some(at) => (&line[..at], line[at + 1..].trim_ascii()),
                None => (line, &line[..0]),
            };
            headers.push((name, value));
        }
        Self { start, headers }
    }

    /// Method, target and version.
    pub(crate) fn request_line(&self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let mut words = self.start.splitn(3, |byte| *byte == b' ');
        let mut word = || words.next().unwrap_or_default();
        (word(), word(), word())
    }

    /// The version in a status line.
    pub(crate) fn status_version(&self) -> &'a [u8] {
        self.start
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or_default()
    }

    /// The first value of a header, where it is UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))?;
        std::str::from_utf8(value).ok()
    }
}

struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match memchr::memchr(b'\n', self.0) {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (self.0, &self.0[..0]),
        };
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}
