#!/usr/bin/env python3
"""Precision and recall over a corpus: report.py CORPUS ANSWERS [-v]"""
import json, sys
from collections import defaultdict
corpus = [json.loads(l) for l in open(sys.argv[1])]
answers = [json.loads(l) for l in open(sys.argv[2])]
verbose = "-v" in sys.argv
assert len(corpus) == len(answers), (len(corpus), len(answers))
per = defaultdict(lambda: [0, 0])
tot = {"single": [0, 0, 0], "pair": [0, 0, 0], "control": [0, 0, 0]}
for c, a in zip(corpus, answers):
    want = set(c["labels"])
    if "error" in a: codes, causes, undet, v = set(), set(), False, "ERROR " + a["error"]
    else:
        comp = [f for f in a["findings"] if f["grade"] == "computed" and f["role"] in ("cause", "alias")]
        codes = {f["code"] for f in a["findings"] if f["grade"] == "computed"}
        causes = {f["code"] for f in comp if f["role"] == "cause"}
        v = a["verdict"]
    prov = c["provable"] and want and not any(x.startswith("control") for x in want)
    kind = "control" if not prov else "single" if len(want) == 1 else "pair"
    ok = want <= codes if prov else not causes
    if not want: ok = ok and v == "valid"
    extra = causes - want if prov else set()
    tot[kind][0] += 1; tot[kind][1] += ok; tot[kind][2] += bool(extra)
    if kind == "single":
        l = next(iter(want)); per[l][0] += 1; per[l][1] += ok
    if (not ok or extra) and verbose:
        print("MISS" if not ok else "EXTRA", c["id"], "+".join(sorted(want)), "->", v, sorted(causes), "aliases", sorted(codes - causes)[:8], c["method"], c["url"][:110])
for l, (n, k) in sorted(per.items()):
    if k < n: print("%-40s %d of %d" % (l, k, n))
for k, (n, o, e) in tot.items():
    if n: print("%-8s %d of %d right (%.2f %%), %d with another cause first" % (k, o, n, 100 * o / n, e))
