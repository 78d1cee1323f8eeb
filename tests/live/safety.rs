//! An open signing port serves nobody but local clients that mean it.

use serde_json::Value;

use crate::aws::{Ask, Key};
use crate::process::{Home, Proxy};
use crate::wire::{Message, Upstream};

struct Guarded {
    home: Home,
    upstream: Upstream,
    proxy: Proxy,
}

impl Guarded {
    fn start(args: &[&str]) -> Self {
        let (home, upstream) = (Home::new(), Upstream::ok());
        let url = upstream.url();
        let proxy = home.proxy(&[&["--endpoint-url", &*url], args].concat());
        Self {
            home,
            upstream,
            proxy,
        }
    }

    /// Refused with this status, and nothing went out; gives the message and the exchange.
    #[track_caller]
    fn refuses(
        &self,
        id: u64,
        request: impl AsRef<[u8]>,
        status: u16,
        kind: &str,
    ) -> (Message, Value) {
        let reply = self.proxy.ask(request);
        assert_eq!(reply.status(), status, "{}", reply.text());
        assert_eq!(self.upstream.count(), 0);
        let exchange = self.proxy.exchange(id);
        assert_eq!(exchange["fault"]["kind"], kind, "{:#}", exchange["fault"]);
        assert_eq!(exchange["reply"]["from"], "sigscope");
        assert_eq!(exchange["reply"]["status"], status);
        assert_eq!(exchange["sent"], Value::Null);
        assert!(exchange["received"].is_object());
        let text = reply.text();
        assert!(
            text.contains("sigscope: ") && text.contains(&format!("exchange #{id}: ")),
            "{text}"
        );
        (reply, exchange)
    }
}

#[test]
fn only_known_hosts_are_served() {
    let guarded = Guarded::start(&["--allow-host", "Proxy.Internal"]);
    let hosts = [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "169.254.169.254",
        "10.0.0.1",
        "amazonaws.com.evil.example",
        "[fe80::1]",
    ];
    for (number, host) in hosts.iter().enumerate() {
        let request = Ask::identity()
            .host(host)
            .signed(&guarded.home.lane("default"));
        let (reply, _) = guarded.refuses(number as u64 + 1, request, 421, "not-allowed");
        assert!(reply.text().contains("--allow-host"), "{}", reply.text());
    }
    let port = guarded.proxy.address.port();
    let allowed = [
        "127.0.0.1".to_owned(),
        format!("LOCALHOST:{port}"),
        format!("[::1]:{port}"),
        "proxy.internal".to_owned(),
        "sts.us-west-2.amazonaws.com.".to_owned(),
    ];
    for host in allowed {
        let reply = guarded.proxy.ask(
            Ask::identity()
                .host(&host)
                .signed(&guarded.home.lane("default")),
        );
        assert_eq!(reply.status(), 200, "{host}: {}", reply.text());
    }
}

#[test]
fn pages_of_the_web_are_refused() {
    let guarded = Guarded::start(&[]);
    let ask = Ask::s3("GET", "/b/k").host("s3.us-west-2.amazonaws.com");
    guarded.refuses(
        1,
        ask.clone()
            .header("Origin", "https://evil.example")
            .unsigned(),
        403,
        "not-allowed",
    );
    guarded.refuses(
        2,
        ask.clone().header("Origin", "null").unsigned(),
        403,
        "not-allowed",
    );
    guarded.refuses(
        3,
        ask.clone()
            .header("Sec-Fetch-Site", "cross-site")
            .unsigned(),
        403,
        "not-allowed",
    );
    guarded.refuses(
        4,
        ask.clone().header("Sec-Fetch-Site", "same-site").unsigned(),
        403,
        "not-allowed",
    );
    assert_eq!(
        guarded
            .proxy
            .ask(ask.header("Sec-Fetch-Site", "none").unsigned())
            .status(),
        200
    );
}

#[test]
fn one_authentication_is_enough() {
    let guarded = Guarded::start(&[]);
    let presigned = Ask::s3("GET", "/b/k")
        .host("s3.us-west-2.amazonaws.com")
        .presigned();
    let request = String::from_utf8(presigned.signed(&Key::alice())).unwrap();
    let both = request.replacen(
        "\r\n\r\n",
        "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b\r\n\r\n",
        1,
    );
    let (_, exchange) = guarded.refuses(1, both, 400, "not-allowed");
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("twice")
    );
}

#[test]
fn upgrades_and_connect_are_refused_with_the_way_out() {
    let guarded = Guarded::start(&[]);
    let (reply, _) = guarded.refuses(
        1,
        "CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nHost: sts.amazonaws.com:443\r\n\r\n",
        501,
        "not-allowed",
    );
    assert!(
        reply.text().contains("AWS_ENDPOINT_URL"),
        "{}",
        reply.text()
    );
    let upgrade = Ask::s3("GET", "/b")
        .host("s3.us-west-2.amazonaws.com")
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c");
    let (reply, _) = guarded.refuses(2, upgrade.unsigned(), 501, "not-allowed");
    assert!(reply.text().contains("h2c"), "{}", reply.text());
}

#[test]
fn read_only_refuses_what_changes_something_in_the_services_words() {
    let guarded = Guarded::start(&["--read-only"]);
    let put = Ask::s3("PUT", "/b/k")
        .host("s3.us-west-2.amazonaws.com")
        .body("x");
    let (reply, _) = guarded.refuses(1, put.unsigned(), 403, "not-allowed");
    assert_eq!(reply.element("Code"), "AccessDenied");
    assert!(
        reply.element("Message").contains("s3.PutObject")
            && reply.element("Message").contains("read-only")
    );
    let delete = Ask::json("dynamodb", "DynamoDB_20120810.DeleteTable", "{}")
        .host("dynamodb.us-west-2.amazonaws.com");
    let (reply, _) = guarded.refuses(2, delete.unsigned(), 403, "not-allowed");
    assert_eq!(reply.json()["__type"], "AccessDenied");
    let create = Ask::form("iam", "Action=CreateUser&Version=2010-05-08&UserName=a")
        .host("iam.amazonaws.com");
    let (reply, _) = guarded.refuses(3, create.unsigned(), 403, "not-allowed");
    assert_eq!(
        (reply.element("Code"), reply.element("Type")),
        ("AccessDenied".to_owned(), "Sender".to_owned())
    );
    // What is not known may change something.
    let unknown = Ask::json("dynamodb", "DynamoDB_20120810.FutureThing", "{}")
        .host("dynamodb.us-west-2.amazonaws.com");
    guarded.refuses(4, unknown.unsigned(), 403, "not-allowed");
    let rest = Ask::new("lambda", "us-west-2", "DELETE", "/2015-03-31/functions/f")
        .host("lambda.us-west-2.amazonaws.com");
    let (reply, _) = guarded.refuses(5, rest.unsigned(), 403, "not-allowed");
    assert_eq!(reply.header("x-amzn-errortype"), "AccessDenied");
    for reads in [
        Ask::identity().host("sts.us-west-2.amazonaws.com"),
        Ask::s3("GET", "/b/k").host("s3.us-west-2.amazonaws.com"),
        Ask::json("dynamodb", "DynamoDB_20120810.Query", "{}")
            .host("dynamodb.us-west-2.amazonaws.com"),
    ] {
        assert_eq!(guarded.proxy.ask(reads.unsigned()).status(), 200);
    }
}

#[test]
fn with_require_lane_nobody_else_is_served() {
    let guarded = Guarded::start(&["--require-lane"]);
    let ask = Ask::identity().host("sts.us-west-2.amazonaws.com");
    guarded.refuses(1, ask.unsigned(), 403, "not-allowed");
    guarded.refuses(2, ask.signed(&Key::alice()), 403, "not-allowed");
    let lane = guarded.home.lane("default");
    guarded.refuses(
        3,
        ask.signed(&lane.with_secret("guessed, since the key id is no secret")),
        403,
        "not-allowed",
    );
    guarded.refuses(
        4,
        ask.clone().minutes_ago(60).signed(&lane),
        403,
        "not-allowed",
    );
    let changed = ask.signed_then(&lane, |_| {
        b"Action=CreateUserXXXXXXXX&Version=2011-06-15".to_vec()
    });
    guarded.refuses(5, changed, 403, "not-allowed");
    assert_eq!(guarded.proxy.ask(ask.signed(&lane)).status(), 200);
}

#[test]
fn what_comes_back_to_us_is_a_loop() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (listen, url) = (
        free.to_string(),
        format!("http://localhost:{}", free.port()),
    );
    let proxy = Proxy::start(home.command(&[
        "proxy",
        "--format",
        "jsonl",
        "--listen",
        &listen,
        "--endpoint-url",
        &url,
    ]));
    let reply = proxy.ask(
        Ask::identity()
            .host("sts.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert_eq!(reply.status(), 508, "{}", reply.text());
    assert_eq!(proxy.exchange(1)["fault"]["kind"], "loop");
}

#[test]
fn our_own_variables_are_ignored_and_named() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut command = home.command(&["proxy", "--format", "jsonl", "--listen", &free.to_string()]);
    command
        .env("AWS_ENDPOINT_URL", format!("http://{free}"))
        .env("AWS_ACCESS_KEY_ID", home.lane("default").id)
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .env("HTTPS_PROXY", format!("http://{free}"));
    let proxy = Proxy::start(command);
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "HTTPS_PROXY"] {
        proxy.stderr.find(name, |line| {
            (line.starts_with(name) && line.contains("sigscope itself")).then_some(())
        });
    }
    proxy.stderr.find("the profile", |line| {
        (line == "signing as default").then_some(())
    });
}

#[test]
fn this_machine_is_reached_only_where_it_was_configured() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    // A profile of its own may name it; the general port without one may not.
    let config = format!(
        "[default]\nregion=us-west-2\n[profile local]\nregion=us-west-2\nendpoint_url={}\n\
         [profile services]\nregion=us-west-2\nservices=mine\n[services mine]\nsqs =\n  endpoint_url = {}\n",
        upstream.url(),
        upstream.url()
    );
    let credentials = "[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=x\n\
                       [local]\naws_access_key_id=AKIAI44QH8DHBEXAMPLE\naws_secret_access_key=y\n\
                       [services]\naws_access_key_id=AKIACIDEPLOY2EXAMPLE\naws_secret_access_key=z\n";
    home.aws(&config, credentials);
    let proxy = home.proxy(&["--profile", "local"]);
    let ask = Ask::identity().host("sts.us-west-2.amazonaws.com");
    assert_eq!(proxy.ask(ask.unsigned()).status(), 200);
    assert_eq!(
        proxy.exchange(1)["route"]["how"][3]["from"],
        "profile",
        "{:#}",
        proxy.exchange(1)["route"]
    );
    let sqs = Ask::json("sqs", "AmazonSQS.ListQueues", "{}").host("sqs.us-west-2.amazonaws.com");
    assert_eq!(
        proxy
            .ask(sqs.header("X-Sigscope-Profile", "services").unsigned())
            .status(),
        200
    );
    assert_eq!(
        upstream.request(1).header("x-amz-target"),
        "AmazonSQS.ListQueues"
    );
}

#[test]
fn beyond_loopback_only_with_lanes() {
    let home = Home::new();
    let ended = home.run(&["proxy", "--listen", "0.0.0.0:0"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("--require-lane"), "{}", ended.stderr);
    let proxy = Proxy::start(home.command(&[
        "proxy",
        "--format",
        "jsonl",
        "--listen",
        "0.0.0.0:0",
        "--require-lane",
    ]));
    drop(proxy);
}
