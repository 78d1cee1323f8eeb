//! A failed exchange taken apart: what the rules ask about.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::history::History;
use super::wire::Head;
use crate::aws::{self, HostFacts};
use crate::capture::Exchange;
use crate::capture::exchange::ReplyFrom;
use crate::secret::{Credentials, Raw};
use crate::sigv4::{ClientAuth, RequestView, Scope, SigV4Auth, client_auth};

/// As much of a reply's body as the rules read.
const BODY_READ: usize = 64 * 1024;

/// One failed exchange.
pub(super) struct Scene<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) raw: &'a Raw,
    pub(super) history: &'a History,
    /// What AWS saw; what the client sent, where nothing went upstream.
    pub(super) sent: Head<'a>,
    pub(super) auth: ClientAuth,
    pub(super) host: String,
    pub(super) host_facts: Option<HostFacts>,
    /// Empty where the reply names none.
    pub(super) code: &'a str,
    /// The error's message; a short body that is plain text; else empty.
    pub(super) message: Cow<'a, str>,
    /// The reply's body, masked.
    pub(super) body: &'a str,
    /// 0 without a reply of AWS's.
    pub(super) status: u16,
    /// The reply's `Date`, else when the exchange began.
    pub(super) now: Option<Timestamp>,
    /// Whether sigscope's own signature went upstream.
    pub(super) resigned: bool,
}

impl<'a> Scene<'a> {
    pub(super) fn read(exchange: &'a Exchange, raw: &'a Raw, history: &'a History) -> Self {
        let sent = Head::read(
            raw.sent
                .as_ref()
                .map_or(&raw.received.head, |sent| &sent.head),
        );
        let view = RequestView {
            method: sent.method(),
            target: sent.target().as_bytes(),
            headers: &sent.headers,
            payload: "",
        };
        let auth = client_auth(&view);
        let upstream = exchange
            .route
            .as_ref()
            .and_then(|route| route.upstream.as_deref());
        let upstream = upstream
            .and_then(|upstream| upstream.split_once("://"))
            .map(|(_, host)| host);
        let in_head = sent.header("host");
        let host = if raw.sent.is_some() {
            in_head.or(upstream)
        } else {
            upstream.or(in_head)
        };
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let name = host.split(':').next().unwrap_or_default();
        let reply = exchange
            .reply
            .as_ref()
            .filter(|reply| reply.from == ReplyFrom::Upstream);
        let error = reply.and_then(|reply| reply.error.as_ref());
        let body = reply
            .and_then(|reply| reply.body.text.as_deref())
            .unwrap_or_default();
        let body = &body[..body.floor_char_boundary(BODY_READ)];
        let message = error
            .and_then(|error| error.message.as_deref())
            .unwrap_or_else(|| plain_text(body));
        let date = reply.and_then(|_| {
            let head = Head::read(&raw.reply.as_ref()?.head);
            jiff::fmt::rfc2822::parse(head.header("date")?).ok()
        });
        let began = exchange.started_at.parse().ok();
        let mode = exchange
            .sent
            .as_ref()
            .map_or("", |sent| sent.signing.mode.as_str());
        Self {
            exchange,
            raw,
            history,
            auth,
            host_facts: aws::host(name),
            host,
            code: error
                .and_then(|error| error.code.as_deref())
                .unwrap_or_default(),
            message: Cow::Borrowed(message),
            body,
            status: reply.map_or(0, |reply| reply.status),
            now: date.map(|date| date.timestamp()).or(began),
            resigned: mode.starts_with("header") || mode.starts_with("query"),
            sent,
        }
    }

    /// A header of the reply.
    pub(super) fn reply_header(&self, name: &str) -> Option<&'a str> {
        let reply = self.exchange.reply.as_ref()?;
        let found = reply
            .headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The signature that AWS saw, where it is Version 4.
    pub(super) fn sigv4(&self) -> Option<&SigV4Auth> {
        match &self.auth {
            ClientAuth::SigV4(auth) => Some(auth),
            _ => None,
        }
    }

    pub(super) fn scope(&self) -> Option<&Scope> {
        self.sigv4().map(|auth| &auth.scope)
    }

    /// The access key id that AWS saw.
    pub(super) fn key_id(&self) -> Option<&str> {
        match &self.auth {
            ClientAuth::SigV4(auth) => Some(&auth.access_key_id),
            ClientAuth::SigV4a(auth) => Some(&auth.access_key_id),
            ClientAuth::SigV2 { access_key_id, .. } => Some(access_key_id),
            _ => None,
        }
    }

    /// The credentials behind the signature that AWS saw, where we hold them.
    pub(super) fn credentials(&self) -> Option<&'a Credentials> {
        let held = if self.resigned {
            &self.raw.signed_with
        } else {
            &self.raw.client_credentials
        };
        held.as_deref()
    }

    pub(super) fn service(&self) -> &str {
        let routed = self
            .exchange
            .route
            .as_ref()
            .and_then(|route| route.service.as_deref());
        routed
            .or_else(|| {
                self.host_facts
                    .as_ref()?
                    .services
                    .first()
                    .map(|service| service.name)
            })
            .unwrap_or_default()
    }

    pub(super) fn operation(&self) -> &str {
        self.exchange
            .route
            .as_ref()
            .and_then(|route| route.operation.as_deref())
            .unwrap_or_default()
    }

    /// The region that was signed for, else the one the request was routed to.
    pub(super) fn region(&self) -> Option<&str> {
        let signed = self
            .scope()
            .map(|scope| scope.region.as_str())
            .filter(|region| !region.is_empty());
        signed.or_else(|| self.exchange.route.as_ref()?.region.as_deref())
    }

    pub(super) fn profile(&self) -> Option<&str> {
        self.exchange.identity.as_ref()?.profile.as_deref()
    }

    pub(super) fn bucket(&self) -> Option<&str> {
        if self.service() != "s3" {
            return None;
        }
        let by_host = self
            .host_facts
            .as_ref()
            .and_then(|facts| facts.bucket.as_deref());
        by_host.or_else(|| {
            self.path()
                .trim_start_matches('/')
                .split('/')
                .next()
                .filter(|bucket| !bucket.is_empty())
        })
    }

    pub(super) fn object(&self) -> Option<&str> {
        if self.service() != "s3" {
            return None;
        }
        let path = self.path().trim_start_matches('/');
        let in_host = self
            .host_facts
            .as_ref()
            .is_some_and(|facts| facts.bucket.is_some());
        let key = if in_host {
            path
        } else {
            path.split_once('/').map_or("", |(_, key)| key)
        };
        (!key.is_empty()).then_some(key)
    }

    pub(super) fn path(&self) -> &'a str {
        self.sent.target().split('?').next().unwrap_or_default()
    }

    /// A parameter of a query-protocol call, from body or target, decoded.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        let body = String::from_utf8_lossy(&self.raw.received.body);
        let find = |text: &str| {
            text.split('&').find_map(|pair| {
                let (given, value) = pair.split_once('=').unwrap_or((pair, ""));
                (given == name).then(|| value.replace('+', " "))
            })
        };
        let value = find(&body).or_else(|| find(self.sent.query()))?;
        Some(
            percent_encoding::percent_decode_str(&value)
                .decode_utf8_lossy()
                .into_owned(),
        )
    }

    /// An element of S3's `<Error>`.
    pub(super) fn element(&self, name: &str) -> Option<&'a str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(value, _)| value)
    }

    /// When the request says that it was signed.
    pub(super) fn signed_at(&self) -> Option<Timestamp> {
        amz_date(self.sigv4()?.amz_date.as_deref()?)
    }

    /// How far the signature's time is behind AWS's: negative where it is ahead.
    pub(super) fn behind(&self) -> Option<SignedDuration> {
        let in_message = aws_time(&self.message);
        let in_body = self
            .element("ServerTime")
            .and_then(|text| text.parse().ok());
        let server = in_message.or(in_body).or(self.reply_date())?;
        Some(server.duration_since(self.signed_at()?))
    }

    /// How far our own clock is behind AWS's.
    pub(super) fn own_clock_behind(&self) -> Option<SignedDuration> {
        let began: Timestamp = self.exchange.started_at.parse().ok()?;
        let took = self.exchange.timing_us.first_byte.unwrap_or(0);
        let ours = began + SignedDuration::from_micros(i64::try_from(took).unwrap_or(0));
        Some(self.reply_date()?.duration_since(ours))
    }

    fn reply_date(&self) -> Option<Timestamp> {
        jiff::fmt::rfc2822::parse(self.reply_header("date")?)
            .ok()
            .map(|date| date.timestamp())
    }
}

/// What an agent or a gateway says without any form.
fn plain_text(body: &str) -> &str {
    let text = body.trim();
    if text.len() > 2048 || text.starts_with(['<', '{', '[']) {
        ""
    } else {
        text
    }
}

/// `20261122T101500Z`
pub(super) fn amz_date(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// The server's time in `(20170111T230949Z - 15 min.)`.
fn aws_time(message: &str) -> Option<Timestamp> {
    let (_, rest) = message.rsplit_once('(')?;
    amz_date(rest.get(..16)?)
}

/// `4 min 12 s`
pub(super) fn human(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    match (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} min"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, 0, _) => format!("{h} h"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// Values by name: what a pattern captured.
pub(super) type Captures = HashMap<String, String>;
