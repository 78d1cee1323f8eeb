"""What every exchange line must be: the keys of the contract, and no secret in any form."""

import base64
import binascii
import datetime
import json
import re
import sys
from urllib.parse import quote, quote_plus

BODY = {"size", "sha256", "content_type", "text", "base64", "rendered", "kept", "masked"}
MESSAGE = {"method", "target", "url", "version", "headers", "body"}
KEYS = {
    "": {"id", "started_at", "door", "replay_of", "client", "received", "route", "identity",
         "sent", "reply", "timing_us", "fault", "findings"},
    "client": {"address", "lane", "access_key_id", "signature"},
    "received": MESSAGE,
    "received.body": BODY,
    "route": {"service", "signing_name", "region", "operation", "iam_action", "upstream", "how"},
    "route.how[]": {"field", "from", "evidence"},
    "identity": {"profile", "kind", "access_key_id", "account", "expires_at", "chain"},
    "sent": MESSAGE | {"signing"},
    "sent.body": BODY,
    "sent.signing": {"algorithm", "mode", "credential_scope", "signed_headers",
                     "canonical_request", "string_to_sign", "signature", "changes",
                     "second_opinion"},
    "sent.signing.changes[]": {"action", "what", "why"},
    "reply": {"from", "status", "version", "headers", "body", "request_id", "error"},
    "reply.body": BODY,
    "reply.error": {"code", "message"},
    "timing_us": {"held", "credentials", "sign", "connect", "first_byte", "total"},
    "fault": {"stage", "kind", "message"},
    "findings[]": {"code", "grade", "role", "summary", "evidence", "refuted_by", "fix"},
    "findings[].fix[]": {"label", "command", "action"},
}
VALUES = {
    "door": {"reverse", "endpoint-url", "bound", "connect", "replay", "internal"},
    "client.signature": {"none", "valid", "invalid", "unknown-key"},
    "reply.from": {"upstream", "sigscope"},
    "sent.signing.second_opinion": {"agrees", "disagrees", "known-difference", "not-asked"},
    "fault.kind": {"dns", "refused", "tls", "timeout", "reset", "malformed", "client-gone",
                   "client-malformed", "no-credentials", "no-route", "not-allowed",
                   "too-large", "loop"},
    "findings[].grade": {"aws-said", "computed", "inferred", "undetermined"},
    "findings[].role": {"cause", "alias", "note"},
}
REQUIRED = {"", "client", "timing_us"}
STARTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def faults(line):
    """Every way in which one line breaks the contract."""
    out = []

    def walk(value, path):
        if path in VALUES and value not in VALUES[path]:
            out.append(f"{path} is {value!r}")
        if isinstance(value, list):
            for item in value:
                walk(item, f"{path}[]")
        expected = KEYS.get(path)
        if value is None or expected is None:
            if value is None and path in REQUIRED:
                out.append(f"{path} is null")
            return
        if not isinstance(value, dict) or set(value) != expected:
            got = sorted(value) if isinstance(value, dict) else value
            out.append(f"{path or 'the line'}: expected {sorted(expected)}, got {got}")
            return
        for name, item in value.items():
            walk(item, f"{path}.{name}" if path else name)

    walk(line, "")
    return out or value_faults(line)


def value_faults(line):
    out = []
    if not isinstance(line["id"], int) or line["id"] < 1:
        out.append(f"id is {line['id']!r}")
    if not STARTED.fullmatch(line["started_at"]):
        out.append(f"started_at is {line['started_at']!r}")
    else:
        datetime.datetime.fromisoformat(line["started_at"].replace("Z", "+00:00"))
    for side in ("received", "sent", "reply"):
        for pair in (line[side] or {}).get("headers", []):
            if len(pair) != 2 or not all(isinstance(part, str) for part in pair):
                out.append(f"{side} header {pair!r}")
    received = line["received"]
    if received and not received["url"].endswith(received["target"]):
        out.append(f"url {received['url']!r} has not target {received['target']!r}")
    if line["sent"] and re.fullmatch(r"[0-9a-f]{64}", line["sent"]["signing"]["signature"] or ""):
        out.append("the signature sent is shown in full")
    return out


def parse(data: bytes):
    """The lines, and what is wrong with them as a whole."""
    lines, out, seen = [], [], set()
    if data and not data.endswith(b"\n"):
        out.append("the last line has no end")
    for number, text in enumerate(data.splitlines(), 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            out.append(f"line {number} does not parse: {error}")
            continue
        out.extend(f"line {number}: {fault}" for fault in faults(line))
        if line.get("id") in seen:
            out.append(f"line {number}: id {line['id']} twice")
        seen.add(line.get("id"))
        lines.append(line)
    return lines, out


def forms(secret: str):
    """A secret as it may hide: plain, percent, base64 at each offset, hex, JSON-escaped."""
    data = secret.encode()
    yield "plain", data
    for escaped in (quote(secret, safe=""), quote_plus(secret), quote(secret)):
        yield "percent", escaped.encode()
        yield "percent", re.sub("%..", lambda m: m[0].lower(), escaped).encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data)
        # The characters at either end also carry bits of what is beside the secret.
        whole = encoded[(0, 2, 3)[offset] : len(encoded) - len(encoded) % 4 - 4]
        yield "base64", whole
        yield "base64url", whole.translate(bytes.maketrans(b"+/", b"-_"))
    yield "hex", binascii.hexlify(data)
    yield "HEX", binascii.hexlify(data).upper()
    spaced = " ".join(f"{byte:02x}" for byte in data)
    yield "hex dump", spaced.encode()
    yield "JSON", json.dumps(secret)[1:-1].replace("/", "\\/").encode()


def full_signature(authorization: str) -> bool:
    return re.search(r"Signature=[0-9a-f]{64}", authorization) is not None


def leaks(data: bytes, secrets):
    """(name, form) of every secret that is in there."""
    return sorted({(name, form) for name, secret in secrets.items()
                   for form, needle in forms(secret) if len(needle) >= 8 and needle in data})


SAMPLE_BODY = dict.fromkeys(BODY) | {"size": 0, "kept": 0, "masked": 0}
SAMPLE_MESSAGE = {
    "method": "GET", "target": "/?x=1", "url": "http://h/?x=1", "version": "HTTP/1.1",
    "headers": [["Host", "h"]], "body": SAMPLE_BODY,
}
SAMPLE = {
    "id": 1, "started_at": "2026-11-23T05:00:00.000Z", "door": "reverse", "replay_of": None,
    "client": {"address": "127.0.0.1:1", "lane": None, "access_key_id": None,
               "signature": "none"},
    "received": SAMPLE_MESSAGE, "route": None, "identity": None, "sent": None,
    "reply": {"from": "sigscope", "status": 400, "version": "HTTP/1.1", "headers": [],
              "body": SAMPLE_BODY, "request_id": None, "error": None},
    "timing_us": dict.fromkeys(KEYS["timing_us"]),
    "fault": {"stage": "route", "kind": "no-route", "message": "m"}, "findings": [],
}


def self_check():
    """The checks themselves: a right line passes, wrong ones and hidden secrets do not."""
    good = json.dumps(SAMPLE).encode() + b"\n"
    assert parse(good)[1] == [], parse(good)[1]
    broken = [good[:-1], good + good, b"{\n", good.replace(b'"replay_of": null, ', b""),
              good.replace(b"no-route", b"odd"), good.replace(b"T05", b" 05"),
              good.replace(b'"client": {', b'"client": null, "c": {')]
    for bad in broken:
        assert parse(bad)[1], bad
    secret = "ab/cd+EF==ghijklmnop"
    for form, needle in forms(secret):
        assert leaks(b"xx" + needle + b"yy", {"s": secret}), form
    for pad in range(3):
        inside = base64.b64encode(b"p" * pad + secret.encode() + b"tail")
        assert leaks(inside, {"s": secret}), pad
    assert not leaks(b"AWS4-HMAC-SHA256 nothing here", {"s": secret})


if __name__ == "__main__":
    self_check()
    found = parse(sys.stdin.buffer.read())[1] if not sys.stdin.isatty() else []
    print("\n".join(found) or "ok")
