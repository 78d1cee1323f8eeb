//! Unmistakable fake secrets, sent through every path, are looked for in everything that
//! comes out.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::aws::{Ask, Key, percent};
use crate::process::{Home, bytes_of, ended};
use crate::terminal::Terminal;
use crate::wire::{Conn, Message, Upstream};

/// Known: they stand in the credentials file.
const SECRET: &str = "CaNaRy0/Known+Secret/With+Both/And=xQz7Wb";
const SECRET_OF_TEMP: &str = "CaNaRy1/TemporarySecretKeyOfTheProfileqQ";
const TOKEN: &str = "FwoGZXIvYXdzECaNaRy2//////////wEaDKnownSessionTokenOfTheProfile+vK8pQ/mZtR4sXw9yB2nJ5hL7gF3dS6aP0oI1uY==";
/// Not known: found by their place alone.
const CLIENT_TOKEN: &str = "IQoJb3JpZ2luX2VjCaNaRy3EclientsOwnSessionToken+Zk4Rq8Tn1Vw6Yb3Xc9Md5Lf2Jh7Gs0Pp/KeUi3Oa6Bt8Nx1Qz5Wv==";
const BEARER: &str = "CaNaRy4.bearer-token.Zm9vYmFyYmF6cXV1eA-kq82LmxZ";
const BASIC: &str = "CaNaRy5-password-of-basic-auth";
const COOKIE: &str = "CaNaRy6CookieValueZxTnPoIuYtRe";
const API_KEY: &str = "CaNaRy7ApiKeyQwErTyUiOpAsDfGhJk";
const SSE_KEY: &str = "CaNaRy8SSECustomerKey+AAAA/BBBBCCCCDDDDEEEE=";
const PRESIGNED_TOKEN: &str = "IQoJb3JpZ2luX2VjCaNaRy9PresignedToken+Fh2Kd7Ls4Mz9Qw1Er6Ty3Ui8Op5As0Gj/Xc2Vb7Nm4Hk9Zq1We6Rt3Yu8Io==";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUiLCJzdWIiOiJDYU5hUnkxMCJ9.CaNaRy10SignatureOfTheJwtQmZtRsWxYbNjLk";
const SAML: &str = "PHNhbWw+Q2FOYVJ5MTE8L3NhbWw+Q2FOYVJ5MTFDYU5hUnkxMUNhTmFSeTExWkxrUXBS";
const STRING: &str = "CaNaRy12-the-secret-string-of-secrets-manager";
const PARAMETER: &str = "CaNaRy13-a-secure-parameter-of-ssm";
const PASSWORD: &str = "CaNaRy14!Cognito\\Password\"With<Odd>Chars";
const REPLY_SECRET: &str = "CaNaRy15/SecretKeyInAReply+WhichIsHanded";
const REPLY_TOKEN: &str = "IQoJb3JpZ2luX2VjCaNaRy16TokenInAReply+Lp9Ko3Ij7Uh1Yg5Tf8Rd2Es6Wa4Qz0Xc/Vb9Nm3Mk7Jn1Hb5Gv8Fc2Dx6Sz==";
const ECR: &str = "QVdTOkNhTmFSeTE3LXpxOFdrMlh2NUxtOVB0M0pyN05iNEhzNkdkMUZjMA==";
const SSO: &str = "CaNaRy18SsoLendsThis/zxcvbnmasdfghqwerty";
const ACCESS_KEY: &str = "CaNaRy19/NewKeySecret+asdfqwertyuioxzcvq";
const USERINFO: &str = "CaNaRy20UserinfoPassword";
const MFA: &str = "CaNaRy21RefreshTokenOfCognitoAAAABBBBCCCC";
const CONFIG_LINE: &str = "CaNaRy22SecretOnABrokenLineOfTheCredentials";

const ALL: &[&str] = &[
    SECRET,
    SECRET_OF_TEMP,
    TOKEN,
    CLIENT_TOKEN,
    BEARER,
    BASIC,
    COOKIE,
    API_KEY,
    SSE_KEY,
    PRESIGNED_TOKEN,
    JWT,
    SAML,
    STRING,
    PARAMETER,
    PASSWORD,
    REPLY_SECRET,
    REPLY_TOKEN,
    ECR,
    SSO,
    ACCESS_KEY,
    USERINFO,
    MFA,
    CONFIG_LINE,
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every way of writing a secret, in pieces of which none may appear.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let mut forms: Vec<(&str, Vec<u8>)> = Vec::new();
    let middle = &bytes[bytes.len() / 3..bytes.len() / 3 + 12];
    let text = String::from_utf8_lossy(middle).into_owned();
    for window in bytes.windows(14) {
        forms.push(("plain", window.to_vec()));
    }
    let escaped = serde_json::to_string(&text).expect("text");
    forms.push(("JSON", escaped.trim_matches('"').into()));
    forms.push(("JSON with slashes", text.replace('/', "\\/").into()));
    forms.push(("percent", percent(&text).into()));
    forms.push(("percent", percent(&text).to_ascii_lowercase().into()));
    forms.push(("percent twice", percent(&percent(&text)).into()));
    forms.push(("hex", hex(middle).into()));
    forms.push(("HEX", hex(middle).to_uppercase().into()));
    let spaced: Vec<_> = middle.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.push(("spaced hex", spaced.join(" ").into()));
    for skip in 0..3 {
        let whole = (middle.len() - skip) / 3 * 3;
        forms.push((
            "base64",
            STANDARD.encode(&middle[skip..skip + whole]).into(),
        ));
        forms.push((
            "base64",
            URL_SAFE.encode(&middle[skip..skip + whole]).into(),
        ));
    }
    forms
}

struct Needles {
    finder: AhoCorasick,
    meaning: Vec<String>,
}

fn needles() -> &'static Needles {
    static NEEDLES: OnceLock<Needles> = OnceLock::new();
    NEEDLES.get_or_init(|| {
        let mut pieces = Vec::new();
        let mut meaning = Vec::new();
        for secret in ALL {
            for (form, piece) in forms(secret) {
                pieces.push(piece);
                meaning.push(format!("{secret} in {form}"));
            }
        }
        Needles {
            finder: AhoCorasick::new(&pieces).expect("a finder"),
            meaning,
        }
    })
}

/// Fails if anything of any secret is there.
#[track_caller]
fn clean(place: &str, bytes: &[u8]) {
    // A line may be broken on the screen.
    let joined: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    for text in [bytes, &joined] {
        if let Some(found) = needles().finder.find(text) {
            let around =
                &text[found.start().saturating_sub(200)..text.len().min(found.end() + 200)];
            let what = &needles().meaning[found.pattern().as_usize()];
            panic!("{place} has {what}: {}", String::from_utf8_lossy(around));
        }
    }
}

fn reply(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nSet-Cookie: session={COOKIE}; Secure\r\n\
         Location: https://user:{USERINFO}@example.com/?X-Amz-Security-Token={}\r\n\r\n{body}",
        body.len(),
        percent(REPLY_TOKEN)
    )
}

/// What AWS answers: credentials, or an error that echoes them.
fn answer(message: &Message) -> String {
    let target = message.header("x-amz-target");
    let text = message.text();
    let credentials = format!(
        "<Credentials><AccessKeyId>ASIACANARY22EXAMPLE2</AccessKeyId><SecretAccessKey>{REPLY_SECRET}</SecretAccessKey>\
         <SessionToken>{REPLY_TOKEN}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    );
    let json = "application/x-amz-json-1.1";
    if text.contains("Action=AssumeRole") {
        let body = format!(
            "<AssumeRoleResponse><AssumeRoleResult>{credentials}</AssumeRoleResult></AssumeRoleResponse>"
        );
        return reply("200 OK", "text/xml", &body);
    }
    if text.contains("Action=CreateAccessKey") {
        let body = format!(
            "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>u</UserName>\
             <AccessKeyId>AKIACANARY22EXAMPLE2</AccessKeyId><Status>Active</Status>\
             <SecretAccessKey>{ACCESS_KEY}</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
        );
        return reply("200 OK", "text/xml", &body);
    }
    if target.ends_with("GetSecretValue") {
        let body = serde_json::json!({"Name": "n", "SecretString": STRING, "SecretBinary": STANDARD.encode(STRING)});
        return reply("200 OK", json, &body.to_string());
    }
    if target.contains("GetParameter") {
        let body = serde_json::json!({"Parameter": {"Name": "p", "Type": "SecureString", "Value": PARAMETER}});
        return reply("200 OK", json, &body.to_string());
    }
    if target.ends_with("GetAuthorizationToken") {
        let body = serde_json::json!({"authorizationData": [{"authorizationToken": ECR, "proxyEndpoint": "https://e"}]});
        return reply("200 OK", json, &body.to_string());
    }
    if target.ends_with("InitiateAuth") {
        let body = serde_json::json!({"AuthenticationResult": {"AccessToken": JWT, "IdToken": JWT, "RefreshToken": MFA}});
        return reply("200 OK", json, &body.to_string());
    }
    if message.target().starts_with("/federation/credentials") {
        let body = format!(
            "{{\"roleCredentials\":{{\"accessKeyId\":\"ASIACANARY22EXAMPLE3\",\"secretAccessKey\":\"{SSO}\",\
             \"sessionToken\":\"{REPLY_TOKEN}\",\"expiration\":4070908800000}}}}"
        );
        return reply("200 OK", "application/json", &body);
    }
    if message.target().starts_with("/echo") {
        let canonical = format!(
            "GET\n/echo\n\nhost:h\nx-amz-security-token:{TOKEN}\nx-other:{CLIENT_TOKEN}\n\nhost;x-amz-security-token\nUNSIGNED-PAYLOAD"
        );
        let spaced: Vec<_> = canonical
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let body = format!(
            "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match \
             x-amz-security-token:{TOKEN}</Message><AWSAccessKeyId>AKIACANARY22EXAMPLE4</AWSAccessKeyId>\
             <CanonicalRequest>{canonical}</CanonicalRequest><CanonicalRequestBytes>{}</CanonicalRequestBytes></Error>",
            spaced.join(" ")
        );
        return reply("403 Forbidden", "application/xml", &body);
    }
    if message.target().starts_with("/json-echo") {
        let body = serde_json::json!({"__type": "InvalidSignatureException", "message": format!(
            "The Canonical String for this request should have been 'GET\n/\n\nx-amz-security-token:{TOKEN}\n' {}", hex(TOKEN.as_bytes())
        )});
        return reply("400 Bad Request", json, &body.to_string());
    }
    reply("200 OK", "application/json", "{}")
}

fn home() -> Home {
    let home = Home::new();
    home.aws(
        "[default]\nregion=us-west-2\n[profile temp]\nregion=us-west-2\n",
        &format!(
            "[default]\naws_access_key_id=AKIACANARY22EXAMPLE1\naws_secret_access_key={SECRET}\n\
             [temp]\naws_access_key_id=ASIACANARY22EXAMPLE1\naws_secret_access_key={SECRET_OF_TEMP}\naws_session_token={TOKEN}\n\
             [broken]\naws_access_key_id=AKIACANARY22EXAMPLE5\naws_secret_access_key {CONFIG_LINE}\n{CONFIG_LINE}\n"
        ),
    );
    home
}

fn upstream() -> Upstream {
    Upstream::scripted(|_, message, conn| conn.try_send(answer(message)))
}

/// Everything that a client can send; gives how many exchanges it makes.
fn send_everything(address: SocketAddr) -> u64 {
    let s3 = "s3.us-west-2.amazonaws.com";
    let client = Key::new(
        "ASIACANARY22EXAMPLE9",
        "the client's own secret, never sent",
        Some(CLIENT_TOKEN),
    );
    let presigner = Key::new("ASIACANARY22EXAMPLE8", "the same", Some(PRESIGNED_TOKEN));
    let sts = |body: &str| Ask::form("sts", body).host("sts.us-west-2.amazonaws.com");
    let json = |service: &str, target: &str, body: String| {
        Ask::json(service, target, &body).host(&format!("{service}.us-west-2.amazonaws.com"))
    };
    let cbor = {
        let mut bytes = Vec::new();
        let text = |text: &str| ciborium::Value::Text(text.to_owned());
        let map = ciborium::Value::Map(vec![
            (text("a"), text(SECRET)),
            (text("SessionToken"), text(REPLY_TOKEN)),
            (text("b"), ciborium::Value::Bytes(TOKEN.into())),
        ]);
        ciborium::into_writer(&map, &mut bytes).expect("written");
        bytes
    };
    let basic = STANDARD.encode(format!("AWS:{BASIC}"));
    let saml = percent(SAML);
    let known_everywhere = format!(
        "{SECRET} {} {} {} {TOKEN}",
        hex(SECRET.as_bytes()),
        STANDARD.encode(SECRET),
        STANDARD.encode(format!("x{TOKEN}"))
    );
    let get = Ask::s3("GET", "/b/k").host(s3);
    let requests: Vec<Vec<u8>> = vec![
        get.signed(&client),
        get.clone().presigned().signed(&presigner),
        get.clone().header("X-Sigscope-Profile", "temp").unsigned(),
        get.clone().presigned().header("X-Sigscope-Profile", "temp").signed(&presigner),
        get.clone().header("Authorization", &format!("Bearer {BEARER}")).unsigned(),
        get.clone().header("Authorization", &format!("Basic {basic}")).unsigned(),
        get.clone().header("Cookie", &format!("a={COOKIE}; b=1")).header("x-api-key", API_KEY).unsigned(),
        get.clone().header("x-amz-server-side-encryption-customer-key", SSE_KEY).unsigned(),
        get.clone().header("x-amz-copy-source-server-side-encryption-customer-key", SSE_KEY).unsigned(),
        get.clone().header("Referer", &format!("https://u:{USERINFO}@h/?X-Amz-Security-Token={}", percent(CLIENT_TOKEN))).unsigned(),
        get.clone().header("Proxy-Authorization", &format!("Bearer {BEARER}")).unsigned(),
        get.clone().header("x-anything", &known_everywhere).unsigned(),
        Ask::s3("GET", &format!("/b/{}", percent(SECRET))).host(s3).unsigned(),
        Ask::s3("GET", &format!("/b/{}?x={}&access_token={BEARER}", hex(SECRET.as_bytes()), percent(TOKEN))).host(s3).unsigned(),
        Ask::s3("GET", "/echo").host(s3).header("X-Sigscope-Profile", "temp").unsigned(),
        json("dynamodb", "DynamoDB_20120810.ListTables", "{}".to_owned()).header("x-odd", "1").unsigned(),
        Ask::new("dynamodb", "us-west-2", "POST", "/json-echo").host("dynamodb.us-west-2.amazonaws.com").unsigned(),
        sts("Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s").unsigned(),
        sts(&format!("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r&RoleSessionName=s&WebIdentityToken={JWT}")).unsigned(),
        sts(&format!("Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=r&PrincipalArn=p&SAMLAssertion={saml}")).unsigned(),
        Ask::form("iam", "Action=CreateAccessKey&Version=2010-05-08").host("iam.amazonaws.com").unsigned(),
        json("secretsmanager", "secretsmanager.GetSecretValue", "{\"SecretId\":\"a\"}".to_owned()).unsigned(),
        json("secretsmanager", "secretsmanager.PutSecretValue", serde_json::json!({"SecretId": "a", "SecretString": STRING}).to_string()).unsigned(),
        json("ssm", "AmazonSSM.GetParameter", "{\"Name\":\"p\",\"WithDecryption\":true}".to_owned()).unsigned(),
        json("ssm", "AmazonSSM.PutParameter", serde_json::json!({"Name": "p", "Value": PARAMETER}).to_string()).unsigned(),
        Ask::json("ecr", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", "{}").host("api.ecr.us-west-2.amazonaws.com").unsigned(),
        json("cognito-idp", "AWSCognitoIdentityProviderService.InitiateAuth", serde_json::json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c", "AuthParameters": {"USERNAME": "u", "PASSWORD": PASSWORD}}).to_string()).unsigned(),
        Ask::new("sso", "us-west-2", "GET", "/federation/credentials?role_name=r&account_id=123456789012").host("portal.sso.us-west-2.amazonaws.com").header("x-amz-sso_bearer_token", BEARER).unsigned(),
        Ask::new("monitoring", "us-west-2", "POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData")
            .host("monitoring.us-west-2.amazonaws.com").header("smithy-protocol", "rpc-v2-cbor").header("Content-Type", "application/cbor").body(&cbor).unsigned(),
        Ask::s3("PUT", "/b/k").host(s3).header("Content-Type", "application/json").body(serde_json::json!({"k": SECRET, "t": TOKEN}).to_string()).unsigned(),
        Ask::s3("PUT", "/b/k").host(s3).header("Content-Type", "application/xml").body(format!("<a><b>{SECRET}</b><SessionToken>{CLIENT_TOKEN}</SessionToken></a>")).unsigned(),
        Ask::s3("PUT", "/b/k").host(s3).header("Content-Type", "text/plain").body(&known_everywhere).unsigned(),
        Ask::s3("PUT", "/b/k").host(s3).header("Transfer-Encoding", "chunked").body(format!("9\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &SECRET[..9], SECRET.len() - 9, &SECRET[9..])).unsigned(),
        Ask::new("x", "x", "GET", "/").host(&format!("user:{USERINFO}@evil.example")).unsigned(),
        get.clone().header("Origin", "https://evil").header("Authorization", &format!("Bearer {BEARER}")).unsigned(),
        format!("GET /b/k HTTP/1.1\r\nHost: {s3}\r\nHost: {s3}\r\nX-Amz-Security-Token: {CLIENT_TOKEN}\r\n\r\n").into(),
        format!("GET /?X-Amz-Security-Token={} nonsense\r\nAuthorization: Bearer {BEARER}\r\n\r\n", percent(CLIENT_TOKEN)).into(),
        format!("{SECRET} {TOKEN}\r\n\r\n").into(),
        format!("GET / HTTP/1.1\r\nAuthorization: Bearer {BEARER}\r\nbroken line {TOKEN}\r\n\r\n").into(),
        format!("GET https://u:{USERINFO}@{s3}/b/k HTTP/1.1\r\nHost: {s3}\r\n\r\n").into(),
        format!("GET /b/k HTTP/1.1\r\nHost: {s3}\r\nX-Sigscope-Profile: {SECRET}\r\n\r\n").into(),
    ];
    let count = requests.len() as u64;
    for request in requests {
        let mut conn = Conn::to(address);
        conn.try_send(&request);
        let _ = conn.message(request.starts_with(b"HEAD "));
    }
    count
}

fn session_is_clean(path: &Path) {
    let mut all = bytes_of(path);
    for more in ["-wal", "-shm"] {
        all.extend(bytes_of(Path::new(&format!("{}{more}", path.display()))));
    }
    assert!(all.len() > 4096);
    clean("the session file", &all);
}

#[test]
fn no_secret_is_in_json_lines_session_or_standard_error() {
    let (home, upstream) = (home(), upstream());
    let session = home.path("session.db");
    let proxy = home.proxy(&[
        "--endpoint-url",
        &upstream.url(),
        "--session",
        session.to_str().unwrap(),
    ]);
    let count = send_everything(proxy.address);
    for id in 1..=count {
        proxy.exchange(id);
    }
    session_is_clean(&session);
    let (out, err) = proxy.stop();
    assert!(out.len() as u64 >= count);
    for line in &out {
        clean("a JSON line", line.as_bytes());
    }
    // The values themselves, without the escapes of JSON.
    for line in &out {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        clean("a JSON value", &strings(&value).into_bytes());
    }
    clean("standard error", err.join("\n").as_bytes());
    session_is_clean(&session);
    // What went upstream was whole: the mask is on the record alone.
    assert!(
        (0..upstream.count()).any(|number| upstream.request(number).text().contains(PARAMETER))
    );

    let replayed = home.run(&[
        "replay",
        session.to_str().unwrap(),
        "3",
        "15",
        "--endpoint-url",
        &upstream.url(),
        "--yes",
    ]);
    clean(
        "a replay",
        format!("{}{}", replayed.stdout, replayed.stderr).as_bytes(),
    );
}

fn strings(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => format!("{text}\0"),
        serde_json::Value::Array(items) => items.iter().map(strings).collect(),
        serde_json::Value::Object(members) => members.values().map(strings).collect(),
        _ => String::new(),
    }
}

#[test]
fn no_secret_is_in_text_lines() {
    let (home, upstream) = (home(), upstream());
    let command = home.command(&[
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--endpoint-url",
        &upstream.url(),
    ]);
    let proxy = crate::process::Proxy::start(command);
    let count = send_everything(proxy.address);
    proxy.stdout.find("the last line", |line| {
        line.contains(&format!("#{count} ")).then_some(())
    });
    let (out, err) = proxy.stop();
    clean("the text lines", out.join("\n").as_bytes());
    clean("standard error", err.join("\n").as_bytes());
}

#[test]
fn no_secret_is_in_what_is_said_of_wrong_options_and_files() {
    let home = home();
    let url = format!("http://user:{USERINFO}@127.0.0.1:9");
    let listen = format!("127.0.0.1:0={url}");
    for args in [
        vec!["proxy", "--listen", "127.0.0.1:0", "--endpoint-url", &*url],
        vec!["proxy", "--listen", &*listen],
        vec!["proxy", "--listen", "127.0.0.1:0", "--profile", SECRET],
        vec![
            "run",
            "--as",
            SECRET,
            "--listen",
            "127.0.0.1:0",
            "--",
            "true",
        ],
        vec!["replay", "/nowhere", SECRET],
    ] {
        let ended = home.run(&args);
        assert_ne!(ended.code, Some(0), "{args:?}");
        // What the operator typed is his own; a password inside a URL is not for logs.
        if !args.contains(&SECRET) {
            clean("an error", ended.stderr.as_bytes());
        }
    }
    home.write(
        "config/sigscope/config.toml",
        format!("[endpoint_urls]\n\"*\" = \"http://u:{USERINFO}@h/\"\n"),
    );
    clean(
        "an error of the configuration",
        home.run(&["proxy"]).stderr.as_bytes(),
    );
    home.write("config/sigscope/config.toml", "");
    let mut command = home.command(&["proxy", "--listen", "127.0.0.1:0"]);
    command
        .env("HTTPS_PROXY", format!("http://u:{USERINFO}@127.0.0.1:1"))
        .env("AWS_SESSION_TOKEN", TOKEN);
    let proxy = crate::process::Proxy::start(command);
    let reply = proxy.ask(
        Ask::identity()
            .host("sts.us-west-2.amazonaws.com")
            .unsigned(),
    );
    assert_eq!(reply.status(), 502, "{}", reply.text());
    clean("an answer", &reply.body);
    let (out, err) = proxy.stop();
    clean(
        "lines about a proxy",
        format!("{}{}", out.join("\n"), err.join("\n")).as_bytes(),
    );
    let mut command = home.command(&["env", "--shell", "json"]);
    command
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN);
    let ended = ended(command);
    clean(
        "env",
        format!("{}{}", ended.stdout, ended.stderr).as_bytes(),
    );
}

#[test]
fn no_secret_is_on_the_screen_or_the_clipboard() {
    let (home, upstream) = (home(), upstream());
    let mut terminal = Terminal::start(
        &home,
        &["--listen", "127.0.0.1:0", "--endpoint-url", &upstream.url()],
        (160, 50),
    );
    let screen = terminal.shows("127.0.0.1:");
    let port = screen
        .split("127.0.0.1:")
        .nth(1)
        .unwrap()
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap();
    let count = send_everything(([127, 0, 0, 1], port.parse().unwrap()).into());
    terminal.shows(&format!("{count} exchanges"));
    let mut screens = vec![terminal.settle()];
    for number in 0..count {
        // A pane, then what may be copied: another one with each exchange.
        for pane in ["1", "t", "2", "x", "x", "t", "3", "4", "5"] {
            terminal.press(pane);
            screens.push(terminal.settle());
        }
        terminal.press("\x1b");
        let menu = ["c", "j", "u", "b", "q", "s", "i", "v"];
        for item in [number, number + 4] {
            terminal.press("y");
            terminal.settle();
            terminal.press(menu[item as usize % menu.len()]);
            screens.push(terminal.settle());
            terminal.press("\x1b");
        }
        terminal.press("k");
    }
    for screen in &screens {
        clean("the screen", screen.as_bytes());
    }
    let copies = terminal.clipboard();
    assert!(copies.len() > 15, "{} copies", copies.len());
    for copy in &copies {
        clean("the clipboard", copy.as_bytes());
    }
    clean("the terminal's bytes", &terminal.raw());
}
