# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel settings and what is remembered about them; port lists as the kernel writes them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v6native.config.model import PortRange
from v6native.desired.model import Desired
from v6native.desired.state import Link, LinkKind, Sysctl
from v6native.plan import actions as do
from v6native.plan import diff
from v6native.plan.actual import Actual, FoundLink, Saved
from v6native.plan.saved import after, before, from_json, to_json
from v6native.plan.settings import format_ports, parse_ports

FORWARD6, ACCEPT_RA = "net/ipv6/conf/all/forwarding", "net/ipv6/conf/eth0/accept_ra"
RESERVED = "net/ipv4/ip_local_reserved_ports"

ports = st.builds(lambda a, b: PortRange(min(a, b), max(a, b)), st.integers(1, 65535), st.integers(1, 65535))


@given(st.lists(ports))
def test_a_port_list_keeps_its_ports(ranges: list[PortRange]) -> None:
    text = format_ports(ranges)
    again = parse_ports(text)
    assert format_ports(again) == text
    assert {p for r in again for p in range(r.first, r.last + 1)} == {
        p for r in ranges for p in range(r.first, r.last + 1)
    }
    # Joined: no two of them touch.
    assert all(one.last + 1 < two.first for one, two in itertools.pairwise(again))


def test_another_range_gives_the_old_one_back() -> None:
    """The host's own reservation is what was saved; what we added before is not."""
    actual = Actual(sysctls={RESERVED: "8080,40000-59999"}, saved=Saved({RESERVED: "8080"}))
    wanted = Desired(reserved_ports=(PortRange(30000, 39999),))
    assert diff(wanted, actual) == (do.SetSysctl(RESERVED, "8080,30000-39999", "8080,40000-59999"),)


def test_a_value_that_is_ours_is_never_saved_as_the_hosts() -> None:
    saved = Saved({"k": "the host's"})
    assert before(do.SetSysctl("k", "new", "ours", (("k", "ours"),)), saved) == saved


def test_forwarding_is_restored_first_and_accept_ra_last() -> None:
    """In between the host would be a router that ignores advertisements, or one that takes them from everybody."""
    values = {ACCEPT_RA: "1", FORWARD6: "0", RESERVED: "", "net/ipv6/conf/eth0/proxy_ndp": "0"}
    actual = Actual(sysctls={ACCEPT_RA: "2", FORWARD6: "1"}, saved=Saved(values))
    restored = [a.key for a in diff(Desired(), actual) if isinstance(a, do.RestoreSysctl)]
    assert restored[0] == FORWARD6 and restored[-1] == ACCEPT_RA and len(restored) == 4


def test_accept_ra_stays_while_we_forward() -> None:
    """A router that falls silent takes its route along; without accept_ra 2 the next advertisement would be ignored."""
    actual = Actual(sysctls={ACCEPT_RA: "2", FORWARD6: "1"}, saved=Saved({ACCEPT_RA: "1", FORWARD6: "0"}))
    assert diff(Desired(sysctls=(Sysctl(FORWARD6, "1"),)), actual) == ()


def test_proxying_that_nobody_needs_any_more_ends() -> None:
    key = "net/ipv6/conf/eth0/proxy_ndp"
    actual = Actual(sysctls={key: "1", FORWARD6: "1"}, saved=Saved({key: "0", FORWARD6: "0"}))
    assert diff(Desired(sysctls=(Sysctl(FORWARD6, "1"),)), actual) == (do.RestoreSysctl(key, "0"),)


def test_a_missing_interface_has_no_settings_to_change() -> None:
    assert diff(Desired(sysctls=(Sysctl(ACCEPT_RA, "2"),)), Actual()) == ()


def test_a_veth_pair_is_removed_once() -> None:
    one = FoundLink("nat64", LinkKind.VETH, 65535, peer="nat64-x", ours=True)
    two = replace(one, name="nat64-x", peer="nat64")
    foreign = FoundLink("eth0", LinkKind.VETH, 1500)
    actual = Actual(links={link.name: link for link in (one, two, foreign)})
    assert diff(Desired(), actual) == (do.RemoveLink("nat64"),)


def test_a_pair_whose_ends_are_not_each_others_is_made_anew() -> None:
    ends = (
        Link("nat64", LinkKind.VETH, 65535, peer="nat64-x"),
        Link("nat64-x", LinkKind.VETH, 65535, peer="nat64"),
    )
    stray = FoundLink("nat64", LinkKind.VETH, 65535, up=True, ours=True)
    plan = diff(Desired(links=ends), Actual(links={"nat64": stray}))
    assert plan[:2] == (do.RemoveLink("nat64"), do.AddVeth(*ends))


def test_saved_state_survives_its_file(tmp_path: Path) -> None:
    saved = Saved({FORWARD6: "0", RESERVED: ""}, local_rule=True)
    assert from_json(to_json(saved, "boot-1"), "boot-1") == saved


def test_saved_state_of_an_earlier_boot_is_void() -> None:
    """The kernel started with the values of this boot; the old ones may be anything."""
    assert from_json(to_json(Saved({FORWARD6: "0"}, local_rule=True), "boot-1"), "boot-2") == Saved()


def test_a_strange_file_is_refused() -> None:
    with pytest.raises(ValueError, match="sysctls"):
        from_json({"boot_id": "b", "sysctls": []}, "b")


def test_what_is_restored_is_forgotten() -> None:
    assert after(do.RestoreSysctl("k", "v"), Saved({"k": "v", "l": "w"})) == Saved({"l": "w"})
    assert after(do.RestoreKernelLocalRule(), Saved(local_rule=True)) == Saved()
