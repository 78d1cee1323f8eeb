"""Where the installed clients are, and how each is called."""

import json
import pathlib
import subprocess

from servers import REGION, clean_env


class Tools:
    def __init__(self, root: pathlib.Path):
        self.root = root
        self.s3s = root / "cargo" / "bin" / "s3s-fs"

    def bin(self, name):
        return self.root / "venv" / "bin" / name

    def boto(self, service, url, keys, region=REGION, **config):
        """A boto3 client that does not retry: the first answer is what is judged."""
        import boto3
        from botocore.config import Config

        if service == "s3":
            config.setdefault("s3", {"addressing_style": "path"})
            config.setdefault("signature_version", "s3v4")
        settings = Config(retries={"total_max_attempts": 1}, connect_timeout=10,
                          read_timeout=120, proxies={}, max_pool_connections=64, **config)
        session = boto3.Session(aws_access_key_id=keys.id, aws_secret_access_key=keys.secret,
                                aws_session_token=keys.token, region_name=region)
        return session.client(service, endpoint_url=url, config=settings)

    def env(self, url, keys, region=REGION, **more):
        """What a client program needs to sign with `keys` and call `url`."""
        token = {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
        return clean_env(
            AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID=keys.id, AWS_REGION=region,
            AWS_SECRET_ACCESS_KEY=keys.secret, AWS_DEFAULT_REGION=region,
            AWS_MAX_ATTEMPTS="1", AWS_CONFIG_FILE="/dev/null",
            AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_PAGER="", **token, **more)

    def run(self, command, env, **options):
        """stdout of a program that must succeed."""
        done = self.attempt(command, env, **options)
        if done.returncode != 0:
            raise AssertionError(
                f"{pathlib.Path(command[0]).name} exited {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()[-600:]}")
        return done.stdout

    def attempt(self, command, env, **options):
        return subprocess.run(
            [str(part) for part in command], env=env, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=180, check=False, **options)

    def aws(self, *words, env):
        return self.run([self.bin("python"), self.bin("aws"), *words], env)

    def curl(self, *words):
        return self.run(["curl", "-sS", "--noproxy", "*", *words], clean_env())

    def js(self, script, env, *words):
        """The JSON that one of `js/*.mjs` prints."""
        return json.loads(self.run(["node", self.root / "js" / script, *words], env))
