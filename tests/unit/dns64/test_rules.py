# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""RFC 6147 section by section: what upstream says, what the client gets, and what had to be asked."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

import dns.flags
import dns.rcode
import dns.reversename
import pytest

from tests.unit.dns64.upstream_text import BORN, Client, lines, said
from v6native.address import PREFIX_LENGTHS, WKP, embed
from v6native.config.modeldns import AaaaFailure
from v6native.dns64 import wire
from v6native.dns64.answer import Answer, from_upstream
from v6native.dns64.rules import Embedding, Policy
from v6native.dns64.settings import Pref64
from v6native.dns64.wire import name_from_text

NSP = (Pref64(IPv6Network("2001:db8:64:64::/96")),)
POLICY = Policy(exclude_aaaa=(IPv6Network("::ffff:0:0/96"),))
SOA = "example. 300 IN SOA ns.example. root.example. 1 7200 900 86400 60"
NO_AAAA = said("www.example AAAA", "--", SOA)
ONE_A = said("www.example A", "www.example. 1000 IN A 198.51.100.80")
SYNTHESIZED = "www.example. 60 AAAA 2001:db8:64:64::c633:6450"


def client(*known: tuple[str, Answer], policy: Policy = POLICY, pref64: tuple[Pref64, ...] = NSP) -> Client:
    return Client(pref64, policy, *known)


def test_5_1_1_real_data_passes_and_no_a_is_asked_for() -> None:
    asker = client(said("www.example AAAA", "www.example. 500 IN AAAA 2001:db8::1"))
    assert lines(asker.ask("www.example", "AAAA")) == ["www.example. 500 AAAA 2001:db8::1"]
    assert asker.asked == ["www.example AAAA"]


def test_5_1_2_a_name_error_passes() -> None:
    asker = client(said("www.example AAAA", "--", SOA, rcode="NXDOMAIN"))
    answer = asker.ask("www.example", "AAAA")
    assert answer.rcode() == dns.rcode.NXDOMAIN and lines(answer, "authority")
    assert asker.asked == ["www.example AAAA"]


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"])
def test_5_1_2_any_other_error_is_as_if_there_were_no_aaaa(rcode: str) -> None:
    failed = said("www.example AAAA", rcode=rcode)
    assert lines(client(failed, ONE_A).ask("www.example", "AAAA")) == [
        # No SOA: at most 600 s (§5.1.7).
        "www.example. 600 AAAA 2001:db8:64:64::c633:6450"
    ]
    strict = client(failed, policy=replace(POLICY, aaaa_failure=AaaaFailure.FAIL))
    assert strict.ask("www.example", "AAAA").rcode() == dns.rcode.from_text(rcode)
    assert strict.asked == ["www.example AAAA"]


@pytest.mark.parametrize("length", PREFIX_LENGTHS)
def test_addresses_are_embedded_as_everywhere(length: int) -> None:
    prefix = IPv6Network((0x20010DB8_01220344_00000000_00000000 >> (128 - length) << (128 - length), length))
    for v4 in (IPv4Address("192.0.2.33"), IPv4Address("255.1.254.2")):
        assert Embedding(Pref64(prefix)).embed(v4.packed) == embed(prefix, v4).packed


def _of_class_3(said: tuple[str, Answer], kind: int) -> tuple[str, Answer]:
    """The same, where the records of that type are of another class than the question."""
    question, answer = said
    octets = answer.message.replace(
        b"\xc0\x0c\x00" + bytes([kind]) + b"\x00\x01", b"\xc0\x0c\x00" + bytes([kind]) + b"\x00\x03"
    )
    assert octets != answer.message
    return question, from_upstream(octets, wire.parse(octets), BORN, 86_400, 10_800, 5)


def test_records_of_another_class_are_no_addresses() -> None:
    """They may be of any length, and mean something else (RFC 1035 §3.4.1 defines A for class IN)."""
    aaaa = _of_class_3(said("www.example AAAA", "www.example. 500 IN AAAA 2001:db8::1"), wire.AAAA)
    assert lines(client(aaaa, ONE_A).ask("www.example", "AAAA")) == ["www.example. 600 AAAA 2001:db8:64:64::c633:6450"]
    a = _of_class_3(said("www.example A", "www.example. 1000 IN A 198.51.100.80"), wire.A)
    assert lines(client(NO_AAAA, a).ask("www.example", "AAAA")) == []


def test_5_1_4_excluded_addresses_count_as_none() -> None:
    mapped = said("www.example AAAA", "www.example. 500 IN AAAA ::ffff:192.0.2.1")
    assert lines(client(mapped, ONE_A).ask("www.example", "AAAA")) == [
        "www.example. 600 AAAA 2001:db8:64:64::c633:6450"
    ]
    no_a = said("www.example A", "--", SOA)
    assert lines(client(mapped, no_a).ask("www.example", "AAAA")) == [], "never the excluded ones themselves"


def test_5_1_4_the_others_stay() -> None:
    mixed = said(
        "www.example AAAA",
        "www.example. 500 IN AAAA ::ffff:192.0.2.1",
        "www.example. 500 IN AAAA 2001:db8::1",
        "www.example. 500 IN RRSIG AAAA 8 2 500 20301231000000 20200101000000 1 example. AAAA",
        "--",
        "example. 500 IN NS ns.example.",
    )
    asker = client(mixed)
    answer = asker.ask("www.example", "AAAA", BORN + 100)
    assert lines(answer) == ["www.example. 400 AAAA 2001:db8::1"]
    assert lines(answer, "authority") == ["example. 400 NS ns.example."]


def test_5_1_4_the_ranges_are_the_operators() -> None:
    policy = Policy(exclude_aaaa=(IPv6Network("2001:db8:bad::/48"), IPv6Network("2001:db8:64:64::/96")))
    bad = said("www.example AAAA", "www.example. 500 IN AAAA 2001:db8:bad::1")
    assert "c633:6450" in lines(client(bad, ONE_A, policy=policy).ask("www.example", "AAAA"))[0]
    mapped = said("www.example AAAA", "www.example. 500 IN AAAA ::ffff:192.0.2.1")
    assert len(lines(client(mapped, policy=policy).ask("www.example", "AAAA"))) == 1


def test_5_1_5_the_chain_is_kept_and_the_owner_is_its_end() -> None:
    aaaa = said("www.example AAAA", "www.example. 200 IN CNAME web.other.", "--", SOA)
    a = said(
        "www.example A",
        "www.example. 200 IN CNAME www.old.",
        "old. 150 IN DNAME new.",
        "www.old. 150 IN CNAME www.new.",
        "www.new. 1000 IN A 198.51.100.80",
    )
    assert lines(client(aaaa, a).ask("www.example", "AAAA")) == [
        "www.example. 200 CNAME www.old.",
        "old. 150 DNAME new.",
        "www.old. 150 CNAME www.new.",
        "www.new. 60 AAAA 2001:db8:64:64::c633:6450",
    ]


def test_5_1_6_the_a_answer_is_the_basis_whatever_it_is() -> None:
    for rcode in ("SERVFAIL", "NXDOMAIN", "REFUSED"):
        answer = client(NO_AAAA, said("www.example A", "--", SOA, rcode=rcode)).ask("www.example", "AAAA")
        assert answer.rcode() == dns.rcode.from_text(rcode) and not answer.answer
    empty = said("www.example A", "--", "example. 7 IN SOA ns.example. root.example. 1 7200 900 86400 7")
    answer = client(NO_AAAA, empty).ask("www.example", "AAAA")
    # Empty: the answer to the client's own question (§5.4).
    assert answer.rcode() == dns.rcode.NOERROR and lines(answer, "authority")[0].startswith("example. 300 SOA")
    answer = client(said("www.example AAAA", rcode="SERVFAIL"), empty).ask("www.example", "AAAA")
    assert answer.rcode() == dns.rcode.NOERROR and lines(answer, "authority")[0].startswith("example. 7 SOA")


@pytest.mark.parametrize(
    ("ttl_a", "soa", "expected"),
    [(1000, (300, 60), 60), (30, (300, 60), 30), (1000, (20, 60), 20), (86_400, None, 600)],
)
def test_5_1_7_the_ttl(ttl_a: int, soa: tuple[int, int] | None, expected: int) -> None:
    authority = ("--", f"example. {soa[0]} IN SOA a. b. 1 2 3 4 {soa[1]}") if soa else ()
    a = said("www.example A", f"www.example. {ttl_a} IN A 198.51.100.80")
    answer = client(said("www.example AAAA", *authority), a).ask("www.example", "AAAA")
    assert answer.answer[0].ttl == expected


def test_5_1_7_the_ttl_counts_down_and_never_outlives_its_sources() -> None:
    old_a = said("www.example A", "www.example. 100 IN A 198.51.100.80", born=BORN - 70)
    asker = client(said("www.example AAAA", "--", SOA, born=BORN - 20), old_a)
    assert asker.ask("www.example", "AAAA", BORN).answer[0].ttl == 30
    assert asker.last.expires == BORN + 30
    # The same answer later: made once, aged since.
    made = asker.last
    assert asker.ask("www.example", "AAAA", BORN + 25).answer[0].ttl == 5 and asker.last is made


def test_5_1_7_records_by_prefix_in_their_order() -> None:
    pref64 = (
        Pref64(IPv6Network("2001:db8:1::/96"), (IPv4Network("198.51.100.0/24"),)),
        Pref64(IPv6Network("2001:db8:2::/96")),
    )
    a = said("www.example A", "www.example. 60 IN A 198.51.100.1", "www.example. 60 IN A 203.0.113.1")
    answer = client(NO_AAAA, a, pref64=pref64).ask("www.example", "AAAA")
    assert lines(answer) == [
        "www.example. 60 AAAA 2001:db8:1::c633:6401",
        "www.example. 60 AAAA 2001:db8:2::c633:6401",
        "www.example. 60 AAAA 2001:db8:2::cb00:7101",
    ]


@pytest.mark.parametrize(
    ("prefix", "address"),
    [
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::c000:221"),
    ],
)
def test_5_2_and_5_3_1_every_prefix_length_both_ways(prefix: str, address: str) -> None:
    """The addresses of RFC 6052 §2.4."""
    pref64 = (Pref64(IPv6Network(prefix)),)
    a = said("www.example A", "www.example. 60 IN A 192.0.2.33")
    made = client(NO_AAAA, a, pref64=pref64).ask("www.example", "AAAA").answer[0][0].address
    assert dns.ipv6.inet_aton(made) == dns.ipv6.inet_aton(address)
    reverse = dns.reversename.from_address(made).to_text()
    pointer = said("33.2.0.192.in-addr.arpa PTR", "33.2.0.192.in-addr.arpa. 90 IN PTR www.example.")
    asker = client(pointer, pref64=pref64)
    assert lines(asker.ask(reverse, "PTR")) == [f"{reverse} 90 PTR www.example."]


def test_rfc6052_3_1_the_well_known_prefix_is_for_global_addresses() -> None:
    pref64 = (Pref64(WKP),)
    a = said(
        "www.example A",
        "www.example. 60 IN A 10.0.0.1",
        "www.example. 60 IN A 192.168.1.1",
        "www.example. 60 IN A 8.8.8.8",
    )
    assert lines(client(NO_AAAA, a, pref64=pref64).ask("www.example", "AAAA")) == [
        "www.example. 60 AAAA 64:ff9b::808:808"
    ]
    opened = replace(POLICY, open_ipv4=(IPv4Network("10.0.0.0/8"),))
    assert len(lines(client(NO_AAAA, a, pref64=pref64, policy=opened).ask("www.example", "AAAA"))) == 2
    assert len(lines(client(NO_AAAA, a).ask("www.example", "AAAA"))) == 3, "a network's own prefix is its own affair"
    private = said("www.example A", "www.example. 60 IN A 10.0.0.1")
    answer = client(NO_AAAA, private, pref64=pref64).ask("www.example", "AAAA")
    assert answer.rcode() == dns.rcode.NOERROR and not answer.answer and answer.authority


def test_excluded_ipv4_is_never_embedded() -> None:
    policy = replace(POLICY, exclude_ipv4=(IPv4Network("198.51.100.0/24"),))
    answer = client(NO_AAAA, ONE_A, policy=policy).ask("www.example", "AAAA")
    assert not answer.answer and lines(answer, "authority")
    deaf = client(said("www.example AAAA", rcode="SERVFAIL"), ONE_A, policy=policy).ask("www.example", "AAAA")
    assert deaf.rcode() == dns.rcode.NOERROR and not deaf.answer, "and the A records do not leak"


@pytest.mark.parametrize(
    ("name", "left_alone"), [("www.corp.example", True), ("corp.example", True), ("xcorp.example", False)]
)
def test_domains_that_are_left_alone(name: str, left_alone: bool) -> None:
    policy = replace(POLICY, never=frozenset({name_from_text("corp.example")}))
    asker = client(said(f"{name} AAAA", "--", SOA), said(f"{name} A", f"{name}. 60 IN A 192.0.2.1"), policy=policy)
    assert bool(asker.ask(name, "AAAA").answer) is not left_alone
    assert len(asker.asked) == (1 if left_alone else 2)


def test_a_view_without_prefix_gets_real_records_only() -> None:
    asker = client(NO_AAAA, ONE_A, pref64=())
    assert not asker.ask("www.example", "AAAA").answer and asker.asked == ["www.example AAAA"]
    assert asker.ask("ipv4only.arpa", "AAAA").rcode() == dns.rcode.NOERROR


def test_5_1_classes_other_than_in_are_not_touched() -> None:
    asker = client(said("www.example AAAA", "--", SOA))
    assert not asker.ask("www.example", "AAAA", rdclass="CH").answer
    assert asker.asked == ["www.example AAAA"]


@pytest.mark.parametrize("kind", ["A", "MX", "SRV", "HTTPS", "SVCB", "TXT", "NS", "ANY"])
def test_5_3_3_other_types_are_not_touched(kind: str) -> None:
    rdata = {
        "MX": "10 mail.example.", "SRV": "0 0 443 web.example.", "HTTPS": '1 . alpn="h2" ipv4hint="192.0.2.1"',
        "SVCB": "1 web.example.", "TXT": '"text"', "NS": "ns.example.",
    }.get(kind, "192.0.2.1")  # fmt: skip
    shown = "A" if kind == "ANY" else kind
    additional = ("--", "--", "mail.example. 60 IN A 192.0.2.9")
    asker = client(said(f"www.example {kind}", f"www.example. 60 IN {shown} {rdata}", *additional))
    answer = asker.ask("www.example", kind)
    assert lines(answer) == [f"www.example. 60 {shown} {rdata}"]
    assert lines(answer, "additional") == ["mail.example. 60 A 192.0.2.9"]
    assert asker.asked == [f"www.example {kind}"]


def test_5_3_2_and_5_4_the_other_sections_come_from_the_a_answer_unchanged() -> None:
    a = said(
        "www.example A",
        "www.example. 1000 IN A 198.51.100.80",
        "--",
        "example. 900 IN NS ns.example.",
        "--",
        "ns.example. 800 IN A 198.51.100.53",
    )
    answer = client(NO_AAAA, a).ask("www.example", "AAAA", BORN + 10)
    assert lines(answer) == ["www.example. 50 AAAA 2001:db8:64:64::c633:6450"]
    assert lines(answer, "authority") == ["example. 890 NS ns.example."]
    assert lines(answer, "additional") == ["ns.example. 790 A 198.51.100.53"]


def test_5_5_by_do_and_cd() -> None:
    signed = said(
        "www.example A",
        "www.example. 1000 IN A 198.51.100.80",
        "www.example. 1000 IN RRSIG A 8 2 1000 20301231000000 20200101000000 1 example. AAAA",
    )
    for options in ({}, {"want_dnssec": True}):
        asker = client(NO_AAAA, signed)
        answer = asker.ask("www.example", "AAAA", **options)
        assert lines(answer) == [SYNTHESIZED], "without the signature over A"
        assert not answer.flags & dns.flags.AD
    asker = client(NO_AAAA, signed)
    answer = asker.ask("www.example", "AAAA", want_dnssec=True, flags=dns.flags.RD | dns.flags.CD)
    assert not answer.answer and asker.asked == ["www.example AAAA +do +cd"]
    # CD without DO: the basis of synthesis is data that was checked, also that there is no AAAA.
    asker = client(NO_AAAA, signed)
    assert lines(asker.ask("www.example", "AAAA", flags=dns.flags.RD | dns.flags.CD)) == [SYNTHESIZED]
    assert asker.asked == ["www.example AAAA +cd", "www.example AAAA", "www.example A"]


@pytest.mark.parametrize("unchecked", ["NOERROR", "NXDOMAIN", "SERVFAIL"])
def test_5_5_a_bogus_denial_leads_to_no_synthesis(unchecked: str) -> None:
    """SERVFAIL with validation alone: a forger denied the AAAA. SERVFAIL with and without: the server is broken."""
    failed = said("www.example AAAA", rcode="SERVFAIL")
    asker = client(failed, said("www.example AAAA +cd", "--", SOA, rcode=unchecked), ONE_A)
    answer = asker.ask("www.example", "AAAA")
    if unchecked == "SERVFAIL":
        assert lines(answer) == ["www.example. 600 AAAA 2001:db8:64:64::c633:6450"]
    else:
        assert answer.rcode() == dns.rcode.SERVFAIL and not answer.answer
        assert asker.asked == ["www.example AAAA", "www.example AAAA +cd"]


def test_5_5_with_checking_disabled_a_bogus_denial_passes_and_is_no_reason_to_synthesize() -> None:
    failed, denial = said("www.example AAAA", rcode="SERVFAIL"), said("www.example AAAA +cd", "--", SOA)
    answer = client(failed, denial, ONE_A).ask("www.example", "AAAA", flags=dns.flags.RD | dns.flags.CD)
    assert answer.rcode() == dns.rcode.NOERROR and not answer.answer and answer.authority


def test_5_5_the_ad_bit_needs_both_answers_and_do() -> None:
    def asked(vouched: tuple[tuple[str, Answer], ...], **options: Any) -> bool:
        for known in (NO_AAAA, ONE_A):
            known[1].authentic, known[1].memo = known in vouched, None
        try:
            answer = client(NO_AAAA, ONE_A).ask("www.example", "AAAA", **options)
            assert lines(answer) == [SYNTHESIZED]
            return bool(answer.flags & dns.flags.AD)
        finally:
            for known in (NO_AAAA, ONE_A):
                known[1].authentic, known[1].memo = False, None

    assert asked((NO_AAAA, ONE_A), want_dnssec=True)
    assert not asked((NO_AAAA, ONE_A)) and not asked((NO_AAAA, ONE_A), flags=dns.flags.RD | dns.flags.AD)
    assert not asked((NO_AAAA,), want_dnssec=True) and not asked((ONE_A,), want_dnssec=True)


def test_5_5_the_ad_bit_of_real_data() -> None:
    ONE_A[1].authentic = True
    try:
        assert client(ONE_A).ask("www.example", "A", want_dnssec=True).flags & dns.flags.AD
        assert not client(ONE_A).ask("www.example", "A").flags & dns.flags.AD
    finally:
        ONE_A[1].authentic = False


def test_a_change_of_view_takes_effect_though_upstream_is_not_asked_again() -> None:
    first = client(NO_AAAA, ONE_A)
    assert "64:64::" in lines(first.ask("www.example", "AAAA"))[0]
    other = client(NO_AAAA, ONE_A, pref64=(Pref64(IPv6Network("2001:db8:99::/96")),))
    assert "2001:db8:99::" in lines(other.ask("www.example", "AAAA"))[0]


def test_more_than_a_message_can_hold_is_cut_to_what_fits() -> None:
    addresses = [f"www.example. 60 IN A 198.18.{i >> 8}.{i & 255}" for i in range(3900)]
    answer = client(NO_AAAA, said("www.example A", *addresses)).ask("www.example", "AAAA")
    assert 2000 < len(lines(answer)) < 3900
