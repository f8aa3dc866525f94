# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a scenario is, and what it is given: the standing lab, and words for what it does with real programs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from v6native.address import embed
from v6native.errors import LabError
from v6native.lab.edge import Arrangement
from v6native.lab.lab import Lab
from v6native.lab.node import Done, Node

PROGRAMS = "v6native.lab.programs"
ALL = frozenset(Arrangement)
SHARED = frozenset({Arrangement.SHARED, Arrangement.WKP})
"""The arrangements in which the NAT64 has a part of edge1's own address."""


class ScenarioFailed(LabError):
    """The lab did something else than a scenario expects."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a scenario in a lab."""

    lab: Lab
    mebibytes: int
    """How much a download or an upload moves."""

    def node(self, name: str) -> Node:
        return self.lab[name]

    def through(self, address: IPv4Address) -> IPv6Address:
        """An IPv4 address as IPv6 clients see it here."""
        return embed(self.lab.arrangement.pref64, address)

    def program(self, node: str, name: str, *arguments: str, timeout: float = 30) -> str:
        """What one of the lab's own small programs prints on a node."""
        done = self.node(node).run(sys.executable, "-m", f"{PROGRAMS}.{name}", *arguments, timeout=timeout, check=False)
        if not done.ok:
            raise ScenarioFailed(f"{node}: {name} {' '.join(arguments)}: {done.err.strip().splitlines()[-1:]}")
        return done.out.strip()

    def succeeds(self, node: str, *argv: str, timeout: float = 30) -> Done:
        done = self.node(node).run(*argv, timeout=timeout, check=False)
        if not done.ok:
            said = " ".join((done.err + done.out).split())[-400:]
            raise ScenarioFailed(f"{node}: `{done.shown}` ended with status {done.status}: {said}")
        return done


def expect(condition: object, message: str) -> None:
    """ScenarioFailed with `message` unless the condition holds."""
    if not condition:
        raise ScenarioFailed(message)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`run` returns a short word of what was seen, and raises LabError where it was not what is due."""

    key: str
    group: int
    title: str
    run: Callable[[Trial], str]
    arrangements: frozenset[Arrangement] = ALL


GROUPS = {
    1: "phone, which has IPv6 only",
    2: "laptop, behind IPv4 only and in the tunnel",
    3: "edge1 itself",
    4: "from outside",
    5: "one address shared by node and NAT64, with the usual firewall",
    6: "what a running download survives",
}
"""As the list of the lab's promises is numbered."""

MTR_HOP = re.compile(r"^\s*\d+\.\|-- (\S+) +(\S+)%", re.MULTILINE)
HOP = re.compile(r"^\s*\d+\s+(\S+)", re.MULTILINE)


def hops(trial: Trial, node: str, target: str, *options: str) -> list[str]:
    """Who answers a traceroute, hop by hop; `*` for nobody."""
    done = trial.succeeds(node, "traceroute", "-n", "-q1", "-w2", "-m8", *options, target, timeout=40)
    return HOP.findall(done.out.partition("\n")[2])


def mtr_hops(trial: Trial, node: str, target: str, *options: str) -> list[tuple[str, float]]:
    """Who answers mtr, hop by hop (`???` for nobody), and what part of its three probes was lost, in percent."""
    done = trial.succeeds(node, "mtr", "--report", "-n", "-c3", "-i0.5", "-G2", *options, target, timeout=60)
    return [(address, float(lost)) for address, lost in MTR_HOP.findall(done.out)]


def expect_mtr(trial: Trial, node: str, target: str, expected: Sequence[object], *options: str) -> str:
    """The last one must have answered each probe; routers may rest."""
    seen = mtr_hops(trial, node, target, *options)
    found, wanted = [hop for hop, _ in seen], [str(address) for address in expected]
    expect(found == wanted, f"{node}: mtr {target} shows {' '.join(found)} instead of {' '.join(wanted)}")
    expect(seen[-1][1] == 0, f"{node}: mtr {target} lost {seen[-1][1]:g} % of its probes")
    return " → ".join(found)


def expect_hops(trial: Trial, node: str, target: str, expected: Sequence[object], *options: str) -> str:
    seen = hops(trial, node, target, *options)
    wanted = [str(address) for address in expected]
    expect(seen == wanted, f"{node}: traceroute {target} shows {' '.join(seen)} instead of {' '.join(wanted)}")
    return " → ".join(seen)
