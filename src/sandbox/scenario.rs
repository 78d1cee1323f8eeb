//! The demo's script: requests that people really send, good and failing ones mixed, and the
//! profiles that they need. Plain data; whoever sends them decides through what.

use serde::Deserialize;

const STEPS: &str = include_str!("../../fixtures/demo/scenario.json");
const CONFIG: &str = include_str!("../../fixtures/demo/config");
const CREDENTIALS: &str = include_str!("../../fixtures/demo/credentials");

/// One scripted request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens, in the words of someone it happens to.
    pub title: String,
    /// Milliseconds to wait before the next step.
    pub pause_ms: u64,
    /// Who sends it, and how his signature is wrong.
    pub client: Client,
    /// The signing name in the client's scope, wrong ones included.
    pub service: String,
    /// The AWS host that the request is meant for.
    pub host: String,
    /// The region in the client's scope, wrong ones included.
    pub region: String,
    /// The method.
    pub method: String,
    /// Path and query, encoded as they go on the wire.
    pub target: String,
    /// Headers besides `host` and those of the signature, all of them signed.
    pub headers: Vec<(String, String)>,
    /// What is signed, and sent unless the flaw says otherwise.
    pub body: String,
    /// What the sandbox answers to exactly this client: an error code, or the status where
    /// there is none.
    pub outcome: String,
}

/// Who signs a step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Client {
    /// Nobody.
    Unsigned,
    /// A client of one of the profiles of [`demo_config`].
    Lane {
        /// The profile's name.
        profile: String,
        /// What its signer gets wrong.
        #[serde(default)]
        flaw: Option<Flaw>,
    },
    /// A key that no profile holds.
    Foreign {
        /// Its id.
        access_key_id: String,
        /// Its secret, as fake as all others.
        secret_access_key: String,
    },
}

/// What is wrong with a client's signature.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Flaw {
    /// Signed with another secret than the key id's.
    WrongSecret,
    /// Signed at an instant this many minutes from now.
    Clock {
        /// Negative is behind.
        minutes: i64,
    },
    /// The path was percent-encoded once too often for S3.
    DoubleEncodedPath,
    /// Another body goes out than the one that was signed.
    BodyChanged {
        /// What goes out.
        sent: String,
    },
    /// A header was added after signing.
    UnsignedHeader {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// The script, in order.
///
/// # Errors
/// The built-in file does not parse; a test sees to it that it does.
pub fn steps() -> Result<Vec<Step>, serde_json::Error> {
    serde_json::from_str(STEPS)
}

/// The profiles of the demo as the text of `~/.aws/config` and of `~/.aws/credentials`.
pub fn demo_config() -> (&'static str, &'static str) {
    (CONFIG, CREDENTIALS)
}
