//! The hops that lead to a profile's credentials.

use std::{path::PathBuf, sync::Arc};

use crate::{
    profile::{
        account::{account_of_arn, account_of_key_id},
        source::At,
    },
    secret::{Credentials, Secret},
};

/// The hops of one profile, first credentials first; at least one.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The device that a role on the way asks for.
    pub(crate) mfa: Option<Mfa>,
    /// The profile names no credentials: the container's or the instance's are tried.
    pub(crate) fallback: bool,
}

#[derive(Clone)]
pub(crate) struct Mfa {
    pub(crate) serial: String,
    pub(crate) at: Option<At>,
}

/// One hop.
#[derive(Clone)]
pub(crate) struct Step {
    /// The profile that says so.
    pub(crate) profile: Arc<str>,
    /// Where.
    pub(crate) at: Option<At>,
    pub(crate) what: What,
}

/// How a hop gets its credentials.
#[derive(Clone)]
pub(crate) enum What {
    Keys {
        credentials: Arc<Credentials>,
        account: Option<String>,
    },
    WebIdentity {
        role_arn: String,
        token_file: PathBuf,
        session_name: Option<String>,
    },
    Sso(Sso),
    Login {
        session: String,
    },
    Process {
        command: Arc<Secret>,
        account: Option<String>,
    },
    Container(Container),
    Imds {
        endpoint: String,
    },
    AssumeRole(Role),
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sso {
    pub(crate) session: Option<String>,
    pub(crate) start_url: String,
    pub(crate) region: String,
    pub(crate) account_id: String,
    pub(crate) role_name: String,
}

#[derive(Clone)]
pub(crate) struct Container {
    pub(crate) url: String,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) token: Option<Arc<Secret>>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: Option<String>,
    pub(crate) external_id: Option<String>,
    /// Seconds.
    pub(crate) duration: Option<u32>,
}

impl What {
    /// The step's name in a chain.
    pub(crate) fn step(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "static keys",
            Self::WebIdentity { .. } => "web-identity",
            Self::Sso(_) => "sso",
            Self::Login { .. } => "login",
            Self::Process { .. } => "process",
            Self::Container(_) => "container",
            Self::Imds { .. } => "imds",
            Self::AssumeRole(_) => "assume-role",
        }
    }

    /// The kind of a profile that ends in this hop.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "static",
            other => other.step(),
        }
    }

    /// What can be said of it without telling a secret.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Keys { .. } => String::new(),
            Self::WebIdentity { role_arn, .. } => role_arn.clone(),
            Self::Sso(sso) => format!("{} in {}", sso.role_name, sso.account_id),
            Self::Login { session } => session.clone(),
            // Arguments may be secrets, the program is not.
            Self::Process { command, .. } => program(command).to_owned(),
            Self::Container(container) => container.url.clone(),
            Self::Imds { endpoint } => endpoint.clone(),
            Self::AssumeRole(role) => role.arn.clone(),
        }
    }

    /// The account, where the configuration tells it.
    pub(crate) fn account(&self) -> Option<String> {
        match self {
            Self::Keys {
                credentials,
                account,
            } => account
                .clone()
                .or_else(|| account_of_key_id(&credentials.access_key_id)),
            Self::WebIdentity { role_arn: arn, .. } | Self::Login { session: arn } => {
                account_of_arn(arn)
            }
            Self::Sso(sso) => Some(sso.account_id.clone()),
            Self::Process { account, .. } => account.clone(),
            Self::AssumeRole(role) => account_of_arn(&role.arn),
            Self::Container(_) | Self::Imds { .. } => None,
        }
    }

    /// Whether STS is asked.
    pub(crate) fn asks_sts(&self) -> bool {
        matches!(self, Self::WebIdentity { .. } | Self::AssumeRole(_))
    }

    /// Whether it gives the same credentials as another one.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let same_secret = |a: &Option<Arc<Secret>>, b: &Option<Arc<Secret>>| {
            a.as_ref().map(|s| s.expose()) == b.as_ref().map(|s| s.expose())
        };
        match (self, other) {
            (Self::Keys { credentials: a, .. }, Self::Keys { credentials: b, .. }) => {
                a.access_key_id == b.access_key_id
                    && a.secret_access_key.expose() == b.secret_access_key.expose()
                    && a.session_token.as_ref().map(Secret::expose)
                        == b.session_token.as_ref().map(Secret::expose)
            }
            (
                Self::WebIdentity {
                    role_arn: a,
                    token_file: b,
                    session_name: c,
                },
                Self::WebIdentity {
                    role_arn: x,
                    token_file: y,
                    session_name: z,
                },
            ) => (a, b, c) == (x, y, z),
            (Self::Sso(a), Self::Sso(b)) => a == b,
            (Self::Login { session: a }, Self::Login { session: b }) => a == b,
            (Self::Process { command: a, .. }, Self::Process { command: b, .. }) => {
                a.expose() == b.expose()
            }
            (Self::Container(a), Self::Container(b)) => {
                (&a.url, &a.token_file) == (&b.url, &b.token_file)
                    && same_secret(&a.token, &b.token)
            }
            (Self::Imds { endpoint: a }, Self::Imds { endpoint: b }) => a == b,
            (Self::AssumeRole(a), Self::AssumeRole(b)) => a == b,
            _ => false,
        }
    }
}

/// The program that a `credential_process` starts.
pub(crate) fn program(command: &Secret) -> &str {
    let text = command.expose_str().trim_start();
    match text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((quoted, _)) => quoted,
        None => text.split_whitespace().next().unwrap_or_default(),
    }
}

impl Plan {
    pub(crate) fn of(steps: Vec<Step>) -> Self {
        Self {
            steps,
            mfa: None,
            fallback: false,
        }
    }

    /// `static`, `assume-role`, `sso`, …; `none` where the profile names no credentials.
    pub(crate) fn kind(&self) -> &'static str {
        match self.steps.last() {
            Some(step) if !self.fallback => step.what.kind(),
            _ => "none",
        }
    }

    /// Whether it gives the same credentials as another one.
    pub(crate) fn same(&self, other: &Self) -> bool {
        same_steps(&self.steps, &other.steps) && self.mfa.is_some() == other.mfa.is_some()
    }
}

/// Whether two runs of hops give the same credentials.
pub(crate) fn same_steps(a: &[Step], b: &[Step]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.what.same(&b.what))
}

/// Why a profile cannot work, known before anything is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanError {
    pub(crate) message: String,
    pub(crate) at: Option<At>,
}

impl PlanError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: None,
        }
    }

    pub(crate) fn at(at: Option<At>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at,
        }
    }
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{} ({at})", self.message),
            None => f.write_str(&self.message),
        }
    }
}
