#!/usr/bin/env python3
"""Real clients, signing with throw-away keys, through the sigscope binary to real servers
that check signatures: boto3, the AWS CLI, the JavaScript SDK, curl, restic and raw sockets
against moto, s3s-fs and SeaweedFS, then against a server that misbehaves.

The tools are installed into target/clients (or $SIGSCOPE_CLIENTS_DIR). Prints a line a
case, and `N passed, M failed` at the end; exits 1 if any failed.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile

import install


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/clients/run", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, metavar="PATH",
                        help="default: the newer of target/{release,debug}/sigscope")
    parser.add_argument("--only", action="append", metavar="PATTERN",
                        help="cases whose name matches *PATTERN* (repeatable)")
    parser.add_argument("--direct", action="store_true",
                        help="the S3 cases without sigscope: what the servers themselves pass")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--install", action="store_true",
                        help="install the tools, print the venv's Python, and stop")
    parser.add_argument("--keep", action="store_true", help="keep the run's files")
    parser.add_argument("--verbose", action="store_true", help="tracebacks of failures")
    return parser.parse_args()


def newest_binary():
    found = [path for kind in ("release", "debug")
             if (path := install.REPO / "target" / kind / "sigscope").exists()]
    if not found:
        sys.exit("no target/{release,debug}/sigscope: build it, or give --binary")
    return max(found, key=lambda path: path.stat().st_mtime)


def main():
    options = arguments()
    root = install.everything()
    python = root / "venv" / "bin" / "python"
    if options.install:
        print(python)
        return 0
    if pathlib.Path(sys.prefix) != root / "venv":
        sys.stdout.flush()
        os.execv(python, [str(python), *sys.argv])
    import suite

    if options.list:
        return suite.listing()
    binary = None if options.direct else (options.binary or newest_binary()).resolve()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=root))
    try:
        return suite.run(root, scratch, binary, options)
    finally:
        if options.keep:
            print(f"kept: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
