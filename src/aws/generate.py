#!/usr/bin/env python3
"""Writes the catalogue's data files from an installed botocore.

    python3 src/aws/generate.py                 writes src/aws/data/{partitions,services,operations}.tsv
    python3 src/aws/generate.py --check         exits 1 if the files there differ from what it would write

Needs nothing but botocore, whose package data (service models, endpoint rule sets, partitions)
is the source of every fact; hosts come out of botocore's own rule engine. Two small inputs are
reviewed by hand and say why each line stands there: data/reviewed/reads.tsv and
data/reviewed/iam.tsv. The output is deterministic. Columns are explained in each file's head.
"""

import gzip
import json
import os
import re
import sys
from collections import Counter, defaultdict

import botocore
from botocore.endpoint_provider import EndpointProvider

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
ROOT = os.path.join(os.path.dirname(botocore.__file__), "data")
SOURCE = f"# botocore {botocore.__version__} (package data); written by generate.py, not by hand\n"

# A host without a rule of its own is made from these; {p} is the endpoint prefix, {r} the region,
# {s} the partition's DNS suffix, {d} its dual-stack one, {g} the partition's implicit global region.
USUAL = {"p": "{p}.{r}.{s}", "f": "{p}-fips.{r}.{s}", "d": "{p}.{r}.{d}", "b": "{p}-fips.{r}.{d}"}
FLAVOURS = {"p": (False, False), "f": (True, False), "d": (False, True), "b": (True, True)}

# Verbs whose operations read, when the model has no `readonly` trait for the service.
READING = (
    "Get List Describe Head BatchGet BatchDescribe Query Scan Search Lookup BatchLookup Find View Preview Estimate "
    "Validate Check Count Simulate Filter Is"
).split()


def load(path):
    for name in (path, path + ".gz"):
        if os.path.exists(name):
            with gzip.open(name) if name.endswith("gz") else open(name, "rb") as file:
                return json.load(file)
    return None


def reviewed(name):
    """service -> operation -> value, from a reviewed file of service, operation, value, why."""
    table = defaultdict(dict)
    with open(os.path.join(HERE, "reviewed", name)) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                service, operation, value, *_ = line.rstrip("\n").split("\t")
                table[service][operation] = value
    return table


PARTITIONS = load(f"{ROOT}/partitions.json")
LEGACY = load(f"{ROOT}/endpoints.json")
REGIONS = [(region, part) for part in PARTITIONS["partitions"] for region in part["regions"]]
PARTITION_OF = {region: part for region, part in REGIONS}
SUFFIXES = sorted(
    {(part["outputs"][key], mark) for part in PARTITIONS["partitions"] for key, mark in (("dnsSuffix", "{s}"), ("dualStackDnsSuffix", "{d}"))},
    key=lambda pair: -len(pair[0]),
)


# --- hosts ---------------------------------------------------------------------------------------


def mark_suffix(host):
    for suffix, mark in SUFFIXES:
        if host.endswith("." + suffix):
            return host[: -len(suffix)] + mark
    return host


def mark_prefix(host, prefix):
    return re.sub(r"^" + re.escape(prefix) + r"(?=[.-])", "{p}", host)


def resolve_all(rules, prefix):
    """(flavour, region) -> (host template, fixed signing region or '')."""
    provider, names, found = EndpointProvider(rules, PARTITIONS), set(rules["parameters"]), {}
    for flavour, (fips, dual) in FLAVOURS.items():
        raw = {}
        for region, _ in REGIONS:
            given = {"Region": region, "UseFIPS": fips, "UseDualStack": dual}
            try:
                endpoint = provider.resolve_endpoint(**{k: v for k, v in given.items() if k in names})
            except Exception:
                continue
            schemes = (endpoint.properties or {}).get("authSchemes") or [{}]
            host = re.sub(r"^https?://", "", endpoint.url).split("/")[0]
            if "localhost" not in host:
                raw[region] = (host, schemes[0].get("signingRegion") or "")
        for part in PARTITIONS["partitions"]:
            mine = {region: raw[region] for region in part["regions"] if region in raw}
            fixed = len(mine) > 1 and len({host for host, _ in mine.values()}) == 1
            for region, (host, signing) in mine.items():
                home = part["outputs"]["implicitGlobalRegion"]
                place, mark = (home, "{g}") if fixed else (region, "{r}")
                host = re.sub(r"(?<![\w-])" + re.escape(place) + r"(?![\w-])", mark, host)
                if fixed:
                    signing = "{g}" if signing == home else signing
                else:
                    signing = "" if signing == region else signing
                found[flavour, region] = (mark_prefix(mark_suffix(host), prefix), signing)
    return found


def compress(found):
    """The fewest `flavour[@partition|@region]=template[#region]` entries that say the same."""
    entries = []

    def write(flavour, where, value):
        entries.append(f"{flavour}{where}={value[0]}" + (f"#{value[1]}" if value[1] else ""))

    for flavour in FLAVOURS:
        mine = {region: value for (f, region), value in found.items() if f == flavour}
        if not mine:
            continue
        usual = Counter(mine.values()).most_common(1)[0][0]
        if usual != (USUAL[flavour], ""):
            write(flavour, "", usual)
        for part in PARTITIONS["partitions"]:
            here = {region: mine[region] for region in part["regions"] if region in mine}
            if not here:
                continue
            common = Counter(sorted(here.values())).most_common(1)[0][0]
            if common != usual:
                write(flavour, "@" + part["id"], common)
            for region in sorted(here):
                if here[region] != common:
                    write(flavour, "@" + region, here[region])
    return entries


def rule_set_urls(node):
    if isinstance(node, dict):
        if node.get("type") == "endpoint":
            url = node["endpoint"].get("url")
            schemes = (node["endpoint"].get("properties") or {}).get("authSchemes") or [{}]
            if isinstance(url, str) and url.startswith("https://"):
                yield url[len("https://") :].split("/")[0], schemes[0].get("signingRegion") or ""
        for value in node.values():
            yield from rule_set_urls(value)
    elif isinstance(node, list):
        for value in node:
            yield from rule_set_urls(value)


def other_hosts(rules, prefix, known):
    """Hosts that no plain region leads to: further branches of the rule set, older names."""
    said = {value for value, _ in known.values()} | set(USUAL.values())
    hosts = set()
    for host, signing in rule_set_urls(rules or {}):
        host = re.sub(r"\{(Region|PartitionResult#implicitGlobalRegion)\}", "{r}", host)
        host = re.sub(r"\{[pP]artitionResult#dnsSuffix\}", "{s}", host)
        host = re.sub(r"\{[pP]artitionResult#dualStackDnsSuffix\}", "{d}", host)
        hosts.add((mark_prefix(mark_suffix(host), prefix), "" if "{" in signing else signing))
    for part in LEGACY["partitions"]:
        for region, endpoint in part["services"].get(prefix, {}).get("endpoints", {}).items():
            for made in [endpoint] + endpoint.get("variants", []):
                for host in [made.get("hostname"), made.get("sslCommonName")]:
                    foreign = host and any(host.startswith((p + ".", p + "-fips.")) for p in ENDPOINT_PREFIXES - {prefix})
                    if host and not foreign:  # some services' hosts are listed under another's name
                        signing = endpoint.get("credentialScope", {}).get("region") or (region if region in PARTITION_OF else "")
                        plain = re.sub(r"(?<![\w-])" + re.escape(signing or region) + r"(?![\w-])", "{r}", host.replace("{region}", "{r}"))
                        plain = plain.replace("{service}", prefix).replace("{dnsSuffix}", "{s}")
                        hosts.add((mark_prefix(mark_suffix(plain), prefix), "" if "{r}" in plain else signing))
        default = part["services"].get(prefix, {}).get("defaults", {})
        for key in ("hostname", "sslCommonName"):
            if default.get(key):
                host = default[key].replace("{region}", "{r}").replace("{dnsSuffix}", "{s}").replace("{service}", "{p}")
                hosts.add((mark_prefix(host, prefix), ""))
    usable = re.compile(r"^[^{}]*(\{p\})?[^{}]*(\{r\})?[^{}]*(\{[sd]\})?$")
    entries = []
    for host, signing in sorted(hosts):
        literal_region = re.sub(r"\.(" + "|".join(map(re.escape, PARTITION_OF)) + r")\.", ".{r}.", host)
        if usable.match(host) and host not in said and literal_region not in said and "." in host:
            entries.append(f"o={host}" + (f"#{signing}" if signing else ""))
    return entries


# --- services and operations ---------------------------------------------------------------------


def protocols(metadata):
    short = {"smithy-rpc-v2-cbor": "cbor", "rest-json": "restjson", "rest-xml": "restxml"}
    spoken = metadata.get("protocols") or [metadata["protocol"]]
    spoken = [metadata["protocol"]] + [name for name in spoken if name != metadata["protocol"]]
    if "awsQueryCompatible" in metadata and "query" not in spoken:
        spoken = spoken + ["query"]
    json_name = "json10" if metadata.get("jsonVersion") == "1.0" else "json11"
    return ",".join(json_name if name == "json" else short.get(name, name) for name in spoken)


def pick(table, name):
    """What a reviewed table says of an operation: its own line, else one that ends in `*`."""
    if name in table:
        return table[name]
    return next((value for key, value in table.items() if key.endswith("*") and name.startswith(key[:-1])), "")


def reads(name, operation, exceptions):
    said = pick(exceptions, name)
    if said:
        return said == "reads"
    if operation.get("readonly"):
        return True
    return any(re.match(verb + r"(?![a-z])", name) for verb in READING)


def event_streams(operation, shapes):
    flags = ""
    for side, flag in (("input", "i"), ("output", "o")):
        members = shapes[operation[side]["shape"]].get("members", {}) if side in operation else {}
        if any(member.get("eventstream") or shapes[member["shape"]].get("eventstream") for member in members.values()):
            flags += flag
    return flags


def required(operation, shapes):
    """Query names and the copy-source header without which the operation cannot be sent."""
    shape = shapes[operation["input"]["shape"]] if "input" in operation else {}
    query, copy = [], False
    for member in shape.get("required", []):
        bound = shape["members"][member]
        if bound.get("location") == "querystring":
            query.append(bound["locationName"])
        copy = copy or (bound.get("location") == "header" and bound.get("locationName") == "x-amz-copy-source")
    return sorted(query), copy


def path_shape(operation):
    path = operation["http"]["requestUri"].split("?")[0]
    return operation["http"]["method"], re.sub(r"\{[^}+]*(\+?)\}", r"{\1}", path).rstrip("/")


def operation_lines(name, model, rest):
    lines, exceptions, actions = [], reviewed_reads[name], reviewed_iam[name]
    shared = Counter(path_shape(operation) for operation in model["operations"].values())
    alive = {operation["http"]["requestUri"] + operation["http"]["method"] for operation in model["operations"].values() if not operation.get("deprecated")}
    for op, operation in sorted(model["operations"].items()):
        flags = "r" if reads(op, operation, exceptions) else ""
        if operation.get("authtype") == "none" or operation.get("auth") == ["smithy.api#noAuth"]:
            flags += "n"
        if operation.get("authtype") == "v4-unsigned-body" or operation.get("unsignedPayload"):
            flags += "u"
        flags += event_streams(operation, model["shapes"])
        if rest and operation.get("deprecated") and operation["http"]["requestUri"] + operation["http"]["method"] in alive:
            flags += "d"
        uri = ""
        if rest:
            uri = operation["http"]["method"] + " " + re.sub(r"\{[^}+]*(\+?)\}", r"{\1}", operation["http"]["requestUri"])
            if shared[path_shape(operation)] > 1:
                query, copy = required(operation, model["shapes"])
                literal = {part.split("=")[0] for part in uri.partition("?")[2].split("&")}
                for key in query:
                    if key not in literal:
                        uri += ("&" if "?" in uri else "?") + key + "=*"
                uri += " copy" if copy else ""
        prefix = operation.get("endpoint", {}).get("hostPrefix", "")
        action = pick(actions, op).replace("{METHOD}", operation["http"]["method"])
        columns = [op, flags, uri, prefix, action]
        lines.append("\t".join(columns).rstrip("\t"))
    return lines


def signing_names(metadata, rules):
    """The service's own first, then those that branches of its rule set ask for."""
    own = metadata.get("signingName") or metadata["endpointPrefix"]
    others = set(re.findall(r'"signingName": "([^"{}]+)"', json.dumps(rules or {})))
    return [own] + sorted(others - {own})


def latest(directory):
    path = f"{ROOT}/{directory}"
    versions = sorted(v for v in os.listdir(path)) if os.path.isdir(path) else []
    versions = [v for v in versions if any(n.startswith("service-2.json") for n in os.listdir(f"{path}/{v}"))]
    return f"{path}/{versions[-1]}" if versions else None


def service_line(name, folder, model):
    metadata = model["metadata"]
    prefix = metadata["endpointPrefix"]
    rules = load(f"{folder}/endpoint-rule-set-1.json")
    found = resolve_all(rules, prefix) if rules else {}
    hosts = compress(found) + other_hosts(rules, prefix, found)
    text = json.dumps(rules or {})
    flags = ("a" if '"sigv4a"' in text else "") + ("q" if "awsQueryCompatible" in metadata else "")
    flags += "" if metadata["signatureVersion"] != "bearer" else "b"
    prefixes = sorted({op["endpoint"]["hostPrefix"] for op in model["operations"].values() if op.get("endpoint", {}).get("hostPrefix")})
    return "\t".join(
        [
            name,
            metadata["serviceId"],
            prefix,
            ",".join(signing_names(metadata, rules)),
            protocols(metadata),
            metadata["apiVersion"],
            metadata.get("targetPrefix", ""),
            (metadata.get("xmlNamespace") or ""),
            reviewed_iam["*"].get(name, ""),
            flags,
            " ".join(prefixes),
            " ".join(hosts),
        ]
    )


def partition_lines():
    for part in PARTITIONS["partitions"]:
        outputs = part["outputs"]
        match = re.match(r"^\^\(?([\w|]+)\)?((?:\\-\(?\w+\)?)*)\\-\\w\+\\-\\d\+\$$", part["regionRegex"])
        middle = re.sub(r"[\\()]", "", match.group(2))
        regions = [region + middle for region in match.group(1).split("|")]
        real = sorted(r for r in part["regions"] if not r.endswith("global"))
        pseudo = "".join(r for r in part["regions"] if r.endswith("global"))
        yield "\t".join(
            [part["id"], outputs["dnsSuffix"], outputs["dualStackDnsSuffix"], outputs["implicitGlobalRegion"], pseudo, " ".join(regions), " ".join(real)]
        )


HEADS = {
    "partitions.tsv": "# partition, DNS suffix, dual-stack suffix, implicit global region, pseudo region, how its regions begin, regions\n",
    "services.tsv": "# name, service id, endpoint prefix, signing names, protocols (first is preferred), API version, target prefix,\n"
    "# XML namespace, IAM prefix if it is not the signing name, flags (a: SigV4a, q: awsQueryCompatible, b: bearer),\n"
    "# host prefixes, hosts where they differ from " + " ".join(f"{k}={v}" for k, v in USUAL.items()) + "\n"
    "# (p plain, f FIPS, d dual-stack, b both, o others it answers to; @ where it holds, # region it is signed for)\n",
    "operations.tsv": "# @service, then its operations: name, flags (r: reads, n: no auth, u: unsigned payload, i/o: event stream in/out, d: an old name of another),\n"
    "# method and URI template of REST protocols ({}: label, {+}: greedy, name=*: must be there, copy: x-amz-copy-source),\n"
    "# host prefix, IAM action if it is not prefix:name\n",
}


def generate():
    services, operations = [], []
    for name, (folder, model) in MODELS.items():
        services.append(service_line(name, folder, model))
        rest = model["metadata"]["protocol"].startswith("rest")
        operations += ["@" + name] + operation_lines(name, model, rest)
    bodies = {"partitions.tsv": partition_lines(), "services.tsv": services, "operations.tsv": operations}
    return {file: SOURCE + HEADS[file] + "".join(line + "\n" for line in lines) for file, lines in bodies.items()}


MODELS = {name: (latest(name), load(latest(name) + "/service-2.json")) for name in sorted(os.listdir(ROOT)) if latest(name)}
ENDPOINT_PREFIXES = {model["metadata"]["endpointPrefix"] for _, model in MODELS.values()}
reviewed_reads, reviewed_iam = reviewed("reads.tsv"), reviewed("iam.tsv")

if __name__ == "__main__":
    differs = False
    for file, text in generate().items():
        path = os.path.join(HERE, file)
        if "--check" in sys.argv:
            differs |= not os.path.exists(path) or open(path).read() != text
        else:
            with open(path, "w") as out:
                out.write(text)
    sys.exit(1 if differs else 0)
