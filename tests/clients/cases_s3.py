"""S3 by boto3, the AWS CLI, curl, the JavaScript SDK and restic.

Each case runs directly against a server and then through sigscope; what is stored is read
back from the server itself and compared by hash.
"""

import concurrent.futures
import hashlib
import urllib.request

from harness import case, equal, refused
from servers import REGION
from target import MIB, noise, ok, same


def put(t, key, data, **more):
    return t.s3.put_object(Bucket=t.bucket, Key=key, Body=data, **more)


def s3(name, **excused):
    return case("s3", name, **excused)


@s3("put get head")
def put_get_head(t):
    data = noise(100_000)
    put(t, "plain", data, ContentType="text/x-own", Metadata={"colour": "blue"})
    t.fetched("plain", data)
    head = t.s3.head_object(Bucket=t.bucket, Key="plain")
    equal(head["ContentLength"], len(data), "length")
    equal(head["ContentType"], "text/x-own", "type")
    equal(head["Metadata"], {"colour": "blue"}, "metadata")


def sized(size):
    def run(t):
        put(t, f"size-{size}", noise(size))
        t.fetched(f"size-{size}", noise(size))

    return run


for label, size in (("0 bytes", 0), ("1 byte", 1), ("5 MiB", 5 * MIB), ("64 MiB", 64 * MIB),
                    ("256 MiB", 256 * MIB)):
    s3(f"put get {label}")(sized(size))


def keyed(key):
    def run(t):
        data = key.encode() * 3
        put(t, key, data)
        t.fetched(key, data)
        t.s3.delete_object(Bucket=t.bucket, Key=key)
        refused(lambda: t.direct.head_object(Bucket=t.bucket, Key=key), "404")

    return run


for key in ("k/+ é %25 !'()* =&$@,", "k/a:b", "k/日本/ключ", "k/ leading and trailing ",
            "k/%2F", "k/a+b%20c", "k/tilde~.-_", "k/semi;colon?query#hash"):
    s3(f"key {key}")(keyed(key))

s3("key k/[]{}|^`\"<>")(keyed("k/[]{}|^`\"<>"))


@s3("list keys by odd prefixes", s3s="it does not escape the keys that it lists")
def odd_listing(t):
    for key in ("o/+ é %25 !'()* =&$@,", "o/%2F", "o/a+b%20c"):
        put(t, key, b"x")
        listed = t.s3.list_objects_v2(Bucket=t.bucket, Prefix=key).get("Contents", [])
        equal([item["Key"] for item in listed], [key], "listed by its prefix")


@s3("key with //")
def double_slash(t):
    raw_key(t, "d//e///f", "/d//e///f")


@s3("key with ..", seaweedfs="it refuses them")
def dot_dot(t):
    raw_key(t, "u/x/../y", "/u/x/../y")


@s3("key with %2F on the wire")
def escaped_slash(t):
    raw_key(t, "esc/in/side", "/esc%2Fin%2Fside")


@s3("key with unescaped reserved characters on the wire")
def unescaped(t):
    raw_key(t, "w/a=b&c@d$e,f:g!h'(i)*j", "/w/a=b&c@d$e,f:g!h'(i)*j")


@s3("key with lower-case escapes on the wire")
def lower_escapes(t):
    raw_key(t, "low/é:", "/low/%c3%a9%3a")


def raw_key(t, key, path):
    ok(t.raw("PUT", f"/{t.bucket}{path}", body=key.encode()))
    same(ok(t.raw("GET", f"/{t.bucket}{path}")).body, key.encode(), "fetched")
    t.stored(key, key.encode())


@s3("key with a trailing slash", s3s="it answers HEAD of it with 500")
def trailing_slash(t):
    put(t, "folder/", b"")
    equal(t.s3.head_object(Bucket=t.bucket, Key="folder/")["ContentLength"], 0, "length")
    put(t, "folder/in", b"side")
    t.fetched("folder/in", b"side")


@s3("list with prefix, delimiter and pages")
def listing(t):
    for name in ("l/a", "l/b", "l/c/d", "l/é f"):
        put(t, name, b"x")
    pages = t.s3.get_paginator("list_objects_v2").paginate(
        Bucket=t.bucket, Prefix="l/", PaginationConfig={"PageSize": 2})
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    equal(sorted(keys), sorted(["l/a", "l/b", "l/c/d", "l/é f"]), "keys")
    answer = t.s3.list_objects_v2(Bucket=t.bucket, Prefix="l/", Delimiter="/")
    equal([p["Prefix"] for p in answer["CommonPrefixes"]], ["l/c/"], "prefixes")


@s3("list version 1 with an encoded marker", s3s="it does not escape the keys that it lists")
def listing_v1(t):
    for name in ("m/a b", "m/a+b", "m/c"):
        put(t, name, b"x")
    answer = t.s3.list_objects(Bucket=t.bucket, Prefix="m/", Marker="m/a b")
    equal([item["Key"] for item in answer["Contents"]], ["m/a+b", "m/c"], "keys")


@s3("create, list, delete buckets")
def buckets(t):
    name = f"{t.bucket}-made"
    t.s3.create_bucket(Bucket=name)
    equal(name in [b["Name"] for b in t.s3.list_buckets()["Buckets"]], True, "listed")
    t.s3.head_bucket(Bucket=name)
    t.s3.delete_bucket(Bucket=name)
    refused(lambda: t.direct.head_bucket(Bucket=name), "404")


@s3("copy")
def copy(t):
    put(t, "from +é", noise(70_000))
    t.s3.copy_object(Bucket=t.bucket, Key="to", CopySource={"Bucket": t.bucket, "Key": "from +é"})
    t.fetched("to", noise(70_000))


@s3("delete, then it is not found")
def delete(t):
    put(t, "gone", b"x")
    t.s3.delete_object(Bucket=t.bucket, Key="gone")
    refused(lambda: t.s3.get_object(Bucket=t.bucket, Key="gone"), "NoSuchKey")
    refused(lambda: t.s3.head_object(Bucket=t.bucket, Key="gone"), "404")


@s3("delete many")
def delete_many(t):
    names = ["many/é", "many/b c", "many/+"]
    for name in names:
        put(t, name, b"x")
    t.s3.delete_objects(Bucket=t.bucket, Delete={"Objects": [{"Key": n} for n in names]})
    answer = t.direct.list_objects_v2(Bucket=t.bucket, Prefix="many/")
    equal(answer["KeyCount"], 0, "left")


@s3("multipart of three parts")
def multipart(t):
    data = noise(11 * MIB)
    where = {"Bucket": t.bucket, "Key": "multi part+é"}
    upload = t.s3.create_multipart_upload(**where)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(data), 5 * MIB), 1):
        answer = t.s3.upload_part(UploadId=upload, PartNumber=number,
                                  Body=data[start : start + 5 * MIB], **where)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    equal(len(t.s3.list_parts(UploadId=upload, **where)["Parts"]), 3, "parts")
    t.s3.complete_multipart_upload(UploadId=upload, MultipartUpload={"Parts": parts}, **where)
    t.fetched(where["Key"], data)


@s3("multipart aborted")
def aborted(t):
    where = {"Bucket": t.bucket, "Key": "aborted"}
    upload = t.s3.create_multipart_upload(**where)["UploadId"]
    t.s3.upload_part(UploadId=upload, PartNumber=1, Body=b"x" * 1000, **where)
    t.s3.abort_multipart_upload(UploadId=upload, **where)
    refused(lambda: t.s3.head_object(**where), "404")


@s3("multipart by the transfer manager, 24 MiB at four at once")
def transfer(t):
    path = t.scratch / "transfer"
    path.write_bytes(noise(24 * MIB))
    t.s3.upload_file(str(path), t.bucket, "transferred")
    back = path.with_suffix(".back")
    t.s3.download_file(t.bucket, "transferred", str(back))
    same(back.read_bytes(), noise(24 * MIB), "downloaded file")
    t.stored("transferred", noise(24 * MIB))


@s3("range")
def ranged(t):
    data = noise(100_000)
    put(t, "ranged", data)
    answer = t.s3.get_object(Bucket=t.bucket, Key="ranged", Range="bytes=500-1999")
    equal(answer["ResponseMetadata"]["HTTPStatusCode"], 206, "status")
    equal(answer["ContentRange"], "bytes 500-1999/100000", "content-range")
    same(answer["Body"].read(), data[500:2000], "range")


@s3("conditional, 304 without a body", s3s="it ignores the conditions")
def conditional(t):
    tag = put(t, "conditional", b"once")["ETag"]
    where = {"Bucket": t.bucket, "Key": "conditional"}
    same(t.s3.get_object(IfMatch=tag, **where)["Body"].read(), b"once", "fetched")
    refused(lambda: t.s3.get_object(IfNoneMatch=tag, **where), "304", "NotModified")
    refused(lambda: t.s3.get_object(IfMatch='"0"', **where), "PreconditionFailed", "412")


@s3("content-md5 and checksums")
def checksums(t):
    data = noise(50_000)
    for algorithm in ("CRC32", "SHA256", "SHA1"):
        put(t, f"sum-{algorithm}", data, ChecksumAlgorithm=algorithm)
        t.fetched(f"sum-{algorithm}", data)
    import base64
    digest = base64.b64encode(hashlib.md5(data).digest()).decode()
    put(t, "sum-md5", data, ContentMD5=digest)
    t.fetched("sum-md5", data)


@s3("64 at once")
def at_once(t):
    def round_trip(number):
        data = noise(20_000 + number)
        put(t, f"c/{number}", data)
        same(t.s3.get_object(Bucket=t.bucket, Key=f"c/{number}")["Body"].read(), data, "fetched")

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        list(pool.map(round_trip, range(256)))
    equal(t.direct.list_objects_v2(Bucket=t.bucket, Prefix="c/")["KeyCount"], 256, "stored")


def opened(url, method="GET", data=None, headers=None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with opener.open(request, timeout=30) as answer:
        return answer.read()


@s3("presigned GET")
def presigned_get(t):
    key = "presigned +é"
    put(t, key, noise(9000))
    url = t.s3.generate_presigned_url("get_object", {"Bucket": t.bucket, "Key": key})
    same(opened(url), noise(9000), "fetched")


@s3("presigned GET with overrides of the reply's headers")
def presigned_override(t):
    put(t, "disposed", b"text")
    params = {"Bucket": t.bucket, "Key": "disposed",
              "ResponseContentDisposition": 'attachment; filename="a b+c.txt"'}
    same(opened(t.s3.generate_presigned_url("get_object", params)), b"text", "fetched")


@s3("presigned PUT with a signed content-type")
def presigned_put(t):
    params = {"Bucket": t.bucket, "Key": "presigned-put", "ContentType": "text/plain"}
    url = t.s3.generate_presigned_url("put_object", params)
    opened(url, "PUT", noise(40_000), {"Content-Type": "text/plain"})
    t.stored("presigned-put", noise(40_000))


@s3("AWS CLI cp, ls, sync, rm")
def cli(t):
    folder = t.scratch / "cli"
    (folder / "sub dir").mkdir(parents=True)
    (folder / "small é.txt").write_bytes(b"small")
    (folder / "sub dir" / "large").write_bytes(noise(20 * MIB))
    base, env = f"s3://{t.bucket}/cli", t.env()
    t.tools.aws("s3", "sync", "--no-progress", str(folder), base, env=env)
    t.stored("cli/small é.txt", b"small")
    t.stored("cli/sub dir/large", noise(20 * MIB))
    listed = t.tools.aws("s3", "ls", "--recursive", base, env=env)
    equal(len(listed.splitlines()), 2, "listed lines")
    back = folder.with_suffix(".back")
    t.tools.aws("s3", "cp", "--recursive", "--no-progress", base, str(back), env=env)
    same((back / "sub dir" / "large").read_bytes(), noise(20 * MIB), "copied back")
    t.tools.aws("s3", "rm", "--recursive", base, env=env)
    equal(t.direct.list_objects_v2(Bucket=t.bucket, Prefix="cli/")["KeyCount"], 0, "left")


@s3("curl --aws-sigv4")
def curl(t):
    data = noise(30_000)
    path = t.scratch / "curl"
    path.write_bytes(data)
    sign = ["-f", "--aws-sigv4", f"aws:amz:{REGION}:s3", "-u", f"{t.keys.id}:{t.keys.secret}"]
    url = f"{t.url}/{t.bucket}/by-curl"
    t.tools.curl(*sign, "-T", path, "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", url)
    t.stored("by-curl", data)
    back = path.with_suffix(".back")
    empty = hashlib.sha256(b"").hexdigest()
    t.tools.curl(*sign, "-o", back, "-H", f"x-amz-content-sha256: {empty}", url)
    same(back.read_bytes(), data, "fetched")


@s3("JavaScript SDK: buffer and stream")
def javascript(t):
    answer = t.tools.js("s3.mjs", t.env(), t.bucket, "3000000")
    equal(answer["fetched"], answer["sent"], "hashes of what was fetched")
    for key in ("js-buffer", "js-stream"):
        body = t.direct.get_object(Bucket=t.bucket, Key=key)["Body"].read()
        equal(hashlib.sha256(body).hexdigest(), answer["sent"], f"stored {key}")


def restic(t, *words):
    env = {**t.env(), "RESTIC_PASSWORD": "p", "RESTIC_CACHE_DIR": str(t.scratch / "cache"),
           "RESTIC_REPOSITORY": f"s3:{t.url}/{t.bucket}/restic"}
    options = ["-q", "-o", "s3.bucket-lookup=path", "-o", f"s3.region={REGION}"]
    t.tools.run(["restic", *options, *words], env)


@s3("restic backs up and restores in signed chunks")
def restic_restores(t):
    source, back = t.scratch / "source", t.scratch / "restored"
    source.mkdir()
    (source / "file").write_bytes(noise(12 * MIB))
    restic(t, "init")
    restic(t, "backup", source)
    restic(t, "restore", "latest", "--target", back)
    restored = back / str(source).lstrip("/") / "file"
    same(restored.read_bytes(), noise(12 * MIB), "restored")


@s3("restic reads its repository back", s3s="its listing misses files in folders")
def restic_checks(t):
    restic(t, "check", "--read-data")
