//! The ways to get first credentials, a file each.
//!
//! aws-config's own providers are used where they can be told everything they need; those
//! that would read endpoints, files or variables from the process's environment behind the
//! operator's back are done here over the same SDK clients.

mod container;
mod imds;
mod login;
mod process;
mod sso;
mod web_identity;

use std::time::SystemTime;

use aws_config::provider_config::ProviderConfig;
use aws_types::region::Region;

use super::{
    env::Env,
    error::HopError,
    plan::{Step, What},
    reach::Reach,
    wiring::Wiring,
};
use crate::secret::Credentials;

/// What a hop needs to know.
pub(crate) struct Context<'a> {
    /// The profile whose credentials are wanted in the end.
    pub(crate) profile: &'a str,
    pub(crate) env: &'a Env,
    pub(crate) reach: &'a Reach,
    pub(crate) wiring: &'a Wiring,
}

impl Context<'_> {
    fn now(&self) -> SystemTime {
        self.wiring.time.now()
    }

    /// Settings of a provider of aws-config.
    fn provider(&self) -> ProviderConfig {
        ProviderConfig::empty()
            .with_http_client(self.wiring.client())
            .with_time_source(self.wiring.time.clone())
            .with_sleep_impl(self.wiring.sleep.clone())
            .with_region(self.reach.region.clone().map(Region::new))
    }
}

/// What a hop gives.
pub(crate) struct Got {
    pub(crate) credentials: Credentials,
    /// Twelve digits, where the source told it.
    pub(crate) account: Option<String>,
}

impl Got {
    /// From the SDK's own type.
    pub(crate) fn sdk(credentials: &aws_credential_types::Credentials) -> Self {
        let mut own = Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key().as_bytes().to_vec(),
            credentials
                .session_token()
                .map(|token| token.as_bytes().to_vec()),
        );
        own.expires_at = credentials.expiry();
        Self {
            credentials: own,
            account: credentials
                .account_id()
                .map(|account| account.as_str().to_owned()),
        }
    }
}

/// Gets the first credentials of a chain. Static keys and roles are not for here.
pub(crate) async fn get(step: &Step, context: &Context<'_>) -> Result<Got, HopError> {
    match &step.what {
        What::WebIdentity {
            role_arn,
            token_file,
            session_name,
        } => web_identity::get(context, role_arn, token_file, session_name.as_deref()).await,
        What::Sso(sso) => sso::get(context, sso).await,
        What::Login { session } => login::get(context, session).await,
        What::Process { command, account } => {
            process::get(context, command, account.as_deref()).await
        }
        What::Container(container) => container::get(context, container).await,
        What::Imds { endpoint } => imds::get(context, endpoint).await,
        What::Keys { .. } | What::AssumeRole(_) => {
            Err(HopError::broken("this hop has no source of its own"))
        }
    }
}

/// The name of a role session that the configuration does not name.
pub(crate) fn session_name(now: SystemTime) -> String {
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    format!("sigscope-{seconds}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(nibble), 16));
        }
        out
    })
}
