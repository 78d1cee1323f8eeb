"""What sigscope wrote during the whole run: every line keeps the contract, no client was
called a liar, and no secret is in it in any form."""

import contextlib
import json
import sqlite3

import lines
from harness import case, equal
from proxy import summary


def record(name):
    return case("record", name)


def captured(suite):
    if not suite.proxies:
        raise AssertionError("nothing was captured in this run")
    return suite.proxies


@record("every line keeps the contract, ids are unique")
def contract(suite):
    total, out = 0, []
    for proxy in captured(suite):
        found, faults = lines.parse(proxy.lines_path.read_bytes())
        total += len(found)
        out += [f"{proxy.lines_path.name}: {fault}" for fault in faults]
    equal(out[:5], [], f"faults ({len(out)})")
    equal(total > 0, True, "some lines")


@record("the S3 clients' own signatures were all valid")
def valid(suite):
    for proxy in captured(suite):
        if proxy.lines_path.stem not in ("s3s", "seaweedfs"):
            continue
        wrong = [summary(l) for l in proxy.lines()
                 if l["received"] and l["client"]["signature"] != "valid"]
        equal(wrong[:5], [], f"of {proxy.lines_path.stem} ({len(wrong)})")


@record("the second signer never disagrees")
def opinions(suite):
    for proxy in captured(suite):
        wrong = [summary(l) for l in proxy.lines()
                 if l["sent"] and l["sent"]["signing"]["second_opinion"] == "disagrees"]
        equal(wrong[:5], [], f"of {proxy.lines_path.stem} ({len(wrong)})")


@record("key ids and signatures are masked")
def masked(suite):
    for proxy in captured(suite):
        for line in proxy.lines():
            for place in (line["client"], line["identity"] or {}):
                shown = place.get("access_key_id") or ""
                equal(shown.isalnum() and len(shown) > 15, False, f"masked key id {shown!r}")
            for side in ("received", "sent"):
                for name, value in (line[side] or {}).get("headers", []):
                    if name.lower() == "authorization":
                        equal(lines.full_signature(value), False, f"signature masked in {value!r}")


@record("the session file has every exchange, as its line has it")
def session(suite):
    for proxy in captured(suite):
        stored = stored_exchanges(proxy.session)
        for line in proxy.lines():
            equal(stored.get(line["id"]), line, f"#{line['id']} in {proxy.session.name}")


def stored_exchanges(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute("select id, json from exchange")
        return {number: json.loads(text) for number, text in rows}


@record("no secret in lines, session files, stderr or data in any form")
def canaries(suite):
    out = []
    for proxy in captured(suite):
        written = [proxy.lines_path, proxy.stderr_path,
                   *proxy.session.parent.glob(proxy.session.name + "*")]
        for kind in ("data", "state", "cache"):
            written += [p for p in (proxy.home.path / kind).rglob("*") if p.is_file()]
        for path in written:
            found = lines.leaks(path.read_bytes(), suite.secrets)
            out += [f"{path.name}: {name} as {form}" for name, form in found]
    equal(out, [], "secrets found")
