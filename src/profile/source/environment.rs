//! Credentials that environment variables hold or point to.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use crate::{
    profile::{
        env::Env,
        plan::{Container, PlanError, Step, What},
    },
    secret::{Credentials, Secret},
};

/// Where ECS answers `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
const ECS: &str = "http://169.254.170.2";

/// The profiles that the environment makes, by the name under which they are listed.
pub(crate) fn profiles(env: &Env) -> Vec<(&'static str, Result<Step, PlanError>)> {
    let mut found = Vec::new();
    if has_keys(env) {
        found.push(("environment", keys(env)));
    }
    if env.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
        found.push(("web-identity", web_identity(env)));
    }
    if has_container(env) {
        found.push(("container", container(env)));
    }
    if !env.is_true("AWS_EC2_METADATA_DISABLED") {
        found.push(("imds", Ok(step("imds", imds(env, None)))));
    }
    found
}

/// Whether the environment holds a key pair, or half of one.
pub(crate) fn has_keys(env: &Env) -> bool {
    env.get("AWS_ACCESS_KEY_ID").is_some() || env.get("AWS_SECRET_ACCESS_KEY").is_some()
}

/// The key pair in the environment.
pub(crate) fn keys(env: &Env) -> Result<Step, PlanError> {
    let needed = |name: &str| {
        env.get(name).ok_or_else(|| {
            PlanError::new(format!(
                "{name} is not set in the environment, but the other half of the key pair is; \
                 set both or unset both"
            ))
        })
    };
    let token = env
        .get("AWS_SECURITY_TOKEN")
        .or_else(|| env.get("AWS_SESSION_TOKEN"));
    let mut credentials = Credentials::new(
        needed("AWS_ACCESS_KEY_ID")?,
        needed("AWS_SECRET_ACCESS_KEY")?,
        token.map(|token| token.as_bytes().to_vec()),
    );
    credentials.expires_at = env
        .get("AWS_CREDENTIAL_EXPIRATION")
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .map(Into::into);
    let what = What::Keys {
        credentials: Arc::new(credentials),
        account: env.get("AWS_ACCOUNT_ID").map(str::to_owned),
    };
    Ok(step("environment", what))
}

fn web_identity(env: &Env) -> Result<Step, PlanError> {
    let role_arn = env.get("AWS_ROLE_ARN").ok_or_else(|| {
        PlanError::new(
            "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not; set the role that the \
             token is for",
        )
    })?;
    let what = What::WebIdentity {
        role_arn: role_arn.to_owned(),
        token_file: PathBuf::from(env.get("AWS_WEB_IDENTITY_TOKEN_FILE").unwrap_or_default()),
        session_name: env.get("AWS_ROLE_SESSION_NAME").map(str::to_owned),
    };
    Ok(step("web-identity", what))
}

/// Whether the environment points to a container's credentials.
pub(crate) fn has_container(env: &Env) -> bool {
    env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_some()
        || env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some()
}

/// The container's credentials (ECS, EKS Pod Identity).
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
pub(crate) fn container(env: &Env) -> Result<Step, PlanError> {
    let url = match (
        env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(relative), _) => format!("{ECS}{relative}"),
        (None, Some(full)) if may_hold_credentials(full) => full.to_owned(),
        (None, Some(full)) => {
            return Err(PlanError::new(format!(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI={full} is neither https nor the address of \
                 a container agent (127.0.0.0/8, 169.254.170.2, 169.254.170.23, fd00:ec2::23)"
            )));
        }
        (None, None) => {
            return Err(PlanError::new(
                "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor \
                 AWS_CONTAINER_CREDENTIALS_FULL_URI is set: this is no ECS or EKS container",
            ));
        }
    };
    let what = What::Container(Container {
        url,
        token_file: env
            .get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
            .map(PathBuf::from),
        token: env
            .get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
            .map(|token| Arc::new(Secret::new(token))),
    });
    Ok(step("container", what))
}

fn may_hold_credentials(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    if uri.scheme_str() == Some("https") {
        return true;
    }
    let host = uri.host().unwrap_or_default();
    let agent = [
        "169.254.170.2",
        "169.254.170.23",
        "[fd00:ec2::23]",
        "localhost",
    ];
    let loopback = host
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    loopback || agent.contains(&host)
}

/// The instance's role, from the metadata service that the environment or the profile names.
pub(crate) fn imds(env: &Env, profile_endpoint: Option<&str>) -> What {
    let ipv6 = env
        .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    let endpoint = env
        .get("AWS_EC2_METADATA_SERVICE_ENDPOINT")
        .or(profile_endpoint)
        .unwrap_or(match ipv6 {
            true => "http://[fd00:ec2::254]",
            false => "http://169.254.169.254",
        });
    What::Imds {
        endpoint: endpoint.to_owned(),
    }
}

fn step(profile: &str, what: What) -> Step {
    Step {
        profile: Arc::from(profile),
        at: None,
        what,
    }
}
