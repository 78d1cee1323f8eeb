"""The servers that judge signatures: moto, s3s-fs and SeaweedFS, on free loopback ports."""

import json
import os
import socket
import subprocess
import time
import urllib.request

from sigv4 import Keys

REGION = "us-west-2"
S3_KEYS = Keys("AKIACLIENTSS3SERVER0", "S3serverSecretCanary/4f1d9c0b7a+XyZ8")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def clean_env(**more):
    """The environment without what would steer a client elsewhere."""
    drop = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SIGSCOPE_")
    env = {k: v for k, v in os.environ.items() if not k.upper().startswith(drop)}
    return {**env, "AWS_EC2_METADATA_DISABLED": "true", **more}


class Server:
    """A child process that listens; killed with the run."""

    def __init__(self, name, command, port, cwd, env=None, wait=60):
        self.name, self.address = name, f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"
        self.log = cwd / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=cwd, env=env or clean_env(),
            )
        deadline = time.monotonic() + wait
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"{name} did not start:\n{self.tail()}") from None
                time.sleep(0.05)

    def tail(self, size=2000):
        return self.log.read_text(errors="replace")[-size:]

    def stop(self):
        self.process.kill()
        self.process.wait()


def s3s(tools, scratch):
    root = scratch / "s3s-data"
    root.mkdir()
    port = free_port()
    command = [
        tools.s3s, "--host", "127.0.0.1", "--port", port,
        "--access-key", S3_KEYS.id, "--secret-key", S3_KEYS.secret, root,
    ]
    return Server("s3s-fs", command, port, scratch, clean_env(RUST_LOG="error"))


def seaweed(tools, scratch):
    root = scratch / "weed-data"
    root.mkdir()
    identity = {
        "name": "operator",
        "credentials": [{"accessKey": S3_KEYS.id, "secretKey": S3_KEYS.secret}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    config = scratch / "weed-s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    port = free_port()
    ports = [
        f"-{part}={free_port()}"
        for part in (
            "master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
            "filer.port", "filer.port.grpc", "s3.port.grpc",
        )
    ]
    command = [
        tools.bin("weed"), "-logtostderr=true", "server", "-s3", f"-dir={root}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
        "-master.volumeSizeLimitMB=512", "-volume.max=32",
        f"-s3.port={port}", f"-s3.config={config}", "-s3.port.iceberg=0",
        "-s3.port.lance=0", *ports,
    ]
    server = Server("seaweedfs", command, port, scratch)
    _wait_for_bucket(tools, server)
    return server


def _wait_for_bucket(tools, server):
    """The port opens before master and volumes have found each other."""
    client = tools.boto("s3", server.url, S3_KEYS)
    deadline = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket="warm")
            client.put_object(Bucket="warm", Key="up", Body=b"x")
            return
        except Exception as error:  # whatever it says until it is ready
            if time.monotonic() > deadline:
                raise RuntimeError(f"seaweedfs is not ready: {error}") from None
            time.sleep(0.2)


ALLOW_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ALLOW_STS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    ],
}
STORED = "stored-Canary/of=prod+db#7Qm2"
ROLE_ARN = "arn:aws:iam::123456789012:role/deployer"


class Moto(Server):
    """moto with users, a role and a secret, then enforcement switched on.

    `operator` may do everything, `reader` only sts:*.
    """

    def __init__(self, tools, scratch):
        port = free_port()
        super().__init__("moto", [tools.bin("moto_server"), "-H", "127.0.0.1", "-p", port],
                         port, scratch, clean_env(MOTO_IAM_LOAD_MANAGED_POLICIES="false"))
        seed = Keys("AKIASEEDSEEDSEEDSEED", "seed")
        iam = tools.boto("iam", self.url, seed, "us-east-1")
        self.operator = self._user(iam, "operator", ALLOW_ALL)
        self.reader = self._user(iam, "reader", ALLOW_STS)
        iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName="deployer", PolicyName="all",
                            PolicyDocument=json.dumps(ALLOW_ALL))
        tools.boto("secretsmanager", self.url, seed, REGION).create_secret(
            Name="prod/db", SecretString=STORED)
        self._enforce()

    def _user(self, iam, name, policy):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    def _enforce(self):
        request = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
