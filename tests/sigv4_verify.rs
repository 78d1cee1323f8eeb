//! What is said of a client's signature, what is refused to be signed, and that nothing which
//! comes from outside can bring the room down.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod sigv4_support;

use std::time::Duration;

use bytes::Bytes;
use sigscope::secret::Credentials;
use sigscope::sigv4::{
    ChunkResigner, ClientAuth, EMPTY_SHA256, Hint, KeyCache, RequestView, Rules, SigV4Auth,
    SignError, Signed, SigningInput, TokenName, UNSIGNED_PAYLOAD, Verdict, VerifyInput,
    canonicalise, client_auth, declared_payload, payload_mode, presign, sha256_hex, sign_headers,
    signed_names, strip_auth_params, verify,
};
use sigv4_support::{Request, Rng, cases, example, example_day};

const HOST: (&str, &str) = ("Host", "h.amazonaws.com");

/// Signs, and gives the request as it would arrive.
fn sent(request: &Request, service: &str, expires: Option<u64>) -> Request {
    let headers = request.headers();
    let credentials = example();
    let input = input(&headers, request, service, &credentials);
    let cache = KeyCache::default();
    let signed = match expires {
        Some(expires) => presign(&input, &cache, expires).unwrap(),
        None => sign_headers(&input, &cache).unwrap(),
    };
    let mut sent = request.clone();
    for (name, value) in &signed.headers_added {
        sent.headers.push(((*name).into(), value.expose().into()));
    }
    sent.target = signed.target.unwrap_or(sent.target);
    sent
}

fn input<'a>(
    headers: &'a [sigscope::sigv4::Header<'a>],
    request: &'a Request,
    service: &'a str,
    credentials: &'a Credentials,
) -> SigningInput<'a> {
    SigningInput {
        credentials,
        region: "us-east-1",
        service,
        time: example_day(),
        rules: Rules::for_signing_name(service),
        view: request.view(headers),
        also: &[],
    }
}

fn claim(view: &RequestView<'_>) -> SigV4Auth {
    match client_auth(view) {
        ClientAuth::SigV4(auth) => auth,
        _ => panic!("not a SigV4 request"),
    }
}

/// Verdict and hints, an hour after signing.
fn judge(request: &Request) -> (bool, Vec<Hint>) {
    let headers = request.headers();
    let mut view = request.view(&headers);
    let auth = claim(&view);
    let body = sha256_hex(&request.body);
    let payload = declared_payload(&view, &auth, Some(&body)).unwrap();
    view.payload = &payload;
    let credentials = example();
    let input = VerifyInput {
        body_sha256: Some(&body),
        now: Some(example_day() + Duration::from_secs(3600)),
        ..VerifyInput::new(view, &auth, &credentials)
    };
    let verdict = verify(&input, &KeyCache::default());
    let hints = verdict.checked().unwrap().hints.clone();
    (verdict.is_valid(), hints)
}

fn replace(request: &mut Request, from: &str, to: &str) {
    let (_, value) = request.headers.last_mut().unwrap();
    let text = String::from_utf8(value.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *value = text.replace(from, to).into();
}

#[test]
fn a_good_request_has_no_hints() {
    for service in ["sts", "s3"] {
        let request = Request::new("POST", "/?a", &[HOST], b"body");
        assert_eq!(judge(&sent(&request, service, None)), (true, vec![]));
        let request = Request::new("GET", "/", &[HOST], b"");
        let request = match service {
            "s3" => request.with_payload(UNSIGNED_PAYLOAD),
            _ => request,
        };
        assert_eq!(judge(&sent(&request, service, Some(3600))), (true, vec![]));
    }
}

#[test]
fn an_invalid_signature_says_what_is_plain_to_see() {
    let good = sent(&Request::new("GET", "/", &[HOST], b""), "s3", None);

    let mut absent = good.clone();
    replace(&mut absent, "host;", "host;range;");
    assert_eq!(
        judge(&absent),
        (false, vec![Hint::SignedHeaderAbsent("range".into())])
    );

    let mut hostless = good.clone();
    replace(&mut hostless, "host;", "");
    assert_eq!(judge(&hostless), (false, vec![Hint::HostUnsigned]));

    let mut date = good.clone();
    replace(&mut date, "/20130524/", "/20130523/");
    assert_eq!(judge(&date), (false, vec![Hint::ScopeDateDiffers]));

    let mut form = good;
    replace(&mut form, "Signature=", "Signature=A");
    assert_eq!(judge(&form), (false, vec![Hint::SignatureForm]));
}

#[test]
fn a_valid_signature_may_still_be_refused() {
    let good = sent(&Request::new("PUT", "/", &[HOST], b"body"), "s3", None);

    let mut body = good.clone();
    body.body = b"other".to_vec();
    assert_eq!(judge(&body), (true, vec![Hint::PayloadHashDiffers]));

    let mut unsigned = good.clone();
    unsigned
        .headers
        .insert(0, (b"X-Amz-Acl".to_vec(), b"private".to_vec()));
    assert_eq!(
        judge(&unsigned),
        (true, vec![Hint::AmzHeaderUnsigned("x-amz-acl".into())])
    );

    let mut order = good;
    let list = "host;x-amz-content-sha256;x-amz-date";
    replace(&mut order, list, "X-Amz-Date;host;x-amz-content-sha256");
    assert_eq!(judge(&order), (true, vec![Hint::SignedHeadersUnordered]));

    let url = Request::new("GET", "/", &[HOST], b"").with_payload(UNSIGNED_PAYLOAD);
    assert_eq!(
        judge(&sent(&url, "s3", Some(60))),
        (true, vec![Hint::Expired(3540)])
    );
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    let good = sent(&Request::new("GET", "/", &[HOST], b""), "sts", None);
    let undetermined = |request: &Request, credentials: &Credentials| {
        let headers = request.headers();
        let view = request.view(&headers);
        let auth = claim(&view);
        let verdict = verify(
            &VerifyInput::new(view, &auth, credentials),
            &KeyCache::default(),
        );
        match verdict {
            Verdict::Undetermined(why) => why,
            _ => panic!("determined"),
        }
    };
    let mut dateless = good.clone();
    dateless.headers.retain(|(name, _)| name != b"x-amz-date");
    assert_eq!(
        undetermined(&dateless, &example()),
        "there is neither X-Amz-Date nor a Date that can be read"
    );
    let mut day = good.clone();
    replace(&mut day, "/20130524/", "/2013-05-24/");
    let why = "the date of the credential scope is not a day";
    assert_eq!(undetermined(&day, &example()), why);
    let binary = Credentials::new("AKIDEXAMPLE", vec![0xff], None);
    assert_eq!(
        undetermined(&good, &binary),
        "the secret access key is not text"
    );
}

#[test]
fn the_payload_line_of_a_client_is_what_it_declares() {
    let line = |target: &str, headers: &[(&str, &str)]| {
        let request = Request::new("GET", target, headers, b"");
        let headers = request.headers();
        let view = request.view(&headers);
        declared_payload(&view, &claim(&view), None).map(|line| line.into_owned())
    };
    let query = |service: &str, more: &str| {
        format!(
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20130524%2Fr%2F{service}%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-Signature=0{more}"
        )
    };
    let hash = ("X-Amz-Content-Sha256", "hash");
    let host = "&X-Amz-SignedHeaders=host";
    assert_eq!(line(&query("sts", host), &[HOST]), None);
    assert_eq!(line(&query("sts", host), &[HOST, hash]), None);
    assert_eq!(
        line(&query("s3", host), &[HOST, hash]).unwrap(),
        UNSIGNED_PAYLOAD
    );
    let signed = "&X-Amz-SignedHeaders=host%3Bx-amz-content-sha256";
    assert_eq!(line(&query("s3", signed), &[HOST, hash]).unwrap(), "hash");
    let in_query = format!("{host}&X-Amz-Content-Sha256=hash");
    assert_eq!(line(&query("s3", &in_query), &[HOST]).unwrap(), "hash");
    let header = (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_request,SignedHeaders=host,Signature=0",
    );
    assert_eq!(line("/", &[header]), None);
    assert_eq!(line("/", &[header, hash]).unwrap(), "hash");
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let cache = KeyCache::default();
    let refusal =
        |headers: &[(&str, &str)], expires: Option<u64>, change: fn(&mut SigningInput<'_>)| {
            let request = Request::new("GET", "/", headers, b"");
            let headers = request.headers();
            let credentials = example();
            let mut input = input(&headers, &request, "sts", &credentials);
            change(&mut input);
            let result = match expires {
                Some(expires) => presign(&input, &cache, expires),
                None => sign_headers(&input, &cache),
            };
            result.err().unwrap()
        };
    let same = |_: &mut SigningInput<'_>| {};
    assert_eq!(refusal(&[], None, same), SignError::NoHost);
    let inbound = [HOST, ("X-Amz-Security-Token", "x")];
    let named = SignError::InboundAuth("x-amz-security-token");
    assert_eq!(refusal(&inbound, None, same), named);
    assert_eq!(refusal(&[HOST], Some(0), same), SignError::Expires);
    assert_eq!(refusal(&[HOST], Some(604_801), same), SignError::Expires);
    let late = |input: &mut SigningInput<'_>| input.time += Duration::from_secs(1 << 38);
    assert_eq!(refusal(&[HOST], None, late), SignError::Time);
}

#[test]
fn tokens_go_where_the_service_wants_them() {
    let credentials = Credentials::new("ASIAEXAMPLE", "notarealsecret", Some(b"to/ken".to_vec()));
    let request = Request::new("GET", "/", &[HOST], b"");
    let headers = request.headers();
    let cache = KeyCache::default();
    let names = |signed: &Signed| -> Vec<&str> {
        signed.headers_added.iter().map(|(name, _)| *name).collect()
    };
    let mut input = input(&headers, &request, "iotdevicegateway", &credentials);
    let signed = sign_headers(&input, &cache).unwrap();
    assert_eq!(signed.canonical.signed_headers(), "host;x-amz-date");
    assert_eq!(
        names(&signed),
        ["x-amz-date", "x-amz-security-token", "authorization"]
    );
    let target = presign(&input, &cache, 60).unwrap().target.unwrap();
    let target = String::from_utf8(target).unwrap();
    assert!(target.contains("&X-Amz-Security-Token=to%2Fken&X-Amz-Signature="));

    input.service = "s3express";
    input.rules = Rules {
        token_name: TokenName::S3Session,
        ..Rules::for_signing_name("s3express")
    };
    let signed = sign_headers(&input, &cache).unwrap();
    let list = "host;x-amz-content-sha256;x-amz-date;x-amz-s3session-token";
    assert_eq!(signed.canonical.signed_headers(), list);
    assert!(signed.signed_headers().eq(list.split(';')));
    assert!(names(&signed).contains(&"x-amz-s3session-token"));
}

/// Bytes from the wire, more or less like a request, through every reader.
#[test]
fn nothing_from_outside_panics() {
    const PARTS: [&str; 26] = [
        "AWS4-HMAC-SHA256",
        " ",
        "Credential=",
        "a/b/20130524/r/s3/aws4_request",
        "/",
        ",",
        "SignedHeaders=",
        ";",
        "host",
        "Signature=",
        "0",
        "?",
        "&",
        "=",
        "%",
        "%2",
        "X-Amz-Algorithm=",
        "X-Amz-Credential=",
        "X-Amz-Signature=",
        "X-Amz-SignedHeaders=",
        "X-Amz-Expires=",
        "99999999999999999999",
        "http://",
        "\r\n",
        "chunk-signature=",
        ":",
    ];
    let mut rng = Rng(3);
    let cache = KeyCache::default();
    let text = |rng: &mut Rng| -> Vec<u8> {
        let mut text: Vec<u8> = rng.join(&PARTS, 14).into();
        if rng.one_in(3) {
            let at = rng.below(text.len() + 1);
            text.insert(at, rng.next() as u8);
        }
        text
    };
    let body = Request::new("PUT", "/", &[HOST], b"");
    let headers = body.headers();
    let credentials = example();
    let signed = sign_headers(&input(&headers, &body, "s3", &credentials), &cache).unwrap();
    for _ in 0..cases(20_000).min(500_000) {
        let (target, value) = (text(&mut rng), text(&mut rng));
        let name = *rng.pick(&[
            &"authorization",
            &"x-amz-date",
            &"date",
            &"x-amz-content-sha256",
            &"",
        ]);
        let headers = [(name.as_bytes(), value.as_slice()), (b"host", b"h")];
        let view = RequestView {
            method: "GET",
            target: &target,
            headers: &headers,
            payload: EMPTY_SHA256,
        };
        let auth = client_auth(&view);
        let _ = strip_auth_params(&target, &auth);
        let _ = payload_mode(&headers);
        for rules in [Rules::COMMON, Rules::S3] {
            canonicalise(&view, rules, &signed_names(&headers, &["", "date"], rules));
        }
        if let ClientAuth::SigV4(auth) = auth {
            let _ = declared_payload(&view, &auth, None);
            verify(&VerifyInput::new(view, &auth, &credentials), &cache);
        }
        let mut resigner = ChunkResigner::new(signed.chunk_seed(), None, rng.one_in(2), 100);
        let _ = resigner.push(Bytes::from(text(&mut rng)));
        let _ = resigner.finish();
    }
}
