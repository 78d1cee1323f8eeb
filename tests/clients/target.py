"""Where an S3 case sends its requests: a server itself, or sigscope before it."""

import functools
import random
from urllib.parse import quote

import sigv4
from harness import equal
from servers import REGION, S3_KEYS

MIB = 1024 * 1024


@functools.lru_cache(maxsize=4)
def noise(size: int) -> bytes:
    """Bytes that repeat from run to run and do not compress."""
    block = random.Random(size).randbytes(min(size, MIB))
    return (block * (size // MIB + 1))[:size]


class Target:
    def __init__(self, tools, server, bucket, keys=S3_KEYS, proxy=None):
        self.tools, self.server, self.bucket = tools, server, bucket
        self.keys, self.proxy = keys, proxy
        self.scratch = server.log.parent / f"{server.name}-{bucket}"
        self.scratch.mkdir()
        self.address = proxy.address if proxy else server.address
        self.url = f"http://{self.address}"
        self.s3 = tools.boto("s3", self.url, keys)
        # What is really there is always asked of the server itself.
        self.direct = tools.boto("s3", server.url, S3_KEYS)
        self.direct.create_bucket(Bucket=bucket)

    def path(self, key):
        return f"/{self.bucket}/{quote(key, safe='/-_.~')}"

    def stored(self, key, expected: bytes):
        """The object, read from the server itself, has exactly these bytes."""
        body = self.direct.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        same(body, expected, "stored object")

    def fetched(self, key, expected: bytes):
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        same(body, expected, "fetched object")
        self.stored(key, expected)

    def wire(self):
        return sigv4.Wire(self.address)

    def upload(self, key, data, mode, **options):
        """A raw upload in a mode, then a look at what became of it."""
        with self.wire() as wire:
            reply = sigv4.upload(wire, self.address, self.keys, self.path(key), data, mode,
                                 region=REGION, **options)
        ok(reply)
        self.stored(key, data)

    def raw(self, method, target, headers=(), body=b""):
        return sigv4.request(self.address, self.keys, method, target, headers=headers,
                             body=body, region=REGION)

    def env(self):
        return self.tools.env(self.url, self.keys)


def same(got: bytes, expected: bytes, what):
    if sigv4.sha256(got) != sigv4.sha256(expected):
        raise AssertionError(
            f"{what}: expected {len(expected)} bytes {sigv4.sha256(expected)[:12]}, got "
            f"{len(got)} bytes {sigv4.sha256(got)[:12]} that begin {got[:60]!r}")


def ok(reply, status=200):
    equal((reply.status, reply.body[:400] if reply.status != status else b""), (status, b""),
          "reply")
    return reply
