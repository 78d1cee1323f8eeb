"""The binary under test: its configuration, its processes, the lines they print."""

import json
import pathlib
import re
import subprocess
import threading
import time

from servers import REGION, clean_env
from sigv4 import Keys

LISTENING = re.compile(r"listening on http://(\S+)")


class Home:
    """A home directory of its own: AWS files, configuration, data."""

    def __init__(self, scratch, name, profiles, aws_config="", config=""):
        self.path = scratch / f"home-{name}"
        self.path.mkdir()
        (self.path / "credentials").write_text(
            "".join(f"[{name}]\n{_lines(values)}\n" for name, values in profiles.items()))
        sections = "".join(
            f"[{'default' if name == 'default' else f'profile {name}'}]\nregion = {REGION}\n\n"
            for name in profiles)
        (self.path / "aws-config").write_text(sections + aws_config)
        for directory in ("config/sigscope", "data", "state", "cache"):
            (self.path / directory).mkdir(parents=True)
        (self.path / "config/sigscope/config.toml").write_text(config)

    def env(self, **more):
        return clean_env(
            HOME=str(self.path), AWS_CONFIG_FILE=str(self.path / "aws-config"),
            AWS_SHARED_CREDENTIALS_FILE=str(self.path / "credentials"),
            XDG_CONFIG_HOME=str(self.path / "config"), XDG_DATA_HOME=str(self.path / "data"),
            XDG_STATE_HOME=str(self.path / "state"), XDG_CACHE_HOME=str(self.path / "cache"),
            **more)


def _lines(values):
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def static(keys: Keys):
    values = {"aws_access_key_id": keys.id, "aws_secret_access_key": keys.secret}
    return {**values, "aws_session_token": keys.token} if keys.token else values


class Sigscope:
    """`sigscope proxy --format jsonl` on a port of its own."""

    def __init__(self, binary, home, name, *options, listen="127.0.0.1:0", session=True):
        self.binary, self.home = pathlib.Path(binary), home
        self.lines_path = home.path / f"{name}.jsonl"
        self.session = home.path / f"{name}.session"
        self.stderr_path = home.path / f"{name}.stderr"
        command = [str(binary), "proxy", "--listen", listen, "--format", "jsonl",
                   *(["--session", str(self.session)] if session else []), *options]
        with open(self.lines_path, "wb") as lines:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=lines, stderr=subprocess.PIPE,
                env=home.env())
        self._ready, self.address = threading.Event(), None
        threading.Thread(target=self._read_stderr, daemon=True).start()
        if not self._ready.wait(20):
            self.stop()
            raise RuntimeError(f"not listening: {self.stderr_path.read_text()[-800:]}")
        self.url = f"http://{self.address}"

    def _read_stderr(self):
        with open(self.stderr_path, "ab", buffering=0) as log:
            for line in self.process.stderr:
                log.write(line)
                found = LISTENING.search(line.decode(errors="replace"))
                if found and not self.address:
                    self.address = found[1]
                    self._ready.set()

    def lane(self, profile) -> Keys:
        """The throw-away keys bound to a profile, as `sigscope env` hands them out."""
        done = subprocess.run(
            [str(self.binary), "env", "--as", profile, "--shell", "json"],
            env=self.home.env(), capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise AssertionError(f"sigscope env exited {done.returncode}: {done.stderr[-500:]}")
        return Keys(*(find(json.loads(done.stdout), name)
                      for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")))

    def mark(self) -> int:
        """Where the lines end now."""
        return self.lines_path.stat().st_size

    def lines(self, since=0):
        with open(self.lines_path, "rb") as file:
            file.seek(since)
            text = file.read()
        return [json.loads(line) for line in text.splitlines(keepends=True)
                if line.endswith(b"\n")]

    def wait_for(self, wanted, since=0, seconds=10, what="such an exchange"):
        """The first line for which `wanted` holds."""
        deadline = time.monotonic() + seconds
        while True:
            lines = self.lines(since)
            for line in lines:
                if wanted(line):
                    return line
            if time.monotonic() > deadline:
                seen = [summary(line) for line in lines[-5:]]
                raise AssertionError(f"no line of {what}; the last are {seen}")
            time.sleep(0.02)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def find(value, name):
    """A key's value anywhere in nested JSON, or in a list of {name, value}."""
    if isinstance(value, dict):
        if isinstance(value.get(name), str):
            return value[name]
        if value.get("name") == name:
            return value.get("value")
        value = list(value.values())
    if isinstance(value, list):
        return next((hit for item in value if (hit := find(item, name))), None)
    return None


def summary(line):
    """One exchange in a few words, for messages."""
    route, reply, client = line["route"] or {}, line["reply"] or {}, line["client"]
    fault = line["fault"] and line["fault"]["kind"]
    return (f"#{line['id']} {route.get('service')}.{route.get('operation')} "
            f"{reply.get('status')} signature={client['signature']} fault={fault}")
