//! The options that every command with a proxy takes, over those of the configuration file.

use std::path::PathBuf;

use clap::Args;

use crate::config::{File, Paths};
use crate::proxy::{Endpoints, Listen, Options};

/// Where the proxy listens by default.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8787";

/// What and how to sign and forward.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ProxyArgs {
    /// Where to listen, and the upstream that this port is bound to [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR[=URL]")]
    pub(crate) listen: Vec<String>,
    /// The profile that signs for callers who name none
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The region for requests that name none
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Send requests there instead of to AWS, all or those of one service
    #[arg(long, value_name = "[SERVICE=]URL")]
    pub(crate) endpoint_url: Vec<String>,
    /// Record all exchanges, masked, in this file (SQLite)
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
    /// A PEM file of the only roots to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// A further name that may stand in Host
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Refuse operations that change something
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Serve only requests signed with a lane's key; needed to listen beyond loopback
    #[arg(long)]
    pub(crate) require_lane: bool,
    /// Leave unsigned requests unsigned
    #[arg(long)]
    pub(crate) no_sign_unsigned: bool,
    /// Forward clients' own signatures untouched: a witness, not a signer
    #[arg(long)]
    pub(crate) as_signed: bool,
}

/// Files and options together.
pub(crate) struct Settings {
    pub(crate) file: File,
    pub(crate) paths: Paths,
}

impl Settings {
    /// Reads the configuration file.
    pub(crate) fn read() -> Result<Self, String> {
        let paths = Paths::find()?;
        let file = File::read(&paths.file())?;
        Ok(Self { file, paths })
    }
}

impl ProxyArgs {
    /// Options win over the file, the file over the defaults.
    pub(crate) fn options(&self, file: &File) -> Result<Options, String> {
        let listen: &[String] = if self.listen.is_empty() {
            &file.listen
        } else {
            &self.listen
        };
        let mut parsed = Vec::new();
        for text in listen {
            parsed.push(
                text.parse::<Listen>()
                    .map_err(|error| format!("--listen: {error}"))?,
            );
        }
        // A bound port stands beside the general one, it does not replace it.
        if parsed.iter().all(|listen| listen.bound.is_some()) {
            let general = DEFAULT_LISTEN.parse::<Listen>()?;
            parsed.insert(0, general);
        }
        let mut endpoints = Endpoints::default();
        for (service, url) in &file.endpoint_urls {
            let text = if service == "*" {
                url.clone()
            } else {
                format!("{service}={url}")
            };
            endpoints
                .add(&text)
                .map_err(|error| format!("endpoint_urls: {error}"))?;
        }
        for text in &self.endpoint_url {
            endpoints
                .add(text)
                .map_err(|error| format!("--endpoint-url: {error}"))?;
        }
        let mut allow_hosts = file.allow_hosts.clone();
        allow_hosts.extend(self.allow_host.iter().cloned());
        Ok(Options {
            listen: parsed,
            endpoints,
            profile: self.profile.clone().or_else(|| file.profile.clone()),
            region: self.region.clone().or_else(|| file.region.clone()),
            allow_hosts,
            read_only: self.read_only || file.read_only,
            require_lane: self.require_lane,
            leave_unsigned: self.no_sign_unsigned,
            as_signed: self.as_signed,
            ca_bundle: self.ca_bundle.clone().or_else(|| file.ca_bundle.clone()),
            limits: file.limits.clone(),
        })
    }
}
