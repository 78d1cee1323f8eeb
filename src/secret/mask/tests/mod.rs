mod bodies;
mod golden;
mod leaks;
mod values;

use super::*;
use crate::secret::{Credentials, Secret};

pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(super) const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

pub(super) fn salt() -> [u8; 32] {
    let mut salt = [0; 32];
    let text = b"per-session-random-salt";
    salt[..text.len()].copy_from_slice(text);
    salt
}

pub(super) fn masker() -> Masker {
    let options = Options {
        payloads: false,
        decoded_limit: 1 << 20,
    };
    Masker::new(salt(), options)
}

pub(super) fn reply<'a>(service: &'a str, operation: &'a str) -> BodyContext<'a> {
    BodyContext {
        service: Some(service),
        operation: Some(operation),
        side: Side::Reply,
        ..BodyContext::default()
    }
}

pub(super) fn shown(masker: &Masker, about: &BodyContext<'_>, bytes: &[u8]) -> String {
    masker.body(about, bytes).text.unwrap_or_default()
}
