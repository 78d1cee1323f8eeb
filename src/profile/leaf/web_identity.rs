use std::path::Path;

use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError as E;
use zeroize::Zeroizing;

use super::{Context, Got, session_name};
use crate::{
    profile::error::{Failure, HopError},
    secret::Credentials,
};

/// Exchanges the token in a file for a role (IRSA and other OIDC providers).
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
pub(super) async fn get(
    context: &Context<'_>,
    role_arn: &str,
    token_file: &Path,
    name: Option<&str>,
) -> Result<Got, HopError> {
    let token = tokio::fs::read_to_string(token_file)
        .await
        .map(Zeroizing::new)
        .map_err(|error| {
            HopError::broken(format!(
                "the web identity token {} cannot be read: {error}; is this the pod that the \
                 token is mounted into?",
                token_file.display()
            ))
        })?;
    let reach = context.reach;
    let config = context.wiring.sdk(reach, "sts", reach.sts_region());
    let name = name.map_or_else(|| session_name(context.now()), str::to_owned);
    let reply = aws_sdk_sts::Client::new(&config)
        .assume_role_with_web_identity()
        .role_arn(role_arn)
        .role_session_name(name)
        .web_identity_token(token.as_str())
        .send()
        .await
        .map_err(|error| {
            let expired = error
                .as_service_error()
                .is_some_and(E::is_expired_token_exception);
            let mut error = HopError::sdk("sts:AssumeRoleWithWebIdentity", &error);
            if expired {
                error.failure = Failure::Expired;
            }
            error
        })?;
    let found = reply
        .credentials()
        .ok_or_else(|| HopError::broken("sts:AssumeRoleWithWebIdentity answered nothing"))?;
    let mut credentials = Credentials::new(
        found.access_key_id(),
        found.secret_access_key().as_bytes().to_vec(),
        Some(found.session_token().as_bytes().to_vec()),
    );
    credentials.expires_at = (*found.expiration()).try_into().ok();
    Ok(Got {
        credentials,
        account: crate::profile::account::account_of_arn(role_arn),
    })
}
