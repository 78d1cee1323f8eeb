"""The order of a run: servers up, S3 on both, AWS services on moto, the wire, the record."""

import contextlib

import cases_s3  # noqa: F401  (registers)
import cases_upload  # noqa: F401  (registers)
import servers
from harness import CASES, Tally
from proxy import Home, Sigscope, static
from target import Target
from tools import Tools

S3_SERVERS = (("s3s", servers.s3s), ("seaweedfs", servers.seaweed))


def listing():
    for item in CASES:
        excused = "".join(f"  [{name}: {why}]" for name, why in item.excused.items())
        print(f"{item.group}: {item.name}{excused}")
    return 0


def run(root, scratch, binary, options):
    tools, tally = Tools(root), Tally(options.only, options.verbose)
    with contextlib.ExitStack() as stack:
        for name, start in S3_SERVERS:
            s3_matrix(tools, tally, stack, scratch, binary, name, start)
    return tally.close()


def s3_matrix(tools, tally, stack, scratch, binary, name, start):
    cases = [item for item in CASES if item.group == "s3" and tally.wants(f"{name}: {item.name}")]
    if not cases:
        return
    server = start(tools, scratch)
    stack.callback(server.stop)
    direct = Target(tools, server, "direct")
    through = None
    if binary:
        home = Home(scratch, name, {"s3": static(servers.S3_KEYS)})
        proxy = Sigscope(binary, home, name, "--profile", "s3", "--region", servers.REGION,
                         "--endpoint-url", server.url)
        stack.callback(proxy.stop)
        through = Target(tools, server, "through", proxy.lane("s3"), proxy)
    for item in cases:
        tally.beside_direct(f"{name}: {item.name}", item.excused.get(name), item.run, direct, through)
