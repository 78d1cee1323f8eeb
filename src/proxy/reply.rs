//! Answers to the client: AWS's, passed on and watched as they go, and our own, in the
//! error shape of the service that was called.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::body::{BoxError, Passed, Patient, SharedPassed, observe};
use super::draft::{Journey, ReplyDraft};
use super::forward::broken_reply;
use super::judge;
use crate::aws::Service;
use crate::aws::error::{self, Shape};
use crate::capture::exchange::{FaultKind, ReplyFrom};

/// What a stage says when a request may not or cannot go on.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) stage: &'static str,
    pub(crate) kind: FaultKind,
    pub(crate) status: StatusCode,
    /// The error code in the reply, as SDKs read it.
    pub(crate) code: &'static str,
    /// What happened, without a full stop.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) fix: String,
    /// Whether the connection can serve no further request.
    pub(crate) close: bool,
}

impl Refusal {
    pub(crate) fn new(
        stage: &'static str,
        kind: FaultKind,
        (status, code): (StatusCode, &'static str),
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            stage,
            kind,
            status,
            code,
            what: what.into(),
            fix: fix.into(),
            close: false,
        }
    }

    pub(crate) fn closing(self) -> Self {
        Self {
            close: true,
            ..self
        }
    }
}

/// The shape in which the client expects an error, from what its request shows.
pub(crate) fn shape<'a>(
    service: Option<&Service>,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Shape {
    Shape::of(
        service,
        header("smithy-protocol"),
        header("content-type"),
        header("x-amz-target").is_some(),
    )
}

/// A refusal on its way out, with the journey that it ends.
pub(crate) struct Refused {
    pub(crate) journey: Journey,
    pub(crate) refusal: Box<Refusal>,
    pub(crate) shape: Shape,
}

impl Refused {
    /// The answer: SDKs raise it as the service's own error, and its message ends with the
    /// exchange's number and the fix.
    pub(crate) fn answer(self) -> Response<ReplyBody> {
        let Self {
            mut journey,
            refusal,
            shape,
        } = self;
        let message = format!(
            "sigscope: {} (exchange #{}: {})",
            refusal.what, journey.id, refusal.fix
        );
        journey.fail(
            refusal.stage,
            refusal.kind,
            format!("{}: {}", refusal.what, refusal.fix),
        );
        let request_id = format!("sigscope-{}", journey.id);
        let rendered = error::render(
            shape,
            refusal.status.as_u16(),
            refusal.code,
            &message,
            &request_id,
        );
        let bodiless = journey.received_head.starts_with(b"HEAD ");
        let body = Bytes::from(rendered.body);
        let mut response = Response::new(ReplyBody::Own(Some(body.clone())));
        *response.status_mut() = refusal.status;
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(rendered.content_type) {
            headers.insert(CONTENT_TYPE, value);
        }
        for (name, value) in rendered.headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(&value),
            ) {
                headers.insert(name, value);
            }
        }
        if refusal.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        journey.reply = Some(ReplyDraft {
            from: ReplyFrom::Sigscope,
            status: refusal.status.as_u16(),
            head: head_of(&response),
            body: if bodiless {
                Passed::empty()
            } else {
                Passed::whole(body, usize::MAX)
            },
            date: None,
        });
        journey.end();
        response
    }
}

/// The head as it goes to the client, less what hyper adds for the connection.
pub(crate) fn head_of<B>(response: &Response<B>) -> Vec<u8> {
    let status = response.status();
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The body of a reply to the client.
pub(crate) enum ReplyBody {
    /// Ours, or one that was read whole.
    Own(Option<Bytes>),
    /// AWS's, as it arrives; the exchange is over when it is.
    Passing(Box<Passing>),
}

/// A reply body under way, with the journey that ends when it does.
pub(crate) struct Passing {
    pub(crate) body: Patient,
    pub(crate) passed: Passed,
    /// Taken when the exchange is recorded.
    pub(crate) journey: Option<Journey>,
    /// The accounts of the request body, which may still be under way.
    pub(crate) uploads: Uploads,
}

/// The accounts of a request body that is streamed.
#[derive(Clone, Default)]
pub(crate) struct Uploads {
    /// As the client sends it.
    pub(crate) received: Option<SharedPassed>,
    /// As it goes upstream, where that differs.
    pub(crate) sent: Option<SharedPassed>,
}

impl Uploads {
    /// Whether the client's body has not ended yet.
    pub(crate) fn under_way(&self) -> bool {
        let open = |passed: &mut Passed| !passed.ended && passed.error.is_none();
        self.received
            .as_ref()
            .is_some_and(|account| account.with(open))
    }

    /// Closes the accounts into the record.
    pub(crate) fn close(&self, journey: &mut Journey) {
        if let Some(received) = &self.received {
            journey.received_body = received.take();
            if let Some(complaint) = journey.received_body.complaint.take() {
                judge::complain(journey, complaint);
            }
        }
        if let (Some(account), Some(sent)) = (&self.sent, &mut journey.sent) {
            sent.body = Some(account.take());
        }
    }
}

impl Passing {
    fn finish(&mut self) {
        let Some(mut journey) = self.journey.take() else {
            return;
        };
        let passed = std::mem::replace(&mut self.passed, Passed::empty());
        if !passed.ended {
            match &passed.error {
                Some(error) => {
                    let text = format!(
                        "the reply broke off after {} bytes: {}",
                        passed.size, error.message
                    );
                    journey.fail("forward", FaultKind::Reset, text);
                }
                None => {
                    let text = format!(
                        "the client went away after {} bytes of the reply",
                        passed.size
                    );
                    journey.fail("forward", FaultKind::ClientGone, text);
                }
            }
        }
        if let Some(reply) = &mut journey.reply {
            reply.body = passed;
        }
        self.uploads.close(&mut journey);
        if let Some(stop) = journey.received_body.error.take() {
            journey.fail(
                "forward",
                stop.kind,
                format!("the request's body broke off: {}", stop.message),
            );
        }
        journey.end();
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.passed.ended |= self.passed.error.is_none() && self.body.is_end_stream();
        self.finish();
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(
                bytes
                    .take()
                    .filter(|b| !b.is_empty())
                    .map(|b| Ok(Frame::data(b))),
            ),
            Self::Passing(passing) => {
                let frame = ready!(passing.body.poll(context));
                observe(&mut passing.passed, frame.as_ref());
                match &frame {
                    None => passing.finish(),
                    Some(Err(error)) => {
                        let kind = broken_reply(error.as_ref());
                        if let Some(journey) = &mut passing.journey {
                            let size = passing.passed.size;
                            journey.fail(
                                "forward",
                                kind,
                                format!("the reply broke off after {size} bytes: {error}"),
                            );
                        }
                        passing.finish();
                    }
                    Some(Ok(_)) => {}
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Passing(passing) => passing.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Passing(passing) => passing.body.size_hint(),
        }
    }
}

/// A service never fails: what goes wrong is an answer.
pub(crate) type Answer = Result<Response<ReplyBody>, Infallible>;
