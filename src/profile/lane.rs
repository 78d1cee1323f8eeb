//! Lanes: throw-away key pairs, each bound to a profile, derived and not stored.
//!
//! ```text
//! install key (32 bytes, a file)
//!    ├─ HMAC-SHA256(profile, number) ─► key id  SIGSCOPE + 12 letters
//!    └─ HMAC-SHA256(key id) ─────────► secret, 40 characters
//! ```
//!
//! So whoever has the install key can hand out a lane, and the proxy knows it again without
//! having been told.

use std::{
    collections::HashMap,
    fs, io,
    io::Write as _,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    files::create_private,
    profiles::{Held, Profiles},
};
use crate::secret::{Credentials, Secret};

/// How every lane's key id begins.
pub const PREFIX: &str = "SIGSCOPE";
/// Lanes of each profile that the proxy knows without having been told: numbers below this.
pub const PER_PROFILE: u32 = 8;

const INSTALL_KEY: usize = 32;

/// Derives lanes from the install key.
pub struct LaneKeys(hmac::Key);

impl LaneKeys {
    /// From a key of 32 bytes.
    pub fn new(install_key: &[u8; INSTALL_KEY]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, install_key))
    }

    /// From the install key's file, which is made, readable to its owner only, if it is not
    /// there. Two processes that start at once end up with the same key.
    ///
    /// # Errors
    /// The file can be neither read nor made, or does not hold 32 bytes.
    pub fn load(path: &Path) -> io::Result<Self> {
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut key = Zeroizing::new([0; INSTALL_KEY]);
        rand::fill(&mut *key).map_err(|_| io::Error::other("no randomness to be had"))?;
        // Written beside and linked, so that nobody ever reads half a key, and the first wins.
        let mut name = [0; 8];
        rand::fill(&mut name).map_err(|_| io::Error::other("no randomness to be had"))?;
        let beside = path.with_extension(format!("{:x}.new", u64::from_be_bytes(name)));
        let linked = create_private(&beside)
            .and_then(|mut file| file.write_all(&*key))
            .and_then(|()| fs::hard_link(&beside, path));
        // It has another name now, or it is of no use.
        let _ = fs::remove_file(&beside);
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => read(path),
        }
    }

    /// The key id of a profile's lane: 20 characters, as AWS's.
    pub fn id(&self, profile: &str, number: u32) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"lane\0");
        context.update(profile.as_bytes());
        context.update(b"\0");
        context.update(&number.to_be_bytes());
        let mut id = String::with_capacity(20);
        id.push_str(PREFIX);
        for letter in base32(context.sign().as_ref()).take(20 - PREFIX.len()) {
            id.push(letter);
        }
        id
    }

    /// The secret that belongs to a lane's key id: 40 characters, as AWS's.
    pub fn secret(&self, key_id: &str) -> Secret {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"secret\0");
        context.update(key_id.as_bytes());
        let tag = context.sign();
        Secret::new(STANDARD.encode(&tag.as_ref()[..30]))
    }

    /// A lane's key pair.
    pub fn credentials(&self, profile: &str, number: u32) -> Credentials {
        let access_key_id = self.id(profile, number);
        Credentials {
            secret_access_key: self.secret(&access_key_id),
            access_key_id,
            session_token: None,
            expires_at: None,
        }
    }
}

fn read(path: &Path) -> io::Result<LaneKeys> {
    let bytes = Zeroizing::new(fs::read(path)?);
    let key: &[u8; INSTALL_KEY] = bytes.as_slice().try_into().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{} holds {} bytes, not {INSTALL_KEY}; remove it, and hand out new lanes",
                path.display(),
                bytes.len()
            ),
        )
    })?;
    Ok(LaneKeys::new(key))
}

/// RFC 4648 §6, without padding.
fn base32(bytes: &[u8]) -> impl Iterator<Item = char> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    (0..bytes.len() * 8 / 5).map(|index| {
        let bit = index * 5;
        let high = u16::from(bytes[bit / 8]) << 8;
        let low = bytes.get(bit / 8 + 1).copied().map_or(0, u16::from);
        let value = (high | low) >> (11 - bit % 8) & 31;
        char::from(LETTERS[usize::from(value)])
    })
}

/// The lanes of all profiles, by key id.
pub struct Lanes {
    keys: LaneKeys,
    known: RwLock<HashMap<String, Held>>,
}

impl Lanes {
    /// The first lanes of all profiles.
    pub fn new(keys: LaneKeys, profiles: &Profiles) -> Self {
        let lanes = Self {
            keys,
            known: RwLock::default(),
        };
        lanes.update(profiles);
        lanes
    }

    /// Adds the lanes of profiles that have come since. Those of profiles that have gone stay
    /// known, so that their clients are told so.
    pub fn update(&self, profiles: &Profiles) {
        for name in profiles.names() {
            // Number 0 tells whether the profile is known.
            if self.lookup(&self.keys.id(&name, 0)).is_none() {
                for number in 0..PER_PROFILE {
                    self.hand_out(&name, number);
                }
            }
        }
    }

    /// A lane's key pair, known from now on.
    pub fn hand_out(&self, profile: &str, number: u32) -> Arc<Credentials> {
        let credentials = Arc::new(self.keys.credentials(profile, number));
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(
                credentials.access_key_id.clone(),
                (Arc::from(profile), Arc::clone(&credentials)),
            );
        credentials
    }

    /// The profile and the key pair behind a lane's key id.
    pub fn lookup(&self, key_id: &str) -> Option<Held> {
        if !key_id.starts_with(PREFIX) {
            return None;
        }
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key_id)
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{LaneKeys, base32};

    #[test]
    fn base32_of_the_rfc() {
        let encode = |text: &str| base32(text.as_bytes()).collect::<String>();
        // RFC 4648 §10, whole groups of five bits only.
        assert_eq!(encode("fooba"), "MZXW6YTB");
        assert_eq!(encode("foobarfoobar"), "MZXW6YTBOJTG633CMFZ");
    }

    #[test]
    fn lanes_are_the_same_again_and_differ_from_each_other() {
        let keys = LaneKeys::new(&[7; 32]);
        let id = keys.id("pdx", 0);
        assert_eq!(id, LaneKeys::new(&[7; 32]).id("pdx", 0));
        assert_eq!(id.len(), 20);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
        );
        assert_eq!(keys.secret(&id).len(), 40);
        for other in [
            keys.id("pdx", 1),
            keys.id("iad", 0),
            LaneKeys::new(&[8; 32]).id("pdx", 0),
        ] {
            assert_ne!(id, other);
            assert_ne!(keys.secret(&id).expose(), keys.secret(&other).expose());
        }
    }

    #[test]
    fn the_install_key_is_made_once_and_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data/install.key");
        let ids: Vec<_> = std::thread::scope(|scope| {
            let start = || LaneKeys::load(&path).unwrap().id("x", 0);
            let all: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1
        );
        std::fs::write(&path, b"short").unwrap();
        assert!(
            LaneKeys::load(&path)
                .err()
                .unwrap()
                .to_string()
                .contains("5 bytes")
        );
    }
}
