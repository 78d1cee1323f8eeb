//! Writes the record as one JSON line. Every exchange passes here, so keys are written with
//! their punctuation and strings are copied in runs; a test holds it to what serde writes.

use super::exchange::{
    Body, Change, Evidence, Exchange, Header, Identity, Reply, Request, Route, Sent, Signing,
    Timing,
};

/// The JSON object of the contract, on one line without its end.
pub(super) fn write(exchange: &Exchange) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(4096));
    out.exchange(exchange);
    out.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn exchange(&mut self, exchange: &Exchange) {
        self.raw("{\"id\":").number(exchange.id);
        self.raw(",\"started_at\":").string(&exchange.started_at);
        self.raw(",\"door\":\"").raw(exchange.door.as_str());
        self.raw("\",\"replay_of\":")
            .optional_number(exchange.replay_of);
        let client = &exchange.client;
        self.raw(",\"client\":{\"address\":")
            .optional(client.address.as_deref());
        self.raw(",\"lane\":").optional(client.lane.as_deref());
        self.raw(",\"access_key_id\":")
            .optional(client.access_key_id.as_deref());
        self.raw(",\"signature\":\"").raw(client.signature.as_str());
        self.raw("\"},\"received\":")
            .object(exchange.received.as_ref(), |out, request| {
                out.request(request);
                out.raw("}");
            });
        self.raw(",\"route\":")
            .object(exchange.route.as_ref(), Self::route);
        self.raw(",\"identity\":")
            .object(exchange.identity.as_ref(), Self::identity);
        self.raw(",\"sent\":")
            .object(exchange.sent.as_ref(), Self::sent);
        self.raw(",\"reply\":")
            .object(exchange.reply.as_ref(), Self::reply);
        self.raw(",\"timing_us\":").timing(&exchange.timing_us);
        // Rare: serde may do it.
        self.raw(",\"fault\":").serde(&exchange.fault);
        self.raw(",\"findings\":").serde(&exchange.findings);
        self.raw("}");
    }

    fn request(&mut self, request: &Request) {
        self.raw("{\"method\":").string(&request.method);
        self.raw(",\"target\":").string(&request.target);
        self.raw(",\"url\":").string(&request.url);
        self.raw(",\"version\":").string(&request.version);
        self.raw(",\"headers\":").headers(&request.headers);
        self.raw(",\"body\":").body(&request.body);
    }

    fn route(&mut self, route: &Route) {
        self.raw("{\"service\":").optional(route.service.as_deref());
        self.raw(",\"signing_name\":")
            .optional(route.signing_name.as_deref());
        self.raw(",\"region\":").optional(route.region.as_deref());
        self.raw(",\"operation\":")
            .optional(route.operation.as_deref());
        self.raw(",\"iam_action\":")
            .optional(route.iam_action.as_deref());
        self.raw(",\"upstream\":")
            .optional(route.upstream.as_deref());
        self.raw(",\"how\":")
            .list(&route.how, |out, evidence: &Evidence| {
                out.raw("{\"field\":").string(&evidence.field);
                out.raw(",\"from\":").string(&evidence.from);
                out.raw(",\"evidence\":").string(&evidence.evidence);
                out.raw("}");
            });
        self.raw("}");
    }

    fn identity(&mut self, identity: &Identity) {
        self.raw("{\"profile\":")
            .optional(identity.profile.as_deref());
        self.raw(",\"kind\":").optional(identity.kind.as_deref());
        self.raw(",\"access_key_id\":")
            .optional(identity.access_key_id.as_deref());
        self.raw(",\"account\":")
            .optional(identity.account.as_deref());
        self.raw(",\"expires_at\":")
            .optional(identity.expires_at.as_deref());
        self.raw(",\"chain\":").strings(&identity.chain);
        self.raw("}");
    }

    fn sent(&mut self, sent: &Sent) {
        self.request(&sent.request);
        self.raw(",\"signing\":").signing(&sent.signing);
        self.raw("}");
    }

    fn signing(&mut self, signing: &Signing) {
        self.raw("{\"algorithm\":")
            .optional(signing.algorithm.as_deref());
        self.raw(",\"mode\":").string(&signing.mode);
        self.raw(",\"credential_scope\":")
            .optional(signing.credential_scope.as_deref());
        self.raw(",\"signed_headers\":")
            .strings(&signing.signed_headers);
        self.raw(",\"canonical_request\":")
            .optional(signing.canonical_request.as_deref());
        self.raw(",\"string_to_sign\":")
            .optional(signing.string_to_sign.as_deref());
        self.raw(",\"signature\":")
            .optional(signing.signature.as_deref());
        self.raw(",\"changes\":")
            .list(&signing.changes, |out, change: &Change| {
                out.raw("{\"action\":\"").raw(change.action.as_str());
                out.raw("\",\"what\":").string(&change.what);
                out.raw(",\"why\":").string(&change.why);
                out.raw("}");
            });
        self.raw(",\"second_opinion\":\"")
            .raw(signing.second_opinion.as_str());
        self.raw("\"}");
    }

    fn reply(&mut self, reply: &Reply) {
        self.raw("{\"from\":\"").raw(reply.from.as_str());
        self.raw("\",\"status\":").number(reply.status.into());
        self.raw(",\"version\":").string(&reply.version);
        self.raw(",\"headers\":").headers(&reply.headers);
        self.raw(",\"body\":").body(&reply.body);
        self.raw(",\"request_id\":")
            .optional(reply.request_id.as_deref());
        self.raw(",\"error\":")
            .object(reply.error.as_ref(), |out, error| {
                out.raw("{\"code\":").optional(error.code.as_deref());
                out.raw(",\"message\":").optional(error.message.as_deref());
                out.raw("}");
            });
        self.raw("}");
    }

    fn body(&mut self, body: &Body) {
        self.raw("{\"size\":").number(body.size);
        self.raw(",\"sha256\":").optional(body.sha256.as_deref());
        self.raw(",\"content_type\":")
            .optional(body.content_type.as_deref());
        self.raw(",\"text\":").optional(body.text.as_deref());
        self.raw(",\"base64\":").optional(body.base64.as_deref());
        self.raw(",\"rendered\":")
            .optional(body.rendered.as_deref());
        self.raw(",\"kept\":").number(body.kept);
        self.raw(",\"masked\":").number(body.masked.into());
        self.raw("}");
    }

    fn timing(&mut self, timing: &Timing) {
        self.raw("{\"held\":").optional_number(timing.held);
        self.raw(",\"credentials\":")
            .optional_number(timing.credentials);
        self.raw(",\"sign\":").optional_number(timing.sign);
        self.raw(",\"connect\":").optional_number(timing.connect);
        self.raw(",\"first_byte\":")
            .optional_number(timing.first_byte);
        self.raw(",\"total\":").optional_number(timing.total);
        self.raw("}");
    }

    fn headers(&mut self, headers: &[Header]) {
        self.list(headers, |out, (name, value)| {
            out.raw("[").string(name);
            out.raw(",").string(value);
            out.raw("]");
        });
    }

    fn strings(&mut self, strings: &[String]) {
        self.list(strings, |out, text| out.string(text));
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    fn object<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        match value {
            Some(value) => write(self, value),
            None => {
                self.raw("null");
            }
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => {
                self.raw("null");
            }
        }
    }

    fn optional_number(&mut self, number: Option<u64>) {
        match number {
            Some(number) => self.number(number),
            None => {
                self.raw("null");
            }
        }
    }

    fn serde(&mut self, value: &impl serde::Serialize) {
        // Serialising fails only for maps with keys that are no strings: there are none.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }

    fn string(&mut self, text: &str) {
        self.0.push(b'"');
        let mut rest = text.as_bytes();
        loop {
            let run = plain_run(rest);
            self.0.extend_from_slice(&rest[..run]);
            let Some(byte) = rest.get(run) else { break };
            self.escape(*byte);
            rest = &rest[run + 1..];
        }
        self.0.push(b'"');
    }

    /// RFC 8259 §7, in the form that serde chooses.
    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let digit = |nibble: u8| HEX[usize::from(nibble & 15)];
                self.0
                    .extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
                return;
            }
        };
        self.0.extend_from_slice(&[b'\\', short]);
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// How many bytes stand as they are before one that must be escaped: eight at a time.
fn plain_run(bytes: &[u8]) -> usize {
    let mut run = 0;
    for chunk in bytes.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c))) & HIGH;
        if found != 0 {
            return run + found.trailing_zeros() as usize / 8;
        }
        run += 8;
    }
    let escaped = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let tail = &bytes[run..];
    run + tail.iter().position(escaped).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL: &str = include_str!("../../fixtures/exchanges/full.json");

    #[test]
    fn a_record_is_written_as_serde_writes_it() {
        let full = Exchange::from_json(FULL.as_bytes()).unwrap();
        assert!(full.fault.is_some() && !full.findings.is_empty());
        for exchange in [full, Exchange::default()] {
            let serde = serde_json::to_string(&exchange).unwrap();
            assert_eq!(String::from_utf8(write(&exchange)).unwrap(), serde);
        }
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_writes_them(text in any::<String>(), wild in "[\\x00-\\x7f\u{80}-\u{800}]{0,40}") {
            for text in [text, wild] {
                let mut out = Writer(Vec::new());
                out.string(&text);
                prop_assert_eq!(String::from_utf8(out.0).unwrap(), serde_json::to_string(&text).unwrap());
            }
        }
    }
}
