//! IAM Identity Center: the cached token of `aws sso login`, refreshed where it can be,
//! exchanged for a role's credentials.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use jiff::Timestamp;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Context, Got};
use crate::{
    profile::{
        error::{Failure, HopError},
        plan::Sso,
    },
    secret::Credentials,
};

/// How long before its end a token is refreshed.
const EARLY: Duration = Duration::from_secs(5 * 60);

pub(super) async fn get(context: &Context<'_>, sso: &Sso) -> Result<Got, HopError> {
    let token = token(context, sso).await?;
    let config = context.wiring.sdk(context.reach, "sso", &sso.region);
    let reply = aws_sdk_sso::Client::new(&config)
        .get_role_credentials()
        .access_token(token.as_str())
        .account_id(&sso.account_id)
        .role_name(&sso.role_name)
        .send()
        .await
        .map_err(|error| {
            let over = error
                .as_service_error()
                .is_some_and(GetRoleCredentialsError::is_unauthorized_exception);
            match over {
                true => needs_login(context, "the SSO session has ended"),
                false => explain(HopError::sdk("sso:GetRoleCredentials", &error), sso),
            }
        })?;
    let found = reply.role_credentials();
    let parts = found.and_then(|found| {
        let id = found.access_key_id()?;
        Some((found, id, found.secret_access_key()?))
    });
    let Some((found, id, secret)) = parts else {
        return Err(HopError::broken("sso:GetRoleCredentials answered nothing"));
    };
    let mut credentials = Credentials::new(
        id,
        secret.as_bytes().to_vec(),
        found.session_token().map(|token| token.as_bytes().to_vec()),
    );
    // Milliseconds since 1970.
    credentials.expires_at = u64::try_from(found.expiration())
        .ok()
        .filter(|end| *end > 0)
        .map(|end| SystemTime::UNIX_EPOCH + Duration::from_millis(end));
    Ok(Got {
        credentials,
        account: Some(sso.account_id.clone()),
    })
}

fn explain(mut error: HopError, sso: &Sso) -> HopError {
    if error.failure == Failure::Denied {
        error.message += &format!(
            "; is {} still assigned to you in {}? `aws sso list-account-roles` lists them",
            sso.role_name, sso.account_id
        );
    }
    error
}

fn needs_login(context: &Context<'_>, why: &str) -> HopError {
    HopError::new(
        Failure::NeedsLogin,
        format!("{why}; run aws sso login --profile {}", context.profile),
    )
}

/// A token that is still good.
async fn token(context: &Context<'_>, sso: &Sso) -> Result<Zeroizing<String>, HopError> {
    let file = cache_file(context, sso)
        .ok_or_else(|| HopError::broken("the home directory is not known: set HOME"))?;
    let Ok(text) = tokio::fs::read(&file).await.map(Zeroizing::new) else {
        return Err(needs_login(context, "you are not logged in to SSO"));
    };
    let Some(cached) = Cached::read(&text) else {
        let why = format!("the cached SSO token {} is not readable", file.display());
        return Err(needs_login(context, &why));
    };
    let now = context.now();
    let refreshed = match cached.end <= now + EARLY && sso.session.is_some() {
        true => refresh(context, sso, &cached, &file).await,
        false => None,
    };
    match refreshed {
        Some(token) => Ok(token),
        None if cached.end > now => Ok(cached.token),
        None => Err(needs_login(context, "the SSO session has ended")),
    }
}

fn cache_file(context: &Context<'_>, sso: &Sso) -> Option<PathBuf> {
    let key = sso.session.as_ref().unwrap_or(&sso.start_url);
    let name = super::hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes()).as_ref());
    Some(
        PathBuf::from(context.env.home()?)
            .join(".aws/sso/cache")
            .join(name + ".json"),
    )
}

struct Cached {
    /// The whole file, so that what is not known here is kept when it is written back.
    all: Map<String, Value>,
    token: Zeroizing<String>,
    end: SystemTime,
}

impl Cached {
    fn read(text: &[u8]) -> Option<Self> {
        let all: Map<String, Value> = serde_json::from_slice(text).ok()?;
        Some(Self {
            token: Zeroizing::new(all.get("accessToken")?.as_str()?.to_owned()),
            end: time(all.get("expiresAt")?.as_str()?)?,
            all,
        })
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.all.get(key)?.as_str()
    }
}

/// RFC 3339; older tools write `UTC` for `Z`.
fn time(text: &str) -> Option<SystemTime> {
    let text = text.replace("UTC", "Z");
    Some(text.parse::<Timestamp>().ok()?.into())
}

/// A new token for the refresh token, kept in the cache as the AWS CLI keeps it; `None`
/// where there is none to be had.
async fn refresh(
    context: &Context<'_>,
    sso: &Sso,
    cached: &Cached,
    file: &Path,
) -> Option<Zeroizing<String>> {
    let registered = time(cached.get("registrationExpiresAt")?)?;
    if registered <= context.now() {
        return None;
    }
    let config = context.wiring.sdk(context.reach, "sso_oidc", &sso.region);
    let reply = aws_sdk_ssooidc::Client::new(&config)
        .create_token()
        .grant_type("refresh_token")
        .client_id(cached.get("clientId")?)
        .client_secret(cached.get("clientSecret")?)
        .refresh_token(cached.get("refreshToken")?)
        .send()
        .await
        .ok()?;
    let token = Zeroizing::new(reply.access_token()?.to_owned());
    let life = Duration::from_secs(u64::try_from(reply.expires_in()).ok()?);
    let end = Timestamp::try_from(context.now() + life).ok()?;
    let mut all = cached.all.clone();
    let mut set = |key: &str, value: &str| all.insert(key.to_owned(), Value::from(value));
    set("accessToken", &token);
    set("expiresAt", &format!("{end:.0}"));
    if let Some(next) = reply.refresh_token() {
        set("refreshToken", next);
    }
    // A token that cannot be kept is still good now.
    let _ = save(file, &Value::Object(all));
    Some(token)
}

fn save(file: &Path, value: &Value) -> std::io::Result<()> {
    let text = Zeroizing::new(serde_json::to_vec(value)?);
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let written = crate::profile::files::create_private(&beside)
        .and_then(|mut open| open.write_all(&text))
        .and_then(|()| std::fs::rename(&beside, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
