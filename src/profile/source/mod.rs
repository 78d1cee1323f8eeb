//! Where profiles come from: one file a place.
//!
//! Each source turns what its system writes into [`Section`]s that know the file and line of
//! every setting; `graph` decides from them what a profile means.

pub(crate) mod aws_files;
pub(crate) mod environment;

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use zeroize::Zeroizing;

use super::env::Env;

/// Everything that profiles are read from.
pub struct Sources {
    /// The environment.
    pub env: Env,
    /// Config files (`[profile NAME]`), later ones win.
    pub config: Vec<FileSource>,
    /// Credentials files (`[NAME]`); they win over config files.
    pub credentials: Vec<FileSource>,
}

/// One file, on disk or given.
pub enum FileSource {
    /// A file on disk; one that does not exist is empty.
    Path(PathBuf),
    /// Text that is held here, under a name to show as its file.
    Text {
        /// What is shown as the file.
        name: String,
        /// The contents.
        text: Zeroizing<String>,
    },
}

impl FileSource {
    /// Text that is held here.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Text {
            name: name.into(),
            text: Zeroizing::new(text.into()),
        }
    }

    /// The path of a file on disk.
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Path(path) => Some(path),
            Self::Text { .. } => None,
        }
    }
}

impl Sources {
    /// The files that the AWS CLI would read: `AWS_CONFIG_FILE` and
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/config` and `~/.aws/credentials`.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>
    pub fn standard(env: Env) -> Self {
        let file = |variable: &str, name: &str| {
            let named = env.get(variable).map(|path| expand_home(path, &env));
            let usual = || Some(PathBuf::from(env.home()?).join(".aws").join(name));
            named
                .or_else(usual)
                .into_iter()
                .map(FileSource::Path)
                .collect()
        };
        Self {
            config: file("AWS_CONFIG_FILE", "config"),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            env,
        }
    }
}

fn expand_home(path: &str, env: &Env) -> PathBuf {
    match (path.strip_prefix("~/"), env.home()) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The file, as the operator would name it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something in a file that is wrong; the profiles it does not touch go on working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: u32,
    /// What is wrong and what to write instead; never a value.
    pub message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// A setting's value. No `Debug`: it may be a secret.
pub(crate) struct Value {
    pub(crate) text: Zeroizing<String>,
    pub(crate) at: At,
    pub(crate) nested: BTreeMap<String, (String, At)>,
}

/// What the files say of one profile, SSO session or services block.
#[derive(Default)]
pub(crate) struct Section {
    /// Its first header.
    pub(crate) at: Option<At>,
    /// From config files.
    pub(crate) config: BTreeMap<String, Value>,
    /// From credentials files.
    pub(crate) credentials: BTreeMap<String, Value>,
    /// Settings that another one hides: `region at FILE:LINE is hidden by FILE:LINE`.
    pub(crate) shadowed: Vec<String>,
    /// Headers under which the config files wrote it, to tell `[default]` from
    /// `[profile default]`.
    pub(crate) headers: Vec<String>,
}

impl Section {
    /// The value that counts: the credentials file's, else the config file's.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.credentials.get(key).or_else(|| self.config.get(key))
    }

    /// Its text.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.value(key).map(|value| value.text.as_str())
    }

    /// Where it stands, else where the section begins.
    pub(crate) fn at(&self, key: &str) -> Option<At> {
        self.value(key)
            .map(|value| value.at.clone())
            .or_else(|| self.at.clone())
    }

    /// Whether the setting is there and says `true`, in any case.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Settings that stand in both kinds of file.
    pub(crate) fn hidden_by_credentials(&self) -> impl Iterator<Item = String> {
        self.credentials.iter().filter_map(|(key, winner)| {
            let hidden = self.config.get(key)?;
            Some(format!("{key} at {} is hidden by {}", hidden.at, winner.at))
        })
    }
}

/// What all files say.
#[derive(Default)]
pub(crate) struct Files {
    /// In the order of the files.
    pub(crate) names: Vec<String>,
    pub(crate) profiles: BTreeMap<String, Section>,
    pub(crate) sso_sessions: BTreeMap<String, Section>,
    pub(crate) services: BTreeMap<String, Section>,
    pub(crate) errors: Vec<FileError>,
}
