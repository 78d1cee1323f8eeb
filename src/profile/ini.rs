//! Reads the ini dialect of the AWS files, keeping the line of everything.
//!
//! The rules are those of the AWS CLI, whose reader is Python's `configparser`: `=` or `:`
//! between key and value, keys without case, `#` and `;` comments on lines of their own only,
//! a more deeply indented line continues the value above it, and a value that is empty on its
//! own line but continued holds nested settings. Where the CLI refuses the whole file (a
//! broken line, a section or key that stands twice), this reader reports the line and keeps
//! the rest.

use zeroize::Zeroizing;

/// What a file holds, in its order.
#[derive(Default)]
pub(crate) struct Ini {
    /// The sections; one that stands twice is listed twice.
    pub(crate) sections: Vec<Section>,
    /// Lines that could not be read, or that the AWS CLI would refuse.
    pub(crate) problems: Vec<Problem>,
}

/// One section as it stands in the file.
pub(crate) struct Section {
    /// What stands between the brackets.
    pub(crate) name: String,
    /// Line of the header, from 1.
    pub(crate) line: u32,
    /// The settings, in order.
    pub(crate) keys: Vec<Key>,
}

/// One setting.
pub(crate) struct Key {
    /// Lower case.
    pub(crate) name: String,
    /// The value, blanks at both ends removed; continuation lines joined with line feeds.
    pub(crate) value: Zeroizing<String>,
    /// Line, from 1.
    pub(crate) line: u32,
}

/// A line that is not right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Line, from 1.
    pub(crate) line: u32,
    /// What is wrong and what to write instead. It never quotes a value.
    pub(crate) message: String,
}

impl Key {
    /// The nested settings of a value such as `s3 =` with indented lines below it: name
    /// (lower case), value, line. Empty for a plain value.
    pub(crate) fn nested(&self) -> impl Iterator<Item = (String, &str, u32)> {
        let lines = self.value.starts_with('\n').then(|| self.value.lines());
        lines
            .into_iter()
            .flatten()
            .zip(self.line..)
            .filter_map(|(text, line)| {
                let (name, value) = text.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), value.trim(), line))
            })
    }
}

/// Reads a whole file. It never fails: what cannot be read is among the problems.
pub(crate) fn parse(bytes: &[u8]) -> Ini {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader::default();
    for (raw, number) in bytes.split(|byte| *byte == b'\n').zip(1u32..) {
        match std::str::from_utf8(raw.strip_suffix(b"\r").unwrap_or(raw)) {
            Ok(line) => reader.line(line, number),
            Err(_) => reader.problem(
                number,
                "this line is not UTF-8; save the file as UTF-8 without other encodings",
            ),
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    ini: Ini,
    /// Indentation of the key whose value may be continued.
    open: Option<usize>,
    /// Below a broken header: its settings belong to no section, least of all to the one above.
    lost: bool,
}

impl Reader {
    fn line(&mut self, line: &str, number: u32) {
        let text = line.trim();
        if text.is_empty() {
            // A nested value keeps its line numbers by keeping its blank lines.
            self.pad();
        } else if text.starts_with(['#', ';']) {
            self.pad();
        } else {
            let indent = line.len() - line.trim_start().len();
            match self.open {
                Some(outer) if indent > outer => self.continuation(text, number),
                _ if text.starts_with('[') => self.header(text, number),
                _ => self.key(text, indent, number),
            }
        }
    }

    fn header(&mut self, text: &str, number: u32) {
        self.open = None;
        self.lost = false;
        let name = text
            .rfind(']')
            .and_then(|end| text.get(1..end))
            .map(str::trim);
        match name {
            Some(name) if !name.is_empty() => self.ini.sections.push(Section {
                name: name.to_owned(),
                line: number,
                keys: Vec::new(),
            }),
            _ => {
                self.lost = true;
                self.problem(
                    number,
                    "a section's name stands between brackets: write [profile NAME] in the \
                     config file, [NAME] in the credentials file",
                );
            }
        }
    }

    fn key(&mut self, text: &str, indent: usize, number: u32) {
        self.open = None;
        if self.lost {
            return;
        }
        let Some((name, value)) = text.split_once(['=', ':']) else {
            return self.problem(
                number,
                "neither a [section] nor a setting: write `name = value`, or begin a comment \
                 with #",
            );
        };
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() {
            return self.problem(number, "a setting needs a name: write `name = value`");
        }
        let Some(section) = self.ini.sections.last_mut() else {
            return self.problem(
                number,
                "a setting before the first section: write [default] above it",
            );
        };
        section.keys.push(Key {
            name,
            value: Zeroizing::new(value.trim().to_owned()),
            line: number,
        });
        self.open = Some(indent);
    }

    fn continuation(&mut self, text: &str, number: u32) {
        let Some(key) = self.last_key() else { return };
        let plain = !key.value.is_empty() && !key.value.starts_with('\n');
        // Reserved up front so that no copy of a secret stays behind in a freed buffer.
        let mut longer = Zeroizing::new(String::with_capacity(key.value.len() + text.len() + 1));
        longer.push_str(&key.value);
        longer.push('\n');
        longer.push_str(text);
        key.value = longer;
        if plain {
            let message = format!(
                "this line is indented and so continues the value of `{}` above it; remove the \
                 blanks in front of it",
                key.name
            );
            self.problem(number, message);
        } else if !text.contains('=') {
            self.problem(number, "a nested setting is written `name = value`");
        }
    }

    fn pad(&mut self) {
        if self.open.is_some()
            && let Some(key) = self.last_key()
            && (key.value.is_empty() || key.value.starts_with('\n'))
        {
            key.value.push('\n');
        }
    }

    fn finish(mut self) -> Ini {
        for section in &mut self.ini.sections {
            for key in &mut section.keys {
                let end = key.value.trim_end_matches('\n').len();
                key.value.truncate(end);
            }
        }
        self.ini
    }

    fn last_key(&mut self) -> Option<&mut Key> {
        self.ini.sections.last_mut()?.keys.last_mut()
    }

    fn problem(&mut self, line: u32, message: impl Into<String>) {
        self.ini.problems.push(Problem {
            line,
            message: message.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// One line a thing: `line [section]`, `line key=value`, `line ! problem`.
    fn shown(text: &[u8]) -> String {
        let ini = parse(text);
        let mut out = String::new();
        for section in &ini.sections {
            out += &format!("{} [{}]\n", section.line, section.name);
            for key in &section.keys {
                let nested: Vec<_> = key.nested().collect();
                if nested.is_empty() {
                    out += &format!("{} {}={}\n", key.line, key.name, key.value.escape_debug());
                }
                for (name, value, line) in nested {
                    out += &format!("{line} {}.{name}={value}\n", key.name);
                }
            }
        }
        for problem in &ini.problems {
            let head: String = problem.message.chars().take(29).collect();
            out += &format!("{} ! {head}\n", problem.line);
        }
        out
    }

    #[test]
    fn reads_what_the_cli_reads() {
        let cases: &[(&[u8], &str)] = &[
            (b"[a]\nk = v\n", "1 [a]\n2 k=v\n"),
            (b"\xef\xbb\xbf[a]\r\nk=v\r\n", "1 [a]\n2 k=v\n"),
            (b"# c\n; c\n[a]\n\n  # c\nK: v = w\n", "3 [a]\n6 k=v = w\n"),
            (b"[ profile x ] ; c\n", "1 [profile x]\n"),
            (
                b"[a]\nk = v # not a comment\n",
                "1 [a]\n2 k=v # not a comment\n",
            ),
            (b"[a]\n  k = v\n  l = w\n", "1 [a]\n2 k=v\n3 l=w\n"),
            (
                b"[a]\ns3 =\n  # c\n  x = path\n\n  y=2\nregion=r\n",
                "1 [a]\n4 s3.x=path\n6 s3.y=2\n7 region=r\n",
            ),
            (b"[a]\nk =\n", "1 [a]\n2 k=\n"),
            (b"", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), *expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn reports_broken_lines_and_keeps_the_rest() {
        let cases: &[(&[u8], &str)] = &[
            (
                b"k = v\n[a]\nl=w\n",
                "2 [a]\n3 l=w\n1 ! a setting before the first s\n",
            ),
            (
                b"[a]\nnonsense\nl=w\n",
                "1 [a]\n3 l=w\n2 ! neither a [section] nor a se\n",
            ),
            (
                b"[z]\n[a\nk=v\n",
                "1 [z]\n2 ! a section's name stands betw\n",
            ),
            (b"[a]\n= v\n", "1 [a]\n2 ! a setting needs a name: writ\n"),
            (
                b"[a]\nk=\xff\nl=w\n",
                "1 [a]\n3 l=w\n2 ! this line is not UTF-8; save\n",
            ),
            (
                b"[a]\nregion = r\n  output = json\n",
                "1 [a]\n2 region=r\\noutput = json\n3 ! this line is indented and so\n",
            ),
            (
                b"[a]\ns3 =\n  path\n",
                "1 [a]\n2 s3=\\npath\n3 ! a nested setting is written \n",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), *expected, "{}", String::from_utf8_lossy(text));
        }
    }
}
