//! The `aws-chunked` envelope (S3 API reference, "Signature calculations … chunked upload" and
//! "… including trailing headers"): decoded as it arrives, chunk and trailer signatures checked
//! with `aws-sigv4`.

use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::http::Headers;
use bytes::{Bytes, BytesMut};

use super::body::Sink;
use super::errors::{Fault, Mismatch, Refusal, Shape};
use super::verify::{Signed, identity};

/// Longest chunk that is held to be verified.
const MOST_CHUNK: usize = 16 * 1024 * 1024;
/// Longest size line, and longest trailer line.
const MOST_LINE: usize = 8 * 1024;

/// What chunk signatures are computed with.
pub(super) struct Signing {
    identity: Identity,
    key_id: String,
    region: String,
    service: String,
    time: std::time::SystemTime,
    /// The signature before the next one.
    previous: String,
}

impl Signing {
    pub(super) fn after(signed: &Signed) -> Self {
        Self {
            identity: identity(&signed.key_id, &signed.secret),
            key_id: signed.key_id.clone(),
            region: signed.region.clone(),
            service: signed.service.clone(),
            time: signed.time,
            previous: signed.signature.clone(),
        }
    }

    fn check_chunk(&mut self, data: &Bytes, given: &str) -> Result<(), Fault> {
        let computed = self
            .params()
            .and_then(|params| v4::sign_chunk(data, &self.previous, &params).ok())
            .map(|output| output.into_parts().1);
        self.step(computed, given)
    }

    fn check_trailer(&mut self, trailers: &[(String, String)], given: &str) -> Result<(), Fault> {
        let mut headers = Headers::new();
        for (name, value) in trailers {
            if headers.try_append(name.clone(), value.clone()).is_err() {
                return Err(malformed());
            }
        }
        let computed = self
            .params()
            .and_then(|params| v4::sign_trailer(&headers, &self.previous, &params).ok())
            .map(|output| output.into_parts().1);
        self.step(computed, given)
    }

    fn params(&self) -> Option<v4::SigningParams<'_, SigningSettings>> {
        v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .ok()
    }

    fn step(&mut self, computed: Option<String>, given: &str) -> Result<(), Fault> {
        if computed.as_deref() != Some(given) {
            let evidence = Mismatch {
                key_id: self.key_id.clone(),
                provided: given.to_owned(),
                canonical_request: String::new(),
                string_to_sign: String::new(),
            };
            let mut fault = Fault::refused(Shape::S3, Refusal::Mismatch(Box::new(evidence)));
            fault.extra.retain(|(_, value)| !value.is_empty());
            return Err(fault);
        }
        given.clone_into(&mut self.previous);
        Ok(())
    }
}

enum Step {
    Size,
    Data { left: usize, signature: String },
    DataEnd,
    Trailers,
    Done,
}

/// Undoes the envelope, piece by piece.
pub(super) struct Decoder {
    signing: Option<Signing>,
    step: Step,
    line: Vec<u8>,
    /// The chunk under way, where it must be verified before it is stored.
    held: BytesMut,
    trailers: Vec<(String, String)>,
}

impl Decoder {
    pub(super) fn new(signing: Option<Signing>) -> Self {
        Self {
            signing,
            step: Step::Size,
            line: Vec::new(),
            held: BytesMut::new(),
            trailers: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, mut input: &[u8], sink: &mut Sink) -> Result<(), Fault> {
        while !input.is_empty() {
            if let Step::Data { left, .. } = &mut self.step {
                let taken = input.len().min(*left);
                *left -= taken;
                let (data, rest) = input.split_at(taken);
                input = rest;
                let whole = *left == 0;
                self.take(data, whole, sink)?;
                continue;
            }
            let Some(line) = self.read_line(&mut input)? else {
                continue;
            };
            self.on_line(&line)?;
        }
        Ok(())
    }

    /// The checksum that the trailer brought: algorithm and value.
    pub(super) fn finish(self) -> Result<Option<(String, String)>, Fault> {
        if !matches!(self.step, Step::Done) {
            return Err(super::body::incomplete());
        }
        let checksum = self.trailers.into_iter().find_map(|(name, value)| {
            let algorithm = name.strip_prefix("x-amz-checksum-")?.to_owned();
            Some((algorithm, value))
        });
        Ok(checksum)
    }

    fn take(&mut self, data: &[u8], whole: bool, sink: &mut Sink) -> Result<(), Fault> {
        let Some(signing) = &mut self.signing else {
            sink.write(data)?;
            if whole {
                self.step = Step::DataEnd;
            }
            return Ok(());
        };
        self.held.extend_from_slice(data);
        if whole {
            let chunk = self.held.split().freeze();
            if let Step::Data { signature, .. } = &self.step {
                signing.check_chunk(&chunk, signature)?;
            }
            sink.write(&chunk)?;
            self.step = Step::DataEnd;
        }
        Ok(())
    }

    /// A line without its end, or `None` until it is whole.
    fn read_line(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let end = memchr::memchr(b'\n', input);
        let taken = end.map_or(input.len(), |end| end + 1);
        self.line.extend_from_slice(&input[..taken]);
        *input = &input[taken..];
        if self.line.len() > MOST_LINE {
            return Err(malformed());
        }
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    fn on_line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let text = std::str::from_utf8(line).map_err(|_bytes| malformed())?;
        match self.step {
            Step::Size => self.on_size(text),
            Step::DataEnd if text.is_empty() => {
                self.step = Step::Size;
                Ok(())
            }
            Step::Trailers if text.is_empty() => self.on_end(),
            Step::Done if text.is_empty() => Ok(()),
            Step::Trailers => {
                let (name, value) = text.split_once(':').ok_or_else(malformed)?;
                let pair = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
                self.trailers.push(pair);
                Ok(())
            }
            _ => Err(malformed()),
        }
    }

    fn on_size(&mut self, text: &str) -> Result<(), Fault> {
        let (size, extension) = text.split_once(';').unwrap_or((text, ""));
        let left = usize::from_str_radix(size.trim(), 16).map_err(|_digits| malformed())?;
        let signature = extension
            .trim()
            .strip_prefix("chunk-signature=")
            .unwrap_or_default()
            .to_owned();
        if let Some(signing) = &mut self.signing {
            if left > MOST_CHUNK {
                let message = format!("Chunk size must be at most {MOST_CHUNK} bytes here");
                return Err(Fault::new(403, "InvalidChunkSizeError", message));
            }
            if left == 0 {
                signing.check_chunk(&Bytes::new(), &signature)?;
            }
        }
        self.step = match left {
            0 => Step::Trailers,
            _ => Step::Data { left, signature },
        };
        Ok(())
    }

    fn on_end(&mut self) -> Result<(), Fault> {
        self.step = Step::Done;
        let Some(signing) = &mut self.signing else {
            return Ok(());
        };
        let at = self
            .trailers
            .iter()
            .position(|(name, _)| name == "x-amz-trailer-signature");
        match at.map(|at| self.trailers.remove(at)) {
            Some((_, signature)) => signing.check_trailer(&self.trailers, &signature),
            None if self.trailers.is_empty() => Ok(()),
            None => Err(malformed()),
        }
    }
}

fn malformed() -> Fault {
    Fault::new(
        400,
        "InvalidRequest",
        "The chunked encoding of the request body is malformed",
    )
}
