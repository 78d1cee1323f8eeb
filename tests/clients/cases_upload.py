"""S3 by a raw socket: every upload mode in every framing, heads as no SDK writes them."""

import sigv4
from harness import case, equal
from servers import REGION
from sigv4 import SIGNED_CHUNKS, SIGNED_TRAILER, UNSIGNED, UNSIGNED_TRAILER
from target import MIB, noise, ok, same


def s3(name, **excused):
    return case("s3", name, **excused)


def uploaded(key, data_size, mode, **options):
    def run(t):
        t.upload(key, noise(data_size), mode, **options)

    return run


for name, mode, options in (
    ("hex hash", "hash", {}),
    ("UNSIGNED-PAYLOAD", UNSIGNED, {}),
    ("unsigned trailer, content-length", UNSIGNED_TRAILER, {}),
    ("unsigned trailer, chunked", UNSIGNED_TRAILER, {"framing": "chunked"}),
    ("signed chunks, aws-chunked", SIGNED_CHUNKS, {}),
    ("signed chunks, no content-encoding", SIGNED_CHUNKS, {"encoding": None}),
    ("signed chunks, chunked", SIGNED_CHUNKS, {"framing": "chunked"}),
    ("signed chunks of 8193 bytes", SIGNED_CHUNKS, {"size": 8193}),
    ("signed trailer, content-length", SIGNED_TRAILER, {}),
    ("signed trailer, chunked", SIGNED_TRAILER, {"framing": "chunked"}),
    ("signed trailer, no content-encoding", SIGNED_TRAILER, {"encoding": None}),
    ("signed chunks of gzip,aws-chunked", SIGNED_CHUNKS, {"encoding": "gzip,aws-chunked"}),
):
    slug = name.replace(" ", "-").replace(",", "")
    s3(f"upload {name}")(uploaded(f"up/{slug}", 300_001, mode, **options))

for name, mode in (("hex hash", "hash"), ("unsigned trailer", UNSIGNED_TRAILER),
                   ("signed chunks", SIGNED_CHUNKS), ("signed trailer", SIGNED_TRAILER)):
    slug = name.replace(" ", "-")
    s3(f"upload 0 bytes, {name}")(uploaded(f"zero/{slug}", 0, mode))

for name, mode in (("unsigned trailer", UNSIGNED_TRAILER), ("signed chunks", SIGNED_CHUNKS),
                   ("signed trailer", SIGNED_TRAILER)):
    slug = name.replace(" ", "-")
    s3(f"upload 64 MiB, {name}")(uploaded(f"big/{slug}", 64 * MIB, mode, size=MIB))


@s3("Expect: 100-continue")
def expect(t):
    data = noise(200_000)
    headers = [("Host", t.address), ("Content-Length", str(len(data)))]
    headers = sigv4.Signer(t.keys, REGION).headers(
        "PUT", t.path("expected"), headers, sigv4.sha256(data))
    with t.wire() as wire:
        wire.send(sigv4.head("PUT", t.path("expected"), [*headers, ("Expect", "100-continue")]))
        wire.sock.settimeout(10)
        first = b""
        while b"\r\n\r\n" not in first:
            more = wire.sock.recv(1)
            if not more:
                break
            first += more
        equal(first[:12], b"HTTP/1.1 100", "interim answer")
        wire.send(data)
        ok(wire.reply("PUT"))
    t.stored("expected", data)


@s3("keep-alive: 50 requests on one connection")
def keep_alive(t):
    with t.wire() as wire:
        for number in range(25):
            data = noise(1000 + number)
            ok(sigv4.upload(wire, t.address, t.keys, t.path(f"ka/{number}"), data, "hash",
                            region=REGION))
            head = sigv4.Signer(t.keys, REGION).headers(
                "GET", t.path(f"ka/{number}"), [("Host", t.address)], sigv4.EMPTY)
            same(ok(wire.exchange("GET", t.path(f"ka/{number}"), head)).body, data, "fetched")


@s3("user metadata in mixed case")
def mixed_case(t):
    extra = [("X-Amz-Meta-MixedCase", "Value  with   blanks"), ("x-amz-meta-lower", "v")]
    t.upload("meta-mixed", b"x", "hash", extra=extra)
    metadata = t.direct.head_object(Bucket=t.bucket, Key="meta-mixed")["Metadata"]
    equal({k.lower() for k in metadata}, {"mixedcase", "lower"}, "metadata")


@s3("user metadata twice", s3s="it takes one value a header")
def duplicate_metadata(t):
    twice = [("X-Amz-Meta-Twice", "1"), ("x-amz-meta-twice", "2")]
    t.upload("meta-twice", b"x", "hash", extra=twice)


@s3("query with duplicates, blanks and no values")
def odd_query(t):
    query = "list-type=2&prefix=none%20%2B&delimiter=%2F&empty=&twice=1&twice=2&bare"
    ok(t.raw("GET", f"/{t.bucket}?{query}"))


@s3("presigned GET made by hand")
def presigned_by_hand(t):
    t.direct.put_object(Bucket=t.bucket, Key="hand made", Body=b"by hand")
    target = sigv4.Signer(t.keys, REGION).presign("GET", t.path("hand made"), t.address)
    with t.wire() as wire:
        same(ok(wire.exchange("GET", target, [("Host", t.address)])).body, b"by hand", "fetched")


@s3("presigned PUT, Transfer-Encoding: chunked")
def presigned_chunked(t):
    data = noise(150_000)
    target = sigv4.Signer(t.keys, REGION).presign("PUT", t.path("presigned-te"), t.address)
    with t.wire() as wire:
        ok(wire.exchange("PUT", target, [("Host", t.address), ("Transfer-Encoding", "chunked")],
                         sigv4.http_chunks(data)))
    t.stored("presigned-te", data)
