//! The canned world: accounts, users, roles, keys, policies and resources, as
//! `fixtures/demo/world.json` describes them. Every key and secret in it is fake and public,
//! which is why they are plain strings here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::policy::{Bounds, Policy};

const WORLD: &str = include_str!("../../fixtures/demo/world.json");

/// Everything that is there before the first request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    /// Where the sandbox's regional services live.
    pub(super) regions: Vec<String>,
    pub(super) accounts: Vec<Account>,
    pub(super) sessions: Vec<Standing>,
    pub(super) buckets: Vec<Bucket>,
    pub(super) secrets: Vec<Secret>,
    pub(super) tables: Vec<Table>,
    pub(super) queues: Vec<Queue>,
    pub(super) gateway: Gateway,
}

/// One AWS account and the service control policies over it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) alias: String,
    #[serde(default)]
    pub(super) control: Vec<Policy>,
    pub(super) users: Vec<User>,
    pub(super) roles: Vec<Role>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: String,
    policies: Vec<Policy>,
    #[serde(default)]
    boundary: Option<Policy>,
    pub(super) keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) id: String,
    secret: String,
    #[serde(default = "yes")]
    pub(super) active: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) trust: Policy,
    policies: Vec<Policy>,
    /// Longest session in seconds.
    #[serde(default = "one_hour")]
    pub(super) max_session: u64,
}

/// A session that exists from the start.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) account: String,
    pub(super) role: String,
    pub(super) name: String,
    pub(super) expires: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) owner: String,
    pub(super) objects: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) policy: Option<Policy>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) owner: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) policy: Option<Policy>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) owner: String,
    pub(super) hash_key: String,
    pub(super) items: Vec<serde_json::Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) owner: String,
}

/// The one API behind `execute-api`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gateway {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) owner: String,
    pub(super) stage: String,
    pub(super) resources: Vec<String>,
}

/// A user or a role, with what it may do.
pub(super) struct Entity {
    pub(super) account: String,
    pub(super) name: String,
    pub(super) is_role: bool,
    identity: Vec<Policy>,
    boundary: Option<Policy>,
    control: Vec<Policy>,
}

/// Who is calling.
#[derive(Clone)]
pub(super) struct Principal {
    pub(super) entity: Arc<Entity>,
    /// `arn:aws:iam::…:user/…` or `arn:aws:sts::…:assumed-role/…/…`.
    pub(super) arn: String,
    /// `AIDA…`, or `AROA…:session`.
    pub(super) id: String,
    /// The policy handed to `AssumeRole`.
    pub(super) session: Option<Policy>,
}

/// A long-lived key.
#[derive(Clone)]
pub(super) struct LongKey {
    pub(super) secret: String,
    pub(super) principal: Principal,
}

impl World {
    /// The world of `fixtures/demo/world.json`.
    pub(super) fn load() -> Result<Self, serde_json::Error> {
        serde_json::from_str(WORLD)
    }

    /// Every active long-lived key by its id.
    pub(super) fn keys(&self) -> HashMap<String, LongKey> {
        let mut keys = HashMap::new();
        for account in &self.accounts {
            for user in &account.users {
                let principal = Principal::user(account, user);
                for key in user.keys.iter().filter(|key| key.active) {
                    let long = LongKey {
                        secret: key.secret.clone(),
                        principal: principal.clone(),
                    };
                    keys.insert(key.id.clone(), long);
                }
            }
        }
        keys
    }

    pub(super) fn role(&self, account: &str, name: &str) -> Option<(&Account, &Role)> {
        let account = self.accounts.iter().find(|known| known.id == account)?;
        let role = account.roles.iter().find(|role| role.name == name)?;
        Some((account, role))
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }
}

impl Principal {
    fn user(account: &Account, user: &User) -> Self {
        let entity = Entity {
            account: account.id.clone(),
            name: user.name.clone(),
            is_role: false,
            identity: user.policies.clone(),
            boundary: user.boundary.clone(),
            control: account.control.clone(),
        };
        Self {
            arn: format!("arn:aws:iam::{}:user/{}", account.id, user.name),
            id: unique_id("AIDA", &user.name),
            entity: Arc::new(entity),
            session: None,
        }
    }

    /// A session of a role.
    pub(super) fn assumed(
        account: &Account,
        role: &Role,
        session_name: &str,
        session: Option<Policy>,
    ) -> Self {
        let entity = Entity {
            account: account.id.clone(),
            name: role.name.clone(),
            is_role: true,
            identity: role.policies.clone(),
            boundary: None,
            control: account.control.clone(),
        };
        Self {
            arn: format!(
                "arn:aws:sts::{}:assumed-role/{}/{session_name}",
                account.id, role.name
            ),
            id: format!("{}:{session_name}", unique_id("AROA", &role.name)),
            entity: Arc::new(entity),
            session,
        }
    }

    /// The names under which a trust policy may know this caller.
    pub(super) fn aliases(&self) -> Vec<String> {
        let account = &self.entity.account;
        let mut names = vec![self.arn.clone(), format!("arn:aws:iam::{account}:root")];
        if self.entity.is_role {
            names.push(format!("arn:aws:iam::{account}:role/{}", self.entity.name));
        }
        names
    }

    pub(super) fn bounds(&self) -> Bounds<'_> {
        Bounds {
            account: &self.entity.account,
            arn: &self.arn,
            identity: &self.entity.identity,
            boundary: self.entity.boundary.as_ref(),
            session: self.session.as_ref(),
            control: &self.entity.control,
        }
    }
}

impl Role {
    pub(super) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:role/{}", self.name)
    }
}

/// A stable id of IAM's form: prefix, letters of the name, and `EXAMPLE`.
pub(super) fn unique_id(prefix: &str, name: &str) -> String {
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_uppercase())
        .chain("222222222".chars())
        .take(9)
        .collect();
    format!("{prefix}{letters}EXAMPLE")
}

/// What a person needs to try a client against the sandbox.
pub(super) fn help() -> String {
    let mut text = String::from("Accounts and keys of the sandbox (all fake):\n");
    let Ok(world) = World::load() else {
        return text;
    };
    for account in &world.accounts {
        text.push_str(&format!("\n  {} {}\n", account.id, account.alias));
        for user in &account.users {
            for key in &user.keys {
                let state = if key.active { "" } else { "  (inactive)" };
                let line = format!("    {:<12} {}  {}{state}\n", user.name, key.id, key.secret);
                text.push_str(&line);
            }
        }
        for role in &account.roles {
            text.push_str(&format!("    {}\n", role.arn(&account.id)));
        }
    }
    let region_of = |name: &str, region: &str| format!("    {name:<24} {region}\n");
    text.push_str("\n  buckets\n");
    for bucket in &world.buckets {
        text.push_str(&region_of(&bucket.name, &bucket.region));
    }
    text.push_str("\n  secrets (throttle/me and fail/me answer 400 and 500)\n");
    for secret in &world.secrets {
        text.push_str(&region_of(&secret.name, &secret.region));
    }
    text.push_str("\n  tables and queues\n");
    for table in &world.tables {
        text.push_str(&region_of(&table.name, &table.region));
    }
    for queue in &world.queues {
        text.push_str(&region_of(&queue.name, &queue.region));
    }
    text
}

fn yes() -> bool {
    true
}

fn one_hour() -> u64 {
    3600
}
