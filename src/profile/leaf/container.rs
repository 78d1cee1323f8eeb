use std::time::SystemTime;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::{
    orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
    result::SdkError,
};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig, timeout::TimeoutConfig};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Context, Got};
use crate::{
    profile::{
        error::{Failure, HopError, deepest, quoted},
        plan::Container,
    },
    secret::Credentials,
};

/// Asks the container's agent (ECS, EKS Pod Identity) for credentials.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
pub(super) async fn get(context: &Context<'_>, container: &Container) -> Result<Got, HopError> {
    let authorization = authorization(container).await?;
    let url = container.url.clone();
    let operation = Operation::builder()
        .service_name("container")
        .operation_name("credentials")
        .endpoint_url(&endpoint(&url)?)
        .no_auth()
        .http_client(context.wiring.client())
        .time_source(context.wiring.time.clone())
        .sleep_impl(context.wiring.sleep.clone())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(context.wiring.limit)
                .build(),
        )
        .standard_retry(&RetryConfig::standard().with_max_attempts(3))
        .serializer(move |authorization: Option<Zeroizing<String>>| {
            let path = url.parse::<http::Uri>()?;
            let path = path.path_and_query().map_or("/", |path| path.as_str());
            let mut request = http::Request::get(path).header("accept", "application/json");
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization.as_str());
            }
            Ok(HttpRequest::try_from(request.body(SdkBody::empty())?)?)
        })
        .deserializer::<Answer, Refused>(read)
        .build();
    let answer = operation
        .invoke(authorization)
        .await
        .map_err(|error| refused(&container.url, &error))?;
    answer.got(context.now())
}

/// Scheme and authority of the URL.
fn endpoint(url: &str) -> Result<String, HopError> {
    let broken = || HopError::broken(format!("{url} is no URL of a container agent"));
    let uri = url.parse::<http::Uri>().map_err(|_| broken())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => Ok(format!("{scheme}://{authority}")),
        _ => Err(broken()),
    }
}

async fn authorization(container: &Container) -> Result<Option<Zeroizing<String>>, HopError> {
    let token = match (&container.token_file, &container.token) {
        (Some(file), _) => {
            Zeroizing::new(tokio::fs::read_to_string(file).await.map_err(|error| {
                HopError::broken(format!(
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE {} cannot be read: {error}",
                    file.display()
                ))
            })?)
        }
        (None, Some(token)) => Zeroizing::new(token.expose_str().to_owned()),
        (None, None) => return Ok(None),
    };
    match token.contains(['\r', '\n']) {
        true => Err(HopError::broken(
            "the container's authorization token holds a line end; write it without one",
        )),
        false => Ok(Some(token)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("HTTP {status}: {said}")]
struct Refused {
    status: u16,
    said: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    // Moved, not copied, into the zeroized secrets.
    secret_access_key: String,
    token: String,
    expiration: Option<String>,
    account_id: Option<String>,
}

// Smithy wants a Debug; this one shows nothing.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

fn read(response: &HttpResponse) -> Result<Answer, OrchestratorError<Refused>> {
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    let refused = |said: String| OrchestratorError::operation(Refused { status, said });
    if !response.status().is_success() {
        return Err(refused(quoted(&String::from_utf8_lossy(body))));
    }
    serde_json::from_slice(body).map_err(|_| refused("the answer holds no credentials".to_owned()))
}

fn refused(url: &str, error: &SdkError<Refused, HttpResponse>) -> HopError {
    let asked = format!("GET {url}");
    match error {
        SdkError::ServiceError(context) => {
            let refused = context.err();
            let failure = match refused.status {
                200..=299 => Failure::Broken,
                500.. => Failure::Unreachable,
                _ => Failure::Denied,
            };
            HopError::new(failure, format!("{asked} was answered with {refused}"))
        }
        SdkError::TimeoutError(_) => HopError::new(
            Failure::Timeout,
            format!("{asked} was not answered in time"),
        ),
        other => HopError::new(
            Failure::Unreachable,
            format!("{asked} failed: {}; is this the container?", deepest(other)),
        ),
    }
}

impl Answer {
    fn got(self, now: SystemTime) -> Result<Got, HopError> {
        let end = self
            .expiration
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .map(SystemTime::from);
        if end.is_some_and(|end| end <= now) {
            return Err(HopError::new(
                Failure::Expired,
                "the container agent gave credentials that have already expired",
            ));
        }
        let mut credentials = Credentials::new(
            self.access_key_id,
            self.secret_access_key,
            Some(self.token.into_bytes()),
        );
        credentials.expires_at = end;
        Ok(Got {
            credentials,
            account: self.account_id,
        })
    }
}
