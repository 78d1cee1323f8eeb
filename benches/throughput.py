#!/usr/bin/env python3
"""Throughput, latency and memory of the release binary beside nginx; see benches/README.md."""

import argparse
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import rig  # noqa: E402
import sigv4  # noqa: E402
from servers import REGION, S3_KEYS  # noqa: E402

STS_HOST = f"sts.{REGION}.amazonaws.com"
STS_TARGET = "/?Action=GetCallerIdentity&Version=2011-06-15"
ROWS = []


def row(what, value, target=""):
    ROWS.append((what, value, target))
    print(f"  {what}: {value}  {target and f'(aim {target})'}", flush=True)


def medians(runs, names):
    """Runs each of `names` in turn, three times; the median Load field by field."""
    kept = {name: [] for name in names}
    for _ in range(3):
        for name in names:
            kept[name].append(runs[name]())
    wrong = {name: sum(load.wrong for load in loads) for name, loads in kept.items()}
    if any(wrong.values()):
        row("replies that were wrong", wrong, "0")
    return {name: rig.Load(*(statistics.median(field) for field in zip(*loads)))
            for name, loads in kept.items()}


def lane_headers(proxy, target):
    """A GET of S3 signed by a lane, fixed for the whole run."""
    signer = sigv4.Signer(proxy.lane("bench"), REGION)
    return signer.headers("GET", target, [("Host", proxy.address)], sigv4.EMPTY)


def small(r, options):
    """Small GETs: requests a second at 64 connections, median latency at one."""
    upstream = r.small_upstream()
    front, plain, stored = r.front(upstream), r.proxy(upstream), r.proxy(upstream, session=True)
    unsigned = [("Host", STS_HOST)]
    ports = {
        "nginx": (f"http://127.0.0.1:{front}{STS_TARGET}", unsigned),
        "unsigned": (plain.url + STS_TARGET, unsigned),
        "lane": (plain.url + "/bucket/key", lane_headers(plain, "/bucket/key")),
        "session": (stored.url + STS_TARGET, unsigned),
        "session+lane": (stored.url + "/bucket/key", lane_headers(stored, "/bucket/key")),
        "nginx+lane": (f"http://127.0.0.1:{front}/bucket/key", lane_headers(plain, "/bucket/key")),
    }
    for connections in (64, 1):
        runs = {name: lambda url=url, headers=headers: rig.wrk(url, connections, options.seconds, headers)
                for name, (url, headers) in ports.items()}
        got = medians(runs, list(runs))
        for name, base in (("unsigned", "nginx"), ("lane", "nginx+lane"),
                           ("session", "nginx"), ("session+lane", "nginx+lane")):
            ours, theirs = got[name], got[base]
            if connections == 64:
                row(f"rate at 64, {name} / nginx",
                    f"{ours.rate / theirs.rate:.2f} ({ours.rate:.0f} / {theirs.rate:.0f})", "≥ 0.6")
            else:
                row(f"median latency at 1, {name} / nginx",
                    f"{ours.p50 / theirs.p50:.2f} ({ours.p50:.0f} / {theirs.p50:.0f} µs)", "≤ 1.6")


GIB = 1 << 30
CHUNK = 64 * 1024
MODES = (
    ("signed chunks", sigv4.SIGNED_CHUNKS, "length"),
    ("signed trailer", sigv4.SIGNED_TRAILER, "length"),
    ("unsigned trailer, content-length", sigv4.UNSIGNED_TRAILER, "length"),
    ("unsigned trailer, chunked", sigv4.UNSIGNED_TRAILER, "chunked"),
    ("declared hash", "hash", "length"),
    ("UNSIGNED-PAYLOAD", sigv4.UNSIGNED, "length"),
)
BLOCK = b"sixteen bytes..." * (CHUNK // 16)
TRAILER = "x-amz-checksum-crc32:AAAAAA=="


class Upload:
    """1 GiB of the same block, so that making it costs next to nothing."""

    def __init__(self, keys, address, mode, framing, whole_hash):
        self.signer, self.mode, self.framing = sigv4.Signer(keys, REGION), mode, framing
        self.block_hash = sigv4.sha256(BLOCK)
        self.streaming = mode.startswith("STREAMING")
        headers = [("Host", address)]
        if self.streaming:
            headers += [("Content-Encoding", "aws-chunked"),
                        ("X-Amz-Decoded-Content-Length", str(GIB))]
            if mode != sigv4.SIGNED_CHUNKS:
                headers.append(("X-Amz-Trailer", "x-amz-checksum-crc32"))
        length = sigv4.chunked_length(mode, GIB, CHUNK) if self.streaming else GIB
        framed = ("Content-Length", str(length)) if framing == "length" else (
            "Transfer-Encoding", "chunked")
        payload = whole_hash if mode == "hash" else mode
        signed = self.signer.headers("PUT", "/bucket/large", headers, payload)
        self.head = sigv4.head("PUT", "/bucket/large", [*signed, framed])

    def _chunk_head(self, size, digest):
        if self.mode == sigv4.UNSIGNED_TRAILER:
            return b"%x\r\n" % size
        signature = self.signer.chunk_signature(digest)
        return b"%x;chunk-signature=%s\r\n" % (size, signature.encode())

    def _ending(self):
        out = self._chunk_head(0, sigv4.EMPTY)
        if self.mode != sigv4.SIGNED_CHUNKS:
            out += TRAILER.encode() + b"\r\n"
        if self.mode == sigv4.SIGNED_TRAILER:
            out += f"x-amz-trailer-signature:{self.signer.trailer(TRAILER + chr(10))}\r\n".encode()
        return out + b"\r\n"

    def _parts(self):
        for _ in range(GIB // CHUNK):
            yield ([self._chunk_head(CHUNK, self.block_hash), BLOCK, b"\r\n"]
                   if self.streaming else [BLOCK])
        if self.streaming:
            yield [self._ending()]

    def send(self, address):
        """Seconds until the reply."""
        started = time.monotonic()
        with sigv4.Wire(address, 120) as wire:
            wire.send(self.head)
            for part in self._parts():
                if self.framing == "chunked":
                    part = [b"%x\r\n" % sum(map(len, part)), *part, b"\r\n"]
                wire.send(b"".join(part))
            if self.framing == "chunked":
                wire.send(b"0\r\n\r\n")
            reply = wire.reply("PUT")
        if reply.status != 200:
            raise RuntimeError(f"{self.mode}: {reply.status} {reply.body[:300]}")
        return time.monotonic() - started


def upload(r, _options):
    """A 1 GiB upload in each mode: time beside nginx, growth of resident memory."""
    import hashlib

    whole = hashlib.sha256()
    for _ in range(GIB // CHUNK):
        whole.update(BLOCK)
    sink = r.sink()
    nginx = f"127.0.0.1:{r.front(sink)}"
    proxy = r.proxy(sink)
    lane, pid = proxy.lane("bench"), proxy.process.pid
    warm = sigv4.request(proxy.address, lane, "PUT", "/bucket/warm", body=b"x", region=REGION)
    assert warm.status == 200, warm
    for name, mode, framing in MODES:
        times, growth = {"nginx": [], "sigscope": []}, 0.0
        for _ in range(3):
            for who, address, keys in (("nginx", nginx, S3_KEYS), ("sigscope", proxy.address, lane)):
                one = Upload(keys, address, mode, framing, whole.hexdigest())
                before = rig.memory(pid)
                rig.reset_peak(pid)
                times[who].append(one.send(address))
                if who == "sigscope":
                    growth = max(growth, rig.memory(pid, "VmHWM") - before)
        ours, theirs = (statistics.median(times[who]) for who in ("sigscope", "nginx"))
        row(f"1 GiB {name}: time / nginx", f"{ours / theirs:.2f} ({ours:.2f} / {theirs:.2f} s)",
            "≤ 1.5")
        row(f"1 GiB {name}: growth", f"{growth:.0f} MiB", "≤ 48 MiB")


MIXED = """
local n = 0
request = function()
  n = n + 1
  local path = "/load/key-" .. (n % 500)
  if n % 3 == 0 then return wrk.format("PUT", path, nil, "value " .. n) end
  if n % 3 == 1 then return wrk.format("GET", "/load?list-type=2&prefix=none%2B%20", nil, nil) end
  return wrk.format("GET", "/load/fixed", nil, nil)
end
"""


def load(r, options):
    """100,000 S3 requests at 64 connections against a server that verifies each."""
    import install
    import servers
    from tools import Tools

    server = servers.s3s(Tools(install.cache()), r.scratch)
    r.stack.callback(server.stop)
    proxy = r.proxy(server.address.rpartition(":")[2])
    lane = proxy.lane("bench")
    for target, body in (("/load", b""), ("/load/fixed", b"f" * 100)):
        reply = sigv4.request(proxy.address, lane, "PUT", target, body=body, region=REGION)
        assert reply.status == 200, reply
    script = r.scratch / "mixed.lua"
    script.write_text(MIXED)
    kinds = {
        "lane-signed GETs": lambda: rig.wrk(
            proxy.url + "/load/fixed", 64, options.seconds, lane_headers(proxy, "/load/fixed")),
        "unsigned PUT, GET, list": lambda: rig.wrk(
            proxy.url, 64, options.seconds, [("Host", f"s3.{REGION}.amazonaws.com")], script),
    }
    for name, run in kinds.items():
        done = wrong = 0
        while done < 50_000:
            got = run()
            if not got.requests:
                raise RuntimeError(f"{name}: nothing is answered")
            done, wrong = done + got.requests, wrong + got.wrong
        row(f"{name} refused of {done}", wrong, "0")


def tui(r, options):
    """The same load with the TUI open and following."""
    upstream = r.small_upstream()
    headless, port = r.proxy(upstream), rig.free_port()
    screen = r.screen("--listen", f"127.0.0.1:{port}", *r.options(upstream))
    screen.await_frame()
    rig.await_port(port)
    time.sleep(1)
    before = rig.cpu_seconds(screen.pid)
    time.sleep(5)
    row("CPU when idle", f"{(rig.cpu_seconds(screen.pid) - before) / 5:.2%}", "0 %")
    headers = [("Host", STS_HOST)]
    sent = 0

    def shown():
        nonlocal sent
        got = rig.wrk(f"http://127.0.0.1:{port}{STS_TARGET}", 64, options.seconds, headers)
        sent += got.requests
        return got

    got = medians({"headless": lambda: rig.wrk(headless.url + STS_TARGET, 64, options.seconds, headers),
                   "tui": shown}, ["headless", "tui"])
    ours, base = got["tui"], got["headless"]
    row("rate at 64, TUI / headless", f"{ours.rate / base.rate:.2f} ({ours.rate:.0f} / {base.rate:.0f})",
        "≥ 0.9")
    row("p99 at 64, TUI / headless", f"{ours.p99 / base.p99:.2f} ({ours.p99:.0f} / {base.p99:.0f} µs)",
        "≤ 2")
    headless.stop()
    while sent < options.requests:
        shown()
    row(f"memory after {sent} requests", f"{rig.memory(screen.pid):.0f} MiB, at most "
        f"{rig.memory(screen.pid, 'VmHWM'):.0f}", "< 400 MiB")


def demo(r, _options):
    """From process start to the first frame."""
    times = []
    for _ in range(5):
        screen = r.screen("demo")
        times.append(screen.await_frame() * 1000)
        screen.stop()
    row("demo: first frame", f"{statistics.median(times):.0f} ms", "≤ 100 ms")


PARTS = {part.__name__: part for part in (small, upload, load, tui, demo)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--binary", type=pathlib.Path,
                        default=rig.REPO / "target" / "release" / "sigscope")
    parser.add_argument("--seconds", type=int, default=5, help="of each wrk run")
    parser.add_argument("--requests", type=int, default=1_000_000,
                        help="through the TUI before its memory is read")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for name in options.parts or PARTS:
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            with rig.Rig(options.binary.resolve(), scratch) as r:
                PARTS[name](r, options)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    width = max(len(what) for what, _, _ in ROWS)
    print()
    for what, value, target in ROWS:
        print(f"| {what:<{width}} | {value!s:<32} | {target:<9} |")


if __name__ == "__main__":
    main()
