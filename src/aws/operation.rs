//! What a service can be asked to do.

use super::catalogue::Service;
use super::path::Routes;

/// One operation of one service.
#[derive(Debug)]
pub struct Operation {
    /// As the model writes it: `GetSecretValue`.
    pub name: &'static str,
    pub service: &'static Service,
    /// It changes nothing that is stored: the model says `readonly`, or the verb does, with
    /// reviewed exceptions. Handing out credentials (`AssumeRole`) counts as reading.
    pub reads: bool,
    /// Unsigned by design: it is how a caller without credentials gets them.
    pub unsigned: bool,
    /// Signed with `UNSIGNED-PAYLOAD`, whatever the body is.
    pub unsigned_payload: bool,
    /// The body of the request is an event stream.
    pub streams_in: bool,
    /// The body of the reply is an event stream; errors may arrive inside a 200.
    pub streams_out: bool,
    /// What goes in front of the host: `sync-`, `{AccountId}.`.
    pub host_prefix: Option<&'static str>,
    /// `s3:PutObject` where IAM's name is not made of prefix and operation.
    pub(super) special_action: Option<&'static str>,
    /// Method, URI template and what else must be there; REST services only.
    pub(super) template: Option<&'static str>,
    /// An old name of an operation whose requests look the same.
    pub(super) superseded: bool,
}

/// The same service and name: there is one of each.
impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.service == other.service
    }
}

impl Eq for Operation {}

/// The IAM action that a policy must allow, `s3:PutObject`. Where an operation needs several,
/// the one that gave it its name; where the body decides (PartiQL), the reading one.
pub fn iam_action(operation: &Operation) -> String {
    operation.special_action.map_or_else(
        || format!("{}:{}", operation.service.iam_prefix, operation.name),
        str::to_owned,
    )
}

/// A service's operations and, for REST services, the paths that lead to them.
#[derive(Debug)]
pub(super) struct Operations {
    all: Vec<Operation>,
    pub(super) routes: Routes,
}

impl Operations {
    pub(super) fn read(service: &'static Service, section: &'static str) -> Self {
        let all: Vec<Operation> = section
            .lines()
            .filter_map(|line| Operation::read(service, line))
            .collect();
        let routes = Routes::of(&all);
        Self { all, routes }
    }

    pub(super) fn all(&self) -> &[Operation] {
        &self.all
    }

    pub(super) fn named(&self, name: &str) -> Option<&Operation> {
        let at = self
            .all
            .binary_search_by(|operation| operation.name.cmp(name))
            .ok()?;
        self.all.get(at)
    }
}

impl Operation {
    fn read(service: &'static Service, line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or("");
        let (name, flags, template, host_prefix, action) = (next(), next(), next(), next(), next());
        let given = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        Some(Self {
            name: given(name)?,
            service,
            reads: flags.contains('r'),
            unsigned: flags.contains('n'),
            unsigned_payload: flags.contains('u'),
            streams_in: flags.contains('i'),
            streams_out: flags.contains('o'),
            host_prefix: given(host_prefix),
            special_action: given(action),
            template: given(template),
            superseded: flags.contains('d'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{service, services};

    fn operation(name: &str) -> &'static Operation {
        let (of, name) = name.split_once('.').unwrap();
        service(of).unwrap().operation(name).unwrap()
    }

    #[test]
    fn operations_are_sorted_and_named_once() {
        for service in services() {
            let all = service.all_operations();
            assert!(
                all.windows(2).all(|pair| pair[0].name < pair[1].name),
                "{}",
                service.name
            );
        }
    }

    #[test]
    fn what_reads_and_what_changes() {
        let reads = [
            "sts.GetSessionToken",
            "sts.AssumeRole",
            "sts.AssumeRoleWithWebIdentity",
            "s3.SelectObjectContent",
            "s3.GetObject",
            "s3.HeadObject",
            "s3.ListObjectsV2",
            "secretsmanager.GetRandomPassword",
            "ssm.GetParameter",
            "kms.Decrypt",
            "dynamodb.Query",
            "dynamodb.BatchGetItem",
            "logs.FilterLogEvents",
            "iam.SimulatePrincipalPolicy",
        ];
        let changes = [
            "dynamodb.ExecuteStatement",
            "lambda.Invoke",
            "sqs.ReceiveMessage",
            "s3.PutObject",
            "cognito-identity.GetId",
            "ivs.StartViewerSessionRevocation",
            "redshift.GetClusterCredentials",
            "ses.VerifyEmailAddress",
            "license-manager.CheckInLicense",
            "ec2.RunInstances",
            "iam.CreateUser",
        ];
        for name in reads {
            assert!(operation(name).reads, "{name}");
        }
        for name in changes {
            assert!(!operation(name).reads, "{name}");
        }
    }

    #[test]
    fn what_is_unsigned_by_design() {
        for name in [
            "sts.AssumeRoleWithSAML",
            "sts.AssumeRoleWithWebIdentity",
            "sso.GetRoleCredentials",
            "sso-oidc.CreateToken",
            "cognito-identity.GetId",
            "cognito-idp.InitiateAuth",
        ] {
            assert!(operation(name).unsigned, "{name}");
        }
        assert!(!operation("sts.AssumeRole").unsigned);
        assert!(!operation("sso-oidc.CreateTokenWithIAM").unsigned);
        assert!(operation("s3.WriteGetObjectResponse").unsigned_payload);
        assert!(operation("kinesis.SubscribeToShard").streams_out);
        assert!(operation("bedrock-runtime.InvokeModelWithBidirectionalStream").streams_in);
    }

    #[test]
    fn iam_has_its_own_names() {
        let cases = [
            ("s3.ListObjectsV2", "s3:ListBucket"),
            ("s3.HeadObject", "s3:GetObject"),
            ("s3.UploadPart", "s3:PutObject"),
            ("s3.GetObject", "s3:GetObject"),
            (
                "s3control.GetPublicAccessBlock",
                "s3:GetAccountPublicAccessBlock",
            ),
            ("lambda.Invoke", "lambda:InvokeFunction"),
            ("cloudwatch.PutMetricData", "cloudwatch:PutMetricData"),
            ("resourcegroupstaggingapi.GetResources", "tag:GetResources"),
            ("apigateway.GetRestApis", "apigateway:GET"),
            ("bedrock-runtime.Converse", "bedrock:InvokeModel"),
            ("stepfunctions.StartExecution", "states:StartExecution"),
            ("sts.GetCallerIdentity", "sts:GetCallerIdentity"),
        ];
        for (name, action) in cases {
            assert_eq!(iam_action(operation(name)), action);
        }
    }
}
