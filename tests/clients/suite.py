"""The order of a run: S3 on both servers, AWS services on moto, the wire, the record."""

import contextlib

import cases_aws
import cases_record  # noqa: F401  (registers)
import cases_s3  # noqa: F401  (registers)
import cases_upload  # noqa: F401  (registers)
import cases_wire
import lines
import servers
from harness import CASES, Tally
from misbehave import Misbehaving
from proxy import Home, Sigscope, static
from target import Target
from tools import Tools

S3_SERVERS = {"s3s": servers.s3s, "seaweedfs": servers.seaweed}
ROLE_PROFILES = f"""[profile deployer]
role_arn = {servers.ROLE_ARN}
source_profile = operator
role_session_name = by-profile
region = {servers.REGION}

[profile broken]
role_arn = {servers.ROLE_ARN}
source_profile = nobody
region = {servers.REGION}
"""


def listing():
    for item in CASES:
        excused = "".join(f"  [{name}: {why}]" for name, why in item.excused.items())
        print(f"{item.group}: {item.name}{excused}")
    return 0


class Suite:
    def __init__(self, root, scratch, binary, options):
        self.tools, self.tally = Tools(root), Tally(options.only, options.verbose)
        self.scratch, self.binary = scratch, binary
        # Everything that has been captured, and what must not be in it.
        self.proxies, self.secrets = [], {"stored secret": servers.STORED}

    def wanted(self, group, prefix=None):
        named = ((f"{prefix or group}: {c.name}", c) for c in CASES if c.group == group)
        return [(name, c) for name, c in named if self.tally.wants(name)]

    def start(self, stack, name, profiles, url, *options, home=None, **config):
        """sigscope before `url`; its record is kept for the checks at the end."""
        home = home or Home(self.scratch, name, {k: static(v) for k, v in profiles.items()},
                            **config)
        proxy = Sigscope(self.binary, home, name, "--profile", next(iter(profiles)),
                         "--region", servers.REGION, "--endpoint-url", url, *options)
        stack.callback(proxy.stop)
        self.proxies.append(proxy)
        self.secrets.update({f"secret of {name}": k.secret for name, k in profiles.items()})
        return proxy

    def group(self, name, build):
        """The cases of a group in the world that `build` makes for them."""
        wanted = self.wanted(name)
        if not wanted:
            return
        with contextlib.ExitStack() as stack:
            world, why = None, None
            try:
                world = build(stack)
            except Exception as error:
                why = f"could not start: {error}"
            for label, item in wanted:
                if why:
                    self.tally.report(label, why)
                else:
                    self.tally.check(label, item.run, world)

    def s3(self, name):
        wanted = self.wanted("s3", name)
        if not wanted:
            return
        with contextlib.ExitStack() as stack:
            server = S3_SERVERS[name](self.tools, self.scratch)
            stack.callback(server.stop)
            direct, through, why = Target(self.tools, server, "direct"), None, None
            if self.binary:
                try:
                    proxy = self.start(stack, name, {"s3": servers.S3_KEYS}, server.url)
                    through = Target(self.tools, server, "through", proxy.lane("s3"), proxy)
                except Exception as error:
                    why = f"could not start: {error}"
            for label, item in wanted:
                if why:
                    self.tally.report(label, why)
                else:
                    self.tally.beside_direct(label, item.excused.get(name), item.run,
                                             direct, through)

    def aws(self, stack):
        moto = servers.Moto(self.tools, self.scratch)
        stack.callback(moto.stop)
        profiles = {"operator": moto.operator, "reader": moto.reader}
        proxy = self.start(stack, "aws", profiles, moto.url, aws_config=ROLE_PROFILES)
        return cases_aws.World(self.tools, moto, proxy, self.secrets)

    def wire(self, stack):
        upstream = Misbehaving()
        stack.callback(upstream.stop)
        profiles = {"s3": servers.S3_KEYS}
        proxy = self.start(stack, "wire", profiles, upstream.url, config=cases_wire.CONFIG)
        nobody = self.start(stack, "nobody", profiles,
                            f"http://127.0.0.1:{servers.free_port()}", home=proxy.home)
        return cases_wire.Rig(upstream, proxy, nobody)


def run(root, scratch, binary, options):
    lines.self_check()
    suite = Suite(root, scratch, binary, options)
    for name in S3_SERVERS:
        suite.s3(name)
    if binary:
        suite.group("aws", suite.aws)
        suite.group("wire", suite.wire)
        suite.group("record", lambda _: suite)
    return suite.tally.close()
