//! Doors, routing and identity through the whole corridor.

use serde_json::{Value, json};

use crate::aws::{Ask, Aws, Key};
use crate::process::Home;
use crate::wire::Upstream;

fn how<'a>(exchange: &'a Value, field: &str) -> (&'a str, &'a str) {
    let found = exchange["route"]["how"]
        .as_array()
        .unwrap()
        .iter()
        .find(|how| how["field"] == field);
    let found = found.unwrap_or_else(|| panic!("no evidence for {field}: {exchange:#}"));
    (
        found["from"].as_str().unwrap(),
        found["evidence"].as_str().unwrap(),
    )
}

fn finding<'a>(exchange: &'a Value, code: &str) -> &'a Value {
    let found = exchange["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no finding {code}: {:#}", exchange["findings"]))
}

fn changed(exchange: &Value, what: &str) -> bool {
    let changes = exchange["sent"]["signing"]["changes"].as_array().unwrap();
    changes.iter().any(|change| change["what"] == what)
}

#[test]
fn the_reverse_door_is_named_by_host() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let reply = proxy.ask(
        Ask::identity()
            .host("sts.eu-west-1.amazonaws.com")
            .unsigned(),
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert!(reply.text().contains("user/alice"));
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["door"], "reverse");
    assert_eq!(
        exchange["received"]["url"],
        "http://sts.eu-west-1.amazonaws.com/"
    );
    let route = &exchange["route"];
    assert_eq!(route["service"], "sts");
    assert_eq!(route["region"], "eu-west-1");
    assert_eq!(route["operation"], "GetCallerIdentity");
    assert_eq!(route["iam_action"], "sts:GetCallerIdentity");
    assert_eq!(route["upstream"], aws.url());
    assert_eq!(
        how(&exchange, "service"),
        ("host", "sts.eu-west-1.amazonaws.com")
    );
    assert_eq!(how(&exchange, "region"), ("host", "eu-west-1"));
    assert_eq!(how(&exchange, "upstream").0, "option");
    assert!(changed(&exchange, "header host"));
    assert_eq!(exchange["identity"]["profile"], "default");
    assert_eq!(exchange["client"]["signature"], "none");
}

#[test]
fn the_endpoint_door_reads_the_scope() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let host = proxy.address.to_string();
    let reply = proxy.ask(
        Ask::secret("prod/db")
            .host(&host)
            .signed(&home.lane("default")),
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["door"], "endpoint-url");
    assert_eq!(exchange["route"]["service"], "secretsmanager");
    assert_eq!(how(&exchange, "service"), ("scope", "secretsmanager"));
    assert_eq!(how(&exchange, "region"), ("scope", "us-west-2"));
    assert_eq!(exchange["client"]["lane"], "default");
    assert_eq!(exchange["client"]["signature"], "valid");
    assert_eq!(exchange["sent"]["signing"]["mode"], "header/signed");
    assert_eq!(
        aws.last().caller.as_deref(),
        Some("arn:aws:iam::123456789012:user/alice")
    );
}

#[test]
fn a_bound_port_goes_to_its_upstream_and_nowhere_else() {
    let (aws, home, upstream) = (Aws::start(), Home::new(), Upstream::ok());
    let bound = format!("127.0.0.1:0={}", upstream.url());
    let proxy = home.proxy(&[
        "--listen",
        &bound,
        "--endpoint-url",
        &aws.url(),
        "--region",
        "eu-west-1",
    ]);
    let address = proxy.bound(&upstream.url());
    let ask = Ask::new("execute-api", "eu-west-1", "GET", "/prod/things?b=2&a=1")
        .host(&address.to_string());
    let reply = crate::wire::Conn::to(address).ask(ask.signed(&home.lane("default")));
    assert_eq!(reply.status(), 200);
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["door"], "bound");
    assert_eq!(exchange["route"]["signing_name"], "execute-api");
    assert_eq!(how(&exchange, "upstream").0, "listener");
    let request = upstream.request(0);
    assert_eq!(request.target(), "/prod/things?b=2&a=1");
    assert_eq!(request.header("host"), upstream.address.to_string());
    assert!(aws.sandbox().calls().is_empty());
}

#[test]
fn a_bucket_in_the_host_goes_in_front_of_the_path() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let host = format!("example-reports.localhost:{}", proxy.address.port());
    let reply = proxy.ask(
        Ask::s3("GET", "/?list-type=2")
            .host(&host)
            .signed(&home.lane("default")),
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["door"], "endpoint-url");
    assert_eq!(exchange["received"]["target"], "/?list-type=2");
    assert_eq!(exchange["sent"]["target"], "/example-reports/?list-type=2");
    assert_eq!(exchange["client"]["signature"], "valid");
    assert!(changed(&exchange, "target"));
    assert_eq!(exchange["route"]["operation"], "ListObjectsV2");

    let reply = proxy.ask(
        Ask::s3("GET", "/?list-type=2")
            .host("example-reports.s3.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert_eq!(
        proxy.exchange(2)["sent"]["target"],
        "/example-reports/?list-type=2"
    );
}

#[test]
fn the_path_of_an_endpoint_url_goes_in_front() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &format!("sqs={}/base/", upstream.url())]);
    let host = proxy.address.to_string();
    proxy.ask(
        Ask::new("sqs", "us-west-2", "GET", "/queue?x=1")
            .host(&host)
            .signed(&home.lane("default")),
    );
    assert_eq!(upstream.request(0).target(), "/base/queue?x=1");
    assert!(changed(&proxy.exchange(1), "target"));
}

#[test]
fn scope_and_host_that_disagree_are_both_kept() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let ask = Ask::identity()
        .host("sts.us-east-1.amazonaws.com")
        .region("us-west-2");
    proxy.ask(ask.signed(&home.lane("default")));
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["route"]["region"], "us-west-2");
    let scope = exchange["sent"]["signing"]["credential_scope"]
        .as_str()
        .unwrap();
    assert!(scope.ends_with("/us-west-2/sts/aws4_request"), "{scope}");
    let said = finding(&exchange, "scope-host-disagree");
    assert!(
        said["summary"].as_str().unwrap().contains("us-east-1"),
        "{said}"
    );

    let ask = Ask::new("s3", "us-east-1", "GET", "/").host("sts.us-east-1.amazonaws.com");
    proxy.ask(ask.signed(&home.lane("default")));
    let exchange = proxy.exchange(2);
    assert_eq!(exchange["route"]["signing_name"], "s3");
    finding(&exchange, "scope-host-disagree");
}

#[test]
fn a_service_with_a_fixed_region_is_put_right_on_the_endpoint_door_only() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let ask = Ask::form("iam", "Action=ListUsers&Version=2010-05-08").region("us-west-2");
    let host = proxy.address.to_string();
    let reply = proxy.ask(ask.clone().host(&host).signed(&home.lane("default")));
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["route"]["region"], "us-east-1", "{}", reply.text());
    assert_eq!(how(&exchange, "region").0, "service");
    proxy.ask(ask.host("iam.amazonaws.com").signed(&home.lane("default")));
    assert_eq!(proxy.exchange(2)["route"]["region"], "us-west-2");
}

#[test]
fn what_cannot_be_routed_is_refused_with_the_candidates() {
    let home = Home::new();
    home.aws(
        "[default]\n",
        "[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=x\n",
    );
    let proxy = home.proxy(&[]);
    let host = proxy.address.to_string();
    let reply = proxy.ask(Ask::new("x", "x", "GET", "/").host(&host).unsigned());
    assert_eq!(reply.status(), 400);
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.starts_with("sigscope: ") && message.contains("exchange #1"),
        "{message}"
    );
    assert!(message.contains("--endpoint-url"), "{message}");
    assert_eq!(proxy.exchange(1)["fault"]["kind"], "no-route");

    // Several services sign as this one, and their hosts differ.
    let ask = Ask::new("bedrock", "us-west-2", "GET", "/nothing-known").host(&host);
    let reply = proxy.ask(ask.signed(&home.lane("default")));
    assert_eq!(reply.status(), 400);
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("bedrock-runtime") && message.contains("bedrock-agent"),
        "{message}"
    );
    assert_eq!(proxy.exchange(2)["fault"]["kind"], "no-route");

    let reply = proxy.ask(Ask::identity().host(&host).unsigned());
    assert_eq!(reply.status(), 400);
    assert!(
        reply.element("Message").contains("--region"),
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("content-type"), "text/xml");
    assert_eq!(proxy.exchange(3)["route"]["service"], "sts");
}

#[test]
fn our_own_headers_choose_and_never_leave() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let ask = Ask::identity().host("sts.us-west-2.amazonaws.com");
    let ask = ask
        .header("X-Sigscope-Profile", "prod-ro")
        .header("x-sigscope-region", "eu-west-1");
    proxy.ask(ask.unsigned());
    let sent = upstream.request(0);
    assert!(!sent.has("x-sigscope-profile") && !sent.has("x-sigscope-region"));
    assert!(
        sent.header("authorization")
            .contains("AKIAI44QH8DHBEXAMPLE/")
    );
    assert!(sent.header("authorization").contains("/eu-west-1/sts/"));
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["identity"]["profile"], "prod-ro");
    assert!(
        changed(&exchange, "header x-sigscope-profile"),
        "{:#}",
        exchange["sent"]["signing"]
    );
    assert!(changed(&exchange, "header x-sigscope-region"));
}

#[test]
fn the_identity_is_found_in_order() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url(), "--profile", "prod-ro"]);
    let host = proxy.address.to_string();
    let ask = Ask::identity().host(&host);
    let named = ask.clone().header("X-Sigscope-Profile", "contractor");
    let foreign = ask.clone().signed(&Key::foreign());
    let cases = [
        (
            named.signed(&home.lane("default")),
            "default",
            "valid",
            "the lane wins over the header",
        ),
        (
            named.signed(&Key::alice()),
            "contractor",
            "valid",
            "the header wins over the key",
        ),
        (
            ask.signed(&Key::alice()),
            "default",
            "valid",
            "the key's own profile",
        ),
        (foreign, "prod-ro", "unknown-key", "else the active profile"),
        (
            ask.unsigned(),
            "prod-ro",
            "none",
            "also for those who sign nothing",
        ),
    ];
    for (number, (request, profile, signature, why)) in cases.into_iter().enumerate() {
        let reply = proxy.ask(request);
        let exchange = proxy.exchange(number as u64 + 1);
        assert_eq!(
            exchange["identity"]["profile"],
            profile,
            "{why}: {}",
            reply.text()
        );
        assert_eq!(exchange["client"]["signature"], signature, "{why}");
        assert_eq!(reply.status(), 200, "{why}: {}", reply.text());
    }
    assert!(changed(&proxy.exchange(4), "key id"));
    assert!(!changed(&proxy.exchange(5), "key id"));
}

#[test]
fn a_session_that_was_handed_out_through_us_is_known() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let host = proxy.address.to_string();
    let assume = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2F\
                  staging-admin&RoleSessionName=me";
    let reply = proxy.ask(
        Ask::form("sts", assume)
            .host(&host)
            .signed(&home.lane("default")),
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let session = Key::new(
        &reply.element("AccessKeyId"),
        &reply.element("SecretAccessKey"),
        Some(&reply.element("SessionToken")),
    );
    let ask = Ask::identity().host(&host);
    let reply = proxy.ask(ask.signed(&session));
    assert!(
        reply.text().contains("assumed-role/staging-admin/me"),
        "{}",
        reply.text()
    );
    let exchange = proxy.exchange(2);
    assert_eq!(exchange["identity"]["profile"], "AssumeRole #1");
    assert_eq!(exchange["client"]["signature"], "valid");
    assert!(exchange["identity"]["expires_at"].is_string());
    // Its secret spoilt: known, and wrong.
    proxy.ask(ask.signed(&session.with_secret("another")));
    let exchange = proxy.exchange(3);
    assert_eq!(exchange["client"]["signature"], "invalid");
    assert_eq!(exchange["reply"]["status"], 200);
}

#[test]
fn the_hop_to_a_role_is_an_exchange_of_its_own() {
    let (aws, home) = (Aws::start(), Home::new());
    let config = format!(
        "[default]\nregion = us-west-2\n[profile staging]\nrole_arn = arn:aws:iam::111122223333:role/staging-admin\n\
         source_profile = default\nregion = us-west-2\nendpoint_url = {}\n",
        aws.url()
    );
    home.aws(&config, sigscope::sandbox::scenario::demo_config().1);
    let proxy = home.proxy(&["--profile", "staging"]);
    let reply = proxy.ask(
        Ask::identity()
            .host("sts.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert!(
        reply.text().contains("assumed-role/staging-admin"),
        "{}",
        reply.text()
    );
    let hop = proxy.find("the hop", |exchange| exchange["door"] == "internal");
    assert_eq!(hop["route"]["operation"], "AssumeRole");
    assert_eq!(hop["client"]["address"], Value::Null);
    assert_eq!(hop["reply"]["status"], 200);
    assert!(
        !hop.to_string()
            .contains(&aws.last().caller.unwrap_or_default().replace("arn", "zzz"))
    );
    let call = proxy.find("the call", |exchange| exchange["door"] == "reverse");
    assert_eq!(call["identity"]["kind"], "assume-role");
    assert_eq!(call["identity"]["account"], "111122223333");
    assert!(call["timing_us"]["credentials"].as_u64().unwrap() > 0);
    assert_eq!(
        call["identity"]["chain"].as_array().unwrap().len(),
        2,
        "{:#}",
        call["identity"]
    );
}

#[test]
fn without_a_profile_the_client_is_told_in_its_services_words() {
    let home = Home::new();
    home.aws("", "");
    let proxy = home.proxy(&["--region", "us-west-2"]);
    let reply = proxy.ask(
        Ask::secret("a")
            .host("secretsmanager.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert_eq!(reply.status(), 403);
    assert_eq!(reply.json()["__type"], "CredentialsNotAvailable");
    assert!(
        reply.json()["message"]
            .as_str()
            .unwrap()
            .contains("--profile"),
        "{}",
        reply.text()
    );
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["fault"]["kind"], "no-credentials");
    assert_eq!(exchange["fault"]["stage"], "identify");
    assert_eq!(exchange["reply"]["from"], "sigscope");
    assert_eq!(exchange["identity"], Value::Null);
    let reply = proxy.ask(
        Ask::s3("GET", "/bucket/key")
            .host("s3.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert_eq!(reply.element("Code"), "CredentialsNotAvailable");
    let reply = proxy.ask(
        Ask::s3("HEAD", "/bucket/key")
            .host("s3.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert_eq!((reply.status(), reply.body.len()), (403, 0));
}

#[test]
fn a_profile_that_is_broken_is_named_and_kills_nobody() {
    let (aws, home) = (Aws::start(), Home::new());
    home.aws(
        "[default]\nregion=us-west-2\n[profile loop]\nsource_profile=loop2\nrole_arn=arn:aws:iam::123456789012:role/a\n\
         [profile loop2]\nsource_profile=loop\nrole_arn=arn:aws:iam::123456789012:role/b\n",
        sigscope::sandbox::scenario::demo_config().1,
    );
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let host = proxy.address.to_string();
    let reply = proxy.ask(Ask::identity().host(&host).signed(&home.lane("loop")));
    assert_eq!(reply.status(), 403);
    assert!(
        reply.element("Message").contains("loop"),
        "{}",
        reply.text()
    );
    let reply = proxy.ask(Ask::identity().host(&host).signed(&home.lane("default")));
    assert_eq!(reply.status(), 200);
    let unknown = Ask::identity()
        .host(&host)
        .header("X-Sigscope-Profile", "nobody")
        .unsigned();
    let reply = proxy.ask(unknown);
    assert_eq!(reply.status(), 403);
    assert!(
        reply.element("Message").contains("nobody"),
        "{}",
        reply.text()
    );
}

#[test]
fn the_invalid_signature_of_a_lane_counts_as_failed() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let host = proxy.address.to_string();
    let lane = home
        .lane("default")
        .with_secret("TheSecretOfSomeOtherKey0000000000EXAMPLE");
    let reply = proxy.ask(Ask::identity().host(&host).signed(&lane));
    assert_eq!(reply.status(), 200);
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["client"]["signature"], "invalid");
    let said = finding(&exchange, "client-signature-invalid");
    assert_eq!(
        (&said["grade"], &said["role"]),
        (&json!("computed"), &json!("cause"))
    );
    // A failed one: the independent signer was asked, and agrees with ours.
    assert_eq!(exchange["sent"]["signing"]["second_opinion"], "agrees");
}

#[test]
fn as_signed_is_a_pure_witness() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let host = upstream.address.to_string();
    let proxy = home.proxy(&["--as-signed", "--endpoint-url", &upstream.url()]);
    let request = Ask::identity().host(&host).signed(&Key::foreign());
    let reply = proxy.ask(&request);
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let text = String::from_utf8_lossy(&request).into_owned();
    let authorization = text
        .lines()
        .find_map(|line| line.strip_prefix("authorization: "))
        .unwrap();
    assert_eq!(upstream.request(0).header("authorization"), authorization);
    assert_eq!(proxy.exchange(1)["sent"]["signing"]["mode"], "as-signed");
    // Signed for our own address it cannot be valid there.
    let reply = proxy.ask(
        Ask::identity()
            .host(&proxy.address.to_string())
            .signed(&home.lane("default")),
    );
    assert_eq!(reply.status(), 400);
    assert!(
        reply.element("Message").contains("--as-signed"),
        "{}",
        reply.text()
    );
    assert_eq!(upstream.count(), 1);
}

#[test]
fn foreign_authentication_passes_untouched() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let cases = [
        (
            "Bearer some-opaque-bearer-token",
            "bedrock-runtime.us-west-2.amazonaws.com",
        ),
        (
            "AWS4-ECDSA-P256-SHA256 Credential=AKIAFOREIGN22EXAMPLE/20261122/s3/aws4_request, SignedHeaders=host, Signature=00",
            "s3.us-west-2.amazonaws.com",
        ),
        ("Negotiate abcdef", "es.us-west-2.amazonaws.com"),
    ];
    for (number, (authorization, host)) in cases.iter().enumerate() {
        let request =
            format!("GET /a/b HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n\r\n");
        assert_eq!(proxy.ask(request).status(), 200, "{authorization}");
        assert_eq!(
            upstream.request(number).header("authorization"),
            *authorization
        );
        let exchange = proxy.exchange(number as u64 + 1);
        assert_eq!(exchange["sent"]["signing"]["mode"], "untouched");
        assert_eq!(exchange["sent"]["signing"]["algorithm"], Value::Null);
        assert_eq!(exchange["identity"], Value::Null);
    }
}

#[test]
fn what_is_unsigned_by_design_stays_so() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=a&RoleSessionName=b&WebIdentityToken=c";
    proxy.ask(
        Ask::form("sts", body)
            .host("sts.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert!(!upstream.request(0).has("authorization"));
    assert_eq!(proxy.exchange(1)["sent"]["signing"]["mode"], "untouched");

    let proxy = home.proxy(&["--endpoint-url", &upstream.url(), "--no-sign-unsigned"]);
    proxy.ask(
        Ask::identity()
            .host("sts.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert!(!upstream.request(1).has("authorization"));
    proxy.ask(
        Ask::identity()
            .host("sts.us-west-2.amazonaws.com")
            .signed(&Key::alice()),
    );
    assert!(
        upstream
            .request(2)
            .header("authorization")
            .starts_with("AWS4-HMAC-SHA256")
    );
}
