"""What the measurements stand on: nginx, a sink, wrk, sigscope and its terminal."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import shutil
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from typing import NamedTuple

REPO = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "tests" / "clients"))

from proxy import Home, Sigscope, static  # noqa: E402
from servers import REGION, S3_KEYS, free_port  # noqa: E402

NGINX = """
daemon off; worker_processes 1; pid {root}/{name}.pid; error_log {root}/{name}.err error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 0;
  client_body_temp_path {root}/{name}.body; proxy_temp_path {root}/{name}.proxy;
  fastcgi_temp_path {root}/{name}.f; uwsgi_temp_path {root}/{name}.u; scgi_temp_path {root}/{name}.s;
  {http}
}}
"""
SMALL = """
  server {{ listen 127.0.0.1:{port} backlog=1024; default_type application/json;
    location / {{ return 200 '{{"Account":"123456789012","UserId":"AIDACKCEVSQ6C2EXAMPLE"}}'; }} }}
"""
FRONT = """
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=1024;
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_buffering on; }} }}
"""


class Rig:
    """Processes of one run in a directory of its own; all end with it."""

    def __init__(self, binary, scratch):
        self.binary, self.scratch = binary, scratch
        self.home = Home(scratch, "bench", {"bench": static(S3_KEYS)})
        self.stack = contextlib.ExitStack()
        self._started = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def child(self, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        return process

    def nginx(self, name, text, **values):
        port = free_port()
        config = self.scratch / f"{name}.conf"
        http = text.format(port=port, **values)
        config.write_text(NGINX.format(root=self.scratch, name=name, http=http))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.child([nginx, "-p", str(self.scratch), "-c", str(config)])
        await_port(port)
        return port

    def small_upstream(self):
        return self.nginx("small", SMALL)

    def front(self, upstream):
        return self.nginx(f"front-{upstream}", FRONT, upstream=upstream)

    def sink(self):
        port = free_port()
        self.child([sys.executable, str(REPO / "benches" / "sink.py"), str(port)])
        await_port(port)
        return port

    def options(self, upstream):
        return ["--profile", "bench", "--region", REGION,
                "--endpoint-url", f"http://127.0.0.1:{upstream}"]

    def proxy(self, upstream, session=False):
        """Headless, lines into a file."""
        self._started += 1
        proxy = Sigscope(self.binary, self.home, f"proxy-{self._started}",
                         *self.options(upstream), session=session)
        self.stack.callback(proxy.stop)
        return proxy

    def screen(self, *words):
        screen = Screen([str(self.binary), *words], self.home.env(TERM="xterm-256color"))
        self.stack.callback(screen.stop)
        return screen


class Screen:
    """The binary on a pseudo-terminal of 120×36 whose output is read and thrown away."""

    def __init__(self, command, env, rows=36, columns=120):
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started, self.first_frame = time.monotonic(), None
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other,
                                        env=env, start_new_session=True, close_fds=True)
        self.pid = self.process.pid
        os.close(other)
        self._main, self._frame = main, threading.Event()
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        with contextlib.suppress(OSError):
            while data := os.read(self._main, 1 << 16):
                if b"\x1b[6n" in data:  # where is the cursor? as a terminal answers
                    os.write(self._main, b"\x1b[1;1R")
                # The first box-drawing character: a frame and not a probe of the terminal.
                if self.first_frame is None and b"\xe2\x94" in data:
                    self.first_frame = time.monotonic() - self.started
                    self._frame.set()

    def await_frame(self, seconds=20):
        if not self._frame.wait(seconds):
            raise RuntimeError("no frame")
        return self.first_frame

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()


def await_port(port, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class Load(NamedTuple):
    rate: float
    p50: float  # microseconds
    p99: float
    requests: int
    wrong: int  # replies other than 2xx and 3xx, and socket errors


UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}


def wrk(url, connections, seconds, headers=(), script=None):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    for name, value in headers:
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(script)] if script else []
    text = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout

    def number(pattern):
        found = re.search(pattern, text)
        return float(found[1]) if found else 0.0

    def at(percent):
        found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", text)
        return float(found[1]) * UNITS[found[2]]

    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    wrong = int(number(r"Non-2xx or 3xx responses: (\d+)"))
    wrong += sum(map(int, errors.groups())) if errors else 0
    return Load(number(r"Requests/sec:\s+([\d.]+)"), at(50), at(99),
                int(number(r"(\d+) requests in")), wrong)


def memory(pid, field="VmRSS"):
    """MiB of a field of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", text)[1]) / 1024


def reset_peak(pid):
    """Makes VmHWM start again from what is resident now."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


