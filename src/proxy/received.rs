//! A request that has entered: what every later stage starts from.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Method};

pub(crate) use super::body::InBody;

use super::draft::Journey;
use super::front::Listener;
use super::head::Head;
use super::reply::{Refusal, Refused, shape};
use crate::sigv4::{ChunkSeed, ClientAuth, RequestView, Scope, client_auth};

/// Names the profile to sign as; stripped.
pub(crate) const PROFILE_HEADER: &str = "x-sigscope-profile";
/// Names the region to sign for; stripped.
pub(crate) const REGION_HEADER: &str = "x-sigscope-region";

/// A request inside the corridor, before anything is decided about it.
pub(crate) struct Received {
    pub(crate) journey: Journey,
    /// `None` for replays.
    pub(crate) listener: Option<Arc<Listener>>,
    pub(crate) method: Method,
    /// Path and query, raw.
    pub(crate) target: String,
    /// The authority that the client named.
    pub(crate) host: String,
    pub(crate) headers: HeaderMap,
    /// hyper keeps the case of header names here.
    pub(crate) extensions: Extensions,
    pub(crate) body: InBody,
    pub(crate) auth: ClientAuth,
    pub(crate) asked_profile: Option<String>,
    pub(crate) asked_region: Option<String>,
    /// For checking the chunks that the client signed.
    pub(crate) client_seed: Option<ChunkSeed>,
    /// Whether the client named us, not AWS: of a replay, whether it did so the first time.
    pub(crate) to_us: bool,
    /// Sent again by the operator: signed as he says, whoever signed it first. What it was
    /// signed as then: service and region.
    pub(crate) replay: Option<(Option<String>, Option<String>)>,
}

impl Received {
    /// Reads who the caller says it is, from its signature and from our own headers.
    pub(crate) fn read_claims(&mut self) {
        self.asked_profile = self.header(PROFILE_HEADER).map(str::to_owned);
        self.asked_region = self.header(REGION_HEADER).map(str::to_owned);
        let head = Head::read(&self.journey.received_head);
        let view = RequestView {
            method: self.method.as_str(),
            target: self.target.as_bytes(),
            headers: &head.headers,
            payload: "",
        };
        self.auth = client_auth(&view);
        self.journey.client_key_id = self.key_id().map(str::to_owned);
    }

    /// The key id of the client's own signature.
    pub(crate) fn key_id(&self) -> Option<&str> {
        match &self.auth {
            ClientAuth::SigV4(auth) => Some(&auth.access_key_id),
            ClientAuth::SigV4a(auth) => Some(&auth.access_key_id),
            ClientAuth::SigV2 { access_key_id, .. } => Some(access_key_id),
            _ => None,
        }
    }

    /// The scope of the client's own signature.
    pub(crate) fn scope(&self) -> Option<&Scope> {
        match &self.auth {
            ClientAuth::SigV4(auth) => Some(&auth.scope),
            _ => None,
        }
    }

    /// A header's value, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Ends the journey with an answer of our own, in the shape that the request suggests.
    pub(crate) fn refuse(self, refusal: Refusal) -> Refused {
        let shape = shape(None, |name| self.header(name));
        Refused {
            journey: self.journey,
            refusal: Box::new(refusal),
            shape,
        }
    }

    /// Path without query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Query without the question mark.
    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}
