"""A small SigV4 signer and raw HTTP/1.1 client, on the standard library alone.

It sends what no SDK sends on request: every upload mode in every framing, odd targets as
they are, duplicate headers, broken messages. It shares no code with sigscope or botocore,
so that it is a witness of its own.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import socket
import zlib
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"


class Keys(NamedTuple):
    id: str
    secret: str
    token: str | None = None


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encode(text: str, safe="-_.~") -> str:
    return quote(unquote_to_bytes(text), safe=safe)


class Signer:
    """Signs one request, then the chunks of its body."""

    def __init__(self, keys, region="us-east-1", service="s3", at=None):
        at = at or datetime.datetime.now(datetime.timezone.utc)
        self.keys, self.stamp = keys, at.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.stamp[:8]}/{region}/{service}/aws4_request"
        key = ("AWS4" + keys.secret).encode()
        for part in self.scope.split("/"):
            key = _hmac(key, part)
        self._key, self.previous = key, None

    def _sign(self, algorithm: str, *parts: str) -> str:
        self.previous = _hmac(
            self._key, "\n".join((algorithm, self.stamp, self.scope, *parts))
        ).hex()
        return self.previous

    def _canonical(self, method, target, headers, payload):
        """S3's rules: path and query are decoded once and encoded once."""
        path, _, query = target.partition("?")
        path = _encode(path, "/-_.~")
        split = (p.partition("=") for p in query.split("&") if p)
        pairs = sorted(f"{_encode(n)}={_encode(v)}" for n, _, v in split)
        joined = {}
        for name, value in headers:
            joined.setdefault(name.lower(), []).append(" ".join(value.split()))
        names = ";".join(sorted(joined))
        lines = "".join(f"{n}:{','.join(joined[n])}\n" for n in sorted(joined))
        text = "\n".join((method, path or "/", "&".join(pairs), lines, names, payload))
        return names, sha256(text.encode())

    def headers(self, method, target, headers, payload):
        """All of `headers`, `x-amz-*` and `Authorization`; every one of them is signed."""
        signed = [*headers, ("X-Amz-Date", self.stamp), ("X-Amz-Content-SHA256", payload)]
        if self.keys.token:
            signed.append(("X-Amz-Security-Token", self.keys.token))
        names, digest = self._canonical(method, target, signed, payload)
        signature = self._sign("AWS4-HMAC-SHA256", digest)
        credential = f"{self.keys.id}/{self.scope}"
        value = (
            f"AWS4-HMAC-SHA256 Credential={credential}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return [*signed, ("Authorization", value)]

    def presign(self, method, target, host, expires=300):
        """`target` with the signature in its query."""
        credential = quote(f"{self.keys.id}/{self.scope}", safe="")
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}"
            f"&X-Amz-Date={self.stamp}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host"
        )
        target = f"{target}{'&' if '?' in target else '?'}{query}"
        _, digest = self._canonical(method, target, [("host", host)], UNSIGNED)
        return f"{target}&X-Amz-Signature={self._sign('AWS4-HMAC-SHA256', digest)}"

    def chunk_signature(self, digest: str) -> str:
        return self._sign("AWS4-HMAC-SHA256-PAYLOAD", self.previous, EMPTY, digest)

    def signed_chunk(self, data: bytes) -> bytes:
        signature = self.chunk_signature(sha256(data)).encode()
        return b"%x;chunk-signature=%s\r\n" % (len(data), signature) + data

    def trailer(self, block: str) -> str:
        return self._sign("AWS4-HMAC-SHA256-TRAILER", self.previous, sha256(block.encode()))


def pieces(data: bytes, size: int):
    return [data[i : i + size] for i in range(0, len(data), size)]


def chunked_body(signer, mode, data, size=64 * 1024):
    """The aws-chunked form of `data`; the signer must have signed the head."""
    signed = mode != UNSIGNED_TRAILER
    out = []
    for piece in pieces(data, size):
        head = signer.signed_chunk(piece) if signed else b"%x\r\n" % len(piece) + piece
        out.append(head + b"\r\n")
    out.append(signer.signed_chunk(b"") if signed else b"0\r\n")
    if mode in (UNSIGNED_TRAILER, SIGNED_TRAILER):
        line = f"x-amz-checksum-crc32:{crc32(data)}"
        out.append(f"{line}\r\n".encode())
        if signed:
            out.append(f"x-amz-trailer-signature:{signer.trailer(line + chr(10))}\r\n".encode())
    out.append(b"\r\n")
    return b"".join(out)


def chunked_length(mode, length, size):
    """How long `chunked_body` is going to be, before there is a signature."""
    per_chunk = 2 + (0 if mode == UNSIGNED_TRAILER else len(";chunk-signature=") + 64)
    full, rest = divmod(length, size)
    sizes = [size] * full + ([rest] if rest else [])
    total = sum(len(f"{n:x}") + per_chunk + n + 2 for n in sizes) + 1 + per_chunk
    if mode == SIGNED_CHUNKS:
        return total + 2
    total += len("x-amz-checksum-crc32:AAAAAA==\r\n") + 2
    if mode == SIGNED_TRAILER:
        total += len("x-amz-trailer-signature:") + 64 + 2
    return total


def http_chunks(data: bytes, size=100_000):
    """`Transfer-Encoding: chunked` of `data`, cut where it suits nobody."""
    parts = [b"%x\r\n" % len(p) + p + b"\r\n" for p in pieces(data, size)]
    return b"".join(parts) + b"0\r\n\r\n"


def head(method, target, headers) -> bytes:
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("utf-8")


class Final(http.client.HTTPResponse):
    """Past interim answers: the library itself only skips 100."""

    def _read_status(self):
        while True:
            found = super()._read_status()
            if not 100 <= found[1] < 200 or found[1] == 101:
                return found
            while self.fp.readline().strip():
                pass


class Wire:
    """One connection, kept alive; it never repairs what it is told to send."""

    def __init__(self, address, timeout=60):
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host.strip("[]"), int(port)), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data: bytes):
        self.sock.sendall(data)

    def reply(self, method="GET") -> Reply:
        answer = Final(self.sock, method=method)
        answer.begin()
        return Reply(answer.status, answer.headers, answer.read())

    def exchange(self, method, target, headers, body=b"") -> Reply:
        self.send(head(method, target, headers) + body)
        return self.reply(method)


def upload(wire, host, keys, target, data, mode, *, region="us-east-1", framing="length",
           extra=(), encoding="aws-chunked", size=64 * 1024):
    """PUTs `data` in an upload mode: a mode's literal, or `hash`.

    framing: `length` (Content-Length) or `chunked` (Transfer-Encoding).
    encoding: the `Content-Encoding` of a chunked mode, None for no such header.
    """
    headers = [("Host", host), *extra]
    signer = Signer(keys, region)
    streaming = mode.startswith("STREAMING")
    if streaming:
        if encoding:
            headers.append(("Content-Encoding", encoding))
        headers.append(("X-Amz-Decoded-Content-Length", str(len(data))))
        if mode != SIGNED_CHUNKS:
            headers.append(("X-Amz-Trailer", "x-amz-checksum-crc32"))
    payload = sha256(data) if mode == "hash" else mode
    if framing == "length":
        length = chunked_length(mode, len(data), size) if streaming else len(data)
        headers.append(("Content-Length", str(length)))
    headers = signer.headers("PUT", target, headers, payload)
    body = chunked_body(signer, mode, data, size) if streaming else data
    if framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
        body = http_chunks(body)
    return wire.exchange("PUT", target, headers, body)


def request(address, keys, method, target, *, headers=(), body=b"", region="us-east-1",
            service="s3", host=None, timeout=60):
    """One signed request on a connection of its own."""
    fields = [("Host", host or address), *headers]
    if body or method in ("PUT", "POST"):
        fields.append(("Content-Length", str(len(body))))
    signer = Signer(keys, region, service)
    fields = signer.headers(method, target, fields, sha256(body))
    with Wire(address, timeout) as wire:
        return wire.exchange(method, target, fields, body)
