use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Limits;

/// The configuration file: `config.toml` in sigscope's configuration directory. Every key is
/// optional; an unknown one is an error that names its line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Where to listen: `ADDR` or `ADDR=URL`.
    pub listen: Vec<String>,
    /// The profile that signs for callers who name none.
    pub profile: Option<String>,
    /// The region for requests that name none.
    pub region: Option<String>,
    /// Endpoint URLs by service; `"*"` for all others.
    pub endpoint_urls: BTreeMap<String, String>,
    /// Further names that may stand in `Host`.
    pub allow_hosts: Vec<String>,
    /// Refuse operations that change something.
    pub read_only: bool,
    /// A PEM file of the only roots to trust.
    pub ca_bundle: Option<PathBuf>,
    /// The theme's name.
    pub theme: Option<String>,
    /// Whether the mouse is captured; on by default.
    pub mouse: Option<bool>,
    /// What is hidden beyond credentials.
    pub mask: Mask,
    /// Every bound.
    pub limits: Limits,
}

/// `[mask]`: what is hidden beyond credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mask {
    /// Hide payload data too: bodies, items, messages.
    pub payloads: bool,
}

impl File {
    /// Reads a file; one that is not there is empty.
    ///
    /// # Errors
    /// The file cannot be read or is wrong: what, in which line, and the line itself.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        assert_eq!(File::read(&path).unwrap(), File::default());
        std::fs::write(&path, "theme = \"dark\"\n[limits]\nrowz = 3\n").unwrap();
        let error = File::read(&path).unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("rowz"),
            "{error}"
        );
        std::fs::write(
            &path,
            "[limits]\nrows = 3\n[endpoint_urls]\ns3 = \"http://127.0.0.1:9\"\n",
        )
        .unwrap();
        assert_eq!(File::read(&path).unwrap().limits.rows, 3);
    }
}
