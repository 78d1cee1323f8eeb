"""Says what botocore makes of profiles, without network.

stdin: a JSON list of {profile, env}; stdout: a JSON list of answers in that order.
"""

import json
import os
import sys

import botocore.credentials as c
import botocore.session

roles = []
sources = []


class Fetcher:
    def __init__(self, client_creator, source_credentials, role_arn, **_):
        roles.append(role_arn)
        sources.append(source_credentials)
        self.feature_ids = set()

    def fetch_credentials(self):
        raise AssertionError("no network here")


def fake(method):
    return lambda *_, **__: c.Credentials("x", "y", method=method)


def login(self):
    config = self._load_config()["profiles"].get(self._profile_name, {})
    return fake("login")() if "login_session" in config else None


c.AssumeRoleCredentialFetcher = Fetcher
c.ProcessProvider._retrieve_credentials_using = lambda *_: {
    "access_key": "x",
    "secret_key": "y",
}
c.ContainerProvider._retrieve_or_fail = fake("container-role")
c.InstanceMetadataProvider.load = lambda self: (
    None if "AWS_EC2_METADATA_DISABLED" in os.environ else fake("iam-role")()
)
c.LoginProvider.load = login

NAMES = {
    "env": "static keys",
    "shared-credentials-file": "static keys",
    "config-file": "static keys",
    "custom-process": "process",
    "assume-role-with-web-identity": "web-identity",
    "container-role": "container",
    "iam-role": "imds",
}


def answer(profile, env):
    roles.clear()
    sources.clear()
    os.environ.clear()
    os.environ.update(env)
    session = botocore.session.Session(profile=profile)
    try:
        found = session.get_credentials()
    except Exception:
        return {"base": None}
    if found is None:
        return {"base": None}
    base = sources[0] if sources else found
    client = session.create_client("sts", region_name="us-east-1")
    url = client.meta.endpoint_url
    return {
        "base": NAMES.get(base.method, base.method),
        "roles": list(roles),
        "region": session.get_config_variable("region") or None,
        "sts": None if "amazonaws.com" in url else url,
        "key": found.access_key
        if found.method in ("shared-credentials-file", "config-file")
        else None,
    }


print(json.dumps([answer(**ask) for ask in json.load(sys.stdin)]))
