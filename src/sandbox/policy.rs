//! A tiny judge of IAM policies: enough to tell the layers apart that AWS names when it says
//! no. Order of judgement: IAM User Guide, "Policy evaluation logic".

use std::fmt;

use serde::Deserialize;

/// A policy document as IAM writes it, with the ARN under which it is known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// Managed policies have one; AWS names it in its refusal (since 2026).
    #[serde(default)]
    pub(super) arn: Option<String>,
    pub(super) statements: Vec<Statement>,
}

/// One statement. Only the elements and operators that the world uses.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    #[serde(default)]
    pub(super) principal: Option<Vec<String>>,
    #[serde(default)]
    pub(super) action: Vec<String>,
    #[serde(default)]
    pub(super) resource: Vec<String>,
    #[serde(default)]
    pub(super) condition: Vec<Condition>,
}

/// `[operator, key, values…]`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Condition(String, String, Vec<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}

impl Policy {
    /// The document as IAM writes it.
    pub(super) fn as_json(&self) -> serde_json::Value {
        let statements: Vec<_> = self
            .statements
            .iter()
            .map(|statement| {
                serde_json::json!({
                    "Effect": format!("{:?}", statement.effect),
                    "Principal": statement.principal,
                    "Action": statement.action,
                    "Resource": statement.resource,
                })
            })
            .collect();
        serde_json::json!({ "Version": "2012-10-17", "Statement": statements })
    }
}

/// What is asked, and of whose property.
pub(super) struct Ask<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// The account that owns the resource.
    pub(super) owner: &'a str,
    pub(super) resource_policy: Option<&'a Policy>,
    /// Condition keys and their values.
    pub(super) context: &'a [(&'a str, &'a str)],
}

/// The policies that bind one caller.
pub(super) struct Bounds<'a> {
    pub(super) account: &'a str,
    pub(super) arn: &'a str,
    pub(super) identity: &'a [Policy],
    pub(super) boundary: Option<&'a Policy>,
    pub(super) session: Option<&'a Policy>,
    pub(super) control: &'a [Policy],
}

/// Which kind of policy stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Identity,
    Boundary,
    Session,
    Control,
    Resource,
    Trust,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A statement says Deny; the policy's ARN where it has one.
    Explicit(Layer, Option<String>),
    /// No statement says Allow.
    Implicit(Layer),
    /// Another account's property: AWS tells strangers nothing.
    Untold,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Control => "service control policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
        })
    }
}

impl Reason {
    /// The tail of AWS's sentence, with its leading space (IAM User Guide, "Troubleshoot
    /// access denied error messages").
    pub(super) fn told(&self, action: &str) -> String {
        match self {
            Self::Explicit(Layer::Trust, _) => {
                " with an explicit deny in the role trust policy".into()
            }
            Self::Explicit(layer, arn) => {
                let article = if *layer == Layer::Identity { "an" } else { "a" };
                let named = arn
                    .as_ref()
                    .map(|arn| format!(": {arn}"))
                    .unwrap_or_default();
                format!(" with an explicit deny in {article} {layer}{named}")
            }
            Self::Implicit(layer) => format!(" because no {layer} allows the {action} action"),
            Self::Untold => String::new(),
        }
    }
}

/// Whether `ask` is granted to the caller, or to everyone when there is none.
pub(super) fn judge(caller: Option<&Bounds<'_>>, ask: &Ask<'_>) -> Result<(), Reason> {
    let who = caller.map_or("*", |bounds| bounds.arn);
    let by_resource = ask
        .resource_policy
        .and_then(|policy| verdict(policy, ask, Some(who)));
    let Some(bounds) = caller else {
        return match by_resource {
            Some(Effect::Allow) => Ok(()),
            _ => Err(Reason::Untold),
        };
    };
    explicit_deny(bounds, ask, by_resource)?;
    if !bounds.control.is_empty() && !allowed(bounds.control, ask) {
        return Err(Reason::Implicit(Layer::Control));
    }
    let same_account = bounds.account == ask.owner;
    if same_account && by_resource == Some(Effect::Allow) {
        return Ok(());
    }
    if !allowed(bounds.identity, ask) {
        return Err(Reason::Implicit(Layer::Identity));
    }
    let narrower = [
        (Layer::Boundary, bounds.boundary),
        (Layer::Session, bounds.session),
    ];
    for (layer, policy) in narrower {
        if policy.is_some_and(|policy| verdict(policy, ask, None) != Some(Effect::Allow)) {
            return Err(Reason::Implicit(layer));
        }
    }
    if same_account || by_resource == Some(Effect::Allow) {
        return Ok(());
    }
    Err(Reason::Implicit(Layer::Resource))
}

/// Whether a role's trust policy lets `who` in: an ARN, an account's root, or a provider.
pub(super) fn trusts(
    policy: &Policy,
    action: &str,
    who: &[&str],
    context: &[(&str, &str)],
) -> Result<(), Reason> {
    let ask = Ask {
        action,
        resource: "*",
        owner: "",
        resource_policy: None,
        context,
    };
    let verdicts: Vec<Effect> = who
        .iter()
        .filter_map(|name| verdict(policy, &ask, Some(name)))
        .collect();
    if verdicts.contains(&Effect::Deny) {
        return Err(Reason::Explicit(Layer::Trust, None));
    }
    if verdicts.contains(&Effect::Allow) {
        return Ok(());
    }
    Err(Reason::Implicit(Layer::Trust))
}

fn explicit_deny(
    bounds: &Bounds<'_>,
    ask: &Ask<'_>,
    by_resource: Option<Effect>,
) -> Result<(), Reason> {
    let layers = [
        (Layer::Control, bounds.control),
        (Layer::Identity, bounds.identity),
        (Layer::Boundary, as_slice(bounds.boundary)),
        (Layer::Session, as_slice(bounds.session)),
    ];
    for (layer, policies) in layers {
        let denies = policies
            .iter()
            .find(|policy| verdict(policy, ask, None) == Some(Effect::Deny));
        if let Some(policy) = denies {
            return Err(Reason::Explicit(layer, policy.arn.clone()));
        }
    }
    if by_resource == Some(Effect::Deny) {
        return Err(Reason::Explicit(Layer::Resource, None));
    }
    Ok(())
}

fn as_slice(policy: Option<&Policy>) -> &[Policy] {
    policy.map_or(&[], std::slice::from_ref)
}

fn allowed(policies: &[Policy], ask: &Ask<'_>) -> bool {
    policies
        .iter()
        .any(|policy| verdict(policy, ask, None) == Some(Effect::Allow))
}

/// What one policy says: a Deny wins, silence is `None`.
fn verdict(policy: &Policy, ask: &Ask<'_>, who: Option<&str>) -> Option<Effect> {
    let matching: Vec<Effect> = policy
        .statements
        .iter()
        .filter(|statement| applies(statement, ask, who))
        .map(|statement| statement.effect)
        .collect();
    if matching.contains(&Effect::Deny) {
        return Some(Effect::Deny);
    }
    matching.first().copied()
}

fn applies(statement: &Statement, ask: &Ask<'_>, who: Option<&str>) -> bool {
    let principal = match (&statement.principal, who) {
        (Some(names), Some(who)) => names.iter().any(|name| name == "*" || like(name, who)),
        (Some(_), None) => false,
        (None, _) => true,
    };
    principal
        && statement.action.iter().any(|action| {
            like(
                &action.to_ascii_lowercase(),
                &ask.action.to_ascii_lowercase(),
            )
        })
        && (statement.resource.is_empty()
            || statement
                .resource
                .iter()
                .any(|resource| like(resource, ask.resource)))
        && statement
            .condition
            .iter()
            .all(|condition| holds(condition, ask.context))
}

fn holds(Condition(operator, key, values): &Condition, context: &[(&str, &str)]) -> bool {
    let found = context
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| *value);
    match (operator.as_str(), found) {
        ("StringEquals", Some(value)) => values.iter().any(|wanted| wanted == value),
        ("StringLike", Some(value)) => values.iter().any(|wanted| like(wanted, value)),
        ("StringNotEquals", Some(value)) => values.iter().all(|wanted| wanted != value),
        ("StringNotEquals", None) => true,
        _ => false,
    }
}

/// IAM's wildcards: `*` is any run of characters, `?` any one.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = retry else {
                    return false;
                };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(like("s3:Get*", "s3:GetObject"));
        assert!(like("arn:aws:s3:::a*/b?/*", "arn:aws:s3:::abc/bx/y/z"));
        assert!(!like("s3:Get?", "s3:Get"));
        assert!(like("*", ""));
    }
}
