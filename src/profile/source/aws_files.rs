//! The AWS config and credentials files.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>. Where the AWS CLI and
//! that page differ, the CLI is followed: keys of the credentials file win one by one, the
//! later of `[default]` and `[profile default]` replaces the other.

use std::{fs, io, sync::Arc};

use super::{At, FileError, FileSource, Files, Section, Sources, Value};
use crate::profile::ini::{self, Ini, Key};
use zeroize::Zeroizing;

/// Settings that only a profile has: a bare `[name]` in the config file with one of them was
/// meant to be one.
const OF_A_PROFILE: [&str; 7] = [
    "aws_access_key_id",
    "role_arn",
    "source_profile",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "region",
];

/// Reads all files. It never fails: what is wrong is among the errors.
pub(crate) fn read(sources: &Sources) -> Files {
    let mut files = Files::default();
    let of = |list, kind| std::iter::repeat(kind).zip(list);
    for (kind, source) in of(sources.config.iter(), Kind::Config)
        .chain(of(sources.credentials.iter(), Kind::Credentials))
    {
        let (name, bytes) = match contents(source) {
            Ok(found) => found,
            Err(error) => {
                files.errors.push(error);
                continue;
            }
        };
        add(&mut files, &name, kind, ini::parse(&bytes));
    }
    files
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Config,
    Credentials,
}

fn contents(source: &FileSource) -> Result<(Arc<str>, Zeroizing<Vec<u8>>), FileError> {
    match source {
        FileSource::Text { name, text } => Ok((
            Arc::from(name.as_str()),
            Zeroizing::new(text.as_bytes().to_vec()),
        )),
        FileSource::Path(path) => {
            let file = path.display().to_string();
            match fs::read(path) {
                Ok(bytes) => Ok((Arc::from(file), Zeroizing::new(bytes))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Ok((Arc::from(file), Zeroizing::new(Vec::new())))
                }
                Err(error) => Err(FileError {
                    file,
                    line: 0,
                    message: unreadable(&error),
                }),
            }
        }
    }
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "cannot read it: you are uid {}; give yourself read permission on the file and its \
             directories",
            rustix::process::geteuid().as_raw()
        ),
        _ => format!("cannot read it: {error}"),
    }
}

fn add(files: &mut Files, file: &Arc<str>, kind: Kind, ini: Ini) {
    let error = |line, message| FileError {
        file: file.to_string(),
        line,
        message,
    };
    files
        .errors
        .extend(ini.problems.into_iter().map(|p| error(p.line, p.message)));
    let mut seen: Vec<(String, u32)> = Vec::new();
    for section in ini.sections {
        let at = At {
            file: Arc::clone(file),
            line: section.line,
        };
        if let Some((_, first)) = seen.iter().find(|(name, _)| *name == section.name) {
            files.errors.push(error(
                section.line,
                format!(
                    "[{}] already stands in line {first}: both are read here, but the AWS CLI \
                     refuses the whole file; move these settings there",
                    section.name
                ),
            ));
        }
        seen.push((section.name.clone(), section.line));
        match place(&section.name, kind) {
            Place::Profile(name) => {
                if !files.profiles.contains_key(&name) {
                    files.names.push(name.clone());
                }
                let known = files.profiles.entry(name).or_default();
                if kind == Kind::Config {
                    replace_default(known, &section.name, &at);
                }
                merge(known, section.keys, at, kind, &mut files.errors);
            }
            Place::SsoSession(name) => {
                let known = files.sso_sessions.entry(name).or_default();
                merge(known, section.keys, at, kind, &mut files.errors);
            }
            Place::Services(name) => {
                let known = files.services.entry(name).or_default();
                merge(known, section.keys, at, kind, &mut files.errors);
            }
            Place::Mistaken(message) => files.errors.push(error(section.line, message)),
            Place::Other => {
                let meant = section
                    .keys
                    .iter()
                    .any(|key| OF_A_PROFILE.contains(&key.name.as_str()));
                if meant {
                    let name = &section.name;
                    files.errors.push(error(
                        section.line,
                        format!("[{name}] is no profile in a config file: write [profile {name}]"),
                    ));
                }
            }
        }
    }
}

enum Place {
    Profile(String),
    SsoSession(String),
    Services(String),
    Mistaken(String),
    Other,
}

fn place(header: &str, kind: Kind) -> Place {
    let (word, name) = match header.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, unquote(rest)),
        None => (header, Some(String::new())),
    };
    match (kind, word, name) {
        (Kind::Credentials, "profile", Some(name)) if !name.is_empty() => Place::Mistaken(format!(
            "the credentials file names profiles without the word profile: write [{name}]"
        )),
        (Kind::Credentials, ..) => Place::Profile(header.to_owned()),
        (Kind::Config, "default", _) if header == "default" => Place::Profile(header.to_owned()),
        (Kind::Config, "profile" | "sso-session" | "services", None) => Place::Mistaken(format!(
            "a name with blanks stands in quotes: write [{word} \"NAME\"]"
        )),
        (Kind::Config, "profile" | "sso-session" | "services", Some(name)) if name.is_empty() => {
            Place::Mistaken(format!("the name is missing: write [{word} NAME]"))
        }
        (Kind::Config, "profile", Some(name)) => Place::Profile(name),
        (Kind::Config, "sso-session", Some(name)) => Place::SsoSession(name),
        (Kind::Config, "services", Some(name)) => Place::Services(name),
        (Kind::Config, ..) => Place::Other,
    }
}

/// One word as a shell reads it: quotes and backslashes removed; `None` if it is several
/// words or a quote is left open.
fn unquote(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut quote = None;
    let mut rest = text.trim().chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None | Some('"'), '\\') => out.push(rest.next()?),
            (None, c) if c.is_whitespace() => return None,
            (_, c) => out.push(c),
        }
    }
    quote.is_none().then_some(out)
}

fn replace_default(known: &mut Section, header: &str, at: &At) {
    let other = known.headers.iter().any(|before| before != header);
    if other {
        let hidden = std::mem::take(&mut known.config);
        known.shadowed.extend(
            hidden.iter().map(|(key, value)| {
                format!("{key} at {} is hidden by [{header}] at {at}", value.at)
            }),
        );
        known.headers.clear();
    }
    known.headers.push(header.to_owned());
}

fn merge(known: &mut Section, keys: Vec<Key>, at: At, kind: Kind, errors: &mut Vec<FileError>) {
    let file = Arc::clone(&at.file);
    let header = at.line;
    known.at.get_or_insert(at);
    let Section {
        config,
        credentials,
        shadowed,
        ..
    } = known;
    let target = match kind {
        Kind::Config => config,
        Kind::Credentials => credentials,
    };
    for key in keys {
        let at = |line| At {
            file: Arc::clone(&file),
            line,
        };
        let nested = key
            .nested()
            .map(|(name, value, line)| (name, (value.to_owned(), at(line))))
            .collect();
        let Key { name, value, line } = key;
        let value = Value {
            text: value,
            at: at(line),
            nested,
        };
        if let Some(before) = target.insert(name.clone(), value) {
            shadowed.push(format!("{name} at {} is hidden by {}", before.at, at(line)));
            if before.at.file == file && before.at.line > header {
                errors.push(FileError {
                    file: file.to_string(),
                    line,
                    message: format!(
                        "{name} already stands in line {}: this one counts here, but the AWS \
                         CLI refuses the whole file; remove one",
                        before.at.line
                    ),
                });
            }
        }
    }
}
