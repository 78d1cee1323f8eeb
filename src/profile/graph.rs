//! What a profile means: the hops from the first credentials to the last, found without
//! network.
//!
//! ```text
//! name ─► role_arn? ─yes─► source_profile ─► … ─┐     credential_source ─► environment,
//!           │                                   ▼              │           container, imds
//!           └─no─► web identity, SSO, keys in the credentials file, aws login,
//!                  credential_process, keys in the config file, else container or imds
//! ```
//!
//! The order and the rules of loops are the AWS CLI's (botocore's `credentials.py`).

use std::{path::PathBuf, sync::Arc};

use crate::{
    profile::{
        env::Env,
        plan::{Mfa, Plan, PlanError, Role, Sso, Step, What},
        source::{Files, Section, environment},
    },
    secret::{Credentials, Secret},
};

/// The plan of a profile of the files.
pub(crate) fn plan(files: &Files, env: &Env, name: &str) -> Result<Plan, PlanError> {
    let Some(section) = files.profiles.get(name) else {
        return Err(PlanError::new(format!("there is no profile {name}")));
    };
    let planner = Planner { files, env };
    if takes_role(section) {
        return planner.role(name, section, &mut vec![name.to_owned()]);
    }
    match planner.base(name, section)? {
        Some(step) => Ok(Plan::of(vec![step])),
        None => planner.fallback(name, section),
    }
}

/// Whether a role is to be assumed from other credentials; web identity is no such hop.
pub(crate) fn takes_role(section: &Section) -> bool {
    section.get("role_arn").is_some() && section.get("web_identity_token_file").is_none()
}

fn has_keys(section: &Section) -> bool {
    ["aws_access_key_id", "aws_secret_access_key"]
        .iter()
        .any(|key| section.get(key).is_some())
}

struct Planner<'a> {
    files: &'a Files,
    env: &'a Env,
}

impl Planner<'_> {
    fn role(
        &self,
        name: &str,
        section: &Section,
        visited: &mut Vec<String>,
    ) -> Result<Plan, PlanError> {
        let mut plan = match (
            section.get("source_profile"),
            section.get("credential_source"),
        ) {
            (Some(_), Some(_)) => {
                return Err(PlanError::at(
                    section.at("credential_source"),
                    format!(
                        "profile {name} has both source_profile and credential_source; remove \
                         the one you do not mean"
                    ),
                ));
            }
            (None, None) => {
                return Err(PlanError::at(
                    section.at("role_arn"),
                    format!(
                        "profile {name} has a role_arn but does not say with which credentials \
                         to assume it; add source_profile = NAME, or credential_source = \
                         Environment, Ec2InstanceMetadata or EcsContainer"
                    ),
                ));
            }
            (None, Some(source)) => Plan::of(vec![self.credential_source(name, section, source)?]),
            (Some(source), None) => self.source_profile(name, section, source, visited)?,
        };
        if let Some(serial) = section.get("mfa_serial") {
            plan.mfa.get_or_insert(Mfa {
                serial: serial.to_owned(),
                at: section.at("mfa_serial"),
            });
        }
        let text = |key: &str| section.get(key).map(str::to_owned);
        plan.steps.push(Step {
            profile: Arc::from(name),
            at: section.at("role_arn"),
            what: What::AssumeRole(Role {
                arn: text("role_arn").unwrap_or_default(),
                session_name: text("role_session_name"),
                external_id: text("external_id"),
                // The AWS CLI leaves out what is no number.
                duration: section
                    .get("duration_seconds")
                    .and_then(|text| text.parse().ok()),
            }),
        });
        Ok(plan)
    }

    fn credential_source(
        &self,
        name: &str,
        section: &Section,
        source: &str,
    ) -> Result<Step, PlanError> {
        let at = section.at("credential_source");
        let step = match source {
            "Environment" if !environment::has_keys(self.env) => Err(PlanError::new(format!(
                "profile {name} takes its first credentials from the environment, but \
                 AWS_ACCESS_KEY_ID is not set"
            ))),
            "Environment" => environment::keys(self.env),
            "EcsContainer" => environment::container(self.env),
            "Ec2InstanceMetadata" => Ok(Step {
                profile: Arc::from(name),
                at: None,
                what: self.imds(section),
            }),
            other => Err(PlanError::new(format!(
                "credential_source = {other} is none that exists; write Environment, \
                 Ec2InstanceMetadata or EcsContainer"
            ))),
        };
        let step = step.map_err(|error| PlanError {
            at: at.clone(),
            ..error
        })?;
        Ok(Step {
            profile: Arc::from(name),
            at,
            ..step
        })
    }

    fn source_profile(
        &self,
        name: &str,
        section: &Section,
        source: &str,
        visited: &mut Vec<String>,
    ) -> Result<Plan, PlanError> {
        let at = || section.at("source_profile");
        let Some(next) = self.files.profiles.get(source) else {
            return Err(PlanError::at(
                at(),
                format!(
                    "profile {name} has source_profile = {source}, but there is no profile \
                     {source}; write the name of one that exists{}",
                    self.nearest(source)
                ),
            ));
        };
        if visited.iter().any(|seen| seen == source) {
            if source != name {
                return Err(PlanError::at(
                    at(),
                    format!(
                        "the source_profile of {name} leads in a circle: {} → {source}; let one \
                         of them name a profile with credentials of its own",
                        visited.join(" → ")
                    ),
                ));
            }
            // A profile may name itself to assume its role with its own static keys.
            if !has_keys(next) {
                return Err(PlanError::at(
                    at(),
                    format!(
                        "profile {name} is its own source_profile but has no aws_access_key_id; \
                         add the keys, or name the profile that has the credentials"
                    ),
                ));
            }
        }
        visited.push(source.to_owned());
        if !has_keys(next) && takes_role(next) {
            return self.role(source, next, visited);
        }
        match self.base(source, next)? {
            Some(step) => Ok(Plan::of(vec![step])),
            None => Err(PlanError::at(
                at(),
                format!(
                    "profile {name} has source_profile = {source}, but profile {source} has no \
                     credentials; add some there, or name another profile"
                ),
            )),
        }
    }

    /// The credentials that a profile itself names, in the AWS CLI's order.
    fn base(&self, name: &str, section: &Section) -> Result<Option<Step>, PlanError> {
        let text = |key: &str| section.get(key).map(str::to_owned);
        let step = |key: &str, what| {
            Some(Step {
                profile: Arc::from(name),
                at: section.at(key),
                what,
            })
        };
        if let Some(token_file) = section.get("web_identity_token_file") {
            let Some(role_arn) = text("role_arn") else {
                return Err(PlanError::at(
                    section.at("web_identity_token_file"),
                    format!("profile {name} has a web_identity_token_file; add role_arn = ARN"),
                ));
            };
            let what = What::WebIdentity {
                role_arn,
                token_file: PathBuf::from(token_file),
                session_name: text("role_session_name"),
            };
            return Ok(step("web_identity_token_file", what));
        }
        if let Some(sso) = self.sso(name, section)? {
            return Ok(step("sso_role_name", What::Sso(sso)));
        }
        if let Some(what) = keys(name, section, true)? {
            return Ok(step("aws_access_key_id", what));
        }
        if let Some(session) = text("login_session") {
            return Ok(step("login_session", What::Login { session }));
        }
        if let Some(command) = section.get("credential_process") {
            let what = What::Process {
                command: Arc::new(Secret::new(command)),
                account: text("aws_account_id"),
            };
            return Ok(step("credential_process", what));
        }
        if let Some(what) = keys(name, section, false)? {
            return Ok(step("aws_access_key_id", what));
        }
        match section.get("aws_secret_access_key") {
            Some(_) => Err(PlanError::at(
                section.at("aws_secret_access_key"),
                format!("profile {name} has a secret but no key id; add aws_access_key_id"),
            )),
            None => Ok(None),
        }
    }

    fn sso(&self, name: &str, section: &Section) -> Result<Option<Sso>, PlanError> {
        if section.get("sso_role_name").is_none() && section.get("sso_account_id").is_none() {
            return Ok(None);
        }
        let session = section.get("sso_session");
        let shared = match session {
            None => None,
            Some(session) => Some(self.files.sso_sessions.get(session).ok_or_else(|| {
                PlanError::at(
                    section.at("sso_session"),
                    format!(
                        "profile {name} has sso_session = {session}, but there is no \
                         [sso-session {session}]; add that section with sso_start_url and \
                         sso_region"
                    ),
                )
            })?),
        };
        let needed = |key: &str| {
            let own = section.get(key);
            match (own, shared.and_then(|shared| shared.get(key))) {
                (Some(own), Some(shared)) if own != shared => Err(PlanError::at(
                    section.at(key),
                    format!(
                        "{key} of profile {name} differs from the one of its sso-session; \
                         remove it here"
                    ),
                )),
                (own, shared) => own.or(shared).map(str::to_owned).ok_or_else(|| {
                    let at = shared.and(section.at("sso_session"));
                    PlanError::at(
                        at.or_else(|| section.at.clone()),
                        format!("profile {name} uses SSO but {key} is missing; add it"),
                    )
                }),
            }
        };
        Ok(Some(Sso {
            session: session.map(str::to_owned),
            start_url: needed("sso_start_url")?,
            region: needed("sso_region")?,
            account_id: needed("sso_account_id")?,
            role_name: needed("sso_role_name")?,
        }))
    }

    /// What the AWS CLI does with a profile that names no credentials.
    fn fallback(&self, name: &str, section: &Section) -> Result<Plan, PlanError> {
        let what = if environment::has_container(self.env) {
            environment::container(self.env)?.what
        } else if self.env.is_true("AWS_EC2_METADATA_DISABLED") {
            return Err(PlanError::at(
                section.at.clone(),
                format!(
                    "profile {name} names no credentials; `aws configure --profile {name}` adds keys"
                ),
            ));
        } else {
            self.imds(section)
        };
        Ok(Plan {
            fallback: true,
            ..Plan::of(vec![Step {
                profile: Arc::from(name),
                at: section.at.clone(),
                what,
            }])
        })
    }

    fn imds(&self, section: &Section) -> What {
        environment::imds(self.env, section.get("ec2_metadata_service_endpoint"))
    }

    /// ` (did you mean …?)`, where a name differs in little more than case or one letter.
    fn nearest(&self, wanted: &str) -> String {
        self.files
            .names
            .iter()
            .find(|name| nearly_same(name, wanted))
            .map(|name| format!(" (did you mean {name}?)"))
            .unwrap_or_default()
    }
}

/// The key pair that stands in one kind of file. Both halves come from the same one.
fn keys(name: &str, section: &Section, credentials: bool) -> Result<Option<What>, PlanError> {
    let (values, file) = match credentials {
        true => (&section.credentials, "credentials file"),
        false => (&section.config, "config file"),
    };
    let Some(id) = values.get("aws_access_key_id") else {
        return Ok(None);
    };
    let get = |key: &str| values.get(key).filter(|value| !value.text.is_empty());
    let Some(secret) = get("aws_secret_access_key") else {
        return Err(PlanError::at(
            Some(id.at.clone()),
            format!(
                "profile {name} has aws_access_key_id but no aws_secret_access_key in the same \
                 {file}; add it below"
            ),
        ));
    };
    let token = get("aws_security_token").or_else(|| get("aws_session_token"));
    Ok(Some(What::Keys {
        credentials: Arc::new(Credentials::new(
            id.text.as_str(),
            secret.text.as_bytes().to_vec(),
            token.map(|token| token.text.as_bytes().to_vec()),
        )),
        account: get("aws_account_id").map(|value| value.text.to_string()),
    }))
}

fn nearly_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let tail = |s: &str, skip: usize| s.chars().skip(common + skip).collect::<String>();
    [(0, 0), (1, 1), (1, 0), (0, 1)]
        .iter()
        .any(|(x, y)| tail(&a, *x) == tail(&b, *y))
}
