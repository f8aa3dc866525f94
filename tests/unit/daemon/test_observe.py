# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Plain and encrypted resolvers are asked, each its own way, and told of in the file's order."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from v6native.config.facts import HostFacts
from v6native.config.model import (
    Clat,
    Config,
    Nat64,
    Network,
)
from v6native.config.modeldns import (
    Dns64,
    Upstream,
    UpstreamTls,
)
from v6native.daemon.observe import resolvers

LOOPBACK = IPv4Address("127.0.0.1")


@pytest.fixture
def nobody() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(taken.getsockname())
        return int(taken.getsockname()[1])


def config(dns64: Dns64) -> Config:
    return Config(Path("network.toml"), Network("n", (), ()), (), Nat64(), Clat(), dns64)


def test_resolvers_in_the_files_order(nobody: int) -> None:
    told = (
        Upstream(LOOPBACK, nobody, UpstreamTls("a.example")),
        Upstream(LOOPBACK, nobody),
        Upstream(LOOPBACK, nobody, UpstreamTls("", "/dns-query")),
    )
    found = resolvers(config(Dns64(upstream=told)), HostFacts())
    assert tuple(fact.upstream for fact in found) == told
    assert all("refused" in str(fact.error) for fact in found)


def test_dns64_off_asks_nobody() -> None:
    assert resolvers(config(Dns64(enabled=False)), HostFacts()) == ()
