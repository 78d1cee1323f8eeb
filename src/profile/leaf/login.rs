use std::path::PathBuf;

use aws_config::login::LoginCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_lc_rs::digest::{SHA256, digest};

use super::{Context, Got};
use crate::profile::error::{Failure, HopError, deepest};

/// The console session that `aws login` left behind; refreshed when it is about to end.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/access-login.html>
pub(super) async fn get(context: &Context<'_>, session: &str) -> Result<Got, HopError> {
    let login = |why: String| {
        HopError::new(
            Failure::NeedsLogin,
            format!("{why}; run aws login --profile {}", context.profile),
        )
    };
    let cached = cache_file(context, session)
        .ok_or_else(|| HopError::broken("the home directory is not known: set HOME"))?;
    if !cached.is_file() {
        return Err(login(format!(
            "there is no login session {}",
            cached.display()
        )));
    }
    let found = LoginCredentialsProvider::builder(session)
        .configure(&context.provider())
        .build()
        .provide_credentials()
        .await
        .map_err(|error| login(format!("the login session is over ({})", deepest(&error))))?;
    Ok(Got::sdk(&found))
}

fn cache_file(context: &Context<'_>, session: &str) -> Option<PathBuf> {
    let directory = match context.env.get("AWS_LOGIN_CACHE_DIRECTORY") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(context.env.home()?).join(".aws/login/cache"),
    };
    let name = super::hex(digest(&SHA256, session.trim().as_bytes()).as_ref());
    Some(directory.join(name + ".json"))
}
