# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Addresses, prefixes and the uplink itself change beside the running daemon, as at homes and on cheap machines."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest

from tests.lab.typical.files import HOUSE, MAPPED, SERVER, house_toml
from tests.lab.typical.site import OPEN4, SOON, Site, eventually
from v6native.address import embed
from v6native.lab import topology as t
from v6native.lab.programs.echo import UDP_PORT
from v6native.lab.wiring import wait_carrier

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

NEW4 = IPv4Address("192.0.2.9")
ANY_PREFIX = house_toml(pref64=str(t.WKP)).replace(f'prefix = ["{t.NETWORK6}"]\n', "")
ASK = """
import socket, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind(("::", 5555))
sock.connect((sys.argv[1], int(sys.argv[2])))
sock.settimeout(0.5)
for word in sys.stdin:
    try:
        sock.send(word.encode())
        print(sock.recv(99).decode().strip(), flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)
"""


def seen(house: Site) -> str:
    """The IPv4 address from which a new connection of phone arrives."""
    return house.fetch("phone", f"{SERVER}/who").split()[0]


@contextlib.contextmanager
def changed_address(house: Site) -> Iterator[None]:
    """edge1's IPv4 address is another, as a provider does it at night."""
    edge1 = house["edge1"]

    def change(old: IPv4Address, new: IPv4Address) -> None:
        edge1.run("ip", "address", "del", f"{old}/24", "dev", "eth0")
        edge1.run("ip", "address", "add", f"{new}/24", "dev", "eth0")
        edge1.run("ip", "route", "replace", "default", "via", str(t.R1_EDGE4))
        # The provider gives the old address to somebody else.
        house["r1"].run("ip", "-4", "neigh", "flush", "dev", "edge")

    change(t.EDGE4, NEW4)
    try:
        yield
    finally:
        change(NEW4, t.EDGE4)


def ask_from_one_port(house: Site, word: str) -> str:
    """One datagram from phone's port 5555 to the echo server, and what came back."""
    argv = ("python3", "-c", ASK, MAPPED, str(UDP_PORT))
    return house["phone"].run(*argv, stdin=f"{word}\n").out.strip()


def test_another_ipv4_address(house: Site) -> None:
    house.up("edge1", HOUSE)
    assert seen(house) == str(t.EDGE4)
    assert house.fetch("internet", f"{t.EDGE4}/") == "phone"
    assert ask_from_one_port(house, "before") == "before"
    with changed_address(house):
        eventually(lambda: seen(house) == str(NEW4), "new connections from the new address")
        assert house.fetch("internet", f"{NEW4}/") == "phone"
        assert house.fetch("internet", f"{NEW4}:8080/") == "edge1 itself"
        assert not house.fetches("internet", f"{t.EDGE4}/")
        # An application that goes on from the same port is not caught in a mapping to an address that we lost.
        eventually(lambda: ask_from_one_port(house, "after") == "after", "a datagram from the port used before")
        house.download("phone", SERVER)
        house.unchanged("edge1")
        lost = [entry for entry in house.ask("edge1", "bib") if entry["address4"] == str(t.EDGE4)]
        assert not lost
    eventually(lambda: seen(house) == str(t.EDGE4), "new connections from the first address again")
    house.unchanged("edge1")


@contextlib.contextmanager
def changed_lan(house: Site, lan: IPv6Network) -> Iterator[None]:
    """edge1's LAN and phone are in `lan`; r1 routes it to edge1."""
    phone, edge1, r1 = house["phone"], house["edge1"], house["r1"]

    def move(host: tuple[IPv6Address, IPv6Address], router: tuple[IPv6Address, IPv6Address]) -> None:
        for node, interface, (old, new) in ((edge1, "br0", router), (phone, "eth0", host)):
            node.run("ip", "address", "del", f"{old}/64", "dev", interface)
            node.run("ip", "address", "add", f"{new}/64", "dev", interface, "nodad")
        phone.run("ip", "-6", "route", "replace", "default", "via", str(router[1]))

    r1.run("ip", "-6", "route", "replace", str(lan), "via", str(t.EDGE6))
    move((t.PHONE6, lan[5]), (t.EDGE_LAN6, lan[1]))
    try:
        yield
    finally:
        move((lan[5], t.PHONE6), (lan[1], t.EDGE_LAN6))
        r1.run("ip", "-6", "route", "del", str(lan))


def answer(house: Site, server: IPv6Address) -> str:
    """What phone is told there about a name that has IPv4 only."""
    dig = ("dig", "+short", "+time=1", "+tries=1", f"@{server}", "v4only.example", "AAAA")
    return house["phone"].run(*dig).out.strip()


@pytest.mark.parametrize(
    ("text", "pref64", "lan"),
    [
        (HOUSE, t.PREF64, IPv6Network("2001:db8:64:b::/64")),
        # A provider gives another prefix altogether: the file names none.
        (ANY_PREFIX, t.WKP, IPv6Network("2001:db8:77:1::/64")),
    ],
    ids=["inside-network-prefix", "any"],
)
def test_another_lan_prefix(house: Site, text: str, pref64: IPv6Network, lan: IPv6Network) -> None:
    """The delegated prefix changes: who may be translated and where names are asked follow."""
    house.up("edge1", text)
    mapped = embed(pref64, t.SERVER4)
    assert answer(house, t.EDGE_LAN6) == str(mapped)
    with changed_lan(house, lan):
        who = f"[{mapped}]/who"
        eventually(lambda: house.fetch("phone", who).split()[0] == str(t.EDGE4), "translation from the new prefix")
        eventually(lambda: answer(house, lan[1]) == str(mapped), "names at the new address")
        sources = house.ask("edge1", "status")["node"]["sources"]
        assert str(lan) in sources and str(t.LAN6) not in sources
        house.download("phone", f"[{mapped}]")
        house.unchanged("edge1")
    eventually(lambda: answer(house, t.EDGE_LAN6) == str(mapped), "names at the first address again")


def routes_back(house: Site) -> None:
    """What the kernel forgot with the interface or its carrier, set again as network managers do."""
    edge1 = house["edge1"]
    edge1.run("ip", "address", "replace", f"{t.EDGE6}/64", "dev", "eth0", "nodad")
    wait_carrier(edge1, "eth0")
    edge1.run("ip", "route", "replace", "default", "via", str(t.R1_EDGE4))
    edge1.run("ip", "-6", "route", "replace", "default", "via", str(t.R1_EDGE6))


def test_the_uplink_goes_down_and_up(house: Site) -> None:
    house.up("edge1", HOUSE)
    edge1 = house["edge1"]
    edge1.run("ip", "link", "set", "eth0", "down")
    assert not house.fetches("phone", f"{SERVER}/")
    assert any(f["code"] == "uplink_down" for f in house.ask("edge1", "doctor")["findings"])
    edge1.run("ip", "link", "set", "eth0", "up")
    routes_back(house)
    eventually(lambda: seen(house) == str(t.EDGE4), "translation after the uplink came up")
    house.unchanged("edge1")


def remake(house: Site) -> None:
    """A new cable between edge1 and r1."""
    edge1, r1 = house["edge1"], house["r1"]
    edge1.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "edge", "netns", str(r1.pid))
    for node, name, addresses in ((edge1, "eth0", (t.EDGE4, t.EDGE6)), (r1, "edge", (t.R1_EDGE4, t.R1_EDGE6))):
        node.run("ip", "link", "set", name, "up")
        for address, length in zip(addresses, (24, 64), strict=True):
            node.run("ip", "address", "add", f"{address}/{length}", "dev", name)
    r1.run("ip", "-6", "route", "replace", str(t.NETWORK6), "via", str(t.EDGE6))
    r1.run("ip", "route", "replace", str(t.POOL), "via", str(t.EDGE4))
    routes_back(house)


def test_what_init_writes_follows_a_prefix_that_is_lent(house: Site) -> None:
    """`init` on a home's router: its LAN's address has a lifetime; another prefix comes, and nobody edits the file."""
    edge1, lan = house["edge1"], IPv6Network("2001:db8:77:1::/64")
    config = edge1.path("/etc/v6native/network.toml")
    config.unlink(missing_ok=True)
    address = (f"{t.EDGE_LAN6}/64", "dev", "br0")
    edge1.run("ip", "address", "del", *address)
    edge1.run("ip", "address", "add", *address, "nodad", "valid_lft", "7200", "preferred_lft", "3600")
    try:
        edge1.run("v6native", "init")
        text = config.read_text()
        assert "prefix =" not in text and str(t.WKP) in text
        house.up("edge1", text.replace("[dns64]", f"[nat64]\nallow_ipv4 = {OPEN4}\n[dns64]"))
        mapped = embed(t.WKP, t.SERVER4)
        assert house.fetch("phone", f"[{mapped}]/who").split()[0] == str(t.EDGE4)
        with changed_lan(house, lan):
            eventually(lambda: house.fetches("phone", f"[{mapped}]/who"), "translation from the new prefix")
            assert str(lan) in house.ask("edge1", "status")["node"]["sources"]
    finally:
        edge1.run("ip", "address", "replace", *address, "nodad", "valid_lft", "forever", "preferred_lft", "forever")


def test_the_uplink_is_made_anew(house: Site) -> None:
    """As PPP interfaces are at every dial-in."""
    house.up("edge1", HOUSE)
    house["edge1"].run("ip", "link", "delete", "eth0")
    try:
        eventually(lambda: "uplink_missing" in codes(house), "the finding of a missing uplink")
    finally:
        remake(house)
    eventually(lambda: seen(house) == str(t.EDGE4), "translation over the new uplink")
    assert house.fetch("internet", f"{t.EDGE4}/") == "phone"
    house.unchanged("edge1")


def codes(house: Site) -> set[str]:
    return {finding["code"] for finding in house.ask("edge1", "doctor")["findings"]}


def test_the_uplink_comes_after_up(house: Site) -> None:
    house["edge1"].run("ip", "link", "delete", "eth0")
    try:
        house.up("edge1", HOUSE, well=False)
        names = ("dig", "+short", "+time=1", "+tries=1", f"@{t.EDGE_LAN6}", "ipv4only.arpa", "AAAA")
        eventually(lambda: "::" in house["phone"].run(*names).out, "names without an uplink")
    finally:
        remake(house)
    eventually(lambda: seen(house) == str(t.EDGE4), "translation over the uplink that came", 2 * SOON)
    house.unchanged("edge1")
