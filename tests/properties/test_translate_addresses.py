# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""RFC 6052 arithmetic holds for every address under every prefix length."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from v6native.address import PREFIX_LENGTHS, embed, extract, valid_pref64
from v6native.translate.siit import Eam

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
U_OCTET = 0xFF << 56


@st.composite
def pref64s(draw: st.DrawFn) -> IPv6Network:
    """Inside 2000::/3, any length of the RFC, bits 64 to 71 zero."""
    length = draw(st.sampled_from(PREFIX_LENGTHS))
    bits = draw(st.integers(0, 2**125 - 1)) | 1 << 125
    return IPv6Network((bits >> (128 - length) << (128 - length) & ~U_OCTET, length))


@given(pref64s(), V4)
def test_extract_undoes_embed(pref64: IPv6Network, v4: IPv4Address) -> None:
    assert valid_pref64(pref64) is None
    v6 = embed(pref64, v4)
    assert v6 in pref64
    assert int(v6) & U_OCTET == 0
    assert extract(pref64, v6) == v4


@given(pref64s(), V6)
def test_extract_is_total(pref64: IPv6Network, v6: IPv6Address) -> None:
    v4 = extract(pref64, v6)
    assert (v4 is None) == (v6 not in pref64 or (pref64.prefixlen != 96 and int(v6) & U_OCTET != 0))


@given(pref64s(), V4, V4)
def test_embed_is_injective(pref64: IPv6Network, one: IPv4Address, other: IPv4Address) -> None:
    assert (embed(pref64, one) == embed(pref64, other)) == (one == other)


@given(V4, V6, st.integers(0, 32), st.integers(0, 96))
def test_eam_there_and_back(v4: IPv4Address, v6: IPv6Address, length4: int, more: int) -> None:
    row = Eam(
        IPv4Network((v4, length4), strict=False),
        IPv6Network((v6, length4 + 96 - more if more <= length4 + 96 else 0), strict=False),
    )
    mapped = row.to_v6(v4)
    assert mapped in row.ipv6
    assert row.to_v4(mapped) == v4
