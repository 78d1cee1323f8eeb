//! The resource of a call, as the service authorization reference writes its ARN
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/>).

use std::borrow::Cow;

use serde_json::Value;

use crate::aws;
use crate::capture::Exchange;
use crate::capture::exchange::Request;

/// The ARNs that a call touches; empty where the request does not tell.
pub(super) fn of(exchange: &Exchange) -> Vec<String> {
    if let Some(named) = named_by_aws(exchange) {
        return vec![named];
    }
    Call::read(exchange).map_or_else(Vec::new, |call| call.resources())
}

/// A refusal names the very resource that a policy must allow.
fn named_by_aws(exchange: &Exchange) -> Option<String> {
    let message = exchange
        .reply
        .as_ref()?
        .error
        .as_ref()?
        .message
        .as_deref()?;
    let (_, rest) = message.split_once(" is not authorized to perform: ")?;
    let (_, rest) = rest.split_once(" on resource: ")?;
    let arn = rest.trim_start_matches('"').split(['"', ' ']).next()?;
    arn.starts_with("arn:").then(|| arn.to_owned())
}

struct Call<'e> {
    service: &'e str,
    operation: &'e str,
    region: &'e str,
    account: &'e str,
    partition: &'static str,
    upstream: &'e str,
    request: &'e Request,
    body: Option<Value>,
}

impl<'e> Call<'e> {
    fn read(exchange: &'e Exchange) -> Option<Self> {
        let route = exchange.route.as_ref()?;
        let region = route.region.as_deref().unwrap_or("us-east-1");
        let account = exchange
            .identity
            .as_ref()
            .and_then(|identity| identity.account.as_deref());
        let request = exchange.received.as_ref()?;
        Some(Self {
            service: route.service.as_deref()?,
            operation: route.operation.as_deref().unwrap_or_default(),
            region,
            account: account.unwrap_or("*"),
            partition: aws::partition_of_region(region).map_or("aws", |partition| partition.id),
            upstream: route.upstream.as_deref().unwrap_or_default(),
            body: request
                .body
                .text
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            request,
        })
    }

    fn resources(&self) -> Vec<String> {
        let one = |arn: Option<String>| arn.into_iter().collect();
        match self.service {
            "s3" => one(self.s3()),
            "secretsmanager" => one(self.secret()),
            "dynamodb" => one(self.table()),
            "ssm" => self.parameters(),
            "sqs" => one(self.queue()),
            "sns" => one(self.value("TopicArn").or_else(|| self.value("TargetArn"))),
            "sts" => one(self.value("RoleArn")),
            "kms" => one(self.key()),
            "lambda" => one(self.function()),
            "iam" => one(self.iam()),
            "kinesis" => one(self
                .value("StreamARN")
                .or_else(|| self.named("StreamName", "stream/"))),
            "logs" => one(self
                .named("logGroupName", "log-group:")
                .map(|arn| format!("{arn}:*"))),
            _ => Vec::new(),
        }
    }

    /// `arn:PARTITION:SERVICE:REGION:ACCOUNT:REST`
    fn arn(&self, rest: &str) -> String {
        let Self {
            partition,
            service,
            region,
            account,
            ..
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{rest}")
    }

    /// A member of the JSON or form body that holds a name, or an ARN as it is.
    fn named(&self, member: &str, prefix: &str) -> Option<String> {
        let name = self.value(member)?;
        Some(if name.starts_with("arn:") {
            name
        } else {
            self.arn(&format!("{prefix}{name}"))
        })
    }

    /// A member that is a text and was not masked.
    fn value(&self, member: &str) -> Option<String> {
        let value = match &self.body {
            Some(body) => body.get(member)?.as_str()?.to_owned(),
            None => self.form(member)?,
        };
        (!value.is_empty() && !value.contains('‹')).then_some(value)
    }

    fn form(&self, member: &str) -> Option<String> {
        let body = self.request.body.text.as_deref()?;
        let value = body
            .split('&')
            .find_map(|pair| pair.strip_prefix(member)?.strip_prefix('='))?;
        Some(decoded(&value.replace('+', " ")).into_owned())
    }

    fn path(&self) -> &str {
        self.request.target.split('?').next().unwrap_or_default()
    }

    fn s3(&self) -> Option<String> {
        let host = self.upstream.split("://").nth(1)?;
        let in_host = aws::host(host.split(':').next()?).and_then(|facts| facts.bucket);
        let path = decoded(self.path().trim_start_matches('/'));
        let (bucket, key) = match &in_host {
            Some(bucket) => (bucket.as_str(), path.as_ref()),
            None => path.split_once('/').unwrap_or((&path, "")),
        };
        if bucket.is_empty() {
            // ListBuckets has no other resource.
            return Some(String::new());
        }
        let slash = if key.is_empty() { "" } else { "/" };
        Some(format!("arn:{}:s3:::{bucket}{slash}{key}", self.partition))
    }

    /// Six characters of Secrets Manager's own follow a secret's name.
    fn secret(&self) -> Option<String> {
        let id = self.value("SecretId").or_else(|| self.value("Name"))?;
        Some(if id.starts_with("arn:") {
            id
        } else {
            self.arn(&format!("secret:{id}-??????"))
        })
    }

    fn table(&self) -> Option<String> {
        let table = self.named("TableName", "table/")?;
        Some(match self.value("IndexName") {
            Some(index) => format!("{table}/index/{index}"),
            None => table,
        })
    }

    fn parameters(&self) -> Vec<String> {
        let arn = |name: &str| match name.starts_with("arn:") {
            true => name.to_owned(),
            false => self.arn(&format!("parameter/{}", name.trim_start_matches('/'))),
        };
        if let Some(names) = self
            .body
            .as_ref()
            .and_then(|body| body.get("Names")?.as_array())
        {
            return names.iter().filter_map(Value::as_str).map(arn).collect();
        }
        if self.operation == "GetParametersByPath" {
            let path = self
                .value("Path")
                .map(|path| arn(path.trim_end_matches('/')));
            return path.into_iter().map(|path| format!("{path}/*")).collect();
        }
        self.value("Name").as_deref().map(arn).into_iter().collect()
    }

    /// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`
    fn queue(&self) -> Option<String> {
        let Some(url) = self.value("QueueUrl") else {
            return self.value("QueueName").map(|name| self.arn(&name));
        };
        let mut parts = url.rsplit('/');
        let (name, account) = (parts.next()?, parts.next()?);
        Some(format!(
            "arn:{}:sqs:{}:{account}:{name}",
            self.partition, self.region
        ))
    }

    /// An alias is no resource of a key's actions: the key behind it is not in the request.
    fn key(&self) -> Option<String> {
        let id = self.value("KeyId").filter(|id| !id.contains("alias/"))?;
        Some(if id.starts_with("arn:") {
            id
        } else {
            self.arn(&format!("key/{id}"))
        })
    }

    /// `/2015-03-31/functions/NAME/invocations`, the name also with qualifier or as ARN.
    fn function(&self) -> Option<String> {
        let (_, rest) = self.path().split_once("/functions/")?;
        let name = decoded(rest.split('/').next().filter(|name| !name.is_empty())?);
        Some(if name.starts_with("arn:") {
            name.into_owned()
        } else {
            self.arn(&format!("function:{name}"))
        })
    }

    fn iam(&self) -> Option<String> {
        let kinds = [
            ("RoleName", "role/"),
            ("UserName", "user/"),
            ("GroupName", "group/"),
        ];
        if let Some(arn) = self
            .value("PolicyArn")
            .filter(|_| self.operation.contains("PolicyVersion"))
        {
            return Some(arn);
        }
        let (name, kind) = kinds
            .into_iter()
            .find_map(|(member, kind)| Some((self.value(member)?, kind)))?;
        Some(format!(
            "arn:{}:iam::{}:{kind}{name}",
            self.partition, self.account
        ))
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}
