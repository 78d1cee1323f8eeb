//! Is the signature right? Recomputed with `aws-sigv4`'s own `sign`, over the path and query
//! as this room's reader decoded and re-encoded them.
//!
//! ```text
//! Claim::read   what the client says: key, scope, signed headers, signature, instant
//! Claim::check  scope → key → token → clock → signature, each refused in AWS's words
//! Signed        who it is, and what chunk signatures continue from
//! ```

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use super::claim::Claim;
use super::errors::{Fault, Mismatch, Refusal, Shape};
use super::keyring::{Keyring, Known};
use super::reader::{self, Head, Pair};
use super::world::Principal;
use super::{hash, times};

/// What a service insists on.
pub(super) struct Expect<'a> {
    pub(super) shape: Shape,
    /// The signing name.
    pub(super) service: &'a str,
    pub(super) regions: &'a [String],
    /// Clock skew that is forgiven.
    pub(super) window_minutes: u64,
}

/// A request whose signature is right.
pub(super) struct Signed {
    pub(super) key_id: String,
    pub(super) principal: Principal,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) time: SystemTime,
    /// Hex; the seed of chunk signatures.
    pub(super) signature: String,
    pub(super) secret: String,
    /// Whether the key is temporary.
    pub(super) temporary: bool,
}

impl Claim {
    /// Checks everything about the claim but S3's own rules. `payload` is the last line of the
    /// canonical request.
    pub(super) fn check(
        self,
        head: &Head,
        payload: &str,
        expect: &Expect<'_>,
        keyring: &Keyring,
        now: SystemTime,
    ) -> Result<Signed, Fault> {
        let shape = expect.shape;
        let refuse = |refusal| Fault::refused(shape, refusal);
        self.check_scope(expect)?;
        let known = keyring
            .find(&self.key_id)
            .ok_or_else(|| refuse(Refusal::UnknownKey(self.key_id.clone())))?;
        self.check_token(&known, now).map_err(refuse)?;
        self.check_clock(expect, now)?;
        if !self.signed_headers.iter().any(|name| name == "host") {
            let message =
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(refuse(Refusal::Scope(message.into())));
        }
        let canonical_request = self.canonical_request(head, payload, shape);
        let string_to_sign = self.string_to_sign(&canonical_request);
        let expected = self
            .second_opinion(head, payload, shape, &known.secret)
            .unwrap_or_else(|| self.by_hand(&known.secret, &string_to_sign));
        if expected != self.signature {
            return Err(refuse(Refusal::Mismatch(Box::new(Mismatch {
                key_id: self.key_id,
                provided: self.signature,
                canonical_request,
                string_to_sign,
            }))));
        }
        Ok(Signed {
            key_id: self.key_id,
            principal: known.principal,
            region: self.region,
            service: self.service,
            time: self.time,
            signature: self.signature,
            secret: known.secret,
            temporary: known.token.is_some(),
        })
    }

    fn check_scope(&self, expect: &Expect<'_>) -> Result<(), Fault> {
        let refuse = |message: String| Err(Fault::refused(expect.shape, Refusal::Scope(message)));
        let date = &self.time_text[..8.min(self.time_text.len())];
        if self.terminator != "aws4_request" {
            return refuse(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                self.terminator
            ));
        }
        if self.service != expect.service {
            return refuse(format!(
                "Credential should be scoped to correct service: '{}'. ",
                expect.service
            ));
        }
        if !expect.regions.contains(&self.region) {
            return refuse(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                self.region
            ));
        }
        if self.date != date {
            return refuse(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{}' != '{date}', from '{}'.",
                self.date, self.time_text
            ));
        }
        Ok(())
    }

    fn check_token(&self, known: &Known, now: SystemTime) -> Result<(), Refusal> {
        match (&known.token, &self.token) {
            (None, None) => return Ok(()),
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(_), None) => return Err(Refusal::UnknownKey(self.key_id.clone())),
            (_, Some(given)) => return Err(Refusal::BadToken(given.clone())),
        }
        if known.expires.is_some_and(|end| end <= now) {
            return Err(Refusal::Expired(self.token.clone().unwrap_or_default()));
        }
        Ok(())
    }

    fn check_clock(&self, expect: &Expect<'_>, now: SystemTime) -> Result<(), Fault> {
        let window = Duration::from_secs(expect.window_minutes * 60);
        if let Some(lasts) = self.expires {
            return self.check_lifetime(expect.shape, lasts, window, now);
        }
        if times::ahead(now, self.time) > window || times::ahead(self.time, now) > window {
            let refusal = Refusal::Skewed {
                request: self.time,
                server: now,
                window_minutes: expect.window_minutes,
            };
            return Err(Fault::refused(expect.shape, refusal));
        }
        Ok(())
    }

    /// A presigned request lives from its date for `X-Amz-Expires` seconds.
    fn check_lifetime(
        &self,
        shape: Shape,
        lasts: Duration,
        window: Duration,
        now: SystemTime,
    ) -> Result<(), Fault> {
        let end = self.time + lasts;
        if end < now {
            let fault = if shape == Shape::S3 {
                Fault::new(403, "AccessDenied", "Request has expired")
                    .with("X-Amz-Expires", lasts.as_secs().to_string())
                    .with("Expires", times::iso(end))
                    .with("ServerTime", times::iso(now))
            } else {
                let message = format!(
                    "Signature expired: {} is now earlier than {} ({} - {} sec.)",
                    self.time_text,
                    times::basic(now - lasts),
                    times::basic(now),
                    lasts.as_secs()
                );
                Fault::refused(shape, Refusal::Scope(message))
            };
            return Err(fault);
        }
        if times::ahead(self.time, now) > window {
            return Err(Fault::new(403, "AccessDenied", "Request is not yet valid"));
        }
        Ok(())
    }

    /// The canonical request as text, for the echo.
    fn canonical_request(&self, head: &Head, payload: &str, shape: Shape) -> String {
        let path = match shape {
            Shape::S3 => s3_path(head),
            _ => reader::encode(reader::normalise(&head.path).as_bytes(), b"/"),
        };
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| format!("{name}:{}\n", header_values(head, name).join(",")))
            .collect();
        format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{payload}",
            head.method,
            reader::canonical_query(&unsigned_query(head)),
            self.signed_headers.join(";"),
        )
    }

    fn string_to_sign(&self, canonical_request: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}",
            times::basic(self.time),
            self.date,
            self.region,
            self.service,
            hash::hex(&hash::sha256(canonical_request.as_bytes()))
        )
    }

    /// The signature as `aws-sigv4` computes it; `None` for what its `sign` cannot express:
    /// escapes that are not UTF-8, header values outside ASCII.
    fn second_opinion(
        &self,
        head: &Head,
        payload: &str,
        shape: Shape,
        secret: &str,
    ) -> Option<String> {
        let query = unsigned_query(head);
        let readable = |(name, value): &Pair| {
            std::str::from_utf8(name).is_ok() && std::str::from_utf8(value).is_ok()
        };
        if !query.iter().all(readable) {
            return None;
        }
        let path = match shape {
            Shape::S3 => s3_path(head),
            _ => head.path.clone(),
        };
        let uri = format!("http://sandbox{path}?{}", reader::canonical_query(&query));
        let headers: Vec<(&str, String)> = self
            .signed_headers
            .iter()
            .map(|name| (name.as_str(), header_values(head, name).join(",")))
            .collect();
        let request = SignableRequest::new(
            &head.method,
            uri,
            headers.iter().map(|(name, value)| (*name, value.as_str())),
            SignableBody::Precomputed(payload.to_owned()),
        )
        .ok()?;
        let identity = identity(&self.key_id, secret);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time)
            .settings(self.settings(shape))
            .build()
            .ok()?;
        let (_, signature) = sign(request, &params.into()).ok()?.into_parts();
        Some(signature)
    }

    /// A presigned request is verified as a header-signed one without added headers: its
    /// canonical form is the same.
    fn settings(&self, shape: Shape) -> SigningSettings {
        let mut settings = SigningSettings::default();
        let dated = self.signed_headers.iter().any(|name| name == "x-amz-date");
        settings.excluded_headers = (!dated).then(|| vec![Cow::Borrowed("x-amz-date")]);
        if shape == Shape::S3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        settings
    }

    fn by_hand(&self, secret: &str, string_to_sign: &str) -> String {
        let key = v4::generate_signing_key(secret, self.time, &self.region, &self.service);
        v4::calculate_signature(key, string_to_sign.as_bytes())
    }
}

/// What `aws-sigv4` calls the signer.
pub(super) fn identity(key_id: &str, secret: &str) -> Identity {
    Credentials::new(key_id, secret, None, None, "sandbox").into()
}

/// The query without the signature itself.
fn unsigned_query(head: &Head) -> Vec<Pair> {
    head.query
        .iter()
        .filter(|(name, _)| name != b"X-Amz-Signature")
        .cloned()
        .collect()
}

fn s3_path(head: &Head) -> String {
    reader::encode(&head.decoded_path(), b"/")
}

/// Every value under `name`, trimmed and with runs of spaces collapsed, in order of arrival.
fn header_values(head: &Head, name: &str) -> Vec<String> {
    head.headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            words.join(" ")
        })
        .collect()
}
