//! A curl command, as people paste it.

use super::{Entry, Request};

pub(super) fn is_command(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"$ ").unwrap_or(text);
    text.strip_prefix(b"curl")
        .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

/// Reads one command. Files that it names are not opened: their content is not known.
pub(super) fn command(text: &[u8]) -> Result<Entry, String> {
    let text = String::from_utf8_lossy(text);
    let words = words(&text)?;
    let mut words = words
        .into_iter()
        .skip_while(|word| word != "curl")
        .skip(1)
        .peekable();
    let mut call = Call::default();
    while let Some(word) = words.next() {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => {
                (name.to_owned(), Some(value.to_owned()))
            }
            _ if word.starts_with('-')
                && !word.starts_with("--")
                && word.len() > 2
                && takes_value(&word[..2]) =>
            {
                (word[..2].to_owned(), Some(word[2..].to_owned()))
            }
            _ => (word.clone(), None),
        };
        if !name.starts_with('-') {
            call.url = Some(word);
            continue;
        }
        if takes_value(&name) && value.is_none() {
            value = words.next();
        }
        call.option(&name, value)?;
    }
    call.entry()
}

#[derive(Default)]
struct Call {
    method: Option<String>,
    url: Option<String>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    data: Option<Vec<u8>>,
    unknown_body: bool,
    get: bool,
    json: bool,
}

/// The options whose value is the next word, as far as they are met in practice.
fn takes_value(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "-X",
        "--request",
        "-H",
        "--header",
        "-d",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-ascii",
        "--data-urlencode",
        "--json",
        "--url",
        "-A",
        "--user-agent",
        "-e",
        "--referer",
        "-b",
        "--cookie",
        "-u",
        "--user",
        "-o",
        "--output",
        "-T",
        "--upload-file",
        "-F",
        "--form",
        "--aws-sigv4",
        "-x",
        "--proxy",
        "--cacert",
        "--cert",
        "-E",
        "--key",
        "-m",
        "--max-time",
        "--connect-timeout",
        "--resolve",
        "--connect-to",
        "-w",
        "--write-out",
        "-r",
        "--range",
        "-c",
        "--cookie-jar",
        "-D",
        "--dump-header",
        "--retry",
        "-K",
    ];
    NAMES.contains(&name)
}

impl Call {
    fn option(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        let value = value.unwrap_or_default();
        match name {
            "-X" | "--request" => self.method = Some(value),
            "--url" => self.url = Some(value),
            "-H" | "--header" => {
                if let Some((name, value)) = value.split_once(':') {
                    let value = value.strip_prefix(' ').unwrap_or(value);
                    self.headers.push((name.trim().into(), value.into()));
                } else if let Some(name) = value.strip_suffix(';') {
                    self.headers.push((name.trim().into(), Vec::new()));
                }
            }
            "-d" | "--data" | "--data-ascii" | "--data-binary" if value.starts_with('@') => {
                self.unknown_body = true
            }
            "-T" | "--upload-file" | "-F" | "--form" => {
                self.unknown_body = true;
                let method = if name == "-F" || name == "--form" {
                    "POST"
                } else {
                    "PUT"
                };
                self.method.get_or_insert_with(|| method.to_owned());
            }
            "--json" => {
                self.json = true;
                self.data(value.as_bytes());
            }
            "-d" | "--data" | "--data-ascii" | "--data-raw" | "--data-binary" => {
                self.data(value.as_bytes())
            }
            "--data-urlencode" => {
                return Err(
                    "--data-urlencode is not read: paste the body as it is sent, with --data-raw"
                        .to_owned(),
                );
            }
            "-A" | "--user-agent" => self
                .headers
                .push((b"User-Agent".to_vec(), value.into_bytes())),
            "-e" | "--referer" => self.headers.push((b"Referer".to_vec(), value.into_bytes())),
            "-r" | "--range" => self
                .headers
                .push((b"Range".to_vec(), format!("bytes={value}").into_bytes())),
            "-I" | "--head" => self.method = Some("HEAD".to_owned()),
            "-G" | "--get" => self.get = true,
            _ => {}
        }
        Ok(())
    }

    fn data(&mut self, more: &[u8]) {
        match &mut self.data {
            Some(data) => {
                data.push(b'&');
                data.extend_from_slice(more);
            }
            None => self.data = Some(more.to_vec()),
        }
    }

    fn entry(mut self) -> Result<Entry, String> {
        let mut url = self.url.take().ok_or("the curl command names no URL")?;
        if !url.contains("://") && !url.starts_with('/') {
            url.insert_str(0, "http://");
        }
        if self.get
            && let Some(data) = self.data.take()
        {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&String::from_utf8_lossy(&data));
        }
        let with_data = self.data.is_some() || self.unknown_body;
        let method = self
            .method
            .unwrap_or_else(|| if with_data { "POST" } else { "GET" }.to_owned());
        let has = |headers: &[(Vec<u8>, Vec<u8>)], name: &[u8]| {
            headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        let mut headers = self.headers;
        if self.data.is_some() && !has(&headers, b"content-type") {
            let kind = if self.json {
                "application/json"
            } else {
                "application/x-www-form-urlencoded"
            };
            headers.push((b"Content-Type".to_vec(), kind.as_bytes().to_vec()));
        }
        let body = if self.unknown_body {
            None
        } else {
            Some(self.data.unwrap_or_default())
        };
        Ok(Entry {
            request: Request::new(&method, url.as_bytes(), headers, body),
            ..Entry::default()
        })
    }
}

/// The words of a shell command: quotes, escapes, line continuations, `$'…'`.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some('\r') => drop(rest.next_if_eq(&'\n')),
                Some(other) => word.get_or_insert_default().push(other),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or("a quote is not closed")? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '$' if rest.next_if_eq(&'\'').is_some() => {
                ansi_quoted(&mut rest, word.get_or_insert_default())?
            }
            c if c.is_whitespace() => out.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn double_quoted(rest: &mut Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match rest.next().ok_or("a quote is not closed")? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or("a quote is not closed")? {
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

fn ansi_quoted(rest: &mut Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match rest.next().ok_or("a quote is not closed")? {
            '\'' => return Ok(()),
            '\\' => match rest.next().ok_or("a quote is not closed")? {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                letter @ ('u' | 'x') => {
                    let most = if letter == 'u' { 4 } else { 2 };
                    let mut code = 0;
                    for _ in 0..most {
                        let Some(digit) = rest.peek().and_then(|c| c.to_digit(16)) else {
                            break;
                        };
                        code = code * 16 + digit;
                        rest.next();
                    }
                    word.extend(char::from_u32(code));
                }
                c => word.push(c),
            },
            c => word.push(c),
        }
    }
}
