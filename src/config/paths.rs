use std::path::PathBuf;

use etcetera::base_strategy::{BaseStrategy, Xdg};

/// Where sigscope keeps its files, after the XDG base directories on every system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `config.toml` and `themes/`.
    pub config: PathBuf,
    /// The install key of the lanes, the only file.
    pub data: PathBuf,
}

impl Paths {
    /// From `XDG_CONFIG_HOME`, `XDG_DATA_HOME` and the home directory.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn find() -> Result<Self, String> {
        let base = Xdg::new()
            .map_err(|error| format!("cannot tell the home directory: {error}; set HOME"))?;
        Ok(Self {
            config: base.config_dir().join("sigscope"),
            data: base.data_dir().join("sigscope"),
        })
    }

    /// The configuration file.
    pub fn file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The secret that lanes are derived from.
    pub fn install_key(&self) -> PathBuf {
        self.data.join("install-key")
    }
}
