//! Walks a plan: first credentials, then role after role.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use super::{
    cache,
    error::{Failure, HopError, ResolveError},
    leaf::{self, Context, Got},
    plan::{Plan, Role, Step, What, same_steps},
    profiles::Inner,
    source::At,
    table::Profile,
};
use crate::secret::Credentials;

/// Credentials at hand, and how they came to be.
pub struct Resolved {
    /// The profile.
    pub profile: Arc<str>,
    /// `static`, `assume-role`, `web-identity`, `sso`, `login`, `process`, `container`,
    /// `imds`.
    pub kind: &'static str,
    /// The credentials.
    pub credentials: Arc<Credentials>,
    /// When AWS stops accepting them; `None` for long-lived keys.
    pub expires_at: Option<SystemTime>,
    /// Twelve digits, where known.
    pub account: Option<String>,
    /// The profile's region.
    pub region: Option<String>,
    /// The hops, first credentials first.
    pub chain: Vec<Hop>,
    /// When they were got.
    pub fetched_at: SystemTime,
    /// From when on they are refreshed.
    pub(crate) refresh_at: SystemTime,
}

/// One hop on the way to the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// `static keys`, `sso`, `assume-role`, ….
    pub step: &'static str,
    /// The role, the program, the address; never a secret.
    pub detail: String,
    /// The profile that says so.
    pub profile: Arc<str>,
    /// Where it says so.
    pub at: Option<At>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Whether it was still at hand from before.
    pub cached: bool,
}

impl Hop {
    pub(crate) fn planned(step: &Step) -> Self {
        Self {
            step: step.what.step(),
            detail: step.what.detail(),
            profile: Arc::clone(&step.profile),
            at: step.at.clone(),
            ms: 0,
            cached: false,
        }
    }
}

/// Shows a hop of a chain such as `static keys (base, config:3) → assume-role arn:… (x, config:7)`.
impl std::fmt::Display for Hop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.step)?;
        if !self.detail.is_empty() {
            write!(f, " {}", self.detail)?;
        }
        match &self.at {
            Some(at) => write!(f, " ({}, {at})", self.profile),
            None => write!(f, " ({})", self.profile),
        }
    }
}

/// Credentials on the way, with the hops so far.
struct Way {
    credentials: Arc<Credentials>,
    account: Option<String>,
    chain: Vec<Hop>,
}

/// Gets the credentials of a profile, asking every source on the way. Boxed, since a role's
/// source is itself a profile.
pub(crate) fn run(
    inner: &Arc<Inner>,
    profile: Arc<Profile>,
) -> Pin<Box<dyn Future<Output = Result<Resolved, ResolveError>> + Send + '_>> {
    Box::pin(async move {
        let plan = match &profile.plan {
            Ok(plan) => plan,
            Err(error) => return Err(failed(&profile, Failure::Broken, error)),
        };
        if let Some(error) = needs_mfa(&profile, plan) {
            return Err(error);
        }
        let (mut way, rest) = begin(inner, &profile, plan).await?;
        for step in rest {
            way = hop(inner, &profile, step, way).await.map_err(|error| {
                let message = explain(plan, step, &error);
                failed(&profile, error.failure, message)
            })?;
        }
        way.ok_or_else(|| failed(&profile, Failure::Broken, "it has no credentials"))
            .map(|way| finish(&profile, way, inner.now()))
    })
}

pub(crate) fn failed(
    profile: &Profile,
    failure: Failure,
    why: impl std::fmt::Display,
) -> ResolveError {
    ResolveError {
        profile: Arc::clone(&profile.name),
        failure,
        message: format!("profile {}: {why}", profile.name),
    }
}

fn needs_mfa(profile: &Profile, plan: &Plan) -> Option<ResolveError> {
    let mfa = plan.mfa.as_ref()?;
    let at = mfa.at.as_ref().map(|at| format!(" ({at})"));
    Some(failed(
        profile,
        Failure::NeedsMfa,
        format!(
            "its role asks for a code of {}{}; get a session with `aws sts get-session-token \
             --serial-number {} --token-code CODE` and name a profile with those keys",
            mfa.serial,
            at.unwrap_or_default(),
            mfa.serial
        ),
    ))
}

fn explain(plan: &Plan, step: &Step, error: &HopError) -> String {
    let at = step.at.as_ref().map(|at| format!(", {at}"));
    let what = match plan.fallback {
        true => "it names no credentials, and".to_owned(),
        false => format!(
            "{} of {}{}:",
            step.what.step(),
            step.profile,
            at.unwrap_or_default()
        ),
    };
    format!("{what} {}", error.message)
}

/// The hops that another profile has already walked, from its cache; and those that are left.
async fn begin<'a>(
    inner: &Arc<Inner>,
    profile: &Profile,
    plan: &'a Plan,
) -> Result<(Option<Way>, &'a [Step]), ResolveError> {
    let all = &plan.steps[..];
    let Some((last, before @ [.., source])) = all.split_last() else {
        return Ok((None, all));
    };
    let Some(source) = inner.shared_source(profile, &source.profile, |plan| {
        same_steps(&plan.steps, before)
    }) else {
        return Ok((None, all));
    };
    let cached = inner.is_fresh(&source);
    let resolved = inner.resolve(&source).await.map_err(|error| ResolveError {
        profile: Arc::clone(&profile.name),
        failure: error.failure,
        message: format!("profile {}: its source {}", profile.name, error.message),
    })?;
    let chain = resolved.chain.iter().map(|hop| Hop {
        cached: hop.cached || cached,
        ms: if cached { 0 } else { hop.ms },
        ..hop.clone()
    });
    let way = Way {
        credentials: Arc::clone(&resolved.credentials),
        account: resolved.account.clone(),
        chain: chain.collect(),
    };
    Ok((Some(way), std::slice::from_ref(last)))
}

async fn hop(
    inner: &Arc<Inner>,
    profile: &Profile,
    step: &Step,
    way: Option<Way>,
) -> Result<Option<Way>, HopError> {
    let context = Context {
        profile: &profile.name,
        env: inner.env(),
        reach: &profile.reach,
        wiring: inner.wiring(),
    };
    let begun = inner.now();
    let (credentials, account) = match (&step.what, &way) {
        (
            What::Keys {
                credentials,
                account,
            },
            _,
        ) => (Arc::clone(credentials), account.clone()),
        (What::AssumeRole(role), Some(way)) => {
            fetched(assume(&context, role, &way.credentials).await?)
        }
        (What::AssumeRole(_), None) => {
            return Err(HopError::broken("there is nobody to assume the role"));
        }
        _ => fetched(leaf::get(step, &context).await?),
    };
    if let Some(end) = credentials.expires_at
        && end <= inner.now()
    {
        return Err(HopError::new(
            Failure::Expired,
            "the credentials have already expired; get new ones",
        ));
    }
    inner.learn(&step.profile, &credentials);
    let mut chain = way.map(|way| way.chain).unwrap_or_default();
    let took = inner.now().duration_since(begun).unwrap_or_default();
    chain.push(Hop {
        ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        ..Hop::planned(step)
    });
    Ok(Some(Way {
        credentials,
        account: account.or_else(|| step.what.account()),
        chain,
    }))
}

fn fetched(got: Got) -> (Arc<Credentials>, Option<String>) {
    (Arc::new(got.credentials), got.account)
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
async fn assume(context: &Context<'_>, role: &Role, by: &Credentials) -> Result<Got, HopError> {
    let caller = aws_credential_types::Credentials::new(
        by.access_key_id.as_str(),
        by.secret_access_key.expose_str(),
        by.session_token
            .as_ref()
            .map(|token| token.expose_str().to_owned()),
        None,
        "sigscope",
    );
    let reach = context.reach;
    let name = role
        .session_name
        .clone()
        .unwrap_or_else(|| leaf::session_name(context.wiring.time.now()));
    let mut builder = AssumeRoleProvider::builder(role.arn.as_str())
        .session_name(name)
        .configure(&context.wiring.sdk(reach, "sts", reach.sts_region()));
    if let Some(id) = &role.external_id {
        builder = builder.external_id(id.as_str());
    }
    if let Some(seconds) = role.duration {
        builder = builder.session_length(Duration::from_secs(u64::from(seconds)));
    }
    let found = builder
        .build_from_provider(caller)
        .await
        .provide_credentials()
        .await
        .map_err(|error| {
            let mut error = HopError::chain::<AssumeRoleError>("sts:AssumeRole", &error);
            if error.failure == Failure::Denied {
                error.message += &format!(
                    "; the trust policy of {} or the caller's own policy does not allow it",
                    role.arn
                );
            }
            error
        })?;
    Ok(Got::sdk(&found))
}

fn finish(profile: &Profile, way: Way, now: SystemTime) -> Resolved {
    let expires_at = way.credentials.expires_at;
    Resolved {
        profile: Arc::clone(&profile.name),
        kind: match &profile.plan {
            Ok(plan) => plan.steps.last().map_or("none", |step| step.what.kind()),
            Err(_) => "broken",
        },
        credentials: way.credentials,
        expires_at,
        account: way.account,
        region: profile.reach.region.clone(),
        chain: way.chain,
        fetched_at: now,
        refresh_at: expires_at.map_or(now, |end| cache::refresh_at(now, end)),
    }
}
