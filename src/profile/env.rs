use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// The environment variables that matter here, taken once and passed in, so that nothing
/// below reads the process's own.
///
/// Only variables whose names begin with `AWS_`, and `HOME`/`USERPROFILE`, are kept. There is
/// no `Debug`: keys are in here.
#[derive(Default)]
pub struct Env(BTreeMap<String, Zeroizing<String>>);

impl Env {
    /// The process's environment. Only a command's start calls this.
    pub fn process() -> Self {
        // A variable that is not UTF-8 cannot be an AWS setting.
        Self::new(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// An environment made of these variables; a later one replaces an earlier one.
    pub fn new(
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), Zeroizing::new(value.into())))
                .filter(|(name, _)| {
                    name.starts_with("AWS_") || name == "HOME" || name == "USERPROFILE"
                })
                .collect(),
        )
    }

    /// Sets a variable, as an option of ours that the environment has a name for.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Zeroizing::new(value.into()));
    }

    /// The value of a variable; `None` when it is unset or empty, which the AWS CLI treats alike.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The home directory.
    pub fn home(&self) -> Option<&str> {
        self.get("HOME").or_else(|| self.get("USERPROFILE"))
    }

    /// Whether a variable says `true`, in any case.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `AWS_ENDPOINT_URL_SERVICE` variables: `SERVICE` and the URL.
    pub(crate) fn endpoint_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let service = name.strip_prefix("AWS_ENDPOINT_URL_")?;
            (!value.is_empty()).then_some((service, value.as_str()))
        })
    }
}
