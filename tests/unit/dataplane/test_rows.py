# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration → rows of maps; structs of one layout → another; the verifier's log → one line."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataplane.test_fake import CONFIG, NAT64, POOL, STATIC
from v6native.config.model import Eam, PortRange, TranslationOptions, Udp0
from v6native.dataplane import abi, rows
from v6native.dataplane.bpf_object import verdict
from v6native.dataplane.btf import Field
from v6native.dataplane.carry import recode
from v6native.dataplane.rows import Wanted
from v6native.desired.dataplane import PoolRange, SiitSettings
from v6native.errors import DataPlaneError

INDICES = {"nat64": 7, "clat": 8, "v6n-slow": 9}


def wanted(config: object = CONFIG) -> Wanted:
    return rows.wanted(config, INDICES.__getitem__, 512)  # type: ignore[arg-type]


def test_the_nat64s_numbers() -> None:
    siit = SiitSettings(IPv6Network("64:ff9b::/96"), (), NAT64.icmp6_source, NAT64.icmp4_source, 1280)
    config = abi.Nat64Config.from_buffer_copy(wanted(replace(CONFIG, siit=siit)).config["nat64"])
    assert list(config.timeout_ns) == [s * 10**9 for s in (7440, 240, 6, 300, 60)]
    assert (config.pref64_count, config.pref64[0].len) == (1, 96)
    assert (config.nat64_ifindex, config.clat_ifindex, config.slow_ifindex) == (7, 8, 9)
    assert config.max_sessions == 512, "no more than the loaded table holds"


def test_addresses_are_in_network_order() -> None:
    want = wanted()
    ((key, _),) = want.tables[("nat64", "sources")].items()
    assert key == struct.pack("=I", 64) + IPv6Network("2001:db8:1::/64").network_address.packed
    assert want.pool == (POOL.packed + struct.pack("=HHI", 1024, 65535, 0b1110),)
    entry = rows.static_entry(STATIC, 5)
    assert entry.key4() == POOL.packed + b"\x00\x50" + b"\x00\x00"


def test_an_opened_range_wins_over_the_same_refused_one() -> None:
    net = IPv4Network("10.0.0.0/8")
    want = wanted(replace(CONFIG, nat64=replace(NAT64, refused4=(net,), open4=(net,))))
    assert list(want.tables[("nat64", "destinations4")].values()) == [bytes(4)]


def test_addresses_that_the_node_shares() -> None:
    shared, static_only = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.9")
    nat64 = replace(
        NAT64,
        pool=(*NAT64.pool, PoolRange(shared, PortRange(40000, 59999), True)),
        static=(STATIC, replace(STATIC, ipv4=static_only)),
    )
    found = wanted(replace(CONFIG, nat64=nat64)).tables[("nat64", "pool4_address")]
    flags = {str(IPv4Address(key)): abi.PoolAddress.from_buffer_copy(value).flags for key, value in found.items()}
    assert flags == {str(POOL): 0, str(shared): abi.POOL_SHARED, str(static_only): abi.POOL_SHARED}


def test_the_options_of_rfc_7915() -> None:
    plain = abi.Nat64Config.from_buffer_copy(wanted().config["nat64"])
    assert (plain.icmp_rate, plain.options.tos, plain.options.flags, plain.options.icmp_pool_size) == (1000, 0, 0, 0)
    options = TranslationOptions(7, IPv4Network("192.0.2.64/28"), 0, 0x28, Udp0.DROP)
    siit = SiitSettings(
        IPv6Network("64:ff9b::/96"), (), NAT64.icmp6_source, NAT64.icmp4_source, 1280, explicit=True, options=options
    )
    config = wanted(replace(CONFIG, siit=siit)).config
    told = abi.SiitConfig.from_buffer_copy(config["siit"])
    assert (told.icmp_rate, told.clat_ifindex) == (7, 8)
    assert (told.options.tos, told.options.traffic_class, told.options.flags) == (0x100, 0x128, abi.DROP_UDP0)
    assert (bytes(told.options.icmp_pool), told.options.icmp_pool_size) == (bytes([192, 0, 2, 64]), 16)
    assert abi.Nat64Config.from_buffer_copy(config["nat64"]).options.flags == abi.STATELESS_TOO


def test_what_is_off_is_empty() -> None:
    want = wanted(replace(CONFIG, nat64=None))
    assert not any(want.tables.values()) and not want.pool and not want.static
    assert not any(want.config["nat64"]) and not any(want.config["siit"])


def test_the_slow_path_knows_the_clat_without_a_nat64() -> None:
    siit = SiitSettings(IPv6Network("64:ff9b::/96"), (), NAT64.icmp6_source, NAT64.icmp4_source, 1280)
    want = wanted(replace(CONFIG, nat64=None, siit=siit))
    assert abi.Nat64Config.from_buffer_copy(want.config["nat64"]).clat_ifindex == 8


def test_eam_goes_into_both_tables() -> None:
    eam = Eam(IPv4Network("100.64.0.0/16"), IPv6Network("2001:db8:a:64::6440:0/112"))
    siit = SiitSettings(IPv6Network("64:ff9b::/96"), (eam,), NAT64.icmp6_source, NAT64.icmp4_source, 1280)
    want = wanted(replace(CONFIG, siit=siit))
    four, six = want.tables[("siit", "eam4")], want.tables[("siit", "eam6")]
    assert list(four.values()) == list(six.values())
    assert {struct.unpack_from("=I", k)[0] for k in four} == {16}
    assert {struct.unpack_from("=I", k)[0] for k in six} == {112}


def test_too_much_is_refused_before_anything_is_written() -> None:
    rows.check(CONFIG)
    pool = tuple(PoolRange(POOL, PortRange(p, p), False) for p in range(1, 1026))
    with pytest.raises(DataPlaneError, match=r"1025 pool4 ranges are more than the data plane holds .1024."):
        rows.check(replace(CONFIG, nat64=replace(NAT64, pool=pool)))
    static = tuple(replace(STATIC, port4=p) for p in range(1, 1026))
    with pytest.raises(DataPlaneError, match="1025 static BIB entries"):
        rows.check(replace(CONFIG, nat64=replace(NAT64, static=static)))


def test_fields_keep_their_values_by_name() -> None:
    old = (Field("a", 0, 2), Field("gone", 2, 2), Field("b", 4, 4))
    new = (Field("b", 0, 8), Field("fresh", 8, 4), Field("a", 12, 2))
    turn = recode(old, new, 16)
    assert turn(struct.pack("=HHI", 7, 9, 70000)) == struct.pack("=QIHH", 70000, 0, 7, 0)


@given(value=st.binary(min_size=8, max_size=8))
def test_the_same_layout_changes_nothing(value: bytes) -> None:
    fields = (Field("a", 0, 4), Field("b", 4, 4))
    assert recode(fields, fields, 8)(value) == value
    assert recode((), (), 8)(value) == value


LOG = """\
0: R1=ctx(off=0,imm=0) R10=fp0
; return p->fragment_offset == 0;
57: (71) r1 = *(u8 *)(r7 +3)
R7 invalid mem access 'mem_or_null'
processed 58 insns (limit 1000000) max_states_per_insn 0 total_states 4 peak_states 4 mark_read 2
"""


def test_the_verifiers_reason_in_one_line() -> None:
    assert verdict(LOG) == "R7 invalid mem access 'mem_or_null' (at: return p->fragment_offset == 0;)"
    assert verdict("") == "no reason given"
