"""Puts the clients and servers, in pinned versions, into a cache directory.

Runs on the system's Python before there is anything else. Warm, it only compares stamps.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
S3S_VERSION = "0.14.1"
# Debian package by the command that it brings.
DEBIAN = {"curl": "curl", "restic": "restic"}


def cache() -> pathlib.Path:
    path = os.environ.get("SIGSCOPE_CLIENTS_DIR", REPO / "target" / "clients")
    return pathlib.Path(path).resolve()


def run(*command, **options):
    words = [str(word) for word in command]
    print(f"install: {' '.join(words)}", file=sys.stderr, flush=True)
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)


def stamped(stamp: pathlib.Path, *inputs: pathlib.Path) -> bool:
    """Whether `stamp` says that exactly these inputs are installed."""
    return stamp.exists() and stamp.read_text() == digest(*inputs)


def digest(*inputs: pathlib.Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()


def debian(*packages):
    if os.geteuid() != 0:
        raise SystemExit(f"missing, install by hand: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-q", env=env)
    run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages, env=env)


def python(root):
    venv, wanted = root / "venv", HERE / "requirements.txt"
    stamp = venv / "installed"
    if stamped(stamp, wanted):
        return
    shutil.rmtree(venv, ignore_errors=True)
    try:
        run("python3", "-m", "venv", venv)
    except subprocess.CalledProcessError:
        debian("python3-venv")
        shutil.rmtree(venv, ignore_errors=True)
        run("python3", "-m", "venv", venv)
    run(venv / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "-r", wanted)
    stamp.write_text(digest(wanted))


def node(root):
    target, source = root / "js", HERE / "js"
    inputs = (source / "package.json", source / "package-lock.json")
    stamp = target / "installed"
    if not stamped(stamp, *inputs):
        target.mkdir(exist_ok=True)
        for path in inputs:
            shutil.copy(path, target)
        run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=target)
        stamp.write_text(digest(*inputs))
    # Modules are looked up beside the script that imports them.
    for script in source.glob("*.mjs"):
        shutil.copy(script, target)


def s3s_fs(root):
    binary = root / "cargo" / "bin" / "s3s-fs"
    installed = binary.exists() and subprocess.run(
        [binary, "--version"], capture_output=True, text=True, check=False).stdout
    if not installed or S3S_VERSION not in installed:
        run("cargo", "install", "s3s-fs", "--version", S3S_VERSION, "--locked",
            "--features", "binary", "--root", root / "cargo", cwd=root)


def everything() -> pathlib.Path:
    root = cache()
    root.mkdir(parents=True, exist_ok=True)
    missing = [package for command, package in DEBIAN.items() if not shutil.which(command)]
    if missing:
        debian(*missing)
    python(root)
    node(root)
    s3s_fs(root)
    return root
