use aws_config::imds::{Client, credentials::ImdsCredentialsProvider};
use aws_credential_types::provider::ProvideCredentials;

use super::{Context, Got};
use crate::profile::error::{Failure, HopError, deepest};

/// Attempts of each call, the first included.
const ATTEMPTS: u32 = 2;

/// The instance's role, by IMDSv2.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
pub(super) async fn get(context: &Context<'_>, endpoint: &str) -> Result<Got, HopError> {
    let provider = context.provider();
    let client = Client::builder()
        .configure(&provider)
        .max_attempts(ATTEMPTS)
        .endpoint(endpoint)
        .map_err(|_| {
            HopError::broken(format!(
                "{endpoint} is no URL of a metadata service; write http://169.254.169.254"
            ))
        })?
        .build();
    let found = ImdsCredentialsProvider::builder()
        .configure(&provider)
        .imds_client(client)
        .build()
        .provide_credentials()
        .await
        .map_err(|error| {
            let why = deepest(&error);
            if why.contains("404") {
                return HopError::broken(
                    "the instance has no role; attach one: aws ec2 \
                     associate-iam-instance-profile",
                );
            }
            HopError::new(
                Failure::Unreachable,
                format!(
                    "the instance metadata at {endpoint} gave no credentials ({why}); off EC2 \
                     name a profile with credentials, in a container raise the hop limit: aws \
                     ec2 modify-instance-metadata-options --http-put-response-hop-limit 2"
                ),
            )
        })?;
    Ok(Got::sdk(&found))
}
