//! Values for the names in sentences and commands.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};

use super::{Question, clock, past, scope};
use crate::aws;
use crate::diagnose::catalogue::template::word;
use crate::diagnose::scene::human;

/// The value of a name; `None` where the exchange has none.
pub(in crate::diagnose::catalogue) fn fact(q: &Question<'_>, name: &str) -> Option<String> {
    if let Some(value) = q.captures.get(name).filter(|value| !value.is_empty()) {
        let value = value
            .trim_end_matches([',', '.', ';'])
            .trim_start_matches("User: ");
        return Some(if name == "who" { short(value) } else { value }.to_owned());
    }
    of_request(q, name)
        .or_else(|| of_denial(q, name))
        .or_else(|| of_past(q, name))
        .filter(|value| !value.is_empty())
}

fn of_request(q: &Question<'_>, name: &str) -> Option<String> {
    let scene = q.scene;
    let text = |value: Option<&str>| value.map(str::to_owned);
    match name {
        "profile" => text(scene.profile()),
        "account" => text(scene.exchange.identity.as_ref()?.account.as_deref()),
        "service" => Some(scene.service().to_owned()),
        "region" => text(scene.region()),
        "scope_service" => text(scene.scope().map(|scope| scope.service.as_str())),
        "fixed" => text(scope::fixed_region(q)),
        "host" => Some(scene.host.clone()),
        "host_region" => scope::region_label(q),
        "api" => text(scene.host.split('.').next()),
        "bucket" => text(scene.bucket()),
        "object" => text(scene.object()),
        "bucket_region" => text(
            scene
                .reply_header("x-amz-bucket-region")
                .or_else(|| scene.element("Region")),
        ),
        "want" => text(
            scene
                .element("Region")
                .or_else(|| scene.reply_header("x-amz-bucket-region")),
        ),
        "unsigned" => text(scene.element("HeadersNotSigned")),
        "skew" => clock::skew(q),
        "behind" => scene.behind().map(human),
        "expires" => session_end(q).map(|end| end.to_string()),
        "jwt_iss" | "jwt_aud" | "jwt_exp" => jwt(q, name.trim_start_matches("jwt_")),
        "renew_command" => renew(q),
        "url" => text(scene.element("QueueUrl")),
        _ => None,
    }
}

fn of_denial(q: &Question<'_>, name: &str) -> Option<String> {
    if name == "role_name" {
        let role = q
            .scene
            .param("RoleArn")
            .or_else(|| q.captures.get("role").cloned())?;
        return role.rsplit('/').next().map(str::to_owned);
    }
    if name == "policy_command" {
        return policy_command(q.captures.get("policy")?);
    }
    if name == "denies" {
        return q
            .scene
            .message
            .contains("explicit deny")
            .then(|| "denies".to_owned());
    }
    let denial = denial(q)?;
    let text = match name {
        "who" => short(denial.who),
        "who_account" => denial.who_account()?,
        "who_role" => denial.who_role()?,
        "principal" => return denial.principal(),
        "action" => denial.action,
        "resource" => denial.resource?,
        "resource_account" => denial.resource_account()?,
        "boundary_command" => return denial.boundary_command(),
        "resource_policy_command" => return resource_policy_command(q, &denial),
        _ => return None,
    };
    Some(text.to_owned())
}

fn of_past(q: &Question<'_>, name: &str) -> Option<String> {
    Some(match name {
        "worked_region" => past::worked_in_partition(q)
            .or_else(|| past::worked_elsewhere(q))?
            .region
            .to_owned(),
        "worked_partition" => aws::partition_of_region(past::worked_in_partition(q)?.region)?
            .id
            .to_owned(),
        "key_profile" => past::key_profile(q)?.profile.to_owned(),
        "other_profile" => past::other_profile(q)?.profile.to_owned(),
        "session_from" => format!("#{}", past::session(q)?.exchange),
        "changed" => human(past::recent_change(q)?.1),
        _ => return None,
    })
}

/// How credentials of the profile's kind are renewed; `None` where they renew themselves.
fn renew(q: &Question<'_>) -> Option<String> {
    let identity = q.scene.exchange.identity.as_ref()?;
    let profile = identity.profile.as_deref().and_then(word)?;
    match identity.kind.as_deref() {
        None | Some("sso") => Some(format!("aws sso login --profile {profile}")),
        Some("login") => Some(format!("aws login --profile {profile}")),
        Some("static") => Some(format!("aws configure --profile {profile}")),
        Some(_) => None,
    }
}

/// When the credentials that were used end.
pub(super) fn session_end(q: &Question<'_>) -> Option<Timestamp> {
    if let Some(end) = q
        .scene
        .credentials()
        .and_then(|credentials| credentials.expires_at)
    {
        return Timestamp::try_from(end).ok();
    }
    q.scene
        .exchange
        .identity
        .as_ref()?
        .expires_at
        .as_deref()?
        .parse()
        .ok()
}

/// Who may not do what on which resource, in AWS's sentence.
pub(super) struct Denial<'m> {
    pub(super) who: &'m str,
    pub(super) action: &'m str,
    pub(super) resource: Option<&'m str>,
}

static DENIAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = r#"(?:User: )?(\S+) is not authorized to perform: ?\n?([\w-]+:[\w*]+)(?: on (?:the )?resource: ?"?([^\s"]+))?"#;
    Regex::new(text).ok()
});

/// The sentence's parts, where the message is one.
pub(super) fn denial<'m>(q: &'m Question<'_>) -> Option<Denial<'m>> {
    let found = DENIAL.as_ref()?.captures(&q.scene.message)?;
    Some(Denial {
        who: found.get(1)?.as_str(),
        action: found.get(2)?.as_str(),
        resource: found
            .get(3)
            .map(|resource| resource.as_str().trim_end_matches([',', '.']))
            .filter(|resource| resource.contains([':', '/']) || *resource == "*"),
    })
}

impl<'m> Denial<'m> {
    pub(super) fn who_account(&self) -> Option<&'m str> {
        account_of(self.who)
    }

    pub(super) fn resource_account(&self) -> Option<&'m str> {
        account_of(self.resource?)
    }

    /// The role behind an assumed-role session, or the role itself.
    pub(super) fn who_role(&self) -> Option<&'m str> {
        let (_, rest) = self
            .who
            .split_once(":assumed-role/")
            .or_else(|| self.who.split_once(":role/"))?;
        rest.split('/').next()
    }

    fn boundary_command(&self) -> Option<String> {
        if let Some(role) = self.who_role().and_then(word) {
            return Some(format!(
                "aws iam get-role --role-name {role} --query Role.PermissionsBoundary"
            ));
        }
        let (_, user) = self.who.split_once(":user/")?;
        let user = word(user.rsplit('/').next()?)?;
        Some(format!(
            "aws iam get-user --user-name {user} --query User.PermissionsBoundary"
        ))
    }

    /// What the simulator takes: a session's role instead of the session.
    fn principal(&self) -> Option<String> {
        let Some((front, rest)) = self.who.split_once(":assumed-role/") else {
            return self.who.starts_with("arn:").then(|| self.who.to_owned());
        };
        let role = rest.split('/').next()?;
        Some(format!(
            "{}:role/{role}",
            front.replacen(":sts:", ":iam:", 1)
        ))
    }
}

/// A principal without the front of its ARN: `user/JohnDoe`, `assumed-role/app/session`.
fn short(who: &str) -> &str {
    who.split(':').nth(5).unwrap_or(who)
}

/// The account in an ARN.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

fn policy_command(arn: &str) -> Option<String> {
    let arn = word(arn)?;
    if arn.contains(":organizations:") {
        let id = arn.rsplit('/').next()?;
        return Some(format!(
            "aws organizations describe-policy --policy-id {id}"
        ));
    }
    Some(format!("aws iam get-policy --policy-arn {arn}"))
}

fn resource_policy_command(q: &Question<'_>, denial: &Denial<'_>) -> Option<String> {
    let service = denial.action.split(':').next()?;
    let resource = denial
        .resource
        .and_then(word)
        .unwrap_or_else(|| "ARN".to_owned());
    let last = |name: &str| {
        resource
            .rsplit([':', '/'])
            .next()
            .and_then(word)
            .unwrap_or_else(|| name.to_owned())
    };
    Some(match service {
        "s3" => {
            let bucket = q
                .scene
                .bucket()
                .and_then(word)
                .unwrap_or_else(|| "BUCKET".to_owned());
            format!("aws s3api get-bucket-policy --bucket {bucket}")
        }
        "secretsmanager" => {
            format!("aws secretsmanager get-resource-policy --secret-id {resource}")
        }
        "kms" => format!("aws kms get-key-policy --key-id {resource} --policy-name default"),
        "sns" | "SNS" => {
            format!("aws sns get-topic-attributes --topic-arn {resource} --query Attributes.Policy")
        }
        "sqs" => "aws sqs get-queue-attributes --queue-url URL --attribute-names Policy".to_owned(),
        "lambda" => format!("aws lambda get-policy --function-name {resource}"),
        "dynamodb" => format!("aws dynamodb get-resource-policy --resource-arn {resource}"),
        "ecr" => format!(
            "aws ecr get-repository-policy --repository-name {}",
            last("NAME")
        ),
        _ => return None,
    })
}

/// The claims of a token, unverified.
pub(super) fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn jwt(q: &Question<'_>, claim: &str) -> Option<String> {
    let claims = claims(q.scene.param("WebIdentityToken")?.trim())?;
    match claims.get(claim)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if claim == "exp" => Timestamp::from_second(number.as_i64()?)
            .ok()
            .map(|end| end.to_string()),
        other => Some(other.to_string()),
    }
}
