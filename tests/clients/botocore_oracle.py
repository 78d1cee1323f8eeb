"""Signs requests with botocore: JSON lines in, JSON lines out, in order.

In:  {"method", "url", "headers" [[name, value]...], "body_base64", "service", "region", "time",
      "access_key_id", "secret_access_key", "token" or null, "expires" or null}
Out: {"canonical_request", "string_to_sign", "signature", "url"}

`expires` asks for a presigned URL. `time` is yyyymmddThhmmssZ.
"""

import base64
import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

S3 = {"s3", "s3express", "s3-outposts", "s3-object-lambda"}


def signer(job):
    keys = Credentials(job["access_key_id"], job["secret_access_key"], job["token"])
    place = (keys, job["service"], job["region"])
    is_s3 = job["service"] in S3
    if job["expires"] is None:
        kind = botocore.auth.S3SigV4Auth if is_s3 else botocore.auth.SigV4Auth
        return kind(*place)
    kind = botocore.auth.S3SigV4QueryAuth if is_s3 else botocore.auth.SigV4QueryAuth
    return kind(*place, expires=job["expires"])


def sign(job):
    now = datetime.datetime.strptime(job["time"], "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda *_, **__: now
    request = AWSRequest(
        method=job["method"], url=job["url"], data=base64.b64decode(job["body_base64"])
    )
    for name, value in job["headers"]:
        request.headers.add_header(name, value)
    seen = {}
    auth = signer(job)
    canonical_request, string_to_sign = auth.canonical_request, auth.string_to_sign
    inject = auth._inject_signature_to_request

    def keep(name, value):
        seen[name] = value
        return value

    auth.canonical_request = lambda r: keep("canonical_request", canonical_request(r))
    auth.string_to_sign = lambda r, c: keep("string_to_sign", string_to_sign(r, c))
    auth._inject_signature_to_request = lambda r, s: inject(r, keep("signature", s))
    auth.add_auth(request)
    return {**seen, "url": request.url}


def main():
    for line in sys.stdin:
        print(json.dumps(sign(json.loads(line))))


if __name__ == "__main__":
    main()
