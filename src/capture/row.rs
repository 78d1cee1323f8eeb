use std::borrow::Cow;

use jiff::Timestamp;

use super::exchange::{Body, ClientSignature, Door, Exchange, ReplyFrom, Role};

/// Bytes of all of a row's texts together. With the fixed part, the list's slot and the
/// allocator's header a row stays within 512 bytes.
const TEXT_MAX: usize = 352;
const _: () = assert!(size_of::<(u64, Row)>() + TEXT_MAX + 16 <= 512);

/// What each text may take, in the order of [`Field`]. The path gets what the others leave.
const MAX: [usize; FIELDS] = [36, 36, 36, 56, 24, 12, 64, 160, 48, 24];
const FIELDS: usize = 10;

/// The line of one exchange in the list: what can be shown and filtered without reading the
/// whole record. Texts are bounded; longer ones lose their middle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 1, by arrival.
    pub id: u64,
    /// The exchange that this one repeats.
    pub replay_of: Option<u64>,
    /// Milliseconds since 1970, UTC.
    pub started_at: i64,
    /// Microseconds until both bodies had ended.
    pub total_us: Option<u64>,
    /// Bytes of the request's body, as received.
    pub request_size: u64,
    /// Bytes of the reply's body.
    pub reply_size: u64,
    /// HTTP status of the reply, if there was one.
    pub status: Option<u16>,
    /// How it came in.
    pub door: Door,
    /// The verdict on the client's own signature.
    pub signature: ClientSignature,
    /// Whether the operator should look at it: [`Exchange::failed`].
    pub failed: bool,
    /// The reply is an error.
    pub error: bool,
    /// We made the reply ourselves.
    pub refused: bool,
    /// Something in a body was masked.
    pub masked: bool,
    /// A body was longer than what was kept.
    pub cut: bool,
    pub(crate) texts: Texts,
}

impl Row {
    /// The row of an exchange.
    pub fn of(exchange: &Exchange) -> Self {
        let reply = exchange.reply.as_ref();
        let size = |body: Option<&Body>| body.map_or(0, |body| body.size);
        let started_at = exchange.started_at.parse::<Timestamp>();
        let (mut masked, mut cut) = (false, false);
        for body in bodies(exchange) {
            masked |= body.masked > 0;
            cut |= body.kept < body.size;
        }
        Self {
            id: exchange.id,
            replay_of: exchange.replay_of,
            started_at: started_at.map_or(0, Timestamp::as_millisecond),
            total_us: exchange.timing_us.total,
            request_size: size(exchange.received.as_ref().map(|request| &request.body)),
            reply_size: size(reply.map(|reply| &reply.body)),
            status: reply.map(|reply| reply.status),
            door: exchange.door,
            signature: exchange.client.signature,
            failed: exchange.failed(),
            error: reply.is_some_and(|reply| reply.status >= 400 || reply.error.is_some()),
            refused: reply.is_some_and(|reply| reply.from == ReplyFrom::Sigscope),
            masked,
            cut,
            texts: texts_of(exchange),
        }
    }

    /// As whom it was signed.
    pub fn profile(&self) -> Option<&str> {
        self.texts.some(Field::Profile)
    }

    /// The profile of the lane whose key signed it.
    pub fn lane(&self) -> Option<&str> {
        self.texts.some(Field::Lane)
    }

    /// botocore's directory name.
    pub fn service(&self) -> Option<&str> {
        self.texts.some(Field::Service)
    }

    /// The bare operation.
    pub fn operation(&self) -> Option<&str> {
        self.texts.some(Field::Operation)
    }

    /// Service and operation as the list names them: `sts.GetCallerIdentity`, the service
    /// alone, or `?`.
    pub fn call(&self) -> &str {
        self.texts.call().unwrap_or("?")
    }

    /// The region in the credential scope.
    pub fn region(&self) -> Option<&str> {
        self.texts.some(Field::Region)
    }

    /// The request's method; empty when no request could be read.
    pub fn method(&self) -> &str {
        self.texts.get(Field::Method)
    }

    /// The upstream's authority, else the one that the client named.
    pub fn host(&self) -> &str {
        self.texts.get(Field::Host)
    }

    /// The target with its query where that fits, else the path.
    pub fn path(&self) -> &str {
        self.texts.get(Field::Path)
    }

    /// One word on what is notable: the cause's code, else AWS's error code, else the kind
    /// of fault, else the first note's code.
    pub fn why(&self) -> Option<&str> {
        self.texts.some(Field::Why)
    }

    /// The masked key id that it was signed with, else the client's.
    pub fn key_id(&self) -> Option<&str> {
        self.texts.some(Field::Key)
    }

    /// The client's own signature in one word: `unsigned`, `lane`, `valid`, `invalid`,
    /// `unknown-key`.
    pub fn signed(&self) -> &'static str {
        match self.signature {
            ClientSignature::None => "unsigned",
            ClientSignature::Valid if self.lane().is_some() => "lane",
            other => other.as_str(),
        }
    }

    /// Bytes that it occupies, with its heap.
    pub fn footprint(&self) -> usize {
        size_of::<Self>() + self.texts.text.len() + 16
    }
}

/// The texts of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Profile,
    Lane,
    Service,
    Operation,
    Region,
    Method,
    Host,
    Path,
    Why,
    Key,
}

/// Ten short strings in one allocation; an absent one is empty. Service and operation lie
/// side by side with a dot between them, so that `call` is a slice too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    text: Box<str>,
    spans: [(u16, u16); FIELDS],
}

impl Texts {
    /// Packs the texts, in the order of [`Field`].
    pub(crate) fn pack(texts: [&str; FIELDS]) -> Self {
        let cut: [Cow<'_, str>; FIELDS] = std::array::from_fn(|field| {
            let room = if field == Field::Path as usize {
                MAX[field].min(path_room(&texts))
            } else {
                MAX[field]
            };
            shorten(texts[field], room)
        });
        let mut text = String::with_capacity(cut.iter().map(|text| text.len()).sum::<usize>() + 1);
        let spans = std::array::from_fn(|field| {
            if field == Field::Operation as usize {
                text.push('.');
            }
            let start = text.len();
            push_printable(&mut text, &cut[field]);
            (start as u16, text.len() as u16)
        });
        Self {
            text: text.into_boxed_str(),
            spans,
        }
    }

    pub(crate) fn get(&self, field: Field) -> &str {
        let (start, end) = self.spans[field as usize];
        self.text.get(start.into()..end.into()).unwrap_or_default()
    }

    pub(crate) fn some(&self, field: Field) -> Option<&str> {
        Some(self.get(field)).filter(|text| !text.is_empty())
    }

    fn call(&self) -> Option<&str> {
        let service = self.some(Field::Service)?;
        if self.some(Field::Operation).is_none() {
            return Some(service);
        }
        let start = self.spans[Field::Service as usize].0;
        let end = self.spans[Field::Operation as usize].1;
        self.text.get(start.into()..end.into())
    }
}

fn texts_of(exchange: &Exchange) -> Texts {
    let request = exchange.received.as_ref();
    let route = exchange.route.as_ref();
    let identity = exchange.identity.as_ref();
    let mut texts = [
        text(identity.map(|identity| &identity.profile)),
        text(Some(&exchange.client.lane)),
        text(route.map(|route| &route.service)),
        text(route.map(|route| &route.operation)),
        text(route.map(|route| &route.region)),
        request.map_or("", |request| &request.method),
        host(exchange),
        request.map_or("", |request| &request.target),
        why(exchange).unwrap_or_default(),
        identity
            .and_then(|identity| identity.access_key_id.as_deref())
            .or(exchange.client.access_key_id.as_deref())
            .unwrap_or_default(),
    ];
    let path = &mut texts[Field::Path as usize];
    *path = origin_form(path);
    if texts[Field::Path as usize].len() > MAX[Field::Path as usize].min(path_room(&texts)) {
        let path = &mut texts[Field::Path as usize];
        *path = path.split('?').next().unwrap_or_default();
    }
    Texts::pack(texts)
}

fn text(field: Option<&Option<String>>) -> &str {
    field.and_then(|field| field.as_deref()).unwrap_or_default()
}

fn bodies(exchange: &Exchange) -> impl Iterator<Item = &Body> {
    let received = exchange.received.as_ref().map(|request| &request.body);
    let sent = exchange.sent.as_ref().map(|sent| &sent.request.body);
    let reply = exchange.reply.as_ref().map(|reply| &reply.body);
    [received, sent, reply].into_iter().flatten()
}

fn host(exchange: &Exchange) -> &str {
    let upstream = exchange
        .route
        .as_ref()
        .and_then(|route| route.upstream.as_deref());
    let url = upstream.or(exchange
        .received
        .as_ref()
        .map(|request| request.url.as_str()));
    let authority = url
        .and_then(|url| url.split_once("://"))
        .map(|(_, rest)| rest);
    let authority = authority.and_then(|rest| rest.split(['/', '?', '#']).next());
    authority.unwrap_or_default()
}

/// The target of an absolute-form request line begins behind its authority.
fn origin_form(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest
            .find(['/', '?'])
            .map_or("/", |at| rest.get(at..).unwrap_or_default()),
        _ => target,
    }
}

fn why(exchange: &Exchange) -> Option<&str> {
    let cause = exchange
        .findings
        .iter()
        .find(|finding| finding.role == Role::Cause);
    let error = || exchange.reply.as_ref()?.error.as_ref()?.code.as_deref();
    let fault = || exchange.fault.as_ref().map(|fault| fault.kind.as_str());
    cause
        .map(|finding| finding.code.as_str())
        .or_else(error)
        .or_else(fault)
        .or_else(|| {
            exchange
                .findings
                .first()
                .map(|finding| finding.code.as_str())
        })
}

fn path_room(texts: &[&str; FIELDS]) -> usize {
    let others = (0..FIELDS).filter(|&field| field != Field::Path as usize);
    let taken: usize = others.map(|field| texts[field].len().min(MAX[field])).sum();
    TEXT_MAX - 1 - taken
}

/// At most `max` bytes: the middle gives way to an ellipsis, as the ends tell more.
pub(crate) fn shorten(text: &str, max: usize) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let room = max.saturating_sub(ELLIPSIS.len());
    let head = text.floor_char_boundary(room - room / 2);
    let tail = text.ceil_char_boundary(text.len() - room / 2);
    Cow::Owned(format!("{}{ELLIPSIS}{}", &text[..head], &text[tail..]))
}

/// Control characters could steer a terminal; one byte wide, so that bounds still hold.
fn push_printable(to: &mut String, text: &str) {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        to.extend(
            text.chars()
                .map(|c| if c.is_ascii_control() { '?' } else { c }),
        );
    } else {
        to.push_str(text);
    }
}
