//! The scripted clients: they sign as real ones do, rightly or wrongly, with their own lane.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::HEAD_START;
use crate::profile::Lanes;
use crate::sandbox::scenario::{Client, Flaw, Step, steps};
use crate::secret::Credentials;
use crate::sigv4::{Header, KeyCache, RequestView, Rules, SigningInput, sha256_hex, sign_headers};

type Sender = Http<HttpConnector, Full<Bytes>>;

/// Sends the script once.
pub(super) async fn play(url: &str, lanes: &Lanes) -> Result<(), String> {
    let sender = Http::builder(TokioExecutor::new())
        .http1_preserve_header_case(true)
        .set_host(false)
        .build_http();
    let keys = KeyCache::default();
    let steps = steps().map_err(|error| format!("the demo's script: {error}"))?;
    let mut head_start = HEAD_START;
    for step in steps {
        let pause = Duration::from_millis(step.pause_ms);
        tokio::time::sleep(pause.saturating_sub(head_start)).await;
        head_start = head_start.saturating_sub(pause);
        send(&sender, url, lanes, &keys, &step).await?;
    }
    Ok(())
}

async fn send(
    sender: &Sender,
    url: &str,
    lanes: &Lanes,
    keys: &KeyCache,
    step: &Step,
) -> Result<(), String> {
    let wrong =
        |error: &dyn std::fmt::Display| format!("the demo's step `{}`: {error}", step.title);
    let mut headers: Vec<(String, Vec<u8>)> = step
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
        .collect();
    headers.insert(0, ("Host".to_owned(), step.host.clone().into_bytes()));
    let (credentials, flaw) = match &step.client {
        Client::Unsigned => (None, None),
        Client::Lane { profile, flaw } => {
            let lane = lanes.hand_out(profile, 0);
            let secret = match flaw {
                Some(Flaw::WrongSecret) => b"TheSecretOfSomeOtherKey0000000000EXAMPLE".to_vec(),
                _ => lane.secret_access_key.expose().to_vec(),
            };
            (
                Some(Credentials::new(lane.access_key_id.clone(), secret, None)),
                flaw.as_ref(),
            )
        }
        Client::Foreign {
            access_key_id,
            secret_access_key,
        } => (
            Some(Credentials::new(
                access_key_id.clone(),
                secret_access_key.clone(),
                None,
            )),
            None,
        ),
    };
    if let Some(credentials) = &credentials {
        sign(step, credentials, flaw, keys, &mut headers).map_err(|error| wrong(&error))?;
    }
    let mut body = step.body.clone();
    match flaw {
        Some(Flaw::BodyChanged { sent }) => body.clone_from(sent),
        Some(Flaw::UnsignedHeader { name, value }) => {
            headers.push((name.clone(), value.clone().into_bytes()))
        }
        _ => {}
    }
    let mut request = Request::builder()
        .method(step.method.as_str())
        .uri(format!("{url}{}", step.target));
    for (name, value) in &headers {
        request = request.header(name.as_str(), value.as_slice());
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| wrong(&error))?;
    // What is refused or cut is on the screen; the client has nothing to add.
    if let Ok(response) = sender.request(request).await {
        let _ = response.into_body().collect().await;
    }
    Ok(())
}

fn sign(
    step: &Step,
    credentials: &Credentials,
    flaw: Option<&Flaw>,
    keys: &KeyCache,
    headers: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), String> {
    let minutes = match flaw {
        Some(Flaw::Clock { minutes }) => *minutes,
        _ => 0,
    };
    let offset = Duration::from_secs(minutes.unsigned_abs() * 60);
    let now = SystemTime::now();
    let time = if minutes < 0 {
        now - offset
    } else {
        now + offset
    };
    let mut rules = Rules::for_signing_name(&step.service);
    rules.double_encode |= matches!(flaw, Some(Flaw::DoubleEncodedPath));
    let hash = sha256_hex(step.body.as_bytes());
    let declared = step
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-amz-content-sha256"));
    let payload = declared.map_or(hash.as_str(), |(_, value)| value);
    let pairs: Vec<Header<'_>> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()))
        .collect();
    let view = RequestView {
        method: &step.method,
        target: step.target.as_bytes(),
        headers: &pairs,
        payload,
    };
    let input = SigningInput {
        credentials,
        region: &step.region,
        service: &step.service,
        time,
        rules,
        view,
        also: &[],
    };
    let signed = sign_headers(&input, keys).map_err(|error| error.to_string())?;
    for (name, value) in &signed.headers_added {
        headers.push(((*name).to_owned(), value.expose().to_vec()));
    }
    Ok(())
}
