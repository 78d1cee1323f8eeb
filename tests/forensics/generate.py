#!/usr/bin/env python3
"""Wrongly implemented signers: a corpus of requests whose mistake is known.

A naive signer of its own, with a switch for each label; it shares nothing with the solver.
    generate.py SEED COUNT_PER_LABEL PAIRS VALID > corpus.jsonl
Each line: id, labels, provable, verdict, and the request as `sigscope explain` reads it.
Only the standard library is used.
"""
import base64, copy, datetime, gzip, hashlib, hmac, json, random, sys, unicodedata, urllib.parse

AKID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEBYaDEXAMPLE+TOKEN/abc+def==" + "Zm9vYmFy" * 6
OTHER = "AnotherSecretThatNobodyHolds/0123456789a"
HEX = lambda b: b.hex()
sha = lambda b: hashlib.sha256(b).hexdigest()
mac = lambda k, d: hmac.new(k, d, hashlib.sha256).digest()
UNRES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def esc(text, safe="", plus=False, lower=False, tilde=False, enc="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(enc, "replace")
    out = []
    for b in data:
        c = chr(b)
        if (c in UNRES and not (c == "~" and tilde)) or c in safe:
            out.append(c)
        elif c == " " and plus:
            out.append("+")
        else:
            out.append(("%%%02x" if lower else "%%%02X") % b)
    return "".join(out)


def dec(text):
    return urllib.parse.unquote_to_bytes(text)


def normal(path):
    out = []
    parts = path.split("/")
    for p in parts:
        if p in ("", "."):
            continue
        if p == "..":
            if out:
                out.pop()
        else:
            out.append(p)
    res = "/" + "/".join(out)
    if parts[-1] in ("", ".", "..") and res != "/":
        res += "/"
    return res


class Req:
    """What the client means to send; the wire is made of it after signing."""

    def __init__(self):
        self.method, self.scheme, self.host, self.path = "GET", "https", "", "/"
        self.query = []  # (name, value or None, both raw as on the wire)
        self.headers = []  # (name, value)
        self.body = b""
        self.service, self.region = "", ""
        self.date = None
        self.presign = False
        self.token = None
        self.sign = None  # names to sign
        self.unsigned = []  # headers added unsigned
        self.expires = "900"
        self.s3_hash = None
        self.skew = 0
        self.akid = AKID


def s3(rng):
    r = Req()
    r.service, r.region = "s3", rng.choice(["us-west-2", "eu-west-1", "ap-northeast-1", "us-east-1"])
    bucket = rng.choice(["my-bucket", "logs-2026", "photos"])
    key = rng.choice(["a.txt", "dir/a b.jpg", "x=1/y=2/part-0.parquet", "weird!'()*.txt", "ü/é.txt", "a+b~c@d.bin",
                      "deep//slash/./dot", "plain/key", "Mixed/Case.TXT", "a,b;c:d&e.txt", "tr/ailing/"])
    vh = rng.random() < .5
    r.host = (bucket + "." if vh else "") + "s3.%s.amazonaws.com" % r.region
    r.path = ("" if vh else "/" + bucket) + "/" + esc(key, "/")
    r.bucket = bucket
    r.vh = vh
    r.method = rng.choice(["GET", "PUT", "GET", "DELETE", "HEAD", "POST"])
    if r.method == "GET" and rng.random() < .5:
        r.query = rng.choice([[("list-type", "2"), ("prefix", esc("a/b c"))], [("uploads", None)], [("versionId", "abc~1"), ("x-id", "GetObject")],
                              [("prefix", "z"), ("delimiter", esc("/")), ("Marker", "1")]])
    if r.method in ("PUT", "POST"):
        r.body = rng.choice([b"hello world", "grüße".encode(), b'{"b": 1, "a": [1, 2]}\n', b""])
        r.headers.append(("Content-Type", rng.choice(["text/plain", "application/json", "binary/octet-stream"])))
        if rng.random() < .5:
            r.headers.append(("x-amz-meta-note", rng.choice(["two  spaces", "plain", "Ünïcode note"])))
    return r


def query_api(rng):
    r = Req()
    svc, ver, act = rng.choice([("sts", "2011-06-15", "GetCallerIdentity"), ("ec2", "2016-11-15", "DescribeInstances"), ("sqs", "2012-11-05", "ListQueues"), ("monitoring", "2010-08-01", "ListMetrics")])
    r.service, r.region = svc, rng.choice(["us-west-2", "eu-central-1"])
    r.host = "%s.%s.amazonaws.com" % (svc, r.region)
    r.method = "POST"
    r.headers.append(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"))
    r.body = ("Action=%s&Version=%s&Filter.1.Name=tag%%3AName&Filter.1.Value=a%%20b%%2Fc" % (act, ver)).encode()
    return r


def json_api(rng):
    r = Req()
    svc, tgt = rng.choice([("dynamodb", "DynamoDB_20120810.GetItem"), ("secretsmanager", "secretsmanager.GetSecretValue"), ("kms", "TrentService.ListKeys"), ("kinesis", "Kinesis_20131202.ListStreams")])
    r.service, r.region = svc, rng.choice(["us-west-2", "us-east-2", "eu-west-1"])
    r.host = "%s.%s.amazonaws.com" % (svc, r.region)
    r.method = "POST"
    r.headers.append(("Content-Type", rng.choice(["application/x-amz-json-1.0", "application/x-amz-json-1.1"])))
    r.headers.append(("X-Amz-Target", tgt))
    r.body = rng.choice(['{"TableName": "t", "Key": {"id": {"S": "1/2"}}, "Count": 1.0}', '{"Name": "größe", "Url": "a/b", "Limit": 10}', '{"SecretId": "prod/db"}']).encode()
    return r


def rest(rng):
    r = Req()
    svc, path = rng.choice([("lambda", "/2015-03-31/functions/my-fn/invocations"), ("execute-api", "/prod/items/a b/x"), ("es", "/index/_search"), ("apigateway", "/restapis/abc/stages"),
                            ("lambda", "/2015-03-31/functions/" + "arn:aws:lambda:us-west-2:123456789012:function:f/policy"), ("es", "/a,b/_doc/é")])
    r.service, r.region = svc, rng.choice(["us-west-2", "eu-west-1"])
    r.host = {"execute-api": "abc123.execute-api.%s.amazonaws.com", "es": "search-x-abcdefgh.%s.es.amazonaws.com"}.get(svc, svc + ".%s.amazonaws.com") % r.region
    r.path = esc(path, "/:")
    if rng.random() < .2:
        r.path = rng.choice(["/a//b/../c", "/x/./y///z", "/index%2Fname/_doc"])
    r.method = rng.choice(["GET", "POST", "PUT", "GET"])
    if rng.random() < .6:
        r.query = rng.choice([[("b", "2"), ("a", "1"), ("B", "3")], [("tag", "y"), ("tag", "x"), ("q", esc("a b/c:d=e*f~g'h"))], [("name", "a"), ("name-x", "b"), ("empty", None)], [("q", esc("é ü")), ("z", "%2F")], [("a b".replace(" ", "%20"), "1"), ("a!", "2")]])
    if r.method in ("POST", "PUT"):
        r.body = rng.choice(['{"a":1,"b":{"c":"x/y"}}', '{\n  "query": {\n    "match": "é"\n  }\n}', "line one\nline two\n"]).encode()
        r.headers.append(("Content-Type", "application/json"))
    return r


def presigned(rng):
    r = s3(rng) if rng.random() < .7 else rest(rng)
    if r.service == "s3":
        r.method = rng.choice(["GET", "PUT", "GET"])
        r.query = rng.choice([[], [("response-content-type", esc("text/plain")), ("versionId", "1")]])
    else:
        r.method = "GET"
    r.body, r.headers = b"", []
    r.presign = True
    r.expires = rng.choice(["60", "900", "3600", "86400"])
    return r


KINDS = [s3, query_api, json_api, rest, presigned]


def base(rng, kind=None):
    r = (kind or rng.choice(KINDS))(rng)
    r.date = datetime.datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59))
    if rng.random() < .3:
        r.token = TOKEN
        r.akid = "ASIAIOSFODNN7EXAMPLE"
    return r


class Skip(Exception):
    pass


def need(cond):
    if not cond:
        raise Skip()


def nfd(b):
    return unicodedata.normalize("NFD", b.decode()).encode()


def secret(M, r):
    S = SECRET
    T = {
        "secret_trailing_newline": S + "\n", "secret_trailing_crlf": S + "\r\n", "secret_trailing_cr": S + "\r", "secret_trailing_space": S + " ",
        "secret_leading_space": " " + S, "secret_trailing_tab": S + "\t", "secret_nbsp": S + "\u00a0", "secret_bom": "\ufeff" + S, "secret_double_quoted": '"%s"' % S,
        "secret_single_quoted": "'%s'" % S, "secret_trailing_comma": S + ",", "secret_base64": base64.b64encode(S.encode()).decode(),
        "secret_base64_newline": base64.b64encode((S + "\n").encode()).decode(), "secret_percent_encoded": urllib.parse.quote(S, safe=""),
        "secret_plus_to_space": S.replace("+", " "), "secret_slash_escaped": S.replace("/", "\\/"), "secret_cut_at_slash": S.split("/")[0], "secret_cut_at_plus": S.split("+")[0],
        "secret_first_char_missing": S[1:], "secret_last_char_missing": S[:-1], "secret_doubled": S + S, "secret_lowercased": S.lower(), "secret_uppercased": S.upper(),
        "secret_is_access_key_id": r.akid, "secret_is_session_token": TOKEN, "control_other_secret": OTHER}
    for l in M:
        if l in T:
            if l == "secret_is_session_token":
                need(r.token)
            return T[l].encode()
    return S.encode()


def key(M, r, date, region, service, term):
    S = secret(M, r)
    d = r.date
    day = lambda n: (d + datetime.timedelta(days=n)).strftime("%Y%m%d")
    for l, v in {"key_date_yesterday": day(-1), "key_date_tomorrow": day(1), "key_date_cached_days": day(-4), "key_date_dashed": d.strftime("%Y-%m-%d"), "key_date_full_timestamp": d.strftime("%Y%m%dT%H%M%SZ")}.items():
        if l in M:
            date = v
    if "key_region_us_east_1" in M: need(region != "us-east-1"); region = "us-east-1"
    if "key_region_other" in M: region = "ap-southeast-2"
    if "key_region_empty" in M: region = ""
    if "key_region_uppercase" in M: region = region.upper()
    if "key_service_s3_default" in M: need(service != "s3"); service = "s3"
    if "key_service_uppercase" in M: service = service.upper()
    if "key_service_alt" in M:
        alt = {"monitoring": "cloudwatch", "es": "opensearch", "execute-api": "apigateway", "secretsmanager": "secrets-manager"}
        need(service in ("monitoring",)); service = alt[service]
    if "key_secret_direct" in M: return S
    if "key_aws4secret_direct" in M: return b"AWS4" + S
    k = (b"" if "key_no_aws4_prefix" in M else b"aws4" if "key_aws4_lowercase" in M else b"AWS4") + S
    steps = [date, region, service, term]
    if "key_service_before_region" in M: steps[1], steps[2] = steps[2], steps[1]
    if "key_no_terminator" in M: steps.pop()
    for s in steps:
        k = mac(s.encode(), k) if "key_args_swapped" in M else mac(k, s.encode())
        if "key_hex_chain" in M: k = k.hex().encode()
    if "key_hex_last" in M: k = k.hex().encode()
    return k


def cpath(M, r):
    W = r.path
    is_s3 = r.service.lower() == "s3"
    if "path_bucket_missing" in M: need(is_s3 and not r.vh); W = W[len("/" + r.bucket):] or "/"
    if "path_bucket_in_vh" in M: need(is_s3 and r.vh); W = "/" + r.bucket + W
    if "path_encoded_slash_decoded" in M: need("%2F" in W and not is_s3); W = W.replace("%2F", "/")
    if "path_plus_as_space" in M: need("+" in W or "%2B" in W); W = W.replace("+", "%20").replace("%2B", "%20")
    if "path_lowercased" in M: W = W.lower()
    rawW = W
    if is_s3:
        W = normal(W) if "path_normalized_s3" in M else W
    elif "path_slashes_collapsed_once" in M:
        need("///" in W); W = W.replace("//", "/")
    elif "path_not_normalized" not in M:
        W = normal(W)
    if "path_not_normalized" in M: need(not is_s3)
    if "path_slashes_collapsed_once" in M: need(not is_s3)
    if "path_normalized_s3" in M: need(is_s3)
    D = dec(W)
    safe, o = "/", {}
    if "path_equals_kept" in M: safe += "="
    if "path_subdelims_kept" in M: safe += "$&+,:;=@"
    if "path_js_reserved_kept" in M: safe += "!'()*"
    if "path_slash_encoded" in M: safe = safe.replace("/", "")
    if "path_tilde_encoded" in M: o["tilde"] = True
    if "path_space_as_plus" in M: o["plus"] = True
    if "path_lowercase_hex" in M: o["lower"] = True
    if "path_latin1" in M:
        t = D.decode("utf-8", "strict"); need(any(ord(c) > 127 for c in t)); D = t.encode("latin-1", "strict")
    if "path_nfd" in M: need(any(b > 127 for b in D)); D = nfd(D)
    if "path_double_encoded_s3" in M: need(is_s3); p = esc(esc(D, safe, **o), safe, **o)
    elif "path_single_encoded" in M: need(not is_s3); p = W
    elif "path_decoded_then_encoded_once" in M: need(not is_s3); p = esc(D, safe, **o)
    elif "path_not_encoded" in M: p = D.decode("utf-8", "replace")
    elif is_s3: p = esc(D, safe, **o)
    elif {"path_latin1", "path_nfd"} & M: p = esc(esc(D, safe, **o), safe, **o)
    else: p = esc(W, safe, **o)
    p = p or "/"
    if "path_trailing_slash_added" in M: p += "/"
    if "path_trailing_slash_dropped" in M: need(p.endswith("/") and p != "/"); p = p[:-1]
    if "path_no_leading_slash" in M: p = p[1:]
    if "path_empty_line" in M: need(p == "/"); p = ""
    if "path_root_only" in M: p = "/"
    if "path_includes_query" in M: need(r.query); p += "?" + "&".join(n if v is None else n + "=" + v for n, v in r.query)
    if "path_full_url" in M: p = "https://" + r.host + p
    if "path_includes_host" in M: p = r.host + p
    return p


def cquery(M, r, pairs):
    pairs = [p for p in pairs if p[0] != "X-Amz-Signature"]
    if "query_omitted" in M: return ""
    raw = "&".join(n if v is None else n + "=" + v for n, v in pairs)
    if "query_as_in_url" in M: return raw
    rows = []
    for n, v in pairs:
        has = v is not None and v != ""
        dn, dv = dec(n), dec(v or "")
        if "query_plus_on_wire" not in M:
            pass
        if "query_empty_dropped" in M and not has: continue
        if "query_value_cut_at_equals" in M: dv = dv.split(b"=")[0]
        safe, o = "", {}
        if "query_slash_kept" in M: safe += "/"
        if "query_slash_colon_kept" in M: safe += "/:@"
        if "query_js_reserved_kept" in M: safe += "!'()*"
        if "query_asterisk_kept" in M: safe += "*"
        if "query_tilde_encoded" in M: o["tilde"] = True
        if "query_space_as_plus" in M: o["plus"] = True
        if "query_lowercase_hex" in M: o["lower"] = True
        if "query_latin1" in M: dn, dv = (x.decode().encode("latin-1") for x in (dn, dv))
        f = lambda x: esc(x, safe, **o)
        if "query_not_encoded" in M: f = lambda x: x.decode("utf-8", "replace")
        if "query_double_encoded" in M: f = lambda x: esc(esc(x, safe, **o), safe, **o)
        en, ev = f(dn), f(dv)
        if "presign_credential_slash_raw" in M and n == "X-Amz-Credential": ev = ev.replace("%2F", "/")
        if "presign_signedheaders_semicolon_raw" in M and n == "X-Amz-SignedHeaders": ev = ev.replace("%3B", ";")
        if "query_plus_on_wire" in M: ev = ev.replace("%20", "+")
        rows.append((en, ev, dn, dv, has))
    if "presign_empty_signature_signed" in M: rows.append(("X-Amz-Signature", "", b"X-Amz-Signature", b"", True))
    if "query_dup_collapsed_last" in M or "query_dup_joined_comma" in M:
        new = []
        for x in rows:
            for i, y in enumerate(new):
                if y[2] == x[2]:
                    new[i] = x if "query_dup_collapsed_last" in M else (y[0], y[1] + "," + x[1], y[2], y[3], True)
                    break
            else:
                new.append(x)
        rows = new
    if "query_unsorted" in M: pass
    elif "query_sorted_as_strings" in M: rows.sort(key=lambda x: x[0] + "=" + x[1])
    elif "query_sorted_before_encoding" in M: rows.sort(key=lambda x: (x[2], x[3]))
    elif "query_sorted_case_insensitive" in M: rows.sort(key=lambda x: (x[0].lower(), x[1]))
    elif "query_dup_values_unsorted" in M: rows.sort(key=lambda x: x[0])
    else: rows.sort(key=lambda x: (x[0], x[1]))
    q = "&".join(x[0] if ("query_empty_no_equals" in M and not x[4]) else x[0] + "=" + x[1] for x in rows)
    if "query_with_question_mark" in M: q = "?" + q
    return q


def payload(M, r):
    B = r.body
    h = sha(B)
    is_s3 = r.service.lower() == "s3"
    if r.presign and is_s3: h = "UNSIGNED-PAYLOAD"
    elif "header_unsigned" in r.__dict__ and r.header_unsigned: h = "UNSIGNED-PAYLOAD"
    if "body_empty_hash_header" in M: h = sha(b"")
    if "payload_empty_hash" in M: need(B and not r.presign); h = sha(b"")
    if "presign_empty_hash_s3" in M: need(r.presign and is_s3); h = sha(b"")
    if "payload_blank" in M: h = ""
    if "payload_unsigned_literal" in M: need(B and not is_s3 and not r.presign); h = "UNSIGNED-PAYLOAD"
    if "payload_unsigned_literal_nobody" in M: need(not B and not is_s3 and not r.presign); h = "UNSIGNED-PAYLOAD"
    if "presign_unsigned_payload_other" in M: need(r.presign and not is_s3); h = "UNSIGNED-PAYLOAD"
    if "payload_null_string" in M: need(not B and not r.presign); h = sha(b"null")
    if "payload_query_string_hashed" in M: need(r.query and not r.presign); h = sha("&".join(n if v is None else n + "=" + v for n, v in r.query).encode())
    if "payload_raw_body" in M: need(B and not r.presign); h = B.decode("utf-8", "replace")
    if "payload_md5" in M: need(not r.presign); h = hashlib.md5(B).hexdigest()
    if "payload_sha1" in M: need(not r.presign); h = hashlib.sha1(B).hexdigest()
    if "payload_hash_uppercase" in M: need(not r.presign); h = h.upper()
    if "payload_hash_base64" in M: need(not r.presign); h = base64.b64encode(hashlib.sha256(B).digest()).decode()
    if "payload_double_hash" in M: need(not r.presign); h = sha(h.encode())
    if "payload_latin1" in M: need(not r.presign); t = B.decode(); need(any(ord(c) > 127 for c in t)); h = sha(t.encode("latin-1", "replace"))
    if "payload_utf16le" in M: need(B and not r.presign); h = sha(B.decode().encode("utf-16-le"))
    if "payload_header_hash_unsigned_signed" in M: need(is_s3 and not r.presign); h = "UNSIGNED-PAYLOAD"
    if "payload_header_unsigned_hash_signed" in M: need(is_s3 and not r.presign); h = sha(B)
    return h


def title(n):
    return "-".join(w[:1].upper() + w[1:].lower() for w in n.split("-"))


def sign(M, r, rng):
    """Signs as a client with the mistakes M; gives target, headers, body as sent."""
    is_s3 = r.service.lower() == "s3"
    if "body_empty_hash_header" in M: need(is_s3 and r.body and not r.presign)
    if "presign_empty_signature_signed" in M: need(r.presign)
    stamp = r.date.strftime("%Y%m%dT%H%M%SZ")
    date, region, service, term = stamp[:8], r.region, r.service, "aws4_request"
    if "scope_date_yesterday" in M: date = (r.date - datetime.timedelta(days=1)).strftime("%Y%m%d")
    if "scope_region_availability_zone" in M: region += "a"
    if "scope_region_underscore" in M: region = region.replace("-", "_")
    if "scope_region_uppercase" in M: region = region.upper()
    if "scope_region_aws_global" in M: region = "aws-global"
    if "scope_region_is_service" in M: region = service
    if "scope_wrong_region" in M: region = "sa-east-1"
    if "scope_service_uppercase" in M: service = service.upper()
    if "scope_service_wrong" in M: service = "execute-api" if service != "execute-api" else "iam"
    if "scope_service_endpoint_prefix" in M: need(False)
    if "scope_terminator_wrong" in M: term = "aws4-request"
    heads = [("Host", r.host)] + list(r.headers)
    if not r.presign:
        heads.append(("X-Amz-Date", stamp))
        if r.token: heads.append(("X-Amz-Security-Token", r.token))
        if is_s3:
            v = sha(r.body)
            if "payload_header_unsigned_hash_signed" in M: v = "UNSIGNED-PAYLOAD"
            if "body_empty_hash_header" in M: need(r.body); v = sha(b"")
            heads.append(("X-Amz-Content-Sha256", v))
    rng.shuffle(heads)
    names = [n.lower() for n, _ in heads]
    if "token_not_signed" in M: need(r.token and not r.presign); names = [n for n in names if n != "x-amz-security-token"]
    if "content_sha256_not_signed" in M: need(is_s3 and not r.presign); names = [n for n in names if n != "x-amz-content-sha256"]
    if r.presign: names = ["host"] + [n for n, _ in r.headers and [(a.lower(), b) for a, b in r.headers] or []]
    order, seen = [], set()
    for n in names:
        if n not in seen: seen.add(n); order.append(n)
    wirename = {n.lower(): n for n, _ in reversed(heads)}
    values = {}
    for n, v in heads: values.setdefault(n.lower(), []).append(v)
    unsigned = list(r.unsigned)
    # the signed list
    lst = sorted(order)
    if "hdr_list_unsorted_declared" in M: need(order != lst); lst = order
    if "hdr_sorted_case_sensitive" in M: lst = sorted(order, key=lambda n: wirename[n])
    declared = list(lst) if "hdr_list_unsorted_declared" in M else sorted(order)
    cl = list(lst)
    if "hdr_host_twice" in M: i = cl.index("host"); cl.insert(i, "host"); declared.insert(declared.index("host"), "host")
    show = (lambda n: wirename.get(n, n)) if "hdr_list_original_case" in M else (lambda n: n)
    listline = (("," if "hdr_list_comma" in M else ";").join(show(n) for n in cl)) + (";" if "hdr_list_trailing_semicolon" in M else "")
    # the lines
    lines = []
    for n in (order if {"hdr_insertion_order"} & M else lst):
        vs = values[n]
        f = lambda v: " ".join(x for x in v.strip().split(" ") if x)
        if "hdr_inner_spaces_kept" in M: f = lambda v: v.strip()
        if "hdr_all_spaces_removed" in M: f = lambda v: v.replace(" ", "")
        if "hdr_values_lowercased" in M: f0 = f; f = lambda v: f0(v).lower()
        if "hdr_value_percent_encoded" in M: f1 = f; f = lambda v: f1(v) if f1(v).isascii() else esc(f1(v))
        vs = [f(v) for v in vs]
        if len(vs) > 1:
            if "hdr_dup_first_only" in M: vs = vs[:1]
            if "hdr_dup_last_only" in M: vs = vs[-1:]
            if "hdr_dup_sorted" in M: vs = sorted(vs)
        dn = wirename[n] if "hdr_names_original_case" in M else n
        sep = ": " if "hdr_space_after_colon" in M else ":"
        if "hdr_dup_separate_lines" in M and len(vs) > 1: many = vs
        else: many = [(", " if "hdr_dup_comma_space" in M else ",").join(vs)]
        if n == "host":
            h = many[0]
            if "host_port_signed" in M: h += ":443"
            if "host_uppercase_signed" in M: h = h.upper()
            if "host_with_scheme_signed" in M: h = "https://" + h
            if "host_trailing_dot_signed" in M: h += "."
            if "host_global_signed" in M: need("." + r.region in h); h = h.replace("." + r.region, "")
            many = [h] * (2 if "hdr_host_twice" in M else 1)
            if "hdr_host_line_missing" in M: many = []
        if n == "x-amz-security-token" and "token_line_not_in_canonical" in M: many = []
        if n == "x-amz-date" and "hdr_line_missing" in M: many = []
        if n == "content-type" and "hdr_value_empty_when_signed" in M: many = [""]
        if n == getattr(r, "space_on", None) and "hdr_trailing_space_signed" in M: many = [many[0] + " "]
        for v in many: lines.append(dn + sep + v)
    if "token_line_not_in_canonical" in M: need("x-amz-security-token" in order)
    if "hdr_line_missing" in M: need("x-amz-date" in order)
    if "hdr_value_empty_when_signed" in M: need("content-type" in order)
    if "hdr_extra_line" in M:
        unsigned.append(("User-Agent", "my-tool/1.0 (x)")); lines.append("user-agent:my-tool/1.0 (x)"); lines.sort()
    if "hdr_sorted_as_lines" in M: lines.sort()
    block = "".join(l + "\n" for l in lines)
    # query
    pairs = list(r.query)
    if r.presign:
        cred = "/".join([r.akid, date, region, service, term])
        pairs += [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", esc(cred)), ("X-Amz-Date", stamp), ("X-Amz-Expires", r.expires), ("X-Amz-SignedHeaders", esc(";".join(declared)))]
        if r.token: pairs.append(("X-Amz-Security-Token", esc(r.token)))
    signed_pairs = list(pairs)
    if "presign_expires_added_after" in M: need(r.presign); signed_pairs = [p for p in pairs if p[0] != "X-Amz-Expires"]
    if "presign_token_added_after" in M: need(r.presign and r.token); signed_pairs = [p for p in pairs if p[0] != "X-Amz-Security-Token"]
    q = cquery(M, r, signed_pairs)
    if "query_plus_on_wire" in M: need(any("%20" in (v or "") for n, v in pairs if not n.startswith("X-Amz"))); pairs = [(n, v.replace("%20", "+") if v else v) for n, v in pairs]
    pl = payload(M, r)
    method = r.method.lower() if "method_lowercase" in M else r.method
    p = cpath(M, r)
    parts = [method, p, q, block, listline, pl]
    if "creq_query_before_path" in M: parts[1], parts[2] = parts[2], parts[1]
    if "creq_empty_query_line_missing" in M: need(not q); del parts[2]
    text = "\n".join(parts)
    if "creq_no_blank_line" in M: text = text.replace(block + "\n" + listline, block + listline)
    if "creq_two_blank_lines" in M: text = text.replace(block + "\n" + listline, block + "\n\n" + listline)
    if "creq_signed_headers_line_missing" in M: text = text.replace(block + "\n" + listline + "\n", block + "\n")
    if "creq_no_payload_line" in M: text = text[: len(text) - len(pl) - 1]
    if "creq_trailing_newline" in M: text += "\n"
    if "creq_indented" in M: text = text.replace("\n", "\n    ")
    if "creq_crlf" in M: text = text.replace("\n", "\r\n")
    if "creq_cr_only" in M: text = text.replace("\n", "\r")
    if "creq_literal_backslash_n" in M: text = text.replace("\n", "\\n")
    data = text.encode()
    if "creq_utf16le_bytes" in M: data = text.encode("utf-16-le")
    if "creq_latin1_bytes" in M: need(not text.isascii()); data = text.encode("latin-1", "replace")
    # string to sign
    h = sha(data)
    if "sts_creq_double_hashed" in M: h = sha(h.encode())
    if "sts_hash_uppercase" in M: h = h.upper()
    when = stamp
    if "sts_date_off_seconds" in M: when = (r.date + datetime.timedelta(seconds=rng.choice([1, 2, -1]))).strftime("%Y%m%dT%H%M%SZ")
    if "sts_date_extended" in M: when = r.date.strftime("%Y-%m-%dT%H:%M:%SZ")
    if "sts_date_http" in M: when = r.date.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if "sts_date_only_day" in M: when = stamp[:8]
    sc = [date, region, service, term]
    if "sts_region_us_east_1" in M: need(region != "us-east-1"); sc[1] = "us-east-1"
    if "sts_scope_no_terminator" in M: sc.pop()
    scope = "/".join(sc)
    if "sts_scope_with_access_key" in M: scope = r.akid + "/" + scope
    rows = ["AWS4-HMAC-SHA256", when, scope, h]
    if "sts_no_algorithm" in M: rows.pop(0)
    e = "\r\n" if "sts_crlf" in M else "\n"
    sts = e.join(rows).encode()
    if "sts_creq_not_hashed" in M: sts = e.join(rows[:-1]).encode() + e.encode() + data
    if "sts_trailing_newline" in M: sts += b"\n"
    k = key(M, r, date, region, service, term)
    if "sig_hmac_sha1" in M: raw = hmac.new(k, sts, hashlib.sha1).digest()
    elif "sig_sha256_concat" in M: raw = hashlib.sha256(k + sts).digest()
    elif "sig_final_args_swapped" in M: raw = mac(sts, k)
    else: raw = mac(k, sts)
    if "control_random_signature" in M: raw = rng.randbytes(32)
    sig = raw.hex()
    if "sig_uppercase" in M: sig = sig.upper()
    if "sig_base64" in M: sig = base64.b64encode(raw).decode()
    if "sig_base64_of_hex" in M: sig = base64.b64encode(raw.hex().encode()).decode()
    if r.presign:
        pairs.append(("X-Amz-Signature", esc(sig)))
    else:
        shown = [wirename[n] for n in declared] if ("hdr_list_original_case" in M and rng.random() < .5) else declared
        heads.append(("Authorization", "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/%s, SignedHeaders=%s, Signature=%s" % (r.akid, date, region, service, term, ";".join(shown), sig)))
    heads += unsigned
    r.wire_query, r.wire_headers, r.wire_body, r.wire_path, r.wire_method = pairs, heads, r.body, r.path, r.method
    return r


# ---- what the HTTP layer or a box on the way does after signing ----
def setval(r, name, value):
    r.wire_headers = [(n, value if n.lower() == name else v) for n, v in r.wire_headers]


def drop(r, name):
    r.wire_headers = [(n, v) for n, v in r.wire_headers if n.lower() != name]


def hop(name, signed, sent):
    def before(r, rng): need(not r.presign); r.headers.append((name, rng.choice(signed)))
    def after(r, rng):
        if sent is None: drop(r, name.lower())
        else: setval(r, name.lower(), sent(dict((n.lower(), v) for n, v in r.wire_headers)[name.lower()]) if callable(sent) else sent)
    return before, after


SETUP, AFTER = {}, {}
for lab, name, signed, sent in [
    ("hop_accept_encoding", "Accept-Encoding", ["identity", "gzip"], "gzip, deflate, br;q=0.1"), ("hop_accept", "Accept", ["*/*", "application/json"], "text/x-other"),
    ("hop_cache_control", "Cache-Control", ["no-cache", "max-age=0"], "max-age=259200"), ("hop_connection", "Connection", ["keep-alive", "close"], "Upgrade, x"),
    ("hop_te_removed", "TE", ["trailers"], None), ("hop_expect_removed", "Expect", ["100-continue"], None), ("hop_range_removed", "Range", ["bytes=0-", "bytes=0-1023"], None),
    ("hop_transfer_encoding_removed", "Transfer-Encoding", ["chunked"], None), ("hop_user_agent_suffix", "User-Agent", ["aws-sdk-x/1.2 lang/3"], lambda v: v + " proxy/9"),
    ("hop_trace_id_replaced", "X-Amzn-Trace-Id", ["Root=1-67891233-abcdef012345678912345678"], lambda v: "Self=1-67891234-12456789abcdef012345678;" + v),
    ("hop_x_forwarded_for_appended", "X-Forwarded-For", ["203.0.113.7"], lambda v: v + ", 10.0.0.1"), ("hop_x_forwarded_proto", "X-Forwarded-Proto", ["http"], "https"),
    ("hop_via_removed_opaque", "X-Custom-Thing", ["%016x" % 0xfeedface12345678], "quite different")]:
    SETUP[lab], AFTER[lab] = hop(name, signed, sent)


def after(label):
    def reg(f): AFTER[label] = f; return f
    return reg


def setup(label):
    def reg(f): SETUP[label] = f; return f
    return reg


@setup("hop_content_length_removed")
def _(r, rng): need(r.body and not r.presign); r.headers.append(("Content-Length", str(len(r.body))))
@after("hop_content_length_removed")
def _(r, rng): drop(r, "content-length")
@setup("hop_content_length_zero_removed")
def _(r, rng): need(not r.body and not r.presign); r.headers.append(("Content-Length", "0"))
@after("hop_content_length_zero_removed")
def _(r, rng): drop(r, "content-length")
@setup("date_header_regenerated")
def _(r, rng): need(not r.presign); r.headers.append(("Date", r.date.strftime("%a, %d %b %Y %H:%M:%S GMT")))
@after("date_header_regenerated")
def _(r, rng): setval(r, "date", (r.date + datetime.timedelta(seconds=3)).strftime("%a, %d %b %Y %H:%M:%S GMT"))


def has_type(r): need(any(n.lower() == "content-type" for n, _ in r.headers) and not r.presign)


def settype(r, v): r.headers = [(n, v if n.lower() == "content-type" else x) for n, x in r.headers]


@setup("ctype_charset_appended")
def _(r, rng): has_type(r); settype(r, "application/json")
@after("ctype_charset_appended")
def _(r, rng): setval(r, "content-type", "application/json; charset=utf-8")
@setup("ctype_charset_case")
def _(r, rng): has_type(r); settype(r, "text/plain; charset=utf-8")
@after("ctype_charset_case")
def _(r, rng): setval(r, "content-type", "text/plain; charset=UTF-8")
@setup("ctype_default_replaced")
def _(r, rng): has_type(r); settype(r, rng.choice(["application/json", "text/plain"]))
@after("ctype_default_replaced")
def _(r, rng): setval(r, "content-type", "application/x-odd")
@setup("host_port_not_signed")
def _(r, rng): pass
@after("host_port_not_signed")
def _(r, rng): setval(r, "host", r.host + ":8443")
@setup("host_proxy_signed")
def _(r, rng): r.true_host = r.host; r.host = rng.choice(["localhost:4566", "127.0.0.1:8080"])
@after("host_proxy_signed")
def _(r, rng): setval(r, "host", r.true_host)
@setup("host_forwarded_domain_signed")
def _(r, rng): need(not r.presign); r.true_host = r.host; r.host = "files.example.org"; r.unsigned.append(("X-Forwarded-Host", "files.example.org"))
@after("host_forwarded_domain_signed")
def _(r, rng): setval(r, "host", r.true_host)
@setup("host_path_style_signed_vh_sent")
def _(r, rng):
    need(r.service == "s3" and r.vh); r.true = (r.host, r.path); r.host = r.host.replace(r.bucket + ".", "", 1); r.path = "/" + r.bucket + r.path; r.vh = False
@after("host_path_style_signed_vh_sent")
def _(r, rng): setval(r, "host", r.true[0]); r.wire_path = r.true[1]
@setup("host_vh_signed_path_style_sent")
def _(r, rng):
    need(r.service == "s3" and not r.vh); r.true = (r.host, r.path); r.host = r.bucket + "." + r.host; r.path = r.path[len("/" + r.bucket):]; r.vh = True
@after("host_vh_signed_path_style_sent")
def _(r, rng): setval(r, "host", r.true[0]); r.wire_path = r.true[1]
@setup("path_first_segment_stripped")
def _(r, rng): need(r.service != "s3"); r.true = r.path; r.path = "/prod" + r.path
@after("path_first_segment_stripped")
def _(r, rng): r.wire_path = r.true
@after("path_first_segment_not_signed")
def _(r, rng): need(r.service != "s3"); r.wire_path = "/stage7" + r.wire_path
@setup("method_get_signed_head_sent")
def _(r, rng): need(not r.body); r.method = "GET"
@after("method_get_signed_head_sent")
def _(r, rng): r.wire_method = "HEAD"
@setup("method_post_signed_get_sent")
def _(r, rng): need(not r.body); r.method = "POST"
@after("method_post_signed_get_sent")
def _(r, rng): r.wire_method = "GET"
@setup("method_put_signed_post_sent")
def _(r, rng): r.method = "PUT"
@after("method_put_signed_post_sent")
def _(r, rng): r.wire_method = "POST"
@after("query_param_added_after")
def _(r, rng): need(not r.presign); r.wire_query = r.wire_query + [("_cb", "1234")]
@setup("query_param_removed_after")
def _(r, rng): need(r.service == "s3" and not r.presign and r.method == "PUT"); r.query = r.query + [("x-id", "PutObject")]
@after("query_param_removed_after")
def _(r, rng): r.wire_query = [p for p in r.wire_query if p[0] != "x-id"]
@after("presign_param_added_after")
def _(r, rng): need(r.presign); r.wire_query = r.wire_query + [("utm_source", "mail")]
@after("presign_expires_edited")
def _(r, rng): need(r.presign); r.wire_query = [(n, "604800" if n == "X-Amz-Expires" else v) for n, v in r.wire_query]
@after("presign_html_escaped")
def _(r, rng): need(r.presign); r.html = True
@after("presign_credential_double_encoded")
def _(r, rng): need(r.presign); r.wire_query = [(n, v and v.replace("%", "%25")) for n, v in r.wire_query]
@setup("presign_token_plus_unescaped")
def _(r, rng): need(r.presign); r.token = TOKEN; r.akid = "ASIAIOSFODNN7EXAMPLE"
@after("presign_token_plus_unescaped")
def _(r, rng): r.wire_query = [(n, v.replace("%2B", "+") if n == "X-Amz-Security-Token" else v) for n, v in r.wire_query]
@setup("presign_token_added_after")
def _(r, rng): need(r.presign); r.token = TOKEN; r.akid = "ASIAIOSFODNN7EXAMPLE"
@setup("presign_content_type_differs")
def _(r, rng): need(r.presign); r.headers = [("Content-Type", "image/jpeg")]
@after("presign_content_type_differs")
def _(r, rng): setval(r, "content-type", "application/x-odd")
@setup("presign_content_type_not_sent")
def _(r, rng): need(r.presign); r.headers = [("Content-Type", "image/jpeg")]
@after("presign_content_type_not_sent")
def _(r, rng): drop(r, "content-type")


def with_token(r, rng): need(not r.presign); r.token = TOKEN; r.akid = "ASIAIOSFODNN7EXAMPLE"


for lab in ("token_plus_to_space", "token_truncated_on_wire", "token_signed_not_sent", "token_stale_signed", "token_line_not_in_canonical", "token_not_signed", "secret_is_session_token"):
    SETUP[lab] = with_token
AFTER["token_plus_to_space"] = lambda r, rng: setval(r, "x-amz-security-token", TOKEN.replace("+", " "))
AFTER["token_truncated_on_wire"] = lambda r, rng: setval(r, "x-amz-security-token", TOKEN[:30])
AFTER["token_signed_not_sent"] = lambda r, rng: drop(r, "x-amz-security-token")
AFTER["token_stale_signed"] = lambda r, rng: setval(r, "x-amz-security-token", "IQoJb3JpZ2luX2VjEXAMPLEother" * 3)


@setup("asia_without_token")
def _(r, rng): r.token = None; r.akid = "ASIAIOSFODNN7EXAMPLE"


def dup(r, rng): need(not r.presign); r.headers += [("x-amz-meta-list", "b"), ("x-amz-meta-list", "a")]


for lab in ("hdr_dup_first_only", "hdr_dup_last_only", "hdr_dup_comma_space", "hdr_dup_separate_lines", "hdr_dup_sorted"):
    SETUP[lab] = dup
SETUP["hdr_inner_spaces_kept"] = lambda r, rng: r.headers.append(("x-amz-meta-s", "a  b   c")) or need(not r.presign)
SETUP["hdr_all_spaces_removed"] = lambda r, rng: r.headers.append(("x-amz-meta-s", "a b c")) or need(not r.presign)
SETUP["hdr_values_lowercased"] = lambda r, rng: r.headers.append(("x-amz-meta-s", "MiXed")) or need(not r.presign)
SETUP["hdr_sorted_as_lines"] = lambda r, rng: r.headers.extend([("x-amz-meta-a", "1"), ("x-amz-meta-a-b", "2")]) or need(not r.presign)
SETUP["hdr_value_percent_encoded"] = SETUP["creq_latin1_bytes"] = lambda r, rng: r.headers.append(("x-amz-meta-u", "grüße")) or need(not r.presign)


@setup("hdr_trailing_space_signed")
def _(r, rng): need(not r.presign); r.headers.append(("x-amz-meta-s", "v")); r.space_on = "x-amz-meta-s"


def js(r): need(r.body[:1] == b"{" and not r.presign and r.service != "s3"); return json.loads(r.body)


def body(label, before, change):
    SETUP[label] = before
    def f(r, rng): r.wire_body = change(r.wire_body)
    AFTER[label] = f


def setbody(f):
    def g(r, rng): r.body = f(r)
    return g


dump = lambda o, **k: json.dumps(o, ensure_ascii=False, **k).encode()
re = lambda b, **k: dump(json.loads(b), **k)
body("body_json_minified", setbody(lambda r: dump(js(r))), lambda b: re(b, separators=(",", ":")))
body("body_json_spaced", setbody(lambda r: dump(js(r), separators=(",", ":"))), lambda b: re(b))
body("body_json_pretty", setbody(lambda r: dump(js(r))), lambda b: re(b, indent=2))
body("body_json_keys_sorted", setbody(lambda r: dump({"b": 1, "a": {"z": 1, "y": 2}, **js(r)})), lambda b: re(b, sort_keys=True))
body("body_json_ascii_escaped", setbody(lambda r: dump({**js(r), "n": "é"})), lambda b: json.dumps(json.loads(b)).encode())
body("body_json_slash_escaped", setbody(lambda r: dump({**js(r), "u": "a/b"}).replace(b"/", b"\\/")), lambda b: b.replace(b"\\/", b"/"))
body("body_json_quoted_string", setbody(lambda r: dump(js(r))), lambda b: json.dumps(b.decode()).encode())


def form(r): need(r.body.startswith(b"Action=")); return r.body


body("body_form_plus", setbody(form), lambda b: b.replace(b"%20", b"+"))
body("body_form_pct20", setbody(lambda r: form(r).replace(b"%20", b"+")), lambda b: b.replace(b"+", b"%20"))
body("body_form_lowercase_hex", setbody(form), lambda b: b.replace(b"%2F", b"%2f").replace(b"%3A", b"%3a"))
body("body_form_params_sorted", setbody(lambda r: form(r)), lambda b: b"&".join(sorted(b.split(b"&"))))
body("body_newline_added", setbody(lambda r: need(r.body) or r.body), lambda b: b + b"\n")
body("body_newline_lost", setbody(lambda r: need(r.body) or r.body.rstrip() + b"\n"), lambda b: b[:-1])
body("body_lf_to_crlf", setbody(lambda r: need(r.body) or b"a\nb\nc"), lambda b: b.replace(b"\n", b"\r\n"))
body("body_bom_added", setbody(lambda r: need(r.body) or r.body), lambda b: b"\xef\xbb\xbf" + b)
body("body_gzipped_after", setbody(lambda r: need(r.body) or r.body), lambda b: gzip.compress(b, mtime=0))
body("body_changed_opaque", setbody(lambda r: need(r.body and r.service != "s3" and not r.presign) or r.body), lambda b: b"something else altogether")
body("body_changed_hash_header", setbody(lambda r: need(r.body and r.service == "s3" and not r.presign) or r.body), lambda b: b"something else altogether")
SKEW = {"clock_behind": 3600 * 2 + 77, "clock_ahead_local_time": -7200 - 1}


def build(M, r, rng, of=None):
    """`of`: the mistakes whose requests are prepared, where not all of them are made."""
    M = set(M)
    for l in sorted(set(of or M)):
        if l in SETUP: SETUP[l](r, rng)
    sign(M, r, rng)
    for l in sorted(M):
        if l in AFTER: AFTER[l](r, rng)
    q = "&".join(n if v is None else n + "=" + v for n, v in r.wire_query)
    target = r.wire_path + ("?" + q if q else "")
    if getattr(r, "html", False): target = target.replace("&", "&amp;")
    host = dict((n.lower(), v) for n, v in r.wire_headers)["host"]
    arrived = r.date + datetime.timedelta(seconds=2 + sum(SKEW.get(l, 0) for l in M))
    if "clock_behind" in M or "clock_ahead_local_time" in M: need(not r.presign)
    if "presign_expired" in M: need(r.presign); arrived = r.date + datetime.timedelta(seconds=int(r.expires) + 100)
    return {"method": r.wire_method, "url": "https://" + host + target, "headers": [[n, v] for n, v in r.wire_headers],
            "body_base64": base64.b64encode(r.wire_body).decode(), "received_at": arrived.strftime("%Y-%m-%dT%H:%M:%SZ")}


def main():
    seed, per, pairs, valid = (int(x) for x in sys.argv[1:5])
    labels = json.load(open(sys.argv[5])) if len(sys.argv) > 5 else LABELS
    rng = random.Random(seed)
    out, n = [], 0

    def emit(M, tries=400):
        nonlocal n
        for _ in range(tries):
            r = base(rng)
            state = rng.getstate()
            try:
                made = build(M, copy.deepcopy(r), rng)
                # A mistake that changes nothing in this request is none.
                wrongly = [x for x in M if not x.startswith(("scope_", "clock_", "control_", "asia_", "token_not", "content_sha", "presign_expired", "body_changed", "body_empty"))]
                if wrongly:
                    for left in ([set(M) - {x} for x in wrongly]):
                        rng.setstate(state)
                        try:
                            other = build(left, copy.deepcopy(r), rng, M)
                        except Skip:
                            continue
                        if other == made: raise Skip()
                break
            except (Skip, UnicodeError, ValueError, KeyError, AttributeError):
                continue
        else:
            sys.stderr.write("not made: %s\n" % "+".join(M)); return
        n += 1
        provable = not any(x in M for x in ("control_other_secret", "control_random_signature", "body_changed_opaque", "hop_via_removed_opaque", "token_stale_signed"))
        out.append({"id": "%d" % n, "labels": [x.replace("_", "-") for x in M if x != "control_valid"], "provable": provable, **made})

    for label in labels:
        for _ in range(per): emit([label])
    for _ in range(valid): emit([])
    plain = [l for l in labels if not l.startswith(("control", "clock", "presign_expired"))]
    bad = ("body_changed_opaque", "hop_via_removed_opaque", "token_stale_signed", "presign_html_escaped", "presign_credential_double_encoded")
    cls = lambda l: l.split("_")[0]
    for _ in range(pairs):
        while True:
            a, b = rng.sample(plain, 2)
            if cls(a) != cls(b) and a not in bad and b not in bad: break
        emit([a, b], 60)
    for line in out: print(json.dumps(line, ensure_ascii=False))


LABELS = """
creq_cr_only creq_crlf creq_empty_query_line_missing creq_indented creq_literal_backslash_n creq_no_blank_line creq_no_payload_line
creq_query_before_path creq_signed_headers_line_missing creq_trailing_newline creq_two_blank_lines creq_utf16le_bytes clock_ahead_local_time
clock_behind presign_expired control_other_secret control_random_signature control_valid content_sha256_not_signed creq_latin1_bytes
ctype_charset_appended ctype_charset_case ctype_default_replaced hdr_all_spaces_removed hdr_dup_comma_space hdr_dup_first_only hdr_dup_last_only
hdr_dup_separate_lines hdr_dup_sorted hdr_extra_line hdr_host_line_missing hdr_host_twice hdr_inner_spaces_kept hdr_insertion_order hdr_line_missing
hdr_list_comma hdr_list_original_case hdr_list_trailing_semicolon hdr_list_unsorted_declared hdr_names_original_case hdr_sorted_as_lines
hdr_sorted_case_sensitive hdr_space_after_colon hdr_trailing_space_signed hdr_value_empty_when_signed hdr_value_percent_encoded hdr_values_lowercased
date_header_regenerated hop_accept hop_accept_encoding hop_cache_control hop_connection hop_content_length_removed hop_content_length_zero_removed
hop_expect_removed hop_range_removed hop_te_removed hop_trace_id_replaced hop_transfer_encoding_removed hop_user_agent_suffix
hop_x_forwarded_for_appended hop_x_forwarded_proto host_forwarded_domain_signed host_global_signed host_path_style_signed_vh_sent host_port_not_signed
host_port_signed host_proxy_signed host_trailing_dot_signed host_uppercase_signed host_vh_signed_path_style_sent host_with_scheme_signed
key_args_swapped key_aws4_lowercase key_aws4secret_direct key_date_cached_days key_date_dashed key_date_full_timestamp key_date_tomorrow
key_date_yesterday key_hex_chain key_hex_last key_no_aws4_prefix key_no_terminator key_region_empty key_region_other key_region_uppercase
key_region_us_east_1 key_secret_direct key_service_alt key_service_before_region key_service_s3_default key_service_uppercase
method_get_signed_head_sent method_lowercase method_post_signed_get_sent method_put_signed_post_sent body_changed_opaque hop_via_removed_opaque
token_stale_signed path_bucket_in_vh path_bucket_missing path_decoded_then_encoded_once path_double_encoded_s3 path_empty_line
path_encoded_slash_decoded path_equals_kept path_first_segment_not_signed path_first_segment_stripped path_full_url path_includes_host
path_includes_query path_js_reserved_kept path_latin1 path_lowercase_hex path_lowercased path_nfd path_no_leading_slash path_normalized_s3
path_not_encoded path_not_normalized path_plus_as_space path_root_only path_single_encoded path_slash_encoded path_slashes_collapsed_once
path_space_as_plus path_subdelims_kept path_tilde_encoded path_trailing_slash_added path_trailing_slash_dropped body_bom_added
body_changed_hash_header body_empty_hash_header body_form_lowercase_hex body_form_params_sorted body_form_pct20 body_form_plus body_gzipped_after
body_json_ascii_escaped body_json_keys_sorted body_json_minified body_json_pretty body_json_quoted_string body_json_slash_escaped body_json_spaced
body_lf_to_crlf body_newline_added body_newline_lost payload_blank payload_double_hash payload_empty_hash payload_hash_base64 payload_hash_uppercase
payload_header_hash_unsigned_signed payload_header_unsigned_hash_signed payload_latin1 payload_md5 payload_null_string payload_query_string_hashed
payload_raw_body payload_sha1 payload_unsigned_literal payload_unsigned_literal_nobody payload_utf16le presign_content_type_differs
presign_content_type_not_sent presign_credential_double_encoded presign_credential_slash_raw presign_empty_hash_s3 presign_empty_signature_signed
presign_expires_added_after presign_expires_edited presign_html_escaped presign_param_added_after presign_signedheaders_semicolon_raw
presign_token_added_after presign_token_plus_unescaped presign_unsigned_payload_other query_as_in_url query_asterisk_kept query_double_encoded
query_dup_collapsed_last query_dup_joined_comma query_dup_values_unsorted query_empty_dropped query_empty_no_equals query_js_reserved_kept
query_latin1 query_lowercase_hex query_not_encoded query_omitted query_param_added_after query_param_removed_after query_plus_on_wire
query_slash_colon_kept query_slash_kept query_sorted_as_strings query_sorted_before_encoding query_sorted_case_insensitive query_space_as_plus
query_tilde_encoded query_unsorted query_value_cut_at_equals query_with_question_mark scope_date_yesterday scope_region_availability_zone
scope_region_aws_global scope_region_is_service scope_region_underscore scope_region_uppercase scope_service_endpoint_prefix scope_service_uppercase
scope_service_wrong scope_terminator_wrong scope_wrong_region secret_base64 secret_base64_newline secret_bom secret_cut_at_plus secret_cut_at_slash
secret_double_quoted secret_doubled secret_first_char_missing secret_is_access_key_id secret_is_session_token secret_last_char_missing
secret_leading_space secret_lowercased secret_nbsp secret_percent_encoded secret_plus_to_space secret_single_quoted secret_slash_escaped
secret_trailing_comma secret_trailing_cr secret_trailing_crlf secret_trailing_newline secret_trailing_space secret_trailing_tab secret_uppercased
sig_base64 sig_base64_of_hex sig_final_args_swapped sig_hmac_sha1 sig_sha256_concat sig_uppercase sts_creq_double_hashed sts_creq_not_hashed sts_crlf
sts_date_extended sts_date_http sts_date_off_seconds sts_date_only_day sts_hash_uppercase sts_no_algorithm sts_region_us_east_1
sts_scope_no_terminator sts_scope_with_access_key sts_trailing_newline asia_without_token token_line_not_in_canonical token_not_signed
token_plus_to_space token_signed_not_sent token_truncated_on_wire
"""
LABELS = LABELS.split()
if __name__ == "__main__":
    main()
