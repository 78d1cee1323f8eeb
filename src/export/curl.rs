//! A curl command (7.75 or later, for `--aws-sigv4`) that makes the same call.
//!
//! The signature is left out and credentials are named, not written: the command signs
//! itself with the keys in the environment of whoever runs it.

use std::fmt::Write;

use crate::capture::exchange::{Body, Exchange, Request, Sent};

/// Headers that belong to one sending of the request, or that curl writes itself.
const LEFT_OUT: &[&str] = &[
    "authorization",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-sigscope-profile",
    "x-sigscope-region",
];
/// Those of an upload in signed chunks; the body of the record is without chunks.
const OF_CHUNKS: &[&str] = &[
    "content-encoding",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "x-amz-sdk-checksum-algorithm",
];

/// The command, or `None` if no request could be read.
pub fn command(exchange: &Exchange) -> Option<String> {
    let request = exchange
        .sent
        .as_ref()
        .map(|sent| &sent.request)
        .or(exchange.received.as_ref())?;
    let mut command = Command::default();
    command.method(request);
    command.signing(exchange, request);
    command.headers(request);
    let pipe = command.body(request);
    command.url(&url(exchange, request));
    Some(format!(
        "{}{pipe}curl {}",
        command.notes,
        command.words.join(" \\\n  ")
    ))
}

#[derive(Default)]
struct Command {
    /// Comment lines above it.
    notes: String,
    words: Vec<String>,
}

impl Command {
    fn method(&mut self, request: &Request) {
        match request.method.as_str() {
            "GET" if request.body.size == 0 => {}
            "HEAD" => self.words.push("--head".to_owned()),
            method => self.words.push(format!("--request {}", quote(method))),
        }
    }

    fn signing(&mut self, exchange: &Exchange, request: &Request) {
        let Some((region, service)) = scope(exchange) else {
            if header(request, "authorization").is_some() {
                self.words
                    .push("--header \"Authorization: $AUTHORIZATION\"".to_owned());
            }
            return;
        };
        self.words.push(format!(
            "--aws-sigv4 {}",
            quote(&format!("aws:amz:{region}:{service}"))
        ));
        self.words
            .push("--user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"".to_owned());
        let token = "x-amz-security-token";
        if header(request, token).is_some() || query_has(&request.url, token) {
            self.words
                .push(format!("--header \"{token}: $AWS_SESSION_TOKEN\""));
        }
    }

    fn headers(&mut self, request: &Request) {
        let chunked = is_chunked(&request.body);
        for (name, value) in &request.headers {
            let is_in = |list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(name));
            if is_in(LEFT_OUT) || (chunked && is_in(OF_CHUNKS)) {
                continue;
            }
            // A header without a value is written with a semicolon.
            let header = if value.is_empty() {
                format!("{name};")
            } else {
                format!("{name}: {value}")
            };
            self.words.push(format!("--header {}", quote(&header)));
        }
        if request.body.size > 0 && header(request, "content-type").is_none() {
            self.words.push("--header 'content-type:'".to_owned());
        }
    }

    /// Returns what has to run in front of curl.
    fn body(&mut self, request: &Request) -> String {
        let body = &request.body;
        if body.size == 0 {
            return String::new();
        }
        if let Some(reason) = not_the_bytes(body) {
            _ = writeln!(self.notes, "# {reason}: put the body into the file BODY");
            self.words.push("--data-binary @BODY".to_owned());
            return String::new();
        }
        match (&body.text, &body.base64) {
            (Some(text), _) if !text.contains('\0') => {
                // Unlike --data, --data-raw gives @ no meaning.
                self.words.push(format!("--data-raw {}", quote(text)));
                String::new()
            }
            (_, Some(base64)) => {
                self.words.push("--data-binary @-".to_owned());
                format!("printf %s {} | base64 -d | ", quote(base64))
            }
            (text, None) => {
                let text = text.as_deref().unwrap_or_default().replace('\\', r"\\");
                self.words.push("--data-binary @-".to_owned());
                format!("printf %b {} | ", quote(&text.replace('\0', "\\0000")))
            }
        }
    }

    fn url(&mut self, url: &str) {
        if url.contains(['[', ']', '{', '}']) {
            self.words.push("--globoff".to_owned());
        }
        if url.contains("/.") {
            self.words.push("--path-as-is".to_owned());
        }
        self.words.push(quote(url));
    }
}

/// Region and signing name, where the request was signed the AWS way.
fn scope(exchange: &Exchange) -> Option<(&str, &str)> {
    let unsigned = |sent: &Sent| {
        matches!(
            sent.signing.mode.split('/').next(),
            Some("unsigned" | "untouched")
        )
    };
    if exchange.sent.as_ref().is_some_and(unsigned) {
        return None;
    }
    if let Some(scope) = exchange
        .sent
        .as_ref()
        .and_then(|sent| sent.signing.credential_scope.as_deref())
    {
        let mut parts = scope.split('/').skip(1);
        return Some((parts.next()?, parts.next()?));
    }
    let route = exchange.route.as_ref()?;
    Some((route.region.as_deref()?, route.signing_name.as_deref()?))
}

/// The URL, without the signature that a presigned one carries.
fn url(exchange: &Exchange, request: &Request) -> String {
    let url = match (
        &exchange.sent,
        exchange
            .route
            .as_ref()
            .and_then(|route| route.upstream.as_deref()),
    ) {
        (None, Some(upstream)) if request.target.starts_with('/') => {
            format!("{upstream}{}", request.target)
        }
        _ => request.url.clone(),
    };
    let Some((path, query)) = url.split_once('?') else {
        return url;
    };
    let kept: Vec<_> = query
        .split('&')
        .filter(|pair| !is_signature(pair))
        .collect();
    if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    }
}

fn is_signature(pair: &str) -> bool {
    const NAMES: [&str; 7] = [
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
    ];
    let name = pair.split('=').next().unwrap_or_default();
    NAMES.iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn query_has(url: &str, name: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| {
        pair.split('=')
            .next()
            .is_some_and(|one| one.eq_ignore_ascii_case(name))
    })
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let found = request
        .headers
        .iter()
        .find(|(one, _)| one.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn is_chunked(body: &Body) -> bool {
    body.rendered.as_deref() == Some("aws-chunked")
}

/// Why what was kept is not what was sent.
fn not_the_bytes(body: &Body) -> Option<String> {
    if body.kept < body.size {
        return Some(format!("{} of {} bytes were kept", body.kept, body.size));
    }
    if body.masked > 0 {
        return Some(format!("{} places in the body are masked", body.masked));
    }
    match &body.rendered {
        Some(rendered) if !is_chunked(body) => {
            Some(format!("the body is shown rendered ({rendered})"))
        }
        _ if body.text.is_none() && body.base64.is_none() => {
            Some("the body was not kept".to_owned())
        }
        _ => None,
    }
}

/// One word for a POSIX shell. Control characters other than line ends and tabs, which a
/// terminal would obey when the command is pasted, are written as `$'\033'`, which bash, zsh
/// and ksh read.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    _ = write!(quoted, "\\{byte:03o}");
                }
            }
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}
