//! Which members of which operations carry credentials or payload.
//!
//! From botocore's service models: the `sensitive` trait less an allow-list of what diagnosis
//! needs, and members that the trait misses. `generate_sensitive.py` writes the table.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// From the client to AWS.
    Request,
    /// From AWS to the client.
    Reply,
}

/// How a member is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// A credential: always hidden.
    Credential,
    /// The caller's data: hidden on demand.
    Payload,
}

/// The members of one message that are not for every eye.
#[derive(Clone, Copy, Default)]
pub struct Members {
    scope: Scope,
}

#[derive(Clone, Copy, Default)]
enum Scope {
    #[default]
    Nothing,
    /// The operation is known.
    Operation([Option<&'static [&'static str]>; 2]),
    /// It is not: all names of the service on that side.
    Service(&'static SideTable),
}

#[derive(Default)]
struct SideTable {
    /// Sorted names of all operations together, by tier.
    all: [Vec<&'static str>; 2],
    operations: HashMap<&'static str, [Option<&'static [&'static str]>; 2]>,
}

#[derive(Default)]
struct Service {
    request: SideTable,
    reply: SideTable,
}

static TABLE: LazyLock<HashMap<String, &'static Service>> =
    LazyLock::new(|| read(include_str!("data/sensitive.tsv")));

/// The sensitive members of a message. `service` is botocore's directory name or the service
/// id, in any case and with any separators; without an operation all names of the service
/// count.
pub fn members(service: Option<&str>, operation: Option<&str>, side: Side) -> Members {
    let Some(service) = service.and_then(find) else {
        return Members::default();
    };
    let table = match side {
        Side::Request => &service.request,
        Side::Reply => &service.reply,
    };
    let scope = match operation {
        None => Scope::Service(table),
        Some(operation) => table
            .operations
            .get(operation)
            .map_or(Scope::Nothing, |names| Scope::Operation(*names)),
    };
    Members { scope }
}

impl Members {
    /// Whether the member of this name, lower case, letters and digits only, is of the tier.
    pub fn has(&self, tier: Tier, name: &str) -> bool {
        self.names(tier).binary_search(&name).is_ok()
    }

    /// Whether the whole body is of the tier.
    pub fn whole(&self, tier: Tier) -> bool {
        match self.scope {
            Scope::Operation(_) => self.has(tier, "*"),
            _ => false,
        }
    }

    /// Whether the message carries a credential anywhere in its body.
    pub fn carries_credentials(&self) -> bool {
        !self.names(Tier::Credential).is_empty()
    }

    /// Whether nothing is known to be sensitive.
    pub fn is_empty(&self) -> bool {
        self.names(Tier::Credential).is_empty() && self.names(Tier::Payload).is_empty()
    }

    fn names(&self, tier: Tier) -> &'static [&'static str] {
        let at = tier as usize;
        match self.scope {
            Scope::Nothing => &[],
            Scope::Operation(names) => names[at].unwrap_or_default(),
            Scope::Service(table) => &table.all[at],
        }
    }
}

/// A name as names are compared here: lower case, letters and digits only. Of a longer one
/// than any that AWS has, the end.
pub struct PlainName {
    buffer: [u8; 64],
    length: usize,
}

impl PlainName {
    /// From a name in any case and with any separators.
    pub fn new(name: &str) -> Self {
        let mut buffer = [0; 64];
        let mut length = 0;
        let start = name.len().saturating_sub(buffer.len());
        let wanted = name.bytes().skip(start).filter(u8::is_ascii_alphanumeric);
        for (to, from) in buffer.iter_mut().zip(wanted) {
            *to = from.to_ascii_lowercase();
            length += 1;
        }
        Self { buffer, length }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        let bytes = self.buffer.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

fn find(service: &str) -> Option<&'static Service> {
    if let Some(found) = TABLE.get(service) {
        return Some(found);
    }
    TABLE.get(PlainName::new(service).as_str()).copied()
}

// The table lives as long as the program, so its lists are leaked rather than counted.
fn read(text: &'static str) -> HashMap<String, &'static Service> {
    let mut table = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    let mut service = Service::default();
    let mut finish = |names: &mut Vec<&'static str>, service: &mut Service| {
        service.request.sort();
        service.reply.sort();
        let service: &'static Service = Box::leak(Box::new(std::mem::take(service)));
        for name in names.drain(..) {
            table.insert(PlainName::new(name).as_str().to_owned(), service);
            table.insert(name.to_owned(), service);
        }
    };
    for line in text.lines() {
        let mut fields = line.split('\t');
        match fields.next() {
            Some("=") => {
                finish(&mut names, &mut service);
                names.extend(fields);
            }
            Some(">") => service.request.add(fields),
            Some("<") => service.reply.add(fields),
            _ => {}
        }
    }
    finish(&mut names, &mut service);
    table
}

impl SideTable {
    fn add(&mut self, mut fields: std::str::Split<'static, char>) {
        let (Some(tier), Some(operations), Some(names)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return;
        };
        let tier = match tier {
            "C" => Tier::Credential,
            _ => Tier::Payload,
        };
        let names: &'static [&'static str] = names.split(' ').collect::<Vec<_>>().leak();
        self.all[tier as usize].extend_from_slice(names);
        for operation in operations.split(' ') {
            self.operations.entry(operation).or_default()[tier as usize] = Some(names);
        }
    }

    fn sort(&mut self) {
        for names in &mut self.all {
            names.sort_unstable();
            names.dedup();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_found_by_directory_and_by_id() {
        for service in ["secretsmanager", "Secrets Manager", "SecretsManager"] {
            let members = members(Some(service), Some("GetSecretValue"), Side::Reply);
            assert!(members.has(Tier::Credential, "secretstring"), "{service}");
            assert!(!members.has(Tier::Credential, "name"));
        }
        let idp = members(
            Some("Cognito Identity Provider"),
            Some("InitiateAuth"),
            Side::Request,
        );
        assert!(idp.has(Tier::Credential, "authparameters"));
        assert!(!idp.has(Tier::Credential, "clientid"));
    }

    #[test]
    fn sides_and_operations_are_told_apart() {
        let of = |operation, side| members(Some("ssm"), operation, side);
        assert!(of(Some("GetParameter"), Side::Reply).has(Tier::Credential, "value"));
        assert!(of(Some("GetParameter"), Side::Request).is_empty());
        assert!(of(Some("AddTagsToResource"), Side::Request).is_empty());
        assert!(of(None, Side::Request).has(Tier::Credential, "value"));
        let sign = members(Some("kms"), Some("Sign"), Side::Request);
        assert!(sign.has(Tier::Credential, "message"));
    }

    #[test]
    fn what_the_trait_misses_is_there() {
        for (service, operation, side, name) in [
            ("sts", "AssumeRole", Side::Reply, "sessiontoken"),
            ("sts", "AssumeRole", Side::Request, "tokencode"),
            (
                "ecr",
                "GetAuthorizationToken",
                Side::Reply,
                "authorizationtoken",
            ),
            (
                "lightsail",
                "CreateKeyPair",
                Side::Reply,
                "privatekeybase64",
            ),
            ("wafv2", "CreateAPIKey", Side::Reply, "apikey"),
            ("sso-oidc", "CreateToken", Side::Request, "devicecode"),
        ] {
            let members = members(Some(service), Some(operation), side);
            assert!(members.has(Tier::Credential, name), "{service}.{operation}");
        }
    }

    #[test]
    fn payload_is_not_a_credential() {
        let item = members(Some("dynamodb"), Some("GetItem"), Side::Reply);
        assert!(item.has(Tier::Payload, "item"));
        assert!(!item.carries_credentials());
        let object = members(Some("s3"), Some("GetObject"), Side::Reply);
        assert!(object.whole(Tier::Payload) && !object.whole(Tier::Credential));
        let configuration = members(
            Some("appconfigdata"),
            Some("GetLatestConfiguration"),
            Side::Reply,
        );
        assert!(configuration.whole(Tier::Credential));
    }
}
