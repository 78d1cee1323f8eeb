//! All profiles as the files and the environment have them at one moment.

use std::{collections::HashMap, sync::Arc};

use super::{
    env::Env,
    graph::{self, takes_role},
    plan::{Plan, PlanError, What},
    reach::{self, Reach},
    resolve::Hop,
    source::{At, FileError, Files, Sources, aws_files, environment},
};
use crate::secret::Credentials;

/// Where a profile is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `config`, `credentials` or `environment`.
    pub source: &'static str,
    /// File and line of its first header.
    pub at: Option<At>,
}

/// One profile as it is configured. No secrets can be seen here.
pub struct Profile {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is written.
    pub origin: Origin,
    /// `static`, `assume-role`, `web-identity`, `sso`, `login`, `process`, `container`,
    /// `imds`; `none` where it names no credentials; `broken` where its settings contradict
    /// each other.
    pub kind: &'static str,
    /// In which region and over which endpoints its calls go.
    pub reach: Reach,
    /// The key id of static keys that are the profile's own credentials.
    pub access_key_id: Option<String>,
    /// The account, twelve digits, where the configuration tells it.
    pub account: Option<String>,
    /// What is hidden by something else, or set and not used.
    pub notes: Vec<String>,
    pub(crate) plan: Result<Plan, PlanError>,
}

impl Profile {
    /// Why it cannot work, with file and line and what to write instead.
    pub fn error(&self) -> Option<String> {
        self.plan.as_ref().err().map(PlanError::to_string)
    }

    /// The hops that lead to its credentials, as configured; empty where it is broken.
    pub fn hops(&self) -> Vec<Hop> {
        let steps = self.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
        steps.iter().map(Hop::planned).collect()
    }

    /// Its static keys, if they are what it signs with or the first hop of it.
    pub(crate) fn static_keys(&self) -> Option<&Arc<Credentials>> {
        match &self.plan.as_ref().ok()?.steps.first()?.what {
            What::Keys { credentials, .. } => Some(credentials),
            _ => None,
        }
    }

    /// Whether the static keys are its own credentials, not those of another hop.
    pub(crate) fn is_static(&self) -> bool {
        self.kind == "static"
    }
}

/// All profiles, in order.
pub(crate) struct Table {
    pub(crate) profiles: Vec<Arc<Profile>>,
    by_name: HashMap<Arc<str>, Arc<Profile>>,
    pub(crate) errors: Vec<FileError>,
    pub(crate) default: Option<Arc<str>>,
}

impl Table {
    /// Reads everything; no network.
    pub(crate) fn read(sources: &Sources, is_ours: &dyn Fn(&str) -> bool) -> Self {
        let files = aws_files::read(sources);
        let env = &sources.env;
        let mut profiles: Vec<_> = files
            .names
            .iter()
            .map(|name| Arc::new(of_files(&files, env, name, is_ours)))
            .collect();
        let from_env = of_environment(&files, env, is_ours);
        let keys = from_env.iter().position(|(kind, _)| *kind == "environment");
        let default = default_name(&files, env, &from_env);
        let mut rest: Vec<_> = from_env
            .into_iter()
            .map(|(_, profile)| Arc::new(profile))
            .collect();
        // Keys in the environment are listed first, as they win over `default`.
        if let Some(index) = keys {
            profiles.insert(0, rest.remove(index));
        }
        profiles.extend(rest);
        let by_name = profiles
            .iter()
            .map(|profile| (Arc::clone(&profile.name), Arc::clone(profile)))
            .collect();
        Self {
            profiles,
            by_name,
            errors: files.errors,
            default,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Profile>> {
        self.by_name.get(name)
    }
}

fn of_files(files: &Files, env: &Env, name: &str, is_ours: &dyn Fn(&str) -> bool) -> Profile {
    let section = &files.profiles[name];
    let mut notes = section.shadowed.clone();
    notes.extend(section.hidden_by_credentials());
    let reach = reach::read(files, env, Some(section), is_ours, &mut notes);
    let source = match section.config.is_empty() && !section.credentials.is_empty() {
        true => "credentials",
        false => "config",
    };
    let origin = Origin {
        source,
        at: section.at.clone(),
    };
    profile(name, origin, reach, notes, graph::plan(files, env, name))
}

/// What the environment makes, with the kind it was found as; a name that a file has taken
/// gets an `@` in front.
fn of_environment(
    files: &Files,
    env: &Env,
    is_ours: &dyn Fn(&str) -> bool,
) -> Vec<(&'static str, Profile)> {
    environment::profiles(env)
        .into_iter()
        .map(|(kind, step)| {
            let mut name = kind.to_owned();
            while files.profiles.contains_key(&name) {
                name.insert(0, '@');
            }
            let mut notes = Vec::new();
            let reach = reach::read(files, env, None, is_ours, &mut notes);
            let origin = Origin {
                source: "environment",
                at: None,
            };
            let plan = step.map(|step| Plan::of(vec![step]));
            (kind, profile(&name, origin, reach, notes, plan))
        })
        .collect()
}

fn profile(
    name: &str,
    origin: Origin,
    reach: Reach,
    notes: Vec<String>,
    plan: Result<Plan, PlanError>,
) -> Profile {
    let last = plan.as_ref().ok().and_then(|plan| plan.steps.last());
    let access_key_id = last.and_then(|step| match &step.what {
        What::Keys { credentials, .. } => Some(credentials.access_key_id.clone()),
        _ => None,
    });
    Profile {
        name: Arc::from(name),
        origin,
        kind: plan.as_ref().map_or("broken", Plan::kind),
        reach,
        access_key_id,
        account: last.and_then(|step| step.what.account()),
        notes,
        plan,
    }
}

/// The profile to use when none is named: `AWS_PROFILE`, else keys in the environment, else
/// the AWS CLI's order, which stops before the instance's metadata.
fn default_name(
    files: &Files,
    env: &Env,
    from_env: &[(&'static str, Profile)],
) -> Option<Arc<str>> {
    if let Some(named) = env.get("AWS_PROFILE").or(env.get("AWS_DEFAULT_PROFILE")) {
        return Some(Arc::from(named));
    }
    let environment = |kind: &str| {
        from_env
            .iter()
            .find(|(found, _)| *found == kind)
            .map(|(_, profile)| Arc::clone(&profile.name))
    };
    let default = files.profiles.get("default");
    let in_file = || default.map(|_| Arc::from("default"));
    environment("environment")
        .or_else(|| default.filter(|section| takes_role(section)).and(in_file()))
        .or_else(|| environment("web-identity"))
        .or_else(in_file)
        .or_else(|| environment("container"))
}
