//! Signed `aws-chunked` uploads: AWS's examples, and a verifier that shares no code with the
//! one under test.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod sigv4_support;

use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use sigscope::secret::Credentials;
use sigscope::sigv4::{
    BadChunk, ChunkError, ChunkReport, ChunkResigner, ChunkSeed, ClientAuth, KeyCache, Rules,
    Signed, SigningInput, Verdict, VerifyInput, client_auth, sign_headers, verify,
};
use sigv4_support::{Request, Rng, cases, example, example_day};

const LIMIT: usize = 8 * 1024 * 1024;
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
const DATE: &str = "20130524T000000Z";

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The signing key of the tests' day, region and service.
fn key(secret: &str) -> Vec<u8> {
    ["20130524", "us-east-1", "s3", "aws4_request"].iter().fold(
        format!("AWS4{secret}").into_bytes(),
        |key, step| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            hmac::sign(&key, step.as_bytes()).as_ref().to_vec()
        },
    )
}

fn mac(key: &[u8], text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hex(hmac::sign(&key, text.as_bytes()).as_ref())
}

fn chunk_signature(key: &[u8], previous: &str, data: &[u8]) -> String {
    let (none, data) = (sha256(b""), sha256(data));
    mac(
        key,
        &format!("AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{SCOPE}\n{previous}\n{none}\n{data}"),
    )
}

fn trailer_signature(key: &[u8], previous: &str, lines: &str) -> String {
    let lines = sha256(lines.as_bytes());
    mac(
        key,
        &format!("AWS4-HMAC-SHA256-TRAILER\n{DATE}\n{SCOPE}\n{previous}\n{lines}"),
    )
}

/// The body that a client sends, and where each of its chunks begins.
fn encode(
    secret: &str,
    seed: &str,
    chunks: &[Vec<u8>],
    trailer: Option<&[(&str, &str)]>,
) -> (Vec<u8>, Vec<usize>) {
    let key = key(secret);
    let mut previous = seed.to_owned();
    let (mut body, mut starts) = (Vec::new(), Vec::new());
    let empty: Vec<u8> = Vec::new();
    for data in chunks.iter().chain([&empty]) {
        previous = chunk_signature(&key, &previous, data);
        starts.push(body.len());
        body.extend(format!("{:x};chunk-signature={previous}\r\n", data.len()).bytes());
        body.extend_from_slice(data);
        if !data.is_empty() {
            body.extend_from_slice(b"\r\n");
        }
    }
    if let Some(trailer) = trailer {
        let lines: String = trailer
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let signature = trailer_signature(&key, &previous, &lines);
        for (name, value) in trailer {
            body.extend(format!("{name}:{value}\r\n").bytes());
        }
        body.extend(format!("x-amz-trailer-signature:{signature}\r\n").bytes());
    }
    body.extend_from_slice(b"\r\n");
    (body, starts)
}

/// Checks every signature of a body and returns its data; panics at what is wrong.
fn decode(secret: &str, seed: &str, body: &[u8], has_trailer: bool) -> Vec<Vec<u8>> {
    let key = key(secret);
    let mut previous = seed.to_owned();
    let mut rest = body;
    let mut chunks = Vec::new();
    loop {
        let head = line(&mut rest);
        let (size, signature) = head.split_once(";chunk-signature=").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let (data, after) = rest.split_at(size);
        rest = after;
        assert_eq!(signature, chunk_signature(&key, &previous, data));
        previous = signature.to_owned();
        if size == 0 {
            break;
        }
        chunks.push(data.to_vec());
        assert_eq!(line(&mut rest), "");
    }
    if has_trailer {
        let mut lines = String::new();
        let signature = loop {
            let trailer = line(&mut rest);
            match trailer.strip_prefix("x-amz-trailer-signature:") {
                Some(signature) => break signature,
                None => lines += &format!("{trailer}\n"),
            }
        };
        assert_eq!(signature, trailer_signature(&key, &previous, &lines));
    }
    assert_eq!(rest, b"\r\n");
    chunks
}

fn line<'a>(rest: &mut &'a [u8]) -> &'a str {
    let at = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let line = std::str::from_utf8(&rest[..at]).unwrap();
    *rest = &rest[at + 2..];
    line
}

fn upload(trailer: bool, length: usize) -> Request {
    let literal = if trailer {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    } else {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    };
    let length = length.to_string();
    let mut headers = vec![
        ("Host", "s3.amazonaws.com"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", literal),
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
    ];
    if trailer {
        headers.push(("x-amz-trailer", "x-amz-checksum-crc32c"));
    } else {
        headers.push(("Content-Length", &length));
    }
    Request::new("PUT", "/examplebucket/chunkObject.txt", &headers, b"").with_payload(literal)
}

fn sign(request: &Request, credentials: &Credentials) -> Signed {
    let headers = request.headers();
    let input = SigningInput {
        credentials,
        region: "us-east-1",
        service: "s3",
        time: example_day(),
        rules: Rules::S3,
        view: request.view(&headers),
        also: &["content-length"],
    };
    sign_headers(&input, &KeyCache::default()).unwrap()
}

/// The client's seed as the proxy gets it: from verifying what arrived.
fn client_seed(request: &Request, signed: &Signed, credentials: &Credentials) -> ChunkSeed {
    let mut arrived = request.clone();
    for (name, value) in &signed.headers_added {
        arrived
            .headers
            .push(((*name).into(), value.expose().into()));
    }
    let headers = arrived.headers();
    let view = arrived.view(&headers);
    let ClientAuth::SigV4(auth) = client_auth(&view) else {
        panic!()
    };
    let input = VerifyInput::new(view, &auth, credentials);
    match verify(&input, &KeyCache::default()) {
        Verdict::Valid(mut checked) => checked.take_chunk_seed().unwrap(),
        _ => panic!("the head does not verify"),
    }
}

fn secret_of(credentials: &Credentials) -> &str {
    credentials.secret_access_key.expose_str()
}

fn lane() -> Credentials {
    Credentials::new("SIGSCOPEEXAMPLE", "notarealsecret", None)
}

struct Outcome {
    result: Result<Vec<u8>, ChunkError>,
    report: ChunkReport,
    seed: String,
}

/// A lane's client uploads `body` in `slices`; it is signed anew for the example user.
fn resign(body: &[u8], trailer: bool, slices: &[usize], limit: usize) -> Outcome {
    let request = upload(trailer, body.len());
    let lane_signed = sign(&request, &lane());
    let ours = sign(&request, &example());
    let theirs = client_seed(&request, &lane_signed, &lane());
    let mut resigner = ChunkResigner::new(ours.chunk_seed(), Some(theirs), trailer, limit);
    let mut sent = Vec::new();
    let mut rest = Bytes::copy_from_slice(body);
    let mut sizes = slices.iter().cycle();
    let mut push = || {
        while !rest.is_empty() {
            let size = (*sizes.next().unwrap()).min(rest.len());
            for piece in resigner.push(rest.split_to(size))? {
                sent.extend_from_slice(&piece);
            }
        }
        resigner.finish()
    };
    let result = push().map(|()| sent);
    Outcome {
        result,
        report: resigner.report().clone(),
        seed: ours.signature,
    }
}

/// What the lane's client signs its head with.
fn lane_seed(trailer: bool, length: usize) -> String {
    sign(&upload(trailer, length), &lane()).signature
}

/// The encoded length of these chunks, which does not depend on their signatures.
fn length(chunks: &[Vec<u8>]) -> usize {
    encode("", "", chunks, None).0.len()
}

fn of_lane(chunks: &[Vec<u8>], trailer: Option<&[(&str, &str)]>) -> (Vec<u8>, Vec<usize>) {
    let seed = lane_seed(trailer.is_some(), length(chunks));
    encode(secret_of(&lane()), &seed, chunks, trailer)
}

/// S3 API reference, "Transferring payload in multiple chunks (chunked upload)", and
/// "…(including trailing headers)".
#[test]
fn the_documented_uploads() {
    let chunks = [vec![b'a'; 65536], vec![b'a'; 1024]];
    let crc = [("x-amz-checksum-crc32c", "sOO8/Q==")];
    let cases: [(Option<&[_]>, &str, &[&str]); 2] = [
        (
            None,
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            &[
                "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ],
        ),
        (
            Some(&crc),
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            &[
                "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                "400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
                "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
            ],
        ),
    ];
    for (trailer, seed, signatures) in cases {
        let (body, _) = of_lane(&chunks, trailer);
        if trailer.is_none() {
            assert_eq!(body.len(), 66824);
        }
        let outcome = resign(&body, trailer.is_some(), &[4096], LIMIT);
        assert_eq!(outcome.seed, seed);
        let sent = outcome.result.unwrap();
        let text = String::from_utf8(sent).unwrap();
        for signature in signatures {
            assert!(text.contains(signature), "{signature}");
        }
        let want = ChunkReport {
            chunks: 2,
            decoded: 66560,
            verified: true,
            first_bad: None,
            complete: true,
        };
        assert_eq!(outcome.report, want);
    }
}

#[test]
fn any_chunks_in_any_slices() {
    let mut rng = Rng(7);
    for _ in 0..cases(400).min(20_000) {
        let chunks: Vec<Vec<u8>> = (0..rng.below(5))
            .map(|_| {
                let most = *rng.pick(&[&300, &300, &300, &20_000]);
                let size = 1 + rng.below(most);
                rng.bytes(size)
            })
            .collect();
        let crc = [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-meta-z", "1")];
        let trailer = rng.one_in(2).then_some(&crc[..=rng.below(2)]);
        let (body, _) = of_lane(&chunks, trailer);
        let slices: Vec<usize> = (0..5)
            .map(|_| {
                let most = *rng.pick(&[&9000, &80]);
                1 + rng.below(most)
            })
            .collect();
        let outcome = resign(&body, trailer.is_some(), &slices, LIMIT);
        let sent = outcome.result.unwrap();
        assert_eq!(sent.len(), body.len());
        assert_eq!(outcome.report.first_bad, None);
        assert!(outcome.report.complete);
        let decoded = decode(
            secret_of(&example()),
            &outcome.seed,
            &sent,
            trailer.is_some(),
        );
        assert_eq!(decoded, chunks);
    }
}

#[test]
fn a_wrong_chunk_of_the_client_is_found_and_still_passed_on() {
    let chunks: Vec<Vec<u8>> = (1..=4).map(|n| vec![n; 1000 + usize::from(n)]).collect();
    let crc = [("x-amz-checksum-crc32", "AAAAAA==")];
    let (body, starts) = of_lane(&chunks, Some(&crc));
    for (position, start) in starts.iter().enumerate() {
        let mut bad = body.clone();
        // The last digit of the signature in the chunk's header.
        let end = start + body[*start..].iter().position(|b| *b == b'\r').unwrap() - 1;
        bad[end] = if bad[end] == b'0' { b'1' } else { b'0' };
        let outcome = resign(&bad, true, &[777], LIMIT);
        let want = BadChunk {
            index: position as u64 + 1,
            offset: *start as u64,
            size: chunks.get(position).map_or(0, |data| data.len() as u64),
            trailer: false,
        };
        assert_eq!(outcome.report.first_bad, Some(want));
        let sent = outcome.result.unwrap();
        assert_eq!(
            decode(secret_of(&example()), &outcome.seed, &sent, true),
            chunks
        );
    }
    let mut bad = body.clone();
    let at = bad.len() - 5;
    bad[at] = if bad[at] == b'0' { b'1' } else { b'0' };
    let first_bad = resign(&bad, true, &[777], LIMIT).report.first_bad.unwrap();
    assert!(first_bad.trailer && first_bad.index == 6);
    let mut altered = body;
    altered[starts[2] + 500] ^= 1;
    let first_bad = resign(&altered, true, &[777], LIMIT)
        .report
        .first_bad
        .unwrap();
    assert_eq!((first_bad.index, first_bad.trailer), (3, false));
}

#[test]
fn broken_framing_is_named_and_located() {
    let chunks = [vec![1; 10], vec![2; 20]];
    let (good, starts) = of_lane(&chunks, None);
    let second = starts[1];
    let edit = |at: usize, bytes: &[u8]| {
        let mut body = good.clone();
        body[at..at + bytes.len()].copy_from_slice(bytes);
        body
    };
    let cases = [
        (
            edit(second, b"zz"),
            2,
            second,
            "the chunk size is not a number in hex",
        ),
        (
            edit(second + 2, b":"),
            2,
            second,
            "the chunk header carries no chunk-signature",
        ),
        (
            edit(second + 20, b"Z"),
            2,
            second,
            "chunk-signature is not 64 digits of lower-case hex",
        ),
        (
            edit(second, b"0f"),
            2,
            second + 85 + 15,
            "the data is not followed by CR LF: it is longer than its chunk says",
        ),
        (
            [&good[..], b"x"].concat(),
            3,
            good.len(),
            "there is more after the end",
        ),
        (
            [&good[..good.len() - 2], b"a:b\r\n\r\n"].concat(),
            3,
            good.len() - 2,
            "there is a trailer that x-amz-content-sha256 does not declare",
        ),
    ];
    for (body, chunk, offset, what) in cases {
        let offset = offset as u64;
        for slices in [&[1][..], &[100_000]] {
            let outcome = resign(&body, false, slices, LIMIT);
            assert_eq!(
                outcome.result.unwrap_err(),
                ChunkError::Malformed {
                    chunk,
                    offset,
                    what
                }
            );
            assert!(what == "there is more after the end" || !outcome.report.complete);
        }
    }
}

#[test]
fn bounds_and_ends() {
    let chunks = [vec![1; 10], vec![2; 20]];
    let (body, starts) = of_lane(&chunks, None);
    let second = starts[1] as u64;
    assert_eq!(
        resign(&body, false, &[7], 19).result.unwrap_err(),
        ChunkError::TooLarge {
            chunk: 2,
            offset: second,
            size: 20,
            limit: 19
        }
    );
    for end in [
        0,
        5,
        starts[1] - 1,
        starts[1],
        starts[1] + 90,
        starts[2] + 5,
        body.len() - 1,
    ] {
        let outcome = resign(&body[..end], false, &[7], LIMIT);
        let offset = end as u64;
        assert!(
            matches!(outcome.result, Err(ChunkError::Truncated { offset: at, .. }) if at == offset),
            "{end}"
        );
        assert!(!outcome.report.complete);
    }
    // Without its last line end, which some clients leave out.
    let outcome = resign(&body[..body.len() - 2], false, &[7], LIMIT);
    assert!(outcome.report.complete);
    assert_eq!(outcome.result.unwrap().len(), body.len() - 2);
    let (mut body, _) = of_lane(&chunks, Some(&[("x-amz-checksum-crc32", "AAAAAA==")]));
    let at = body.windows(9).position(|w| w == b"x-amz-tra").unwrap();
    body.truncate(at);
    body.extend_from_slice(b"\r\n");
    assert!(matches!(
        resign(&body, true, &[7], LIMIT).result,
        Err(ChunkError::Malformed {
            what: "the trailer has no x-amz-trailer-signature",
            ..
        })
    ));
}
