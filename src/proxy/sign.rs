//! What exactly do we sign, in which mode?

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};

use super::Shared;
use super::body::{BoxError, Passed, Rewrite, Rewritten, SharedPassed, UpBody};
use super::buffer::declared_mode;
use super::draft::{Journey, SentDraft, micros};
use super::forward::{Upstream, is_vending, strip_hop_by_hop};
use super::head::Head;
use super::identify::Identified;
use super::judge::hex;
use super::received::{InBody, PROFILE_HEADER, REGION_HEADER, Received};
use super::reply::{Refusal, Refused, Uploads, shape};
use super::route::{Plan, Routed, no_route};
use crate::aws::error::Shape;
use crate::capture::exchange::{Change, ChangeAction, FaultKind, SecondOpinion, Signing};
use crate::secret::Credentials;
use crate::sigv4::{
    self, AUTH_HEADERS, ChunkResigner, ClientAuth, EMPTY_SHA256, Header, Location, PayloadMode,
    RequestView, Rules, SigningInput, UNSIGNED_PAYLOAD, host_value, strip_auth_params,
};

/// A request that may be sent, and nothing else may.
pub(crate) struct Signed {
    pub(crate) journey: Journey,
    pub(crate) ready: Ready,
    pub(crate) shape: Shape,
    pub(crate) vending: bool,
}

/// The message for hyper's client.
pub(crate) struct Ready {
    pub(crate) request: Request<UpBody>,
    pub(crate) client: Upstream,
    pub(crate) uploads: Uploads,
    pub(crate) host: String,
}

const STAGE: &str = "sign";

/// How long a presigned URL of ours lives where the client's did not say, in seconds.
const PRESIGNED_FOR: u64 = 900;

/// Signs by the mode that the request calls for.
pub(crate) fn sign(shared: &Shared, identified: Identified) -> Result<Signed, Refused> {
    let Identified {
        mut routed,
        identity,
    } = identified;
    let start = std::time::Instant::now();
    let client = match shared.upstream_for(&routed) {
        Ok(client) => client,
        Err(error) => return Err(routed.refuse(bad_tls(error))),
    };
    let mut draft = Outgoing::new(&mut routed);
    let made = match (routed.plan, &identity) {
        (Plan::Sign, Some(identity)) => draft.sign(shared, &mut routed, &identity.credentials),
        (Plan::AsSigned, _) => draft.as_signed(&routed),
        (Plan::Untouched(why), _) => Ok(draft.untouched(why)),
        (Plan::Sign, None) => Err(cannot_sign("there are no credentials".to_owned())),
    };
    let signature = match made {
        Ok(signature) => signature,
        Err(refusal) => return Err(routed.refuse(refusal)),
    };
    routed.received.journey.timing.sign = Some(micros(start));
    let credentials = identity
        .filter(|_| routed.plan == Plan::Sign)
        .map(|identity| identity.credentials.clone());
    Ok(draft.finish(shared, routed, client, signature, credentials))
}

fn cannot_sign(what: String) -> Refusal {
    let status = (StatusCode::BAD_REQUEST, "UnsignableRequest");
    Refusal::new(
        STAGE,
        FaultKind::NotAllowed,
        status,
        what,
        "send it in a form that can be signed",
    )
}

fn bad_tls(error: String) -> Refusal {
    let status = (StatusCode::BAD_GATEWAY, "BadGateway");
    Refusal::new(
        STAGE,
        FaultKind::Tls,
        status,
        error,
        "mend --ca-bundle or the profile's ca_bundle",
    )
}

/// The head as it will go upstream.
struct Outgoing {
    headers: HeaderMap,
    target: Vec<u8>,
    host: String,
    changes: Vec<Change>,
}

/// What a way of signing made.
struct Made {
    signing: Signing,
    seed: Option<sigv4::ChunkSeed>,
}

impl Outgoing {
    /// Takes the client's head, without what belongs to its connection and to us.
    fn new(routed: &mut Routed) -> Self {
        let headers = std::mem::take(&mut routed.received.headers);
        let mut outgoing = Self {
            headers,
            target: routed.target.clone().into_bytes(),
            host: host_value(
                routed.upstream.authority.as_str(),
                routed.upstream.scheme.as_str(),
            ),
            changes: std::mem::take(&mut routed.changes),
        };
        let trailers = outgoing
            .headers
            .get(TE)
            .is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers"));
        strip_hop_by_hop(&mut outgoing.headers);
        if outgoing.headers.remove(EXPECT).is_some() {
            outgoing.change(ChangeAction::Stripped, "header expect", "answered here");
        }
        for name in [PROFILE_HEADER, REGION_HEADER] {
            if outgoing.headers.remove(name).is_some() {
                outgoing.change(
                    ChangeAction::Stripped,
                    format!("header {name}"),
                    "for sigscope alone",
                );
            }
        }
        if trailers {
            outgoing
                .headers
                .insert(TE, HeaderValue::from_static("trailers"));
        }
        outgoing
    }

    fn change(&mut self, action: ChangeAction, what: impl Into<String>, why: impl Into<String>) {
        self.changes.push(Change {
            action,
            what: what.into(),
            why: why.into(),
        });
    }

    fn set_host(&mut self) -> Result<(), Refusal> {
        let value = HeaderValue::from_str(&self.host)
            .map_err(|_| cannot_sign("the upstream's host cannot stand in a header".to_owned()))?;
        let before = self.headers.insert(HOST, value);
        if before
            .as_ref()
            .is_none_or(|before| before.as_bytes() != self.host.as_bytes())
        {
            self.change(ChangeAction::Rewritten, "header host", "the upstream's own");
        }
        Ok(())
    }

    fn strip_authentication(&mut self, auth: &ClientAuth) {
        for name in AUTH_HEADERS {
            if self.headers.remove(*name).is_some() {
                let (action, why) = match *name {
                    "authorization" | "x-amz-date" => (ChangeAction::Rewritten, "signed anew"),
                    _ => (ChangeAction::Stripped, "part of the client's own signature"),
                };
                self.change(action, format!("header {name}"), why);
            }
        }
        if let Some(target) = strip_auth_params(&self.target, auth) {
            self.target = target;
            self.change(
                ChangeAction::Rewritten,
                "query X-Amz-*",
                "the client's own signature",
            );
        }
    }

    fn sign(
        &mut self,
        shared: &Shared,
        routed: &mut Routed,
        credentials: &Arc<Credentials>,
    ) -> Result<Made, Refusal> {
        if routed.signing_name.is_empty() {
            return Err(no_route(
                "nothing in the request names a service to sign for",
                "sign it with any key, send AWS's Host, or bind a port: --listen ADDR=https://ITS-HOST",
            ));
        }
        if routed.region.is_empty() {
            return Err(no_route(
                "nothing names the region to sign for",
                "--region REGION",
            ));
        }
        let rules = Rules::for_signing_name(&routed.signing_name);
        let mode = declared_mode(&self.headers);
        let mode = self.mode(&routed.received, routed.upstream.is_tls(), rules, mode)?;
        self.strip_authentication(&routed.received.auth);
        self.set_host()?;
        let presigned = match &routed.received.auth {
            ClientAuth::SigV4(auth) if auth.location == Location::Query => {
                Some(auth.expires.unwrap_or(PRESIGNED_FOR))
            }
            _ => None,
        };
        let line = self.payload_line(routed, &mode, presigned.is_some());
        let also: Vec<&str> = match &routed.received.auth {
            ClientAuth::SigV4(auth) => auth.signed_headers.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let headers = std::mem::take(&mut self.headers);
        let pairs: Vec<Header<'_>> = headers
            .iter()
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .collect();
        let input = SigningInput {
            credentials,
            region: &routed.region,
            service: &routed.signing_name,
            time: shared.now(),
            rules,
            view: RequestView {
                method: routed.received.method.as_str(),
                target: &self.target,
                headers: &pairs,
                payload: &line,
            },
            also: &also,
        };
        let signed = match presigned {
            Some(expires) => sigv4::presign(&input, &shared.keys, expires),
            None => sigv4::sign_headers(&input, &shared.keys),
        };
        drop(pairs);
        self.headers = headers;
        let signed = signed.map_err(|error| cannot_sign(error.to_string()))?;
        if signed.target.is_none() && self.target.contains(&b'+') && self.query_has_plus() {
            self.change(
                ChangeAction::Noted,
                "query",
                "a bare + is signed as a space (%20), and sent as it is",
            );
        }
        self.apply(signed, &mode)
    }

    fn query_has_plus(&self) -> bool {
        memchr::memchr(b'?', &self.target).is_some_and(|at| self.target[at..].contains(&b'+'))
    }

    /// What becomes of the body.
    fn mode(
        &mut self,
        received: &Received,
        tls: bool,
        rules: Rules,
        declared: PayloadMode,
    ) -> Result<PayloadMode, Refusal> {
        let s3 = !rules.double_encode;
        match declared {
            PayloadMode::Events => Err(cannot_sign(
                "event streams need HTTP/2 and a signature on each message, which is not supported"
                    .to_owned(),
            )),
            PayloadMode::StreamingEcdsa | PayloadMode::StreamingEcdsaTrailer => Err(cannot_sign(
                "its chunks are signed with SigV4a, which needs the client's own key".to_owned(),
            )),
            PayloadMode::Undeclared
                if s3 && tls && matches!(received.body, InBody::Arriving(_)) =>
            {
                self.change(
                    ChangeAction::Added,
                    "header x-amz-content-sha256",
                    "the body is not signed, over TLS",
                );
                Ok(PayloadMode::Unsigned)
            }
            mode => Ok(mode),
        }
    }

    fn payload_line(&mut self, routed: &Routed, mode: &PayloadMode, presigned: bool) -> String {
        let received = &routed.received;
        let body_hash = || match received.journey.received_body.sha256() {
            Some(hash) => hex(hash),
            None => EMPTY_SHA256.to_owned(),
        };
        match mode.line() {
            Some(line) => {
                if *mode == PayloadMode::Unsigned && !presigned {
                    self.headers
                        .entry("x-amz-content-sha256")
                        .or_insert_with(|| HeaderValue::from_static(UNSIGNED_PAYLOAD));
                }
                line.to_owned()
            }
            None if presigned => match sigv4::presigned_payload(&routed.signing_name, "") {
                "" => body_hash(),
                literal => literal.to_owned(),
            },
            None => body_hash(),
        }
    }

    fn apply(&mut self, signed: sigv4::Signed, mode: &PayloadMode) -> Result<Made, Refusal> {
        for (name, value) in &signed.headers_added {
            let value = HeaderValue::from_bytes(value.expose()).map_err(|_| {
                cannot_sign(format!(
                    "the credentials hold bytes that no header may carry ({name})"
                ))
            })?;
            let known = HeaderName::from_static(name);
            let replaced = self
                .changes
                .iter()
                .any(|change| change.what.strip_prefix("header ") == Some(*name));
            if !replaced {
                self.change(
                    ChangeAction::Added,
                    format!("header {name}"),
                    "the signature",
                );
            }
            self.headers.insert(known, value);
        }
        if let Some(target) = &signed.target {
            self.target.clone_from(target);
            self.change(ChangeAction::Added, "query X-Amz-*", "the signature");
        }
        let place = if signed.location == Location::Query {
            "query"
        } else {
            "header"
        };
        let signing = Signing {
            algorithm: Some(sigv4::ALGORITHM.to_owned()),
            mode: format!("{place}/{}", mode_name(mode)),
            credential_scope: Some(signed.scope.to_string()),
            signed_headers: signed.signed_headers().map(str::to_owned).collect(),
            canonical_request: Some(String::from_utf8_lossy(signed.canonical.text()).into_owned()),
            string_to_sign: Some(signed.string_to_sign.clone()),
            signature: Some(signed.signature.clone()),
            changes: Vec::new(),
            second_opinion: SecondOpinion::NotAsked,
        };
        let chunked = matches!(
            mode,
            PayloadMode::StreamingSigned | PayloadMode::StreamingSignedTrailer
        );
        Ok(Made {
            signing,
            seed: chunked.then(|| signed.chunk_seed()),
        })
    }

    fn as_signed(&mut self, routed: &Routed) -> Result<Made, Refusal> {
        let upstream = routed.upstream.authority.as_str();
        if !routed.received.host.eq_ignore_ascii_case(upstream) {
            let mut refusal = cannot_sign(format!(
                "it is signed for the host {}, and would go to {upstream}: passed on as signed, it cannot be valid",
                routed.received.host
            ));
            "send it through the reverse door with AWS's Host, or without --as-signed"
                .clone_into(&mut refusal.fix);
            return Err(refusal);
        }
        Ok(Made {
            signing: untouched_signing("as-signed".to_owned()),
            seed: None,
        })
    }

    fn untouched(&mut self, why: &str) -> Made {
        let _ = self.set_host();
        self.change(ChangeAction::Noted, "signature", why);
        Made {
            signing: untouched_signing("untouched".to_owned()),
            seed: None,
        }
    }

    /// Puts message and record together.
    fn finish(
        mut self,
        shared: &Shared,
        routed: Routed,
        client: Upstream,
        made: Made,
        credentials: Option<Arc<Credentials>>,
    ) -> Signed {
        let Made { mut signing, seed } = made;
        let shape = shape(routed.service, |name| text(&self.headers, name));
        let kept = shared.options.limits.body_kept;
        let Received {
            mut journey,
            method,
            extensions,
            body,
            client_seed,
            ..
        } = routed.received;
        let (body, uploads) = match (body, seed) {
            (InBody::Full(bytes), None) => {
                if !bytes.is_empty()
                    && !journey.received_body.complete()
                    && journey.received_body.size == 0
                {
                    journey.received_body = Passed::whole(bytes.clone(), kept);
                }
                (UpBody::Full(Some(bytes)), Uploads::default())
            }
            (InBody::Arriving(body), None) => {
                let account = SharedPassed::new(Passed::new(kept, true));
                let uploads = Uploads {
                    received: Some(account.clone()),
                    sent: None,
                };
                (UpBody::Stream { body, account }, uploads)
            }
            (body, Some(seed)) => {
                let trailer = signing.mode.ends_with("trailer");
                let resigner = ChunkResigner::new(
                    seed,
                    client_seed,
                    trailer,
                    shared.options.limits.signed_chunk,
                );
                rewritten(body, Box::new(Chunks(resigner)), kept)
            }
        };
        self.frame(&body);
        signing.changes = self.changes;
        let head = head_bytes(
            method.as_str(),
            &self.target,
            &self.headers,
            &journey.received_head,
        );
        journey.sent = Some(SentDraft {
            at: shared.now(),
            origin: routed.upstream.origin(),
            head,
            body: None,
            signing,
            credentials,
        });
        let vending = is_vending(&journey);
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri(&routed.upstream, &self.target);
        *request.headers_mut() = self.headers;
        *request.extensions_mut() = extensions;
        let ready = Ready {
            request,
            client,
            uploads,
            host: routed.upstream.host().to_owned(),
        };
        Signed {
            journey,
            ready,
            shape,
            vending,
        }
    }

    /// Writes the framing that hyper would choose, so that the record shows it.
    fn frame(&mut self, body: &UpBody) {
        if self.headers.contains_key(CONTENT_LENGTH) {
            return;
        }
        match http_body::Body::size_hint(body).exact() {
            Some(0) => {}
            Some(size) => {
                self.headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
            }
            None => {
                self.headers
                    .insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
                return;
            }
        }
        self.headers.remove(TRAILER);
    }
}

fn untouched_signing(mode: String) -> Signing {
    Signing {
        mode,
        ..Signing::default()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn mode_name(mode: &PayloadMode) -> &'static str {
    match mode {
        PayloadMode::Undeclared => "signed",
        PayloadMode::DeclaredHash(_) => "declared-hash",
        PayloadMode::Unsigned => "unsigned-payload",
        PayloadMode::StreamingUnsignedTrailer => "streaming-unsigned-trailer",
        PayloadMode::StreamingSigned => "streaming-signed",
        PayloadMode::StreamingSignedTrailer => "streaming-signed-trailer",
        PayloadMode::StreamingEcdsa | PayloadMode::StreamingEcdsaTrailer => "streaming-sigv4a",
        PayloadMode::Events => "events",
        PayloadMode::Unknown(_) => "unknown",
    }
}

fn rewritten(body: InBody, rewrite: Box<dyn Rewrite>, kept: usize) -> (UpBody, Uploads) {
    let account = SharedPassed::new(Passed::new(kept, false));
    let sent = SharedPassed::new(Passed::new(kept, false));
    let uploads = Uploads {
        received: Some(account.clone()),
        sent: Some(sent.clone()),
    };
    let body = UpBody::Rewritten(Box::new(Rewritten {
        body,
        account,
        sent,
        rewrite,
        ready: VecDeque::new(),
        finished: false,
    }));
    (body, uploads)
}

/// Signs the chunks of an `aws-chunked` body anew.
struct Chunks(ChunkResigner);

impl Rewrite for Chunks {
    fn push(&mut self, data: Bytes) -> Result<Vec<Bytes>, BoxError> {
        Ok(self.0.push(data)?)
    }

    fn finish(&mut self) -> Result<Vec<Bytes>, BoxError> {
        self.0.finish()?;
        Ok(Vec::new())
    }

    fn complaint(&self) -> Option<String> {
        let bad = self.0.report().first_bad.as_ref()?;
        let part = if bad.trailer {
            "the trailer".to_owned()
        } else {
            format!("chunk {}", bad.index)
        };
        Some(format!(
            "the client's signature of {part}, at byte {} of the body, is wrong",
            bad.offset
        ))
    }
}

fn uri(upstream: &super::options::Endpoint, target: &[u8]) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(upstream.scheme.clone());
    parts.authority = Some(upstream.authority.clone());
    parts.path_and_query = target.try_into().ok();
    Uri::from_parts(parts).unwrap_or_default()
}

/// The head as hyper writes it: in the case that the client used, where it used the name.
fn head_bytes(method: &str, target: &[u8], headers: &HeaderMap, received: &[u8]) -> Vec<u8> {
    let original = Head::read(received);
    let mut head = Vec::with_capacity(received.len() + 512);
    head.extend_from_slice(method.as_bytes());
    head.push(b' ');
    head.extend_from_slice(target);
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        let lower = name.as_str().as_bytes();
        let spelled = original
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(lower));
        head.extend_from_slice(spelled.map_or(lower, |(spelled, _)| spelled));
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
