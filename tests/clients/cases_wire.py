"""Raw sockets against sigscope with a misbehaving upstream: every fault has its answer in
the service's error shape and its exchange, and nothing hangs or ends cleanly short."""

import contextlib
import json
import re
import socket
import time

import sigv4
from harness import case, equal, shorten
from servers import REGION, S3_KEYS
from sigv4 import Keys, Wire
from target import MIB, noise

THROW_AWAY = Keys("AKIATHROWAWAYKEYS000", "throw-away-secret-that-nobody-checks-000")
# Short waits, so that the cases of stalls end soon.
CONFIG = """[limits]
head_ms = 2000
client_idle_ms = 2000
connect_ms = 2000
reply_ms = 2000
upstream_idle_ms = 2000
"""


def wire(name):
    return case("wire", name)


class Rig:
    """sigscope before a misbehaving upstream, and another before a port where nobody is."""

    def __init__(self, upstream, proxy, nobody):
        self.upstream, self.proxy, self.nobody = upstream, proxy, nobody
        self.keys = proxy.lane("s3")

    def signed(self, method, target, headers=(), body=None, service="s3", to=None):
        """A signed head (and body) as bytes, for the listener."""
        address = (to or self.proxy).address
        fields = [("Host", address), *headers]
        if body is not None:
            fields.append(("Content-Length", str(len(body))))
        signer = sigv4.Signer(self.keys, REGION, service)
        fields = signer.headers(method, target, fields, sigv4.sha256(body or b""))
        return sigv4.head(method, target, fields) + (body or b"")

    def ask(self, how, method="GET", body=None, **more):
        mark = self.proxy.mark()
        with Wire(self.proxy.address, 15) as client:
            client.send(self.signed(method, f"/bucket/{how}", body=body, **more))
            return client.reply(method), self.line(mark, how)

    def line(self, mark, how, proxy=None):
        return (proxy or self.proxy).wait_for(
            lambda l: l["received"] and how in l["received"]["target"], mark, what=how)

    def raw(self, data, seconds=10):
        """What comes back for these bytes until the connection ends or goes quiet."""
        out = b""
        with Wire(self.proxy.address, seconds) as client:
            client.send(data)
            with contextlib.suppress(socket.timeout, ConnectionError):
                while more := client.sock.recv(65536):
                    out += more
                    if b"\r\n\r\n" in out and complete(out):
                        break
        return out


def complete(data):
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length[1])


def status(data: bytes):
    found = re.match(rb"HTTP/1\.[01] (\d{3})", data)
    return int(found[1]) if found else None


def ours(reply, line, kind, *statuses, stage="forward"):
    """An answer that sigscope made: status, shape, message, and the exchange's fault."""
    equal(reply.status in statuses, True, f"status {reply.status} in {statuses}")
    message = message_of(reply)
    equal(message.startswith("sigscope:"), True, f"message {message!r} begins sigscope:")
    equal(re.search(rf"#?\b{line['id']}\b", message) is not None, True,
          f"exchange {line['id']} in {message!r}")
    equal(line["reply"]["from"], "sigscope", "reply.from")
    equal(line["reply"]["status"], reply.status, "reply.status")
    equal((line["fault"] or {}).get("kind"), kind, "fault.kind")
    equal(line["fault"]["stage"], stage, "fault.stage")


def message_of(reply):
    text = reply.body.decode(errors="replace")
    if text.lstrip().startswith("{"):
        members = {k.lower(): v for k, v in json.loads(text).items()}
        return members.get("message", "")
    found = re.search(r"<Message>(.*?)</Message>", text, re.S)
    return found[1] if found else f"(no message in {text[:200]!r})"


@wire("nobody listens upstream: 502 in S3's shape")
def refused_s3(r):
    mark = r.nobody.mark()
    with Wire(r.nobody.address, 15) as client:
        client.send(r.signed("GET", "/bucket/none", to=r.nobody))
        reply = client.reply()
    ours(reply, r.line(mark, "/bucket/none", r.nobody), "refused", 502)
    equal("<Code>" in reply.body.decode(), True, f"an S3 error in {reply.body[:200]!r}")


@wire("nobody listens upstream: 502 in JSON's shape")
def refused_json(r):
    mark = r.nobody.mark()
    headers = [("X-Amz-Target", "DynamoDB_20120810.ListTables"),
               ("Content-Type", "application/x-amz-json-1.0")]
    with Wire(r.nobody.address, 15) as client:
        client.send(r.signed("POST", "/?json", headers, b"{}", "dynamodb", r.nobody))
        reply = client.reply()
    ours(reply, r.line(mark, "/?json", r.nobody), "refused", 502)
    equal("__type" in json.loads(reply.body), True, f"__type in {reply.body[:200]!r}")


@wire("nobody listens upstream: 502 in the query protocol's shape")
def refused_query(r):
    mark = r.nobody.mark()
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    with Wire(r.nobody.address, 15) as client:
        client.send(r.signed("POST", "/?query", headers, body, "sts", r.nobody))
        reply = client.reply()
    ours(reply, r.line(mark, "/?query", r.nobody), "refused", 502)
    equal("<ErrorResponse" in reply.body.decode(), True, f"ErrorResponse in {reply.body[:200]!r}")


for how, kind, codes in (
    ("stall", "timeout", (504,)),
    ("close-at-once", "reset", (502,)),
    ("reset-in-head", "reset", (502,)),
    ("malformed", "malformed", (502,)),
    ("bad-status", "malformed", (502,)),
    ("two-lengths", "malformed", (502,)),
    ("huge-head", "malformed", (502,)),
):
    def fault(r, how=how, kind=kind, codes=codes):
        reply, line = r.ask(how)
        ours(reply, line, kind, *codes)

    wire(f"upstream: {how} is {kind}")(fault)

for how, kind in (("reset-in-body", "reset"), ("cut-chunked", "reset"), ("stall-body", "timeout")):
    def cut(r, how=how, kind=kind):
        mark = r.proxy.mark()
        data = r.raw(r.signed("GET", f"/bucket/{how}"))
        equal(status(data), 200, "status that had left already")
        equal(data.endswith(b"\r\n0\r\n\r\n"), False, "a clean end of a chunked body")
        equal(complete(data), False, "a complete body")
        equal(r.line(mark, how)["fault"]["kind"], kind, "fault.kind")

    wire(f"upstream: {how} cuts the client's connection")(cut)


@wire("upstream: a 413 before the body is read reaches the client")
def early(r):
    mark = r.proxy.mark()
    body = noise(4 * MIB)
    with Wire(r.proxy.address, 15) as client:
        # The upstream stops reading: part of the body may be refused by then.
        with contextlib.suppress(ConnectionError):
            client.send(r.signed("PUT", "/bucket/early-413", body=body))
        reply = client.reply("PUT")
    equal((reply.status, reply.body), (413, b"large"), "reply")
    equal(r.line(mark, "early-413")["reply"]["from"], "upstream", "from")


@wire("upstream: refuses before the body has come")
def refuse_continue(r):
    head = r.signed("PUT", "/bucket/refuse-continue", [("Expect", "100-continue")], b"y" * 1000)
    data = r.raw(head[:-1000])
    # Whether the body is wanted is asked on each connection by itself.
    data = data.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    equal(status(data), 403, f"answer of {data[:100]!r}")


@wire("sigscope refuses before a body is asked for")
def refuse_first(r):
    head = r.signed("PUT", "/bucket/x", [("Expect", "100-continue"), ("Origin", "http://evil")],
                    b"y" * 1000)
    data = r.raw(head[:-1000])
    equal(status(data), 403, f"first answer of {data[:100]!r}")


@wire("body until close, 204, HEAD, trailers, early hints, odd headers")
def shapes(r):
    reply, _ = r.ask("until-close")
    equal(len(reply.body), 50_000, "length")
    equal(r.ask("no-content")[0].status, 204, "status")
    equal(r.ask("plain", "HEAD")[0].body, b"", "body of HEAD")
    equal(r.ask("trailers")[0].body, b"abcde", "body before trailers")
    equal(r.ask("hints")[0].body, b"ok", "body behind 103")
    data = r.raw(r.signed("GET", "/bucket/odd-headers"))
    for part in (b"a=1", b"b=2", b"caf\xe9"):
        equal(part in data, True, f"{part!r} in {data!r}")


@wire("what arrives upstream: bytes, names' case, no hop-by-hop header")
def arrives(r):
    body = bytes(range(256)) * 4
    headers = [("X-Amz-Meta-MiXed", "a  b"), ("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"),
               ("Keep-Alive", "timeout=5"), ("Proxy-Authorization", "Basic eA=="),
               ("TE", "trailers"), ("X-Twice", "1"), ("X-Twice", "2"), ("Content-Type", "a/B")]
    head = r.signed("PUT", "/bucket/a%2Fb//c/../d%20e+f?x=%2f&y&y=1", headers, body)
    with Wire(r.proxy.address, 15) as client:
        client.send(head)
        equal(client.reply("PUT").status, 200, "status")
    got = r.upstream.arrived[-1]
    equal(got.first, "PUT /bucket/a%2Fb//c/../d%20e+f?x=%2f&y&y=1 HTTP/1.1", "request line")
    equal(got.body, body, "body")
    equal(got.get("host"), [r.upstream.address], "host")
    equal(got.get("x-twice"), ["1", "2"], "x-twice")
    names = [name for name, _ in got.headers]
    equal("X-Amz-Meta-MiXed" in names, True, f"X-Amz-Meta-MiXed in {names}")
    for gone in ("X-Hop", "Keep-Alive", "Proxy-Authorization"):
        equal(got.get(gone), [], gone)
    authorization = got.get("authorization")
    equal(len(authorization), 1, "Authorization headers")
    equal(S3_KEYS.id in authorization[0], True, f"our key in {authorization[0][:80]}")
    equal(len(got.get("x-amz-date")), 1, "x-amz-date headers")
    equal(got.get("content-length"), [str(len(body))], "content-length")


@wire("a client that goes away is an exchange")
def gone(r):
    mark = r.proxy.mark()
    head = r.signed("PUT", "/bucket/away", body=b"z" * 100_000)
    with Wire(r.proxy.address) as client:
        client.send(head[:-50_000])
        time.sleep(0.1)
    line = r.line(mark, "away")
    equal(line["fault"]["kind"], "client-gone", "fault.kind")


@wire("a client that stalls in its body is cut")
def client_stalls(r):
    mark = r.proxy.mark()
    head = r.signed("PUT", "/bucket/slow", body=b"z" * 1000)
    r.raw(head[:-500], seconds=8)
    equal(r.line(mark, "slow")["fault"]["kind"] in ("timeout", "client-gone"), True, "fault.kind")


@wire("a client that stalls in its head is cut")
def head_stalls(r):
    started = time.monotonic()
    r.raw(b"GET / HTTP/1.1\r\nHost: ", seconds=12)
    equal(time.monotonic() - started < 10, True, "cut within the limit")


@wire("an oversized head is refused")
def oversized(r):
    head = r.signed("GET", "/bucket/big", [(f"X-Pad-{n}", "p" * 8000) for n in range(60)])
    data = r.raw(head)
    equal(status(data), 431, f"status of {data[:200]!r}")


for name, lines in (
    ("content-length and transfer-encoding", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two different content-lengths", b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
    ("a content-length with a sign", b"Content-Length: +5\r\n\r\nabcde"),
    ("an unknown transfer-encoding", b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("transfer-encoding hidden by a blank", b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("a folded header", b"X-Fold: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    ("two hosts", b"Host: evil.example\r\nContent-Length: 0\r\n\r\n"),
    ("a bare CR in a value", b"X-Bare: a\rb\r\nContent-Length: 0\r\n\r\n"),
    ("a null in a value", b"X-Null: a\0b\r\nContent-Length: 0\r\n\r\n"),
):
    def smuggled(r, lines=lines):
        before = len(r.upstream.arrived)
        head = r.signed("POST", "/bucket/smuggled")[:-2]
        data = r.raw(head + lines)
        equal(status(data) in (400, 403, 501), True, f"a refusal: {data[:80]!r}")
        equal(len(r.upstream.arrived), before, "requests that went upstream")

    wire(f"refused: {name}")(smuggled)


def refusal(r, how, headers=(), host=None, statuses=(400, 403, 421)):
    """A request that must be answered by sigscope and never go upstream."""
    before, mark = len(r.upstream.arrived), r.proxy.mark()
    head = r.signed("GET", f"/bucket/{how}", headers).replace(
        f"Host: {r.proxy.address}".encode(), f"Host: {host or r.proxy.address}".encode())
    data = r.raw(head)
    equal(status(data) in statuses, True, f"a refusal: {data[:200]!r}")
    equal(b"sigscope:" in data, True, f"sigscope: in {shorten(data)}")
    equal(len(r.upstream.arrived), before, "requests that went upstream")
    line = r.line(mark, how)
    equal((line["fault"]["kind"], line["reply"]["from"]), ("not-allowed", "sigscope"),
          "fault, from")


for name, options in (
    ("a Host that is not AWS's (DNS rebinding)", {"host": "evil.example"}),
    ("a Host of our port on another name", {"host": "rebound.example:8787"}),
    ("a link-local Host", {"host": "169.254.169.254"}),
    ("an Origin", {"headers": [("Origin", "https://evil.example")]}),
    ("a cross-site fetch", {"headers": [("Sec-Fetch-Site", "cross-site")]}),
):
    def not_allowed(r, name=name, options=options):
        refusal(r, re.sub(r"\W+", "-", name), **options)

    wire(f"not allowed: {name}")(not_allowed)


@wire("not allowed: header and query authentication together")
def both(r):
    mark = r.proxy.mark()
    target = sigv4.Signer(r.keys, REGION).presign("GET", "/bucket/both", r.proxy.address)
    data = r.raw(r.signed("GET", target))
    equal(status(data) in (400, 403), True, f"a refusal: {data[:80]!r}")
    equal(r.line(mark, "both")["reply"]["from"], "sigscope", "from")


@wire("an upgrade is refused with a clear answer")
def upgrade(r):
    before = len(r.upstream.arrived)
    head = r.signed("GET", "/bucket/upgrade", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
    data = r.raw(head)
    equal(status(data) in (400, 403, 501), True, f"a refusal: {data[:80]!r}")
    equal(b"sigscope:" in data, True, "the message is ours")
    equal(len(r.upstream.arrived), before, "requests that went upstream")


@wire("CONNECT and a TLS hello on the plain port are rows with their fix")
def wrong_door(r):
    data = r.raw(b"CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nHost: sts.amazonaws.com:443\r\n\r\n")
    equal((status(data) or 0) >= 400, True, f"a refusal: {data[:80]!r}")
    mark = r.proxy.mark()
    r.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, seconds=5)
    line = r.proxy.wait_for(lambda l: l["fault"] and "http://" in l["fault"]["message"], mark,
                            what="a TLS hello")
    equal(line["fault"]["kind"], "client-malformed", "fault.kind")


@wire("two requests at once on one connection are answered in order")
def pipelined(r):
    one = r.signed("PUT", "/bucket/one", body=b"1")
    two = r.signed("PUT", "/bucket/no-content", body=b"2")
    with Wire(r.proxy.address, 15) as client:
        client.send(one + two)
        first = client.sock.recv(4096)
        while first.count(b"HTTP/1.1") < 2:
            more = client.sock.recv(4096)
            if not more:
                break
            first += more
    equal(re.findall(rb"HTTP/1\.1 (\d+)", first), [b"200", b"204"], "statuses")


@wire("the proxy is well after all that")
def after_all(r):
    reply, line = r.ask("plain")
    equal((reply.status, reply.body), (200, b"ok"), "reply")
    equal(line["fault"], None, "fault")
