# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""network.toml and a machine → the whole plan of a first `up`, with all values that it carries.

Cases are the files of examples/ and of tests/golden/desired/, each on its machine; NAME.txt is what comes out. After a
wanted change: V6NATIVE_GOLDEN=write writes them anew, and the diff is to be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path

import pytest

from v6native.config.facts import DefaultRoute, HostFacts, InterfaceFacts
from v6native.config.load import load
from v6native.desired import Desired, desired
from v6native.plan import diff
from v6native.plan.actions import Json
from v6native.plan.actual import Actual, FoundLink, LinkKind, interface_of
from v6native.system.fake import FakeHost

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "desired"


def _interface(name: str, *addresses: str, mtu: int = 1500, kind: str = "") -> InterfaceFacts:
    ipv4 = tuple(IPv4Interface(a) for a in addresses if ":" not in a)
    ipv6 = tuple(IPv6Interface(a) for a in addresses if ":" in a)
    return InterfaceFacts(name, mtu, kind=kind, ipv4=ipv4, ipv6=ipv6)


def _native(uplink: str, ra: bool = False) -> tuple[DefaultRoute, ...]:
    return (
        DefaultRoute(4, uplink, IPv4Address("192.0.2.254")),
        DefaultRoute(6, uplink, IPv6Address("fe80::1"), 1024, ra),
    )


RESOLVER = (IPv6Address("2001:db8:53::53"),)

MACHINES = {
    "examples/lab-edge1.toml": HostFacts(
        interfaces=(
            _interface("eth0", "192.0.2.1/24", "2001:db8:64:ff::1/64"),
            _interface("br0", "2001:db8:64:1::1/64", kind="bridge"),
        ),
        default_routes=_native("eth0"),
        rp_filter=0,
    ),
    "examples/one-address-vm.toml": HostFacts(
        interfaces=(_interface("eth0", "203.0.113.77/32", "2001:db8:1::1/64"),),
        default_routes=_native("eth0", ra=True),
        resolvers=RESOLVER,
    ),
    "examples/homelab.toml": HostFacts(
        interfaces=(
            _interface("wan0", "198.51.100.9/24", "2001:db8:0:ab00::2/64", mtu=1492),
            _interface("br0", "192.168.10.1/24", "2001:db8:0:ab01::1/64", kind="bridge"),
            _interface("br-iot", "2001:db8:0:ab02::1/64", kind="bridge"),
        ),
        default_routes=_native("wan0", ra=True),
    ),
    "tests/golden/desired/dedicated-pool.toml": HostFacts(
        interfaces=(
            _interface("eth0", "192.0.2.1/24", "2001:db8:64:ff::1/64"),
            _interface("lan0", "2001:db8:64:1::1/64", "2001:db8:99::1/64"),
        ),
        default_routes=_native("eth0"),
        resolvers=RESOLVER,
    ),
    "tests/golden/desired/no-ipv4-default.toml": HostFacts(
        interfaces=(_interface("eth0", "2001:db8:64:ff::1/64"),),
        default_routes=(DefaultRoute(6, "eth0", IPv6Address("fe80::1"), 1024, True),),
        resolvers=RESOLVER,
    ),
}


@pytest.mark.parametrize("case", MACHINES)
def test_the_plan_is_the_golden_one(case: str) -> None:
    golden = GOLDEN / f"{Path(case).stem}.txt"
    text = "\n".join(_told(ROOT / case, MACHINES[case])) + "\n"
    if os.environ.get("V6NATIVE_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def _told(file: Path, facts: HostFacts) -> Iterator[str]:
    config = load(file, None)
    wanted = desired(config, config.nodes[0].name, facts)
    yield from (f"finding {note.code}: {note}" for note in wanted.findings)
    for action in diff(wanted, _fresh(facts, wanted).observe(wanted)):
        document = action.as_json()
        yield f"{document['action']}: {document['text']}"
        if document["action"] in ("configure-data-plane", "configure-wire-guard"):
            yield from _tree(document["config" if "config" in document else "settings"], 1)
        elif document["action"] == "write-file":
            written = next(file for file in wanted.files if document["text"].endswith(file.name))
            yield from (f"    {line}" for line in written.text.splitlines())


def _fresh(facts: HostFacts, wanted: Desired) -> FakeHost:
    """A host that was installed a minute ago: every kernel setting has the kernel's own default."""
    links = {i.name: FoundLink(i.name, LinkKind.OTHER, i.mtu, up=True) for i in facts.interfaces}
    links["lo"] = FoundLink("lo", LinkKind.OTHER, 65536, up=True)
    own = {link.name for link in wanted.links}
    defaults = {"accept_ra": "1", "proxy_ndp": "0", "forwarding": "0", "ip_forward": "0"}
    sysctls = {s.key: defaults[s.key.rsplit("/", 1)[1]] for s in wanted.sysctls if interface_of(s.key) not in own}
    host = FakeHost(known=facts)
    host.state = replace(Actual(), links=links, sysctls={**sysctls, "net/ipv4/ip_local_reserved_ports": ""})
    return host


def _tree(value: Json, depth: int, key: str = "") -> Iterator[str]:
    pad = "    " * depth
    if isinstance(value, dict):
        if key:
            yield f"{pad}{key}:"
        for name, part in value.items():
            yield from _tree(part, depth + bool(key), name)
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for part in value:
            yield f"{pad}{key}: " + ", ".join(f"{k} {v}" for k, v in _flat(part))
    elif isinstance(value, list):
        yield from (f"{pad}{key}: {part}" for part in value)
    else:
        yield f"{pad}{key}: {value}"


def _flat(value: Json, prefix: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value
