# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Config and the facts of a machine → everything one node shall have. Decides values; touches nothing.

`node` resolves what depends on the machine, then one module a subject; `state` has the nouns, `model` their sum.
"""

from __future__ import annotations

from v6native.config.facts import HostFacts
from v6native.config.model import Config
from v6native.desired import dns64, log, unbound
from v6native.desired.addresses import addresses
from v6native.desired.links import links
from v6native.desired.model import Desired, Note
from v6native.desired.neighbours import neighbours
from v6native.desired.nft import nft
from v6native.desired.node import look_at
from v6native.desired.routes import routes
from v6native.desired.rules import rules
from v6native.desired.sysctls import reserved_ports, sysctls
from v6native.desired.translators import dataplane, foreign_lans
from v6native.desired.wireguard import wireguard

__all__ = ["Desired", "Note", "desired"]


def desired(config: Config, node: str, facts: HostFacts) -> Desired:
    """What the node named `node` shall have on a machine with these facts; KeyError where the file has no such node."""
    here = look_at(config, node, facts)
    return Desired(
        links=links(here),
        addresses=addresses(here),
        routes=routes(here),
        rules=rules(here),
        neighbours=neighbours(here),
        sysctls=sysctls(here),
        reserved_ports=reserved_ports(here),
        nft=nft(here),
        wireguard=wireguard(here),
        dataplane=dataplane(here),
        files=(*unbound.files(here), *dns64.files(here), *log.files(here)),
        findings=(*here.findings, *foreign_lans(here), *dns64.notes(here)),
    )
