//! From the unmasked draft to the record that may be shown.

use std::time::SystemTime;

use super::body::Passed;
use super::draft::{Draft, ReplyDraft, SentDraft};
use super::head::Head;
use crate::aws::error;
use crate::capture::exchange::{
    Body, Client, Exchange, Fault, Header, Identity, Reply, ReplyError, Request, Sent, Signing,
};
use crate::profile::account_of_key_id;
use crate::secret::mask::{BodyContext, Masker, Side};

/// Masks everything that the draft holds.
pub(crate) fn exchange(masker: &Masker, draft: &Draft) -> Exchange {
    let text = |value: &Option<String>| value.as_deref().map(|value| masker.text(value));
    let route = draft.route.as_ref().map(|route| {
        let mut route = route.clone();
        // Hosts, scopes and options cannot hold a secret; what is quoted from the request may.
        let quoted = |from: &str| {
            !matches!(
                from,
                "host" | "scope" | "option" | "service" | "profile" | "listener"
            )
        };
        for evidence in route
            .how
            .iter_mut()
            .filter(|evidence| quoted(&evidence.from))
        {
            evidence.evidence = masker.text(&evidence.evidence);
        }
        route
    });
    let (service, operation) = match &draft.route {
        Some(route) => (route.service.as_deref(), route.operation.as_deref()),
        None => (None, None),
    };
    let head = Head::read(&draft.received_head);
    let (_, target, _) = head.request_line();
    let scene = Scene {
        masker,
        service,
        operation,
        target: Some(target),
    };
    let received = (!draft.received_head.is_empty())
        .then(|| scene.request(&draft.received_head, &draft.received_body, &draft.origin));
    let sent = draft
        .sent
        .as_ref()
        .map(|sent| scene.sent(sent, draft, received.as_ref()));
    Exchange {
        id: draft.id,
        started_at: rfc3339(draft.started),
        door: draft.door,
        replay_of: draft.replay_of,
        client: Client {
            address: draft.client.map(|address| address.to_string()),
            lane: text(&draft.lane),
            access_key_id: draft.client_key_id.as_deref().map(|id| masker.key_id(id)),
            signature: draft.client_signature,
        },
        received,
        route,
        identity: draft.identity.as_deref().map(|resolved| {
            let credentials = &resolved.credentials;
            let account = resolved.account.clone();
            Identity {
                profile: Some(resolved.profile.to_string()),
                kind: Some(resolved.kind.to_owned()),
                account: account.or_else(|| account_of_key_id(&credentials.access_key_id)),
                access_key_id: Some(masker.key_id(&credentials.access_key_id)),
                expires_at: credentials.expires_at.map(rfc3339),
                chain: resolved
                    .chain
                    .iter()
                    .map(|hop| masker.text(&hop.to_string()))
                    .collect(),
            }
        }),
        sent,
        reply: draft.reply.as_ref().map(|reply| scene.reply(reply)),
        timing_us: draft.timing,
        fault: draft.fault.as_ref().map(|fault| Fault {
            stage: fault.stage.to_owned(),
            kind: fault.kind,
            message: masker.text(&fault.message),
        }),
        findings: draft.findings.clone(),
    }
}

/// RFC 3339 with milliseconds, UTC.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// A method or version of HTTP is no longer than this; no secret that is looked for is as short.
const LONGEST_WORD: usize = 8;

/// As long as the longest of AWS's header names.
const LONGEST_NAME: usize = 64;

struct Scene<'a> {
    masker: &'a Masker,
    service: Option<&'a str>,
    operation: Option<&'a str>,
    /// Of the request, for its reply.
    target: Option<&'a [u8]>,
}

impl Scene<'_> {
    fn request(&self, head: &[u8], body: &Passed, origin: &str) -> Request {
        let head = Head::read(head);
        let (method, target, version) = head.request_line();
        let raw_target = target;
        let target = self.masker.target(raw_target).text;
        Request {
            method: self.word(method),
            url: if target.starts_with('/') {
                format!("{origin}{target}")
            } else {
                target.to_string()
            },
            target: target.to_string(),
            version: self.word(version),
            headers: self.headers(&head),
            body: self.body(&head, Some(raw_target), body),
        }
    }

    fn sent(&self, sent: &SentDraft, draft: &Draft, received: Option<&Request>) -> Sent {
        let mut request = match &sent.body {
            Some(body) => self.request(&sent.head, body, &sent.origin),
            None => self.request(&sent.head, &Passed::empty(), &sent.origin),
        };
        if sent.body.is_none() {
            request.body = match received {
                Some(received) => received.body.clone(),
                None => {
                    let head = Head::read(&sent.head);
                    let (_, target, _) = head.request_line();
                    self.body(&head, Some(target), &draft.received_body)
                }
            };
        }
        let signing = &sent.signing;
        Sent {
            request,
            signing: Signing {
                canonical_request: signing
                    .canonical_request
                    .as_deref()
                    .map(|text| self.masker.canonical(text.as_bytes())),
                signature: signing
                    .signature
                    .as_deref()
                    .map(|text| self.masker.signature(text)),
                ..signing.clone()
            },
        }
    }

    fn reply(&self, reply: &ReplyDraft) -> Reply {
        let head = Head::read(&reply.head);
        let bytes = reply.body.bytes();
        let find = |name: &str| head.text(name);
        let error = error::parse(reply.status, &find, &bytes).map(|error| ReplyError {
            message: error.message.map(|message| self.masker.text(&message)),
            code: error.code,
        });
        Reply {
            from: reply.from,
            status: reply.status,
            version: self.word(head.status_version()),
            headers: self.headers(&head),
            body: self.body_of(
                (Side::Reply, reply.status >= 400, self.target),
                &head,
                &reply.body,
                &bytes,
            ),
            request_id: error::request_id(&find),
            error,
        }
    }

    /// A method or a version; of what is no HTTP, anything at all.
    fn word(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        if text.len() <= LONGEST_WORD {
            text.into_owned()
        } else {
            self.masker.text(&text)
        }
    }

    fn headers(&self, head: &Head<'_>) -> Vec<Header> {
        head.headers
            .iter()
            .map(|(name, value)| {
                let name = String::from_utf8_lossy(name);
                let mut value = self.masker.header(&name, value).text;
                if name.eq_ignore_ascii_case("host") && value.contains('@') {
                    // Hidden as in a URL.
                    let url = self.masker.text(&format!("http://{value}"));
                    value = url.strip_prefix("http://").unwrap_or(&url).into();
                }
                // A line without a colon is no name, whatever it is.
                let ordinary = name.len() <= LONGEST_NAME
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                let name = if ordinary {
                    name.into_owned()
                } else {
                    self.masker.text(&name)
                };
                (name, value.to_string())
            })
            .collect()
    }

    fn body(&self, head: &Head<'_>, target: Option<&[u8]>, body: &Passed) -> Body {
        self.body_of((Side::Request, false, target), head, body, &body.bytes())
    }

    fn body_of(
        &self,
        (side, failed, target): (Side, bool, Option<&[u8]>),
        head: &Head<'_>,
        body: &Passed,
        bytes: &[u8],
    ) -> Body {
        let context = BodyContext {
            service: self.service,
            operation: self.operation,
            side,
            content_type: head.text("content-type"),
            content_encoding: head.text("content-encoding"),
            aws_chunked: head
                .text("x-amz-content-sha256")
                .is_some_and(|text| text.starts_with("STREAMING-")),
            failed,
            target,
            size: body.size,
            complete: body.complete(),
            sha256: body.sha256(),
        };
        self.masker.body(&context, bytes)
    }
}
