# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Path MTU discovery across the translators (RFC 7915 §4.2, §5.2): narrow links on the way, found out and kept to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from v6native.lab import topology as t
from v6native.lab.programs.echo import UDP_PORT
from v6native.lab.scenarios import client
from v6native.lab.scenarios.transfer import download, upload
from v6native.lab.scenarios.trial import Scenario, Trial, expect
from v6native.lab.web import serve_web

NARROW = 1280
SIZE = 16
CARELESS_PORT = 8081
BEFORE_SERVER = (("r1", "core"), ("r2", "core"))
BEFORE_LAPTOP = (("r1", "access"), ("laptop", "eth0"))


@contextlib.contextmanager
def narrow(trial: Trial, ends: tuple[tuple[str, str], ...]) -> Iterator[None]:
    """A link with an MTU of 1280; path MTUs that were learnt are forgotten before and after."""

    def set_mtu(mtu: int) -> None:
        for name, interface in ends:
            trial.node(name).run("ip", "link", "set", interface, "mtu", str(mtu))
        for node in trial.lab.nodes.values():
            node.run("ip", "-4", "route", "flush", "cache")
            node.run("ip", "-6", "route", "flush", "cache")

    set_mtu(NARROW)
    try:
        yield
    finally:
        set_mtu(1500)


def before_server(trial: Trial, node: str, host: str, told: int) -> str:
    """`told` is the MTU that the client must hear of: 20 more over IPv6."""
    with narrow(trial, BEFORE_SERVER):
        family = "-4" if host == str(t.SERVER4) else "-6"
        done = trial.node(node).run("ping", family, "-n", "-c2", "-i0.3", "-W1", "-Mdo", "-s1360", host, check=False)
        heard = any(f"mtu{sign}{told}" in done.out for sign in ("=", ": ", " = "))
        expect(
            heard, f"{node}: a ping of 1360 octets is not told of an MTU of {told}: {' '.join(done.out.split())[:300]}"
        )
        carry(trial, node, host)
    return f"told of {told}; {SIZE} MiB each way"


def before_laptop(trial: Trial, host: str) -> str:
    with narrow(trial, BEFORE_LAPTOP):
        carry(trial, "laptop", host)
    return f"{SIZE} MiB each way"


def fragmented_download(trial: Trial, node: str, host: str) -> str:
    """A server that discovers no path MTU: r2 fragments its TCP segments, and the fragments are translated."""
    internet, knob = trial.node("internet"), "net.ipv4.ip_no_pmtu_disc"
    if CARELESS_PORT not in internet.listening("tcp"):
        # A connection inherits this from the socket that listens, and that one from the moment of its making.
        internet.run("sysctl", "-q", f"{knob}=1")
        serve_web(internet, "no path MTU discovery", CARELESS_PORT)
        internet.run("sysctl", "-q", f"{knob}=0")
    with narrow(trial, BEFORE_SERVER):
        before = fragments_made(trial)
        seen = download(trial, node, f"{host}:{CARELESS_PORT}", SIZE)
        made = fragments_made(trial) - before
    expect(made > SIZE, f"r2 made {made} fragments of {SIZE} MiB: the trial proves nothing")
    return f"{seen}, {made} fragments"


def fragments_made(trial: Trial) -> int:
    lines = Path(f"/proc/{trial.node('r2').pid}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    return int(values[names.index("FragCreates")])


def carry(trial: Trial, node: str, host: str) -> None:
    upload(trial, node, host, SIZE)
    download(trial, node, host, SIZE)
    outcome = trial.program(node, "datagram", host, str(UDP_PORT), "8000")
    expect(outcome == "echoed", f"{node}: a datagram of 8000 octets to {host} over an MTU of {NARROW}: {outcome}")
    client.big_ping(trial, node, host)


V4ONLY = client.V4ONLY
LITERAL = str(t.SERVER4)
SCENARIOS = (
    Scenario(
        "phone-tcp-fragments", 1, "download in TCP fragments", partial(fragmented_download, node="phone", host=V4ONLY)
    ),
    Scenario(
        "laptop-literal-tcp-fragments",
        2,
        "download in TCP fragments, by literal",
        partial(fragmented_download, node="laptop", host=LITERAL),
    ),
    Scenario(
        "phone-mtu-server",
        1,
        "path MTU 1280 before the server",
        partial(before_server, node="phone", host=V4ONLY, told=1300),
    ),
    Scenario(
        "laptop-mtu-server",
        2,
        "path MTU 1280 before the server",
        partial(before_server, node="laptop", host=V4ONLY, told=1300),
    ),
    Scenario(
        "laptop-literal-mtu-server",
        2,
        "path MTU 1280 before the server, by literal",
        partial(before_server, node="laptop", host=LITERAL, told=NARROW),
    ),
    Scenario("laptop-mtu-access", 2, "path MTU 1280 before laptop", partial(before_laptop, host=V4ONLY)),
    Scenario(
        "laptop-literal-mtu-access", 2, "path MTU 1280 before laptop, by literal", partial(before_laptop, host=LITERAL)
    ),
)
