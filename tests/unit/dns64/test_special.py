# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""ipv4only.arpa (RFC 8880 §7.1), PTR under a pref64 (RFC 6147 §5.3.1), and the operator's own records."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

import dns.flags
import dns.rcode
import dns.reversename
import pytest

from tests.unit.dns64.upstream_text import BORN, Client, lines, said
from v6native.address import WKP
from v6native.config.modeldns import (
    DnsRecord,
    RecordType,
)
from v6native.dns64 import wire
from v6native.dns64.query import parse_query
from v6native.dns64.reverse import ip6_address, ip6_name, zone_name
from v6native.dns64.rules import Policy
from v6native.dns64.settings import Pref64
from v6native.dns64.special import LocalRecords, ipv4only
from v6native.dns64.wire import name_from_text, parse

TWO = (Pref64(IPv6Network("2001:db8:64:64::/96")), Pref64(WKP))


def client(*known: object) -> Client:
    return Client(TWO, Policy(), *known)  # type: ignore[arg-type]


def reverse(address: str) -> str:
    return dns.reversename.from_address(address).to_text()


def test_ipv4only_is_answered_here_for_every_type_but_ds() -> None:
    asker = client(said("ipv4only.arpa DS"))
    a = asker.ask("IPv4only.arpa", "A")
    assert lines(a) == ["IPv4only.arpa. 600 A 192.0.0.170", "IPv4only.arpa. 600 A 192.0.0.171"]
    assert a.flags & dns.flags.AA
    aaaa = [line.split()[-1] for line in lines(asker.ask("ipv4only.arpa", "AAAA"))]
    assert aaaa == [
        "2001:db8:64:64::c000:aa",
        "2001:db8:64:64::c000:ab",
        # Not global, and yet under the well-known prefix.
        "64:ff9b::c000:aa",
        "64:ff9b::c000:ab",
    ]
    for kind in ("MX", "NS", "SOA", "TXT", "HTTPS"):
        answer = asker.ask("ipv4only.arpa", kind)
        assert answer.rcode() == dns.rcode.NOERROR and not answer.answer
        assert lines(answer, "authority")[0].startswith("ipv4only.arpa. 600 SOA")
    below = asker.ask("x.ipv4only.arpa", "A")
    assert below.rcode() == dns.rcode.NXDOMAIN and below.authority
    assert asker.asked == []
    asker.ask("ipv4only.arpa", "DS")
    assert asker.asked == ["ipv4only.arpa DS"]


def test_a_validating_client_learns_the_prefix_too() -> None:
    answer = client().ask("ipv4only.arpa", "AAAA", want_dnssec=True, flags=dns.flags.RD | dns.flags.CD)
    assert len(lines(answer)) == 4


def test_a_name_that_only_ends_in_the_same_octets_is_another() -> None:
    label = b"x\x08ipv4only\x04arpa"
    octets = bytes(5) + b"\x01" + bytes(6) + bytes([len(label)]) + label + b"\x00\x00\x01\x00\x01"
    query = parse_query(octets)
    assert query is not None and ipv4only(query, [], BORN) is None


def test_the_well_known_addresses_have_their_name() -> None:
    asker = client()
    for address in ("2001:db8:64:64::192.0.0.170", "64:ff9b::192.0.0.171"):
        assert lines(asker.ask(reverse(address), "PTR")) == [f"{reverse(address)} 600 PTR ipv4only.arpa."]
    assert asker.asked == []


def test_a_ptr_has_the_name_of_the_ipv4_address_also_through_a_classless_delegation() -> None:
    name = reverse("2001:db8:64:64::198.51.100.80")
    chain = said(
        "80.100.51.198.in-addr.arpa PTR",
        "80.100.51.198.in-addr.arpa. 500 IN CNAME 80.64-95.100.51.198.in-addr.arpa.",
        "80.64-95.100.51.198.in-addr.arpa. 900 IN PTR www.example.",
    )
    assert lines(client(chain).ask(name, "PTR", BORN + 100)) == [f"{name} 400 PTR www.example."]


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_a_ptr_that_is_not_there(rcode: str) -> None:
    name = reverse("2001:db8:64:64::198.51.100.80")
    soa = "100.51.198.in-addr.arpa. 300 IN SOA ns.example. root.example. 1 2 3 4 60"
    answer = client(said("80.100.51.198.in-addr.arpa PTR", "--", soa, rcode=rcode)).ask(name, "PTR")
    assert answer.rcode() == dns.rcode.from_text(rcode) and not answer.answer
    zone = zone_name(TWO[0].prefix)
    owner = answer.authority[0].name
    assert answer.authority[0].ttl == 60 and owner == dns.name.from_wire(bytes(12) + zone, 12)[0]
    assert dns.name.from_text(name).is_subdomain(owner)


def test_an_error_about_a_ptr_is_passed_on() -> None:
    name = reverse("2001:db8:64:64::198.51.100.80")
    answer = client(said("80.100.51.198.in-addr.arpa PTR", rcode="SERVFAIL")).ask(name, "PTR")
    assert answer.rcode() == dns.rcode.SERVFAIL and answer.question[0].name.to_text() == name


def test_other_names_of_the_reverse_tree_are_asked_upstream() -> None:
    for name in (reverse("2001:db8::1"), "4.6.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "x." + reverse("64:ff9b::1.1.1.1")[2:]):
        asker = client(said(f"{name.removesuffix('.')} PTR", rcode="NXDOMAIN"))
        asker.ask(name, "PTR")
        assert asker.asked == [f"{name.removesuffix('.')} PTR"]
    name = reverse("64:ff9b::1.1.1.1")
    asker = client(said(f"{name.removesuffix('.')} TXT", rcode="NXDOMAIN"))
    asker.ask(name, "TXT")
    assert asker.asked == [f"{name.removesuffix('.')} TXT"], "only PTR is ours"


def test_names_of_addresses() -> None:
    address = IPv6Address("2001:db8::567:89ab")
    assert ip6_address(ip6_name(address)) == address
    assert ip6_name(address) == dns.reversename.from_address(str(address)).to_wire()
    assert ip6_address(ip6_name(address).replace(b"a", b"g", 1)) is None


def records(*entries: DnsRecord) -> LocalRecords:
    return LocalRecords(entries)


def test_own_records() -> None:
    local = records(
        DnsRecord("Laptop.Example", RecordType.A, "192.0.2.9", 60),
        DnsRecord("laptop.example", RecordType.AAAA, "2001:db8::9"),
        DnsRecord("9.2.0.192.in-addr.arpa", RecordType.PTR, "laptop.example."),
    )
    name = name_from_text("laptop.example")

    def ask(name: bytes, kind: int, cls: int = 1) -> object:
        answer = local.find(name + kind.to_bytes(2, "big") + cls.to_bytes(2, "big"), BORN)
        return None if answer is None else [(r.type, r.ttl) for r in parse(answer.message).answer]

    assert ask(name, wire.A) == [(wire.A, 60)]
    assert ask(name, wire.AAAA) == [(wire.AAAA, 300)]
    assert ask(name, wire.ANY) == [(wire.A, 60), (wire.AAAA, 300)]
    assert ask(name, 15) == [], "the name exists, and has no mail exchanger"
    assert ask(name, wire.A, 3) is None
    assert ask(b"\x03www" + name, wire.A) is None
    assert ask(name_from_text("9.2.0.192.in-addr.arpa"), wire.PTR) == [(wire.PTR, 300)]
