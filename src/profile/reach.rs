//! In which region and over which endpoints a profile's calls go.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>: a service's
//! variable, the global variable, the profile's `services` section, its `endpoint_url`.

use std::collections::BTreeMap;

use super::{
    env::Env,
    source::{Files, Section},
};

/// Regions whose STS calls `sts_regional_endpoints = legacy` sends to the global endpoint.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html>
const LEGACY_GLOBAL: [&str; 16] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "aws-global",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Where a profile's calls go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The region that counts: `AWS_REGION`, `AWS_DEFAULT_REGION`, else the profile's.
    pub region: Option<String>,
    /// The endpoint for services that have none of their own.
    pub endpoint_url: Option<String>,
    /// Endpoints of single services, by service id in lower case with `_` for blanks
    /// (`sts`, `secrets_manager`).
    pub services: BTreeMap<String, String>,
    /// A file of CA certificates (PEM) instead of the platform's.
    pub ca_bundle: Option<String>,
    /// Whether FIPS endpoints are wanted.
    pub use_fips: bool,
    /// Whether dual-stack endpoints are wanted.
    pub use_dualstack: bool,
    /// Whether STS is asked at its global endpoint.
    pub(crate) sts_legacy: bool,
}

impl Reach {
    /// The endpoint URL that is configured for a service, by its id as in `services`.
    pub fn endpoint(&self, service: &str) -> Option<&str> {
        self.services
            .get(service)
            .or(self.endpoint_url.as_ref())
            .map(String::as_str)
    }

    /// The region whose STS is asked. `aws-global` is the global endpoint.
    pub(crate) fn sts_region(&self) -> &str {
        match self.region.as_deref() {
            None => "aws-global",
            Some(region) if self.sts_legacy && LEGACY_GLOBAL.contains(&region) => "aws-global",
            Some(region) => region,
        }
    }

    /// Whether two profiles' credential calls go the same ways.
    pub(crate) fn same_way(&self, other: &Self, sts: bool) -> bool {
        let ends = |reach: &Self| (reach.use_fips, reach.use_dualstack);
        self.endpoint_url == other.endpoint_url
            && self.services == other.services
            && ends(self) == ends(other)
            && (!sts || self.sts_region() == other.sts_region())
    }
}

/// Reads it for one profile (`None`: one that the environment makes). What is set but not
/// used is told in `notes`.
pub(crate) fn read(
    files: &Files,
    env: &Env,
    section: Option<&Section>,
    is_ours: &dyn Fn(&str) -> bool,
    notes: &mut Vec<String>,
) -> Reach {
    let own = |key: &str| section.and_then(|section| section.get(key));
    let flag = |variable: &str, key: &str| match env.get(variable) {
        Some(value) => value.eq_ignore_ascii_case("true"),
        None => section.is_some_and(|section| section.is_true(key)),
    };
    let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| Some((name, env.get(name)?)));
    if let (Some((name, region)), Some(section)) = (variable, section)
        && let Some(hidden) = section.value("region")
        && hidden.text.as_str() != region
    {
        notes.push(format!(
            "region at {} is hidden by {name}={region} in the environment",
            hidden.at
        ));
    }
    let (endpoint_url, services) = match flag(
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "ignore_configured_endpoint_urls",
    ) {
        true => (None, BTreeMap::new()),
        false => endpoints(files, env, section, is_ours, notes),
    };
    Reach {
        region: variable
            .map(|(_, region)| region)
            .or(own("region"))
            .filter(|region| !region.is_empty())
            .map(str::to_owned),
        endpoint_url,
        services,
        ca_bundle: env
            .get("AWS_CA_BUNDLE")
            .or(own("ca_bundle"))
            .map(str::to_owned),
        use_fips: flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        use_dualstack: flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        sts_legacy: env
            .get("AWS_STS_REGIONAL_ENDPOINTS")
            .or(own("sts_regional_endpoints"))
            .is_some_and(|value| value.eq_ignore_ascii_case("legacy")),
    }
}

fn endpoints(
    files: &Files,
    env: &Env,
    section: Option<&Section>,
    is_ours: &dyn Fn(&str) -> bool,
    notes: &mut Vec<String>,
) -> (Option<String>, BTreeMap<String, String>) {
    // Credentials must never be asked of ourselves, nor may a request come back to us.
    let mut usable = |url: &str, from: String| {
        let ours = is_ours(url);
        if ours {
            notes.push(format!("{from} = {url} is this proxy itself: not used"));
        }
        (!ours).then(|| url.to_owned())
    };
    let mut services = BTreeMap::new();
    let block = section
        .and_then(|section| section.get("services"))
        .and_then(|name| files.services.get(name));
    let global_variable = env
        .get("AWS_ENDPOINT_URL")
        .and_then(|url| usable(url, "AWS_ENDPOINT_URL".to_owned()));
    // The global variable stands before a service's own setting in the file.
    if let Some(block) = block.filter(|_| global_variable.is_none()) {
        for (service, value) in &block.config {
            if let Some((url, at)) = value.nested.get("endpoint_url")
                && let Some(url) = usable(url, format!("endpoint_url of {service} at {at}"))
            {
                services.insert(service.clone(), url);
            }
        }
    }
    for (name, url) in env.endpoint_variables() {
        if let Some(url) = usable(url, format!("AWS_ENDPOINT_URL_{name}")) {
            services.insert(name.to_ascii_lowercase(), url);
        }
    }
    let endpoint_url = global_variable.or_else(|| {
        let value = section?.value("endpoint_url")?;
        usable(&value.text, format!("endpoint_url at {}", value.at))
    });
    (endpoint_url, services)
}
